"""What goes wrong where a PostgreSQL source is: an error that says so, with a remedy, and never half a backup."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rollback_guard.backup.engines import postgresql_parameters, postgresql_programs, postgresql_snapshot
from rollback_guard.backup.engines.postgresql import PostgreSQL
from rollback_guard.backup.model import compare
from rollback_guard.errors import GuardError, UndeterminedError, UsageError
from tests.backup.contract import dumped, restored
from tests.backup.postgresql_bench import PostgresBench, fresh
from tests.support.postgres import Server, postgres_15, postgres_18, programs

__all__ = ["postgres_15", "postgres_18"]
CANARY = "c4n4ry: p\\ss w'ord"


@pytest.fixture
def bench(postgres_15: Server) -> PostgresBench:
    return fresh(postgres_15)


def fault(engine: PostgreSQL) -> str:
    """Why no backup could be taken: one sentence; there is a remedy."""
    with pytest.raises(GuardError) as caught:
        dumped(engine)
    assert caught.value.remedy
    assert caught.value.__cause__ is None
    return caught.value.message


def with_password(bench: PostgresBench) -> str:
    """A connection string without password of a role that must give one."""
    with bench.server.connect() as session:
        session.execute(psycopg.sql.SQL("ALTER ROLE asked SUPERUSER PASSWORD {}").format(CANARY))
    return bench.server.url(bench.database, "asked")


def test_a_server_that_is_down(bench: PostgresBench, tmp_path: Path) -> None:
    assert fault(bench.engine(f"host={tmp_path} dbname=shop")) == (
        "the source cannot be reached: no server answers there"
    )
    with pytest.raises(UndeterminedError):
        bench.engine(f"host={tmp_path} dbname=shop").identify()


def test_a_database_that_is_not_there(bench: PostgresBench) -> None:
    said = fault(bench.engine(bench.server.url("nowhere")))
    assert said == "the source cannot be reached: there is no such database or role"


def test_a_password_that_is_wrong(bench: PostgresBench) -> None:
    url = with_password(bench)
    assert "refused the password" in fault(bench.engine(f"{url}&password=other"))
    assert "refused the password" in fault(bench.engine(url))


@pytest.mark.parametrize("how", ["url", "words", "variable", "password file", "home", "service", "service by variable"])
def test_every_way_to_give_a_password(bench: PostgresBench, tmp_path: Path, how: str) -> None:
    url, variables = with_password(bench), {"HOME": str(tmp_path)}
    file, service = tmp_path / ".pgpass", tmp_path / ".pg_service.conf"
    words = f"host={bench.server.folder} user=asked dbname={bench.database}"
    escaped = CANARY.replace("\\", "\\\\").replace(":", "\\:")
    if how == "url":
        text = url + "&password=" + CANARY.replace(" ", "%20").replace("\\", "%5C")
    elif how == "words":
        text = f"{words} password={postgresql_parameters.quoted_value(CANARY)}"
    elif how == "variable":
        text, variables["PGPASSWORD"] = url, CANARY
    elif how.startswith("service"):
        service.write_text(f"[other]\nhost=x\n[shop]\npassword={CANARY}\n" + words.replace(" ", "\n") + "\n")
        text = "service=shop" if how == "service" else "application_name=x"
        variables["PGSERVICE"] = "" if how == "service" else "shop"
    else:
        file = file if how == "home" else tmp_path / "other"
        file.write_text(f"*:*:*:*:{escaped}\n")
        file.chmod(0o600)
        text = url
        variables["PGPASSFILE"] = "" if how == "home" else str(file)
    data, before = dumped(bench.engine(text, **variables))
    assert data.startswith(b"PGDMP")
    assert before.rows > 300


def test_a_service_that_nobody_knows(bench: PostgresBench, tmp_path: Path) -> None:
    assert "no service file" in fault(bench.engine("service=nobody", PGSYSCONFDIR=str(tmp_path)))
    broken = tmp_path / "broken"
    broken.write_text("no section\n")
    assert "cannot be read" in fault(bench.engine("service=nobody", PGSERVICEFILE=str(broken)))


@pytest.mark.parametrize("text", ["host=x dbname='open s3cret", "postgresql://a:s3cret@[::1/x", "p=a\nb'=s3cret"])
def test_what_is_no_connection_string_is_not_told(bench: PostgresBench, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        bench.engine(text).identify()
    assert "s3cret" not in caught.value.message + caught.value.remedy


def test_a_password_with_a_line_break(bench: PostgresBench) -> None:
    with pytest.raises(UsageError, match="line break"):
        bench.engine(f"{bench.server.url(bench.database)}&password=a%0Ab").identify()


def test_without_the_driver(bench: PostgresBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(UndeterminedError) as caught:
        bench.engine().identify()
    assert "pip install" in caught.value.remedy


def test_a_bare_name_is_a_database(bench: PostgresBench) -> None:
    engine = bench.engine(bench.database, PGHOST=bench.server.folder, PGUSER="asked", PGPASSWORD=CANARY)
    with_password(bench)
    assert engine.identify().place.startswith(f"postgresql:///{bench.database}?host=")


def test_a_table_that_may_not_be_read(bench: PostgresBench) -> None:
    said = fault(bench.engine(bench.server.url(bench.database, "limited")))
    assert said.startswith("taking a snapshot failed: the role may not do it (permission denied for ")


def test_rows_that_row_security_hides_are_no_smaller_backup(bench: PostgresBench) -> None:
    bench.run("GRANT pg_read_all_data TO limited", "GRANT USAGE ON SCHEMA shop TO limited")
    try:
        engine = bench.engine(bench.server.url(bench.database, "limited"))
        with pytest.raises(UndeterminedError, match="security") as caught, engine.snapshot() as snapshot:
            snapshot.dump(io.BytesIO())
        assert "BYPASSRLS" in caught.value.remedy
        with pytest.raises(UndeterminedError, match="may not do it"), engine.snapshot() as snapshot:
            snapshot.fingerprint()
    finally:
        bench.run("REVOKE pg_read_all_data FROM limited")


def test_a_server_that_keeps_its_identifier_to_itself(bench: PostgresBench) -> None:
    bench.run(
        "REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint() FROM PUBLIC",
        "DROP SCHEMA shop CASCADE",
    )
    engine = bench.engine(bench.server.url(bench.database, "limited"))
    assert engine.identify().server == ""
    with engine.snapshot() as snapshot:
        assert snapshot.position.startswith("LSN ")
        assert "timeline" not in snapshot.position
    with bench.engine().snapshot() as snapshot:
        assert snapshot.position.endswith(", timeline 1")


def test_a_table_that_somebody_locked(bench: PostgresBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_snapshot, "LOCK_WAIT", 50)
    with bench.server.connect(bench.database) as other, other.transaction():
        other.execute("LOCK TABLE shop.t IN ACCESS EXCLUSIVE MODE")
        pid = other.info.backend_pid
        assert fault(bench.engine()).endswith(f": shop.t is locked by process {pid}")
    assert dumped(bench.engine())[1].items


def test_a_table_that_somebody_waits_to_change(bench: PostgresBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The change waits for the snapshot, and pg_dump for the change."""
    monkeypatch.setattr(postgresql_snapshot, "LOCK_WAIT", 50)
    position = postgresql_snapshot._position
    other = bench.server.connect(bench.database)

    def waited(keeper: Any) -> str:
        other.pgconn.send_query(b"TRUNCATE shop.t")
        query = f"SELECT count(*) FROM pg_locks WHERE pid = {other.info.backend_pid} AND NOT granted"
        while not bench.server.value(query):
            pass
        return position(keeper)

    monkeypatch.setattr(postgresql_snapshot, "_position", waited)
    assert fault(bench.engine()) == "pg_dump failed: a table is locked by somebody"
    other.close()


def test_the_schema_does_not_change_under_a_snapshot(bench: PostgresBench, tmp_path: Path) -> None:
    engine, sink = bench.engine(), io.BytesIO()
    with engine.snapshot() as snapshot:
        for statement in ("TRUNCATE shop.t", "ALTER TABLE shop.t ADD b integer", "DROP TABLE shop.t"):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                bench.run("SET lock_timeout = 10", statement)
        bench.run("CREATE TABLE shop.afterwards (id integer)")
        snapshot.dump(sink)
        before = snapshot.fingerprint()
    assert not [one for one in before.items if "afterwards" in one.name]
    assert compare(before, restored(engine, sink.getvalue(), tmp_path / "scratch")) == ()


def test_tables_that_come_and_go_while_they_are_locked(bench: PostgresBench, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, changes = postgresql_snapshot._lock, ["CREATE TABLE shop.another ()", "DROP TABLE shop.another"]

    def disturbed(keeper: Any, tables: list[str]) -> None:
        if changes:
            bench.run(changes.pop(0))
        lock(keeper, tables)

    monkeypatch.setattr(postgresql_snapshot, "_lock", disturbed)
    assert dumped(bench.engine())[1].items
    assert changes == []
    changes += [f"CREATE TABLE shop.number_{number} ()" for number in range(9)]
    assert "keeps changing" in fault(bench.engine())


def test_a_moment_that_does_not_come_is_not_waited_for(bench: PostgresBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_snapshot, "SAFE_WAIT", 50)
    with bench.server.connect(bench.database) as other:
        other.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
        other.execute("UPDATE shop.t SET a = 'x'")
        _, before = dumped(bench.engine())
        other.execute("ROLLBACK")
    assert compare(before, dumped(bench.engine())[1]) == ()


@pytest.mark.parametrize("whose", ["guard", "pg_dump"])
def test_a_connection_that_is_cut(bench: PostgresBench, whose: str) -> None:
    bench.run("CREATE TABLE shop.wide AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
    which = "state = 'idle in transaction'" if whose == "guard" else "state = 'active' AND query LIKE 'COPY%'"
    query = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {which} AND application_name = 'guard'"
    with bench.engine().snapshot() as snapshot:
        while not bench.server.value(f"{query} AND datname = '{bench.database}'"):
            pass  # pg_dump is about to come to its first table
        cut: dict[str, Callable[[], object]] = {
            "guard": snapshot.fingerprint,
            "pg_dump": partial(snapshot.dump, io.BytesIO()),
        }
        with pytest.raises(UndeterminedError, match=r"connection was lost|ended the session") as caught:
            cut[whose]()
        assert caught.value.remedy


def test_a_sink_that_is_full_ends_pg_dump(bench: PostgresBench) -> None:
    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), bench.engine().snapshot() as snapshot:
        snapshot.dump(Full())
    query = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'guard' AND datname = '{bench.database}'"
    while bench.server.value(query):  # a session ends a moment after its client
        pass


def test_a_pg_dump_that_is_too_old(postgres_18: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bench = fresh(postgres_18)
    monkeypatch.setattr(postgresql_programs, "PLACES", ())
    older = bench.engine(PATH=programs("15"))
    with pytest.raises(UndeterminedError) as caught, older.snapshot():
        pass
    assert "pg_dump of PostgreSQL 18 or newer is needed, and only 15." in caught.value.message
    assert caught.value.remedy == "sudo apt-get install postgresql-client-18"
    with pytest.raises(UndeterminedError, match="none is here"):
        bench.engine(PATH=str(tmp_path)).tools()


def test_a_server_that_is_too_old(bench: PostgresBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_snapshot, "OLDEST", 16)
    assert fault(bench.engine()) == "the server is PostgreSQL 15; 16 is the oldest that can be backed up"


def test_an_empty_database(bench: PostgresBench, tmp_path: Path) -> None:
    bench.server.run(f"CREATE DATABASE {bench.database}_empty TEMPLATE template0")
    engine = bench.engine(bench.server.url(f"{bench.database}_empty"))
    data, before = dumped(engine)
    assert before.rows == 0
    assert compare(before, restored(engine, data, tmp_path / "scratch")) == ()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP"])
def test_a_database_that_is_not_utf_8(bench: PostgresBench, tmp_path: Path, encoding: str) -> None:
    name = f"{bench.database}_{encoding.lower()}"
    bench.server.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
    with bench.server.connect(name) as session:
        odd = {"LATIN1": b"\xe9t\xe9", "SQL_ASCII": b"\xff\xfe", "EUC_JP": b"\xa4\xa2"}[encoding]
        session.execute(f"SET client_encoding = '{encoding}'".encode())
        session.execute(b'CREATE TABLE "t' + odd + b'" ("c' + odd + b'" text); CREATE SEQUENCE "s' + odd + b'"')
        session.execute(b'INSERT INTO "t' + odd + b"\" VALUES ('" + odd + b"')")
    engine = bench.engine(bench.server.url(name))
    data, before = dumped(engine)
    assert before.rows == 1
    assert compare(before, restored(engine, data, tmp_path / "scratch")) == ()


def test_a_database_with_an_odd_name(bench: PostgresBench, tmp_path: Path) -> None:
    name = "od'd \"n\name\\ ü@/?&="
    with bench.server.connect() as session:
        session.execute(psycopg.sql.SQL("DROP DATABASE IF EXISTS {0}").format(psycopg.sql.Identifier(name)))
        session.execute(psycopg.sql.SQL("CREATE DATABASE {0}").format(psycopg.sql.Identifier(name)))
    quoted = postgresql_parameters.quoted_value(name)
    engine = bench.engine(f"host={bench.server.folder} user=root_of_tests dbname={quoted}")
    data, before = dumped(engine)
    assert "@" not in engine.identify().place
    assert compare(before, restored(engine, data, tmp_path / "scratch")) == ()
    engine.beside("odd_restored").restore(io.BytesIO(data))
    engine.swap("odd_restored", "odd_failed")
    assert compare(before, dumped(engine)[1]) == ()
    engine.drop("odd_failed")
