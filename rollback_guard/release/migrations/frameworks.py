"""The registry of frameworks. A file that several readers claim belongs to the first that makes something of it."""

from __future__ import annotations

from rollback_guard.release.migrations import (
    alembic,
    dbmate,
    django,
    flyway,
    golang_migrate,
    goose,
    liquibase,
    prisma,
    rails,
    raw_sql,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.release.migrations.framework import Reader
    from rollback_guard.release.migrations.model import Framework

BY_NAME: tuple[tuple[Framework, Reader], ...] = (
    ("alembic", alembic.READER),
    ("django", django.READER),
    ("rails", rails.READER),
    ("flyway", flyway.READER),
    ("liquibase", liquibase.READER),
    ("prisma", prisma.READER),
    ("golang-migrate", golang_migrate.READER),
    ("dbmate", dbmate.READER),
    ("goose", goose.READER),
    ("sql", raw_sql.READER),  # last: it takes any numbered file
)
READERS: tuple[Reader, ...] = tuple(reader for _, reader in BY_NAME)


def framework_of(path: str) -> Framework:
    """The first framework that claims a file which some framework claims."""
    return next(name for name, reader in BY_NAME if reader.claims(path))
