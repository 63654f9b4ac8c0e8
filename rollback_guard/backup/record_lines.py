"""The files that lie beside an artefact: a first line to be listed by, and below it what may be long.

The first line is a JSON object in the spelling of `evidence.canonical`. Each line below is a JSON array; under one key
the first line has their number, bytes and digest, so none can be lost or changed. Long files are one frame of zstd,
with a block's end behind the first line, so that their beginning is enough for that.
"""

from __future__ import annotations

import hashlib
import io
import json
from typing import NamedTuple

from rollback_guard.evidence.canonical import FormatError, fields, read_json, render_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, BinaryIO

HEAD_MOST = 1024 * 1024  # bytes of a first line
BEGINNING = 64 * 1024  # bytes in which a first line nearly always is
PLAIN_MOST = 256 * 1024  # bytes below it, beyond which a file is compressed
_BODY_MOST = 1024 * 1024 * 1024
_LINES_MOST = 5_000_000
_LINE_MOST = 128 * 1024
_WINDOW_MOST = 8 * 1024 * 1024
_MAGIC = b"\x28\xb5\x2f\xfd"
_PIECE = 1024 * 1024
_LITTLE = 4096
_BODY = ("bytes", "digest", "lines")
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Body(NamedTuple):
    """What stands below a first line: how many lines and bytes, and their digest."""

    lines: int
    size: int
    digest: str


class Lines:
    """A file to be written. `rows` is asked for the lines below the first, twice, and tells the same both times."""

    def __init__(self, head: dict[str, Any], key: str, rows: Callable[[], Iterable[tuple[Any, ...]]]) -> None:
        self._rows = rows
        self.body = measure(rows())
        body = {"bytes": self.body.size, "digest": f"sha256:{self.body.digest}", "lines": self.body.lines}
        self._head = render_json({**head, key: body}) + b"\n"
        if len(self._head) > HEAD_MOST or self.body.size > _BODY_MOST or self.body.lines > _LINES_MOST:
            raise FormatError("is larger than any reader takes")

    @property
    def suffix(self) -> str:
        """Of its name: ".zst" where it is compressed."""
        return ".zst" if self.body.size > PLAIN_MOST else ""

    def write(self, sink: BinaryIO) -> None:
        """Write it, as it is rendered."""
        if not self.suffix:
            sink.write(self._head)
            sink.writelines(_pieces(self._rows()))
            return
        import zstandard

        frame = zstandard.ZstdCompressor(write_checksum=True).stream_writer(sink, closefd=False)
        frame.write(self._head)
        frame.flush(zstandard.FLUSH_BLOCK)
        for piece in _pieces(self._rows()):
            frame.write(piece)
        frame.flush(zstandard.FLUSH_FRAME)

    def render(self) -> bytes:
        """All of its bytes."""
        sink = io.BytesIO()
        self.write(sink)
        return sink.getvalue()


def measure(rows: Iterable[tuple[Any, ...]]) -> Body:
    """What these lines are together."""
    lines, size, digest = 0, 0, hashlib.sha256()
    for row in rows:
        line = _line(row)
        lines, size = lines + 1, size + len(line)
        digest.update(line)
    return Body(lines, size, digest.hexdigest())


def first_line(beginning: bytes) -> bytes | None:
    """A file's first line out of its first bytes, or None where they do not hold all of it."""
    if not beginning.startswith(_MAGIC):
        line, end, _ = beginning.partition(b"\n")
        return line if end else None
    import zstandard

    plain, found = _plain(io.BytesIO(beginning)), bytearray()
    try:
        while len(found) <= HEAD_MOST and (piece := plain.read(_LITTLE)):
            line, end, _ = piece.partition(b"\n")
            found += line
            if end:
                return bytes(found)
    except zstandard.ZstdError:
        raise FormatError("cannot be decompressed") from None
    return None


def read_head(line: bytes, key: str, names: tuple[str, ...]) -> tuple[dict[str, Any], Body]:
    """A first line's values, those of `names`, and what stands below it. Raises: FormatError."""
    document = read_json(line, most=HEAD_MOST)
    fields(document, (*names, key), "the first line")
    size, digest, lines = fields(document.pop(key), _BODY, key)
    if type(lines) is not int or not 0 <= lines <= _LINES_MOST or type(size) is not int or not 0 <= size <= _BODY_MOST:
        raise FormatError(f"{key} has no number that can be")
    if not isinstance(digest, str) or digest[:7] != "sha256:":
        raise FormatError(f"the digest of {key} is no sha256:…")
    return document, Body(lines, size, digest[7:])


def read_lines(stream: BinaryIO) -> Iterator[bytes]:
    """A file's lines, decompressed where it is compressed, each without its end. Raises: FormatError."""
    import zstandard

    beginning = stream.read(len(_MAGIC))
    whole = io.BufferedReader(_Rejoined(beginning, stream), _PIECE)
    source: Any = io.BufferedReader(_plain(whole), _PIECE) if beginning == _MAGIC else whole
    most = HEAD_MOST
    try:
        while line := source.readline(most + 1):
            if not line.endswith(b"\n"):
                raise FormatError("has a line without an end, or one that is too long")
            yield line[:-1]
            most = _LINE_MOST
    except zstandard.ZstdError:
        raise FormatError("cannot be decompressed") from None


def read_rows(lines: Iterator[bytes], body: Body) -> Iterator[list[Any]]:
    """The arrays below a first line, which must be those that it tells of. Raises: FormatError, the last at the end."""
    count, size, digest = 0, 0, hashlib.sha256()
    for line in lines:
        count, size = count + 1, size + len(line) + 1
        digest.update(line)
        digest.update(b"\n")
        if count > body.lines or size > body.size:
            break
        try:
            row = json.loads(line.decode("ascii"))
        except (ValueError, RecursionError):
            raise FormatError("has a line that is no JSON") from None
        if not isinstance(row, list):
            raise FormatError("has a line that is no array")
        yield row
    if Body(count, size, digest.hexdigest()) != body:
        raise FormatError("does not hold what its first line says")


def _plain(source: Any) -> Any:
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=_WINDOW_MOST).stream_reader(source)


def _line(row: tuple[Any, ...]) -> bytes:
    return _encode(row).encode("ascii") + b"\n"


def _pieces(rows: Iterable[tuple[Any, ...]]) -> Iterator[bytes]:
    """Their lines, many at once: a sink may be asked for each by a call of the system."""
    piece = bytearray()
    for row in rows:
        piece += _line(row)
        if len(piece) > _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


class _Rejoined(io.RawIOBase):
    """A stream with what was read of it put back."""

    def __init__(self, beginning: bytes, stream: BinaryIO) -> None:
        super().__init__()
        self._beginning = beginning
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._beginning[: len(buffer)] or self._stream.read(len(buffer))
        self._beginning = self._beginning[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)
