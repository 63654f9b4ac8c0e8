"""Folders for what a snapshot holds until it is dumped: private, watched for space, and gone after a crash too.

They lie in `TMPDIR`. Each is locked while its process lives, so that the next run can tell what a dead one left.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import tempfile
from contextlib import contextmanager

from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "rollback-guard-spool-"


def shown(path: str) -> str:
    """A path as a message or a remedy may hold it: quoted for a shell, bytes that are no UTF-8 escaped.

    >>> shown("/srv/a b")
    "'/srv/a b'"
    """
    return shlex.quote(os.fsencode(path).decode("utf-8", "backslashreplace"))


@contextmanager
def private_folder(environ: Mapping[str, str]) -> Iterator[str]:
    """A new folder that only we can read, removed at the end. What dead processes left there is removed first."""
    above = environ.get("TMPDIR") or tempfile.gettempdir()
    try:
        _sweep(above)
        folder, held = _locked(above)
    except OSError as error:
        raise UndeterminedError(
            f"no temporary folder can be made in {shown(above)}: {error.strerror}", remedy="export TMPDIR=/var/tmp"
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def require_space(folder: str, needed: int, what: str) -> None:
    """Raise UndeterminedError unless that many bytes are free where a folder is."""
    state = os.statvfs(folder)
    free = state.f_bavail * state.f_frsize
    if free < needed:
        raise UndeterminedError(
            f"{what} takes {needed:,} bytes for a while, and {shown(os.path.dirname(folder))} has {free:,} left",
            remedy="export TMPDIR=/a/folder/with/more/space",
        )


def _locked(above: str) -> tuple[str, int]:
    while True:  # a run that sweeps at the same time may take it in the moment before it is locked
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=above)
        try:
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        fcntl.flock(held, fcntl.LOCK_EX)
        if os.path.isdir(folder):
            return folder, held
        os.close(held)


def _sweep(above: str) -> None:
    with os.scandir(above) as entries:
        names = [one.path for one in entries if one.name.startswith(PREFIX) and one.is_dir(follow_symlinks=False)]
    for path in names:
        try:
            held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # another user's, or gone by now
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            if os.fstat(held).st_uid == os.geteuid():
                shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(held)
