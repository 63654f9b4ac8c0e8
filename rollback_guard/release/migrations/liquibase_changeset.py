"""What one changeset does, and what rolling it back does: by its own rollbacks, or by what Liquibase derives.

What a change type does is left to `liquibase_changes`, the files to `liquibase`.
Source: https://docs.liquibase.com/workflows/liquibase-community/automatic-custom-rollbacks.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, Optional

from rollback_guard.release.migrations.liquibase_changes import Change, Steps, read_change, step
from rollback_guard.release.migrations.liquibase_tag import Tag
from rollback_guard.release.migrations.sql import read_steps

# What stands in a changeset beside its changes, as a tag or as an attribute.
_BESIDE = frozenset(
    ("id", "author", "comment", "comments", "context", "contextFilter", "contexts", "labels", "dbms", "runAlways")
    + ("alwaysRun", "runOnChange", "runInTransaction", "failOnError", "onValidationFail", "logicalFilePath", "runWith")
    + ("runWithSpoolFile", "created", "runOrder", "ignore", "objectQuotingStrategy", "validCheckSum", "validCheckSums")
    + ("rollback", "preConditions", "preconditions", "modifySql", "changes")
)
_CHECKS = frozenset(
    ("tableExists", "columnExists", "indexExists", "viewExists", "sequenceExists", "dbms")
    + ("primaryKeyExists", "foreignKeyConstraintExists", "uniqueConstraintExists", "tableIsEmpty", "rowCount")
    + ("runningAs", "changeSetExecuted", "expectedQuotingStrategy", "changeLogPropertyDefined", "databaseVersion")
    + ("onFail", "onError", "onFailMessage", "onErrorMessage", "onSqlOutput", "onUpdate", "onUpdateSQL", "tableName")
    + ("type", "value", "property", "checkConstraintExists", "defaultValueExists", "triggerExists", "comment", "")
    + ("functionExists", "procedureExists")
)
# Attributes that are quoted as values, or that go into no statement.
_QUOTED = frozenset(
    ("value", "defaultValue", "remarks", "message", "comment", "tag", "selectQuery", "procedureText", "procedureBody")
)
_APPENDED = re.compile(r"[\s\w=]*", re.ASCII)
_PLACEHOLDER = re.compile(r"\$\{([^${}\s]{1,200})\}")
MOST_TEXT = 1_000_000  # characters that placeholders may make of a text


class Surroundings(NamedTuple):
    """What a changeset may refer to."""

    properties: dict[str, str]  # those that have one value
    find: Callable[[str, str, str], Optional[tuple[Tag, ...]]]  # path, author and id to the changes of a changeset
    file: Callable[[Tag], Optional[str]]  # the text of the file that a tag names


class Ways(NamedTuple):
    up: Steps
    down: Optional[Steps]
    derived: bool
    refuses: str


def read_ways(changeset: Tag, around: Surroundings) -> Ways:
    """What a changeset does up and down."""
    if changeset.get("ignore").strip().lower() == "true":  # Liquibase passes over it
        return Ways(up=(), down=(), derived=False, refuses="")
    read = _Reading(around, changeset)
    changes = [(tag, read.change(tag)) for tag in changes_of(changeset)]
    asked = [one for tag in changeset.inside if tag.name.lower() == "preconditions" for one in read.checks(tag)]
    altered = [one for tag in changeset.all("modifySql") for one in _altered(tag)]
    up = (*asked, *altered, *(one for _, change in changes for one in change.steps))
    rollbacks = changeset.all("rollback")
    if rollbacks:
        down = tuple(one for tag in rollbacks for one in read.rollback(tag))
        return Ways(up=up, down=down, derived=False, refuses="")
    stuck = next((tag.name for tag, change in changes if change.back is None), "")
    if stuck:
        return Ways(up=up, down=None, derived=False, refuses=f"Liquibase derives no rollback of {stuck}")
    back = tuple(one for _, change in reversed(changes) for one in change.back or ())
    return Ways(up=up, down=(*altered, *back), derived=True, refuses="")


def changes_of(changeset: Tag) -> tuple[Tag, ...]:
    """The changes: beside all else in XML, in a list of their own in YAML."""
    listed = tuple(change for tag in changeset.all("changes") for change in tag.inside)
    return tuple(tag for tag in changeset.inside if tag.name not in _BESIDE) + listed


class _Reading:
    """The changes of one changeset, which may build on one another."""

    def __init__(self, around: Surroundings, changeset: Tag) -> None:
        self.around = around
        self.databases = {changeset.get("dbms"), *(tag.get("dbms") for tag in changes_of(changeset))}
        self.created: frozenset[str] = frozenset()

    def change(self, tag: Tag) -> Change:
        if tag.name == "sql":
            return Change(steps=self.sql(tag.text or tag.get("sql"), tag), back=None)
        if tag.name == "sqlFile":
            text = self.around.file(tag)
            if text is None:
                return Change(
                    steps=step("unknown", f"runs {tag.get('path') or 'a file'}, which is not among the files"),
                    back=None,
                )
            return Change(steps=self.sql(text, tag), back=None)
        if _several(tag):
            return Change(steps=step("unknown", f"holds more than a name or a type in {tag.name}"), back=None)
        found = read_change(tag, self.created)
        if found is None:
            return Change(steps=step("unknown", f"does {tag.name or 'something'}, which is not known"), back=None)
        if tag.name == "createTable":
            self.created |= {tag.get("tableName").lower()}
        return found

    def sql(self, text: str, tag: Tag) -> Steps:
        """SQL with its placeholders filled in, and cut where the changeset says that its statements end."""
        text = self.filled(text)
        if _PLACEHOLDER.search(text) is not None:
            return step("unknown", "runs SQL with a placeholder whose value is not known")
        delimiter = tag.get("endDelimiter").strip()
        if delimiter in ("", ";"):
            return read_steps(text)
        words = delimiter.replace("\\n", "").replace("\\s*", "").replace("\\", "").strip("^$")
        pieces = text.split(words) if words else [text]
        return tuple(one for piece in pieces for one in read_steps(piece))

    def filled(self, text: str) -> str:
        values = self.around.properties
        length = sum(len(values.get(match.group(1), "")) for match in _PLACEHOLDER.finditer(text))
        if length > MOST_TEXT:
            return text
        return _PLACEHOLDER.sub(lambda match: values.get(match.group(1), match.group()), text)

    def rollback(self, tag: Tag) -> Steps:
        """What a rollback does. An empty one does nothing, and is no mistake to Liquibase."""
        number = tag.get("changeSetId")
        if number:
            changes = self.around.find(tag.get("changeSetPath"), tag.get("changeSetAuthor"), number)
            if changes is None:
                return step("unknown", f"is rolled back by changeset {number}, which is not found")
            return tuple(one for change in changes for one in self.change(change).steps)
        steps = self.sql(tag.text, tag) if tag.text.strip() else ()
        inside = [one for one in tag.inside if one.name not in ("comment", "endDelimiter", "changes")]
        inside += [one for listed in tag.all("changes") for one in listed.inside]
        plain = tuple(self.sql(one.text, one) for one in inside if not one.name)
        named = tuple((*self.change(one).steps, *self.elsewhere(one)) for one in inside if one.name)
        return (*steps, *(one for found in (*plain, *named) for one in found))

    def elsewhere(self, tag: Tag) -> Steps:
        """A rollback for one kind of database only, where what it rolls back is for all."""
        named = tag.get("dbms")
        return step("unknown", f"is rolled back on {named} only") if named and named not in self.databases else ()

    def checks(self, tag: Tag) -> Steps:
        """What is asked before a changeset runs: questions, unless one of them writes."""
        found: list[Steps] = []
        for one in tag.inside:
            if one.name == "sqlCheck":
                wrong = any(each.effect for each in self.sql(one.text or one.get("sql"), one))
                found.append(step("unknown", "asks by SQL that may change something") if wrong else ())
            elif one.name in ("and", "or", "not", "preConditions"):
                found.append(self.checks(one))
            elif one.name not in _CHECKS:
                found.append(step("unknown", f"asks by {one.name}, which is not known"))
        return tuple(one for steps in found for one in steps)


def _several(tag: Tag) -> bool:
    """Whether what Liquibase puts into SQL as it stands, such as a type, ends the statement and begins another."""
    free = any(";" in value for name, value in tag.attributes.items() if name not in _QUOTED)
    return free or any(_several(one) for one in tag.inside)


def _altered(tag: Tag) -> Steps:
    """What `modifySql` makes of the SQL: words behind it, such as a storage engine, are harmless."""
    for one in tag.inside:
        harmless = one.name in ("dbms", "applyToRollback", "context", "labels", "contextFilter") or (
            one.name == "append" and _APPENDED.fullmatch(one.get("value")) is not None
        )
        if not harmless:
            return step("unknown", "has its SQL altered in a way that is not read")
    return ()
