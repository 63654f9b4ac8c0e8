"""What CREATE, DROP and ALTER do to everything but the columns of a table, which are left to `sql_table`.

Sources: the command references of PostgreSQL 17, MySQL 8.4, MariaDB 11 and SQLite 3.
"""

from __future__ import annotations

from itertools import pairwise

from rollback_guard.release.migrations.model import Effect, Step
from rollback_guard.release.migrations.sql_cursor import Cursor, outer, split_commas, words
from rollback_guard.release.migrations.sql_made import Made, step
from rollback_guard.release.migrations.sql_rows import within
from rollback_guard.release.migrations.sql_table import alter_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Made beside what is there, without touching it.
_NEW = words("""
    SEQUENCE TYPE DOMAIN SCHEMA DATABASE EXTENSION COLLATION SERVER ROLE USER GROUP STATISTICS PUBLICATION
    TABLESPACE
""")
_BEFORE_KIND = words("""
    TEMP TEMPORARY GLOBAL LOCAL UNLOGGED UNIQUE FULLTEXT SPATIAL MATERIALIZED RECURSIVE CONSTRAINT FOREIGN VIRTUAL
    ONLINE OFFLINE FORCE VECTOR INVERTED
""")
# Gone with them is only what can be written again: the statement that makes them.
_MADE_AGAIN = words("""
    VIEW INDEX TRIGGER FUNCTION PROCEDURE ROUTINE AGGREGATE RULE POLICY EVENT TYPE DOMAIN COLLATION EXTENSION
    STATISTICS PUBLICATION ROLE USER GROUP OPERATOR CAST
""")
_WITHOUT_DEPENDENTS = frozenset({"VIEW", "INDEX", "TRIGGER", "RULE", "POLICY", "EVENT"})
_LOST = frozenset({"TABLE", "DATABASE", "SCHEMA", "SEQUENCE", "TABLESPACE", "OWNED", "COLUMN"})
_SAID_ANEW = words("""
    INDEX SEQUENCE TYPE DOMAIN SCHEMA VIEW FUNCTION PROCEDURE ROUTINE AGGREGATE TRIGGER POLICY ROLE USER GROUP
    DATABASE EXTENSION DEFAULT SYSTEM COLLATION STATISTICS PUBLICATION RULE
""")
_RUNS_ON = frozenset({"DROP", "TRUNCATE", "DELETE", "UPDATE", "ALTER", "INSERT", "EXEC", "MERGE", "GRANT"})
_EVENTS = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")


class _Kind:
    """What a CREATE or DROP is about: its last word, and the words before it."""

    def __init__(self, cursor: Cursor) -> None:
        before: list[str] = []
        while word := cursor.take_any(_BEFORE_KIND):
            before.append(word)
        self.words = frozenset(before)
        self.key = cursor.key
        self.shown = " ".join([*before, self.key]).lower()
        cursor.at += 1


def create(cursor: Cursor, made: Made) -> Iterator[Step]:
    """The steps of a CREATE, from after this word."""
    replace = cursor.take("OR", "REPLACE")
    _past_definer(cursor)
    kind = _Kind(cursor)
    if kind.key == "TABLE":
        yield from _create_table(cursor, made, kind, replace)
    elif kind.key == "INDEX":
        yield _create_index(cursor, made, kind, replace)
    elif kind.key == "VIEW":
        yield from _create_view(cursor, made, kind, replace)
    elif kind.key in ("FUNCTION", "PROCEDURE", "AGGREGATE"):
        cursor.take("FUNCTION")
        yield _create_routine(cursor, made, kind, replace)
    elif kind.key == "TRIGGER":
        yield _create_trigger(cursor, made)
    elif kind.key == "POLICY":
        yield step("change", f"creates policy {cursor.name()}")
    elif kind.key in _NEW and not replace and not _runs_on(cursor):
        cursor.take("IF", "NOT", "EXISTS")
        yield step("expand", f"creates {kind.shown} {cursor.name()}")
    else:
        yield step("unknown", f"creates {kind.shown or 'something'}, of which nothing can be said")


def _past_definer(cursor: Cursor) -> None:
    """Goes past what MySQL writes before VIEW, TRIGGER, PROCEDURE and FUNCTION."""
    while True:
        if cursor.take("DEFINER", "=") or cursor.take("ALGORITHM", "="):
            cursor.at += 1
            cursor.past_parentheses()
            if cursor.take("@"):
                cursor.at += 1
        elif cursor.take("SQL", "SECURITY"):
            cursor.at += 1
        else:
            return


def _runs_on(cursor: Cursor) -> bool:
    """Whether the words of another statement stand where there should be none."""
    return any(key in _RUNS_ON for _, key in outer(cursor.rest()))


def _create_table(cursor: Cursor, made: Made, kind: _Kind, replace: bool) -> Iterator[Step]:
    maybe = cursor.take("IF", "NOT", "EXISTS")
    table = cursor.name()
    if not table or _runs_on(cursor):
        yield step("unknown", f"creates table {table} in a way that cannot be read")
        return
    query = any(key in ("SELECT", "AS", "EXECUTE") for _, key in outer(cursor.rest()))
    run = made.run_by(cursor.rest())
    if query and (run or within(cursor.rest())):
        yield step("unknown", f"creates table {table} from a query that changes rows or runs what is made here")
        return
    if run:
        made.fires("INSERT", table)
    made.drop(table)
    if replace:
        yield step("destroy", f"creates table {table} in the place of one that may be there")
        return
    if not maybe and not {"FOREIGN", "VIRTUAL"} & kind.words:
        made.add_table(table)
    yield step("expand", f"creates {kind.shown} {table}")


def _create_index(cursor: Cursor, made: Made, kind: _Kind, replace: bool) -> Step:
    cursor.take("CONCURRENTLY")
    cursor.take("IF", "NOT", "EXISTS")
    index = "" if cursor.key == "ON" else cursor.name()
    if cursor.take("USING"):
        cursor.at += 1
    if not cursor.take("ON") or _runs_on(cursor):
        return step("unknown", f"creates index {index} in a way that cannot be read")
    cursor.take("ONLY")
    table = cursor.name()
    said = f"creates {kind.shown} {index or 'on'}{' on' if index else ''} {table}"
    run = made.run_by(cursor.rest())
    if run:
        return step("unknown", f"{said} and so runs {run}, which this migration makes")
    if (replace or "UNIQUE" in kind.words) and table not in made.tables:
        return step("change", said)
    return step("expand", said)


def _create_view(cursor: Cursor, made: Made, kind: _Kind, replace: bool) -> Iterator[Step]:
    cursor.take("IF", "NOT", "EXISTS")
    view = cursor.name()
    run = made.run_by(cursor.rest())
    said = f"creates {kind.shown} {view}"
    if run and "MATERIALIZED" in kind.words:
        yield step("unknown", f"{said} and so runs {run}, which this migration makes")
        return
    if run:
        made.runs(view)
    yield step("change", f"{said}, perhaps in the place of another") if replace else step("expand", said)


def _create_routine(cursor: Cursor, made: Made, kind: _Kind, replace: bool) -> Step:
    cursor.take("IF", "NOT", "EXISTS")
    name = cursor.name()
    # PostgreSQL lets these change nothing, whatever their body says.
    if not any(token.key in ("IMMUTABLE", "STABLE") for token in cursor.rest()):
        made.runs(name)
    said = f"creates {kind.shown} {name}"
    return step("change", f"{said}, perhaps in the place of another") if replace else step("expand", said)


def _create_trigger(cursor: Cursor, made: Made) -> Step:
    cursor.take("IF", "NOT", "EXISTS")
    trigger = cursor.name()
    at = next((at for at, key in outer(cursor.rest()) if key == "ON"), None)
    if at is None:
        return step("unknown", f"creates trigger {trigger} in a way that cannot be read")
    events = [key for _, key in outer(cursor.rest()[:at]) if key in _EVENTS]
    cursor.at += at + 1
    table = cursor.name()
    for event in events:
        made.fires(event, table)
    return step("expand" if table in made.tables else "change", f"creates trigger {trigger} on {table}")


def drop(cursor: Cursor, made: Made) -> Iterator[Step]:
    """The steps of a DROP, from after this word."""
    temporary = cursor.key in ("TEMP", "TEMPORARY")
    kind = _Kind(cursor)
    cursor.take("CONCURRENTLY")
    maybe = cursor.take("IF", "EXISTS")
    cascade = any(key == "CASCADE" for _, key in outer(cursor.rest()))
    if kind.key == "TABLE":
        yield from _drop_tables(cursor, made, temporary, cascade)
        return
    names = ", ".join(name for part in split_commas(cursor.rest()) if (name := Cursor(part).name()))
    said = f"drops {kind.shown} {names}{' and all that depends on it' if cascade else ''}"
    if kind.key in _LOST:
        yield step("destroy", said)
    elif kind.key in _MADE_AGAIN and names:
        wide = cascade and kind.key not in _WITHOUT_DEPENDENTS
        yield step("destroy" if wide else "change", said)
    else:
        yield step("unknown", f"{said.rstrip()}{' if it is there' if maybe else ''}, of which nothing can be said")


def _drop_tables(cursor: Cursor, made: Made, temporary: bool, cascade: bool) -> Iterator[Step]:
    for part in split_commas(cursor.rest()):
        table = Cursor(part).name()
        if not table:
            yield step("unknown", "drops a table whose name cannot be read")
            continue
        own = (table in made.tables or temporary) and not cascade
        made.drop(table)
        yield step("expand", f"drops table {table}, which it made") if own else step("destroy", f"drops table {table}")


def alter(cursor: Cursor, made: Made) -> Iterator[Step]:
    """The steps of an ALTER, from after this word."""
    kind = _Kind(cursor)
    if kind.key == "TABLE":
        yield from alter_table(cursor, made)
        return
    keys = [key for _, key in outer(cursor.rest())]
    pairs = set(pairwise(keys))
    said = f"alters {kind.shown} {cursor.name()}"
    effect: Effect = "change"
    if kind.key == "TYPE" and ("ADD", "VALUE") in pairs:
        effect = "expand"
        said = f"{said}: a new value"
    elif kind.key == "TYPE" and any(("ATTRIBUTE" in pair and {"DROP", "ALTER"} & set(pair)) for pair in pairs):
        effect = "destroy"
    elif kind.key not in _SAID_ANEW:
        effect = "unknown"
        said = f"{said.rstrip()} in a way of which nothing can be said"
    yield step(effect, said)
