"""Which migrations differ between two trees: the one gone back to, and production's tip.

A migration is known by its framework, group and id, so that a moved file is no new one. How one is judged is left to
`judge`, what counts as an edit to `sameness`, order and problems to `graph`, where the files come from to `collect`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rollback_guard.release.migrations.graph import Node, build, in_order, named, node_of, problems_of
from rollback_guard.release.migrations.judge import goes_back, judge
from rollback_guard.release.migrations.model import Migration, Parsed, Report, State, Step, Verdict
from rollback_guard.release.migrations.sameness import same_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from rollback_guard.release.migrations.framework import Reader

# What stands for a file that was not read, so that whatever it belongs to is unknown. The NUL keeps it from being a
# program in any language; what follows it (the object's id) tells one such file from another.
NOT_READ = b"\0not read: "
EDITED = "was edited after it may have run"
DELETED = "was deleted after it may have run"
# Files that only lead back: they were no part of what a database has been through.
_WAY_BACK = re.compile(r"(^|[._/-])(down|undo|rollback|revert)s?([._/-]|$)|(^|/)U\d[^/]*\.sql$", re.DOTALL)


class Seen(NamedTuple):
    """One migration in one of the trees, and its files."""

    parsed: Parsed
    files: dict[str, bytes]


class Pair(NamedTuple):
    """One migration in both trees."""

    before: Seen
    after: Seen


class Sides(NamedTuple):
    """Both trees side by side: what is in both, in the older alone, in the newer alone."""

    pairs: list[Pair]
    gone: list[Seen]
    come: list[Seen]


class Squashes(NamedTuple):
    """What there is in the older tree, what in the newer, and for what a squashed migration stands."""

    stable: frozenset[Node]
    there: frozenset[Node]
    replaced: frozenset[Node]


def compare(before: Mapping[str, bytes], after: Mapping[str, bytes], readers: Sequence[Reader]) -> Report:
    """What differs, as applied, and what is wrong with the graph since.

    `before`: the tree that is gone back to; `after`: the one that runs.
    """
    old = read_all(before, readers)
    new = read_all(after, readers, plain=_plain_folders(old))
    squashes = _squashes(old, new)
    sides = _side_by_side(old, new)
    told = [(_deleted(one.parsed, squashes), one.parsed) for one in sides.gone]
    told += [(_added(one.parsed, squashes), one.parsed) for one in sides.come]
    told += [(one, pair.after.parsed) for pair in sides.pairs for one in _changed(pair)]
    found: dict[Node, list[Migration]] = {}
    for migration, parsed in told:
        found.setdefault(node_of(parsed), []).append(migration)
    placed = [one.parsed for one in (*new, *sides.gone)]
    frameworks = tuple(dict.fromkeys(one.parsed.framework for one in (*new, *old)))
    ordered, circle = in_order(build(placed), frameworks)
    known = frozenset(problems_of([one.parsed for one in old], frameworks))
    return Report(
        migrations=tuple(one for node in (*ordered, *circle) for one in found.get(node, ())),
        problems=tuple(one for one in problems_of([one.parsed for one in new], frameworks) if one not in known),
    )


def _squashes(old: Iterable[Seen], new: Iterable[Seen]) -> Squashes:
    """Who is stood for. What replaced them may have been told of in the older tree alone, and be a plain one since."""
    stable = frozenset(node_of(one.parsed) for one in old)
    there = frozenset(node_of(one.parsed) for one in new)
    squashing = [one.parsed for one in (*old, *new) if one.parsed.replaces and node_of(one.parsed) in there]
    replaced = frozenset(named(one, name) for one in squashing for name in one.replaces)
    return Squashes(stable=stable, there=there, replaced=replaced)


def _added(parsed: Parsed, squashes: Squashes) -> Migration:
    if _does_nothing_there(parsed, squashes):
        return _migration(parsed, "added", "expand-only", ())
    return _migration(parsed, "added", *judge(parsed))


def _changed(pair: Pair) -> Iterator[Migration]:
    """What there is to tell of a migration that is in both trees, if anything."""
    old, new = pair.before.parsed, pair.after.parsed
    moved = old.path if old.path != new.path else ""
    if _same(pair.before, pair.after):
        if moved:
            yield _migration(new, "renamed", "expand-only", ())._replace(old_path=moved)
    elif old.repeatable and new.repeatable:  # going back runs the older text again: that is its way back
        again = new._replace(down=old.up, refuses="", undoes_itself=False)
        yield _migration(again, "edited", *judge(again))._replace(old_path=moved)
    else:
        yield _migration(new, "edited", "irreversible", (EDITED,))._replace(old_path=moved)


def _deleted(parsed: Parsed, squashes: Squashes) -> Migration:
    if node_of(parsed) in squashes.replaced:
        return _migration(parsed, "deleted", "expand-only", ())
    return _migration(parsed, "deleted", "irreversible", (DELETED,))._replace(down=False)


def _does_nothing_there(parsed: Parsed, squashes: Squashes) -> bool:
    """Whether it stands for migrations that have run, so that it is only noted down as run.

    That is so where one of them is in the older tree; each of the others must be here to tell what it does.
    Source: Django's documentation, "Squashing migrations".
    """
    replaced = {named(parsed, name) for name in parsed.replaces}
    return bool(replaced & squashes.stable) and replaced <= squashes.stable | squashes.there


def _migration(parsed: Parsed, state: State, verdict: Verdict, reasons: tuple[str, ...]) -> Migration:
    return Migration(
        framework=parsed.framework,
        id=parsed.id,
        path=parsed.path,
        paths=parsed.paths,
        state=state,
        verdict=verdict,
        reasons=reasons,
        down=goes_back(parsed),
    )


def read_all(
    files: Mapping[str, bytes], readers: Sequence[Reader], *, plain: frozenset[str] = frozenset()
) -> tuple[Seen, ...]:
    """All migrations of a tree. Which framework runs a file is not known: all that make something of it are believed.

    But for numbered SQL: what another framework's words stand in is that one's, except where its folder is one of
    `plain`, those in which nothing else was met so far.
    """
    taken: set[str] = set()
    found: list[Seen] = []
    for reader in readers:
        claimed = {path: data for path, data in files.items() if reader.claims(path)}
        for parsed in reader.read(claimed) if claimed else ():
            if parsed.framework == "sql" and parsed.path in taken and parsed.group not in plain:
                continue
            made_of = {path: claimed[path] for path in parsed.paths if path in claimed}
            if any(data.startswith(NOT_READ) for data in made_of.values()):
                parsed = parsed._replace(up=(Step("unknown", "was not read"),), down=None, undoes_itself=False)
            found.append(Seen(parsed=parsed, files=made_of))
        taken.update(path for seen in found for path in seen.files)
    return tuple(found)


def _plain_folders(seen: Iterable[Seen]) -> frozenset[str]:
    """Where numbered SQL is, and no other framework."""
    plain: set[str] = set()
    others: set[str] = set()
    for one in seen:
        if one.parsed.framework == "sql":
            plain.add(one.parsed.group)
        else:
            others.add(one.parsed.path.rpartition("/")[0])
    return frozenset(plain - others)


def _side_by_side(old: Iterable[Seen], new: Iterable[Seen]) -> Sides:
    """The same migrations of both trees found; where one name is used twice, by path, then by content."""
    olds, news = _by_node(old), _by_node(new)
    pairs: list[Pair] = []
    gone: list[Seen] = []
    come: list[Seen] = []
    for node in dict.fromkeys((*olds, *news)):
        left, right = olds.get(node, []), news.get(node, [])
        for key in (_path, _content) if len(left) + len(right) > 2 else ():
            pairs += _take(left, right, key)
        count = min(len(left), len(right))
        pairs += [Pair(before=one, after=other) for one, other in zip(left[:count], right[:count], strict=True)]
        gone += left[count:]
        come += right[count:]
    pairs += _take(gone, come, _wandering)
    return Sides(pairs=pairs, gone=gone, come=come)


def _by_node(seen: Iterable[Seen]) -> dict[Node, list[Seen]]:
    found: dict[Node, list[Seen]] = {}
    for one in seen:
        found.setdefault(node_of(one.parsed), []).append(one)
    return found


def _take(left: list[Seen], right: list[Seen], key: Callable[[Seen], Hashable]) -> list[Pair]:
    """Pairs of one key, taken out of both lists."""
    waiting: dict[Hashable, list[Seen]] = {}
    for one in reversed(left):
        waiting.setdefault(key(one), []).append(one)
    pairs = [Pair(before=waiting[key(one)].pop(), after=one) for one in right if waiting.get(key(one))]
    taken = {id(one) for pair in pairs for one in pair}
    left[:] = [one for one in left if id(one) not in taken]
    right[:] = [one for one in right if id(one) not in taken]
    return pairs


def _path(seen: Seen) -> Hashable:
    return seen.parsed.path


def _content(seen: Seen) -> Hashable:
    return seen.parsed.body, tuple(seen.files.values())


def _wandering(seen: Seen) -> Hashable:
    """What is still one migration in another folder.

    Django knows one by its application as well, Liquibase by the path of its changelog: there another is another.
    """
    parsed = seen.parsed
    place = {"django": parsed.group.rpartition("/")[2], "liquibase": parsed.group}.get(parsed.framework, "")
    return parsed.framework, parsed.id, place, _content(seen)


def _same(old: Seen, new: Seen) -> bool:
    """Whether a database that has been through the one has been through the other."""
    if old.parsed.up != new.parsed.up:
        return False
    if old.parsed.body or new.parsed.body:
        return old.parsed.body == new.parsed.body
    left, right = _way_up(old), _way_up(new)
    return len(left) == len(right) and all(
        same_text(path, data, other) for (path, data), (_, other) in zip(right, left, strict=True)
    )


def _way_up(seen: Seen) -> list[tuple[str, bytes]]:
    """The files but those that only lead back, by what sets their names apart from the file that names the whole."""
    main = seen.parsed.path
    others = [path for path in sorted(seen.files) if path != main and not _WAY_BACK.search(_apart(path, main))]
    return [(path, seen.files[path]) for path in (main, *others)]


def _apart(path: str, main: str) -> str:
    """A path without the folders that it shares with another."""
    folders = path.split("/")
    count = next((at for at, (one, other) in enumerate(zip(folders, main.split("/"), strict=False)) if one != other), 0)
    return "/".join(folders[count:])
