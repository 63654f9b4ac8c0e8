"""Django: one folder of Python files an application, each with a class `Migration` that lists its operations.

The files are read as syntax and never run. What operations do is left to `django_operations`, which fields there were
before to `django_state`. Source: https://docs.djangoproject.com/en/stable/topics/migrations/.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple, Optional

from rollback_guard.release.migrations.django_calls import Calls
from rollback_guard.release.migrations.django_operations import read_operations, together
from rollback_guard.release.migrations.django_state import State
from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.model import Parsed, Step
from rollback_guard.release.migrations.python_calls import TooMuchError
from rollback_guard.release.migrations.python_run import Run
from rollback_guard.release.migrations.python_source import SourceError, read_source
from rollback_guard.release.migrations.python_values import Class, Ref, Value, shown

_NUMBERED = re.compile(r"[0-9]{4}_\w+\.py")
_WORD = re.compile(rb"\bMigration\b")
_CLASS = re.compile(rb"^class[ \t]+Migration\b", re.MULTILINE)
_BASES = ("django.db.migrations.Migration", "django.db.migrations.migration.Migration")
# Methods by which Django applies a migration: one that has its own does what those do.
_APPLIED_BY = frozenset(("apply", "unapply", "mutate_state", "__new__", "__init_subclass__"))
_CONTRIB = frozenset(
    ("admin", "auth", "contenttypes", "flatpages", "redirects", "sessions", "sites", "gis", "postgres")
)
_TOO_MUCH = "is too involved to be read"

Name = tuple[str, str]  # an application and one of its migrations


class Loaded(NamedTuple):
    """One file before its place is known."""

    path: str
    group: str
    id: str
    operations: Value = None
    faults: tuple[str, ...] = ()
    dependencies: tuple[Name, ...] = ()
    replaces: tuple[Name, ...] = ()
    run_before: tuple[Name, ...] = ()


class _Django:
    """The reader of Django's migrations."""

    def claims(self, path: str) -> bool:
        """Python files in a folder `migrations`, or that are numbered as Django numbers them."""
        folders, _, name = path.rpartition("/")
        if not name.endswith(".py") or name[0] in "_~.":
            return False
        return folders.rpartition("/")[2] == "migrations" or _NUMBERED.fullmatch(name) is not None

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        """The migrations among the files: each application's in the order in which they build on another."""
        found = (_load(path, data) for path, data in sorted(files.items()))
        loaded = [one for one in found if one is not None]
        by_group: dict[str, dict[str, Loaded]] = {}
        for one in loaded:
            by_group.setdefault(one.group, {})[one.id] = one
        places = _Places(by_group)
        return tuple(parsed for group in by_group.values() for parsed in _read_group(group, places))


READER: Reader = _Django()


def _load(path: str, data: bytes) -> Optional[Loaded]:
    """One file; None where it is no migration."""
    folders, _, name = path.rpartition("/")
    folder, _, last = folders.rpartition("/")
    group = folder if last == "migrations" else folders
    bare = Loaded(path=path, group=group, id=name.removesuffix(".py"))
    suspected = _CLASS.search(data) is not None or (last == "migrations" and _NUMBERED.fullmatch(name) is not None)
    if not suspected and _WORD.search(data) is None:
        return None
    run = Run(Calls())
    try:
        run.load(read_source(data))
    except SourceError as fault:
        return bare._replace(faults=(str(fault),)) if suspected else None
    except (TooMuchError, RecursionError):
        return bare._replace(faults=(_TOO_MUCH,)) if suspected else None
    if "Migration" not in run.module.names:
        return None
    faults = [f"{step.what} as soon as it is loaded" for step in run.steps]
    if run.refuses:
        faults.append(f"stops with {run.refuses} when it is loaded")
    migration = run.module.names["Migration"]
    if not isinstance(migration, Class):
        return bare._replace(faults=(*faults, "has a Migration that is not written out"))
    return _of_class(bare, migration, faults)


def _of_class(bare: Loaded, migration: Class, faults: list[str]) -> Loaded:
    if not any(isinstance(base, Ref) and base.path in _BASES for base in migration.bases) or len(migration.bases) != 1:
        faults.append(f"is made of a class that is not read: {', '.join(shown(one) for one in migration.bases)}")
    faults += [f"has its own {name}()" for name in sorted(_APPLIED_BY & migration.members.keys())]
    members = migration.members
    return bare._replace(
        operations=members.get("operations", []),
        dependencies=_names(members, "dependencies", faults),
        replaces=_names(members, "replaces", faults),
        run_before=_names(members, "run_before", faults),
        faults=tuple(faults),
    )


def _names(members: Mapping[str, Value], key: str, faults: list[str]) -> tuple[Name, ...]:
    """Pairs of an application and a migration; one that settings choose, `swappable_dependency`, is nobody's here."""
    given = members.get(key, [])
    if not isinstance(given, list):
        faults.append(f"does not write out its {key}")
        return ()
    found = []
    for one in given:
        if isinstance(one, list) and len(one) == 2:
            app, name = one
            if isinstance(app, str) and isinstance(name, str):
                found.append((app, name))
    return tuple(found)


class _Places:
    """Which folder an application's name means. It is the folder's own, unless the files call it otherwise."""

    def __init__(self, by_group: Mapping[str, Mapping[str, Loaded]]) -> None:
        self._by_group = by_group
        self._folders: dict[str, list[str]] = {}
        self._before: dict[Name, list[Name]] = {}
        for group, migrations in by_group.items():
            self._folders.setdefault(_label(group, migrations), []).append(group)
        for group, migrations in by_group.items():
            for one in migrations.values():
                for name in one.run_before:
                    place = self._place(name, group)
                    if place is not None:
                        self._before.setdefault(place, []).append((group, one.id))

    def _place(self, name: Name, own: str) -> Optional[Name]:
        folders = self._folders.get(name[0], [])
        if own in folders:
            return own, name[1]
        return (folders[0], name[1]) if len(folders) == 1 else None

    def parents(self, one: Loaded) -> tuple[str, ...]:
        """What a migration builds on, of this repository: a library's migrations are not here."""
        places = [self._place(name, one.group) for name in one.dependencies if not name[1].startswith("__")]
        places += self._before.get((one.group, one.id), [])
        return tuple(dict.fromkeys(_spelled(place, one.group) for place in places if place is not None))

    def replaced(self, one: Loaded) -> tuple[str, ...]:
        """What a squashed migration stands for."""
        places = [self._place(name, one.group) for name in one.replaces]
        return tuple(dict.fromkeys(_spelled(place, one.group) for place in places if place is not None))


def _spelled(place: Name, own: str) -> str:
    return place[1] if place[0] == own else f"{place[0]}:{place[1]}"


def _label(group: str, migrations: Mapping[str, Loaded]) -> str:
    """The name by which migrations call an application: what they call it themselves, if not as its folder."""
    folder = group.rpartition("/")[2]
    called = Counter(
        app
        for one in migrations.values()
        for app, name in (*one.dependencies, *one.replaces)
        if name in migrations and name != one.id and app not in _CONTRIB
    )
    return folder if folder in called or not called else called.most_common(1)[0][0]


def _read_group(group: Mapping[str, Loaded], places: _Places) -> list[Parsed]:
    """One application: every migration is read on the fields that its parents left."""
    squashed = {name: one.id for one in group.values() for name in places.replaced(one)}
    parents = {name: places.parents(one) for name, one in group.items()}
    inner = {
        name: [known for parent in given if (known := parent if parent in group else squashed.get(parent)) is not None]
        for name, given in parents.items()
    }
    states: dict[str, State] = {}
    read = []
    for name in _in_order(inner):
        state = State()
        for number, parent in enumerate(one for one in inner[name] if one in states):
            if number:
                state.join(states[parent])
            else:
                state = states[parent].copy()
        read.append(_parsed(group[name], parents[name], places.replaced(group[name]), state))
        states[name] = state
    return read


def _in_order(parents: Mapping[str, list[str]]) -> list[str]:
    """Parents before children; what is in a circle comes where it is met."""
    done: dict[str, None] = {}
    for start in parents:
        opened: dict[str, None] = {}
        waiting = [start]
        while waiting:
            name = waiting[-1]
            missing = [one for one in parents[name] if one not in done and one not in opened and one != name]
            opened[name] = None
            if missing:
                waiting += missing
            else:
                done[waiting.pop()] = None
    return list(done)


def _parsed(one: Loaded, parents: tuple[str, ...], replaces: tuple[str, ...], state: State) -> Parsed:
    faults = tuple(Step(effect="unknown", what=fault) for fault in one.faults)
    way = together(read_operations([] if one.operations is None else one.operations, state))
    return Parsed(
        framework="django",
        id=one.id,
        path=one.path,
        paths=(one.path,),
        group=one.group,
        up=(*faults, *way.up),
        down=None if way.down is None else (*faults, *way.down),
        parents=parents,
        refuses=way.refuses,
        replaces=replaces,
    )
