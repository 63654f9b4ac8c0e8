"""PostgreSQL's DO blocks that hold nothing but plain statements, as tools write them to make a statement repeatable.

`BEGIN CREATE TYPE …; EXCEPTION WHEN duplicate_object THEN NULL; END` is read; a block with variables, conditions, loops
or computed statements is not. What the statements do is left to `sql_statements`.
"""

from __future__ import annotations

from rollback_guard.release.migrations.sql_cursor import Cursor
from rollback_guard.release.migrations.sql_lexer import POSTGRESQL, Statement, split_statements

# What PL/pgSQL runs as it is. SELECT is not among it, nor is anything that PL/pgSQL reads in its own way.
_PLAIN = frozenset({"CREATE", "ALTER", "DROP", "COMMENT", "UPDATE", "DELETE", "TRUNCATE", "GRANT", "REVOKE"})


def read_block(cursor: Cursor) -> tuple[Statement, ...] | None:
    """The statements of a block, from after its DO; None for one that is more than that."""
    if cursor.take("LANGUAGE"):
        cursor.name()
    if cursor.ahead(0).kind != "string":
        return None
    body = cursor.ahead(0).text
    cursor.at += 1
    if not cursor.done and not (cursor.take("LANGUAGE") and cursor.name() == "plpgsql" and cursor.done):
        return None
    statements = split_statements(body, POSTGRESQL)
    if not statements or statements[0].tokens[0].key != "BEGIN" or _keys(statements[-1]) != ["END"]:
        return None
    inner = (statements[0]._replace(tokens=statements[0].tokens[1:]), *statements[1:-1])
    if len(inner) > 1 and _ignores(inner[-1]):
        inner = inner[:-1]
    if any(one.problem or not one.tokens or one.tokens[0].key not in _PLAIN for one in inner):
        return None
    return inner


def _keys(statement: Statement) -> list[str]:
    return [token.key for token in statement.tokens]


def _ignores(statement: Statement) -> bool:
    """Whether this is a handler that does nothing: EXCEPTION WHEN name OR name THEN NULL."""
    keys = _keys(statement)
    names = keys[2:-2]
    return (
        [*keys[:2], *keys[-2:]] == ["EXCEPTION", "WHEN", "THEN", "NULL"]
        and len(names) % 2 == 1
        and all(key == "OR" for key in names[1::2])
        and not {"THEN", "WHEN"} & set(names)
    )
