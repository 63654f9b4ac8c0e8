"""Restores of a clone: their journal, and the lock that keeps a second operator out.

One file for each restore, beside the repository's Git directory, written anew at each step and synced: what it says is
where the restore stands, or one step behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import socket
from contextlib import contextmanager
from typing import get_args

from rollback_guard.backup.model import Restore, State
from rollback_guard.errors import RefusedError, UndeterminedError
from rollback_guard.git.fast_import import sync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.git.repository import Repository

FOLDER = os.path.join("rollback-guard", "restores")
FORMAT = "rollback-guard/restore/1"
LARGEST = 1 << 16  # bytes of a journal


def _folder(repository: Repository) -> str:
    return os.path.join(repository.common_dir, FOLDER)


def write_journal(repository: Repository, restore: Restore) -> None:
    """Have on the disk where a restore stands. Raises: UndeterminedError."""
    folder = _folder(repository)
    path = os.path.join(folder, f"{restore.id}.json")
    try:
        os.makedirs(folder, exist_ok=True)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump({"format": FORMAT, **restore._asdict()}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{path}.new", path)
        sync(folder)
    except OSError as error:
        raise UndeterminedError(
            f"the restore's journal cannot be written: {error.strerror}", remedy=f"ls -ld {shlex.quote(folder)}"
        ) from None


def read_open(repository: Repository) -> tuple[Restore, ...]:
    """The restores that were begun and not finished, the oldest first. Raises: UndeterminedError."""
    folder = _folder(repository)
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except FileNotFoundError:
        return ()
    found = [_read(os.path.join(folder, name)) for name in names]
    return tuple(sorted((one for one in found if one.state != "done"), key=lambda one: one.begun))


def _read(path: str) -> Restore:
    try:
        with open(path, encoding="utf-8") as file:
            document = json.loads(file.read(LARGEST))
        found = Restore(**{name: document[name] for name in Restore._fields})
        if document["format"] != FORMAT or found.state not in get_args(State):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise UndeterminedError(
            f"the journal of a restore cannot be read: {path}",
            remedy=f"cat {shlex.quote(path)}   # what is left of it names the databases; then move it away",
        ) from None
    return found


def forget(repository: Repository, restore: Restore) -> None:
    """Remove the journal of a restore that was given up."""
    try:
        os.unlink(os.path.join(_folder(repository), f"{restore.id}.json"))
    except FileNotFoundError:
        pass


@contextmanager
def only_one(repository: Repository) -> Iterator[None]:
    """Nobody else restores in this clone meanwhile. Raises: RefusedError, which says who does; UndeterminedError."""
    path = os.path.join(_folder(repository), "lock")
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115  # it is closed below, and with the process
    except OSError as error:
        raise UndeterminedError(f"{path} cannot be written: {error.strerror}", remedy="df -h") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read(200).strip() or "somebody"
            raise RefusedError(
                f"another restore is under way here: {holder}", remedy="wait for it; its lock goes with its process"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield
        file.truncate(0)
