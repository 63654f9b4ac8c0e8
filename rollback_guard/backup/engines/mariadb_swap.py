"""Another database in the source's place, and the source aside, whole: MariaDB cannot rename a database.

Tables move with `RENAME TABLE`, all at once; foreign keys follow. A table with triggers cannot leave its database, and
views, routines and events cannot move at all: those are written anew. So that nothing ever writes to a table whose
triggers are missing, tables are first hidden under other names, where they were, and shown at last:

1. hide    the source's tables, in one statement: from here on it cannot be reached
2. move    hidden tables go aside, those beside come, hidden
3. write   routines, triggers
4. show    the tables, in one statement; views; events; what lies aside gets its own

What it all was is in a journal first, a table `_rollback_guard_swap` aside, with the phase that was reached. Each phase
can be done again and ends the same, so a swap that was cut short is finished by the next call.
"""

from __future__ import annotations

import time

from rollback_guard.backup.engines import mariadb_journal as journals
from rollback_guard.backup.engines.mariadb_connection import ServerError, identifier, session
from rollback_guard.backup.engines.mariadb_definitions import ROUTINES, collect_definitions, write_definition
from rollback_guard.backup.engines.mariadb_journal import (
    DONE,
    HIDDEN,
    MOVED,
    SETTLED,
    SHOWN,
    WRITTEN,
    Journal,
    list_tables,
)
from rollback_guard.backup.engines.mariadb_tables import OURS, collect_tables
from rollback_guard.errors import RefusedError, UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollback_guard.backup.engines.mariadb_address import Address
    from rollback_guard.backup.engines.mariadb_connection import Session
    from rollback_guard.backup.engines.mariadb_definitions import Definition

TRIES = 5  # to get at the tables, each with LOCK_WAIT seconds, connections killed before each
LOCK_WAIT = 2
_LOCKED, _GONE, _FOREIGN = 1205, 1094, 1095


def swap(source: Address, beside: str, aside: str) -> float:
    """Do it, or finish it. The seconds in which the source's tables could not be reached.

    Raises: RefusedError where nothing fits, UndeterminedError where the tables cannot be got at; then all is as it was.
    """
    with session(source, database=False) as opened:
        if opened.value(f"SELECT GET_LOCK({opened.quote('guard.' + source.database[:50])}, 0)") != 1:
            raise RefusedError(f"somebody else swaps {source.place} at this moment", remedy="guard rollback --status")
        journal = journals.read_journal(opened, aside)
        if journal is not None and (journal.source, journal.beside) != (source.database, beside):
            raise _taken(aside)
        if journal is None or not journals.begun(opened, journal):
            journal = _plan(opened, source, beside, aside)
        elif journal.phase == DONE:
            if list_tables(opened, beside):
                raise _taken(aside)
            return 0.0
        return _carry_out(opened, journal)


def _taken(aside: str) -> RefusedError:
    return RefusedError(f"there is a database {aside} already, from something else", remedy="use another name")


def _plan(opened: Session, source: Address, beside: str, aside: str) -> Journal:
    """Look at both sides, and write down what is there."""
    if not journals.exists(opened, beside):
        raise UndeterminedError(f"there is no database {beside} to put in the source's place", remedy="SHOW DATABASES")
    if set(list_tables(opened, aside)) - set(OURS):
        raise _taken(aside)
    _check_neighbours(opened, (source.database, beside))
    sides = []
    for name in (source.database, beside):
        with session(source.at(name)) as reader:
            tables = collect_tables(reader)
            code = collect_definitions(reader)
            defaults = [
                (name, table.name, column.name, column.default)
                for table in tables
                for column in table.columns
                if f"nextval({identifier(name)}." in column.default
            ]
            sides.append((tables, code, str(reader.value("SELECT @@collation_database")), defaults))
    (old, was, first, its), (new, now, second, others) = sides
    before, after = (tuple(one.name for one in tables) for tables in (old, new))
    journal = Journal(
        *(source.database, beside, aside), before, after, was, now, (first, second), defaults=(*its, *others)
    )
    journals.write_journal(opened, journal)
    return journal


def _check_neighbours(opened: Session, databases: Sequence[str]) -> None:
    """No other database's foreign key may refer to these: it would follow the tables."""
    for name in databases:
        found = opened.rows(
            "SELECT CONSTRAINT_SCHEMA, TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS"
            f" WHERE UNIQUE_CONSTRAINT_SCHEMA = {opened.quote(name)} AND CONSTRAINT_SCHEMA <> UNIQUE_CONSTRAINT_SCHEMA"
        )
        if found:
            table = ".".join(identifier(str(one)) for one in found[0])
            raise RefusedError(
                f"a foreign key of {table} refers to {identifier(name)}, and would follow the tables aside",
                remedy=f"ALTER TABLE {table} DROP FOREIGN KEY …",
            )


def _carry_out(opened: Session, journal: Journal) -> float:
    """All phases that are left."""
    began = time.monotonic()
    if journal.phase < HIDDEN:
        _hide(opened, journal)
        journals.reach(opened, journal, HIDDEN)
    if journal.phase < MOVED:
        _move(opened, journal)
        journals.reach(opened, journal, MOVED)
    if journal.phase < WRITTEN:
        _write(opened, journal)
        journals.reach(opened, journal, WRITTEN)
    if journal.phase < SHOWN:
        _show(opened, journal)
        journals.reach(opened, journal, SHOWN)
    ended = time.monotonic()
    if journal.phase < SETTLED:
        _settle(opened, journal)
        journals.reach(opened, journal, SETTLED)
    if set(list_tables(opened, journal.beside)) - set(OURS):
        raise UndeterminedError(
            f"tables came into {journal.beside} while it was swapped; they are still there",
            remedy=f"DROP DATABASE {identifier(journal.beside)}",
        )
    opened.run(f"DROP DATABASE IF EXISTS {identifier(journal.beside)}")
    journals.reach(opened, journal, DONE)
    return ended - began if journal.phase < SHOWN else 0.0


def _hide(opened: Session, journal: Journal) -> None:
    """The one step that waits for others. Where it cannot be done, nothing was."""
    last: ServerError | None = None
    for _ in range(TRIES):
        _drain(opened, (journal.source, journal.beside))
        opened.run(f"SET SESSION lock_wait_timeout = {LOCK_WAIT}")
        try:
            _use(opened, journal.source)
            hidden = journal.hidden("old")
            _rename(
                opened,
                [(journal.source, one, journal.source, two) for one, two in zip(journal.old, hidden, strict=True)],
            )
            if hidden == list(journal.old):
                _move(opened, journal)
            return
        except ServerError as error:
            if error.code != _LOCKED:
                raise
            last = error
        finally:
            opened.run("SET SESSION lock_wait_timeout = 86400")
    assert last is not None
    raise last


def _drain(opened: Session, databases: Sequence[str]) -> None:
    """End everybody else's connections to these databases, as far as this user may."""
    names = ", ".join(opened.quote(name) for name in databases)
    for (number,) in opened.rows(
        f"SELECT ID FROM information_schema.PROCESSLIST WHERE DB IN ({names}) AND ID <> CONNECTION_ID()"
    ):
        try:
            opened.run(f"KILL {int(number)}")
        except ServerError as error:
            if error.code not in (_GONE, _FOREIGN):
                raise


def _move(opened: Session, journal: Journal) -> None:
    for database, found in ((journal.source, journal.was), (journal.beside, journal.now)):
        _use(opened, database)
        for one in found:
            if one.kind == "TRIGGER":
                opened.run(one.drop)
    old, new = journal.hidden("old"), journal.hidden("new")
    gone = set(list_tables(opened, journal.aside))
    pairs = [
        (journal.source, one, journal.aside, two) for one, two in zip(old, journal.old, strict=True) if two not in gone
    ]
    pairs += [(journal.beside, one, journal.source, two) for one, two in zip(journal.new, new, strict=True)]
    _rename(opened, pairs)


def _write(opened: Session, journal: Journal) -> None:
    """The source's new code, but views, which need tables, and events, which would run."""
    _use(opened, journal.source)
    opened.run(f"ALTER DATABASE {identifier(journal.source)} COLLATE {journal.collations[1]}")
    kept = {(one.kind, one.name) for one in journal.now if one.kind in ROUTINES}
    for one in journal.was:
        if (one.kind, one.name) not in kept and one.kind != "TRIGGER":
            opened.run(one.drop)
    hidden = dict(zip(journal.new, journal.hidden("new"), strict=True))
    for one in journal.now:
        if one.kind in ROUTINES:
            write_definition(opened, one, held=False)
        elif one.kind == "TRIGGER":
            write_definition(opened, one.on(hidden[one.table]), held=False)


def _show(opened: Session, journal: Journal) -> None:
    _use(opened, journal.source)
    pairs = [
        (journal.source, one, journal.source, two) for one, two in zip(journal.hidden("new"), journal.new, strict=True)
    ]
    _rename(opened, pairs)
    _take_from_sequences(opened, journal, journal.beside, journal.source)
    _write_views(opened, [one for one in journal.now if one.kind == "VIEW"], needed=True)


def _settle(opened: Session, journal: Journal) -> None:
    """Events of the source; and all code of what lies aside, where its events sleep."""
    _use(opened, journal.source)
    for one in journal.now:
        if one.kind == "EVENT":
            write_definition(opened, one, held=False)
    _use(opened, journal.aside)
    opened.run(f"ALTER DATABASE {identifier(journal.aside)} COLLATE {journal.collations[0]}")
    _take_from_sequences(opened, journal, journal.source, journal.aside)
    for one in journal.was:
        if one.kind != "VIEW":
            write_definition(opened, one, held=True)
    _write_views(opened, [one for one in journal.was if one.kind == "VIEW"], needed=False)


def _take_from_sequences(opened: Session, journal: Journal, left: str, now: str) -> None:
    """A column's default names the database of its sequence, which has moved with it."""
    for database, table, column, default in journal.defaults:
        if database == left:
            text = default.replace(f"nextval({identifier(left)}.", f"nextval({identifier(now)}.")
            opened.run(f"ALTER TABLE {identifier(table)} ALTER COLUMN {identifier(column)} SET DEFAULT ({text})")


def _write_views(opened: Session, views: Sequence[Definition], *, needed: bool) -> None:
    """In an order that is found out: views refer to views. One that was broken before cannot be written again."""
    waiting = list(views)
    while waiting:
        failed, last = [], None
        for one in waiting:
            try:
                write_definition(opened, one, held=False)
            except ServerError as error:
                failed.append(one)
                last = error
        if last is not None and len(failed) == len(waiting):
            if needed:
                raise last
            return
        waiting = failed


def _rename(opened: Session, pairs: Iterable[tuple[str, str, str, str]]) -> None:
    """Tables from one place to another, in one statement; what is moved already stays."""
    there: dict[str, set[str]] = {}
    words = []
    for database, table, other, name in pairs:
        for one in (database, other):
            if one not in there:
                there[one] = set(list_tables(opened, one))
        if (database, table) != (other, name) and table in there[database]:
            words.append(".".join((identifier(database), identifier(table))))
            words[-1] += f" TO {identifier(other)}.{identifier(name)}"
    if words:
        opened.run("RENAME TABLE " + ", ".join(words))


def _use(opened: Session, database: str) -> None:
    opened.run(f"USE {identifier(database)}")
