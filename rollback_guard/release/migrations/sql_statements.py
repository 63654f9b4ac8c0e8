"""One SQL statement after another into the steps of a migration, by the word that each begins with.

How text becomes statements is left to `sql_lexer`, what a family of statements does to `sql_rows`, `sql_objects`
and `sql_table`. A word that none of the databases begins a statement with makes the statement one that none runs.
"""

from __future__ import annotations

from rollback_guard.release.migrations.model import Step
from rollback_guard.release.migrations.sql_block import read_block
from rollback_guard.release.migrations.sql_cursor import Cursor, outer, split_commas, words
from rollback_guard.release.migrations.sql_made import Made, step
from rollback_guard.release.migrations.sql_objects import alter, create, drop
from rollback_guard.release.migrations.sql_rows import delete, insert, select, truncate, update, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rollback_guard.release.migrations.sql_lexer import Statement, Token

# They change nothing that stays: the session, transactions, and how things are stored.
_NOTHING = words("""
    BEGIN COMMIT SAVEPOINT RELEASE END ANALYZE VACUUM REINDEX CLUSTER CHECKPOINT OPTIMIZE LOCK UNLOCK SHOW DESC
    DESCRIBE RESET DISCARD LISTEN UNLISTEN NOTIFY CHECK CHECKSUM HELP DEALLOCATE CLOSE FETCH MOVE
""")
# What they do is not in the statement, or not in the database.
_OPAQUE = words("""
    DO CALL EXECUTE EXEC PREPARE COPY LOAD DECLARE EXPLAIN ATTACH DETACH HANDLER KILL FLUSH SHUTDOWN RESTART
    INSTALL UNINSTALL XA SIGNAL RESIGNAL GET BINLOG CACHE CLONE CHANGE STOP PURGE REPAIR SECURITY
    START
""")
_QUERIES = frozenset({"SELECT", "VALUES", "TABLE", "("})
_BEGINS = (
    _NOTHING
    | _OPAQUE
    | _QUERIES
    | words("""
    CREATE DROP ALTER INSERT REPLACE UPDATE DELETE MERGE TRUNCATE WITH SET USE PRAGMA GRANT REVOKE COMMENT RENAME
    ROLLBACK ABORT REFRESH REASSIGN IMPORT
""")
)
_RUNS_ON = words("CREATE DROP ALTER INSERT UPDATE DELETE MERGE TRUNCATE EXEC EXECUTE CALL GRANT REVOKE")
_AFTER_END = frozenset({"TRANSACTION", "WORK", "AND", "TRY", "CATCH", "TRAN"})
_ELSEWHERE = frozenset({"GLOBAL", "PERSIST", "PERSIST_ONLY", "PASSWORD", "RESOURCE"})
# They are about the connection, or only tell.
_PRAGMAS = words("""
    FOREIGN_KEYS DEFER_FOREIGN_KEYS FOREIGN_KEY_CHECK FOREIGN_KEY_LIST INTEGRITY_CHECK QUICK_CHECK TABLE_INFO
    TABLE_XINFO INDEX_LIST INDEX_INFO JOURNAL_MODE SYNCHRONOUS CACHE_SIZE TEMP_STORE BUSY_TIMEOUT ENCODING OPTIMIZE
    LEGACY_ALTER_TABLE RECURSIVE_TRIGGERS CASE_SENSITIVE_LIKE LOCKING_MODE MMAP_SIZE WAL_CHECKPOINT
""")


def begins(statement: Statement) -> bool:
    """Whether a statement begins as one of the databases' statements does."""
    keys = [token.key for token in statement.tokens[:2]]
    return keys[:1] != [] and keys[0] in _BEGINS and (keys[0] != "END" or keys[1:] == [] or keys[1] in _AFTER_END)


def read_statements(statements: Iterable[Statement]) -> tuple[Step, ...]:
    """The steps of a migration's statements, in their order; what changes nothing has none."""
    made = Made()
    return tuple(one for statement in statements for one in _steps(statement, made))


def _steps(statement: Statement, made: Made) -> Iterator[Step]:
    if statement.problem:
        yield step("unknown", f"cannot be read: {statement.problem}: {_said(statement.tokens)}")
        return
    cursor = Cursor(statement.tokens)
    verb = cursor.key
    brings = within(statement.tokens) if verb in ("WITH", "INSERT", "SELECT", "(") else ""
    if brings:
        yield step("destroy", f"changes rows within a query: {brings} …")
    if verb == "WITH":
        verb = _after_with(cursor)
    cursor.at += 1
    if verb in _QUERIES:
        yield from select(cursor, made)
    elif verb in ("INSERT", "REPLACE"):
        yield from insert(cursor, made, verb)
    elif verb == "UPDATE":
        yield from update(cursor, made)
    elif verb == "DELETE":
        yield from delete(cursor, made)
    elif verb == "TRUNCATE":
        yield from truncate(cursor, made)
    elif verb == "CREATE":
        yield from create(cursor, made)
    elif verb == "DROP":
        yield from drop(cursor, made)
    elif verb == "ALTER":
        yield from alter(cursor, made)
    else:
        yield from _other(verb, cursor, made)


def _after_with(cursor: Cursor) -> str:
    """Goes to the statement that a WITH stands before, and says which it is; "" when it is not found."""
    cursor.take("WITH")
    cursor.take("RECURSIVE")
    while cursor.name():
        cursor.past_parentheses()
        if not cursor.take("AS"):
            return ""
        cursor.take("NOT")
        cursor.take("MATERIALIZED")
        cursor.past_parentheses()
        if not cursor.take(","):
            return cursor.key
    return ""


def _other(verb: str, cursor: Cursor, made: Made) -> Iterator[Step]:
    said = _said(cursor.tokens)
    if verb == "SET":
        yield from _set(cursor, made)
    elif verb in _NOTHING or (verb == "START" and cursor.take("TRANSACTION")):
        if any(key in _RUNS_ON for _, key in outer(cursor.rest())):
            yield step("unknown", f"is not understood: {said}")
    elif verb == "USE":
        made.forget()
    elif verb == "PRAGMA":
        name = cursor.name().upper()
        if name.rpartition(".")[2] not in _PRAGMAS:
            yield step("unknown", f"sets what cannot be judged: {said}")
    elif verb in ("ROLLBACK", "ABORT"):
        yield step("unknown", "rolls back what was done before it")
    elif verb == "MERGE":
        yield step("destroy", f"overwrites rows: {said}")
    elif verb == "RENAME" and cursor.key in ("TABLE", "TABLES"):
        cursor.at += 1
        yield from _rename_tables(cursor, made)
    elif verb == "REFRESH":
        run = made.run_by(cursor.tokens)
        yield step("unknown", f"runs {run}, which this migration makes") if run else step("expand", said)
    elif verb in ("COMMENT", "GRANT"):
        yield step("expand", said)
    elif verb in ("REVOKE", "REASSIGN") or (verb == "RENAME" and cursor.key == "USER"):
        yield step("change", said)
    elif verb == "DO" and (block := read_block(cursor)) is not None:
        made.begin_block()
        for one in block:
            yield from _steps(one, made)
        made.end_block()
    elif verb in _BEGINS:
        yield step("unknown", f"runs what cannot be read from here: {said}")
    else:
        yield step("unknown", f"is not understood: {said}")


def _set(cursor: Cursor, made: Made) -> Iterator[Step]:
    """A setting of the session is no step; one of the server is, and one that computes may run anything."""
    said = _said(cursor.tokens)
    made_by_us = made.run_by(cursor.tokens)
    if made_by_us:
        yield step("unknown", f"runs {made_by_us}, which this migration makes")
    elif any(token.key in _ELSEWHERE for token in cursor.tokens):
        yield step("change", f"sets for more than this session: {said}")
    if any(token.key in ("SEARCH_PATH", "SCHEMA", "ROLE", "AUTHORIZATION") for token in cursor.tokens):
        made.forget()


def _rename_tables(cursor: Cursor, made: Made) -> Iterator[Step]:
    for part in split_commas(cursor.rest()):
        one = Cursor(part)
        one.take("IF", "EXISTS")
        old = one.name()
        new = one.name() if one.take("TO") else ""
        if not old or not new:
            yield step("unknown", f"renames what cannot be read: {_said(cursor.tokens)}")
            return
        own = old in made.tables
        made.rename(old, new)
        yield step("expand" if own else "change", f"renames table {old} to {new}")


def _said(tokens: Sequence[Token]) -> str:
    return " ".join(token.text for token in tokens[:10]) + (" …" if len(tokens) > 10 else "")
