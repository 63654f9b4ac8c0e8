"""What must be true before a branch moves, and what happens to work trees: nothing of anybody's is lost."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.errors import RefusedError
from rollback_guard.git import worktree
from rollback_guard.git.refs import update_refs
from rollback_guard.git.worktree import find_checkouts, move_work_tree, overwritten_paths, try_move
from rollback_guard.release import moving
from rollback_guard.release.moving import require_ready
from rollback_guard.release.revert import move_of
from tests.release.stories import TAG, begun, busy, everything, executed, git_as, opened, planned, reverted
from tests.support.builder import RepositoryBuilder


def refused(repo: RepositoryBuilder, match: str) -> RefusedError:
    """The refusal, with the proof that nothing changed."""
    before = everything(repo)
    with pytest.raises(RefusedError, match=match) as caught:
        reverted(repo)
    assert everything(repo) == before
    return caught.value


def exclude(repo: RepositoryBuilder, pattern: str) -> None:
    """Have git ignore files."""
    (repo.path / ".git/info").mkdir(exist_ok=True)
    (repo.path / ".git/info/exclude").write_text(pattern)


def test_a_changed_file(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.write(app_dot_py="mine\n")
    assert "app.py" in refused(repo, "not committed").message
    assert (repo.path / "app.py").read_text() == "mine\n"


def test_a_staged_file_and_a_long_list(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.write(**{f"new{number}_dot_py": "x" for number in range(7)})
    repo.git("add", "-A")
    assert "and 2 more" in refused(repo, "not committed").message


def test_an_unmerged_file(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.branch("other", "main~1")
    repo.commit("Other", app_dot_py="price = 9\n")
    repo.checkout("main")
    repo.commit("Mine", app_dot_py="price = 8\n")
    repo.git("merge", "other", check=False)
    error = refused(repo, "merge is in progress")
    assert error.remedy.startswith("git merge --abort")
    (repo.path / ".git/MERGE_HEAD").unlink()
    assert "app.py" in refused(repo, "not committed").message


def test_a_bisect(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("bisect", "start")
    assert refused(repo, "bisect is in progress").remedy == "git bisect reset"


def test_a_rebase_of_the_branch(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.branch("other", TAG)
    repo.commit("Other", app_dot_py="price = 9\n")
    repo.checkout("main")
    repo.git("rebase", "other", check=False)
    refused(repo, "rebase is in progress")


def test_a_rebase_of_another_branch_does_not_matter(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.branch("other", TAG)
    repo.commit("Other", app_dot_py="price = 9\n")
    repo.git("rebase", "main", check=False)
    assert (repo.path / ".git/rebase-merge").is_dir()
    assert reverted(repo).equals_stable


@pytest.mark.parametrize("ignored", [False, True])
def test_an_untracked_file_in_the_way(path_of_repo: Path, ignored: bool) -> None:
    repo = begun(path_of_repo)
    repo.git("rm", "-q", "basket.py")
    repo.commit("No basket")
    repo.write(basket_dot_py="mine\n")
    if ignored:
        exclude(repo, "basket.py\n")
    assert "basket.py" in refused(repo, "would be overwritten").message
    assert (repo.path / "basket.py").read_text() == "mine\n"


def test_an_untracked_file_where_a_folder_goes(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("rm", "-rq", "docs")
    repo.commit("No docs")
    repo.write(docs="mine\n")
    assert ": docs" in refused(repo, "would be overwritten").message


def test_a_folder_that_is_gone_comes_back(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("rm", "-rq", "docs")
    repo.commit("No docs")
    assert reverted(repo).equals_stable
    assert (repo.path / "docs/guide.txt").is_file()


def test_ignored_files_in_a_folder_where_a_file_goes(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("rm", "-q", "basket.py")
    repo.commit("A folder", basket_dot_py__part="x")
    exclude(repo, "*.log\n")
    repo.write_file("basket.py/deep/mine.log", "mine\n")
    assert "basket.py/deep/mine.log" in refused(repo, "would be overwritten").message
    (repo.path / "basket.py/deep/mine.log").unlink()
    assert reverted(repo).equals_stable
    assert (repo.path / "basket.py").is_file()


def test_a_tracked_file_makes_way_for_a_folder(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("rm", "-rq", "docs")
    repo.commit("A file", docs="x")
    assert reverted(repo).equals_stable
    assert (repo.path / "docs/guide.txt").is_file()


def test_untracked_files_elsewhere_stay(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.write(notes_dot_txt="mine\n")
    assert reverted(repo).equals_stable
    assert (repo.path / "notes.txt").read_text() == "mine\n"


def test_a_touched_but_unchanged_file_is_no_change(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    (repo.path / "app.py").touch()
    (repo.path / "basket.py").write_text((repo.path / "basket.py").read_text())
    assert reverted(repo).equals_stable
    assert repo.git("status", "--porcelain") == ""


def test_a_submodule_at_another_commit_is_no_change(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    library = RepositoryBuilder(repo.path / "lib")
    first = library.commit("One", one="1")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{first},lib")
    git_as(repo, "commit", "-q", "-m", "With a library")
    library.commit("Two", one="2")
    assert reverted(repo).equals_stable


def test_another_work_tree_with_the_branch(path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("checkout", "-q", "--detach")
    repo.git("worktree", "add", "-q", str(tmp_path / "other"), "main")
    error = refused(repo, "another work tree")
    assert str(tmp_path / "other") in error.remedy
    there = RepositoryBuilder.__new__(RepositoryBuilder)
    there.path, there.clock = tmp_path / "other", repo.clock
    assert reverted(there).equals_stable
    assert there.git("status", "--porcelain") == ""
    assert sorted(path.name for path in there.path.iterdir()) == [".git", "app.py", "basket.py", "docs"]


def test_a_work_tree_on_another_branch_is_not_touched(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.branch("mine")
    repo.write(app_dot_py="mine\n")
    assert reverted(repo).equals_stable
    assert (repo.path / "app.py").read_text() == "mine\n"
    assert find_checkouts(opened(repo), "refs/heads/main").here is False


def test_a_work_tree_that_cannot_be_moved(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = busy(path_of_repo)
    plan = planned(repo)
    lock = repo.path / ".git/index.lock"
    lock.write_text("")
    monkeypatch.setattr(worktree, "PAUSE", 0)
    with pytest.raises(RefusedError, match="index here is locked") as raised:
        executed(repo, plan, "")
    assert raised.value.remedy.startswith(f"rm {lock} ")
    lock.unlink()
    with monkeypatch.context() as patched:
        patched.setattr(moving, "try_move", lambda *_: False)
        with pytest.raises(RefusedError, match="cannot be moved"):
            executed(repo, plan, "")
    assert repo.head("main") == plan.tip


def test_a_lock_that_stays_is_given_up(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = busy(path_of_repo)
    (repo.path / ".git/index.lock").write_text("")
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    done = worktree._read_tree(opened(repo), "-u", repo.head(), repo.head(TAG))
    assert (done.returncode, len(waited)) == (128, worktree.ATTEMPTS)
    assert worktree.held_lock(opened(repo)) is not None


def test_another_git_that_looks_at_this_moment_is_waited_for(
    path_of_repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor that asks for the status holds the index for a moment: before the branch moved, or after."""
    repo = busy(path_of_repo)
    plan = planned(repo)
    lock = repo.path / ".git/index.lock"
    waited = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        lock.unlink()

    def looked_at(*args: Any, **options: Any) -> None:
        update_refs(*args, **options)
        lock.write_text("")

    monkeypatch.setattr("rollback_guard.git.worktree.time.sleep", wait)
    monkeypatch.setattr(moving, "update_refs", looked_at)
    lock.write_text("")
    assert executed(repo, plan, "").equals_stable
    assert len(waited) == 2
    assert repo.git("status", "--porcelain") == ""


def test_from_inside_the_git_folder_the_work_tree_is_another_one(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    plan = planned(repo)
    inside = RepositoryBuilder.__new__(RepositoryBuilder)
    inside.path, inside.clock = repo.path / ".git", repo.clock
    with pytest.raises(RefusedError, match="another work tree"):
        require_ready(opened(inside), move_of(plan))


def test_a_link_to_a_folder_is_in_the_way(path_of_repo: Path, tmp_path: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("rm", "-rq", "docs")
    repo.commit("No docs")
    (tmp_path / "precious").mkdir()
    (repo.path / "docs").symlink_to(tmp_path / "precious")
    assert overwritten_paths(opened(repo), repo.head(), repo.tree(TAG)) == ("docs",)


def test_a_file_that_was_only_touched_meanwhile_is_no_hindrance(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    tip, stable = repo.head(), repo.git("rev-parse", f"{TAG}^{{commit}}").strip()
    os.utime(repo.path / "app.py", (1, 1))
    assert try_move(opened(repo), tip, stable)
    os.utime(repo.path / "app.py", (2, 2))
    move_work_tree(opened(repo), tip, stable)
    assert repo.git("diff-files", "--name-only") == ""
    assert repo.git("write-tree").strip() == repo.git("rev-parse", f"{TAG}^{{tree}}").strip()
