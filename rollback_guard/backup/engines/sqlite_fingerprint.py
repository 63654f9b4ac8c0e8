"""What is in an SQLite database, as items.

Covered: the text of every table, index, view, trigger and virtual table; every row of every ordinary table, those in
which full-text and other virtual tables keep theirs included; sequences (AUTOINCREMENT); `application_id`,
`user_version`, encoding, page size, auto-vacuum, and whether it is in WAL mode. Not covered, because a copy may differ
in it: which page holds what, free pages, the schema's counter.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from contextlib import closing

from rollback_guard.backup.engines.sqlite_open import FOREIGN, SIDECARS, connect, explained, quoted
from rollback_guard.backup.engines.sqlite_rows import read_content, read_table, text_of
from rollback_guard.backup.model import Fingerprint, Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = ("application_id", "user_version", "encoding", "page_size", "auto_vacuum")
SEQUENCES = "sqlite_sequence"
# Modules that keep all they have in tables that are covered as such.
SHADOWED = frozenset({"fts3", "fts4", "fts5", "rtree", "rtree_i32", "geopoly"})
_MODULE = re.compile(r"CREATE\s+VIRTUAL\s+TABLE\s+.*?\sUSING\s+\W?(\w+)", re.IGNORECASE | re.DOTALL)


def read_fingerprint(path: str) -> Fingerprint:
    """What is in a file that nobody else writes to. Raises: UndeterminedError."""
    alone = not any(os.path.lexists(path + one) for one in SIDECARS)
    with explained(path):
        with open(path, "rb") as file:
            wal = file.read(20)[18:] == b"\2\2"
        with closing(connect(path, alone=alone)) as connection:
            items: list[Item] = [_item("schema", "setting", "journal_mode", "wal" if wal else "delete")]
            uncovered: list[str] = []
            for name in SETTINGS:
                (value,) = connection.execute(f"PRAGMA {name}").fetchone()
                items.append(_item("schema", "setting", name, value))
                if name == "encoding" and bytes(value) != b"UTF-8":
                    uncovered.append("text that is no valid UTF-16, byte for byte")
            items += _declared(connection, uncovered)
    return Fingerprint(tuple(sorted(items, key=lambda one: one[:3])), tuple(sorted(uncovered)))


def _declared(connection: sqlite3.Connection, uncovered: list[str]) -> Iterator[Item]:
    found = connection.execute("SELECT type, name, tbl_name, sql, rootpage FROM sqlite_master").fetchall()
    for kind, name, table, sql, page in found:
        called, what = text_of(name), text_of(kind)
        virtual = what == "table" and not page
        yield _item("schema", "virtual table" if virtual else what, called, (bytes(table), sql and bytes(sql)))
        if virtual:
            module = _MODULE.search(text_of(sql))
            if module is None or module[1].lower() not in SHADOWED:
                uncovered.append(f"what the virtual table {called!r} shows beyond the tables of the database")
        elif called == SEQUENCES:
            yield from _sequences(connection)
        elif what == "table":
            yield from _content(connection, called, uncovered)


def _content(connection: sqlite3.Connection, name: str, uncovered: list[str]) -> Iterator[Item]:
    try:
        table = read_table(connection, name)
        if table.numbered and not table.number:
            uncovered.append(f"the row numbers of the table {name!r}, whose columns take every name for them")
        content = read_content(connection, table)
    except UnicodeEncodeError:
        uncovered.append(f"the rows of the table {name!r}, the names in which are no UTF-8")
    except sqlite3.OperationalError as error:
        if not str(error).startswith(FOREIGN):
            raise
        uncovered.append(f"the rows of the table {name!r}, for which SQLite alone does not suffice: {error}")
    else:
        yield Item("content", "table", name, content.digest, content.rows)


def _sequences(connection: sqlite3.Connection) -> Iterator[Item]:
    found: dict[str, list[str]] = {}
    for name, value in connection.execute(f"SELECT name, seq FROM {quoted(SEQUENCES)}"):
        found.setdefault(text_of(name) if name is not None else "", []).append(repr(value))
    for called, values in found.items():
        yield _item("content", "sequence", called, sorted(values))


def _item(part: str, kind: str, name: str, value: object) -> Item:
    digest = hashlib.sha256(repr(value).encode("utf-8", "surrogateescape")).hexdigest()
    return Item("schema" if part == "schema" else "content", kind, name, digest)
