"""What each change type of Liquibase does to a database, and what Liquibase derives to roll it back.

Which changes a changeset holds is left to `liquibase_changeset`; SQL to `sql`.
Source: https://docs.liquibase.com/change-types/home.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, Optional

from rollback_guard.release.migrations.liquibase_tag import Tag, columns, constraints
from rollback_guard.release.migrations.model import Effect, Step
from rollback_guard.release.migrations.sql import read_steps

Steps = tuple[Step, ...]


class Change(NamedTuple):
    """What a change does. `back`: what its derived rollback does; None where Liquibase derives none."""

    steps: Steps
    back: Optional[Steps]


_DEFAULTS = ("", "Numeric", "Boolean", "Date", "Computed", "SequenceNext")
_CREATES = re.compile(r"create\b", re.IGNORECASE)


def read_change(tag: Tag, created: frozenset[str] = frozenset()) -> Optional[Change]:
    """What a change of a known type does. `created`: tables that the same changeset made, in lower case."""
    if tag.name == "insert":
        effect: Effect = "expand" if tag.get("tableName").lower() in created else "change"
        return Change(steps=step(effect, f"inserts rows into {_table(tag)}"), back=None)
    change = _CHANGES.get(tag.name)
    return None if change is None else change(tag)


def step(effect: Effect, what: str) -> Steps:
    """One step."""
    return (Step(effect=effect, what=what),)


def _table(tag: Tag, attribute: str = "tableName") -> str:
    return tag.get(attribute) or tag.get("baseTableName") or "…"


def _column(tag: Tag) -> str:
    return f"{_table(tag)}.{tag.get('columnName') or '…'}"


def _create_table(tag: Tag) -> Change:
    table = _table(tag)
    return Change(steps=step("expand", f"creates table {table}"), back=step("destroy", f"drops table {table}"))


def _new_column(column: Tag) -> Effect:
    """Whether rows that the older code writes stumble over a new column."""
    limits = constraints(column)
    if limits is None:
        return "expand"
    default = any(column.get(f"defaultValue{kind}") for kind in _DEFAULTS) or column.is_on("autoIncrement")
    if (limits.is_off("nullable") or limits.is_on("primaryKey")) and not default:
        return "change"
    limited = limits.is_on("unique") or limits.is_on("primaryKey") or limits.get("checkConstraint")
    refers = limits.get("references") or limits.get("referencedTableName") or limits.get("foreignKeyName")
    return "change" if limited or refers else "expand"


def _add_column(tag: Tag) -> Change:
    table = _table(tag)
    found = [(column.get("name") or "…", _new_column(column)) for column in columns(tag)]
    return Change(
        steps=tuple(Step(effect=effect, what=f"adds column {table}.{name}") for name, effect in found),
        back=tuple(Step(effect="destroy", what=f"drops column {table}.{name}") for name, _ in found),
    )


def _drop_column(tag: Tag) -> Change:
    names = [column.get("name") or "…" for column in columns(tag)] or [tag.get("columnName") or "…"]
    steps = tuple(Step(effect="destroy", what=f"drops column {_table(tag)}.{name}") for name in names)
    return Change(steps=steps, back=None)


def _rename(attribute: str, what: str) -> Callable[[Tag], Change]:
    def change(tag: Tag) -> Change:
        old, new = tag.get(f"old{attribute}") or "…", tag.get(f"new{attribute}") or "…"
        table = f"{_table(tag)}." if attribute == "ColumnName" else ""
        return Change(
            steps=step("change", f"renames {what} {table}{old} to {new}"),
            back=step("change", f"renames {what} {table}{new} to {old}"),
        )

    return change


def _modify_type(tag: Tag) -> Change:
    what = f"changes the type of {_column(tag)} to {tag.get('newDataType') or '…'}"
    return Change(steps=step("destroy", what), back=None)


def _add_not_null(tag: Tag) -> Change:
    column = _column(tag)
    steps = step("change", f"demands a value in {column}")
    if tag.get("defaultNullValue"):
        steps = (*step("destroy", f"fills the rows whose {column} is NULL"), *steps)
    return Change(steps=steps, back=step("change", f"lets {column} be NULL"))


def _drop_not_null(tag: Tag) -> Change:
    column = _column(tag)
    return Change(steps=step("change", f"lets {column} be NULL"), back=step("change", f"demands a value in {column}"))


def _create_index(tag: Tag) -> Change:
    unique = tag.is_on("unique")
    what = f"{'unique ' if unique else ''}index on {_table(tag)}"
    return Change(steps=step("change" if unique else "expand", f"adds {what}"), back=step("change", f"drops {what}"))


def _create_view(tag: Tag) -> Change:
    view = _table(tag, "viewName")
    query = (tag.text or tag.get("selectQuery")).strip()
    made = read_steps(query if _CREATES.match(query) else f"CREATE VIEW v AS {query}")
    if len(made) > 1 or any(one.effect in ("destroy", "unknown") for one in made):
        return Change(steps=step("unknown", f"creates view {view} by more than a query"), back=None)
    if tag.is_on("replaceIfExists"):
        back = step("unknown", f"drops view {view} and does not bring back the one that it replaced")
        return Change(steps=step("change", f"replaces view {view}"), back=back)
    return Change(steps=step("expand", f"creates view {view}"), back=step("change", f"drops view {view}"))


def _create_code(tag: Tag) -> Change:
    """A procedure, function, trigger or the like; its text is a whole statement."""
    text = tag.text.strip() or tag.get("procedureText") or tag.get("procedureBody")
    if not text:
        what = f"runs {tag.get('path') or tag.name}, which is not read"
        return Change(steps=step("unknown", what), back=None)
    return Change(steps=read_steps(text), back=None)


def _add_lookup_table(tag: Tag) -> Change:
    new = tag.get("newTableName") or "…"
    return Change(
        steps=(
            *step("expand", f"creates table {new}"),
            *step("change", f"adds a foreign key to {tag.get('existingTableName') or '…'}"),
        ),
        back=(*step("change", "drops a foreign key"), *step("destroy", f"drops table {new}")),
    )


def _load_update(tag: Tag) -> Change:
    table = _table(tag)
    return Change(
        steps=step("destroy", f"overwrites rows of {table}"), back=step("destroy", f"deletes rows of {table}")
    )


def _derived(
    effect: Effect, what: str, back_effect: Effect, back: str, *, of: str = "tableName"
) -> Callable[..., Change]:
    """A change that Liquibase rolls back by itself."""

    def change(tag: Tag) -> Change:
        name = _table(tag, of)
        return Change(steps=step(effect, f"{what} {name}"), back=step(back_effect, f"{back} {name}"))

    return change


def _one_way(effect: Effect, what: str, *, of: str = "tableName") -> Callable[[Tag], Change]:
    """A change that Liquibase does not roll back."""
    return lambda tag: Change(steps=step(effect, f"{what} {_table(tag, of)}"), back=None)


def _nothing(_: Tag) -> Change:
    return Change(steps=(), back=())


_CHANGES: dict[str, Callable[[Tag], Change]] = {
    "createTable": _create_table,
    "dropTable": _one_way("destroy", "drops table"),
    "renameTable": _rename("TableName", "table"),
    "addColumn": _add_column,
    "dropColumn": _drop_column,
    "renameColumn": _rename("ColumnName", "column"),
    "modifyDataType": _modify_type,
    "mergeColumns": _one_way("destroy", "merges columns of"),
    "addNotNullConstraint": _add_not_null,
    "dropNotNullConstraint": _drop_not_null,
    "addDefaultValue": _derived("change", "sets a default in", "change", "drops a default in"),
    "dropDefaultValue": _one_way("change", "drops a default in"),
    "addUniqueConstraint": _derived("change", "adds a unique constraint to", "change", "drops a unique constraint of"),
    "dropUniqueConstraint": _one_way("change", "drops a unique constraint of"),
    "addPrimaryKey": _derived("change", "adds a primary key to", "change", "drops the primary key of"),
    "dropPrimaryKey": _one_way("change", "drops the primary key of"),
    "addForeignKeyConstraint": _derived("change", "adds a foreign key to", "change", "drops a foreign key of"),
    "dropForeignKeyConstraint": _one_way("change", "drops a foreign key of"),
    "dropAllForeignKeyConstraints": _one_way("change", "drops all foreign keys of"),
    "addCheckConstraint": _derived("change", "adds a check to", "change", "drops a check of"),
    "dropCheckConstraint": _one_way("change", "drops a check of"),
    "addAutoIncrement": _one_way("change", "numbers a column of"),
    "createIndex": _create_index,
    "dropIndex": _one_way("change", "drops an index of"),
    "createSequence": _derived("expand", "creates sequence", "destroy", "drops sequence", of="sequenceName"),
    "dropSequence": _one_way("destroy", "drops sequence", of="sequenceName"),
    "alterSequence": _one_way("change", "changes sequence", of="sequenceName"),
    "renameSequence": _rename("SequenceName", "sequence"),
    "createView": _create_view,
    "dropView": _one_way("change", "drops view", of="viewName"),
    "renameView": _rename("ViewName", "view"),
    "createProcedure": _create_code,
    "createFunction": _create_code,
    "createTrigger": _create_code,
    "createPackage": _create_code,
    "createPackageBody": _create_code,
    "dropProcedure": _one_way("change", "drops procedure", of="procedureName"),
    "dropFunction": _one_way("change", "drops function", of="functionName"),
    "dropTrigger": _one_way("change", "drops trigger", of="triggerName"),
    "dropPackage": _one_way("change", "drops package", of="packageName"),
    "addLookupTable": _add_lookup_table,
    "update": _one_way("destroy", "overwrites rows of"),
    "delete": _one_way("destroy", "deletes rows of"),
    "loadData": _one_way("change", "inserts rows into"),
    "loadUpdateData": _load_update,
    "setTableRemarks": _one_way("expand", "comments table"),
    "setColumnRemarks": _one_way("expand", "comments a column of"),
    "tagDatabase": _nothing,
    "empty": _nothing,
    "output": _nothing,
}
