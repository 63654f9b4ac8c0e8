"""A restored SQLite file in production's place, with nobody writing in between and no moment without a file.

What happens, in this order, each step found again after a crash:

1. Wait until nobody else holds production: take SQLite's exclusive lock, fold the write-ahead log into the file, and
   on Linux ask the kernel which processes have it open (another user's are seen by root alone).
2. Give production's file its second name, the one aside (a hard link).
3. Take away what belongs to it by name alone, for beside the restored file it would corrupt that: an empty log goes;
   one that could not be folded in, because production is damaged, goes aside with its database.
4. Rename the restored file over production's name.

An idle connection that no lock and no kernel tells of keeps the old file: it reads what was, and its next write fails,
since SQLite sees that the file was moved. Where a file system has no hard links, steps 2 and 4 are two renames.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from contextlib import closing, contextmanager

from rollback_guard.backup.engines.private import shown
from rollback_guard.backup.engines.renames import UNABLE, sync_folder
from rollback_guard.backup.engines.sqlite_open import SIDECARS, connect, explain
from rollback_guard.errors import RefusedError, UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

DRAIN = 10.0  # seconds for others to let go
PAUSE = 0.05
NO_LINKS = (*UNABLE, errno.EPERM, errno.EMLINK)


def put_in_place(path: str, new: str, old: str) -> float:
    """See `Engine.swap`; `new` goes to `path`, and what is there to `old`. Raises: RefusedError, UndeterminedError."""
    if not os.path.lexists(new):
        if os.path.lexists(old):
            return 0.0  # done before
        raise UndeterminedError(f"nothing was restored at {shown(new)}", remedy="guard backup restore")
    _fold(new)
    if not os.path.lexists(path):  # between two renames, or somebody removed it
        if not os.path.lexists(old):
            os.close(os.open(old, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # "nothing was there"
        _clear(path, old)
        _rename(new, path)
        return 0.0
    if os.path.lexists(old) and not os.path.samefile(path, old):
        raise RefusedError(f"something else lies at {shown(old)} already", remedy=f"mv {shown(old)} {shown(old)}.1")
    if os.stat(path).st_nlink > 1 + os.path.lexists(old):
        raise RefusedError(
            f"{shown(path)} has another name (a hard link), which would go on with the old database",
            remedy=f"find {shown(os.path.dirname(path))} -xdev -samefile {shown(path)}",
        )
    with _drained(path):
        begun = time.monotonic()
        if not os.path.lexists(old):
            _link(path, old)
        _clear(path, old)
        _rename(new, path)
        seconds = time.monotonic() - begun
        _require_nobody(path, old)
        return seconds


def holders(path: str, file: str) -> list[tuple[int, str]]:
    """Number and name of the other processes that have a file open, as far as the kernel tells us (Linux).

    `path` is how they opened it, `file` where it is now.
    """
    wanted = os.stat(file)
    found = []
    for number in sorted(int(one) for one in _listed("/proc") if one.isdigit()):
        if number != os.getpid() and any(
            _is_open(f"/proc/{number}/fd/{one}", path, wanted) for one in _listed(f"/proc/{number}/fd")
        ):
            found.append((number, _command(number)))
    return found


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _is_open(link: str, path: str, wanted: os.stat_result) -> bool:
    try:
        # Its name is asked first: to stat whatever others have open could wait for a dead server.
        if not os.path.basename(os.readlink(link)).startswith(os.path.basename(path)):
            return False
        return os.path.samestat(os.stat(link), wanted)
    except OSError:
        return False


def _command(number: int) -> str:
    try:
        with open(f"/proc/{number}/comm", encoding="utf-8", errors="backslashreplace") as file:
            return file.read().strip()
    except OSError:
        return "?"


@contextmanager
def _drained(path: str) -> Iterator[None]:
    """Hold production so that nobody else can read or write it. Raises: RefusedError with who would not let go."""
    until = time.monotonic() + DRAIN
    while True:
        who = holders(path, path)
        if not who:
            with closing(connect(path, writes=True, waits=False)) as connection:
                locked = _lock(connection, path)
                who = holders(path, path)  # whoever came in the meantime waits for the lock, with the old file in hand
                if locked and not who:
                    yield
                    return
        if time.monotonic() > until:
            raise RefusedError(
                f"the database {shown(path)} is in use{_told(who)}; nothing was swapped",
                remedy=f"stop what uses it (fuser -v {shown(path)}), then: guard backup restore --resume",
            )
        time.sleep(PAUSE)


def _told(who: list[tuple[int, str]]) -> str:
    return " by " + ", ".join(f"{name} ({number})" for number, name in who[:5]) if who else ""


def _lock(connection: sqlite3.Connection, path: str) -> bool:
    """Whether SQLite gives us the file for ourselves; its log is in the file then, unless it is damaged."""
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # kept from the first transaction on
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as error:
        said = str(error)
        if "locked" in said or "busy" in said:
            return False
        if "malformed" in said or "not a database" in said:
            return True  # nobody can write to it; what belongs to it goes aside with it
        raise explain(error, path) from None
    return not busy


def _require_nobody(path: str, old: str) -> None:
    """Who opened the old file in the last moment waits for its lock, which we hold. Raises: UndeterminedError."""
    until = time.monotonic() + DRAIN
    while who := holders(path, old):
        if time.monotonic() > until:
            raise UndeterminedError(
                f"{shown(path)} is swapped, but the old database is still open{_told(who)}",
                remedy="restart it: " + " ".join(f"kill {number}" for number, _ in who[:5]),
            )
        time.sleep(PAUSE)


def _fold(path: str) -> None:
    """Fold the log of a database that is to go into production's place into it, if it has one."""
    if any(os.path.lexists(path + one) for one in SIDECARS):
        with closing(connect(path, writes=True)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for one in SIDECARS:
        if os.path.lexists(path + one):
            # A journal that was to be played back has been; one that is left is kept by applications that reuse it.
            if one == "-wal" and os.path.getsize(path + one):
                raise RefusedError(f"{shown(path + one)} cannot be folded in", remedy=f"fuser -v {shown(path)}")
            os.unlink(path + one)


def _link(path: str, old: str) -> None:
    try:
        os.link(path, old)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        os.rename(path, old)
    sync_folder(os.path.dirname(path))


def _clear(path: str, old: str) -> None:
    for one in SIDECARS:
        if os.path.lexists(path + one):
            if one != "-shm" and os.path.getsize(path + one):
                os.rename(path + one, old + one)
            else:
                os.unlink(path + one)


def _rename(new: str, path: str) -> None:
    os.rename(new, path)
    sync_folder(os.path.dirname(path))
