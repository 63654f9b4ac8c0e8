"""What a migration does to a database around Alembic's operations: statements that are executed, sessions, objects of
a schema that create or drop themselves.

SQL text is left to `sql`, by way of whoever calls. Source: https://docs.sqlalchemy.org/en/20/core/, https://docs.sqlalchemy.org/en/20/orm/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Optional

from rollback_guard.release.migrations.model import Effect, Step
from rollback_guard.release.migrations.python_values import (
    Arguments,
    Attribute,
    Class,
    Made,
    Opaque,
    Ref,
    Template,
    Value,
    root_of,
    shown,
    words,
)

Steps = tuple[Step, ...]
ReadSql = Callable[[str], Steps]
EXECUTES = words(
    """
    execute executemany executescript exec_driver_sql scalar scalars stream stream_scalars raw_sql
    """
)
_NEW_TABLE = Ref("alembic.op.create_table")
_TEXTS = frozenset(("text", "DDL", "literal_column", "TextClause"))
_KEEPS_TEXT = frozenset(("bindparams", "columns", "execution_options", "execute_if"))
# SQL functions that only compute; of another one nobody knows here what it does.
_COMPUTES = words(
    """
    abs avg cast ceil char_length coalesce concat concat_ws count current_date current_time current_timestamp
    date date_part date_trunc extract floor gen_random_uuid greatest group_concat json_agg json_array_length
    json_build_object json_extract json_object jsonb_agg jsonb_array_elements jsonb_array_length
    jsonb_build_object least left length localtime localtimestamp lower ltrim max md5 min mod now nullif rank
    regexp_replace replace right round row_number rtrim string_agg substr substring sum to_char trim upper
    uuid_generate_v4
    """
)
_ROWS: dict[str, tuple[Effect, str]] = {
    "update": ("destroy", "changes rows"),
    "delete": ("destroy", "deletes rows"),
    "merge": ("destroy", "changes rows"),
    "on_conflict_do_update": ("destroy", "changes rows"),
    "on_duplicate_key_update": ("destroy", "changes rows"),
    "insert": ("change", "inserts rows"),
}
_SCHEMA: dict[str, tuple[Effect, str]] = {
    "CreateTable": ("expand", "creates a table"),
    "CreateIndex": ("change", "creates an index"),
    "CreateSequence": ("expand", "creates a sequence"),
    "CreateSchema": ("expand", "creates a schema"),
    "CreateColumn": ("change", "adds a column"),
    "AddConstraint": ("change", "adds a constraint"),
    "DropConstraint": ("change", "drops a constraint"),
    "DropIndex": ("change", "drops an index"),
    "DropSequence": ("change", "drops a sequence"),
    "DropTable": ("destroy", "drops a table"),
    "DropSchema": ("destroy", "drops a schema"),
}
# What a session does at once. `add` alone brings new rows.
_SESSION: dict[str, tuple[Effect, str]] = {
    "add": ("change", "adds rows through a session"),
    "add_all": ("change", "adds rows through a session"),
    "bulk_insert_mappings": ("change", "adds rows through a session"),
    "bulk_save_objects": ("destroy", "saves rows through a session"),
    "bulk_update_mappings": ("destroy", "changes rows through a session"),
    "merge": ("destroy", "saves rows through a session"),
    "delete": ("destroy", "deletes rows through a session"),
    "update": ("destroy", "changes rows through a session"),
    "create_all": ("expand", "creates tables"),
    "drop_all": ("destroy", "drops tables"),
}
# Methods that read, put statements together, or end a transaction.
_QUIET = words(
    """
    alias all all_ any any_ append as_ as_integer as_scalar as_string asc astext autocommit_block avg begin
    begin_nested begin_transaction between bindparams bool_op c cast close close_all collate columns
    columns_clause commit compile connect contains correlate count create_foreign_key_constraint cte debug
    decode desc digest dispose distinct encode endswith error exception exclude execution_options exists
    expire_all exported_columns expunge expunge_all fetchall fetchmany fetchone filter filter_by first
    first_or_none flush format freeze from_select get getLogger get_bind get_check_constraints get_columns
    get_context get_dialect get_enums get_foreign_keys get_indexes get_isolation_level get_pk_constraint
    get_schema_names get_sequence_names get_table_comment get_table_names get_temp_table_names
    get_unique_constraints get_view_names group_by has has_index has_key has_sequence has_table having hex
    hexdigest icontains ilike in_ info int_ is_ is_active is_distinct is_not is_not_distinct_from isdisjoint
    isnot isoformat items join join_ keys label lateral like limit lower lstrip mappings match nextval
    no_autoflush not_ilike not_in not_like notilike notin notin_ notlike nulls_first nulls_last nullsfirst
    nullslast offset on_conflict_do_nothing on_conflict_do_update on_duplicate_key_update one one_or_none op
    options order_by outerjoin over params partitions pop prefix_with query quote read reflect refresh
    regexp_match replace returning rollback rsplit rstrip scalar_one scalar_one_or_none scalar_subquery scalars
    select select_from selectable self_group setLevel set_ setdefault split splitlines startswith strftime strip
    subquery sum tablesample timestamp title to_metadata total_seconds tuples union union_all unique
    unique_results upper values warn warning where where_ with_entities with_for_update with_hint
    with_only_columns with_variant within_group yield_per zfill
    """
)


def method_steps(of: Value, name: str, arguments: Arguments, read: ReadSql) -> Optional[Steps]:
    """The steps of calling a method of something that is no operation; None where that is not known."""
    if name in EXECUTES:
        if not arguments.values and arguments.whole:
            return ()  # of a query or a result: gives its value
        given = arguments.positional[0] if arguments.positional else arguments.get(None, "statement")
        return statement_steps(given, read)
    begins = root_of(of)
    if isinstance(of, Ref) or _is_of_file(of) or (isinstance(begins, Class) and name in begins.members):
        return None
    if name in ("create", "drop"):
        return _itself(of, name)
    if name in ("update", "delete", "insert") and _builds(of):
        return ()
    if name in _SESSION:
        effect, what = _SESSION[name]
        return (Step(effect=effect, what=what),)
    return () if name in _QUIET else None


def statement_steps(statement: Value, read: ReadSql) -> Steps:
    """What executing something does: text, or a statement of SQLAlchemy."""
    text = _text_of(statement)
    if text is not None:
        return read(text.replace("\\:", ":"))
    if isinstance(statement, (Template, Opaque)):
        return (Step(effect="unknown", what=f"executes SQL that is not written out ({shown(statement)})"),)
    if isinstance(statement, Made) and isinstance(statement.target, Ref) and statement.target.last in _SCHEMA:
        effect, what = _SCHEMA[statement.target.last]
        return (Step(effect=effect, what=what),)
    found = dict.fromkeys(_within(statement, read))
    begins = root_of(statement)
    model = isinstance(begins, Class) and not _is_of_file(begins)
    known = isinstance(statement, Made) and (_of_sqlalchemy(begins) or model or begins == _NEW_TABLE)
    if not known or (not found and not _selects(statement)):
        return (*found, Step(effect="unknown", what=f"executes {shown(statement)}, which is not read"))
    return tuple(found)


def _text_of(statement: Value) -> Optional[str]:
    """The SQL of a text, however it is wrapped."""
    while isinstance(statement, Made):
        target = statement.target
        if isinstance(target, Attribute) and target.name in _KEEPS_TEXT:
            statement = target.of
        elif isinstance(target, Ref) and target.last in _TEXTS and _of_sqlalchemy(target):
            given = statement.arguments
            statement = given.get(0, "text") if target.last != "DDL" else given.get(0, "statement")
        else:
            return None
    return statement if isinstance(statement, str) else None


def _within(value: Value, read: ReadSql) -> Iterator[Step]:
    """What all parts of a statement do: an update may stand in a select's common table expression."""
    waiting = [value]
    seen: set[int] = set()  # parts may be shared many times over
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, Attribute):
            waiting.append(one.of)
        elif isinstance(one, Made):
            waiting += [one.target, *one.arguments.values]
            target = one.target
            name = target.name if isinstance(target, Attribute) else shown(target)
            text = _text_of(one)
            if isinstance(target, Ref) and ".func." in target.path and name not in _COMPUTES:
                yield Step(effect="unknown", what=f"calls the database's {name}()")
            elif name in _ROWS and (isinstance(target, Attribute) or _of_sqlalchemy(target)):
                effect, what = _ROWS[name]
                yield Step(effect=effect, what=f"{what} {_table_of(one)}".rstrip())
            elif text is not None and ("(" in text or ";" in text):
                yield from (step for step in read(f"SELECT {text}") if step.effect != "expand")


def _table_of(statement: Made) -> str:
    """`of orders`, where the table is written out."""
    target = statement.target
    table = target.of if isinstance(target, Attribute) else statement.arguments.get(0, "table")
    while isinstance(table, Attribute):
        table = table.of
    if isinstance(table, Made) and table.arguments.positional and isinstance(table.arguments.positional[0], str):
        return f"of {shown(table.arguments.positional[0])}"
    return f"of {table.name}" if isinstance(table, Class) else ""


def _selects(statement: Value) -> bool:
    """Whether a statement begins by selecting."""
    while isinstance(statement, (Made, Attribute)):
        if isinstance(statement, Attribute):
            if statement.name in ("select", "count", "exists"):
                return True
            statement = statement.of
        else:
            statement = statement.target
    return isinstance(statement, Ref) and statement.last in ("select", "exists", "union", "union_all", "values")


def _builds(of: Value) -> bool:
    """Whether `update` and the like of it only make a statement: a table's do, a query's act at once."""
    while isinstance(of, Attribute) and of.name == "__table__":
        of = of.of
    if isinstance(of, Class):
        return True
    tables = ("table", "Table", "TableClause", "create_table")
    return isinstance(of, Made) and isinstance(of.target, Ref) and of.target.last in tables


def _itself(of: Value, name: str) -> Optional[Steps]:
    """`create` and `drop` of a type, a table, an index or a sequence of SQLAlchemy."""
    while isinstance(of, Attribute) and of.name == "__table__":
        of = of.of
    kind = of.name if isinstance(of, Class) else shown(of)
    if not isinstance(of, (Made, Class)) or (isinstance(of, Made) and not isinstance(of.target, (Ref, Class))):
        return None
    if isinstance(of, Made) and isinstance(of.target, Ref) and "sqlalchemy" not in of.target.path:
        return (Step(effect="destroy", what="drops a table"),) if of.target == _NEW_TABLE else None
    thing = shown(of.arguments.get(None, "name", kind)) if isinstance(of, Made) else kind
    if name == "create":
        index = kind == "Index" and isinstance(of, Made) and of.arguments.get(None, "unique", False) is not False
        return (Step(effect="change" if index else "expand", what=f"creates {thing}"),)
    harmless = kind.lower() in ("enum", "sequence", "index", "domain")
    return (Step(effect="change" if harmless else "destroy", what=f"drops {thing}"),)


def _is_of_file(value: Value) -> bool:
    """Whether something is a class of the file, whose methods may be anything, or made of one."""
    begins = root_of(value)
    if not isinstance(begins, Class):
        return False
    waiting: list[Value] = [begins]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Class):
            waiting += one.bases
        elif _of_sqlalchemy(root_of(one)):
            return False  # a model: what it inherits is SQLAlchemy's
    return True


def _of_sqlalchemy(value: Value) -> bool:
    return isinstance(value, Ref) and value.path.partition(".")[0] in ("sqlalchemy", "sqlmodel")
