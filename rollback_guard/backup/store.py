"""Where backups are kept, as one contract: a folder (`storage_files`), or any fsspec URL (`storage_remote`).

A store holds files named `<backup's name>/<file>`. One that is being written is not listed before it is whole; what
writers that died leave behind is found by `sweep`. Errors are `UndeterminedError` where the store cannot be reached,
read or written, `GoneError` where there is no such file, `RefusedError` where it is locked; none tells a secret.
"""

from __future__ import annotations

import io
from typing import NamedTuple, Optional, Protocol

from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from typing import BinaryIO


class GoneError(UndeterminedError):
    """The store can be reached, and has no such file."""


class Stored(NamedTuple):
    """A file in a store, bytes and Unix seconds; `modified` is 0.0 where the store does not tell."""

    name: str
    size: int
    modified: float


class Store(Protocol):
    """A place for backups. Times are Unix seconds."""

    shown: str  # its URL, without secrets

    def write(
        self, name: str, *, replace: bool = False, retain_until: Optional[float] = None
    ) -> AbstractContextManager[BinaryIO]:
        """A sink. What was written counts when the block ends, all at once; an exception leaves nothing of it.

        Raises: RefusedError for a name that is taken, unless it may be replaced; UsageError where `retain_until`, till
        when nobody can remove it, is asked of a store that cannot lock.
        """
        ...

    def read(self, name: str) -> BinaryIO:
        """Its bytes, as they come."""
        ...

    def heads(self, names: Iterable[str], most: int) -> Iterator[tuple[str, Optional[bytes]]]:
        """The first bytes of many files, at most `most` of each; None for what is gone. In the order of `names`."""
        ...

    def size(self, name: str) -> Optional[int]:
        """Its bytes in number; None when there is no such file."""
        ...

    def list_files(self, folder: str = "") -> Iterator[Stored]:
        """Every file of a backup's name, or of all: only those whose names are no odd ones."""
        ...

    def locked_until(self, name: str) -> Optional[float]:
        """Until when nobody can remove it; None for what is not locked."""
        ...

    def delete(self, name: str) -> None:
        """Remove it, for good; what is not there is no error. Raises: RefusedError while it is locked."""
        ...

    def sweep(self, now: float) -> tuple[str, ...]:
        """Remove what writers left that died: on this machine at once, elsewhere after a day. What went, by name."""
        ...


class Passed(io.RawIOBase):
    """A stream of a store. Its errors are told in the store's words, `within` being what turns them into those."""

    def __init__(self, source: BinaryIO, within: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__()
        self._source = source
        self._within = within

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with self._within():
            piece = self._source.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            with self._within():
                self._source.close()
        super().close()
