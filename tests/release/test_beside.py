"""Releases that are not on the branch's own line of commits: merged in, beside it, or of another history."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.errors import RefusedError
from tests.release.stories import begun, executed, git_as, planned


def test_a_root_commit_goes_when_the_release_came_from_another_history(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("checkout", "-q", "--orphan", "other")
    repo.git("rm", "-rqf", ".")
    root = repo.commit("Another beginning", other_dot_py="x\n")
    git_as(repo, "merge", "-q", "--allow-unrelated-histories", "-m", "Join", "main")
    plan = planned(repo, branch="other")
    assert [(one.commit, one.parent, one.tree) for one in plan.reverts[-1:]] == [(root, None, None)]
    assert plan.bring is not None
    assert plan.bring.onto is None
    assert "before other's first commit" in plan.notes[0]
    result = executed(repo, plan, "")
    assert result.equals_stable
    assert result.commits == 3
    empty = repo.git("hash-object", "-t", "tree", "/dev/null")
    assert repo.tree("other^") == empty
    assert repo.git("fsck", "--strict") == ""


def test_a_merged_release_branch_is_met_where_main_had_its_tree(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.branch("release/1")
    repo.commit("Release 1", version_dot_txt="1")
    repo.stable_tag("stable/2026.11.23.1")
    repo.checkout("main")
    merge = repo.merge("release/1")
    newer = repo.commit("Later", later_dot_py="x")
    plan = planned(repo, tag="stable/2026.11.23.1")
    assert [one.commit for one in plan.reverts] == [newer]
    assert plan.stable.ancestor
    assert plan.bring is None
    assert merge in plan.notes[0]
    assert executed(repo, plan, "").equals_stable


def test_a_merged_release_branch_whose_tree_main_never_had_is_brought(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    base = repo.head()
    repo.branch("release/1")
    release = repo.commit("Release 1", version_dot_txt="1")
    repo.stable_tag("stable/2026.11.23.1")
    repo.checkout("main")
    repo.commit("Meanwhile", meanwhile_dot_py="x")
    repo.merge("release/1")
    plan = planned(repo, tag="stable/2026.11.23.1")
    assert len(plan.reverts) == 2
    assert plan.bring is not None
    assert (plan.bring.commit, plan.bring.onto) == (release, base)
    assert "came into it by a merge" in plan.notes[0]
    result = executed(repo, plan, "")
    assert (result.commits, result.equals_stable) == (3, True)
    assert repo.git("log", "-1", "--format=%s") == "Bring back stable/2026.11.23.1"
    assert repo.git("show", "HEAD:version.txt") == "1"


@pytest.mark.parametrize("mode", ["each", "single"])
def test_a_release_beside_the_branch_is_brought(path_of_repo: Path, mode: str) -> None:
    repo = begun(path_of_repo)
    repo.branch("release/1")
    repo.commit("Release 1", version_dot_txt="1")
    repo.stable_tag("stable/2026.11.23.1")
    repo.checkout("main")
    repo.commit("Later", later_dot_py="x")
    plan = planned(repo, tag="stable/2026.11.23.1", mode="single" if mode == "single" else "each")
    assert not plan.stable.ancestor
    assert "is not in its history" in plan.notes[0]
    assert plan.notes[1] == (
        "main never had that tree, so the gate will judge it like any other change: "
        "guard revert --to stable/2026.11.23.1 --as NEW-BRANCH   # and have that signed off"
    )
    beside = planned(repo, tag="stable/2026.11.23.1", target="refs/heads/hotfix/back")
    assert beside.notes[1].endswith("have it signed off on hotfix/back, and merge that")
    result = executed(repo, plan, "")
    assert result.equals_stable
    assert result.commits == (2 if mode == "each" else 1)
    assert f"This brings the tree of commit {plan.stable.commit}" in repo.git("log", "-1", "--format=%B")


def test_a_release_beside_the_branch_with_the_tree_of_the_fork_needs_nothing_brought(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.branch("release/1")
    repo.commit("Nothing but a word")
    repo.stable_tag("stable/2026.11.23.1")
    repo.checkout("main")
    repo.commit("Later", later_dot_py="x")
    plan = planned(repo, tag="stable/2026.11.23.1")
    assert (len(plan.reverts), plan.bring) == (1, None)
    assert "which has its tree" in plan.notes[0]
    assert executed(repo, plan, "").equals_stable


def test_a_branch_behind_the_release_is_refused(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("branch", "old", "main~1")
    with pytest.raises(RefusedError, match="behind"):
        planned(repo, branch="old")


def test_histories_that_never_meet_are_refused(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit("Another beginning", other_dot_py="x\n")
    with pytest.raises(RefusedError, match="no history in common"):
        planned(repo, branch="other")
