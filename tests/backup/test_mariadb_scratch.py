"""Where MariaDB backups are tried, and that no secret is left or seen on the way."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.backup.engines import mariadb_scratch
from rollback_guard.backup.engines.mariadb import MariaDB
from rollback_guard.backup.engines.mariadb_address import Address
from rollback_guard.backup.model import compare
from rollback_guard.errors import RefusedError, UndeterminedError
from tests.backup.contract import dumped, restored
from tests.support.mariadb import CANARY, engine_of, new_name, opened, rows_of, server, url_of
from tests.support.mariadb_bench import MariaDBBench


@pytest.fixture
def bench() -> Iterator[MariaDBBench]:
    made = MariaDBBench()
    yield made
    made.close()


def private(bench: MariaDBBench, **environ: str) -> MariaDB:
    """The engine, where no server is named for trying."""
    return engine_of(url_of(bench.server, bench.name), **environ)


def test_a_server_of_our_own_is_started_and_thrown_away(bench: MariaDBBench, tmp_path: Path) -> None:
    engine = private(bench)
    data, before = dumped(engine)
    with engine.scratch(str(tmp_path)) as target:
        target.restore(io.BytesIO(data))
        assert compare(before, target.fingerprint()) == ()
        environ = target.environment()
        assert target.identity.server != engine.identify().server
        copy = engine_of(environ["GUARD_SCRATCH"])
        assert compare(before, dumped(copy)[1]) == ()
        with copy.snapshot() as snapshot:
            assert snapshot.position == "no binary log"
        assert oct((tmp_path / "mariadb").stat().st_mode) == "0o40700"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UndeterminedError, match="cannot be reached"):
        copy.identify()


def test_a_folder_whose_path_is_too_long_for_a_socket(bench: MariaDBBench, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    with private(bench).scratch(str(folder)) as target:
        assert target.fingerprint().rows == 0
    assert list(folder.iterdir()) == []
    links = [path for path in Path(tempfile.gettempdir()).iterdir() if path.is_symlink()]
    assert str(folder / "mariadb") not in [os.readlink(path) for path in links]


def test_a_server_of_our_own_ends_with_the_process(bench: MariaDBBench, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from rollback_guard.backup.engines.mariadb import MariaDB\n"
        "from rollback_guard.backup.source import Source\n"
        "with MariaDB(Source(sys.argv[1], '', dict(os.environ), '/')).scratch(sys.argv[2]) as target:\n"
        "    print(target.environment()['MYSQL_UNIX_PORT'], flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, url_of(bench.server, bench.name), str(tmp_path)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.startswith(os.fsencode(tmp_path))
    while (tmp_path / "mariadb").exists():
        time.sleep(0.01)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("program", ["mariadb-install-db", "mariadbd"])
def test_a_server_that_does_not_start(
    program: str, bench: MariaDBBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mariadb_scratch, "_PATIENCE", 1)
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / program).write_text("#!/bin/sh\nexit 1\n")
    (folder / program).chmod(0o755)
    engine = private(bench, PATH=f"{folder}:{os.environ['PATH']}")
    with pytest.raises(UndeterminedError, match="does not start") as caught, engine.scratch(str(tmp_path)):
        pass
    assert caught.value.remedy.startswith("df -h")
    assert list(tmp_path.iterdir()) == [folder]


def test_no_server_at_all(bench: MariaDBBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollback_guard.backup.engines import mariadb_programs

    monkeypatch.setattr(mariadb_programs, "_SYSTEM", ())
    engine = private(bench, PATH=str(tmp_path))
    with pytest.raises(UndeterminedError, match="no MariaDB server is installed") as caught, engine.scratch("/"):
        pass
    assert "GUARD_SCRATCH_MARIADB" in caught.value.remedy
    with pytest.raises(UndeterminedError, match="MySQL"), engine_of("mysql://h/shop").scratch("/"):
        pass


def test_the_source_is_no_place_to_try(bench: MariaDBBench, tmp_path: Path) -> None:
    engine = private(bench, GUARD_SCRATCH_MARIADB=url_of(bench.server, bench.name))
    with pytest.raises(RefusedError, match="source's own server") as caught, engine.scratch(str(tmp_path)):
        pass
    assert caught.value.remedy == "unset GUARD_SCRATCH_MARIADB"


def test_what_a_killed_try_left_is_removed_and_nothing_else(bench: MariaDBBench, tmp_path: Path) -> None:
    scratch = server("scratch")
    scratch.run(
        *(f"CREATE DATABASE {name}" for name in ("guard_scratch_dead", "guard_scratch_live", "guardXscratch_other"))
    )
    try:
        with opened(scratch) as other:
            other.query("SELECT GET_LOCK('guard_scratch_live', 0)")
            with bench.engine().scratch(str(tmp_path)):
                there = {str(row[0]) for row in rows_of(scratch, "mysql", "SHOW DATABASES LIKE 'guard%'")}
        assert "guard_scratch_dead" not in there
        assert {"guard_scratch_live", "guardXscratch_other"} <= there
        assert len(there) == 3
    finally:
        scratch.run("DROP DATABASE guard_scratch_live", "DROP DATABASE guardXscratch_other")


def test_a_check_reaches_a_server_by_its_host() -> None:
    from rollback_guard.backup.engines.mariadb_restore import environment_of

    address = Address("mariadb", "jane", "s3 cret", "db.acme.example", 3310, "", "shop")
    assert environment_of(address) == {
        "GUARD_SCRATCH": "mariadb://jane:s3%20cret@db.acme.example:3310/shop",
        "GUARD_SCRATCH_DATABASE": "shop",
        "MYSQL_HOST": "db.acme.example",
        "MYSQL_TCP_PORT": "3310",
    }


def test_no_secret_is_seen_or_left(
    bench: MariaDBBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A canary for a password, and one in a row: looked for in every process that is started, and in what is left."""
    row, user = "canary-r0w", new_name()
    quoted = CANARY.replace("\\", "\\\\").replace("'", "''")
    bench.run(f"INSERT INTO customer (name, note) VALUES ('{row}', '{row}')")
    bench.server.run(f"CREATE USER {user}@localhost IDENTIFIED BY '{quoted}'", f"GRANT ALL ON *.* TO {user}@localhost")
    seen: list[bytes] = []
    start = subprocess.Popen.__init__

    def watched(self: Any, *args: Any, **options: Any) -> None:
        start(self, *args, **options)
        for name in ("cmdline", "environ"):
            try:
                seen.append(Path(f"/proc/{self.pid}/{name}").read_bytes())
            except OSError:
                seen.append(b"")  # it has ended

        seen.append(repr((args, options.get("env"))).encode())

    monkeypatch.setattr(subprocess.Popen, "__init__", watched)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    engine = engine_of(url_of(bench.server, bench.name, user, CANARY))
    data, before = dumped(engine)
    assert row.encode() in data
    assert compare(before, restored(engine, data, tmp_path / "scratch")) == ()
    broken = data.replace(b"INSERT INTO `customer`", b"INSERT INTO `customer` VALUES ('canary-r0w');\nINSERT INTO", 1)
    with pytest.raises(UndeterminedError) as caught:
        restored(engine, broken, tmp_path / "again")
    engine.beside("canary_beside").restore(io.BytesIO(data))
    engine.swap("canary_beside", "canary_aside")
    engine.drop("canary_aside")
    told = [repr(engine), repr(engine.identify()), repr(before), *capfd.readouterr()]
    told += [caught.value.message, caught.value.remedy]
    left = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(seen) > 12
    for text in (*seen, *left, *(one.encode() for one in told)):
        assert b"canary-p4ss" not in text
        assert b"canary-r0w" not in text
    bench.server.run(f"DROP USER {user}@localhost")
