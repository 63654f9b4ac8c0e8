"""The commands of a Rails migration by name, those of widely used gems among them.

What each does is left to `rails_commands`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from rollback_guard.release.migrations import rails_commands as does
from rollback_guard.release.migrations.rails_commands import Arguments, Done, constraint, reversed_pair, step


def describe(name: str, given: Arguments) -> Optional[Done]:
    """What a command does; None where it is none."""
    command = COMMANDS.get(name)
    return None if command is None else command(given)


def _one_way(done: Callable[[Arguments], Done], why: str) -> Callable[[Arguments], Done]:
    """A command that Rails does not reverse."""
    return lambda given: done(given)._replace(back=None, why=why)


def _versioned(what: str) -> Callable[[Arguments], Done]:
    """What the gems scenic and fx put in place of a view, function or trigger; they reverse it to a given version."""

    def command(given: Arguments) -> Done:
        steps = step("change", f"replaces {what} {given.name(0)}")
        if given.has("revert_to_version"):
            return Done(steps=steps, back=steps)
        return Done(steps=steps, back=None, why=f"a replaced {what} without revert_to_version")

    return command


def _dropped(what: str) -> Callable[[Arguments], Done]:
    def command(given: Arguments) -> Done:
        steps = step("change", f"drops {what} {given.name(0)}")
        if given.has("revert_to_version"):
            return Done(steps=steps, back=step("expand", f"creates {what} {given.name(0)}"))
        return Done(steps=steps, back=None, why=f"a dropped {what} without revert_to_version")

    return command


def _drop_enum(given: Arguments) -> Done:
    steps = step("destroy", f"drops type {given.name(0)}")
    if len(given.places) > 1:
        return Done(steps=steps, back=step("expand", f"creates type {given.name(0)}"))
    return Done(steps=steps, back=None, why="drop_enum without its values")


def _rename_enum_value(given: Arguments) -> Done:
    steps = step("change", f"renames a value of type {given.name(0)}")
    if given.has("from", "to"):
        return Done(steps=steps, back=steps)
    return Done(steps=steps, back=None, why="rename_enum_value without from and to")


def _rename_enum(given: Arguments) -> Done:
    steps = step("change", f"renames type {given.name(0)}")
    return Done(steps=steps, back=steps)


def _drop_virtual_table(given: Arguments) -> Done:
    steps = step("destroy", f"drops table {given.name(0)}")
    if len(given.places) > 2:
        return Done(steps=steps, back=step("expand", f"creates table {given.name(0)}"))
    return Done(steps=steps, back=None, why="drop_virtual_table without options")


def _truncate(given: Arguments) -> Done:
    return Done(steps=step("destroy", f"deletes all rows of {', '.join(given.names(0))}"), back=None, why="truncate")


def _validate(given: Arguments) -> Done:
    return Done(steps=step("expand", f"validates a constraint of {given.name(0)}"), back=())


COMMANDS: dict[str, Callable[[Arguments], Done]] = {
    "create_table": does.create_table,
    "create_join_table": does.create_join_table,
    "drop_table": does.drop_table,
    "drop_join_table": does.drop_join_table,
    "rename_table": does.rename_thing,
    "add_column": does.add_column,
    "add_columns": does.add_columns,
    "remove_column": does.remove_column,
    "remove_columns": does.remove_columns,
    "change_column": does.change_column,
    "change_column_null": does.change_null,
    "change_column_default": does.change_default,
    "change_column_comment": does.change_comment,
    "change_table_comment": does.change_comment,
    "rename_column": does.rename_within,
    "rename_index": does.rename_within,
    "add_reference": does.add_reference,
    "add_belongs_to": does.add_reference,
    "remove_reference": does.remove_reference,
    "remove_belongs_to": does.remove_reference,
    "add_timestamps": does.add_timestamps,
    "remove_timestamps": does.remove_timestamps,
    "add_index": does.add_index,
    "remove_index": does.remove_index,
    "enable_index": reversed_pair("change", "enables an index of", "change", "disables an index of"),
    "disable_index": reversed_pair("change", "disables an index of", "change", "enables an index of"),
    "add_foreign_key": constraint("foreign key", adds=True),
    "remove_foreign_key": constraint(
        "foreign key", adds=False, least=2, option="to_table", why="remove_foreign_key without the other table"
    ),
    "add_check_constraint": constraint("check constraint", adds=True),
    "remove_check_constraint": constraint(
        "check constraint", adds=False, least=2, why="remove_check_constraint without an expression"
    ),
    "add_exclusion_constraint": constraint("exclusion constraint", adds=True),
    "remove_exclusion_constraint": constraint(
        "exclusion constraint", adds=False, least=2, why="remove_exclusion_constraint without an expression"
    ),
    "add_unique_constraint": does.add_unique,
    "remove_unique_constraint": constraint(
        "unique constraint", adds=False, least=2, why="remove_unique_constraint without columns"
    ),
    "validate_foreign_key": _validate,
    "validate_check_constraint": _validate,
    "validate_constraint": _validate,
    "enable_extension": reversed_pair("expand", "enables extension", "change", "disables extension"),
    "disable_extension": reversed_pair("destroy", "disables extension", "expand", "enables extension"),
    "create_enum": reversed_pair("expand", "creates type", "destroy", "drops type"),
    "drop_enum": _drop_enum,
    "rename_enum": _rename_enum,
    "rename_enum_value": _rename_enum_value,
    "add_enum_value": _one_way(reversed_pair("expand", "adds a value to type", "expand", ""), "add_enum_value"),
    "create_schema": reversed_pair("expand", "creates schema", "destroy", "drops schema"),
    "drop_schema": reversed_pair("destroy", "drops schema", "expand", "creates schema"),
    "create_virtual_table": reversed_pair("expand", "creates table", "destroy", "drops table"),
    "drop_virtual_table": _drop_virtual_table,
    "truncate": _truncate,
    "truncate_tables": _truncate,
    "create_view": reversed_pair("expand", "creates view", "change", "drops view"),
    "update_view": _versioned("view"),
    "replace_view": _versioned("view"),
    "drop_view": _dropped("view"),
    "create_function": reversed_pair("expand", "creates function", "change", "drops function"),
    "update_function": _versioned("function"),
    "drop_function": _dropped("function"),
    "create_trigger": reversed_pair("change", "creates trigger", "change", "drops trigger"),
    "update_trigger": _versioned("trigger"),
    "drop_trigger": _dropped("trigger"),
}
# What is called on the table that `change_table` hands to its block, and the command that it stands for.
OF_TABLE = {
    "column": "add_column",
    "index": "add_index",
    "timestamps": "add_timestamps",
    "change": "change_column",
    "change_default": "change_column_default",
    "change_null": "change_column_null",
    "rename": "rename_column",
    "rename_index": "rename_index",
    "references": "add_reference",
    "belongs_to": "add_reference",
    "remove": "remove_columns",
    "remove_references": "remove_reference",
    "remove_belongs_to": "remove_reference",
    "remove_index": "remove_index",
    "remove_timestamps": "remove_timestamps",
    "foreign_key": "add_foreign_key",
    "remove_foreign_key": "remove_foreign_key",
    "check_constraint": "add_check_constraint",
    "remove_check_constraint": "remove_check_constraint",
    "exclusion_constraint": "add_exclusion_constraint",
    "remove_exclusion_constraint": "remove_exclusion_constraint",
    "unique_constraint": "add_unique_constraint",
    "remove_unique_constraint": "remove_unique_constraint",
}
# Types of columns; each is a method that adds columns of that type.
COLUMN_TYPES = frozenset(
    ("string", "text", "integer", "bigint", "smallint", "float", "decimal", "numeric", "datetime", "timestamp")
    + ("timestamptz", "time", "date", "binary", "blob", "boolean", "json", "jsonb", "uuid", "inet", "cidr", "macaddr")
    + ("xml", "hstore", "ltree", "tsvector", "citext", "money", "interval", "bit", "bit_varying", "point", "line")
    + ("lseg", "box", "path", "polygon", "circle", "int4range", "int8range", "numrange", "tsrange", "tstzrange")
    + ("daterange", "oid", "serial", "bigserial", "enum", "virtual", "tinyint", "mediumint", "tinytext", "mediumtext")
    + ("longtext", "tinyblob", "mediumblob", "longblob", "unsigned_integer", "unsigned_bigint", "unsigned_float")
    + ("unsigned_decimal", "geometry", "geography", "st_point", "st_polygon", "vector", "attachment", "primary_key")
)
