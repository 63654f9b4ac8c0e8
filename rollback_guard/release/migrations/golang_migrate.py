"""golang-migrate: `<version>_<title>.up.<ext>`, and `.down.` beside it. Known to the database by the version alone.

What the SQL does is left to `sql`. Files of other languages are migrations that cannot be read. golang-migrate takes
any ending and hands the text to the database; here an ending that nobody uses counts in a folder of such migrations.
Source: MIGRATIONS.md and source/parse.go of golang-migrate/migrate.
"""

from __future__ import annotations

import re

from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.model import Parsed
from rollback_guard.release.migrations.sql_files import group_of, number, one_of_two, split_path, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = re.compile(r"([0-9]+)_(.*)\.(down|up)\.([^/]*)", re.DOTALL)
_SQL = frozenset({"sql", "pgsql", "psql", "mysql"})
_OTHERS = frozenset({"json", "cql", "cypher", "cypherl"})  # MongoDB, Cassandra, Neo4j


class _GolangMigrate:
    def claims(self, path: str) -> bool:
        return _NAME.fullmatch(split_path(path)[1]) is not None

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        folders = {split_path(path)[0] for path in files if _ending(path) in _SQL | _OTHERS}
        return tuple(_read({path: data for path, data in files.items() if split_path(path)[0] in folders}))


def _ending(path: str) -> str:
    return path.rpartition(".")[2].lower()


def _read(files: Mapping[str, bytes]) -> Iterator[Parsed]:
    """The migrations, by their up files. A way back alone, in a folder of such pairs, goes forth without a step."""
    ups: dict[tuple[str, str], dict[str, str]] = {}
    downs: dict[tuple[str, str], dict[str, str]] = {}
    for path in sorted(files):
        folder, name = split_path(path)
        found = _NAME.fullmatch(name)
        assert found is not None  # it was claimed
        side = ups if found.group(3) == "up" else downs
        group = group_of(folder, found.group(2))
        side.setdefault((group, number(found.group(1))), {})[path] = name[: found.start(3)] + found.group(4)
    for (group, version), paths in sorted(ups.items()):
        backs = downs.get((group, version), {})
        for path, title in paths.items():
            back = [one for one, other in backs.items() if other == title] or list(backs)
            if _ending(path) in _OTHERS:
                yield unreadable("golang-migrate", version, path, group, "is not SQL")
            elif len(back) > 1:
                yield unreadable("golang-migrate", version, path, group, f"has {len(back)} ways back")
            else:
                down = (back[0], files[back[0]]) if back else None
                yield one_of_two("golang-migrate", version, group, (path, files[path]), down)
    pairs = {split_path(path)[0] for paths in ups.values() for path in paths}
    for key in sorted(downs.keys() - ups.keys()):
        for path in downs[key]:
            if split_path(path)[0] in pairs:
                alone = one_of_two("golang-migrate", key[1], key[0], (path, files[path]), None)
                yield alone._replace(up=(), down=alone.up)


READER: Reader = _GolangMigrate()
