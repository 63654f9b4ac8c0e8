"""Names beside a source, and renaming that survives a crash: what lies where, exchanged at once or not at all."""

from __future__ import annotations

import ctypes
import errno
import os
import re

from rollback_guard.errors import UsageError

AT_FDCWD = -100
RENAME_EXCHANGE = 2
# What a kernel, a library or a file system says that cannot do it.
UNABLE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


def name_beside(path: str, name: str) -> str:
    """Where something of that name lies beside a source.

    >>> name_beside("/srv/shop.db", "failed_1")
    '/srv/shop.db.failed_1'
    """
    if re.fullmatch(r"\w+", name, re.ASCII) is None:
        raise UsageError("a name beside a source has letters, digits and _", remedy="guard backup restore --help")
    return f"{path}.{name}"


def sync_folder(folder: str) -> None:
    """Have the names in a folder last through a power cut."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


def sync_below(folder: str) -> None:
    """Have everything below a folder last: one call for its whole file system is far faster than one a file."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(held):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), folder)
    except AttributeError:  # no Linux
        os.sync()
    finally:
        os.close(held)


def exchange(one: str, other: str) -> bool:
    """Let two names change places with no moment between; False where the system or the file system cannot."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    if call(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in UNABLE:
        return False
    raise OSError(code, os.strerror(code), one, None, other)
