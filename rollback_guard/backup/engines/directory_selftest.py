"""Faults put into a restored directory, each of which a fingerprint must tell: the self-test of a proof.

`mutations(target)` yields a name and a context manager for each; within it the target has the fault, afterwards it is
as before but for times. What a directory has no example of (a link, an attribute) is not in it.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import contextmanager, suppress

from rollback_guard.backup.engines.directory_walk import kind_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from rollback_guard.backup.engine import Target

LONGEST = 3000  # characters of a path that is named as a whole
ASIDE = ".aside"
NEW = "guard-self-test"
ATTRIBUTE = "user.guard-self-test"


def mutations(target: Target) -> Iterator[tuple[str, AbstractContextManager[None]]]:
    """Every fault that this directory can have, one example each. Beside the folder lies what is taken out of it."""
    root = target.environment()["GUARD_SCRATCH"]
    found = _examples(root)
    file = found.get("a file with content")
    if file:
        yield "a byte of a file", _flipped(file)
        yield "a file that is cut short", _cut(file)
        yield "a file that is longer", _longer(file)
        yield "a bit that lets a program be its owner", _mode(file, stat.S_ISUID)
        yield "a file that is a link to its copy", _replaced(file, root, lambda aside: os.symlink(aside, file))
        yield "a file that is a folder", _replaced(file, root, lambda aside: os.mkdir(file))
        yield "a file by another name", _renamed(file, file + "~")
    for kind in ("file", "folder"):
        one = found.get(f"a {kind}")
        if one:
            yield f"a mode of a {kind}", _mode(one, stat.S_IXOTH)
            if _takes_attributes(one):
                yield f"an attribute of a {kind}", _attribute(one)
    if os.geteuid() == 0:
        for kind in ("file", "folder", "link"):
            if found.get(f"a {kind}"):
                yield f"an owner of a {kind}", _owner(found[f"a {kind}"])
    for kind in ("file", "folder", "link", "hard link"):
        one = found.get(f"a {kind}")
        if one:
            yield f"a {kind} that is missing", _replaced(one, root, lambda aside: None)
    link = found.get("a link")
    if link:
        yield "where a link points", _replaced(link, root, lambda aside: os.symlink(os.readlink(aside) + "~", link))
    hard = found.get("a hard link")
    if hard:
        yield "a hard link that is a copy", _replaced(hard, root, lambda aside: _copied(aside, hard))
    new = os.path.join(root, NEW)
    if not _may_write(root):
        return
    yield "a file too many", _added(new, lambda: os.close(os.open(new, os.O_CREAT | os.O_EXCL, 0o600)))
    yield "a folder too many", _added(new, lambda: os.mkdir(new))
    yield "a link too many", _added(new, lambda: os.symlink("x", new))


def _examples(root: str) -> dict[str, str]:
    """The first of each kind that we may change, by what it is."""
    found: dict[str, str] = {}
    first: dict[tuple[int, int], str] = {}
    for entry in walk(root):
        kind, _ = kind_of(entry, first)
        path = os.path.join(root, entry.path) if entry.path != "." else root
        if len(path) > LONGEST or path == root or not _may_write(os.path.dirname(path)):
            continue
        if kind != "folder" or _may_write(path):  # to move a folder is to write in it
            found.setdefault(f"a {kind}", path)
        if kind == "file" and entry.state.st_size and _may_write(path):
            found.setdefault("a file with content", path)
    return found


def _may_write(path: str) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


@contextmanager
def _flipped(path: str) -> Iterator[None]:
    before = os.stat(path)
    _flip(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    try:
        yield
    finally:
        _flip(path)


def _flip(path: str) -> None:
    with open(path, "r+b") as file:
        byte = file.read(1)[0]
        file.seek(0)
        file.write(bytes([byte ^ 1]))


@contextmanager
def _cut(path: str) -> Iterator[None]:
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        at = file.tell()
        last = file.read(1)
    os.truncate(path, at)
    try:
        yield
    finally:
        with open(path, "ab") as file:
            file.write(last)


@contextmanager
def _longer(path: str) -> Iterator[None]:
    size = os.path.getsize(path)
    os.truncate(path, size + 1)
    try:
        yield
    finally:
        os.truncate(path, size)


@contextmanager
def _mode(path: str, bit: int) -> Iterator[None]:
    before = stat.S_IMODE(os.stat(path).st_mode)
    os.chmod(path, before ^ bit)
    try:
        yield
    finally:
        os.chmod(path, before)


@contextmanager
def _owner(path: str) -> Iterator[None]:
    before = os.lstat(path)
    os.chown(path, before.st_uid + 1, before.st_gid, follow_symlinks=False)
    try:
        yield
    finally:
        os.chown(path, before.st_uid, before.st_gid, follow_symlinks=False)
        if not stat.S_ISLNK(before.st_mode):
            os.chmod(path, stat.S_IMODE(before.st_mode))  # a new owner took the setuid bit away


@contextmanager
def _attribute(path: str) -> Iterator[None]:
    os.setxattr(path, ATTRIBUTE, b"1")
    try:
        yield
    finally:
        os.removexattr(path, ATTRIBUTE)


def _takes_attributes(path: str) -> bool:
    if hasattr(os, "setxattr"):
        with suppress(OSError), _attribute(path):
            return True
    return False


@contextmanager
def _replaced(path: str, root: str, put: Callable[[str], None]) -> Iterator[None]:
    """Something is taken out, and another thing may be put in its place."""
    aside = root + ASIDE
    os.rename(path, aside)
    try:
        put(aside)
        yield
    finally:
        _remove(path)
        os.rename(aside, path)


@contextmanager
def _renamed(path: str, other: str) -> Iterator[None]:
    os.rename(path, other)
    try:
        yield
    finally:
        os.rename(other, path)


@contextmanager
def _added(path: str, make: Callable[[], None]) -> Iterator[None]:
    make()
    try:
        yield
    finally:
        _remove(path)


def _copied(source: str, path: str) -> None:
    shutil.copyfile(source, path)
    shutil.copystat(source, path)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)
