"""Flyway: `V<version>__<title>.sql`, `U` undoes it, `R__<title>.sql` is run whenever it was edited, `B` is a baseline.

Callbacks are run with every migrate, so they count as repeated ones. What the SQL does is left to `sql`, placeholders
to `flyway_placeholders`. Migrations in Java and other languages cannot be read; prefixes other than Flyway's own are
not looked for. Source: Redgate's documentation of Flyway, "Migrations", "Undo migrations", "Callback events".
"""

from __future__ import annotations

import re

from rollback_guard.release.migrations.flyway_placeholders import Placeholders, is_settings, read_settings
from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.model import Parsed, Step
from rollback_guard.release.migrations.sql_files import number, split_path, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_VERSIONED = re.compile(r"([VUB])([0-9]+(?:[._][0-9]+)*)__[^/]*\.([A-Za-z0-9]+)", re.DOTALL)
_REPEATED = re.compile(r"(R__[^/]+)\.([A-Za-z0-9]+)", re.DOTALL)
_CALLBACK = re.compile(
    r"((?:before|after)(?:Each)?(?:Migrate|Undo|Clean|Info|Validate|Baseline|Repair|Repeatables|Versioned|Connect"
    r"|CreateSchema)[A-Za-z]*(?:__[^/]*)?|createSchema)\.(sql)",
    re.DOTALL,
)
_SCRIPTS = frozenset({"java", "kt", "kts", "groovy", "scala", "sh", "bash", "ps1", "bat", "cmd", "py", "class"})
_BASELINE = Step(effect="expand", what="is a baseline: only an empty database runs it")


class _Flyway:
    def claims(self, path: str) -> bool:
        name = split_path(path)[1]
        return is_settings(name) or _kind(name) is not None

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        return tuple(_read(files))


class _Named:
    """What a file's name says."""

    def __init__(self, prefix: str, name: str, ending: str) -> None:
        self.prefix = prefix
        self.name = name
        self.ending = ending


def _kind(name: str) -> _Named | None:
    found = _VERSIONED.fullmatch(name)
    if found is not None:
        version = ".".join(number(part) for part in re.split("[._]", found.group(2)))
        while version.endswith(".0"):  # 1 and 1.0 are one version
            version = version[:-2]
        named = _Named(found.group(1), version, found.group(3).lower())
    else:
        repeated = _REPEATED.fullmatch(name) or _CALLBACK.fullmatch(name)
        if repeated is None:
            return None
        named = _Named("R", repeated.group(1), repeated.group(2).lower())
    return named if named.ending == "sql" or named.ending in _SCRIPTS else None


def _read(files: Mapping[str, bytes]) -> Iterator[Parsed]:
    settings = [files[path] for path in sorted(files) if is_settings(split_path(path)[1])]
    placeholders = read_settings(settings)
    named = {path: kind for path in sorted(files) if (kind := _kind(split_path(path)[1])) is not None}
    undo: dict[str, list[str]] = {}
    forth: dict[str, list[str]] = {}
    for path, kind in named.items():
        if kind.prefix in "UV":
            (undo if kind.prefix == "U" else forth).setdefault(kind.name, []).append(path)
    for path, kind in named.items():
        folder = split_path(path)[0]
        if kind.prefix == "U":
            continue
        if kind.ending != "sql":
            name = f"B{kind.name}" if kind.prefix == "B" else kind.name
            yield unreadable("flyway", name, path, folder, f"is a program (.{kind.ending}), which is not read")
        elif kind.prefix == "V":
            yield _versioned(
                path, kind.name, _undo_of(path, forth[kind.name], undo.get(kind.name, [])), files, placeholders
            )
        elif kind.prefix == "B":
            yield _parsed(path, f"B{kind.name}", (_BASELINE,))
        else:
            steps = placeholders.steps_of(files[path])
            again = _parsed(path, kind.name, steps)._replace(repeatable=True)
            # Its way back is its older text; a new one has none, which matters where something is gone.
            lost = any(step.effect == "destroy" for step in steps)
            yield again if lost else again._replace(down=steps, undoes_itself=True)


def _undo_of(path: str, forth: list[str], undo: list[str]) -> tuple[str, ...]:
    """The file that undoes this one: beside it, or the only one of the version, where only this one can be meant.

    `forth`, `undo`: all files of the version. Another database of the repository may have the same one.
    """
    folder = split_path(path)[0]
    beside = tuple(one for one in undo if split_path(one)[0] == folder)
    return beside or tuple(undo if len(undo) == len(forth) == 1 else ())


def _versioned(
    path: str, version: str, undo: tuple[str, ...], files: Mapping[str, bytes], placeholders: Placeholders
) -> Parsed:
    one = _parsed(path, version, placeholders.steps_of(files[path]))
    if not undo:
        return one
    if len(undo) > 1:
        return one._replace(paths=(path, *undo), refuses=f"{len(undo)} files undo version {version}")
    if _ending(undo[0]) != "sql":
        down: tuple[Step, ...] = (Step(effect="unknown", what=f"is a program ({undo[0]}), which is not read"),)
    else:
        down = placeholders.steps_of(files[undo[0]])
    return one._replace(paths=(path, *undo), down=down)


def _ending(path: str) -> str:
    return path.rpartition(".")[2].lower()


def _parsed(path: str, name: str, up: tuple[Step, ...]) -> Parsed:
    folder = split_path(path)[0]
    return Parsed(framework="flyway", id=name, path=path, paths=(path,), group=folder, up=up, down=None)


READER: Reader = _Flyway()
