"""Faults put into a restored SQLite database, each of which a fingerprint must tell: the self-test of a proof.

`mutations(target)` yields a name and a context manager for each; within it the target has the fault, afterwards it is
as before. They are to be used one after the other, while the generator runs. What a database has no example of (a
column's type, a trigger, a sequence) is not in it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from typing import NamedTuple

from rollback_guard.backup.engines.sqlite_open import connect, explained, quoted
from rollback_guard.backup.engines.sqlite_pages import find_values
from rollback_guard.backup.engines.sqlite_rows import read_table, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from rollback_guard.backup.engine import Target

    Change = Callable[[str], bool]

PRISTINE, MUTANT = "-pristine", "-mutant"
TYPES = ("null", "integer", "real", "text", "blob")
# By type of the value, what it becomes; the first that constraints allow.
OTHERS = {
    "null": ("0", "''", "x'00'"),
    "integer": ("CASE {0} WHEN 7 THEN 8 ELSE 7 END", "{0} + 1", "{0} - 1", "{0} + 1000003"),
    "real": ("CASE {0} WHEN 1.5 THEN 2.5 ELSE 1.5 END", "{0} / 2 + 0.7"),
    "text": ("{0} || 'x'", "'x' || {0}", "''"),
    "blob": ("zeroblob(length({0}) + 1)", "x'0102'", "x'03'"),
}
OF_OTHER_TYPE = {
    "integer": ("CAST({0} AS TEXT)",),
    "real": ("CAST({0} AS TEXT)",),
    "text": ("CAST({0} AS BLOB)",),
    "blob": ("CAST({0} AS TEXT)",),
}


class Column(NamedTuple):
    """A column that can be written. `keys`: what tells one row of its table from another, as SQL."""

    table: str
    name: str
    declared: str
    keys: str


def mutations(target: Target) -> Iterator[tuple[str, AbstractContextManager[None]]]:
    """Every fault that this database can have, one example each. Beside the file lie two copies of it meanwhile."""
    path = target.environment()["GUARD_SCRATCH"]
    with explained(path):
        try:
            for name, candidates in _faults(path):
                for change in candidates:
                    shutil.copyfile(path, path + MUTANT)
                    if _applied(change, path + MUTANT):
                        yield name, _in_place(path)
                        break
        finally:
            _back(path)  # if it was left in the midst of a fault
            if os.path.lexists(path + MUTANT):
                os.unlink(path + MUTANT)


@contextmanager
def _in_place(path: str) -> Iterator[None]:
    os.rename(path, path + PRISTINE)
    os.rename(path + MUTANT, path)
    try:
        yield
    finally:
        _back(path)


def _back(path: str) -> None:
    if os.path.lexists(path + PRISTINE):
        os.replace(path + PRISTINE, path)


def _applied(change: Change, path: str) -> bool:
    try:
        return change(path)
    except sqlite3.Error:  # a constraint, or something that only the application has: the next example may do
        return False


def _faults(path: str) -> list[tuple[str, list[Change]]]:
    with closing(connect(path, alone=True)) as connection:
        columns = _columns(connection)
        tables = sorted({(one.table, one.keys) for one in columns})
        objects = connection.execute(
            "SELECT type, name, sql, rootpage FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"
        ).fetchall()
        found = [*_values(columns), *_rows(tables), *_flips(objects)]
        named: dict[str, list[str]] = {}
        for kind, name, _, page in objects:
            virtual = text_of(kind) == "table" and not page
            if not text_of(name).startswith("sqlite_"):
                named.setdefault("virtual table" if virtual else text_of(kind), []).append(text_of(name))
    for kind, names in named.items():
        word = kind.split()[-1].upper()
        found.append((f"a {kind} that is missing", [_script(f"DROP {word} {quoted(one)}") for one in names]))
        found.append((f"a {kind} declared otherwise", [_redeclared(one) for one in names]))
    found.append(("a sequence", [_script("UPDATE sqlite_sequence SET seq = seq + 1", rows=True)]))
    for name in ("user_version", "application_id"):
        found.append((f"the {name}", [_setting(name)]))
    found.append(("the journal mode", [_journal]))
    found.append(("the page size", [_page_size]))
    return found


def _columns(connection: sqlite3.Connection) -> list[Column]:
    found = []
    ordinary = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%'"
    for (raw,) in connection.execute(ordinary + " ESCAPE '\\' ORDER BY name").fetchall():
        try:
            name = bytes(raw).decode("utf-8")
            table = read_table(connection, name)
        except (UnicodeDecodeError, sqlite3.Error):
            continue
        information = connection.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
        primary = [quoted(text_of(one[1])) for one in sorted(information, key=lambda one: int(one[5])) if one[5]]
        keys = table.number or ("" if table.numbered else ", ".join(primary))
        if keys:
            found += [Column(name, text_of(one[1]), text_of(one[2]), keys) for one in information if one[6] == 0]
    return found


def _values(columns: list[Column]) -> Iterator[tuple[str, list[Change]]]:
    by_type: dict[str, list[Column]] = {}
    for one in columns:
        by_type.setdefault(one.declared.upper() or "no type", []).append(one)
    for declared, those in sorted(by_type.items()):
        for kind in TYPES:
            where = f"in a column of {declared}"
            for what, becomes in (("another value", OTHERS[kind]), ("another type", OF_OTHER_TYPE.get(kind, ()))):
                changes = [_value(one, kind, to, what == "another type") for one in those for to in becomes]
                yield f"{what} for one of type {kind} {where}", changes
            if kind != "null":
                yield f"NULL for one of type {kind} {where}", [_value(one, kind, "NULL", False) for one in those]


def _rows(tables: list[tuple[str, str]]) -> Iterator[tuple[str, list[Change]]]:
    one = "({0}) = (SELECT {0} FROM {1} LIMIT 1)"
    here = [(quoted(name), keys) for name, keys in tables]
    yield (
        "a row that is missing",
        [_script(f"DELETE FROM {name} WHERE {one.format(keys, name)}", rows=True) for name, keys in here],
    )
    yield (
        "a row number",
        [
            _script(
                f"UPDATE {name} SET {keys} = (SELECT max({keys}) + 1 FROM {name}) WHERE {one.format(keys, name)}", True
            )
            for name, keys in here
            if keys.isidentifier()
        ],
    )
    yield "a row too many", [_script(f"INSERT INTO {name} DEFAULT VALUES", rows=True) for name, _ in here]


def _flips(objects: list[tuple[bytes, bytes, bytes, int]]) -> Iterator[tuple[str, list[Change]]]:
    roots = [page for kind, _, _, page in objects if text_of(kind) == "table" and page]
    for kind in ("INTEGER", "REAL", "TEXT", "BLOB"):
        yield f"one bit of a {kind} in the file", [_flip(page, kind) for page in roots]


def _value(column: Column, kind: str, to: str, other_type: bool) -> Change:
    table, name = quoted(column.table), quoted(column.name)
    one = f"SELECT {column.keys} FROM {table} NOT INDEXED WHERE typeof({name}) = '{kind}' LIMIT 1"
    statement = f"UPDATE {table} SET {name} = {to.format(name)} WHERE ({column.keys}) = ({one})"
    count = f"SELECT count(*) FROM {table} NOT INDEXED WHERE typeof({name}) = '{kind}'"
    return _script(statement, rows=True, fewer=count if other_type else "")


def _script(statement: str, rows: bool = False, fewer: str = "") -> Change:
    """A statement without what it would set off. `rows`: it must change one; `fewer`: and then count less by this."""

    def change(path: str) -> bool:
        triggers = _schema(path, "SELECT rowid, * FROM sqlite_master WHERE type = 'trigger'")
        held = "" if statement.startswith("DROP TRIGGER") else "type = 'trigger'"
        if held and triggers:
            _schema(path, f"DELETE FROM sqlite_master WHERE {held}")
        with closing(connect(path, writes=True)) as connection:
            connection.execute("PRAGMA ignore_check_constraints=ON")
            before = connection.execute(fewer).fetchone() if fewer else (1,)
            done = connection.execute(statement).rowcount == 1 or not rows
            done = done and (connection.execute(fewer).fetchone() if fewer else (0,)) < before
        if held:
            for rowid, kind, name, table, page, sql in triggers:
                words = [text_of(one) for one in (kind, name, table, sql)]
                _schema(
                    path,
                    "INSERT INTO sqlite_master (rowid, rootpage, type, name, tbl_name, sql) VALUES (?, ?, ?, ?, ?, ?)",
                    (rowid, page, *words),
                )
        return done

    return change


def _schema(path: str, statement: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    with closing(connect(path, writes=True)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        return connection.execute(statement, values).fetchall()


def _redeclared(name: str) -> Change:
    def change(path: str) -> bool:
        _schema(path, "UPDATE sqlite_master SET sql = sql || '/* */' WHERE name = ?", (name,))
        with closing(connect(path)) as connection:
            connection.execute("SELECT * FROM sqlite_master").fetchall()
        return True

    return change


def _setting(name: str) -> Change:
    def change(path: str) -> bool:
        with closing(connect(path, writes=True)) as connection:
            (value,) = connection.execute(f"PRAGMA {name}").fetchone()
            connection.execute(f"PRAGMA {name}={value - 1 if value > 0 else value + 1}")
        return True

    return change


def _journal(path: str) -> bool:
    with closing(connect(path, writes=True)) as connection:
        (now,) = connection.execute("PRAGMA journal_mode").fetchone()
        wanted = b"delete" if bytes(now) == b"wal" else b"wal"
        return bytes(connection.execute(f"PRAGMA journal_mode={wanted.decode()}").fetchone()[0]) == wanted


def _page_size(path: str) -> bool:
    with closing(connect(path, writes=True)) as connection:
        (now,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA page_size={8192 if now == 4096 else 4096}")
        connection.execute("VACUUM")
        return bool(connection.execute("PRAGMA page_size").fetchone()[0] != now)


def _flip(root: int, kind: str) -> Change:
    def change(path: str) -> bool:
        with open(path, "r+b") as file:
            for place in find_values(file, root):
                if place.kind == kind:
                    file.seek(place.offset)
                    byte = file.read(1)[0]
                    file.seek(place.offset)
                    file.write(bytes([byte ^ 1]))
                    return True
        return False

    return change
