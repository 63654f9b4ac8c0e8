"""The registry of frameworks. A file that several readers claim belongs to the first that makes something of it.

A reader is imported when a file is there that might concern it: a hook that has nothing to read ends before.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rollback_guard.release.migrations.framework import Reader
    from rollback_guard.release.migrations.model import Framework, Parsed


class LateReader:
    """A framework's reader, imported when a path first has `ending` and matches `hint`, as every file of its does."""

    def __init__(self, framework: Framework, hint: str, load: Callable[[], Reader], *, ending: str = "") -> None:
        self.framework: Framework = framework
        self.ending = ending
        self.hint = re.compile(hint, re.DOTALL | re.IGNORECASE)
        self._load = load
        self._reader: Reader | None = None

    def claims(self, path: str) -> bool:
        """As the reader says."""
        return path.endswith(self.ending) and self.hint.search(path) is not None and self.reader.claims(path)

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        """As the reader reads."""
        return self.reader.read(files)

    @property
    def reader(self) -> Reader:
        """The framework's own reader."""
        if self._reader is None:
            self._reader = self._load()
        return self._reader


def _alembic() -> Reader:
    from rollback_guard.release.migrations import alembic

    return alembic.READER


def _django() -> Reader:
    from rollback_guard.release.migrations import django

    return django.READER


def _rails() -> Reader:
    from rollback_guard.release.migrations import rails

    return rails.READER


def _flyway() -> Reader:
    from rollback_guard.release.migrations import flyway

    return flyway.READER


def _liquibase() -> Reader:
    from rollback_guard.release.migrations import liquibase

    return liquibase.READER


def _prisma() -> Reader:
    from rollback_guard.release.migrations import prisma

    return prisma.READER


def _golang_migrate() -> Reader:
    from rollback_guard.release.migrations import golang_migrate

    return golang_migrate.READER


def _dbmate() -> Reader:
    from rollback_guard.release.migrations import dbmate

    return dbmate.READER


def _goose() -> Reader:
    from rollback_guard.release.migrations import goose

    return goose.READER


def _raw_sql() -> Reader:
    from rollback_guard.release.migrations import raw_sql

    return raw_sql.READER


READERS: tuple[LateReader, ...] = (
    LateReader("alembic", r"version|revision|migration|alembic|[0-9a-f]{12}", _alembic, ending=".py"),
    LateReader("django", r"(?:migrations/|(?:^|/)[0-9]{4}_)[^/]*\Z", _django, ending=".py"),
    LateReader("rails", r"migrate/", _rails, ending=".rb"),
    LateReader("flyway", r"__[^/]*\Z|(?:^|/)(?:before|after|createSchema)[^/]*\Z|flyway[^/]*\Z", _flyway),
    LateReader("liquibase", r"(?:changelog|changeset|liquibase).*\.(?:xml|ya?ml|json|sql)\Z", _liquibase),
    LateReader("prisma", r"migrations/[^/]*/[^/]*\.sql\Z", _prisma),
    LateReader("golang-migrate", r"\.(?:up|down)\.[^/]*\Z", _golang_migrate),
    LateReader("dbmate", r"(?:^|/)[0-9][^/]*\.sql\Z", _dbmate),
    LateReader("goose", r"(?:^|/)[0-9][^/]*\.(?:sql|go)\Z", _goose),
    LateReader("sql", r"(?:migrations?|migrate)/.*\.sql\Z", _raw_sql),  # last: it takes any numbered file
)


def framework_of(path: str) -> Framework:
    """The first framework that claims a file which some framework claims."""
    return next(reader.framework for reader in READERS if reader.claims(path))
