"""A directory from the tar of a backup, every byte of which is checked; and the removal of a tree of any depth.

Hostile input is refused: a name that leaves the folder, anything through a link, devices, entries out of order or
twice. Links are made as they were, wherever they point, and never followed.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from typing import NamedTuple

from rollback_guard.backup.engines.directory_spool import write_sparse
from rollback_guard.backup.engines.directory_tar import (
    ATTRIBUTE,
    BLOCK,
    DIGEST,
    END,
    OWNERS,
    TYPES,
    Chain,
    Forward,
    padding,
    read_ending,
)
from rollback_guard.backup.engines.directory_walk import CHUNK, FOLDER, ROOT, Traits, fault, item_of
from rollback_guard.backup.engines.private import shown
from rollback_guard.errors import GuardError, RefusedError, UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
KINDS = {number: kind for kind, number in TYPES.items()} | {tarfile.AREGTYPE: "file"}


class Open(NamedTuple):
    """A folder that is being filled."""

    name: bytes
    folder: int
    member: tarfile.TarInfo


def extract(stream: BinaryIO, root: str) -> bool:
    """Make a folder that is not there yet of a backup; whether owners are covered. Raises: RefusedError, …"""
    extraction = _Extraction(root)
    try:
        with tarfile.TarFile(fileobj=Forward(stream), mode="r", encoding="utf-8", errors="surrogateescape") as tar:
            while (member := tar.next()) is not None:
                vars(tar)["members"].clear()  # else it remembers each
                if member.name == END:
                    extraction.finish(tar, member)
                    return extraction.owners
                extraction.add(tar, member)
    except GuardError:
        raise
    except OSError as error:
        raise fault(error, root) from None
    except (tarfile.TarError, ValueError, EOFError, IndexError, OverflowError) as error:
        raise UndeterminedError(f"the backup is damaged or cut off: {error}", remedy="guard backup list") from None
    finally:
        extraction.close()
    raise UndeterminedError("the backup is cut off: its end is missing", remedy="guard backup list")


class _Extraction:
    def __init__(self, root: str) -> None:
        self._root = root
        self._stack: list[Open] = []
        self._last: tuple[bytes, ...] = ()
        self._chain = Chain()
        self.owners = False

    def add(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        kind = KINDS.get(member.type, "")
        if not kind or member.issparse():
            raise _hostile(member, "is of a kind that no backup holds")
        parts = _parts(member, member.name)
        if not self._stack:
            self._begin(member, parts)
            content = ""
        else:
            if parts <= self._last:
                raise _hostile(member, "comes out of order, or twice")
            while len(self._stack) > 1 and parts[: len(self._stack) - 1] != self._here():
                self._leave()
            if self._here() != parts[:-1]:
                raise _hostile(member, "is in a folder that is not there")
            content = self._make(tar, member, kind, parts[-1])
        self._last = parts
        path = os.fsdecode(b"/".join(parts)) or ROOT
        item = item_of(kind, path, self._traits(member, kind), content)
        if item.digest != member.pax_headers.get(DIGEST):
            raise UndeterminedError(f"the backup is damaged at {shown(path)}", remedy="guard backup list")
        self._chain.add(item.digest)

    def finish(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        if member.size > CHUNK:
            raise _hostile(member, "is too long")
        data = tar.extractfile(member)
        if data is None or read_ending(data.read()) != self._chain.ending() or not self._stack:
            raise UndeterminedError("the backup does not have all that it began with", remedy="guard backup list")
        forward, left = tar.fileobj, 0
        assert forward is not None
        while piece := forward.read(CHUNK):
            left += len(piece)
            if piece.count(0) != len(piece):
                raise UndeterminedError("something follows the backup's end", remedy="guard backup list")
        if left < padding(member.size) + 2 * BLOCK:
            raise UndeterminedError("the backup is cut off in its last blocks", remedy="guard backup list")
        while self._stack:
            self._leave()

    def close(self) -> None:
        while self._stack:
            os.close(self._stack.pop().folder)

    def _here(self) -> tuple[bytes, ...]:
        return tuple(one.name for one in self._stack[1:])

    def _begin(self, member: tarfile.TarInfo, parts: tuple[bytes, ...]) -> None:
        if parts or not member.isdir():
            raise _hostile(member, "comes before the folder itself")
        self.owners = member.pax_headers.get(OWNERS) == "1"
        if self.owners and os.geteuid() != 0:
            raise UndeterminedError(
                "the backup was taken by root, with the owners of files: only root can give them back", remedy="sudo -E"
            )
        os.mkdir(self._root, 0o700)
        self._stack.append(Open(b"", os.open(self._root, FOLDER), member))

    def _make(self, tar: tarfile.TarFile, member: tarfile.TarInfo, kind: str, name: bytes) -> str:
        folder = self._stack[-1].folder
        if kind == "folder":
            os.mkdir(name, 0o700, dir_fd=folder)
            self._stack.append(Open(name, os.open(name, FOLDER, dir_fd=folder), member))
            return ""
        if kind == "link":
            os.symlink(member.linkname, os.fsdecode(name), dir_fd=folder)
            if os.geteuid() == 0:
                os.chown(name, member.uid, member.gid, dir_fd=folder, follow_symlinks=False)
            os.utime(name, ns=_times(member), dir_fd=folder, follow_symlinks=False)
            return member.linkname
        if kind == "hard link":
            return self._link(member, name, folder)
        return self._write(tar, member, name, folder)

    def _write(self, tar: tarfile.TarFile, member: tarfile.TarInfo, name: bytes, folder: int) -> str:
        data = tar.extractfile(member)
        digest, at = hashlib.sha256(), 0
        with open(os.open(name, NEW_FILE, 0o600, dir_fd=folder), "wb", buffering=0) as file:
            while data is not None and (piece := data.read(CHUNK)):
                digest.update(piece)
                write_sparse(file, piece, at)
                at += len(piece)
            os.ftruncate(file.fileno(), member.size)
            _dress(file.fileno(), member)
        return digest.hexdigest()

    def _link(self, member: tarfile.TarInfo, name: bytes, folder: int) -> str:
        """Link to a file of this very tree, each folder on the way to it opened without following a link."""
        parts = _parts(member, member.linkname)
        opened = [os.dup(self._stack[0].folder)]
        try:
            for one in parts[:-1]:
                opened.append(os.open(one, FOLDER, dir_fd=opened[-1]))
            if not parts or not stat.S_ISREG(os.stat(parts[-1], dir_fd=opened[-1], follow_symlinks=False).st_mode):
                raise _hostile(member, "is a hard link to no file of the backup")
            os.link(parts[-1], name, src_dir_fd=opened[-1], dst_dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            raise _hostile(member, "is a hard link to no file of the backup") from None
        finally:
            for one_opened in opened:
                os.close(one_opened)
        return os.fsdecode(b"/".join(parts))

    def _leave(self) -> None:
        left = self._stack.pop()
        try:
            _dress(left.folder, left.member)
        finally:
            os.close(left.folder)

    def _traits(self, member: tarfile.TarInfo, kind: str) -> Traits:
        owner = (member.uid, member.gid) if self.owners else None
        return Traits(0, owner) if kind == "link" else Traits(member.mode, owner, _attributes(member))


def _parts(member: tarfile.TarInfo, path: str) -> tuple[bytes, ...]:
    """The parts of a path below the root."""
    if path == ROOT:
        return ()
    first, *parts = os.fsencode(path).split(b"/")
    if first != b"." or not parts or any(one in (b"", b".", b"..") or b"\0" in one for one in parts):
        raise _hostile(member, "leaves the folder")
    return tuple(parts)


def _hostile(member: tarfile.TarInfo, what: str) -> RefusedError:
    return RefusedError(
        f"the backup is none that this program made: {shown(member.name)} {what}", remedy="guard backup list"
    )


def _attributes(member: tarfile.TarInfo) -> tuple[tuple[str, bytes], ...]:
    found = ((name, value) for name, value in member.pax_headers.items() if name.startswith(ATTRIBUTE))
    return tuple(sorted((name[len(ATTRIBUTE) :], value.encode("utf-8", "surrogateescape")) for name, value in found))


def _times(member: tarfile.TarInfo) -> tuple[int, int]:
    seconds, _, rest = member.pax_headers.get("mtime", "0").partition(".")
    both = int(seconds) * 10**9 + int((rest + "0" * 9)[:9])
    return both, both


def _dress(opened: int, member: tarfile.TarInfo) -> None:
    """Owner, attributes, mode and time, in the order in which none undoes another."""
    if os.geteuid() == 0:
        os.chown(opened, member.uid, member.gid)
    for name, value in _attributes(member):
        os.setxattr(opened, name, value)
    os.chmod(opened, member.mode)
    os.utime(opened, ns=_times(member))


def remove_tree(path: str) -> None:
    """Remove a folder and all in it, however deep and whatever its modes; nothing if it is not there."""
    try:
        stack = [(b"", _opened(path, None))]
    except FileNotFoundError:
        return
    try:
        while stack:
            name, folder = stack[-1]
            inner = next(iter(_removed(folder)), None)
            if inner is not None:
                stack.append((inner, _opened(inner, folder)))
                continue
            stack.pop()
            os.close(folder)
            if stack:
                os.rmdir(name, dir_fd=stack[-1][1])
        os.rmdir(path)
    finally:
        for _, folder in stack:
            os.close(folder)


def _removed(folder: int) -> list[bytes]:
    """Remove what is no folder from a folder; the folders that are left."""
    left = []
    for name in map(os.fsencode, os.listdir(folder)):
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            left.append(name)
        else:
            os.unlink(name, dir_fd=folder)
    return left


def _opened(name: str | bytes, folder: int | None) -> int:
    if os.geteuid() != 0 and not stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        os.chmod(name, 0o700, dir_fd=folder)
    return os.open(name, FOLDER, dir_fd=folder)
