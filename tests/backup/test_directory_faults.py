"""What goes wrong with directories: each a clear error with a remedy, or said to be uncovered; nothing is lost."""

from __future__ import annotations

import io
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rollback_guard.backup.engines import directory_spool, directory_swap
from rollback_guard.backup.engines.directory import Directory
from rollback_guard.backup.engines.directory_extract import extract, remove_tree
from rollback_guard.backup.model import compare
from rollback_guard.errors import GuardError, RefusedError, UndeterminedError, UsageError
from tests.backup.contract import dumped, restored
from tests.backup.nobody import as_nobody, reachable_folder
from tests.backup.test_directory import FolderBench, made_state, source
from tests.backup.test_sqlite_faults import no_file_larger_than


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A small folder."""
    return made_state(tmp_path)


def error_of(engine: Directory) -> GuardError:
    """The error with which a snapshot ends."""
    with pytest.raises(GuardError) as caught, engine.snapshot():
        raise AssertionError("it was taken")
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("text", ["state", "directory:state", "./state/", "link"])
def test_what_a_source_means(text: str, state: Path) -> None:
    (state.parent / "link").symlink_to("state")
    engine = Directory(source(text, str(state.parent)))
    assert engine.identify().place == f"directory:{state}"
    assert "inner/file" in {one.name for one in dumped(engine)[1].items}


@pytest.mark.parametrize("text", ["", "directory:", "/", "directory:///", "a\0b"])
def test_what_no_source_can_mean(text: str) -> None:
    with pytest.raises(UsageError):
        Directory(source(text))


@pytest.mark.parametrize(("name", "words"), [("other", "is no folder"), ("none", "is not there")])
def test_what_is_no_folder(name: str, words: str, state: Path) -> None:
    assert words in error_of(Directory(source(state / name))).message


def test_what_is_no_state_is_said(state: Path, tmp_path: Path) -> None:
    os.mkfifo(state / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(state)
        server.bind("socket")
        os.chdir(here)
    engine = Directory(source(state))
    data, before = dumped(engine)
    assert {"the FIFO 'pipe'", "the socket 'socket'"} < set(before.uncovered)
    after = restored(engine, data, tmp_path / "scratch")
    assert compare(before, after) == ()


def test_attributes_of_others_are_said(state: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may set trusted attributes")
    for name in ("inner/file", "other"):
        os.setxattr(state / name, "trusted.guard", b"x")
    assert "the attribute 'trusted.guard' (2 times)" in dumped(Directory(source(state)))[1].uncovered


def test_very_deep_and_very_many(tmp_path: Path) -> None:
    root = tmp_path / "production" / "deep"
    root.mkdir(parents=True)
    opened = [os.open(root, os.O_RDONLY)]
    for _ in range(300):
        os.mkdir("a" * 20, dir_fd=opened[-1])
        opened.append(os.open("a" * 20, os.O_RDONLY, dir_fd=opened[-1]))
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=opened[-1]))
    for one in opened:
        os.close(one)
    engine = Directory(source(root))
    data, before = dumped(engine)
    assert max(len(one.name) for one in before.items) > 6000
    assert restored(engine, data, tmp_path / "scratch") == before
    remove_tree(str(root))
    remove_tree(str(root))
    assert not root.exists()


def test_a_file_that_goes_on_changing_is_named(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = directory_spool.write_sparse

    def busy(file: io.BufferedRandom, piece: bytes, at: int) -> None:
        real(file, piece, at)
        with open(state / "inner" / "file", "a") as busy_file:
            busy_file.write("x")

    monkeypatch.setattr(directory_spool, "write_sparse", busy)
    monkeypatch.setattr(directory_spool, "LOOKS", 3)
    error = error_of(Directory(source(state)))
    assert "inner/file in" in error.message
    assert "changes while it is read" in error.message


@pytest.mark.parametrize("what", ["change", "shorter", "remove", "add", "move", "folder"])
def test_what_changes_while_it_is_read_is_read_again(
    what: str, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = directory_spool.write_sparse
    file = state / "inner" / "file"
    done: list[str] = []
    steps: dict[str, Callable[[], object]] = {
        "change": lambda: file.write_text("CONTENT and more"),
        "shorter": lambda: file.write_text("c"),
        "remove": (state / "other").unlink,
        "add": lambda: (state / "inner" / "a").write_text("before what is read"),
        "move": lambda: (state / "other").rename(state / "inner" / "a"),
        "folder": lambda: (state / "inner").rename(state / "z"),
    }

    def once(spool: io.BufferedRandom, piece: bytes, at: int) -> None:
        real(spool, piece, at)
        if not done:
            done.append(what)
            steps[what]()

    monkeypatch.setattr(directory_spool, "write_sparse", once)
    data, before = dumped(Directory(source(state)))
    assert done
    assert compare(before, dumped(Directory(source(state)))[1]) == ()
    assert restored(Directory(source(state)), data, tmp_path / "scratch") == before


def test_what_may_not_be_read_is_named() -> None:
    with reachable_folder() as folder, as_nobody():
        path = folder / "state"
        (path / "inner").mkdir(parents=True)
        secret = path / "inner" / "secret"
        secret.write_text("x")
        for closed in (secret, path / "inner", path):
            mode = closed.stat().st_mode
            closed.chmod(0)
            error = error_of(Directory(source(path)))
            closed.chmod(mode)
            assert "Permission denied" in error.message
            assert ("inner" in error.message) == (closed != path)


def test_who_is_not_root_has_no_owners_to_give(tmp_path: Path) -> None:
    with reachable_folder() as folder, as_nobody():
        bench = FolderBench(folder / "state")
        data, before = dumped(bench.engine())
        assert "owners, which only root can give back" in before.uncovered
        assert restored(bench.engine(), data, folder / "scratch") == before
    after = restored(Directory(source(tmp_path / "none")), data, tmp_path / "scratch")
    assert compare(before, after) == ()


def test_what_root_took_only_root_puts_back(state: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root takes owners along")
    os.chown(state / "other", 1234, 2345)
    data, before = dumped(Directory(source(state)))
    with reachable_folder() as folder:
        with as_nobody(), pytest.raises(UndeterminedError, match="only root can give them back"):
            extract(io.BytesIO(data), str(folder / "restored"))
        os.chown(state / "other", 1234, 2346)
        assert len(compare(before, dumped(Directory(source(state)))[1])) == 1


def test_no_space(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (state / "large").write_bytes(b"x" * 100_000)
    engine = Directory(source(state))
    data, before = dumped(engine)
    with no_file_larger_than(50_000):
        assert "File too large" in error_of(engine).message
        with pytest.raises(UndeterminedError, match="File too large"):
            engine.beside("restored_1").restore(io.BytesIO(data))
    assert [one.name for one in state.parent.iterdir()] == ["state"]
    few = os.statvfs(state)
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result((*few[:4], 1, *few[5:])))
    assert "left" in error_of(engine).message
    monkeypatch.undo()
    assert dumped(engine)[1] == before


def test_another_file_system_inside_is_refused(state: Path) -> None:
    mount = state / "inner"
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "none", mount], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        assert "another file system is mounted at inner" in error_of(Directory(source(state))).message
        with pytest.raises(RefusedError, match="the root of a file system"):
            directory_swap.put_in_place(str(mount), str(state / "other"), str(state / "aside"))
    finally:
        subprocess.run(["umount", mount], check=True)


def test_what_lies_in_the_source(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Directory(source(state))
    assert engine.contains(str(state / "backups"))
    assert not engine.contains(str(state.parent / "state.backups"))
    for folder in (state / "inner", state.parent):
        with pytest.raises(RefusedError), engine.scratch(str(folder)):
            raise AssertionError("it was let in")
    monkeypatch.setenv("TMPDIR", str(state / "inner"))
    assert "temporary files lie in the source" in error_of(Directory(source(state))).message
    assert list((state / "inner").iterdir()) == [state / "inner" / "file"]


def test_holes_stay_holes_and_times_stay(state: Path, tmp_path: Path) -> None:
    with open(state / "holes", "wb") as file:
        file.truncate(200_000_000)
        file.seek(100_000_000)
        file.write(b"x")
    os.utime(state / "other", ns=(1, 1_234_567_890_123_456_789))
    engine = Directory(source(state))
    (tmp_path / "scratch").mkdir()
    with engine.snapshot() as snapshot, engine.scratch(str(tmp_path / "scratch")) as target:
        with open(tmp_path / "artefact", "w+b") as artefact:
            snapshot.dump(artefact)
            artefact.seek(0)
            target.restore(artefact)
        root = Path(target.environment()["GUARD_SCRATCH"])
        assert compare(snapshot.fingerprint(), target.fingerprint()) == ()
        assert (root / "holes").stat().st_blocks * 512 < 2_000_000
        assert (root / "other").stat().st_mtime_ns == 1_234_567_890_123_456_789
        assert target.identity.place == f"directory:{root}"


def test_other_programs_can_read_it(state: Path, tmp_path: Path) -> None:
    (state / os.fsdecode(b"\xff")).write_text("odd")
    data, _ = dumped(Directory(source(state)))
    (tmp_path / "out").mkdir()
    subprocess.run(["tar", "xf", "-"], input=data, cwd=tmp_path / "out", check=True, stderr=subprocess.DEVNULL)
    assert (tmp_path / "out" / "inner" / "file").read_text() == "content"
    assert (tmp_path / "out" / os.fsdecode(b"\xff")).read_text() == "odd"


class TestSwap:
    """A swap, and what stands in its way."""

    @pytest.fixture
    def engine(self, state: Path) -> Directory:
        """An engine with a backup restored beside production."""
        engine = Directory(source(state))
        data, _ = dumped(engine)
        engine.beside("restored_1").restore(io.BytesIO(data))
        return engine

    def test_something_else_lies_aside(self, engine: Directory, state: Path) -> None:
        Path(f"{state}.failed_1").mkdir()
        with pytest.raises(RefusedError, match="something else lies at"):
            engine.swap("restored_1", "failed_1")

    def test_nothing_lies_beside(self, engine: Directory) -> None:
        with pytest.raises(UndeterminedError, match="nothing was restored"):
            engine.swap("restored_2", "failed_1")
        with pytest.raises(UsageError):
            engine.swap("../x", "failed_1")

    def test_a_folder_above_that_may_not_be_written(self) -> None:
        with reachable_folder() as folder, as_nobody():
            (folder / "state").mkdir()
            engine = Directory(source(folder / "state"))
            data, _ = dumped(engine)
            engine.beside("restored_1").restore(io.BytesIO(data))
            folder.chmod(0o500)
            for act in (
                lambda: engine.swap("restored_1", "failed_1"),
                lambda: engine.drop("restored_1"),
                lambda: engine.beside("restored_2").restore(io.BytesIO(data)),
            ):
                with pytest.raises(UndeterminedError, match="Permission denied"):
                    act()
            folder.chmod(0o700)
            engine.swap("restored_1", "failed_1")

    def test_who_has_a_file_open_goes_on_with_the_old_one(self, engine: Directory, state: Path) -> None:
        with open(state / "other") as file:
            engine.swap("restored_1", "failed_1")
            assert os.path.samestat(os.fstat(file.fileno()), os.stat(f"{state}.failed_1/other"))


def test_a_folder_whose_names_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "source").mkdir()

    def failing(*_: object) -> list[str]:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "listdir", failing)
        engine = Directory(source(tmp_path / "source"))
        with pytest.raises(GuardError, match="Input/output error") as caught, engine.snapshot():
            pass
    assert caught.value.remedy
