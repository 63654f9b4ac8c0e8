"""golang-migrate: `<version>_<title>.up.<ext>`, and `.down.` beside it. Known to the database by the version alone.

What the SQL does is left to `sql`. Files of other languages are migrations that cannot be read.
Source: MIGRATIONS.md and source/parse.go of golang-migrate/migrate.
"""

from __future__ import annotations

import re

from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.model import Parsed
from rollback_guard.release.migrations.sql_files import number, one_of_two, split_path, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = re.compile(r"([0-9]+)_(.*)\.(down|up)\.([^/]*)", re.DOTALL)
_SQL = frozenset({"sql", "pgsql", "psql", "mysql"})
_OTHERS = frozenset({"json", "cql", "cypher", "cypherl"})  # MongoDB, Cassandra, Neo4j


class _GolangMigrate:
    def claims(self, path: str) -> bool:
        found = _NAME.fullmatch(split_path(path)[1])
        return found is not None and found.group(4).lower() in _SQL | _OTHERS

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        return tuple(_read(files))


def _read(files: Mapping[str, bytes]) -> Iterator[Parsed]:
    """The migrations, by their up files. A way back alone undoes nothing, but whoever goes down runs it."""
    ups: dict[tuple[str, str], list[str]] = {}
    downs: dict[tuple[str, str], list[str]] = {}
    for path in sorted(files):
        folder, name = split_path(path)
        found = _NAME.fullmatch(name)
        assert found is not None  # it was claimed
        (ups if found.group(3) == "up" else downs).setdefault((folder, number(found.group(1))), []).append(path)
    for (folder, version), paths in sorted(ups.items()):
        back = downs.get((folder, version), [])
        for path in paths:
            if path.rpartition(".")[2].lower() in _OTHERS:
                yield unreadable("golang-migrate", version, path, folder, "is not SQL")
            elif len(back) > 1:
                yield unreadable("golang-migrate", version, path, folder, f"has {len(back)} ways back")
            else:
                down = (back[0], files[back[0]]) if back else None
                yield one_of_two("golang-migrate", version, folder, (path, files[path]), down)


READER: Reader = _GolangMigrate()
