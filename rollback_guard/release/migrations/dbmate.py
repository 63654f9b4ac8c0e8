"""dbmate: `<version>_<title>.sql` with a block after `-- migrate:up` and one after `-- migrate:down`.

What the SQL does is left to `sql`. A file without `-- migrate:up` is none of dbmate's.
Source: dbmate's README, "Creating Migrations" and "Migration Options", and pkg/dbmate/migration.go.
"""

from __future__ import annotations

import re

from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.model import Parsed
from rollback_guard.release.migrations.sql import read_steps
from rollback_guard.release.migrations.sql_files import number, split_path, text_of, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"([0-9]+)[^/]*\.sql", re.DOTALL)
# What looks like a block's first line, and what is one: a look-alike ends no block, so that what follows it runs.
_LIKE = re.compile(r"^[ \t]*--[ \t]*migrate[ \t]*:[ \t]*(up|down)\b.*$", re.MULTILINE | re.IGNORECASE)
_BLOCK = re.compile(r"--[ \t]*migrate:(up|down)((?:[ \t]+[a-z_]+:[^ \t\r\n]*)*)[ \t\r]*")
_EMPTY = re.compile(r"(?:[ \t\r\f]*(?:--[^\n]*)?(?:\n|\Z))*")


class _Dbmate:
    def claims(self, path: str) -> bool:
        return _NAME.fullmatch(split_path(path)[1]) is not None

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        found = (_read(path, files[path]) for path in sorted(files) if b"migrate" in files[path].lower())
        return tuple(one for one in found if one is not None)


def _read(path: str, data: bytes) -> Parsed | None:
    folder, name = split_path(path)
    digits = _NAME.fullmatch(name)
    assert digits is not None  # it was claimed
    version = number(digits.group(1))
    text = text_of(data)
    lines = list(_LIKE.finditer(text))
    kinds = [line.group(1).lower() for line in lines]
    if "up" not in kinds:
        return None
    if kinds not in (["up"], ["up", "down"]) or any(_BLOCK.fullmatch(line.group()) is None for line in lines):
        return unreadable("dbmate", version, path, folder, "has other blocks than one migrate:up and one migrate:down")
    if _EMPTY.fullmatch(text, 0, lines[0].start()) is None:
        return unreadable("dbmate", version, path, folder, "has statements before migrate:up")
    up = text[lines[0].end() : lines[1].start() if len(lines) > 1 else len(text)]
    return Parsed(
        framework="dbmate",
        id=version,
        path=path,
        paths=(path,),
        group=folder,
        up=read_steps(up),
        down=read_steps(text[lines[1].end() :]) if len(lines) > 1 else None,
    )


READER: Reader = _Dbmate()
