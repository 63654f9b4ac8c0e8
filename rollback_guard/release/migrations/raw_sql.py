"""Folders of numbered .sql files that no framework above them names: below `migrations`, `migration` or `migrate`.

A way back is a file of the same name with `down`, `undo`, `rollback` or `revert` as its ending, its beginning, its
folder or its whole name; or a part of the file after such a line. What the SQL does is left to `sql`.
Forms seen: Diesel and sqlx (Rust), sql-migrate, node-pg-migrate, MyBatis Migrations, tern, Supabase, and by hand.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.model import Parsed, Step
from rollback_guard.release.migrations.sql import read_steps
from rollback_guard.release.migrations.sql_files import group_of, split_path, steps_of, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FOLDERS = frozenset({"migrations", "migration", "migrate"})
_UP = frozenset({"up", "apply", "deploy", "forward"})
_DOWN = frozenset({"down", "undo", "rollback", "revert", "downs", "rollbacks", "reverts"})
_NUMBERED = re.compile(r"[vV]?[0-9]+(?:[^0-9]|\Z).*|[vV]?[0-9]+", re.DOTALL)
_ENDING = re.compile(r"(.+)[._-](up|down|undo|rollback|revert)", re.DOTALL | re.IGNORECASE)
_BEGINNING = re.compile(r"(up|down|undo|rollback|revert)[._-](.+)", re.DOTALL | re.IGNORECASE)
# A line that begins a part. Words before it belong to one tool; without them anybody may have written the line.
_PART = re.compile(
    r"^[ \t]*--[ \t=/!#-]*(\+[ \t]*migrate[ \t]+|@|)(ups?|downs?|undo|rollback|revert)([ \t]+migration)?"
    r"[ \t:=-]{0,80}(?:\([a-z ]*\))?[ \t\r=-]{0,80}$",
    re.MULTILINE | re.IGNORECASE,
)
_TERN = re.compile(r"^---- create above / drop below ----[ \t\r]*$", re.MULTILINE)


class _Place(NamedTuple):
    """What a path says of a migration: its folder, its name, and whether it is a way back."""

    group: str
    name: str
    down: bool


class _RawSql:
    def claims(self, path: str) -> bool:
        return _place_of(path) is not None

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        return tuple(_read(files))


def _place_of(path: str) -> _Place | None:
    """None for a file that is no numbered migration. Of several such folders the innermost counts."""
    *folders, file = path.split("/")
    root = max((at for at, folder in enumerate(folders) if folder.lower() in _FOLDERS), default=-1)
    if root < 0 or not file.lower().endswith(".sql"):
        return None
    stem, down = file[:-4], False
    above = folders[: root + 1]
    for folder in folders[root + 1 :]:
        if folder.lower() in _DOWN:
            down = True
        elif folder.lower() not in _UP:
            above.append(folder)
    if stem.lower() in _UP | _DOWN:
        down = down or stem.lower() in _DOWN
        stem = above.pop() if len(above) > root + 1 else ""
    ending, beginning = _ENDING.fullmatch(stem), _BEGINNING.fullmatch(stem)
    if ending is not None:
        stem, down = ending.group(1), down or ending.group(2).lower() in _DOWN
    elif beginning is not None:
        stem, down = beginning.group(2), down or beginning.group(1).lower() in _DOWN
    if _NUMBERED.fullmatch(stem) is None:
        return None
    return _Place(group=group_of("/".join(above), stem), name=stem, down=down)


def _read(files: Mapping[str, bytes]) -> Iterator[Parsed]:
    ups: dict[tuple[str, str], list[str]] = {}
    downs: dict[tuple[str, str], list[str]] = {}
    for path in sorted(files):
        place = _place_of(path)
        assert place is not None  # it was claimed
        (downs if place.down else ups).setdefault((place.group, place.name), []).append(path)
    for (group, name), paths in sorted({**downs, **ups}.items()):
        back = downs.get((group, name), []) if (group, name) in ups else []
        for path in paths:
            # What only looks like a way back is run like any other: nothing here goes forth that it undoes.
            shown = name if (group, name) in ups else split_path(path)[1][:-4]
            yield _one(group, shown, path, back, files)


def _one(group: str, name: str, path: str, back: list[str], files: Mapping[str, bytes]) -> Parsed:
    parsed = Parsed(framework="sql", id=name, path=path, paths=(path, *back), group=group, up=(), down=None)
    if len(back) > 1:
        return parsed._replace(up=steps_of(files[path]), refuses=f"it has {len(back)} files: {', '.join(back)}")
    if back:
        return parsed._replace(up=steps_of(files[path]), down=steps_of(files[back[0]]))
    up, down = _parts(text_of(files[path]))
    return parsed._replace(up=up, down=down)


def _parts(text: str) -> tuple[tuple[Step, ...], tuple[Step, ...] | None]:
    """Both directions of one file; all of it is the way forth where no line begins a way back."""
    lines = [*_PART.finditer(text), *_TERN.finditer(text)]
    backs = [line for line in lines if _leads_back(line)]
    forths = [line for line in lines if not _leads_back(line)]
    if not backs:
        return read_steps(text), None
    if len(backs) > 1 or len(forths) > 1 or any(line.start() > backs[0].start() for line in forths):
        why = "has several lines that begin a way forth or back"
        return (Step(effect="unknown", what=why),), None
    up, down = read_steps(text[: backs[0].start()]), read_steps(text[backs[0].end() :])
    if backs[0].re is _PART and not (backs[0].group(1) or backs[0].group(3)):
        whole = read_steps(text)
        if _harm(whole) - _harm(up):
            up = whole  # nothing says that it is not run as it stands, comments and all
    return up, down


def _leads_back(line: re.Match[str]) -> bool:
    return line.re is _TERN or not line.group(2).lower().startswith("up")


def _harm(steps: tuple[Step, ...]) -> frozenset[str]:
    return frozenset(step.effect for step in steps if step.effect in ("destroy", "unknown"))


READER: Reader = _RawSql()
