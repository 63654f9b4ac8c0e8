"""SQLite as a source of backups: the suite of all engines, and what only SQLite can do wrong."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rollback_guard.backup.engines.sqlite import SQLite
from rollback_guard.backup.source import Source
from tests.backup.contract import Contract

WORD = b"a word that is in one place only"
SCHEMA = """
PRAGMA page_size = 1024;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA application_id = 77;
PRAGMA user_version = 3;
CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT, price REAL, paid, doubled AS (price * 2),
  kept TEXT AS (upper(note)) STORED);
CREATE TABLE "odd ""name""
of a table" ("a ""b"" c" TEXT, rowid TEXT, "rowid_" BLOB);
CREATE TABLE pairs (a TEXT, b INT, c, PRIMARY KEY (b, a)) WITHOUT ROWID;
CREATE TABLE firm (n INT, r REAL, t TEXT, b BLOB, x ANY) STRICT;
CREATE TABLE taken (rowid, _rowid_, oid);
CREATE VIRTUAL TABLE pages USING fts5(title, body);
CREATE TABLE audit (what TEXT);
CREATE VIEW dear AS SELECT * FROM orders WHERE price > 10;
CREATE TRIGGER told AFTER UPDATE ON orders BEGIN INSERT INTO audit VALUES (new.note); END;
CREATE INDEX by_note ON orders (note COLLATE NOCASE) WHERE paid IS NOT NULL;
"""


def opened(path: Path) -> sqlite3.Connection:
    """A connection of the application's."""
    return sqlite3.connect(path, isolation_level=None)


def source(text: str | Path, folder: str = "/") -> Source:
    """A source as the policy's words give it."""
    return Source(str(text), str(text), dict(os.environ), folder)


def made_shop(folder: Path) -> Path:
    """A database with one table of some rows, in a folder of its own."""
    path = folder / "production" / "shop.db"
    path.parent.mkdir()
    with closing(opened(path)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
        connection.executemany("INSERT INTO t (v) VALUES (?)", [(f"row {one}",) for one in range(500)])
        connection.execute("INSERT INTO t (v) VALUES (?)", (WORD.decode(),))
    return path


class FileBench:
    """A file with something of everything."""

    mutations = (
        "a text edited in place",
        "an integer that is a text now",
        "a text that is a blob now",
        "another real by one bit",
        "a null that is an empty text now",
        "two values exchanged",
        "a row number",
        "a sequence",
        "a view",
        "a trigger",
        "an index",
        "a virtual table's row",
        "the version",
        "the application",
        "a row without rowid",
        "a strict row",
    )
    _STATEMENTS = (
        "UPDATE orders SET note = 'Second' WHERE id = 2",
        "UPDATE orders SET paid = '1' WHERE id = 1",
        "UPDATE orders SET paid = x'31' WHERE id = 1",
        "UPDATE orders SET price = 0.30000000000000004 WHERE id = 1",
        "UPDATE orders SET note = '' WHERE id = 3",
        "UPDATE orders SET price = 99.0 - price WHERE id IN (4, 5)",
        'UPDATE "odd ""name""\nof a table" SET _rowid_ = 7 WHERE _rowid_ = 1',
        "UPDATE sqlite_sequence SET seq = 1000",
        "DROP VIEW dear; CREATE VIEW dear AS SELECT * FROM orders WHERE price >= 10",
        "DROP TRIGGER told",
        "DROP INDEX by_note",
        "UPDATE pages SET body = 'words anew' WHERE rowid = 1",
        "PRAGMA user_version = 4",
        "PRAGMA application_id = 78",
        "UPDATE pairs SET c = NULL",
        "UPDATE firm SET x = 1.0",
    )

    def __init__(self, path: Path, wal: bool) -> None:
        self.path = path
        with closing(opened(path)) as connection:
            connection.executescript(SCHEMA)
            if wal:
                connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(
                """
                INSERT INTO orders (id, note, price, paid) VALUES (1, 'first', 0.3, 1), (2, 'second', 1e300, x'00ff'),
                  (3, NULL, 9e999, ''), (4, CAST(x'ff00fe' AS TEXT), 49, -0.0), (5, char(0) || 'x', 50, NULL);
                INSERT INTO "odd ""name""\nof a table" VALUES ('x', 'y', zeroblob(5000));
                INSERT INTO pairs VALUES ('a', 1, 2), ('b', 1, x'');
                INSERT INTO firm VALUES (1, 2, 'x', x'01', 1);
                INSERT INTO taken VALUES (1, 2, 3);
                INSERT INTO pages VALUES ('title', 'words and words');
                """
            )

    def engine(self) -> SQLite:
        """The engine on the file."""
        return SQLite(source(self.path))

    def mutate(self, name: str) -> None:
        """Change one thing."""
        with closing(opened(self.path)) as connection:
            connection.executescript(self._STATEMENTS[self.mutations.index(name)])

    def write(self) -> None:
        """Add and change rows."""
        with closing(opened(self.path)) as connection:
            connection.execute("INSERT INTO orders (note, price) VALUES ('meanwhile', 5)")
            connection.execute("INSERT INTO pages VALUES ('more', 'words')")

    def odd_session(self) -> None:
        """Set what a connection can set, and what only says how a file is kept."""
        with closing(opened(self.path)) as connection:
            for one in ("case_sensitive_like=1", "short_column_names=0", "cache_size=5", "synchronous=0", "optimize"):
                connection.execute(f"PRAGMA {one}").fetchall()
            connection.execute("REINDEX")


class TestContract(Contract):
    """What all engines do."""

    @pytest.fixture(params=["delete", "wal"])
    def bench(self, tmp_path: Path, request: pytest.FixtureRequest) -> FileBench:
        """A bench in either mode."""
        folder = tmp_path / "production"
        folder.mkdir()
        return FileBench(folder / "shop.db", request.param == "wal")
