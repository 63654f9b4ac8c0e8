"""What statements do to rows: INSERT, UPDATE, DELETE and their kin, and SELECT, which may run anything by a function.

What a statement does to the shape of a database is left to `sql_table` and `sql_objects`.
"""

from __future__ import annotations

from itertools import pairwise

from rollback_guard.release.migrations.model import Step
from rollback_guard.release.migrations.sql_cursor import Cursor, outer, split_commas, words
from rollback_guard.release.migrations.sql_made import Made, step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rollback_guard.release.migrations.sql_lexer import Token

# Functions that only compute. Anything else that a bare SELECT calls was called for what it does.
_PURE = words("""
    COUNT MIN MAX SUM AVG COALESCE NULLIF GREATEST LEAST LOWER UPPER LENGTH TRIM CONCAT SUBSTRING SUBSTR REPLACE
    ROUND ABS NOW CURRENT_TIMESTAMP CURRENT_DATE DATE EXTRACT DATE_TRUNC TO_CHAR CAST CONVERT IF IFNULL ISNULL
    ROW_NUMBER RANK LAG LEAD STRING_AGG ARRAY_AGG JSON_AGG JSONB_AGG JSON_OBJECT JSON_BUILD_OBJECT JSONB_BUILD_OBJECT
    GROUP_CONCAT VERSION DATABASE CURRENT_SETTING CURRENT_DATABASE CURRENT_SCHEMA TO_REGCLASS FORMAT CURRVAL
    LAST_INSERT_ID LAST_INSERT_ROWID CHANGES UNNEST GENERATE_SERIES MD5 UUID GEN_RANDOM_UUID STRFTIME DATETIME JULIANDAY
    PG_GET_SERIAL_SEQUENCE FOUND_ROWS ROW_COUNT
""")
# Words that stand before a parenthesis and are no function.
_NO_FUNCTIONS = words("""
    SELECT FROM WHERE AND OR NOT IN EXISTS AS ON USING BY VALUES OVER FILTER WITHIN UNION ALL EXCEPT INTERSECT ANY
    SOME WHEN THEN ELSE CASE BETWEEN LIKE JOIN LATERAL HAVING LIMIT OFFSET DISTINCT ARRAY ROW INTERVAL VARCHAR NUMERIC
    DECIMAL CHAR WITH MATERIALIZED IS SET RETURNING INTO TABLE
""")
_CHANGES_ROWS = frozenset({"DELETE", "UPDATE", "INSERT", "MERGE", "REPLACE", "TRUNCATE"})
_BEFORE_QUERY = frozenset({"WITH", "RECURSIVE", ","})
_BEGIN_QUERY = _CHANGES_ROWS | {"SELECT", "VALUES", "WITH", "TABLE"}
_AFTER_SET = frozenset({"WHERE", "FROM", "RETURNING", "ORDER", "LIMIT"})
_MODIFIERS = frozenset({"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "QUICK"})


def within(tokens: Sequence[Token]) -> str:
    """The statement in parentheses, of those that change rows, that a WITH brings along; "" if there is none."""
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if before.key == "(" and token.key in _CHANGES_ROWS and after.kind != "symbol":
            return token.key
    return ""


def insert(cursor: Cursor, made: Made, verb: str) -> Iterator[Step]:
    """The step of an INSERT or REPLACE, from after this word."""
    replaces = verb == "REPLACE"
    if cursor.take("OR"):
        replaces = cursor.key == "REPLACE"
        cursor.at += 1
    while cursor.take_any(_MODIFIERS | {"IGNORE"}):
        pass
    into = cursor.take("INTO") or cursor.take("OVERWRITE")
    cursor.take("TABLE")
    table = cursor.name()
    if not table or (cursor.done and not into):
        yield step("unknown", "inserts something that cannot be read")
        return
    overwrites = replaces or _overwrites(cursor.rest())
    events = ("INSERT", "UPDATE", "DELETE") if overwrites else ("INSERT",)
    run = next((name for event in events if (name := made.run_by(cursor.tokens, event))), "")
    if run:
        yield step("unknown", f"inserts rows and so runs {run}, which this migration makes")
    elif table in made.tables:
        yield step("expand", f"fills table {table}")
    elif overwrites:
        yield step("destroy", f"overwrites rows of {table}")
    else:
        yield step("change", f"inserts rows into {table}")


def _overwrites(tokens: Sequence[Token]) -> bool:
    keys = [key for _, key in outer(tokens)]
    return any(pair == ("DO", "UPDATE") or pair == ("KEY", "UPDATE") for pair in pairwise(keys))


def update(cursor: Cursor, made: Made) -> Iterator[Step]:
    """The step of an UPDATE, from after this word. One that fills columns just added loses nothing."""
    if cursor.take("OR"):
        cursor.at += 1
    while cursor.take_any(_MODIFIERS | {"IGNORE"}):
        pass
    cursor.take("ONLY")
    table = cursor.name()
    run = made.run_by(cursor.tokens, "UPDATE")
    if not table:
        yield step("unknown", "updates something that cannot be read")
        return
    if run:
        yield step("unknown", f"updates rows and so runs {run}, which this migration makes")
        return
    alone = _one_table(cursor)  # MySQL updates several at once
    columns = _set(cursor) if alone else ()
    if table in made.tables and alone:
        yield step("expand", f"fills table {table}")
    elif columns and all(made.has_column(table, column) for column in columns):
        yield step("expand", f"fills what it added to {table}: {', '.join(columns)}")
    else:
        yield step("destroy", f"overwrites rows of {table}")


def _one_table(cursor: Cursor) -> bool:
    """Goes to the SET of an UPDATE; whether only one table, perhaps with an alias, came before it."""
    cursor.take("AS")
    if cursor.key != "SET":
        cursor.name()
    return cursor.take("SET")


def _set(cursor: Cursor) -> tuple[str, ...]:
    """The columns that are set; none when one of them cannot be read."""
    tokens = cursor.rest()
    end = next((at for at, key in outer(tokens) if key in _AFTER_SET), len(tokens))
    columns = []
    for part in split_commas(tokens[:end]):
        one = Cursor(part)
        if one.key == "(":
            names = [Cursor(name).name() for name in split_commas(one.past_parentheses())]
        else:
            names = [one.name()]
        if not one.take("=") or not all(names):
            return ()
        columns += [name.rpartition(".")[2] for name in names]
    return tuple(columns)


def delete(cursor: Cursor, made: Made) -> Iterator[Step]:
    """The step of a DELETE, from after this word."""
    run = made.run_by(cursor.tokens, "DELETE")
    cursor.take("FROM")
    cursor.take("ONLY")
    table = cursor.name() or "a table"
    if run:
        yield step("unknown", f"deletes rows and so runs {run}, which this migration makes")
    else:
        yield step("destroy", f"deletes rows of {table}")


def truncate(cursor: Cursor, made: Made) -> Iterator[Step]:
    """The step of a TRUNCATE, from after this word."""
    cursor.take("TABLE")
    run = made.run_by(cursor.tokens, "TRUNCATE")
    if run:
        yield step("unknown", f"empties tables and so runs {run}, which this migration makes")
        return
    cursor.take("ONLY")
    table = cursor.name() or "a table"
    yield step("destroy", f"deletes all rows of {table}")


def select(cursor: Cursor, made: Made) -> Iterator[Step]:
    """The steps of a SELECT, VALUES or TABLE, seen as a whole: none where it only reads."""
    run = made.run_by(cursor.tokens)
    if run:
        yield step("unknown", f"runs {run}, which this migration makes")
        return
    keys = [key for _, key in outer(cursor.tokens)]
    if "INTO" in keys:
        after = Cursor(cursor.tokens)
        after.at = next(at for at, key in outer(cursor.tokens) if key == "INTO") + 1
        if after.key in ("OUTFILE", "DUMPFILE"):
            yield step("unknown", "writes rows to a file of the server")
        elif after.key != "@":
            while after.take_any(frozenset({"TEMP", "TEMPORARY", "UNLOGGED", "TABLE"})):
                pass
            yield step("expand", f"creates table {after.name()} from a query")
    for name in called(cursor.tokens):
        if name == "SET_CONFIG":
            made.forget()
        elif name == "SETVAL":
            yield step("change", "sets where a sequence goes on")
        elif name not in _PURE:
            yield step("unknown", f"calls {name.lower()}, which may do anything")


def _names_query(tokens: Sequence[Token], at: int) -> bool:
    """Whether the parenthesis here holds the columns of a query that a WITH names."""
    cursor = Cursor(tokens)
    cursor.at = at
    cursor.past_parentheses()
    named = cursor.take("AS")
    cursor.take("NOT")
    cursor.take("MATERIALIZED")
    return named and cursor.key == "(" and cursor.ahead(1).key in _BEGIN_QUERY


def called(tokens: Sequence[Token]) -> tuple[str, ...]:
    """The functions that a statement calls, in capitals, each once."""
    found = []
    for at, (token, after) in enumerate(pairwise(tokens)):
        before = tokens[at - 1].key if at else ""
        if after.key != "(" or token.kind not in ("word", "quoted") or before == "AS":
            continue
        if token.key not in _NO_FUNCTIONS and not (before in _BEFORE_QUERY and _names_query(tokens, at + 1)):
            found.append(token.text.upper())
    return tuple(dict.fromkeys(found))
