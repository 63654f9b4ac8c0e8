"""What ALTER TABLE does, action by action, and what a new column asks of code that does not know of it.

Sources: the grammars of ALTER TABLE in the manuals of PostgreSQL 17, MySQL 8.4, MariaDB 11 and SQLite 3.
"""

from __future__ import annotations

from itertools import pairwise

from rollback_guard.release.migrations.model import Step
from rollback_guard.release.migrations.sql_cursor import Cursor, outer, split_commas
from rollback_guard.release.migrations.sql_lexer import Token
from rollback_guard.release.migrations.sql_made import Made, step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CONSTRAINTS = frozenset({"CONSTRAINT", "UNIQUE", "PRIMARY", "FOREIGN", "CHECK", "EXCLUDE"})
_INDEXES = frozenset({"INDEX", "KEY", "FULLTEXT", "SPATIAL", "VECTOR"})
_REMADE = frozenset({"CONSTRAINT", "INDEX", "KEY", "PRIMARY", "FOREIGN", "CHECK", "PERIOD"})
_SERIAL = frozenset({"SERIAL", "BIGSERIAL", "SMALLSERIAL", "SERIAL2", "SERIAL4", "SERIAL8"})
_FILLED = frozenset({"AUTO_INCREMENT", "AUTOINCREMENT", "GENERATED", "AS", "IDENTITY"})
# Any other type's values are kept in these, whatever the type was. What MySQL calls TEXT is not the longest there.
_WIDEST = (["TEXT"], ["VARCHAR"], ["CHARACTER", "VARYING"])
_WIDEST_IN_MYSQL = (["LONGTEXT"], ["LONGTEXT", "NULL"])
# Where these stand further on, another statement has begun.
_RUNS_ON = frozenset({"DROP", "TRUNCATE", "EXEC", "EXECUTE", "ALTER", "INSERT", "MERGE", "CREATE"})
# What follows leaves the rows as they are and can be said again the other way round.
_SETTINGS = (
    ("SET", "("), ("RESET", "("), ("SET", "TABLESPACE"), ("SET", "LOGGED"), ("SET", "ACCESS"), ("SET", "WITHOUT"),
    ("SET", "SCHEMA"), ("OWNER", "TO"), ("CLUSTER", "ON"), ("REPLICA", "IDENTITY"), ("INHERIT",), ("NO", "INHERIT"),
    ("ENABLE",), ("DISABLE",), ("FORCE",), ("NO", "FORCE"), ("DETACH", "PARTITION"), ("ATTACH", "PARTITION"),
    ("REORGANIZE", "PARTITION"), ("COALESCE", "PARTITION"), ("REMOVE", "PARTITIONING"), ("PARTITION", "BY"),
    ("ANALYZE", "PARTITION"), ("CHECK", "PARTITION"), ("OPTIMIZE", "PARTITION"), ("REBUILD", "PARTITION"),
    ("OF",), ("NOT", "OF"), ("DEFAULT",), ("CHARACTER", "SET"), ("CHARSET",), ("COLLATE",), ("COMMENT",),
    ("AUTO_INCREMENT",), ("ROW_FORMAT",), ("KEY_BLOCK_SIZE",), ("MAX_ROWS",), ("MIN_ROWS",), ("STATS_PERSISTENT",),
    ("STATS_AUTO_RECALC",), ("STATS_SAMPLE_PAGES",), ("COMPRESSION",), ("ENCRYPTION",), ("CHECKSUM",),
    ("AVG_ROW_LENGTH",), ("PACK_KEYS",), ("DELAY_KEY_WRITE",), ("ORDER", "BY"),
)  # fmt: skip
# What ties the table to rows that the migration did not make.
_TIES = (("ATTACH",), ("INHERIT",), ("EXCHANGE",), ("OF",), ("SET", "SCHEMA"))


def alter_table(cursor: Cursor, made: Made) -> Iterator[Step]:
    """The steps of one ALTER TABLE, from after these two words."""
    maybe = cursor.take("IF", "EXISTS")
    cursor.take("ONLY")
    table = cursor.name()
    cursor.take("*")
    if not table or cursor.done:
        yield step("unknown", "alters a table in a way that cannot be read")
        return
    own = table in made.tables
    for tokens in split_commas(cursor.rest()):
        for one in _action(Cursor(tokens), table, made):
            ours = own and table in made.tables and one.effect in ("change", "destroy")
            yield step("expand", one.what) if ours else one
    if maybe and not own:
        made.drop(table)


def _action(cursor: Cursor, table: str, made: Made) -> Iterator[Step]:
    for tie in _TIES:
        if Cursor(cursor.tokens).take(*tie):
            made.forget()
    verbs = 3 if cursor.key == "ALTER" else 0  # ALTER COLUMN b DROP DEFAULT
    if any(key in _RUNS_ON for at, key in outer(cursor.tokens) if at > verbs):
        yield step("unknown", f"alters table {table} in a way that cannot be read: {_said(cursor.tokens)}")
        return
    run = made.run_by(cursor.tokens)
    if run and any(token.key == "DEFAULT" for token in cursor.tokens) and cursor.key == "ALTER":
        made.fires("INSERT", table)
    elif run:
        yield step("unknown", f"alters table {table} with {run}, which this migration makes")
    if cursor.take("ADD"):
        yield from _add(cursor, table, made)
    elif cursor.take("DROP"):
        yield _drop(cursor, table, made)
    elif cursor.take("ALTER"):
        yield _alter(cursor, table)
    elif cursor.take("RENAME"):
        yield _rename(cursor, table, made)
    elif cursor.take("MODIFY"):
        cursor.take("COLUMN")
        cursor.take("IF", "EXISTS")
        yield _retype(cursor, table, cursor.name(), _WIDEST_IN_MYSQL)
    elif cursor.take("CHANGE"):
        cursor.take("COLUMN")
        cursor.take("IF", "EXISTS")
        old = cursor.name()
        made.drop_column(table, old)
        made.drop_column(table, cursor.name())
        yield _retype(cursor, table, old, _WIDEST_IN_MYSQL)
    elif cursor.key in ("ALGORITHM", "LOCK", "WITH", "WITHOUT", "VALIDATE", "NOWAIT", "WAIT"):
        return  # how it is done, not what
    else:
        yield _setting(cursor, table)


def _add(cursor: Cursor, table: str, made: Made) -> Iterator[Step]:
    if cursor.take("PARTITION"):
        yield step("change", f"adds a partition to {table}")
        return
    if cursor.key in _CONSTRAINTS:
        yield step("change", f"adds a constraint to {table}: {_said(cursor.rest())}")
        return
    if _is_index(Cursor(cursor.rest())):
        yield step("expand", f"adds an index to {table}")
        return
    cursor.take("COLUMN")
    maybe = cursor.take("IF", "NOT", "EXISTS")
    if cursor.key == "(":
        for tokens in split_commas(cursor.past_parentheses()):
            yield from _add(Cursor(tokens), table, made)
        return
    column = cursor.name()
    if not column:
        yield step("unknown", f"adds something to {table} that cannot be read")
        return
    if not maybe:
        made.add_column(table, column)
    yield new_column(table, column, cursor.rest())


def _is_index(cursor: Cursor) -> bool:
    """Whether an index is added, and not a column that bears such a name: that has a type where an index has a list."""
    if not cursor.take_any(_INDEXES):
        return False
    cursor.take_any(_INDEXES)
    cursor.take("IF", "NOT", "EXISTS")
    if cursor.key != "USING":
        cursor.name()
    if cursor.take("USING"):
        cursor.name()
    return cursor.key == "(" and cursor.ahead(1).kind != "number"


def new_column(table: str, column: str, tokens: Sequence[Token]) -> Step:
    """What a column that is added to a table with rows asks of code that does not know of it."""
    said = f"adds column {table}.{column}"
    words = [key for _, key in outer(tokens)]
    pairs = list(pairwise(words))
    if "CHECK" in words:
        return step("change", f"{said} with a check")
    if ("PRIMARY", "KEY") in pairs:
        return step("change", f"{said} as the primary key")
    nulls = sum(token.key == "NULL" for token in tokens) - pairs.count(("NOT", "NULL"))
    given = "DEFAULT" in words and not nulls
    filled = given or bool(_FILLED & set(words)) or bool(_SERIAL & set(words[:1]))
    if ("NOT", "NULL") in pairs and not filled:
        return step("change", f"{said}, which must be given and has no default")
    if "UNIQUE" in words and given:
        return step("change", f"{said}, unique with a default")
    return step("expand", said)


def _drop(cursor: Cursor, table: str, made: Made) -> Step:
    named = cursor.ahead(1).kind != "symbol" and cursor.ahead(1).key not in ("CASCADE", "RESTRICT")
    if cursor.key in _REMADE and named:
        return step("change", f"drops from {table}: {_said(cursor.rest())}")
    if cursor.take("PARTITION"):
        return step("destroy", f"drops a partition of {table}")
    cursor.take("COLUMN")
    cursor.take("IF", "EXISTS")
    column = cursor.name()
    if not column:
        return step("unknown", f"drops something from {table} that cannot be read")
    if made.has_column(table, column) and not cursor.take("CASCADE"):
        made.drop_column(table, column)
        return step("expand", f"drops column {table}.{column}, which it added")
    return step("destroy", f"drops column {table}.{column}")


def _alter(cursor: Cursor, table: str) -> Step:
    if cursor.key in ("INDEX", "CONSTRAINT", "CHECK") and cursor.ahead(1).kind != "symbol":
        return step("change", f"alters in {table}: {_said(cursor.rest())}")
    cursor.take("COLUMN")
    column = cursor.name()
    if cursor.take("TYPE") or cursor.take("SET", "DATA", "TYPE"):
        return _retype(cursor, table, column, _WIDEST)
    said = _said(cursor.rest())
    if column and cursor.key not in ("", "SET", "DROP", "ADD", "RESET", "RESTART"):
        return _retype(cursor, table, column, ())  # as other databases write it
    if not column or cursor.done:
        return step("unknown", f"alters column {table}.{column} in a way that cannot be read")
    return step("change", f"alters column {table}.{column}: {said}")


def _retype(cursor: Cursor, table: str, column: str, widest: tuple[list[str], ...]) -> Step:
    """A new type, where the old one is not told: what it held may not fit, or change on the way."""
    if not column or cursor.done:
        return step("unknown", f"alters a column of {table} in a way that cannot be read")
    wide = [token.key for token in cursor.rest()] in widest
    return step("change" if wide else "destroy", f"changes the type of {table}.{column} to {_said(cursor.rest())}")


def _rename(cursor: Cursor, table: str, made: Made) -> Step:
    if cursor.take("CONSTRAINT") or cursor.take("INDEX") or cursor.take("KEY"):
        return step("change", f"renames in {table}: {_said(cursor.rest())}")
    if cursor.take("TO") or cursor.take("AS") or len(cursor.rest()) == 1:
        new = cursor.name()
        own = table in made.tables
        schema = table.rpartition(".")[0]
        made.rename(table, f"{schema}.{new}" if schema and "." not in new else new)
        return step("expand" if own else "change", f"renames table {table} to {new}")
    cursor.take("COLUMN")
    old = cursor.name()
    if not old or not cursor.take("TO"):
        return step("unknown", f"renames something of {table} that cannot be read")
    new = cursor.name()
    made.drop_column(table, old)
    made.drop_column(table, new)
    return step("change", f"renames column {table}.{old} to {new}")


def _setting(cursor: Cursor, table: str) -> Step:
    said = f"alters table {table}: {_said(cursor.rest())}"
    if any(key == "ENGINE" for _, key in outer(cursor.rest())):
        kept = any(token.key in ("INNODB", "ARIA", "ROCKSDB") for token in cursor.rest())
        return step("change" if kept else "destroy", said)
    lost = (("CONVERT", "TO"), ("TRUNCATE", "PARTITION"), ("EXCHANGE", "PARTITION"), ("DISCARD",), ("IMPORT",))
    if any(cursor.take(*words) for words in (*lost, ("SET", "UNLOGGED"))):
        return step("destroy", said)
    if any(cursor.take(*words) for words in _SETTINGS):
        return step("change", said)
    return step("unknown", f"alters table {table} in a way that cannot be read: {_said(cursor.rest())}")


def _said(tokens: Sequence[Token]) -> str:
    return " ".join(token.text for token in tokens[:8]) + (" …" if len(tokens) > 8 else "")
