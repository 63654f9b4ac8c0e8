"""Changelogs of Liquibase: which files they are, in which order they are run, and the changesets that they hold.

A changelog that only includes others is no migration of its own. What a changeset does is left to
`liquibase_changeset`. Which contexts, labels and databases a changeset is for is not asked: it may be any.
Source: https://docs.liquibase.com/concepts/changelogs/home.html.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Optional

from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.liquibase_changeset import Surroundings, changes_of, read_ways
from rollback_guard.release.migrations.liquibase_sql import is_formatted, read_formatted
from rollback_guard.release.migrations.liquibase_tag import (
    LIMIT,
    Tag,
    TagError,
    decoded,
    read_json,
    read_plain_yaml,
    read_xml,
)
from rollback_guard.release.migrations.model import Parsed, Step
from rollback_guard.release.migrations.sql import read_steps

_KINDS = {".xml": read_xml, ".yaml": read_plain_yaml, ".yml": read_plain_yaml, ".json": read_json}
_WORDS = ("changelog", "liquibase", "changeset")
_NAME = "databaseChangeLog"
MOST_COMPARED = 5_000_000  # paths that all includes together are compared with: a hook must answer


class _File(NamedTuple):
    """One file. `log`: its changelog; None where it is none, or could not be read, as `wrong` then says."""

    path: str
    data: bytes
    log: Optional[Tag] = None
    wrong: str = ""


class _Liquibase:
    """The reader of this framework."""

    def claims(self, path: str) -> bool:
        return path.lower().endswith((*_KINDS, ".sql")) and _speaks(path)

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        claimed = {path: _read(path, files[path]) for path in sorted(files) if self.claims(path)}
        return tuple(_Changelogs(claimed).parsed())


def _speaks(path: str) -> bool:
    return any(word in path.lower() for word in _WORDS)


def _read(path: str, data: bytes) -> _File:
    """Reads a file as what its name says it is."""
    suffix = posixpath.splitext(path)[1].lower()
    small = data.replace(b"\0", b"").lower()
    mentioned = _NAME.lower().encode() in small
    try:
        if suffix == ".sql":
            first = small[:1000].decode("utf-8", "replace").lstrip("\ufeff\ufffd")
            mentioned = is_formatted(first)
            log = read_formatted(decoded(_within_limit(data))) if mentioned else None
        elif mentioned or (suffix != ".xml" and b"\\" in data):  # a key can be spelled in escapes
            log = _changelog(_KINDS[suffix](_within_limit(data)))
        else:
            log = None
    except TagError as error:
        return _File(path=path, data=data, wrong=f"cannot be read: {error}" if mentioned else "")
    return _File(path=path, data=data, log=log)


def _within_limit(data: bytes) -> bytes:
    if len(data) > LIMIT:
        raise TagError(f"has {len(data):,} bytes; at most {LIMIT:,} are read")
    return data


def _changelog(tag: Tag) -> Optional[Tag]:
    return tag if tag.name == _NAME else next(iter(tag.all(_NAME)), None)


class _Changelogs:
    """All changelogs of a tree, which include and refer to one another."""

    def __init__(self, files: dict[str, _File]) -> None:
        self.files = files
        self.properties = self._properties()
        self._room = MOST_COMPARED
        self._by_name: dict[str, list[str]] = {}
        for path in files:
            self._by_name.setdefault(posixpath.basename(path), []).append(path)
        self.included = {path: tuple(dict.fromkeys(self._includes(file))) for path, file in files.items()}
        self.sets = {
            (self._place(file, tag), tag.get("author"), tag.get("id")): changes_of(tag)
            for file in files.values()
            for tag in _changesets(file)
        }

    def parsed(self) -> Iterator[Parsed]:
        for path in self._order():
            file = self.files[path]
            if file.wrong:
                yield _parsed(file, path, path, (Step(effect="unknown", what=file.wrong),))
            elif file.log is not None:
                yield from self._unread(file)
                for tag in _changesets(file):
                    yield self._changeset(file, tag)
            elif path.lower().endswith(".sql") and any(path in found for found in self.included.values()):
                yield _parsed(file, posixpath.basename(path), path, self._plain_sql(file))

    def _plain_sql(self, file: _File) -> tuple[Step, ...]:
        """An included file of SQL that says nothing to Liquibase is one changeset without a rollback."""
        try:
            return read_steps(decoded(file.data))
        except TagError as error:
            return (Step(effect="unknown", what=f"cannot be read: {error}"),)

    def _order(self) -> list[str]:
        """Paths as they are run: from the changelogs that nobody includes, through what they include."""
        inner = {path for found in self.included.values() for path in found}
        starts = [path for path in self.files if self.included[path] and path not in inner]
        found: dict[str, None] = {}
        waiting = list(reversed((*starts, *self.files)))
        while waiting:
            path = waiting.pop()
            if path not in found:
                found[path] = None
                waiting += reversed(self.included[path])
        return list(found)

    def _includes(self, file: _File) -> Iterator[str]:
        """The files that a changelog includes, as far as they are there."""
        folders: set[str] = set()
        for tag in () if file.log is None else file.log.inside:
            if tag.name == "include":
                yield from self._resolved(tag.get("file"), tag, file.path)[:1]
            elif tag.name == "includeAll":
                folder = _normal(tag.get("path"), tag, file.path)
                if folder not in folders and self._may_compare(len(self.files)):
                    inside = f"/{folder}/" if folder else "/"
                    yield from (path for path in self.files if inside in f"/{path}" and path != file.path)
                folders.add(folder)

    def _may_compare(self, count: int) -> bool:
        """Whether there is room for looking at that many files; without it nothing is found, which is told."""
        self._room -= count
        return self._room >= 0

    def _unread(self, file: _File) -> Iterator[Parsed]:
        """What a changelog includes and nothing here was read of: it may do anything."""
        for tag in () if file.log is None else file.log.inside:
            name = tag.get("file" if tag.name == "include" else "path")
            place = _normal(name, tag, file.path)
            if tag.name == "include":
                unread = not self._resolved(name, tag, file.path)
            else:  # a folder whose files would be read is only empty yet
                unread = tag.name == "includeAll" and bool(place) and not (_speaks(f"{place}/") and self._room >= 0)
            if unread:
                step = Step(effect="unknown", what=f"includes {name or 'something'}, which is not read")
                yield _parsed(file, f"include {name}", file.path, (step,))._replace(body=repr(tag))

    def _resolved(self, name: str, tag: Tag, path: str) -> list[str]:
        """The files that a name can mean. Where the search path begins is not known, so their ends must agree."""
        wanted = _normal(name, tag, path)
        if wanted in self.files:
            return [wanted]
        named = self._by_name.get(posixpath.basename(wanted), []) if wanted else []
        if not self._may_compare(len(named)):
            return []
        return sorted((one for one in named if one.endswith(f"/{wanted}")), key=len)

    def _properties(self) -> dict[str, str]:
        values: dict[str, set[str]] = {}
        for file in self.files.values():
            for tag in () if file.log is None else file.log.all("property"):
                values.setdefault(tag.get("name"), set()).add(tag.get("value"))
                if tag.get("file"):
                    values.setdefault("", set()).add(tag.get("file"))
        return {name: next(iter(found)) for name, found in values.items() if len(found) == 1 and name}

    def _place(self, file: _File, tag: Tag) -> str:
        """The path by which Liquibase knows a changeset."""
        above = "" if file.log is None else file.log.get("logicalFilePath")
        return tag.get("logicalFilePath") or above or file.path

    def _changeset(self, file: _File, tag: Tag) -> Parsed:
        place = self._place(file, tag)

        def find(path: str, author: str, number: str) -> Optional[tuple[Tag, ...]]:
            places = (
                [path, *self._resolved(path, Tag(name="", attributes={}), file.path)] if path else [place, file.path]
            )
            return next((self.sets[key] for one in places if (key := (one, author, number)) in self.sets), None)

        texts: dict[str, bytes] = {}

        def text(named: Tag) -> Optional[str]:
            paths = self._resolved(named.get("path"), named, file.path)
            if len(paths) != 1:
                return None
            texts[paths[0]] = self.files[paths[0]].data
            try:
                return decoded(texts[paths[0]])
            except TagError:
                return None

        ways = read_ways(tag, Surroundings(properties=self.properties, find=find, file=text))
        above = () if file.log is None else file.log.inside
        asked = [one for one in above if one.name.lower() == "preconditions"]
        if asked:
            whole = Tag(name="changeSet", attributes={}, inside=tuple(asked))
            ways = ways._replace(up=(*read_ways(whole, Surroundings(self.properties, find, text)).up, *ways.up))
        return Parsed(
            framework="liquibase",
            id=f"{tag.get('author')}:{tag.get('id')}",
            path=file.path,
            paths=(file.path, *texts),
            group=place,
            up=ways.up,
            down=ways.down,
            refuses=ways.refuses,
            undoes_itself=ways.derived,
            repeatable=any(tag.is_on(name) for name in ("runOnChange", "runAlways", "alwaysRun")),
            body=repr((tag, sorted(texts.items()))),  # without comments, and without the file's other changesets
        )


def _changesets(file: _File) -> tuple[Tag, ...]:
    return () if file.log is None else file.log.all("changeSet")


def _normal(name: str, tag: Tag, path: str) -> str:
    """A path as Liquibase takes it: from its search path, or beside the changelog where the tag says so."""
    name = name.replace("\\", "/").removeprefix("classpath:")
    if tag.get("relativeToChangelogFile").strip().lower() == "true":
        name = posixpath.join(posixpath.dirname(path), name)
    return posixpath.normpath(name).strip("/").removeprefix("./") if name.strip("/.") else ""


def _parsed(file: _File, name: str, group: str, up: tuple[Step, ...]) -> Parsed:
    return Parsed(framework="liquibase", id=name, path=file.path, paths=(file.path,), group=group, up=up, down=None)


READER: Reader = _Liquibase()
