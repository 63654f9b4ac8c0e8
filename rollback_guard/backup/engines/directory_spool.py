"""A directory as it was at one moment, though others write to it: read into a private file until nothing moves.

Each entry is read into the spool, then the whole tree is looked at again. What differs from when it was read (inode,
size, mode, owner, time of change or of content) is read anew, until one look finds nothing to read: from the end of
the reading before it to its beginning, all of it stood as it was read. So no file is torn, and no two are of different
moments. Not seen: what a process writes through a memory map that the kernel has not yet dated.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from functools import partial
from typing import NamedTuple

from rollback_guard.backup.engines.directory_tar import Chain, header, padding, render_ending
from rollback_guard.backup.engines.directory_walk import (
    CHUNK,
    FILE,
    SPECIAL,
    Entry,
    Traits,
    fault,
    item_of,
    kind_of,
    read_traits,
    walk,
)
from rollback_guard.backup.engines.private import shown
from rollback_guard.backup.model import Fingerprint, Item
from rollback_guard.errors import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

LOOKS = 20
# A file system dates what happens by a clock that ticks each 10 ms at the slowest: what changed this shortly before it
# was read, in seconds, could change again and look the same.
TICK = 0.02
NO_DIGEST = "0" * 64


class Kept(NamedTuple):
    """An entry that was read. `mark`: tells whether it changed since; `start`, `length`: where it lies in the spool."""

    mark: int
    item: Item
    start: int
    length: int


class Spool:
    """What was read of a directory so far. `file` is private, and can be read, written, cut and searched."""

    def __init__(self, root: str, file: BinaryIO, owners: bool) -> None:
        self._root = root
        self._file = file
        self._owners = owners
        self._kept: dict[str, Kept] = {}
        self._uncovered: dict[str, int] = {}
        self._end = 0

    def fill(self) -> float:
        """Read until nothing moves. The moment of which it is, in Unix seconds. Raises: RefusedError that names it."""
        for _ in range(LOOKS):
            moment = time.time()
            moved, young = self._look()
            if not moved:
                return moment
            if young:
                time.sleep(TICK)
        raise RefusedError(
            f"{shown(moved)} in {shown(self._root)} changes while it is read",
            remedy="stop what writes to it, or name a snapshot of its file system as the source",
        )

    def dump(self, sink: BinaryIO) -> None:
        """Write it as tar, ended by what makes it whole."""
        chain = Chain()
        for one in self._kept.values():
            self._file.seek(one.start)
            left = one.length
            while left:
                piece = self._file.read(min(left, CHUNK))
                sink.write(piece)
                left -= len(piece)
            chain.add(one.item.digest)
        sink.write(render_ending(chain.ending()))

    def fingerprint(self) -> Fingerprint:
        """What was read."""
        return fingerprint_of((one.item for one in self._kept.values()), self._uncovered, self._owners)

    def _look(self) -> tuple[str, bool]:
        """Look at everything and read what is new: the last path of that, "" if none, and whether any was too young."""
        before, self._kept, self._uncovered = self._kept, {}, {}
        first: dict[tuple[int, int], str] = {}
        moved, young = "", False
        for entry in walk(self._root):
            try:
                kind, target = kind_of(entry, first)
                if not kind:
                    leave_out(self._uncovered, entry)
                    continue
                traits = read_traits(entry, self._owners, partial(leave_out_attribute, self._uncovered))
                mark = _mark(entry, traits, target)
                known = before.get(entry.path)
                if known is None or known.mark != mark:
                    fresh = abs(time.time() - entry.state.st_ctime) < TICK
                    moved, young = entry.path, young or fresh
                    # A mark that nothing has: it is read once more, when it can no longer change unseen.
                    known = self._read(entry, kind, target, traits)._replace(mark=0 if fresh else mark)
                self._kept[entry.path] = known
            except FileNotFoundError:
                moved = entry.path
        return moved or next(iter(before.keys() - self._kept.keys()), ""), young

    def _read(self, entry: Entry, kind: str, target: str, traits: Traits) -> Kept:
        state, start, content = entry.state, self._end, target
        size = state.st_size if kind == "file" else 0
        if kind == "file":
            room = len(header(kind, entry.path, state, traits, target, NO_DIGEST))
            content = self._read_file(entry, start + room)
        item = item_of(kind, entry.path, traits, content)
        written = header(kind, entry.path, state, traits, target, item.digest)
        self._file.seek(start)
        self._file.write(written)
        length = len(written) + size + padding(size)
        self._end = start + length
        self._file.truncate(self._end)
        return Kept(0, item, start, length)

    def _read_file(self, entry: Entry, start: int) -> str:
        """Copy as many bytes as the file had when it was looked at: if it has others now, it will be read again."""
        digest, at, end = hashlib.sha256(), start, start + entry.state.st_size
        with open(opened(entry), "rb", buffering=0) as file:
            while at < end and (piece := file.read(min(CHUNK, end - at))):
                digest.update(piece)
                write_sparse(self._file, piece, at)
                at += len(piece)
        return digest.hexdigest()


def opened(entry: Entry) -> int:
    """A file's descriptor. Raises: FileNotFoundError where it is gone; UndeterminedError."""
    try:
        return os.open(entry.name, FILE, dir_fd=entry.folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise fault(error, entry.path) from None


def write_sparse(file: BinaryIO, piece: bytes, at: int) -> None:
    """Write bytes at a place; none if they are all zero, which is what a file has where nothing was written."""
    if piece.count(0) != len(piece):
        file.seek(at)
        file.write(piece)


def read_fingerprint(root: str, owners: bool) -> Fingerprint:
    """What is in a directory that nobody writes to. Raises: UndeterminedError."""
    items, uncovered = [], dict[str, int]()
    first: dict[tuple[int, int], str] = {}
    for entry in walk(root):
        kind, content = kind_of(entry, first)
        if not kind:
            leave_out(uncovered, entry)
            continue
        traits = read_traits(entry, owners, partial(leave_out_attribute, uncovered))
        if kind == "file":
            digest = hashlib.sha256()
            with open(opened(entry), "rb", buffering=0) as file:
                while piece := file.read(CHUNK):
                    digest.update(piece)
            content = digest.hexdigest()
        items.append(item_of(kind, entry.path, traits, content))
    return fingerprint_of(items, uncovered, owners)


def fingerprint_of(items: Iterable[Item], uncovered: dict[str, int], owners: bool) -> Fingerprint:
    """Items in their order, with what they do not tell."""
    words = [one if number == 1 else f"{one} ({number} times)" for one, number in uncovered.items()]
    words.append("times of files")
    if not owners:
        words.append("owners, which only root can give back")
    return Fingerprint(tuple(sorted(items, key=lambda one: one[:3])), tuple(sorted(words)))


def leave_out(uncovered: dict[str, int], entry: Entry) -> None:
    """Count what is no state, such as a socket, among what is not covered."""
    words = f"the {SPECIAL.get(stat.S_IFMT(entry.state.st_mode), 'thing')} {entry.path!r}"
    uncovered[words] = uncovered.get(words, 0) + 1


def leave_out_attribute(uncovered: dict[str, int], name: str) -> None:
    """Count an attribute among what is not covered."""
    words = f"the attribute {name!r}"
    uncovered[words] = uncovered.get(words, 0) + 1


def _mark(entry: Entry, traits: Traits, target: str) -> int:
    state = entry.state
    told = (state.st_ino, state.st_mode, state.st_uid, state.st_gid, state.st_size)
    return hash((told, state.st_mtime_ns, state.st_ctime_ns, traits, target)) or 1
