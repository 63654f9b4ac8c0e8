"""Alembic: Python files with `revision`, `down_revision`, `upgrade` and `downgrade`, in a graph over all of them.

The files are read as syntax and never run. What their calls mean is left to `alembic_calls`.
Source: https://alembic.sqlalchemy.org/en/latest/tutorial.html, …/branches.html.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import NamedTuple, Optional

from rollback_guard.release.migrations.alembic_calls import Calls
from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.model import Parsed, Step
from rollback_guard.release.migrations.python_calls import TooMuchError
from rollback_guard.release.migrations.python_run import Run
from rollback_guard.release.migrations.python_source import SourceError, read_source
from rollback_guard.release.migrations.python_values import Arguments, Function, Value

# The folder is `versions` unless a project says otherwise; these are the names that are met.
_FOLDERS = frozenset(("versions", "version", "revisions", "revision", "migrations", "migration", "alembic"))
_NAMED = re.compile(r"(?:.*[-_])?[0-9a-f]{12}(?:_[^/]*)?\.py")  # how Alembic names them, wherever they are
_NOT = frozenset(("env.py", "__init__.py", "conftest.py", "setup.py"))
_WORD = re.compile(rb"\b(?:down_)?revision\b|\bdef[ \t]+upgrade")
_REVISION = re.compile(rb"""^(down_)?revision\b[^=\r\n]*=[ \t]*(?:u?["']([^"'\r\n]{1,100})["'])?""", re.MULTILINE)
_TOO_MUCH = "is too involved to be read"


class _Way(NamedTuple):
    """What one direction of a migration is read as."""

    names: Mapping[str, Value]
    loading: tuple[Step, ...] = ()
    steps: Optional[tuple[Step, ...]] = None  # None: it is not there
    refuses: str = ""


class _Revision(NamedTuple):
    """A migration and what it says of its place."""

    parsed: Parsed
    builds_on: tuple[str, ...]
    needs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class _Alembic:
    """The reader of Alembic's migrations."""

    def claims(self, path: str) -> bool:
        """Python files in a folder that is named as Alembic's are, or that are named as Alembic names them."""
        folders, _, name = path.rpartition("/")
        if not name.endswith(".py") or name in _NOT or name.startswith(".#"):
            return False
        return not _FOLDERS.isdisjoint(folders.split("/")) or _NAMED.fullmatch(name) is not None

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        """The revisions among the files, with the graph that they make."""
        found = (_read(path, data) for path, data in sorted(files.items()) if _WORD.search(data))
        return _graph([one for one in found if one is not None])


READER: Reader = _Alembic()


def _read(path: str, data: bytes) -> Optional[_Revision]:
    """One file; None where it is no migration."""
    try:
        tree = read_source(data)
        calls = Calls()
        up = _way(tree, "upgrade", calls, strict=False)
        down = _way(tree, "downgrade", calls, strict=True)
    except SourceError as fault:
        return _surmised(path, data, str(fault))
    except (TooMuchError, RecursionError):
        return _surmised(path, data, _TOO_MUCH)
    names = up.names
    if not ("down_revision" in names or ("upgrade" in names and ("revision" in names or _in_versions(path)))):
        return None
    unread: list[Step] = []
    name = names.get("revision")
    if not isinstance(name, str) or not name:
        unread.append(_unknown("does not write out its revision"))
        name = _stem(path)
    parents = _ids(names.get("down_revision"), unread, "down_revision")
    needs = _ids(names.get("depends_on"), unread, "depends_on")
    labels = _ids(names.get("branch_labels"), unread, "branch_labels")
    if up.steps is None:
        unread.append(_unknown("has no upgrade that can be read"))
    loading = (*unread, *up.loading)
    parsed = Parsed(
        framework="alembic",
        id=name,
        path=path,
        paths=(path,),
        group=_folder(path),
        up=(*loading, *(up.steps or ())),
        down=None if down.steps is None else (*loading, *down.steps),
        parents=(),
        refuses=down.refuses,
    )
    return _Revision(parsed=parsed, builds_on=parents, needs=needs, labels=labels)


def _way(tree: ast.Module, name: str, calls: Calls, *, strict: bool) -> _Way:
    """Load the file anew and read one of its functions. Raises: TooMuchError, RecursionError."""
    run = Run(calls)
    calls.begin()
    run.load(tree)
    loading = tuple(_unknown(f"{step.what} as soon as it is loaded") for step in run.steps)
    names = run.module.names
    if name not in names:
        return _Way(names=names, loading=loading)
    function = names[name]
    if not isinstance(function, Function):
        return _Way(names=names, loading=loading, steps=(_unknown(f"has a {name} that is not written out"),))
    run.steps, run.refuses, run.strict = {}, "", strict
    run.call(function, Arguments())
    return _Way(names=names, loading=loading, steps=tuple(run.steps), refuses=run.refuses if strict else "")


def _ids(value: Value, unread: list[Step], name: str) -> tuple[str, ...]:
    """None, one name or several."""
    several = value if isinstance(value, list) else [] if value is None else [value]
    ids = tuple(one for one in several if isinstance(one, str))
    if len(ids) != len(several):
        unread.append(_unknown(f"does not write out its {name}"))
    return ids


def _surmised(path: str, data: bytes, fault: str) -> Optional[_Revision]:
    """A file that cannot be read: a migration all the same, if it says so somewhere."""
    own = ""
    parents: list[str] = []
    seen = False
    for found in _REVISION.finditer(data):
        seen = True
        text = (found[2] or b"").decode("utf-8", "surrogateescape")
        if found[1]:
            parents += [text] if text else []
        else:
            own = own or text
    if not seen and not _in_versions(path):
        return None
    parsed = Parsed(
        framework="alembic",
        id=own or _stem(path),
        path=path,
        paths=(path,),
        group=_folder(path),
        up=(_unknown(fault),),
        down=None,
        parents=(),
    )
    return _Revision(parsed=parsed, builds_on=tuple(parents))


def _graph(found: list[_Revision]) -> tuple[Parsed, ...]:
    """The revisions with their groups and parents: a label names a line of its own, which has its own newest one."""
    by_id = {one.parsed.id: one for one in found}
    by_id = {one.parsed.id: one for one in found}
    known = {label for one in found for label in one.labels}
    lines = _lines(by_id) if known else {}
    groups = {name: one.parsed.group + lines.get(name, "") for name, one in by_id.items()}
    placed = []
    for one in found:
        own = groups[one.parsed.id]
        parents = dict.fromkeys((*one.builds_on, *(name for name in one.needs if name not in known)))
        named = tuple(name if groups.get(name, own) == own else f"{groups[name]}:{name}" for name in parents)
        placed.append(one.parsed._replace(group=own, parents=named))
    return tuple(placed)


def _lines(by_id: Mapping[str, _Revision]) -> dict[str, str]:
    """For each revision the nearest label on its way down to the first."""
    lines: dict[str, str] = {}
    for name in by_id:
        above: dict[str, None] = {}
        at = name
        while at in by_id and at not in lines and at not in above:
            above[at] = None
            one = by_id[at]
            if one.labels:
                lines[at] = f"@{one.labels[0]}"
            else:
                at = one.builds_on[0] if one.builds_on else ""
        lines.update(dict.fromkeys((known for known in above if known not in lines), lines.get(at, "")))
    return lines


def _folder(path: str) -> str:
    """What shares one graph: the folder named `versions` with all below it, or else the file's own."""
    folders = path.split("/")[:-1]
    if "versions" in folders:
        folders = folders[: folders.index("versions") + 1]
    return "/".join(folders)


def _in_versions(path: str) -> bool:
    return "versions" in path.split("/")[:-1]


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".py")


def _unknown(what: str) -> Step:
    return Step(effect="unknown", what=what)
