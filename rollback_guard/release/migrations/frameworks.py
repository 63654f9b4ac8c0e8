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


LONGEST_PATH = 4096  # characters; no system can check out what is longer, and a hint would take long over it


class LateReader:
    """A framework's reader, imported when a path first has one of `endings` and matches `hint`.

    `endings`: words in lower case; none stand for any.

    Every file of the framework's does; the hint, too, is compiled only when a path has come so far.
    """

    def __init__(self, framework: Framework, endings: str, hint: str, load: Callable[[], Reader]) -> None:
        self.framework: Framework = framework
        self.endings = frozenset(endings.split())
        self._words = hint
        self._hint: re.Pattern[str] | None = None
        self._load = load
        self._reader: Reader | None = None

    def might_claim(self, path: str) -> bool:
        """What can be told without the reader; never False for what it claims."""
        if len(path) > LONGEST_PATH or (self.endings and ending_of(path) not in self.endings):
            return False
        if self._hint is None:
            self._hint = re.compile(self._words, re.DOTALL | re.IGNORECASE)
        return self._hint.search(path) is not None

    def claims(self, path: str) -> bool:
        """As the reader says."""
        return self.might_claim(path) and self.reader.claims(path)

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


_SCRIPTS = "java kt kts groovy scala sh bash ps1 bat cmd py class"
_DIGIT = r"(?:^|/)[0-9]"
_FLYWAY = (
    r"(?:^|/)(?:[VUB][0-9][0-9._]*|R)__[^/]*\Z",
    r"(?:^|/)(?:before|after|createSchema)[^/]*\.sql\Z",
    r"flyway[^/]*\.(?:conf|toml|properties)\Z",
)
_ALEMBIC = r"(?:^|/)(?:versions?|revisions?|migrations?|alembic)/|[0-9a-f]{12}[^/]*\Z"
READERS: tuple[LateReader, ...] = (
    LateReader("alembic", "py", _ALEMBIC, _alembic),
    LateReader("django", "py", r"(?:migrations/|(?:^|/)[0-9]{4}_)[^/]*\Z", _django),
    LateReader("rails", "rb", r"migrate/", _rails),
    LateReader("flyway", f"sql conf toml properties {_SCRIPTS}", "|".join(_FLYWAY), _flyway),
    LateReader("liquibase", "xml yaml yml json sql", r"changelog|changeset|liquibase", _liquibase),
    LateReader("prisma", "sql", r"migrations/[^/]*/[^/]*\Z", _prisma),
    LateReader("golang-migrate", "", rf"{_DIGIT}[^/]*\.(?:up|down)\.[^/]*\Z", _golang_migrate),
    LateReader("dbmate", "sql", rf"{_DIGIT}[^/]*\Z", _dbmate),
    LateReader("goose", "sql go", rf"{_DIGIT}[^/]*\Z", _goose),
    LateReader("sql", "sql", r"(?:migrations?|migrate)/", _raw_sql),  # last: it takes any numbered file
)


def ending_of(path: str) -> str:
    """What follows a path's last dot, in lower case."""
    return path.rpartition(".")[2].lower()


def is_migration(path: str) -> bool:
    """Whether some framework claims a file."""
    return any(reader.claims(path) for reader in READERS)


_FOLDER = re.compile(r"(?:^|/)(?:migrations?|(?:[^/]+_)?migrate|(?:db\.)?changelogs?)\Z", re.IGNORECASE)


def is_folder(path: str) -> bool:
    """Whether a link or a submodule at a path stands in the place of a folder of migrations."""
    return _FOLDER.search(path) is not None


def framework_of(path: str) -> Framework:
    """The first framework that claims a file which some framework claims."""
    return next(reader.framework for reader in READERS if reader.claims(path))
