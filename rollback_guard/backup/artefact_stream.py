"""An artefact as it is read back, and the errors that say in which way it is not what was stored.

Size and digest of what is stored are compared while it is read, and the compressed stream ends once, where it should.
"""

from __future__ import annotations

import hashlib
import io
import os
from typing import Literal

from rollback_guard.backup.sealing import SealedError, unsealing
from rollback_guard.backup.store import GoneError
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from rollback_guard.backup.model import Artefact
    from rollback_guard.backup.sealing import Keys
    from rollback_guard.backup.store import Store

PIECE = 1024 * 1024
_MOST_WINDOW = 8 * 1024 * 1024  # bytes that a decompressor may hold

Fault = Literal["gone", "changed", "sealed", "unreadable"]


class ArtefactError(UndeterminedError):
    """An artefact that is not what its record says, or cannot be read; `fault` in a word."""

    def __init__(self, message: str, fault: Fault, *, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.fault: Fault = fault


def gone(artefact: Artefact) -> ArtefactError:
    """It is not there."""
    return ArtefactError(f"{artefact.file} is gone from its store", "gone", remedy="guard backup create")


def changed(artefact: Artefact, how: str) -> ArtefactError:
    """It is there, and is not what was stored."""
    return ArtefactError(f"{artefact.file} is not what was stored: it {how}", "changed", remedy="guard backup create")


class Reading(io.RawIOBase):
    """An artefact as it is stored; `compare` reads what is left of it."""

    def __init__(self, store: Store, artefact: Artefact) -> None:
        super().__init__()
        self._artefact = artefact
        try:
            self._stored = store.read(artefact.file)
        except GoneError:
            raise gone(artefact) from None
        self._digest = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._stored.read(size)
        self._digest.update(piece)
        self._size += len(piece)
        return piece

    def compare(self) -> None:
        """Raises: ArtefactError when it is not what its record says."""
        while self._size <= self._artefact.size and self.read(PIECE):
            pass
        if self._size != self._artefact.size:
            raise changed(self._artefact, "is shorter or longer than it was")
        if self._digest.hexdigest() != self._artefact.digest:
            raise changed(self._artefact, "has another digest")

    def close(self) -> None:
        if not self.closed:
            self._stored.close()
        super().close()


class _Followed:
    """A source, and behind it one more frame, which is only found where the first one ended as it should."""

    def __init__(self, source: Any, last: bytes) -> None:
        self._source = source
        self._last = last

    def read(self, size: int = -1) -> bytes:
        piece: bytes = self._source.read(size)
        if not piece:
            piece, self._last = self._last[:size], self._last[size:]
        return piece


class Content(io.RawIOBase):
    """What an engine wrote, out of an artefact."""

    def __init__(self, store: Store, artefact: Artefact, keys: Keys | None) -> None:
        import zstandard

        super().__init__()
        self._artefact = artefact
        self._stored = Reading(store, artefact)
        self._plain = self._stored if keys is None or not artefact.encryption else unsealing(self._stored, keys)  # type: ignore[arg-type]
        self._mark = os.urandom(16)
        followed = _Followed(self._plain, zstandard.ZstdCompressor(write_checksum=True).compress(self._mark))
        decompressor = zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW)
        self._frame = decompressor.stream_reader(followed, read_across_frames=True, closefd=False)  # type: ignore[arg-type]
        self._broken = zstandard.ZstdError
        self._left = artefact.content
        self._compared = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._left)
        piece = self._decoded(wanted)
        if wanted and not piece:
            self._fail("ends before its end", "unreadable")
        self._left -= len(piece)
        buffer[: len(piece)] = piece
        if not wanted and len(buffer) and not self._compared:
            self._end()
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._plain.close()
            self._stored.close()
        super().close()

    def _decoded(self, size: int) -> bytes:
        try:
            return self._frame.read(size) if size else b""
        except self._broken:
            self._fail("cannot be decompressed", "unreadable")
        except SealedError:
            self._fail("cannot be decrypted with this key", "sealed")

    def _end(self) -> None:
        """All was read: what comes now is our own mark, unless there is more or less of it than there should be."""
        last = b""
        while len(last) <= len(self._mark) and (piece := self._decoded(len(self._mark) + 1 - len(last))):
            last += piece
        if last != self._mark:
            self._fail("does not end where it should", "unreadable")
        self._stored.compare()
        self._compared = True

    def _fail(self, how: str, fault: Fault) -> NoReturn:
        """Raises: ArtefactError, and where the bytes are not those that were stored, that."""
        if self._plain is not self._stored:
            self._plain.close()  # or two would read
        self._stored.compare()
        raise ArtefactError(
            f"{self._artefact.file} is what was stored, and {how}",
            fault,
            remedy="guard backup prove --identity KEY-FILE" if fault == "sealed" else "guard backup create",
        )


class Opened(io.BufferedReader):
    """A stream that is read to its end when its block ends without an error. What wraps it in there cannot close it."""

    _held = False

    def __enter__(self) -> Opened:
        self._held = True
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._held = False
        try:
            if kind is None:
                while self.read(PIECE):
                    pass
        finally:
            self.close()

    def close(self) -> None:
        if not self._held:
            super().close()
