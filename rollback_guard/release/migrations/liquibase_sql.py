"""Changelogs in formatted SQL, taken apart into the tags that the other formats have.

What the SQL does is left to `sql`, what a changeset does to `liquibase_changeset`.
Source: https://docs.liquibase.com/concepts/changelogs/sql-format.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollback_guard.release.migrations.liquibase_tag import Tag, TagError

_FLAGS = re.IGNORECASE | re.ASCII  # as Liquibase takes them
_FIRST = re.compile(r"\s*--\s*liquibase\s*formatted", _FLAGS)
_CHANGESET = re.compile(r"\s*--\s*changeset\s+(?=\S)(\"[^\"]+\"|[^:\"]+):(\"[^\"]+\"|\S+)(.*)", _FLAGS)
_ROLLBACK = re.compile(r"\s*--\s*rollback (.*)", _FLAGS)
_ROLLBACK_BEGINS = re.compile(r"\s*/\*\s*liquibase\s*rollback\s*$", _FLAGS)
_PRECONDITION = re.compile(r"\s*--\s*precondition-([\w-]+) (.*)", _FLAGS)
_SETTING = re.compile(r"\s*--\s*(?:preconditions\b|comment\b|validchecksum\b|labels?\b)", _FLAGS)
_DIRECTIVE = re.compile(r"\s*--\s*(include|includeall|property)\s+(.*)", _FLAGS)
_DIRECTIVES = {"include": "include", "includeall": "includeAll", "property": "property"}
_IGNORE = re.compile(r"\s*--\s*ignoreLines:(\w+)", _FLAGS)
# What Liquibase refuses as misspelled: it does not run the file, so what it would do cannot be told.
_WRONG = re.compile(r"\s*-\s*(?:changeset|rollback|preconditions?)\s|\s*--\s*changeset\b", _FLAGS)
_ATTRIBUTE = re.compile(r"\b(\w+):(\"[^\"]*\"|\S*)")
_EXPECTED = re.compile(r"(?:expectedResult:)?(?:'[^']*'|\"[^\"]*\"|\S+)\s+")
_LINES = re.compile(r"\r\n|\r|\n")
_STRANGE = re.compile("[\x85\u2028\u2029]")


def is_formatted(text: str) -> bool:
    """Whether the first line that holds something says so."""
    return _FIRST.match(text) is not None


def read_formatted(text: str) -> Tag:
    """The changelog as one tag.

    Raises: TagError.
    """
    reader = _Reader()
    if _STRANGE.search(text) is not None:  # Liquibase does not see what else stands on such a line
        raise TagError("holds a line separator that is no line's end")
    lines = iter(_LINES.split(text))
    for line in lines:
        ignored = _IGNORE.match(line)
        if ignored is not None:
            _skip(lines, ignored.group(1).lower())
        elif _ROLLBACK_BEGINS.match(line) is not None and reader.open:
            reader.rollback.append(" ".join(_until_closed(lines)))  # Liquibase makes one line of them
        else:
            reader.line(line)
    reader.close()
    return Tag(name="databaseChangeLog", attributes={}, inside=tuple(reader.found))


def _skip(lines: Iterator[str], count: str) -> None:
    """Lines that Liquibase passes over."""
    if count == "start":
        for line in lines:
            ignored = _IGNORE.match(line)
            if ignored is not None and ignored.group(1).lower() == "end":
                return
        return
    if not count.isdigit():
        raise TagError("ignores lines in a way that is not read")
    for _, _line in zip(range(int(count[:9])), lines, strict=False):
        pass


def _until_closed(lines: Iterator[str]) -> list[str]:
    """The lines of a comment that holds a rollback, up to its end."""
    found: list[str] = []
    for line in lines:
        if line.rstrip().endswith("*/"):
            return [*found, line.rstrip()[:-2]]
        found.append(line)
    raise TagError("has a comment with a rollback that is not closed")


class _Reader:
    """Takes lines one by one."""

    def __init__(self) -> None:
        self.found: list[Tag] = []
        self.open = False
        self.attributes: dict[str, str] = {}
        self.sql: list[str] = []
        self.rollback: list[str] = []
        self.inside: list[Tag] = []

    def line(self, line: str) -> None:
        if (head := _CHANGESET.match(line)) is not None:
            self.close()
            author, number, rest = head.groups()
            attributes = {name: value.strip('"') for name, value in _ATTRIBUTE.findall(rest)}
            self.attributes = {**attributes, "author": author.strip('"'), "id": number.strip('"')}
            self.open = True
        elif _WRONG.match(line) is not None:
            raise TagError("has a line for Liquibase that it would refuse")
        elif (directive := _DIRECTIVE.match(line)) is not None and not self.open:
            attributes = {name: value.strip('"') for name, value in _ATTRIBUTE.findall(directive.group(2))}
            self.found.append(Tag(name=_DIRECTIVES[directive.group(1).lower()], attributes=attributes))
        elif (back := _ROLLBACK.match(line)) is not None and self.open:
            self.rollback.append(back.group(1))
        elif (asked := _PRECONDITION.match(line)) is not None and self.open:
            expected = _EXPECTED.match(asked.group(2)) if asked.group(1).lower() == "sql-check" else None
            text = "" if expected is None else asked.group(2)[expected.end() :]
            self.inside.append(Tag(name="tableExists" if expected is None else "sqlCheck", attributes={}, text=text))
        elif _SETTING.match(line) is None:
            self.sql.append(line)

    def close(self) -> None:
        """Ends the changeset."""
        text = "\n".join(self.sql)
        if self.open:
            splits = {key: self.attributes[key] for key in ("endDelimiter",) if key in self.attributes}
            inside = [Tag(name="sql", attributes=splits, text=text)]
            inside += [Tag(name="preConditions", attributes={}, inside=tuple(self.inside))] if self.inside else []
            if "".join(self.rollback).strip():
                inside.append(_rollback("\n".join(self.rollback), self.attributes.get("rollbackEndDelimiter", "")))
            self.found.append(Tag(name="changeSet", attributes=self.attributes, inside=tuple(inside)))
        self.open, self.attributes, self.sql, self.rollback, self.inside = False, {}, [], [], []


def _rollback(text: str, delimiter: str) -> Tag:
    """A rollback: nothing, another changeset, or SQL."""
    said = text.strip().lower()
    if said.startswith(("not required", "empty")):
        return Tag(name="rollback", attributes={})
    if "changesetid" in said:
        found = {name.lower(): value for name, value in _ATTRIBUTE.findall(text)}
        names = {"changesetid": "changeSetId", "changesetauthor": "changeSetAuthor", "changesetpath": "changeSetPath"}
        return Tag(name="rollback", attributes={names[key]: found[key] for key in names if key in found})
    return Tag(name="rollback", attributes={"endDelimiter": delimiter} if delimiter else {}, text=text)
