"""Where a PostgreSQL backup is restored: scratch, beside the source, and the swap; and what is left afterwards."""

from __future__ import annotations

import io
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest

from rollback_guard.backup.engines import postgresql_cluster, postgresql_restore
from rollback_guard.backup.engines.postgresql import SCRATCH
from rollback_guard.backup.engines.postgresql_selftest import mutations
from rollback_guard.backup.model import compare
from rollback_guard.errors import GuardError, RefusedError, UndeterminedError
from tests.backup.contract import dumped, restored
from tests.backup.postgresql_bench import PostgresBench, fresh
from tests.backup.test_postgresql_faults import CANARY, with_password
from tests.support.postgres import SUPERUSER, Server, postgres_15, postgres_18

__all__ = ["postgres_15", "postgres_18"]
SETTINGS = """SELECT array_agg(format('%s %s', setrole::regrole, setconfig) ORDER BY setrole)::text
  FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE datname = '{}'"""
PROPERTIES = """SELECT row(encoding, datcollate, datctype, datdba, datconnlimit, datacl, datallowconn, datistemplate,
  shobj_description(oid, 'pg_database'))::text FROM pg_database WHERE datname = '{}'"""


@pytest.fixture
def bench(postgres_15: Server) -> PostgresBench:
    return fresh(postgres_15)


def refused(bench: PostgresBench, data: bytes, folder: Path, **environ: str) -> UndeterminedError:
    """Why a backup could not be restored into scratch, which is gone."""
    folder.mkdir(mode=0o700)
    with pytest.raises(UndeterminedError) as caught, bench.engine(**environ).scratch(str(folder)) as target:
        target.restore(io.BytesIO(data))
    assert caught.value.remedy
    assert list(folder.iterdir()) == []
    return caught.value


def test_every_change_to_a_restored_database_is_noticed(bench: PostgresBench, tmp_path: Path) -> None:
    data, before = dumped(bench.engine())
    with bench.engine().scratch(str(tmp_path)) as target:
        target.restore(io.BytesIO(data))
        changes = mutations(target, 4)
        kinds = {name.partition(" shop.")[0] for name, _ in changes}
        assert {"view", "trigger", "index", "constraint", "sequence", "routine", "event trigger watch"} <= kinds
        assert {f"value of type {kind}" for kind in ("integer", "text[]", "xml", "money")} <= kinds
        assert [name for name, change in changes if compare(before, change()) == ()] == []
        assert compare(before, target.fingerprint()) == ()


def test_what_cannot_be_changed_is_not_claimed(bench: PostgresBench, tmp_path: Path) -> None:
    bench.run("DROP SCHEMA shop CASCADE", "CREATE TABLE nothing (never integer)", "SELECT lo_unlink(4711)")
    data, _ = dumped(bench.engine())
    with bench.engine().scratch(str(tmp_path)) as target:
        target.restore(io.BytesIO(data))
        names = [name for name, _ in mutations(target)]
    assert "table public.nothing" in names
    assert "value of type integer" not in names
    assert "row that is gone public.nothing" not in names


def test_a_flipped_bit_is_an_edited_row(bench: PostgresBench, tmp_path: Path) -> None:
    data, before = dumped(bench.engine())
    assert data.count(b"customer 150") == 1
    after = restored(bench.engine(), data.replace(b"customer 150", b"customer 151"[:-1] + b"p"), tmp_path / "scratch")
    assert [(one.kind, one.name) for one in compare(before, after)] == [("table", "shop.customers")]


def test_a_backup_that_is_cut_or_is_none(bench: PostgresBench, tmp_path: Path) -> None:
    data, _ = dumped(bench.engine())
    toc = data.index(b"customer 1\t")
    assert "ends" in refused(bench, data[: toc - 100], tmp_path / "1").message
    assert refused(bench, data[: toc + 100], tmp_path / "2").message.startswith("pg_restore failed")
    assert "not begin" in refused(bench, b"SELECT 1;" * 10, tmp_path / "3").message
    assert "format 1.99" in refused(bench, data[:6] + b"\x63" + data[7:], tmp_path / "4").message
    assert "custom format" in refused(bench, data[:10] + b"\x03" + data[11:], tmp_path / "5").message


def test_bytes_behind_the_end_are_an_error(bench: PostgresBench, tmp_path: Path) -> None:
    data, _ = dumped(bench.engine())
    assert refused(bench, data + bytes(1 << 20), tmp_path / "1").message.startswith("pg_restore failed")


def test_a_backup_of_another_version(postgres_18: Server, bench: PostgresBench, tmp_path: Path) -> None:
    """Without its source a backup is restored by the programs of the version that it says it is of."""
    newer = fresh(postgres_18)
    data, before = dumped(newer.engine())
    down = bench.engine(f"host={tmp_path} dbname=shop", PATH=f"{bench.server.programs}:{postgres_18.programs}")
    assert compare(before, restored(down, data, tmp_path / "scratch")) == ()
    assert "initdb of PostgreSQL 18 is needed" in refused(bench, data, tmp_path / "2").message
    other = bench.server.url("postgres")
    assert "the backup is of PostgreSQL 18" in refused(bench, data, tmp_path / "3", **{SCRATCH: other}).message


def test_rows_are_not_told_by_what_fails(bench: PostgresBench, tmp_path: Path) -> None:
    bench.run(
        "CREATE FUNCTION fussy(v text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN"
        " IF current_database() = 'scratch' THEN RAISE EXCEPTION 'bad %', v; END IF; RETURN true; END $$",
        "CREATE TABLE held (v text CHECK (public.fussy(v)))",
        "INSERT INTO held VALUES ('c4n4ry row')",
    )
    error = refused(bench, dumped(bench.engine())[0], tmp_path / "scratch")
    assert "at table held" in error.message
    assert "c4n4ry" not in error.message + error.remedy


def test_nothing_secret_is_left_or_seen(bench: PostgresBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither while it runs, in what any process was started with, nor afterwards in any file."""
    temporary = Path(tempfile.mkdtemp(prefix="g", dir="/tmp"))
    temporary.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    engine = bench.engine(with_password(bench), PGPASSWORD=CANARY)
    bench.run("CREATE TABLE wide AS SELECT 'c4n4ry row' || repeat('x', 1000) AS v FROM generate_series(1, 2000)")
    seen = []

    def look() -> None:
        for process in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    seen.append(CANARY.encode() in (process / name).read_bytes())
                except OSError:
                    continue
        seen.extend(CANARY.encode() in one.read_bytes() for one in temporary.rglob("*") if one.is_file())

    sink = io.BytesIO()
    with engine.snapshot() as snapshot:
        look()
        snapshot.dump(sink)
    with engine.scratch(str(tmp_path)) as target:
        target.restore(io.BytesIO(sink.getvalue()))
        look()
    beside = engine.beside("secret_beside")
    beside.restore(io.BytesIO(sink.getvalue()))
    look()
    engine.drop("secret_beside")
    assert len(seen) > 10
    assert not any(seen)
    assert list(temporary.iterdir()) == []
    temporary.rmdir()


KILLED = """
import os, signal, sys
from rollback_guard.backup.engines.postgresql import PostgreSQL
from rollback_guard.backup.source import Source
engine = PostgreSQL(Source(sys.argv[1], "", dict(os.environ), "/"))
with engine.scratch(sys.argv[2]) as target:
    print(target.environment()["PGHOST"], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_scratch_goes_with_the_process_that_is_killed(bench: PostgresBench, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, bench.server.url(bench.database), str(tmp_path)],
        env={**os.environ, **bench.server.environ()},
        stdout=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    home = Path(done.stdout.decode().strip())
    while home.exists() and (home.parent != tmp_path or list(home.iterdir())):  # the shell that watches removes it
        pass


def test_a_scratch_server_that_others_use(bench: PostgresBench, tmp_path: Path) -> None:
    server = bench.server
    with_password(bench)
    url = f"{server.url('postgres', 'asked')}&password={CANARY.replace(' ', '%20').replace(chr(92), '%5C')}"
    engine = bench.engine(**{SCRATCH: url})
    left = f"guard_scratch_{server.value('SELECT oid FROM pg_database WHERE datname = current_database()')}_{'a' * 14}"
    server.run(f"CREATE DATABASE {left}", f"CREATE DATABASE {left[:-1]}x")
    data, before = dumped(engine)
    with engine.scratch(str(tmp_path)) as target:
        target.restore(io.BytesIO(data))
        assert compare(before, target.fingerprint()) == ()
        told = target.environment()
        assert CANARY not in str(told)
        assert told["GUARD_SCRATCH"].startswith("postgresql://asked@/guard_scratch_")
        password = {"PATH": os.defpath, "PGPASSFILE": told["PGPASSFILE"]}
        query = [f"{server.programs}/psql", "-At", told["GUARD_SCRATCH"], "-c", "SELECT count(*) FROM shop.t"]
        done = subprocess.run(query, env=password, capture_output=True, check=True)
        assert done.stdout == b"4\n"
    left_over = "SELECT array_agg(datname::text) FROM pg_database WHERE datname LIKE 'guard\\_scratch%'"
    assert server.value(left_over) == [f"{left[:-1]}x"]
    server.run(f"DROP DATABASE {left[:-1]}x")


def test_scratch_is_never_the_source(bench: PostgresBench, tmp_path: Path) -> None:
    engine = bench.engine(**{SCRATCH: bench.server.url(bench.database)})
    with pytest.raises(RefusedError) as caught, engine.scratch(str(tmp_path)):
        pass
    assert f"unset {SCRATCH}" in caught.value.remedy
    with pytest.raises(RefusedError):
        engine.beside(bench.database)
    with pytest.raises(RefusedError):
        engine.drop(bench.database)


def test_roles_that_a_scratch_server_lacks(bench: PostgresBench, tmp_path: Path) -> None:
    bench.server.run('CREATE ROLE "mis\'sing"')
    bench.run('CREATE POLICY more ON shop.t TO "mis\'sing" USING (true)')
    data, _ = dumped(bench.engine())
    bench.run("DROP POLICY more ON shop.t")
    bench.server.run('DROP ROLE "mis\'sing"')
    error = refused(bench, data, tmp_path / "1", **{SCRATCH: bench.server.url("postgres")})
    assert error.remedy == 'CREATE ROLE "mis\'sing" NOLOGIN'
    assert restored(bench.engine(), data, tmp_path / "2").items


def test_a_locale_that_is_not_here_changes_no_value(bench: PostgresBench, tmp_path: Path) -> None:
    data, before = dumped(bench.engine())
    elsewhere = data.replace(b"LOCALE = 'C.UTF-8'", b"LOCALE = 'xx_YYYY'")
    assert elsewhere != data
    assert compare(before, restored(bench.engine(), elsewhere, tmp_path / "scratch")) == ()


def test_a_disk_that_is_full(bench: PostgresBench) -> None:
    words = "SELECT string_agg(md5(format('%s %s', n, i)), '') FROM generate_series(1, 100) i"
    bench.run(f"CREATE TABLE wide AS SELECT ({words}) FROM generate_series(1, 20000) n")
    data, _ = dumped(bench.engine())
    folder = Path(tempfile.mkdtemp(prefix="g", dir="/tmp"))
    for size, said in (("16m", "no scratch server could be made: the disk is full"), ("72m", "disk is full")):
        if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder]).returncode:
            break
        try:
            assert said in refused(bench, data, folder / "scratch").message
        finally:
            subprocess.run(["umount", folder], check=True)
    folder.rmdir()
    assert "the disk is full" in postgresql_cluster._unstarted(b"initdb: error: No space left on device").message


def test_an_account_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_cluster, "ACCOUNTS", ("no-such-account-here",))
    with pytest.raises(UndeterminedError, match="does not run as root"):
        postgresql_cluster._account()


def test_a_server_that_does_not_start(bench: PostgresBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgresql_cluster._SETTINGS, "max_connections", "none")
    error = refused(bench, b"", tmp_path / "1")
    assert error.message.startswith("no scratch server could be started: FATAL")
    assert SCRATCH in error.remedy


def test_beside_is_like_the_source_and_the_swap_keeps_it(bench: PostgresBench) -> None:
    name, server, engine = bench.database, bench.server, bench.engine()
    server.run(
        f"ALTER DATABASE {name} SET search_path TO \"$user\", shop, 'a b'",
        f"ALTER DATABASE {name} SET work_mem TO '7MB'",
        f"ALTER ROLE reader IN DATABASE {name} SET search_path TO ''",
        f"ALTER DATABASE {name} OWNER TO reader",
        f"ALTER DATABASE {name} CONNECTION LIMIT 17 IS_TEMPLATE true",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {name} TO limited WITH GRANT OPTION",
        f"COMMENT ON DATABASE {name} IS 'it''s'",
    )
    wanted = (server.value(SETTINGS.format(name)), server.value(PROPERTIES.format(name)))
    engine.beside(f"{name}_new").restore(io.BytesIO(dumped(engine)[0]))
    engine.swap(f"{name}_new", f"{name}_old")
    assert (server.value(SETTINGS.format(name)), server.value(PROPERTIES.format(name))) == wanted
    engine.drop(f"{name}_old")


def test_a_swap_with_sessions_that_come_again(bench: PostgresBench) -> None:
    name, engine = bench.database, bench.engine()
    engine.beside(f"{name}_new").restore(io.BytesIO(dumped(engine)[0]))
    stop, sessions = threading.Event(), []
    mine = "SELECT oid FROM pg_database WHERE datname = current_database()"

    def busy() -> None:
        while not stop.is_set():
            try:
                with bench.server.connect(name) as session:
                    sessions.append(session.execute(mine.encode()).fetchone())
                    session.execute("SELECT pg_sleep(60)")
            except psycopg.Error:
                continue

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    while not sessions:
        pass
    assert engine.swap(f"{name}_new", f"{name}_old") > 0
    new = bench.server.value(mine, name)
    while (new,) not in sessions:  # they come back, to the restored database
        pass
    stop.set()
    bench.server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    for thread in threads:
        while thread.is_alive():
            bench.server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            thread.join(0.05)


def test_a_swap_that_cannot_be(bench: PostgresBench, monkeypatch: pytest.MonkeyPatch) -> None:
    name, engine, server = bench.database, bench.engine(), bench.server
    with pytest.raises(UndeterminedError, match="no database"):
        engine.swap(f"{name}_new", f"{name}_old")
    server.run(f"CREATE DATABASE {name}_new", f"CREATE DATABASE {name}_old")
    with pytest.raises(RefusedError) as caught:
        engine.swap(f"{name}_new", f"{name}_old")
    assert caught.value.remedy == f"dropdb {name}_old"
    server.run(f"DROP DATABASE {name}_old")
    monkeypatch.setattr("rollback_guard.backup.engines.postgresql_swap._TRIES", 1)
    bench.run("BEGIN", "CREATE TABLE open (id integer)", "PREPARE TRANSACTION 'open'")
    with pytest.raises(UndeterminedError, match="it is in use"):
        engine.swap(f"{name}_new", f"{name}_old")
    bench.run("ROLLBACK PREPARED 'open'")
    assert dumped(engine)[1].rows > 300
    engine.swap(f"{name}_new", f"{name}_old")
    assert dumped(engine)[1].rows == 0


def test_a_restore_beside_that_fails_leaves_it_empty(bench: PostgresBench) -> None:
    data, _ = dumped(bench.engine())
    target = bench.engine().beside(f"{bench.database}_new")
    with pytest.raises(GuardError):
        target.restore(io.BytesIO(data[: int(len(data) * 0.9)]))
    assert target.fingerprint().rows == 0
    bench.engine().drop(f"{bench.database}_new")


def test_the_first_reason_counts_when_the_server_goes_too(
    bench: PostgresBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = dumped(bench.engine())
    target = bench.engine().beside(f"{bench.database}_new")

    def gone(*_: object) -> None:
        raise UndeterminedError("the server cannot be reached", remedy="pg_isready")

    monkeypatch.setattr(postgresql_restore, "create_database", gone)
    with pytest.raises(UndeterminedError, match="pg_restore failed"):
        target.restore(io.BytesIO(data[: int(len(data) * 0.9)]))
    monkeypatch.undo()
    bench.engine().drop(f"{bench.database}_new")


def test_maintenance_is_from_a_database_that_may_be_entered(bench: PostgresBench) -> None:
    bench.server.run("ALTER DATABASE template1 ALLOW_CONNECTIONS false")
    try:
        with pytest.raises(UndeterminedError, match="template1, from which others are renamed, cannot be reached"):
            bench.engine(bench.server.url("postgres", SUPERUSER)).swap("postgres_new", "postgres_old")
    finally:
        bench.server.run("ALTER DATABASE template1 ALLOW_CONNECTIONS true")


def test_a_stream_that_breaks_ends_pg_restore(bench: PostgresBench) -> None:
    data, _ = dumped(bench.engine())

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= 1 << 16:
                raise OSError(5, "Input/output error")
            return super().read(size)

    target = bench.engine().beside(f"{bench.database}_new")
    with pytest.raises(OSError, match="Input/output"):
        target.restore(Broken(data + bytes(1 << 20)))
    bench.engine().drop(f"{bench.database}_new")


def test_whom_a_scratch_server_runs_as(tmp_path: Path) -> None:
    assert postgresql_cluster._as(None) == {}
    assert Path(postgresql_cluster._home(str(tmp_path), None)).parent == tmp_path
    with pytest.raises(UndeterminedError, match="/nowhere/initdb cannot be run: No such file"):
        postgresql_cluster._initialise("/nowhere/initdb", str(tmp_path / "data"), None)
    account = pwd.getpwuid(os.geteuid())
    open_folder = Path(tempfile.mkdtemp(prefix="g", dir="/tmp"))
    home = Path(postgresql_cluster._home(str(open_folder), account))
    assert home.parent == open_folder
    home.rmdir()
    open_folder.rmdir()


def test_a_folder_with_a_long_path_keeps_the_data(bench: PostgresBench, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(tempfile.mkdtemp(prefix="g", dir="/tmp"))
    monkeypatch.setattr(postgresql_cluster, "LONGEST_SOCKET", 5)
    with bench.engine().scratch(str(folder)) as target:
        assert not target.environment()["PGHOST"].startswith(str(folder))
        assert len(list(folder.iterdir())) == 1
    folder.rmdir()
