"""Where a backup's files lie: a store's URL, the names of files in it, and one file opened in a folder.

Standard library alone, and nothing is changed: the gate looks at artefacts through it. Writing, and stores that are no
folder, are left to `backup.storage`.
"""

from __future__ import annotations

import os
import re
import stat
from typing import NamedTuple
from urllib.parse import unquote

from rollback_guard.errors import UsageError

_PART = "[A-Za-z0-9][A-Za-z0-9_.-]{0,254}"  # a name as a policy has it, of as many bytes as any file system takes
_NAME = re.compile(f"({_PART})/({_PART})")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_INSIDE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


class Place(NamedTuple):
    """A store's URL, understood. `where`: the absolute path of a folder for `file`, else the URL as it is written."""

    scheme: str
    where: str


def read_place(url: str, folder: str) -> Place:
    """What a policy's `store` means; `file:backups` is relative to `folder`. Raises: UsageError.

    >>> read_place("file:backups", "/srv/shop"), read_place("file:///var/backups", "/").where
    (Place(scheme='file', where='/srv/shop/backups'), '/var/backups')
    """
    found = _SCHEME.fullmatch(url)
    if found is None or not found[2].strip("/") or "\0" in url:
        raise UsageError(
            "a backup's store is a URL, such as file:backups or s3://bucket/folder", remedy="guard policy check"
        )
    scheme, rest = found[1].lower(), found[2]
    if scheme != "file":
        return Place(scheme, url)
    if rest.startswith("//"):
        host, _, rest = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise UsageError(
                "the store's URL names a host, and file: means this one", remedy='store = "file:///var/backups"'
            )
        rest = "/" + rest
    return Place("file", os.path.normpath(os.path.join(folder, unquote(rest))))


def is_stored_name(name: str) -> bool:
    """Whether it may name a file in a store: a backup's name, a slash, a file's name, neither of them odd.

    >>> is_stored_name("shop-db/20261127T183000Z-3f9a1c.json"), is_stored_name("../etc/passwd")
    (True, False)
    """
    return _NAME.fullmatch(name) is not None


def split_name(name: str) -> tuple[str, str]:
    """The backup's name and the file's. Raises: UsageError for what names no file of a store."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise UsageError(f"{name[:80]!r} names no file of a store", remedy="guard backup list")
    return found[1], found[2]


def open_folder(root: str, folder: str) -> int:
    """A descriptor of a backup's folder in a store. Raises: OSError, for a link too."""
    top = os.open(root, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        return os.open(folder, _INSIDE | os.O_DIRECTORY, dir_fd=top)
    finally:
        os.close(top)


def open_stored(root: str, name: str) -> int:
    """A descriptor to read a file of a store by. Raises: OSError for what is gone, no regular file, or a link."""
    folder, file = split_name(name)
    holder = open_folder(root, folder)
    try:
        found = os.open(file, _INSIDE | os.O_NONBLOCK, dir_fd=holder)  # a pipe must not block
    finally:
        os.close(holder)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise OSError(f"{name} is no regular file")
    return found
