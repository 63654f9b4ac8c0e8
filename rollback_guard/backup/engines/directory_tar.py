"""How a directory's entries are written as tar (pax), so that `tar xf` can read them too.

Names are `./path`. Records of our own in the pax header: `GUARD.digest`, the entry's as an item of a fingerprint, and
in the root's `GUARD.owners`, whether users and groups are in those digests. Times are to the nanosecond (`mtime`),
attributes in `SCHILY.xattr.…`, as other programs write them. The last member is END: JSON that says how many entries
there were, and a digest over all of theirs, in order.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from typing import NamedTuple

from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from rollback_guard.backup.engines.directory_walk import Traits

BLOCK = 512
END = "rollback-guard-end"  # no entry is called so: theirs begin with "./"
FORMAT = "rollback-guard/directory/1"
DIGEST = "GUARD.digest"
OWNERS = "GUARD.owners"
ATTRIBUTE = "SCHILY.xattr."
TYPES = {"folder": tarfile.DIRTYPE, "file": tarfile.REGTYPE, "link": tarfile.SYMTYPE, "hard link": tarfile.LNKTYPE}


class Ending(NamedTuple):
    """What the last member says of all that came before."""

    entries: int
    digest: str


def padding(size: int) -> int:
    """How many bytes fill the last block.

    >>> padding(0), padding(1), padding(512)
    (0, 511, 0)
    """
    return -size % BLOCK


def header(kind: str, path: str, state: os.stat_result, traits: Traits, target: str, digest: str) -> bytes:
    """The header of an entry; as long for any digest."""
    member = tarfile.TarInfo("./" + path if path != "." else ".")
    member.type = TYPES[kind]
    member.mode = traits.mode or 0o777 * (kind == "link")
    member.uid, member.gid = state.st_uid, state.st_gid
    member.size = state.st_size if kind == "file" else 0
    member.linkname = "./" + target if kind == "hard link" else target
    seconds, rest = divmod(state.st_mtime_ns, 10**9)
    member.pax_headers = {DIGEST: digest, "mtime": f"{seconds}.{rest:09}"}
    if path == ".":
        member.pax_headers[OWNERS] = str(int(traits.owner is not None))
    for name, value in traits.attributes:
        member.pax_headers[ATTRIBUTE + name] = value.decode("utf-8", "surrogateescape")
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def render_ending(ending: Ending) -> bytes:
    """The last member and the two empty blocks with which a tar ends."""
    told = json.dumps({"format": FORMAT, **ending._asdict()}).encode("ascii")
    member = tarfile.TarInfo(END)
    member.size = len(told)
    member.mode = 0o600
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape") + told + bytes(padding(len(told)) + 2 * BLOCK)


def read_ending(data: bytes) -> Ending:
    """What the last member says. Raises: UndeterminedError."""
    try:
        told = json.loads(data)
        if told.pop("format") == FORMAT:
            return Ending(**told)
    except (ValueError, TypeError, AttributeError, KeyError):
        pass
    raise UndeterminedError("the backup ends in a way that this version cannot read", remedy="guard --version")


class Chain:
    """The digest over the digests of all entries, in order."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.entries = 0

    def add(self, digest: str) -> None:
        """One entry more."""
        self._digest.update(digest.encode("ascii"))
        self.entries += 1

    def ending(self) -> Ending:
        """What was added so far, as the last member tells it."""
        return Ending(self.entries, self._digest.hexdigest())


class Forward(io.RawIOBase):
    """A stream that can only be read on, with as much of a file as `tarfile` asks for: it seeks onward by reading."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._at = 0

    def tell(self) -> int:
        """How much was read."""
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """That many bytes, fewer at the end only."""
        pieces, left = [], size if size is not None and size >= 0 else -1
        while left and (piece := self._stream.read(left)):
            pieces.append(piece)
            left -= len(piece) if left > 0 else 0
        found = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Read on to there."""
        if whence != os.SEEK_SET or offset < self._at:
            raise tarfile.ReadError("a stream goes only forward")
        while self._at < offset:
            if not self.read(min(1 << 20, offset - self._at)):
                break
        return self._at
