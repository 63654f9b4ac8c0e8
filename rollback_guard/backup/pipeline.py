"""What stands between an engine and a store: compressed, encrypted where asked, digested and counted on the way.

And the way back, on which nothing is believed (`backup.artefact_stream`). Memory stays flat both ways.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from contextlib import ExitStack

from rollback_guard.backup.artefact_stream import PIECE, ArtefactError, Content, Opened, Reading, changed, gone
from rollback_guard.backup.model import Artefact
from rollback_guard.backup.sealing import sealing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    from rollback_guard.backup.sealing import Keys, Recipients
    from rollback_guard.backup.store import Store

    Progress = Callable[[int, float], None]  # bytes of the engine so far, and how many a second

COMPRESSION, ENCRYPTION = "zstd", "age"
PACE = 0.2  # seconds between two calls of a progress
_LEVEL = 3
_MOST_THREADS = 4


def artefact_name(name: str, id: str, suffix: str, *, sealed: bool = False) -> str:
    """Where an artefact lies in a store.

    >>> artefact_name("shop-db", "20261127T183000Z-3f9a1c", ".dump", sealed=True)
    'shop-db/20261127T183000Z-3f9a1c.dump.zst.age'
    """
    return f"{name}/{id}{suffix}.zst{'.age' if sealed else ''}"


def store_dump(
    dump: Callable[[BinaryIO], None],
    store: Store,
    file: str,
    *,
    recipients: Recipients | None = None,
    retain_until: float | None = None,
    progress: Progress | None = None,
) -> Artefact:
    """Keep what an engine writes. Nothing is there when it fails. Raises: what `dump` and the store raise."""
    import zstandard

    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, threads=threads)
    with store.write(file, retain_until=retain_until) as sink:
        stored = _Digesting(sink)
        with ExitStack() as stack:
            inner: Any = stored
            if recipients is not None:
                inner = stack.enter_context(sealing(inner, recipients))
            frame = compressor.stream_writer(inner, closefd=False)
            counted = _Counting(frame, progress)
            dump(counted)  # type: ignore[arg-type]
            frame.flush(zstandard.FLUSH_FRAME)
        counted.tell_progress()
    return Artefact(
        file=file,
        digest=stored.digest.hexdigest(),
        size=stored.size,
        content=counted.size,
        compression=COMPRESSION,
        encryption=ENCRYPTION if recipients is not None else "",
    )


def open_artefact(store: Store, artefact: Artefact, keys: Keys | None = None) -> BinaryIO:
    """What the engine wrote, as a stream. A `with` block reads it to its end, and so compares it, when it is left.

    Raises, here and while it is read: ArtefactError; UndeterminedError when the store cannot be read.
    """
    look_at(store, artefact)
    if artefact.compression != COMPRESSION or artefact.encryption not in ("", ENCRYPTION):
        raise ArtefactError(
            f"{artefact.file} is written in a way that this version does not know",
            "unreadable",
            remedy="pip install --upgrade rollback-guard",
        )
    if artefact.encryption and keys is None:
        raise ArtefactError(
            f"{artefact.file} is encrypted, and no key was named",
            "sealed",
            remedy="guard backup prove --identity KEY-FILE",
        )
    return Opened(Content(store, artefact, keys), PIECE)


def check_stored(store: Store, artefact: Artefact) -> None:
    """Read an artefact as it is stored, and compare size and digest. Raises: ArtefactError, UndeterminedError."""
    look_at(store, artefact)
    with Reading(store, artefact) as stored:
        stored.compare()


def check_readable(store: Store, artefact: Artefact, keys: Keys | None = None) -> None:
    """Read an artefact to its end, decrypted and decompressed. Raises: ArtefactError, UndeterminedError."""
    with open_artefact(store, artefact, keys):
        pass


def look_at(store: Store, artefact: Artefact) -> None:
    """Whether an artefact is there, with its size. Raises: ArtefactError, UndeterminedError."""
    size = store.size(artefact.file)
    if size is None:
        raise gone(artefact)
    if size != artefact.size:
        raise changed(artefact, f"has {size:,} bytes instead of {artefact.size:,}")


class _Digesting(io.RawIOBase):
    """A sink that knows size and digest of what went through."""

    def __init__(self, sink: BinaryIO) -> None:
        super().__init__()
        self._sink = sink
        self.digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._sink.write(data)
        self.digest.update(data)
        self.size += len(data)
        return len(data)


class _Counting(io.RawIOBase):
    """What an engine writes to."""

    def __init__(self, sink: BinaryIO, progress: Progress | None) -> None:
        super().__init__()
        self._sink = sink
        self._progress = progress
        self._began = self._told = time.monotonic()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._sink.write(view)
        self.size += len(view)
        if self._progress is not None and time.monotonic() - self._told >= PACE:
            self.tell_progress()
        return len(view)

    def tell_progress(self) -> None:
        """Tell how far it is, whenever it was told last."""
        if self._progress is not None:
            self._told = time.monotonic()
            self._progress(self.size, self.size / max(self._told - self._began, 1e-9))
