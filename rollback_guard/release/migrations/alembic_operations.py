"""What each operation of Alembic does, directly or inside `batch_alter_table`.

Statements that are executed are left to `alembic_database`, types to `alembic_types`.
Source: https://alembic.sqlalchemy.org/en/latest/ops.html.
"""

from __future__ import annotations

from typing import Optional

from rollback_guard.release.migrations.alembic_types import widens
from rollback_guard.release.migrations.model import Effect, Step
from rollback_guard.release.migrations.python_operators import alike
from rollback_guard.release.migrations.python_values import Arguments, Made, Opaque, Ref, Value, shown

Steps = tuple[Step, ...]
# Those that touch nothing by themselves.
QUIET = frozenset(("batch_alter_table", "f", "get_bind", "get_context", "inline_literal"))
# name: effect, verb, where the table stands (None: it is not said), where the object does
_PLAIN: dict[str, tuple[Effect, str, Optional[int], Optional[int]]] = {
    "create_table": ("expand", "creates table", None, 0),
    "drop_table": ("destroy", "drops table", None, 0),
    "rename_table": ("change", "renames table", None, 0),
    "create_table_comment": ("expand", "comments on table", None, 0),
    "drop_table_comment": ("expand", "drops the comment of table", None, 0),
    "drop_column": ("destroy", "drops column", 0, 1),
    "drop_index": ("change", "drops index", 1, 0),
    "drop_constraint": ("change", "drops constraint", 1, 0),
    "create_unique_constraint": ("change", "adds unique constraint", 1, 0),
    "create_check_constraint": ("change", "adds check constraint", 1, 0),
    "create_exclude_constraint": ("change", "adds exclusion constraint", 1, 0),
    "create_foreign_key": ("change", "adds foreign key", 1, 0),
    "create_primary_key": ("change", "adds primary key", 1, 0),
    # Of alembic_utils, for functions, views, triggers, policies: things that hold no rows.
    "create_entity": ("expand", "creates", None, None),
    "drop_entity": ("change", "drops", None, None),
    "replace_entity": ("change", "replaces", None, None),
    "sync_enum_values": ("destroy", "replaces the values of an enum", None, None),  # of alembic-postgresql-enum
}
_OF_TABLE = ("table_name", "source_table")
_NAMES = ("table_name", "old_table_name", "column_name", "index_name", "constraint_name")


def operation(name: str, arguments: Arguments, batch: Value = None) -> Optional[Steps]:
    """The steps of `op.<name>(…)`, or of a batch's where `batch` is its table; None where it is not known."""
    if name in QUIET:
        return ()
    if batch is not None and name in ("add_column", "alter_column", "create_index", *_PLAIN):
        arguments = _in_batch(name, arguments, batch)
    if name == "add_column":
        return (_add_column(shown(arguments.get(0, "table_name")), arguments.get(1, "column")),)
    if name == "alter_column":
        return _alter_column(arguments)
    if name == "create_index":
        unique = arguments.get(None, "unique", False) not in (False, None)
        where = f"{shown(arguments.get(0, 'index_name'))} on {shown(arguments.get(1, 'table_name'))}"
        return (_step("change", f"adds unique index {where}") if unique else _step("expand", f"adds index {where}"),)
    if name not in _PLAIN:
        return None
    effect, verb, table_at, object_at = _PLAIN[name]
    if object_at is None:
        given = arguments.positional[0] if arguments.positional else None
        return (_step(effect, f"{verb} {shown(given)}" if isinstance(given, Made) else verb),)
    table = None if table_at is None else _named(arguments, table_at, _OF_TABLE)
    thing = shown(_named(arguments, object_at, _NAMES if table_at is None else _NAMES[2:]))
    if name == "drop_column":
        return (_step(effect, f"{verb} {shown(table)}.{thing}"),)
    return (_step(effect, f"{verb} {thing}" + (f" of {shown(table)}" if table else "")),)


def _in_batch(name: str, arguments: Arguments, batch: Value) -> Arguments:
    """The arguments as the operation outside of a batch has them: with the table in its place."""
    at = 0 if name in ("add_column", "alter_column", "drop_column") else 1
    given = arguments.positional
    if at > len(given):
        given = (Opaque("a name"),)
    return arguments._replace(positional=(*given[:at], batch, *given[at:]))


def _named(arguments: Arguments, at: int, names: tuple[str, ...]) -> Value:
    for name in names:
        if arguments.has(name):
            return arguments.get(None, name)
    return arguments.get(at, "")


def _add_column(table: str, column: Value) -> Step:
    if not isinstance(column, Made) or not isinstance(column.target, Ref) or column.target.last != "Column":
        return _step("change", f"adds a column to {table} that is not written out")
    given = column.arguments
    what = f"adds column {table}.{shown(given.get(0, 'name'))}"
    key = given.get(None, "primary_key", False) not in (False, None)
    nullable = given.get(None, "nullable", None)
    nullable = not key if nullable is None else nullable
    if given.get(None, "unique", False) not in (False, None):
        return _step("change", f"{what}, unique")
    if nullable is True or (_fills_itself(given) and not key):
        return _step("expand", what)
    return _step("change", f"{what}, NOT NULL without a default")


def _fills_itself(column: Arguments) -> bool:
    """Whether the database has a value for a column that an insert does not name."""
    if any(
        isinstance(one, Made) and shown(one) in ("Computed", "Identity", "FetchedValue") for one in column.positional
    ):
        return True
    default = column.get(None, "server_default")
    return default is not None and default is not False and not isinstance(default, Opaque)


def _alter_column(arguments: Arguments) -> Steps:
    where = f"{shown(arguments.get(0, 'table_name'))}.{shown(arguments.get(1, 'column_name'))}"
    if not arguments.whole:
        return (_step("unknown", f"alters column {where} in a way that is not written out"),)
    steps: list[Step] = []
    for name, value in arguments.named:
        if name == "nullable" and value is not None:
            verb = "sets" if value is False else "drops" if value is True else "changes"
            steps.append(_step("change", f"{verb} NOT NULL of {where}"))
        elif name in ("type_", "type") and value is not None:
            steps += _alter_type(where, value, arguments)
        elif name in ("new_column_name", "name") and value is not None:
            steps.append(_step("change", f"renames column {where} to {shown(value)}"))
        elif name == "server_default" and value is not False:
            steps.append(_step("change", f"changes the default of {where}"))
        elif name == "comment" and value is not False:
            steps.append(_step("expand", f"comments on column {where}"))
        elif not name.startswith("existing_") and name not in _KNOWN and not name.startswith("postgresql_using"):
            steps.append(_step("change", f"alters {name} of {where}"))
    return tuple(steps)


_KNOWN = frozenset(
    ("nullable", "type_", "type", "new_column_name", "name", "server_default", "comment", "schema")
    + ("table_name", "column_name")
)


def _alter_type(where: str, new: Value, arguments: Arguments) -> Steps:
    old = arguments.get(None, "existing_type")
    if old is None:
        return (_step("destroy", f"changes the type of {where}; what it was is not said"),)
    if alike(old, new) and not arguments.has("postgresql_using"):
        return ()
    if not arguments.has("postgresql_using") and widens(old, new):
        return (_step("change", f"widens the type of {where}"),)
    return (_step("destroy", f"changes the type of {where} from {shown(old)} to {shown(new)}"),)


def _step(effect: Effect, what: str) -> Step:
    return Step(effect=effect, what=what)
