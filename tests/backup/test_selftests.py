"""The self-tests: every fault that they put into a scratch copy is told, and the copy is as before afterwards."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from rollback_guard.backup.engine import Engine, Target
from rollback_guard.backup.engines import directory_selftest, sqlite_selftest
from rollback_guard.backup.engines.directory import Directory
from rollback_guard.backup.engines.sqlite import SQLite
from rollback_guard.backup.model import compare
from tests.backup.contract import dumped
from tests.backup.nobody import as_nobody, reachable_folder
from tests.backup.test_directory import FolderBench, made_state, source
from tests.backup.test_sqlite import FileBench, made_shop


@contextmanager
def scratch(engine: Engine, folder: Path) -> Iterator[Target]:
    """A scratch copy of a source."""
    data, _ = dumped(engine)
    folder.mkdir()
    with engine.scratch(str(folder)) as target:
        target.restore(io.BytesIO(data))
        yield target
    assert list(folder.iterdir()) == []


def survivors(
    target: Target, mutations: Callable[[Target], Iterator[tuple[str, AbstractContextManager[None]]]]
) -> tuple[list[str], list[str]]:
    """Names of all faults that a self-test makes, and of those that no fingerprint tells."""
    before = target.fingerprint()
    every, survived = [], []
    for name, fault in mutations(target):
        every.append(name)
        with fault:
            if not compare(before, target.fingerprint()):
                survived.append(name)
        assert compare(before, target.fingerprint()) == (), name
    return every, survived


@pytest.mark.parametrize("wal", [False, True])
def test_sqlite(wal: bool, tmp_path: Path) -> None:
    with scratch(FileBench(tmp_path / "shop.db", wal).engine(), tmp_path / "scratch") as target:
        every, survived = survivors(target, sqlite_selftest.mutations)
    assert survived == []
    assert len(set(every)) == len(every)
    wanted = {
        *("a row that is missing", "a row too many", "a row number", "a sequence", "the journal mode", "the page size"),
        *("the user_version", "the application_id"),
        *(f"one bit of a {kind} in the file" for kind in ("INTEGER", "REAL", "TEXT", "BLOB")),
        *(f"a {kind} that is missing" for kind in ("table", "index", "view", "trigger", "virtual table")),
        *(f"a {kind} declared otherwise" for kind in ("table", "index", "view", "trigger", "virtual table")),
        "another value for one of type text in a column of TEXT",
        "another type for one of type integer in a column of ANY",
        "NULL for one of type blob in a column of no type",
        "another value for one of type null in a column of TEXT",
    }
    assert wanted - set(every) == ({"the page size"} if wal else set())  # it is fixed in WAL mode


def test_a_small_database_has_few_faults(tmp_path: Path) -> None:
    with scratch(SQLite(source(made_shop(tmp_path))), tmp_path / "scratch") as target:
        every, survived = survivors(target, sqlite_selftest.mutations)
        assert survived == []
        assert "a sequence" not in every
        path = Path(target.environment()["GUARD_SCRATCH"])
        generator = sqlite_selftest.mutations(target)
        assert isinstance(generator, Generator)
        _, fault = next(generator)
        with fault:  # and there whoever uses it gives up
            generator.close()
        assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_directory(tmp_path: Path) -> None:
    with scratch(FolderBench(tmp_path / "state").engine(), tmp_path / "scratch") as target:
        every, survived = survivors(target, directory_selftest.mutations)
    assert survived == []
    assert len(set(every)) == len(every) >= 18


def test_a_directory_of_somebody_without_rights() -> None:
    with reachable_folder() as folder, as_nobody():
        path = folder / "state"
        bench = FolderBench(path)
        (path / "a").chmod(0o500)
        with scratch(bench.engine(), folder / "scratch") as target:
            every, survived = survivors(target, directory_selftest.mutations)
    assert survived == []
    assert "an owner of a file" not in every


def test_a_small_directory(tmp_path: Path) -> None:
    with scratch(Directory(source(made_state(tmp_path))), tmp_path / "scratch") as target:
        every, survived = survivors(target, directory_selftest.mutations)
    assert survived == []
    assert "where a link points" not in every
