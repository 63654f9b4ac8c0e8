"""Killed with SIGKILL at any step of a swap or a restore, files and folders are the old or the restored ones; and the
same call again ends it.
"""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest

from rollback_guard.backup.engine import Engine
from rollback_guard.backup.model import Fingerprint, compare
from tests.backup.contract import dumped
from tests.backup.cut_short import every_step, killed
from tests.backup.test_directory import FolderBench
from tests.backup.test_sqlite import FileBench

KINDS = ("sqlite", "sqlite-wal", "directory")


class Story:
    """Production after a failed release, and the backup of before restored beside it."""

    def __init__(self, kind: str, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.path = folder / "state"
        bench = FolderBench(self.path) if kind == "directory" else FileBench(self.path, kind == "sqlite-wal")
        self.engine: Engine = bench.engine()
        self.data, self.before = dumped(self.engine)
        bench.write()
        self.failed = dumped(self.engine)[1]
        self.engine.beside("restored_1").restore(io.BytesIO(self.data))

    def now(self) -> Fingerprint:
        """What is in production."""
        return dumped(self.engine)[1]

    def is_done(self) -> bool:
        """Whether production is as before, and all that failed is aside, with nothing else left."""
        names = sorted(one.name for one in self.path.parent.iterdir())
        if names != ["state", "state.failed_1"] or compare(self.before, self.now()):
            return False
        self.engine.swap("failed_1", "restored_1")
        return not compare(self.failed, self.now())


@pytest.mark.parametrize("without", [False, True], ids=["at-once", "two-renames"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_swap_killed_at_any_step(kind: str, without: bool, tmp_path: Path) -> None:
    for after in every_step():
        story = Story(kind, tmp_path / "production")
        cut = killed(story.engine, story.path, after, "swap", "restored_1", "failed_1", without=without)
        if os.path.lexists(story.path) or not without:
            assert story.now() in (story.failed, story.before)
        story.engine.swap("restored_1", "failed_1")
        assert story.is_done(), after
        if not cut:
            break
    assert after > 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_restore_killed_at_any_step_leaves_no_half(kind: str, tmp_path: Path) -> None:
    artefact = tmp_path / "artefact"
    for after in every_step():
        story = Story(kind, tmp_path / "production")
        artefact.write_bytes(story.data)
        cut = killed(story.engine, story.path, after, "restore", "restored_1", str(artefact))
        assert story.now() == story.failed
        if os.path.lexists(f"{story.path}.restored_1"):
            story.engine.swap("restored_1", "failed_1")
            assert story.now() == story.before
            story.engine.swap("failed_1", "restored_1")
        story.engine.beside("restored_1").restore(io.BytesIO(story.data))
        story.engine.swap("restored_1", "failed_1")
        assert story.is_done(), after
        if not cut:
            break
    assert after > 2


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_dead_snapshot_left_goes_with_the_next(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setenv("TMPDIR", str(spools))
    story = Story(kind, tmp_path / "production")
    engine = story.engine
    assert list(spools.iterdir()) == []
    assert killed(engine, story.path, 0, "snapshot")
    assert len(list(spools.iterdir())) == 1
    (mine,) = spools.iterdir()
    with engine.snapshot():
        assert mine not in spools.iterdir()
        assert story.now() == story.failed  # another run at the same time leaves this one's
        assert len(list(spools.iterdir())) == 1
    assert list(spools.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_production_that_is_gone_is_put_back(kind: str, tmp_path: Path) -> None:
    story = Story(kind, tmp_path / "production")
    for one in story.path.parent.iterdir():
        if one.name == story.path.name:
            shutil.rmtree(one) if one.is_dir() else one.unlink()
    assert story.engine.swap("restored_1", "failed_1") == 0.0
    assert story.engine.swap("restored_1", "failed_1") == 0.0
    assert story.now() == story.before
