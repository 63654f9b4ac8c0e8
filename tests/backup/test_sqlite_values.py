"""What an SQLite fingerprint tells apart, and what it does not."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.backup.engines.sqlite import SQLite
from rollback_guard.backup.engines.sqlite_fingerprint import read_fingerprint
from rollback_guard.backup.engines.sqlite_rows import Table, read_content, read_table
from rollback_guard.backup.model import Fingerprint, compare
from tests.backup.contract import dumped, restored
from tests.backup.test_sqlite import opened, source

VALUES = (
    *("NULL", "''", "x''", "0", "0.0", "-0.0", "'0'", "x'30'", "1", "1.0", "'1'", "'1.0'", "x'31'", "9e999", "-9e999"),
    *("'a'", "'a' || char(0)", "'a' || char(0) || 'b'", "CAST(x'ff' AS TEXT)", "CAST(x'fe' AS TEXT)", "x'ff'"),
    *("9007199254740993", "9007199254740992", "9007199254740992.0", "9223372036854775807", "-9223372036854775808"),
    *("0.1", "0.10000000000000002", "'é'", "'e\u0301'", "'NULL'", "' '", "2147483648", "-2147483649"),
)


@pytest.fixture
def base(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection as the engine has them, in memory."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.text_factory = bytearray
        yield connection


def digest(connection: sqlite3.Connection, name: str = "t") -> str:
    """The digest of a table's content."""
    return read_content(connection, read_table(connection, name)).digest


def of(path: Path) -> Fingerprint:
    """What is in a file."""
    return dumped(SQLite(source(path)))[1]


def test_each_value_has_a_digest_of_its_own(base: sqlite3.Connection) -> None:
    found = {}
    base.execute("CREATE TABLE t (v)")
    for value in VALUES:
        base.execute("DELETE FROM t")
        base.execute(f"INSERT INTO t (rowid, v) VALUES (1, {value})")
        found[value] = digest(base)
    assert len(set(found.values())) == len(VALUES)


def test_values_do_not_run_into_one_another(base: sqlite3.Connection) -> None:
    base.execute("CREATE TABLE t (a, b)")
    found = set()
    for one, other in itertools.product(("''", "'a'", "'aa'", "x'61'", "NULL", "1"), repeat=2):
        base.execute("DELETE FROM t")
        base.execute(f"INSERT INTO t (rowid, a, b) VALUES (1, {one}, {other})")
        found.add(digest(base))
    assert len(found) == 36


def test_the_digest_is_the_same_on_every_python(base: sqlite3.Connection) -> None:
    base.execute("CREATE TABLE t (v)")
    base.executemany("INSERT INTO t VALUES (?)", [(None,), (1,), (-(1 << 40),), (0.1,), ("ü",), (b"\0",)])
    assert digest(base) == "39c7b635bf11f447e6ef89f97d30136c941f725d9d0e0975cd35efb5aa6eb059"


def test_neither_the_order_of_writing_nor_the_layout_counts(tmp_path: Path) -> None:
    one, other = tmp_path / "one.db", tmp_path / "other.db"
    rows = [(number, f"row {number}" * 50) for number in range(1000)]
    for path, order in ((one, rows), (other, rows[::-1])):
        with closing(opened(path)) as connection:
            connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
            connection.execute("CREATE TABLE w (id INTEGER, v TEXT, PRIMARY KEY (v)) WITHOUT ROWID")
            for table in ("t", "w"):
                connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", order)
            if path == other:
                connection.execute("DELETE FROM t WHERE id > 500")
                connection.executemany("INSERT INTO t VALUES (?, ?)", rows[501:])
                connection.execute("VACUUM")
    assert one.read_bytes() != other.read_bytes()
    assert compare(of(one), of(other)) == ()


def test_two_values_that_change_places_are_told(base: sqlite3.Connection) -> None:
    base.execute("CREATE TABLE t (v)")
    base.execute("INSERT INTO t VALUES (1), ('1')")
    before = digest(base)
    base.execute("UPDATE t SET v = CASE rowid WHEN 1 THEN '1' ELSE 1 END")
    assert digest(base) != before


class Poorer:
    """A connection of a SQLite without `dbstat`, and of a Python without `blobopen`."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Everything but the table of pages."""
        return self._real.execute(statement.replace("dbstat", "no_such_table"), values)


@pytest.mark.parametrize("end", ["", "WITHOUT ROWID"])
def test_large_values_are_the_same_in_pieces(base: sqlite3.Connection, end: str) -> None:
    base.execute(f"CREATE TABLE t (a PRIMARY KEY, b BLOB, c TEXT, d TEXT AS (b) STORED) {end}")
    base.execute("INSERT INTO t (a, b, c) VALUES (1, randomblob(3000000), 'x'), (2, x'01', hex(randomblob(2000000)))")
    base.execute("INSERT INTO t (a, b, c) VALUES (3, zeroblob(1048577), NULL), (4, zeroblob(1048576), '')")
    table = read_table(base, "t")
    before = read_content(base, table)
    poorer: Any = Poorer(base)
    assert before == read_content(poorer, table)
    assert before.rows == 4
    seen = {before.digest}
    for change in ("b = CAST(b AS TEXT) WHERE a = 3", "b = zeroblob(1048578) WHERE a = 3", "c = c || '0' WHERE a = 2"):
        base.execute(f"UPDATE t SET {change}")
        seen.add(digest(base))
    assert len(seen) == 4


def test_tables_of_odd_shape(base: sqlite3.Connection) -> None:
    base.execute("CREATE TABLE taken (RowId, _ROWID_, oid)")
    base.execute("CREATE TABLE partly (ROWID TEXT)")
    base.execute('CREATE TABLE "a ""b""\n" ("c ""d""")')
    assert read_table(base, "taken") == Table("taken", ("RowId", "_ROWID_", "oid"), "", True)
    assert read_table(base, "partly").number == "_rowid_"
    assert read_content(base, read_table(base, 'a "b"\n')).rows == 0


def test_an_empty_database_is_a_backup_too(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.write_bytes(b"")
    data, before = dumped(SQLite(source(path)))
    assert data.startswith(b"SQLite format 3\0")
    assert before == restored(SQLite(source(path)), data, tmp_path / "scratch")
    assert path.read_bytes() == b""


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_other_encodings(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "wide.db"
    with closing(opened(path)) as connection:
        connection.executescript(f"PRAGMA encoding='{encoding}'; CREATE TABLE t (v); INSERT INTO t VALUES ('ü');")
    data, before = dumped(SQLite(source(path)))
    assert before == restored(SQLite(source(path)), data, tmp_path / "scratch")
    assert "UTF-16" in before.uncovered[0]


def test_what_only_the_application_brings(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    with closing(opened(path)) as connection:
        connection.create_function("own", 1, lambda value: value, deterministic=True)
        connection.create_collation("odd", lambda one, other: (one > other) - (one < other))
        connection.executescript(
            """
            CREATE TABLE t (a TEXT COLLATE odd, b AS (own(a)), c AS (own(a)) STORED CHECK (own(a) IS NOT NULL));
            CREATE INDEX i ON t (a);
            CREATE INDEX j ON t (own(a));
            CREATE VIEW v AS SELECT own(a) FROM t;
            CREATE TABLE w (a TEXT COLLATE odd PRIMARY KEY) WITHOUT ROWID;
            INSERT INTO t (a) VALUES ('x'), ('y');
            INSERT INTO w VALUES ('x'), ('y');
            """
        )
    engine = SQLite(source(path))
    data, before = dumped(engine)
    assert before == restored(engine, data, tmp_path / "scratch")
    told = {one.name for one in before.items if one.part == "content"}
    assert "t" in told
    assert before.uncovered[0].startswith("the rows of the table 'w', for which SQLite alone does not suffice: ")


def test_a_virtual_table_of_a_module_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "virtual.db"
    with closing(opened(path)) as connection:
        connection.executescript(
            """
            CREATE TABLE t (v); PRAGMA writable_schema=ON;
            INSERT INTO sqlite_master VALUES ('table', 'm', 'm', 0, 'CREATE VIRTUAL TABLE m USING elsewhere(x)');
            """
        )
    assert of(path).uncovered == ("what the virtual table 'm' shows beyond the tables of the database",)


def test_names_that_are_no_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "names.db"
    with closing(opened(path)) as connection:
        connection.executescript("CREATE TABLE tXt (v); INSERT INTO tXt VALUES (1);")
    path.write_bytes(path.read_bytes().replace(b"tXt", b"t\xfft"))
    found = of(path)
    assert "t\udcfft" in {one.name for one in found.items}
    assert found.uncovered == ("the rows of the table 't\\udcfft', the names in which are no UTF-8",)


def test_a_log_beside_a_file_is_read_with_it(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(opened(path)) as connection:
        connection.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (v); INSERT INTO t VALUES (1);")
        assert {one.name for one in read_fingerprint(str(path)).items} >= {"t"}
