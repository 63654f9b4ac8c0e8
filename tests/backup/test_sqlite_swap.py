"""A swap of SQLite files, and what stands in its way: other processes, logs, journals, other names."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from rollback_guard.backup.engines import sqlite_open, sqlite_swap
from rollback_guard.backup.engines.sqlite import SQLite
from rollback_guard.errors import RefusedError, UndeterminedError, UsageError
from tests.backup.contract import dumped
from tests.backup.test_sqlite import made_shop, opened, source


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A small database."""
    return made_shop(tmp_path)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for."""
    monkeypatch.setattr(sqlite_swap, "DRAIN", 0.0)


@contextmanager
def holding(path: Path, statements: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that did that to a database, and keeps it open."""
    script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    script += "[c.execute(one).fetchall() for one in sys.argv[2].split(';')]; print('ready', flush=True); input()\n"
    script += "try: c.execute(\"INSERT INTO t (v) VALUES ('late')\"); print('written')\n"
    script += "except sqlite3.OperationalError as error: print(error)"
    with subprocess.Popen(
        [sys.executable, "-c", script, path, statements], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.usefixtures("hasty")
class TestSwap:
    """A swap, and what stands in its way."""

    @pytest.fixture
    def engine(self, shop: Path) -> SQLite:
        """An engine with a backup restored beside production."""
        engine = SQLite(source(shop))
        data, _ = dumped(engine)
        engine.beside("restored_1").restore(io.BytesIO(data))
        return engine

    @pytest.mark.parametrize("mode", ["delete", "wal"])
    def test_another_process_that_has_it_open(self, engine: SQLite, shop: Path, mode: str) -> None:
        with holding(shop, f"PRAGMA journal_mode={mode};SELECT count(*) FROM t") as process:
            with pytest.raises(RefusedError) as caught:
                engine.swap("restored_1", "failed_1")
            assert f"({process.pid}); nothing was swapped" in caught.value.message
            assert "--resume" in caught.value.remedy
        assert not Path(f"{shop}.failed_1").exists()
        assert engine.swap("restored_1", "failed_1") >= 0

    def test_a_connection_in_the_middle_of_a_transaction(self, engine: SQLite, shop: Path) -> None:
        with closing(opened(shop)) as other:  # of our own process, so that locks alone tell
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(RefusedError, match="is in use; nothing"):
                engine.swap("restored_1", "failed_1")

    def test_an_idle_connection_in_wal_mode(self, engine: SQLite, shop: Path) -> None:
        with closing(opened(shop)) as other:
            other.execute("PRAGMA journal_mode=WAL")
            other.execute("SELECT count(*) FROM t")
            with pytest.raises(RefusedError, match="is in use; nothing"):
                engine.swap("restored_1", "failed_1")

    def test_an_idle_connection_that_nothing_tells_of_cannot_write(self, engine: SQLite, shop: Path) -> None:
        with closing(opened(shop)) as other:
            other.execute("SELECT count(*) FROM t").fetchall()
            engine.swap("restored_1", "failed_1")
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                other.execute("DELETE FROM t")

    def test_who_comes_in_the_last_moment_is_named(
        self, engine: SQLite, shop: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = shop.read_bytes()
        real = sqlite_swap.holders
        with holding(shop, "SELECT count(*) FROM t") as process:
            # Nobody is seen before the swap: as if they came just then.
            monkeypatch.setattr(sqlite_swap, "holders", lambda path, file: [] if path == file else real(path, file))
            with pytest.raises(UndeterminedError) as caught:
                engine.swap("restored_1", "failed_1")
            assert "is swapped, but the old database is still open by" in caught.value.message
            assert caught.value.remedy == f"restart it: kill {process.pid}"
        assert Path(f"{shop}.failed_1").read_bytes() == data

    def test_owner_mode_and_attributes_stay(self, engine: SQLite, shop: Path) -> None:
        shop.chmod(0o640)
        os.setxattr(shop, "user.label", b"x")
        if os.geteuid() == 0:
            os.chown(shop, 65534, 65534)
        data, _ = dumped(engine)
        before = shop.stat()
        engine.beside("restored_1").restore(io.BytesIO(data))
        engine.swap("restored_1", "failed_1")
        after = shop.stat()
        assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
        assert os.getxattr(shop, "user.label") == b"x"

    def test_a_second_name(self, engine: SQLite, shop: Path) -> None:
        Path(f"{shop}.other").hardlink_to(shop)
        with pytest.raises(RefusedError, match="another name"):
            engine.swap("restored_1", "failed_1")

    def test_something_else_lies_aside(self, engine: SQLite, shop: Path) -> None:
        Path(f"{shop}.failed_1").write_text("precious")
        with pytest.raises(RefusedError, match="something else lies at"):
            engine.swap("restored_1", "failed_1")
        assert Path(f"{shop}.failed_1").read_text() == "precious"

    def test_nothing_lies_beside(self, engine: SQLite) -> None:
        with pytest.raises(UndeterminedError, match="nothing was restored"):
            engine.swap("restored_2", "failed_1")
        with pytest.raises(UsageError):
            engine.swap("../x", "failed_1")

    def test_a_damaged_production_goes_aside_with_all_that_belongs_to_it(self, engine: SQLite, shop: Path) -> None:
        before = dumped(engine)[1]
        shop.write_bytes(b"\0" * 8192)
        Path(f"{shop}-wal").write_bytes(b"log")
        Path(f"{shop}-shm").write_bytes(b"index")
        Path(f"{shop}-journal").write_bytes(b"journal")
        engine.swap("restored_1", "failed_1")
        names = sorted(one.name for one in shop.parent.iterdir())
        assert names == ["shop.db", "shop.db.failed_1", "shop.db.failed_1-journal", "shop.db.failed_1-wal"]
        assert dumped(engine)[1] == before
        engine.drop("failed_1")
        assert [one.name for one in shop.parent.iterdir()] == ["shop.db"]

    def test_a_log_of_production_is_folded_in_and_none_is_left(self, engine: SQLite, shop: Path) -> None:
        with (
            pytest.raises(subprocess.TimeoutExpired),
            holding(
                shop, "PRAGMA journal_mode=WAL;PRAGMA wal_autocheckpoint=0;INSERT INTO t (v) VALUES ('in the log')"
            ) as process,
        ):
            process.wait(timeout=0)  # killed on the way out: its log stays
        assert Path(f"{shop}-wal").stat().st_size > 0
        failed = dumped(engine)[1]
        engine.swap("restored_1", "failed_1")
        assert sorted(one.name for one in shop.parent.iterdir()) == ["shop.db", "shop.db.failed_1"]
        assert dumped(SQLite(source(f"{shop}.failed_1")))[1] == failed

    def test_a_log_of_what_lies_beside_is_folded_in(self, engine: SQLite, shop: Path) -> None:
        beside = Path(f"{shop}.restored_1")
        with (
            pytest.raises(subprocess.TimeoutExpired),
            holding(beside, "PRAGMA journal_mode=WAL;INSERT INTO t (v) VALUES ('in the log')") as process,
        ):
            process.wait(timeout=0)
        wanted = dumped(SQLite(source(beside)))[1]
        with closing(opened(beside)) as connection:
            connection.execute("INSERT INTO t (v) VALUES ('more')")
            connection.execute("DELETE FROM t WHERE v = 'more'")
        engine.swap("restored_1", "failed_1")
        assert dumped(engine)[1] == wanted

    def test_a_journal_that_the_application_reuses(self, engine: SQLite, shop: Path) -> None:
        with closing(opened(shop)) as other:
            other.execute("PRAGMA journal_mode=PERSIST")
            other.execute("INSERT INTO t (v) VALUES ('more')")
        assert Path(f"{shop}-journal").stat().st_size > 0
        failed = dumped(engine)[1]
        engine.swap("restored_1", "failed_1")
        engine.swap("failed_1", "restored_1")
        assert dumped(engine)[1] == failed
        assert sorted(one.name for one in shop.parent.iterdir()) == ["shop.db", "shop.db.restored_1"]

    def test_who_lets_go_in_time_is_waited_for(
        self, engine: SQLite, shop: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite_swap, "DRAIN", 600.0)
        with closing(opened(shop)) as other:
            other.execute("BEGIN EXCLUSIVE")
            monkeypatch.setattr(time, "sleep", lambda seconds: other.close())
            engine.swap("restored_1", "failed_1")
        assert Path(f"{shop}.failed_1").exists()

    def test_a_log_that_cannot_be_folded_in(self, engine: SQLite, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite_open, "BUSY", 0.0)
        beside = Path(f"{shop}.restored_1")
        with closing(opened(beside)) as writer, closing(opened(beside)) as reader:
            writer.execute("PRAGMA journal_mode=WAL")
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM t").fetchall()
            writer.execute("INSERT INTO t (v) VALUES ('in the log')")
            with pytest.raises(RefusedError, match="cannot be folded in"):
                engine.swap("restored_1", "failed_1")
        engine.swap("restored_1", "failed_1")
