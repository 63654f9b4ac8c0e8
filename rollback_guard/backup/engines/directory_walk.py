"""A folder's tree, entry by entry, without ever following a link or needing a path as a whole.

Everything is reached from its folder's descriptor, so a tree deeper than the longest path is walked, and nobody can
put a link in the way. Entries come folder first, then what is in it, by the bytes of their names.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from typing import NamedTuple

from rollback_guard.backup.engines.private import shown
from rollback_guard.backup.model import Item
from rollback_guard.errors import RefusedError, UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rollback_guard.errors import GuardError

CHUNK = 1 << 18  # holes in files are kept in pieces of this size
ROOT = "."  # the name of the folder itself
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO in its place must not make us wait
# Attributes that belong to the state: ACLs, what the application set, and what a program may.
KEPT_ATTRIBUTES = ("user.", "system.posix_acl_", "security.capability")
SPECIAL = {stat.S_IFIFO: "FIFO", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}


class Entry(NamedTuple):
    """One thing in the tree. `path`: below the root, without "./". `folder`: the descriptor that `name` is in."""

    path: str
    folder: int
    name: str
    state: os.stat_result


class Traits(NamedTuple):
    """What of an entry counts beside its content. `owner`: user and group, or None where they are not covered."""

    mode: int
    owner: tuple[int, int] | None
    attributes: tuple[tuple[str, bytes], ...] = ()


def walk(root: str) -> Iterator[Entry]:
    """Every entry, the root first. Raises: UndeterminedError, RefusedError for another file system inside.

    A folder that is gone or no folder any more when it is come to is left out: who walks again will see it.
    """
    try:
        opened = os.open(root, FOLDER)
    except OSError as error:
        raise fault(error, root) from None
    stack: list[tuple[str, int, list[str]]] = []
    try:
        state = os.fstat(opened)
        yield Entry(ROOT, opened, ROOT, state)
        stack.append(("", opened, _names(opened, ROOT)))
        while stack:
            prefix, folder, names = stack[-1]
            if not names:
                stack.pop()
                os.close(folder)
                continue
            name = names.pop()
            path = prefix + name
            try:
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                continue
            yield Entry(path, folder, name, found)
            if stat.S_ISDIR(found.st_mode):
                if found.st_dev != state.st_dev:
                    raise RefusedError(
                        f"another file system is mounted at {shown(path)} in the source",
                        remedy="umount it, or name it as a backup of its own",
                    )
                _enter(stack, path, folder, name)
    finally:
        for _, folder, _ in stack:
            os.close(folder)


def _enter(stack: list[tuple[str, int, list[str]]], path: str, folder: int, name: str) -> None:
    try:
        inner = os.open(name, FOLDER, dir_fd=folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise fault(error, path) from None
    stack.append((path + "/", inner, []))
    stack[-1] = (path + "/", inner, _names(inner, path))


def _names(folder: int, path: str) -> list[str]:
    """Names in a folder, the last first."""
    try:
        return sorted(os.listdir(folder), key=os.fsencode, reverse=True)
    except OSError as error:
        raise fault(error, path) from None


def fault(error: OSError, path: str) -> GuardError:
    """What an error of the file system means for a person."""
    if error.errno == errno.EMFILE:
        return UndeterminedError(
            f"the folders are too deep for the open files allowed: {shown(path)}", remedy="ulimit -n 65536"
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UndeterminedError(f"there is no space left for {shown(path)}", remedy="df -h")
    return UndeterminedError(f"{shown(path)}: {error.strerror}", remedy=f"ls -ld {shown(path)}")


def reached_by(entry: Entry) -> str:
    """A path by which calls that know no descriptors of folders reach an entry."""
    return f"/proc/self/fd/{entry.folder}/{entry.name}"


def read_traits(entry: Entry, owners: bool, leave_out: Callable[[str], None]) -> Traits:
    """Mode, owner and attributes; `leave_out` is told the name of each attribute that is not covered."""
    state = entry.state
    owner = (state.st_uid, state.st_gid) if owners else None
    if stat.S_ISLNK(state.st_mode):
        return Traits(0, owner)  # a link has no mode of its own
    return Traits(stat.S_IMODE(state.st_mode), owner, _attributes(reached_by(entry), leave_out))


def _attributes(path: str, leave_out: Callable[[str], None]) -> tuple[tuple[str, bytes], ...]:
    if not hasattr(os, "listxattr") or not os.path.isdir("/proc/self/fd"):
        leave_out("*")
        return ()
    found = []
    try:
        for name in sorted(os.listxattr(path, follow_symlinks=False)):
            if name.startswith(KEPT_ATTRIBUTES) and "=" not in name:
                found.append((name, os.getxattr(path, name, follow_symlinks=False)))
            else:
                leave_out(name)
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.ENOENT, errno.ENODATA):
            raise fault(error, path) from None
    return tuple(found)


def kind_of(entry: Entry, first: dict[tuple[int, int], str]) -> tuple[str, str]:
    """What an entry is, and what a link or a hard link names; ("", "") for what is no state, such as a socket.

    `first`: which path of a file with several was come to first, by device and inode; the others are hard links to it.
    """
    mode = entry.state.st_mode
    if stat.S_ISDIR(mode):
        return "folder", ""
    if stat.S_ISLNK(mode):
        return "link", os.readlink(entry.name, dir_fd=entry.folder)
    if not stat.S_ISREG(mode):
        return "", ""
    if entry.state.st_nlink > 1:
        path = first.setdefault((entry.state.st_dev, entry.state.st_ino), entry.path)
        if path != entry.path:
            return "hard link", path
    return "file", ""


def item_of(kind: str, path: str, traits: Traits, content: str) -> Item:
    """An entry as an item. `content`: digest of a file, target of a link, path of the file that a hard link names."""
    told = repr((kind, traits, content)).encode("utf-8", "surrogateescape")
    return Item("content" if kind == "file" else "schema", kind, path, hashlib.sha256(told).hexdigest())
