"""What goes wrong with SQLite: each a clear error with a remedy, or told by the comparison, and nothing lost."""

from __future__ import annotations

import io
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from rollback_guard.backup.engines import sqlite_open
from rollback_guard.backup.engines.sqlite import SQLite
from rollback_guard.backup.engines.sqlite_open import read_path
from rollback_guard.backup.model import compare
from rollback_guard.errors import GuardError, RefusedError, UndeterminedError, UsageError
from tests.backup.contract import dumped, restored
from tests.backup.nobody import as_nobody, reachable_folder
from tests.backup.test_sqlite import WORD, made_shop, opened, source


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A small database."""
    return made_shop(tmp_path)


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As on a disk that is full: the kernel lets no file grow beyond that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def error_of(engine: SQLite) -> GuardError:
    """The error with which a snapshot ends."""
    with pytest.raises(GuardError) as caught, engine.snapshot():
        raise AssertionError("it was taken")
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("shop.db", "/srv/shop.db"),
        ("sqlite:shop.db", "/srv/shop.db"),
        ("sqlite:///data/shop.db", "/data/shop.db"),
        ("sqlite:/data/shop%20.db", "/data/shop%20.db"),
        ("file:/data/shop%20.db?mode=ro", "/data/shop .db"),
        ("file:///data/%ff", os.fsdecode(b"/data/\xff")),
        ("../x.db", "/x.db"),
    ],
)
def test_what_a_source_means(text: str, path: str) -> None:
    assert read_path(text, "/srv") == path


@pytest.mark.parametrize("text", ["", ":memory:", "sqlite:", "file:x?immutable=1", "file::memory:", "data/", "a\0b"])
def test_what_no_source_can_mean(text: str) -> None:
    with pytest.raises(UsageError):
        SQLite(source(text))


def test_a_log_left_behind_would_have_lost_everything(tmp_path: Path) -> None:
    path, naive = tmp_path / "shop.db", tmp_path / "naive.db"
    with closing(opened(path)) as writer:
        writer.executescript("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (v);")
        writer.execute("INSERT INTO t VALUES (1), (2)")
        shutil.copyfile(path, naive)
        data, before = dumped(SQLite(source(path)))
    with closing(opened(naive)) as copied:
        assert copied.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copied.execute("SELECT count(*) FROM sqlite_master").fetchall() == [(0,)]
    assert before.rows == 2
    assert compare(before, dumped(SQLite(source(naive)))[1]) != ()
    assert restored(SQLite(source(path)), data, tmp_path / "scratch") == before


def test_what_a_killed_writer_left_in_its_journal_is_undone(shop: Path) -> None:
    before = dumped(SQLite(source(shop)))[1]
    script = "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    script += "c.execute('PRAGMA cache_size=1'); c.execute('BEGIN'); c.execute(\"UPDATE t SET v = v || 'xxxxxxxx'\")\n"
    script += "os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", script, shop], check=False)
    assert done.returncode == -signal.SIGKILL
    assert Path(f"{shop}-journal").stat().st_size > 0
    assert dumped(SQLite(source(shop)))[1] == before


def test_a_locked_database(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_open, "BUSY", 0.0)
    with closing(opened(shop)) as other:
        other.execute("BEGIN EXCLUSIVE")
        error = error_of(SQLite(source(shop)))
    assert error.message == f"the database {shop} is locked by another program"
    assert error.remedy == f"fuser -v {shop}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not a database at all, " * 100, "is no SQLite database, or an encrypted one"),
        (os.urandom(8192), "is no SQLite database, or an encrypted one"),
        (None, "is no file"),
        (b"gone", "there is no database at"),
    ],
    ids=["text", "encrypted", "folder", "missing"],
)
def test_what_is_no_database(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a b.db"
    if content is None:
        path.mkdir()
    elif content != b"gone":
        path.write_bytes(content)
    error = error_of(SQLite(source(path)))
    assert words in error.message
    assert str(path) in error.message
    with pytest.raises(GuardError):
        SQLite(source(path)).identify()


def test_a_damaged_source_is_said_when_the_backup_is_taken(shop: Path) -> None:
    data = bytearray(shop.read_bytes())
    data[4096 * 2 : 4096 * 2 + 100] = b"\xee" * 100
    shop.write_bytes(data)
    assert "is damaged" in error_of(SQLite(source(shop))).message


def test_a_damaged_schema(shop: Path) -> None:
    shop.write_bytes(shop.read_bytes().replace(b"CREATE TABLE", b"CREATE TABEL"))
    assert "is damaged: malformed database schema" in error_of(SQLite(source(shop))).message


def test_one_flipped_byte_of_content_is_told(shop: Path, tmp_path: Path) -> None:
    engine = SQLite(source(shop))
    data, before = dumped(engine)
    at = data.index(WORD)
    for number, offset in enumerate(range(at, at + len(WORD), 5)):
        flipped = bytearray(data)
        flipped[offset] ^= 1
        after = restored(engine, bytes(flipped), tmp_path / f"scratch{number}")  # SQLite finds it sound
        assert [(one.kind, one.name) for one in compare(before, after)] == [("table", "t")]


@pytest.mark.parametrize(
    "change", [lambda data: data + b"\0", lambda data: b"", lambda data: b"PGDMP" + data, lambda data: data[:-4096]]
)
def test_other_bytes_are_no_backup(change: Callable[[bytes], bytes], shop: Path, tmp_path: Path) -> None:
    engine = SQLite(source(shop))
    data, _ = dumped(engine)
    with pytest.raises(UndeterminedError) as caught:
        restored(engine, change(data), tmp_path / "scratch")
    assert caught.value.remedy
    assert list((tmp_path / "scratch").iterdir()) == []


def test_an_index_that_does_not_fit_is_told(shop: Path, tmp_path: Path) -> None:
    with closing(opened(shop)) as connection:
        connection.execute("CREATE INDEX i ON t (v)")
    engine = SQLite(source(shop))
    data = bytearray(dumped(engine)[0])
    data[data.rindex(WORD)] ^= 1
    with pytest.raises(UndeterminedError, match="damaged database"):
        restored(engine, bytes(data), tmp_path / "scratch")


def test_no_space_for_a_restore(shop: Path) -> None:
    engine = SQLite(source(shop))
    data, before = dumped(engine)
    with no_file_larger_than(4096), pytest.raises(UndeterminedError) as caught:
        engine.beside("restored_1").restore(io.BytesIO(data))
    assert caught.value.remedy
    assert sorted(one.name for one in shop.parent.iterdir()) == ["shop.db"]
    assert dumped(engine)[1] == before


def test_no_space_for_a_snapshot(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with no_file_larger_than(4096):
        assert error_of(SQLite(source(shop))).remedy
    few = os.statvfs(shop.parent)
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result((*few[:4], 1, *few[5:])))
    assert "left" in error_of(SQLite(source(shop))).message


def test_no_folder_for_temporary_files(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/nowhere")
    assert "no temporary folder can be made" in error_of(SQLite(source(shop))).message


def test_a_snapshot_is_private_and_nothing_is_left_beside_production(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setenv("TMPDIR", str(spools))
    with closing(opened(shop)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    with SQLite(source(shop)).snapshot():
        assert sorted(one.name for one in shop.parent.iterdir()) == ["shop.db"]
        (folder,) = spools.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}


def test_scratch_is_never_the_source(shop: Path) -> None:
    with pytest.raises(RefusedError), SQLite(source(shop)).scratch(str(shop.parent)):
        raise AssertionError("it was let in")


def test_a_check_reaches_the_scratch_copy(shop: Path, tmp_path: Path) -> None:
    engine = SQLite(source(shop))
    data, _ = dumped(engine)
    with engine.scratch(str(tmp_path)) as target:
        target.restore(io.BytesIO(data))
        path = Path(target.environment()["GUARD_SCRATCH"])
        assert target.identity.place == f"sqlite:{path}"
        assert path.read_bytes() == data
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_may_not_be_written() -> None:
    with reachable_folder() as folder, as_nobody():
        path = folder / "shop.db"
        with closing(opened(path)) as connection:
            connection.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (v)")
        before = dumped(SQLite(source(path)))
        folder.chmod(0o500)
        error = error_of(SQLite(source(path)))
        assert "cannot be opened: it or its folder is not readable and writable" in error.message
        with pytest.raises(UndeterminedError):
            SQLite(source(path)).beside("restored_1").restore(io.BytesIO(before[0]))
        folder.chmod(0o700)
        assert dumped(SQLite(source(path))) == before


def test_a_file_that_may_not_be_read() -> None:
    with reachable_folder() as folder, as_nobody():
        path = folder / "shop.db"
        with closing(opened(path)) as connection:
            connection.execute("CREATE TABLE t (v)")
        path.chmod(0)
        assert "cannot be opened" in error_of(SQLite(source(path))).message
