"""The registry of frameworks. A file that several readers claim belongs to the first that makes something of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.release.migrations.framework import Reader

READERS: tuple[Reader, ...] = ()
