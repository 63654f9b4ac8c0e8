"""Prisma Migrate: `migrations/<time>_<name>/migration.sql`. It has no way back of its own; a team may write `down.sql`.

What the SQL does is left to `sql`. Prisma knows a migration by the name of its folder.
Source: Prisma's documentation, "About migration histories" and "Generating down migrations".
"""

from __future__ import annotations

import re

from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.model import Parsed
from rollback_guard.release.migrations.sql_files import one_of_two, split_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PATH = re.compile(r"(?:.*/)?migrations/[^/]+/(?:migration|down|rollback)\.sql", re.DOTALL)


class _Prisma:
    def claims(self, path: str) -> bool:
        return _PATH.fullmatch(path) is not None

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        return tuple(_read(files))


def _read(files: Mapping[str, bytes]) -> Iterator[Parsed]:
    for path in sorted(files):
        folder, file = split_path(path)
        if file != "migration.sql":
            continue
        group, name = split_path(folder)
        backs = [back for end in ("down", "rollback") if (back := f"{folder}/{end}.sql") in files]
        down = (backs[0], files[backs[0]]) if backs else None
        yield one_of_two("prisma", name, group, (path, files[path]), down)


READER: Reader = _Prisma()
