"""What goes wrong with a MariaDB backup: a clear error with a remedy, no data in it, and nothing lost."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_guard.backup.engines import mariadb_connection, mariadb_dump, mariadb_snapshot, mariadb_tables
from rollback_guard.backup.engines.mariadb import MariaDB
from rollback_guard.backup.engines.mariadb_connection import ServerError, identifier
from rollback_guard.backup.engines.mariadb_definitions import Definition, render_script
from rollback_guard.backup.model import compare
from rollback_guard.errors import UndeterminedError
from tests.backup.contract import dumped, restored
from tests.support.mariadb import CANARY, engine_of, new_name, opened, rows_of, server, url_of
from tests.support.mariadb_bench import MariaDBBench

SMALL = ("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO t VALUES (1, 'canary row')")


class Shop:
    """A database of its own, empty at first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.server = server()
        self.server.run(f"CREATE DATABASE {identifier(name)} CHARACTER SET utf8mb4")

    def run(self, *statements: str) -> None:
        self.server.run(*statements, database=self.name)

    def engine(self, **environ: str) -> MariaDB:
        environ.setdefault("GUARD_SCRATCH_MARIADB", url_of(server("scratch"), ""))
        return engine_of(url_of(self.server, self.name), **environ)

    def user(self, *grants: str) -> MariaDB:
        """The engine, as somebody who was granted this alone."""
        user = f"u_{self.name}"
        self.server.run(
            f"CREATE USER {user}@localhost IDENTIFIED BY 'pw'", *(f"{one} TO {user}@localhost" for one in grants)
        )
        return engine_of(url_of(self.server, self.name, user, "pw"))


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop(new_name())
    yield made
    made.server.run(f"DROP DATABASE IF EXISTS {made.name}", f"DROP USER IF EXISTS u_{made.name}@localhost")


def said(engine: MariaDB) -> UndeterminedError:
    """The error that a backup ends in."""
    with pytest.raises(UndeterminedError) as caught:
        dumped(engine)
    assert caught.value.remedy
    assert "canary" not in caught.value.message + caught.value.remedy
    return caught.value


def test_a_server_that_is_down(tmp_path: Path) -> None:
    engine = engine_of(f"mariadb://jane:canary@/shop?socket={tmp_path}/s")
    assert "cannot be reached" in said(engine).message
    with pytest.raises(UndeterminedError, match="cannot be reached"):
        engine_of("mariadb://jane:canary@127.0.0.1:1/shop").identify()


def test_a_wrong_password(shop: Shop) -> None:
    shop.user()
    engine = engine_of(url_of(shop.server, shop.name, f"u_{shop.name}", "canary"))
    error = said(engine)
    assert "refuses this user or password" in error.message
    assert "--password" in error.remedy


def test_an_unknown_database(shop: Shop) -> None:
    assert "no database of that name" in said(engine_of(url_of(shop.server, "nowhere"))).message


def test_a_user_who_does_not_see_everything(shop: Shop) -> None:
    shop.run(*SMALL)
    error = said(shop.user(f"GRANT SELECT, SHOW VIEW ON {shop.name}.*"))
    assert "TRIGGER, EVENT, LOCK TABLES, EXECUTE" in error.message
    assert error.remedy.startswith("GRANT TRIGGER, EVENT, LOCK TABLES, EXECUTE ON")


def test_a_user_who_sees_one_table_only(shop: Shop) -> None:
    shop.run(*SMALL, "CREATE TABLE hidden (id INT)")
    assert "it lacks SELECT" in said(shop.user(f"GRANT SELECT ON {shop.name}.t")).message


def test_a_routine_that_may_not_be_read(shop: Shop) -> None:
    shop.run("CREATE FUNCTION secret() RETURNS INT DETERMINISTIC RETURN 7")
    engine = shop.user(f"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, EXECUTE ON {shop.name}.*")
    error = said(engine)
    assert "function secret may not be read" in error.message
    assert "mysql.proc" in error.remedy


def test_an_ordinary_user_is_enough(shop: Shop, tmp_path: Path) -> None:
    shop.run(*SMALL)
    engine = shop.user(f"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, EXECUTE ON {shop.name}.*")
    data, before = dumped(engine)
    assert compare(before, restored(shop.engine(), data, tmp_path / "scratch")) == ()


def test_a_table_that_somebody_else_locks(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb_snapshot, "LOCK_WAIT", 1)
    shop.run(*SMALL)
    with opened(shop.server, shop.name) as other:
        other.query("LOCK TABLES t WRITE")
        error = said(shop.engine())
    assert "locked by somebody else" in error.message
    assert "SHOW PROCESSLIST" in error.remedy


@pytest.mark.parametrize("killed", ["dump", "reader"])
def test_a_connection_that_is_cut_half_way(shop: Shop, killed: str) -> None:
    shop.run("CREATE TABLE t (v VARCHAR(250))", "INSERT INTO t SELECT REPEAT('c', 250) FROM seq_1_to_40000")
    with shop.engine().snapshot() as snapshot:
        for number, info in rows_of(
            shop.server, "mysql", f"SELECT ID, INFO FROM information_schema.PROCESSLIST WHERE DB = '{shop.name}'"
        ):
            if (info is not None) == (killed == "dump"):
                shop.server.run(f"KILL {number}")
        with pytest.raises(UndeterminedError, match="was cut") as caught:
            snapshot.dump(io.BytesIO()) if killed == "dump" else snapshot.fingerprint()
    assert caught.value.remedy


@pytest.mark.parametrize(
    "change",
    ["ALTER TABLE t ADD COLUMN w INT", "CREATE TABLE another (id INT)", "DROP VIEW seen", "ALTER TABLE t COMMENT 'x'"],
)
def test_something_declared_anew_during_a_backup(shop: Shop, change: str) -> None:
    shop.run(*SMALL, "CREATE VIEW seen AS SELECT 1")
    with shop.engine().snapshot() as snapshot:
        snapshot.dump(io.BytesIO())
        shop.run(change)
        with pytest.raises(UndeterminedError, match="altered meanwhile") as caught:
            snapshot.fingerprint()
    assert "guard backup create" in caught.value.remedy


def fake(folder: Path, name: str, text: str) -> str:
    """A PATH on which a program is another one."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


@pytest.mark.parametrize(
    ("version", "words", "remedy"),
    [
        ("mariadb-dump  Ver 10.19 Distrib 10.3.39-MariaDB", "10.3.39 is older than the server", "10.11 or newer"),
        ("mysqldump  Ver 8.0.36 for Linux", "8.0.36 is mysql's", "apt-get install mariadb-client"),
        ("what?", "does not tell its version", "apt-get install mariadb-client"),
    ],
)
def test_a_program_that_does_not_fit(shop: Shop, tmp_path: Path, version: str, words: str, remedy: str) -> None:
    path = fake(tmp_path / "bin", "mariadb-dump", f'echo "{version}"')
    fake(tmp_path / "bin", "mysqldump", f'echo "{version}"')
    error = said(engine_of(url_of(shop.server, shop.name), PATH=path))
    assert words in error.message
    assert remedy in error.remedy


def test_programs_that_are_not_there(shop: Shop, tmp_path: Path) -> None:
    engine = engine_of(url_of(shop.server, shop.name), PATH=str(tmp_path))
    assert "mariadb-dump and mysqldump are not installed here" in said(engine).message
    with pytest.raises(UndeterminedError, match="not installed"):
        engine.tools()
    (tmp_path / "mariadb-dump").mkdir()
    broken = fake(tmp_path / "bin", "mariadb-dump", "").partition(":")[0]
    (tmp_path / "bin" / "mariadb-dump").write_text("#!/nowhere\n")
    assert "are not installed here" in said(engine_of(url_of(shop.server, shop.name), PATH=broken)).message


def test_a_dump_program_that_ends_early_and_well(shop: Shop, tmp_path: Path) -> None:
    path = fake(
        tmp_path / "bin",
        "mariadb-dump",
        'case "$*" in *--version*) exec /usr/bin/mariadb-dump "$@";; esac; /usr/bin/mariadb-dump "$@" | head -n 20',
    )
    shop.run(*SMALL)
    assert "while it was dumped" in said(engine_of(url_of(shop.server, shop.name), PATH=path)).message


def test_an_empty_database(shop: Shop, tmp_path: Path) -> None:
    data, before = dumped(shop.engine())
    assert [item.kind for item in before.items] == ["database"]
    assert compare(before, restored(shop.engine(), data, tmp_path / "scratch")) == ()


def test_names_that_are_hard_to_quote(tmp_path: Path) -> None:
    shop = Shop("a`b'c\"d\\e é %s $x; --")
    try:
        for name in ("-x", "q'\"`", "line\nfeed", "é😶"[0], "%s", "a.b", "$(x)", "select", "back\\slash"):
            shop.run(
                f"CREATE TABLE {identifier(name)} ({identifier(name)} FLOAT, id INT AUTO_INCREMENT PRIMARY KEY)",
                f"INSERT INTO {identifier(name)} VALUES (0.1, NULL)",
                f"CREATE VIEW {identifier('v' + name)} AS SELECT {identifier(name)} FROM {identifier(name)}",
                f"CREATE TRIGGER {identifier('t' + name)} BEFORE INSERT ON {identifier(name)} FOR EACH ROW SET @x = 1",
                f"CREATE PROCEDURE {identifier('p' + name)}() SELECT 1",
                f"CREATE EVENT {identifier('e' + name)} ON SCHEDULE EVERY 1 DAY DO SELECT 1",
            )
        shop.run("CREATE SEQUENCE `s``é`", "CREATE TABLE d (id INT DEFAULT (NEXT VALUE FOR `s``é`))")
        data, before = dumped(shop.engine())
        assert compare(before, restored(shop.engine(), data, tmp_path / "scratch")) == ()
        shop.engine().beside("hard_beside").restore(io.BytesIO(data))
        shop.run("DELETE FROM `a.b`")
        shop.engine().swap("hard_beside", "hard_aside")
        assert compare(before, dumped(shop.engine())[1]) == ()
        shop.engine().drop("hard_aside")
    finally:
        shop.server.run(f"DROP DATABASE IF EXISTS {identifier(shop.name)}", "DROP DATABASE IF EXISTS hard_beside")


def test_a_dump_cut_between_two_statements(shop: Shop, tmp_path: Path) -> None:
    shop.run(*SMALL)
    data, _ = dumped(shop.engine())
    for end in (b";\n", b"-- Dump completed\n"):
        with pytest.raises(UndeterminedError, match="cut off"):
            restored(shop.engine(), data[: data.rfind(end)] + b";\n", tmp_path / f"scratch-{len(end)}")


def test_a_flipped_bit(shop: Shop, tmp_path: Path) -> None:
    shop.run(*SMALL)
    data, before = dumped(shop.engine())
    place = data.index(b"canary row") + 3
    flipped = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    assert compare(before, restored(shop.engine(), flipped, tmp_path / "scratch")) != ()


def test_an_error_of_the_client_tells_no_row(shop: Shop, tmp_path: Path) -> None:
    shop.run(*SMALL)
    data, _ = dumped(shop.engine())
    twice = data.replace(b"INSERT INTO `t` VALUES\n", b"INSERT INTO `t` VALUES (1,'canary');\nINSERT INTO `t` VALUES\n")
    assert twice != data
    with pytest.raises(UndeterminedError, match="error 1062") as caught:
        restored(shop.engine(), twice, tmp_path / "scratch")
    assert "canary" not in caught.value.message + caught.value.remedy


def test_a_stream_that_fails_is_no_backup(shop: Shop, tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise UndeterminedError("the store is away", remedy="ls")

    with shop.engine().scratch(str(tmp_path)) as target, pytest.raises(UndeterminedError, match="the store is away"):
        target.restore(Broken())


def test_a_full_table_on_the_scratch_server(shop: Shop, tmp_path: Path) -> None:
    shop.run("CREATE TABLE m (v CHAR(250)) ENGINE=MEMORY", "INSERT INTO m SELECT 'c' FROM seq_1_to_5000")
    data, _ = dumped(shop.engine())
    server("scratch").run("SET GLOBAL max_heap_table_size = 16384")
    try:
        with pytest.raises(UndeterminedError, match="is full") as caught:
            restored(shop.engine(), data, tmp_path / "scratch")
    finally:
        server("scratch").run("SET GLOBAL max_heap_table_size = DEFAULT")
    assert caught.value.remedy == "df -h"


def test_a_view_of_something_that_is_gone(shop: Shop, tmp_path: Path) -> None:
    shop.run(*SMALL, "CREATE VIEW broken AS SELECT v FROM t", "DROP TABLE t")
    data, _ = dumped(shop.engine())
    with pytest.raises(UndeterminedError, match="lacks a table that something in it refers to"):
        restored(shop.engine(), data, tmp_path / "scratch")


def test_a_type_that_we_do_not_know(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    known = tuple(one for one in mariadb_tables._TIMES if one != "uuid")
    monkeypatch.setattr(mariadb_tables, "_TIMES", known)
    shop.run("CREATE TABLE t (a INT, b UUID)", "INSERT INTO t VALUES (1, UUID())")
    _, before = dumped(shop.engine())
    assert "t.b, of the type uuid" in before.uncovered
    shop.run("UPDATE t SET a = 2")
    assert compare(before, dumped(shop.engine())[1]) != ()
    shop.run("ALTER TABLE t DROP a")
    assert dumped(shop.engine())[1].rows == 1


def test_what_no_dump_has_is_said(shop: Shop) -> None:
    shop.run(
        "CREATE TABLE one (id INT) ENGINE=MyISAM",
        "CREATE TABLE merged (id INT) ENGINE=MERGE UNION=(one)",
        "CREATE EVENT soon ON SCHEDULE AT '2037-01-01 00:00:00' DO SELECT 1",
    )
    _, found = dumped(shop.engine())
    assert "accounts and what they are granted" in found.uncovered
    assert "the rows of merged, which lie elsewhere (MRG_MyISAM)" in found.uncovered
    assert "the event soon, which removes itself" in found.uncovered


def test_a_server_that_lets_too_little_through(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb_tables, "_PACKET", 1 << 40)
    shop.run(*SMALL)
    assert "larger than the server lets through" in said(shop.engine()).message


def test_a_row_that_is_too_large_to_be_written_exactly(shop: Shop) -> None:
    shop.run("CREATE TABLE t (f FLOAT, b LONGBLOB)", "INSERT INTO t VALUES (0.1, REPEAT('x', 10000000))")
    assert "t has a row that is larger" in said(shop.engine()).message


def test_sessions_that_begin_with_a_limit_would_cut_off_the_dump(shop: Shop) -> None:
    shop.server.run("SET GLOBAL sql_select_limit = 1")
    try:
        assert "sql_select_limit = 1" in said(shop.engine()).message
    finally:
        shop.server.run("SET GLOBAL sql_select_limit = DEFAULT")


def test_a_dump_does_not_depend_on_what_sessions_begin_with(tmp_path: Path) -> None:
    bench = MariaDBBench()
    try:
        bench.odd_session()
        data, before = dumped(bench.engine())
        assert before.rows > 20
        assert compare(before, restored(bench.engine(), data, tmp_path / "scratch")) == ()
    finally:
        bench.close()


def test_a_backup_is_of_one_moment_under_load(shop: Shop, tmp_path: Path) -> None:
    shop.run(
        "CREATE SEQUENCE s",
        "CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, n INT DEFAULT (NEXT VALUE FOR s))",
        "CREATE TABLE b (id INT) ENGINE=MyISAM",
    )
    done, written = threading.Event(), threading.Event()

    def write() -> None:
        with opened(shop.server, shop.name) as other:
            while not done.is_set():
                other.query("INSERT INTO a () VALUES ()")
                other.query("INSERT INTO b VALUES (1)")
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    written.wait()
    try:
        taken = [dumped(shop.engine()) for _ in range(4)]
    finally:
        done.set()
        writer.join()
    assert len({before for _, before in taken}) > 1
    for number, (data, before) in enumerate(taken):
        assert compare(before, restored(shop.engine(), data, tmp_path / str(number))) == ()


def test_the_position_is_that_of_the_binary_log(shop: Shop) -> None:
    shop.run(*SMALL)
    with shop.engine().snapshot() as snapshot:
        assert snapshot.position.startswith("binlog.0000")
        assert "GTID 0-1-" in snapshot.position


def test_a_password_with_everything_in_it(shop: Shop, tmp_path: Path) -> None:
    user = f"u_{shop.name}"
    quoted = CANARY.replace("\\", "\\\\").replace("'", "''")
    shop.server.run(
        f"CREATE USER {user}@localhost IDENTIFIED BY '{quoted}'", f"GRANT ALL ON {shop.name}.* TO {user}@localhost"
    )
    shop.run(*SMALL)
    data, _ = dumped(engine_of(url_of(shop.server, shop.name, user, CANARY)))
    assert b"canary row" in data


def test_a_driver_that_is_not_installed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(UndeterminedError, match="needs PyMySQL") as caught:
        shop.engine().identify()
    assert caught.value.remedy == "pip install 'rollback-guard[mariadb]'"


def test_a_session_that_is_cut_at_its_beginning(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(opened: mariadb_connection.Session) -> None:
        opened.run(f"KILL {opened.number}")
        opened.run("SELECT 1")

    monkeypatch.setattr(mariadb_connection, "_pin", cut)
    with pytest.raises(UndeterminedError, match="was cut"):
        shop.engine().identify()


def test_a_dump_that_does_not_begin(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb_dump, "_PATIENCE", 0)
    path = fake(
        tmp_path / "bin",
        "mariadb-dump",
        'case "$*" in *--version*) exec /usr/bin/mariadb-dump "$@";; esac; exec sleep 60',
    )
    assert "does not begin" in said(engine_of(url_of(shop.server, shop.name), PATH=path)).message


def test_a_table_that_comes_while_the_others_are_locked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.run(*SMALL)
    calls: list[int] = []
    collect = mariadb_tables.collect_tables

    def late(session: mariadb_connection.Session) -> tuple[mariadb_tables.Table, ...]:
        found = collect(session)
        if not calls:
            shop.run("CREATE TABLE late (id INT)")
        calls.append(len(found))
        return found

    monkeypatch.setattr(mariadb_snapshot, "collect_tables", late)
    _, before = dumped(shop.engine())
    assert (calls[0], calls[-1]) == (1, 2)
    assert {"t", "late"} == {one.name for one in before.items if one.kind == "table" and one.part == "content"}


def test_a_lock_that_is_not_allowed(shop: Shop) -> None:
    error = ServerError("no", remedy="", code=1044)
    told = mariadb_snapshot._unlocked(error, shop.server.address.at(shop.name))
    assert "lock its tables" in told.message
    assert told.remedy.startswith("GRANT LOCK TABLES, SELECT ON")


def test_history_is_said_to_be_missing_where_no_dump_keeps_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb_tables, "KEEPS_HISTORY", (99, 0))
    shop.run("CREATE TABLE h (id INT) WITH SYSTEM VERSIONING", "INSERT INTO h VALUES (1)", "UPDATE h SET id = 2")
    _, before = dumped(shop.engine())
    assert "what was in h earlier, which no dump of this version keeps" in before.uncovered
    assert before.rows == 1


def test_columns_that_a_versioned_table_names_itself(shop: Shop, tmp_path: Path) -> None:
    shop.run(
        "CREATE TABLE h (id INT, f FLOAT, a TIMESTAMP(6) GENERATED ALWAYS AS ROW START,"
        " b TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (a, b)) WITH SYSTEM VERSIONING",
        "INSERT INTO h (id, f) VALUES (1, 0.1)",
        "UPDATE h SET f = 16777215",
    )
    data, before = dumped(shop.engine())
    assert before.rows == 2
    assert compare(before, restored(shop.engine(), data, tmp_path / "scratch")) == ()


def test_many_exact_rows_come_in_pieces(shop: Shop, tmp_path: Path) -> None:
    shop.run("CREATE TABLE t (f FLOAT, v CHAR(200))")
    shop.run("INSERT INTO t SELECT seq / 7, REPEAT('x', 200) FROM seq_1_to_5000")
    data, before = dumped(shop.engine())
    assert data.count(b"INSERT INTO `t`") > 2
    assert compare(before, restored(shop.engine(), data, tmp_path / "scratch")) == ()


def test_mysql_has_conditions_in_routines_alone() -> None:
    event = Definition("EVENT", "e", b"CREATE EVENT e", status="ENABLED", definer="`u`@`h`", database="latin1_bin")
    text = b"".join(render_script([event], "mysql", "utf8mb4_bin")).decode()
    assert "CREATE PROCEDURE _rollback_guard() BEGIN IF @rollback_guard_held IS NULL THEN ALTER DEFINER=`u`@`h`" in text
    assert text.index("ALTER DATABASE COLLATE latin1_bin") < text.index("CREATE EVENT e")
    assert text.index("CALL _rollback_guard()") < text.index("ALTER DATABASE COLLATE utf8mb4_bin")
