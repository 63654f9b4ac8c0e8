"""Bytes on their way to and from a process: input that nobody has to push, output cut where a separator stands."""

from __future__ import annotations

import os

from rollback_guard.errors import GitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def feed(data: bytes) -> int:
    """A file descriptor from which a child can read all of `data`, however slowly; the caller closes it."""
    if len(data) <= 4096:  # what every pipe takes without a reader
        reader, writer = os.pipe()
        os.write(writer, data)
        os.close(writer)
        return reader
    import tempfile  # an import that only large input pays for

    try:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            return os.dup(file.fileno())
    except OSError as error:
        raise GitError(
            f"no temporary file could be written: {error.strerror}",
            remedy="point TMPDIR at a folder that can be written",
        ) from None


def split_stream(pieces: Iterable[bytes], separator: bytes) -> Iterator[list[bytes]]:
    """Lists of what stands between separators, as it comes; last what stands behind the last one, if anything.

    `separator` is one byte. A part that is spread over many pieces is joined once.
    """
    tail: list[bytes] = []
    for piece in pieces:
        first, *parts = piece.split(separator)
        tail.append(first)
        if parts:
            last = parts.pop()
            yield [b"".join(tail), *parts]
            tail = [last]
    if rest := b"".join(tail):
        yield [rest]
