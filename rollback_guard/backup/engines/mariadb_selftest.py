"""Whether a fingerprint notices what it claims to: a restored copy is changed in every way, one at a time, and back.

For each type of column that is there one value is changed, in a transaction that is rolled back; then counters, an
index, constraints, a comment, and one of each kind of code. What nothing of the copy allows, such as a value in a table
without transactions, is not tried. At last the copy must be what it was.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from rollback_guard.backup.engines.mariadb_connection import ServerError, identifier, session
from rollback_guard.backup.engines.mariadb_definitions import write_definition
from rollback_guard.backup.engines.mariadb_fingerprint import (
    collect_content,
    collect_counters,
    collect_declared,
    collect_fingerprint,
    counted,
)
from rollback_guard.backup.engines.mariadb_tables import HISTORY, SEQUENCE, unknown_columns
from rollback_guard.backup.model import compare
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rollback_guard.backup.engines.mariadb_address import Address
    from rollback_guard.backup.engines.mariadb_connection import Session
    from rollback_guard.backup.engines.mariadb_fingerprint import Declared
    from rollback_guard.backup.engines.mariadb_tables import Column, Table
    from rollback_guard.backup.model import Fingerprint, Item

# Expressions for another value, tried in turn until a row is changed; {0} is the column.
_TEXT = ("CONCAT(LEFT({0}, CHAR_LENGTH({0}) - 1), IF(RIGHT({0}, 1) = 'x', 'y', 'x'))",)
_BYTES = ("CONCAT(LEFT({0}, LENGTH({0}) - 1), IF(RIGHT({0}, 1) = 'x', 'y', 'x'))",)
_TIME = ("{0} + INTERVAL 1 DAY", "{0} - INTERVAL 1 DAY", "'2001-02-03'")
_BITS = ("CAST({0} AS UNSIGNED) ^ 1",)
_SHAPES = {
    "point": "POINT(8 9)",
    "geometry": "POINT(8 9)",
    "linestring": "LINESTRING(8 8,9 9)",
    "polygon": "POLYGON((0 0,0 9,9 9,0 0))",
    "multipoint": "MULTIPOINT(8 8,9 9)",
    "multilinestring": "MULTILINESTRING((8 8,9 9))",
    "multipolygon": "MULTIPOLYGON(((0 0,0 9,9 9,0 0)))",
    "geometrycollection": "GEOMETRYCOLLECTION(POINT(8 9))",
}
_OTHER: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "decimal"), ("{0} + 1", "{0} - 1")),
    "float": ("{0} * (1 + 2e-7)", "{0} + 1", "1"),
    "double": ("{0} * (1 + 3e-16)", "{0} + 1", "1"),
    "year": ("IF({0} = 2000, 2001, 2000)",),
    **dict.fromkeys(("date", "datetime", "timestamp"), _TIME),
    "time": ("ADDTIME({0}, '00:00:01')", "SUBTIME({0}, '00:00:01')"),
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext"), _TEXT),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), _BYTES),
    "enum": ("IF({0} + 0 = 1, 2, 1)",),
    **dict.fromkeys(("bit", "set"), _BITS),
    "json": ("JSON_ARRAY({0})",),
    "inet4": ("IF({0} = '10.1.2.3', '10.1.2.4', '10.1.2.3')",),
    "inet6": ("IF({0} = '::8', '::9', '::8')",),
    "uuid": ("UUID()",),
    **{kind: (f"ST_GeomFromText('{text}')", f"ST_GeomFromText('{text}', 7)") for kind, text in _SHAPES.items()},
}
_QUIET = "SET SESSION foreign_key_checks = 0, unique_checks = 0"
_MARIADB = "SET SESSION check_constraint_checks = 0, system_versioning_alter_history = KEEP"


class Tried(NamedTuple):
    """One change of a restored copy, and whether its fingerprint told it."""

    name: str
    noticed: bool


class _Copy(NamedTuple):
    """A restored database, as it is before anything is tried."""

    session: Session
    declared: Declared
    before: Fingerprint


def try_mutations(address: Address) -> Iterator[Tried]:
    """Change a restored copy in every way that is possible with it. Never to be used on anything but a scratch copy.

    Raises: UndeterminedError where the copy is not what it was afterwards.
    """
    with session(address) as opened:
        opened.run(_QUIET)
        if address.dialect == "mariadb":
            opened.run(_MARIADB)
        copy = _Copy(opened, collect_declared(opened), collect_fingerprint(opened))
        yield from _values(copy)
        yield from _counters(copy)
        yield from _declarations(copy)
        yield from _code(copy)
        if compare(copy.before, collect_fingerprint(opened)) != ():
            raise UndeterminedError(
                f"{address.place} is not what it was before the self-test", remedy="guard backup prove"
            )


def _told(copy: _Copy, part: str, items: Sequence[Item]) -> bool:
    """Whether items, of one part or kind, are others than before."""
    return sorted(items, key=str) != sorted(
        (one for one in copy.before.items if part in (one.part, f"{one.part} {one.kind} {one.name}")), key=str
    )


def _values(copy: _Copy) -> Iterator[Tried]:
    """For each type one value; a NULL that becomes something; a row that goes."""
    triggered = {one.table for one in copy.declared.definitions if one.kind == "TRIGGER"}
    tables = [one for one in copy.declared.tables if one.transactional and one.kind != SEQUENCE and not one.elsewhere]
    # A trigger may do what cannot be rolled back; and where history is kept, any change adds a row.
    tables.sort(key=lambda one: (one.kind == HISTORY, one.name in triggered, one.name))
    tried: set[str] = set()
    for table in tables:
        unknown = unknown_columns(table)
        for column in table.columns:
            if column.derived or column in unknown or column.kind in tried or column.kind not in _OTHER:
                continue
            noticed = _value(copy, table, column)
            if noticed is not None:
                tried.add(column.kind)
                yield Tried(f"a value of the type {column.kind}", noticed)
    for name, statement in (("a value that becomes NULL", _emptied), ("a row that is missing", _deleted)):
        found = (_rolled_back(copy, table, text) for table in tables for text in statement(table))
        noticed = next((one for one in found if one is not None), None)
        if noticed is not None:
            yield Tried(name, noticed)


def _value(copy: _Copy, table: Table, column: Column) -> bool | None:
    name = identifier(column.name)
    for expression in _OTHER[column.kind]:
        changed = expression.format(name)
        noticed = _rolled_back(
            copy, table, f"UPDATE {identifier(table.name)} SET {name} = {changed} WHERE {name} IS NOT NULL"
        )
        if noticed is not None:
            return noticed
    return None


def _emptied(table: Table) -> Iterator[str]:
    for column in table.columns:
        if not column.derived:
            name = identifier(column.name)
            yield f"UPDATE {identifier(table.name)} SET {name} = NULL WHERE {name} IS NOT NULL"


def _deleted(table: Table) -> Iterator[str]:
    yield f"DELETE FROM {identifier(table.name)}"


def _rolled_back(copy: _Copy, table: Table, statement: str) -> bool | None:
    """Whether a change of one row is noticed; None where it changes nothing, or is not possible."""
    opened = copy.session
    opened.run("START TRANSACTION")
    try:
        opened.run(f"{statement} LIMIT 1")
        if opened.value("SELECT ROW_COUNT()") != 1:
            return None
        return _told(copy, f"content table {table.name}", collect_content(opened, [table]))
    except ServerError:
        return None  # such as a value that is there already
    finally:
        opened.run("ROLLBACK")


def _counters(copy: _Copy) -> Iterator[Tried]:
    found = collect_counters(copy.session, copy.declared.tables)
    plain = {one.name for one in copy.declared.tables if one.transactional and one.kind != HISTORY}
    moves = [
        ("auto_increment", [one for one in found.tables if one in plain], found.tables, "TABLE {} AUTO_INCREMENT = {}"),
        ("sequence", list(found.sequences), found.sequences, "SEQUENCE {} RESTART {}"),
    ]
    for kind, names, numbers, statement in moves:
        for name in names[:1]:
            apply, undo = (
                f"ALTER {statement.format(identifier(name), number)}" for number in (numbers[name] + 5, numbers[name])
            )
            with _undone(copy.session, apply, undo):
                now = counted(collect_counters(copy.session, collect_declared(copy.session).tables))
                noticed = _told(
                    copy, f"content {kind} {name}", [one for one in now if (one.kind, one.name) == (kind, name)]
                )
            yield Tried(f"{kind} of {name}", noticed)


def _declarations(copy: _Copy) -> Iterator[Tried]:
    opened = copy.session
    collation = str(opened.value("SELECT @@collation_database"))
    other = "latin1_bin" if collation != "latin1_bin" else "utf8mb4_bin"
    apply, undo = (f"ALTER DATABASE COLLATE {one}" for one in (other, collation))
    yield _declared(copy, "the database's collation", apply, undo)
    done: set[str] = set()
    for table in copy.declared.tables:
        if table.kind in (SEQUENCE, HISTORY):
            continue
        for kind, apply, undo in _alterations(opened, table):
            if kind not in done:
                try:
                    yield _declared(copy, f"{kind} of {table.name}", apply, undo)
                except ServerError:
                    continue
                done.add(kind)


def _alterations(opened: Session, table: Table) -> Iterator[tuple[str, str, str]]:
    """Changes whose undoing brings the very same declaration back, its order too."""
    name = identifier(table.name)
    lines = str(opened.rows(f"SHOW CREATE TABLE {name}")[0][1]).split("\n")
    comment = str(
        opened.value(
            "SELECT TABLE_COMMENT FROM information_schema.TABLES"
            f" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = {opened.quote(table.name)}"
        )
    )
    yield "comment", f"ALTER TABLE {name} COMMENT 'self-test'", f"ALTER TABLE {name} COMMENT {opened.quote(comment)}"
    checks = [line for line in lines if re.match(r"  CONSTRAINT `(?:[^`]|``)+` CHECK ", line)]
    for kind, found in (
        ("foreign key", [line for line in lines if re.match(r"  CONSTRAINT `(?:[^`]|``)+` FOREIGN KEY ", line)]),
        ("check", checks[-1:]),
    ):
        for line in found:
            constraint = re.findall(r"`(?:[^`]|``)+`", line)[0]
            word = "FOREIGN KEY" if kind == "foreign key" else "CONSTRAINT"
            drop = f"ALTER TABLE {name} DROP {word} {constraint}"
            yield kind, drop, f"ALTER TABLE {name} ADD {line.strip().rstrip(',')}"
    on, off = ("NOT IGNORED", "IGNORED") if opened.address.dialect == "mariadb" else ("VISIBLE", "INVISIBLE")
    for line in lines:
        index = re.match(r"  (?:UNIQUE |FULLTEXT |SPATIAL )?KEY (`(?:[^`]|``)+`)", line)
        if index is not None and " IGNORED" not in line:
            alter = f"ALTER TABLE {name} ALTER INDEX {index[1]} "
            yield "index", alter + off, alter + on


def _code(copy: _Copy) -> Iterator[Tried]:
    """One of each kind of code, dropped and written again."""
    held = copy.session.rows("SHOW TABLES LIKE '_rollback_guard'") != []
    done: set[str] = set()
    for one in reversed(copy.declared.definitions):  # no view looks at the last of them
        if one.kind in done or (one.kind == "TRIGGER" and not _last(copy, one.name, one.table)):
            continue
        done.add(one.kind)

        with _undone(copy.session, one.drop, partial(write_definition, copy.session, one, held=held)):
            noticed = _told(copy, "schema", collect_declared(copy.session).items)
        yield Tried(f"{one.kind.lower()} {one.name}", noticed)


def _last(copy: _Copy, name: str, table: str) -> bool:
    """Whether it is the last trigger of its table, so that it comes back to its place."""
    return [one.name for one in copy.declared.definitions if one.kind == "TRIGGER" and one.table == table][-1] == name


def _declared(copy: _Copy, name: str, apply: str, undo: str) -> Tried:
    with _undone(copy.session, apply, undo):
        return Tried(name, _told(copy, "schema", collect_declared(copy.session).items))


@contextmanager
def _undone(opened: Session, apply: str, undo: str | Callable[[], None]) -> Iterator[None]:
    """A change, and the way back from it whatever happens."""
    opened.run(apply)
    try:
        yield
    finally:
        opened.run(undo) if isinstance(undo, str) else undo()
