"""A restored folder in production's place, by names alone, so that a crash at any point is found again in them.

1. The restored folder is renamed to `<aside>-in-<its inode>`.
2. It and production change places at once (`renameat2`). What now bears that name has another inode than it says, so
   one look tells whether this was done. Where the file system cannot do that, production goes aside and the restored
   folder into its place: two renames, and for the moment between them the name is free.
3. What was production is renamed to its name aside.

A process that has a file of it open, or stands in it, goes on with the old folder: it must be told to look again.
"""

from __future__ import annotations

import os
import re
import time

from rollback_guard.backup.engines.private import shown
from rollback_guard.backup.engines.renames import exchange, sync_folder
from rollback_guard.errors import RefusedError, UndeterminedError

BETWEEN = "-in-"


def put_in_place(path: str, new: str, old: str) -> float:
    """See `Engine.swap`; `new` goes to `path`, and what is there to `old`. Raises: RefusedError, UndeterminedError."""
    waiting = find_waiting(old)
    if waiting is None:
        if not os.path.lexists(new):
            if os.path.lexists(old):
                return 0.0  # done before
            raise UndeterminedError(f"nothing was restored at {shown(new)}", remedy="guard backup restore")
        _require_free(path, old)
        if not os.path.lexists(path):
            os.mkdir(old)  # "nothing was there", so that it can be seen that it is done
        waiting = (f"{old}{BETWEEN}{os.lstat(new).st_ino}", os.lstat(new).st_ino)
        _rename(new, waiting[0])
    name, inode = waiting
    if os.lstat(name).st_ino != inode:  # they changed places before
        _rename(name, old)
        return 0.0
    if not os.path.lexists(path):
        _rename(name, path)
        return 0.0
    begun = time.monotonic()
    if exchange(name, path):
        seconds = time.monotonic() - begun
        sync_folder(os.path.dirname(path))
        _rename(name, old)
        return seconds
    _rename(path, old)
    _rename(name, path)
    return time.monotonic() - begun


def find_waiting(old: str) -> tuple[str, int] | None:
    """What a swap that was cut short left between, with the inode in its name."""
    above, name = os.path.split(old)
    pattern = re.compile(re.escape(name) + BETWEEN + r"(\d+)")
    for one in os.listdir(above):
        found = pattern.fullmatch(one)
        if found is not None:
            return os.path.join(above, one), int(found[1])
    return None


def _require_free(path: str, old: str) -> None:
    if os.path.lexists(old):
        raise RefusedError(f"something else lies at {shown(old)} already", remedy=f"mv {shown(old)} {shown(old)}.1")
    if os.path.ismount(path):
        raise RefusedError(
            f"{shown(path)} is the root of a file system, which cannot be renamed",
            remedy="keep the state in a folder within it, and name that as the backup's source",
        )


def _rename(one: str, other: str) -> None:
    os.rename(one, other)
    sync_folder(os.path.dirname(other))
