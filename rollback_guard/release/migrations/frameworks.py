"""The registry of frameworks. A file that several readers claim belongs to the first that makes something of it."""

from __future__ import annotations

from rollback_guard.release.migrations import (
    dbmate,
    flyway,
    golang_migrate,
    goose,
    prisma,
    raw_sql,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.release.migrations.framework import Reader

READERS: tuple[Reader, ...] = (
    flyway.READER,
    prisma.READER,
    golang_migrate.READER,
    dbmate.READER,
    goose.READER,
    raw_sql.READER,  # last: it takes any numbered file
)
