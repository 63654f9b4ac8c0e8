"""Killed with SIGKILL at any step, a revert leaves the old state or the new one, and nothing in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.release.stories import TAG, busy, opened, planned, quarantines, reverted

DRIVER = """
import importlib, os, signal, sys
from rollback_guard.entry.cli.main import main
module, owner, name, after = sys.argv[1:5]
holder = importlib.import_module(module)
holder = getattr(holder, owner) if owner else holder
real = getattr(holder, name)
def deadly(*args, **options):
    if after == "after":
        real(*args, **options)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(holder, name, deadly)
sys.exit(main(["revert", "--yes"]))
"""
ENGINE, IMPORT = "rollback_guard.release.revert", "rollback_guard.git.fast_import"
MOVING, WRITING = "rollback_guard.release.moving", "rollback_guard.release.writing"
STEPS = [
    (IMPORT, "Quarantine", "__init__", "after", False),
    (WRITING, "", "write_commits", "after", False),
    (ENGINE, "", "prove", "after", False),
    (IMPORT, "", "keep_file", "before", False),
    (IMPORT, "", "keep_file", "after", False),  # the pack is there, its index is not
    (IMPORT, "Quarantine", "keep", "after", False),
    (MOVING, "", "update_refs", "before", False),
    (MOVING, "", "update_refs", "after", True),
    (MOVING, "", "move_work_tree", "after", True),
]


@pytest.mark.parametrize(("module", "owner", "name", "after", "moved"), STEPS, ids=lambda value: str(value))
def test_killed(path_of_repo: Path, module: str, owner: str, name: str, after: str, moved: bool) -> None:
    repo = busy(path_of_repo)
    tip = repo.head()
    refs = repo.git("for-each-ref")
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, module, owner, name, after],
        cwd=repo.path,
        env=dict(os.environ),
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    if moved:
        assert repo.tree("main") == repo.tree(TAG)
        repo.git("reset", "-q", "--hard")  # what docs/release-and-revert.md says to do
        assert planned(repo).empty
    else:
        assert repo.git("for-each-ref") == refs
        assert repo.git("status", "--porcelain") == ""
        assert repo.head() == tip
        assert reverted(repo).equals_stable
    assert repo.git("fsck", "--strict", "--connectivity-only") == "" or not moved
    assert opened(repo).git.run("fsck", "--strict").returncode == 0


def test_git_prune_removes_what_a_crash_left(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    leftover = repo.path / ".git/objects/tmp_objdir-rollback-guard-1-00"
    (leftover / "pack").mkdir(parents=True)
    (leftover / "pack/pack-1.pack").write_text("x")
    os.utime(leftover, (0, 0))
    repo.git("prune", "--expire=now")
    assert quarantines(repo) == []
