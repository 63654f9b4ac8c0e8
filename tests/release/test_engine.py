"""The engine: what is written, what is proven, and what happens when something moves meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.errors import GitError, RefusedError
from rollback_guard.git.history_chain import read_chain
from rollback_guard.git.refs import update_refs
from rollback_guard.release import moving
from rollback_guard.release import revert as engine
from rollback_guard.release.revert import plan_revert, prove
from tests.release.stories import TAG, begun, busy, everything, executed, land, opened, planned, reverted
from tests.support.builder import RepositoryBuilder


def test_one_git_config_does_not_unpack_or_split(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("config", "fastimport.unpackLimit", "1000")
    repo.git("config", "pack.packSizeLimit", "1")
    before = set((repo.path / ".git/objects").rglob("*"))
    reverted(repo)
    new = {path.suffix for path in set((repo.path / ".git/objects").rglob("*")) - before if path.is_file()}
    assert new == {".pack", ".idx"}


def test_the_same_revert_twice_gives_the_same_pack(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = busy(path_of_repo)
    tip = repo.head()
    monkeypatch.setenv("GIT_AUTHOR_DATE", "1780009999 +0000")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "1780009999 +0000")
    first = reverted(repo)
    repo.git("reset", "-q", "--hard", tip)
    assert reverted(repo) == first


def test_a_branch_that_moves_meanwhile_is_left_alone(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = busy(path_of_repo)
    plan = planned(repo)
    real = engine.prove

    def prove_late(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        repo.git("commit", "-q", "--allow-empty", "-m", "Somebody else")

    monkeypatch.setattr(engine, "prove", prove_late)
    with pytest.raises(RefusedError, match="no ref was moved"):
        executed(repo, plan, "")
    assert repo.git("log", "-1", "--format=%s") == "Somebody else"
    assert repo.git("status", "--porcelain") == ""


def test_a_file_that_changes_at_the_last_moment_is_kept(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = begun(path_of_repo)
    repo.commit("Raise the price", app_dot_py="price = 2\n")
    plan = planned(repo)
    real = update_refs

    def update_and_edit(*args: object, **options: object) -> None:
        real(*args, **options)  # type: ignore[arg-type]
        repo.write(app_dot_py="mine\n")

    monkeypatch.setattr(moving, "update_refs", update_and_edit)
    with pytest.raises(RefusedError, match="work tree here is not") as caught:
        executed(repo, plan, "")
    assert "read-tree" in caught.value.remedy
    assert (repo.path / "app.py").read_text() == "mine\n"
    assert repo.tree("main") == repo.tree(TAG)


def test_what_is_not_the_plan_is_never_kept(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    plan = planned(repo)
    repo.commit("Not a revert", x_dot_py="x")
    with pytest.raises(GitError, match="not those of the plan"):
        prove(opened(repo).git, plan, repo.head(), [None])
    with pytest.raises(GitError, match="not those of the plan"):
        prove(opened(repo).git, plan, repo.head(), ())
    one = next(read_chain(opened(repo).git, repo.head(), plan.tip))
    with pytest.raises(GitError, match="no parent on the chain"):
        tuple(engine._reverts(iter((one, one))))


def test_a_shallow_clone_is_refused(path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    clone = RepositoryBuilder.__new__(RepositoryBuilder)
    clone.path, clone.clock = tmp_path / "shallow", repo.clock
    plan = planned(repo)
    with pytest.raises(RefusedError, match="shallow") as caught:
        plan_revert(opened(clone), branch="main", tip=clone.head(), stable=plan.stable)
    assert "--unshallow" in caught.value.remedy


def test_a_read_only_object_store_is_refused(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = busy(path_of_repo)
    plan = planned(repo)
    before = everything(repo)
    real = os.mkdir

    def no_mkdir(path: str, mode: int = 0o777) -> None:
        if "tmp_objdir" in str(path):
            raise PermissionError(13, "Permission denied")
        real(path, mode)

    monkeypatch.setattr(os, "mkdir", no_mkdir)
    with pytest.raises(RefusedError, match="nothing can be written"):
        executed(repo, plan, "")
    monkeypatch.undo()
    assert everything(repo) == before


def test_no_tree_is_written_for_merges(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    for number in range(3):
        land(repo, f"topic/{number}", **{f"file{number}_dot_py": "x"})
    result = reverted(repo)
    assert result.commits == 3
    # No tree is unpacked or written: the pack that was made holds commits and nothing else.
    newest = max((repo.path / ".git/objects/pack").glob("*.idx"), key=lambda path: path.stat().st_mtime_ns)
    kinds = {
        line.split()[1] for line in repo.git("verify-pack", "-v", str(newest)).splitlines() if len(line.split()) > 4
    }
    assert kinds == {"commit"}
