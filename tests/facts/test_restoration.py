"""Going back to a stable release: decided from content and from where production really stood."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.facts.model import Identity, Message, Restoration, Trailer
from rollback_guard.facts.restoration import find_restoration, find_step_back
from rollback_guard.git.repository import open_repository
from rollback_guard.policy.read import read_policy
from tests.support.builder import POLICY, RepositoryBuilder

TAG = "stable/2026.05.28.1"
JANE = Identity("Jane Doe", "jane@acme.example")


def found(repo: RepositoryBuilder, *, base: str, head: str) -> Restoration | None:
    policy = read_policy(POLICY.encode(), path="rollback-guard.toml")
    assert policy is not None
    repository = open_repository(str(repo.path), os.environ)
    return find_restoration(repository, policy, base=repo.head(base), head=repo.head(head), tree=repo.tree(head))


def with_tree(repo: RepositoryBuilder, tree: str, *parents: str, message: str = "Back") -> str:
    """A commit of this tree, by Jane."""
    above = [part for parent in parents for part in ("-p", repo.head(parent))]
    return repo.git("commit-tree", *above, "-m", message, tree, **repo.as_person("jane"))


@pytest.fixture
def repo(path_of_repo: Path) -> RepositoryBuilder:
    """One good commit, and two above it."""
    builder = RepositoryBuilder(path_of_repo)
    for number in range(3):
        builder.commit(f"Number {number}", app_dot_py=f"{number}\n")
    return builder


def test_tree_of_a_stable_release_that_production_had(repo: RepositoryBuilder) -> None:
    repo.stable_tag(TAG, "main~2")
    back = with_tree(repo, repo.tree("main~2"), "main")
    assert found(repo, base="main", head=back) == Restoration(TAG, repo.head("main~2"), (JANE,))
    assert found(repo, base="main", head=with_tree(repo, repo.tree("main~1"), "main")) is None


def test_tag_of_somebody_who_may_not_release(repo: RepositoryBuilder) -> None:
    repo.stable_tag(TAG, "main~2", by="omar")
    assert found(repo, base="main", head=with_tree(repo, repo.tree("main~2"), "main")) is None


def test_second_tag_serves_where_the_first_does_not(repo: RepositoryBuilder) -> None:
    """The first is of a commit with that tree which production never held."""
    aside = with_tree(repo, repo.tree("main~2"), message="Aside")
    repo.stable_tag(TAG, aside)
    back = with_tree(repo, repo.tree("main~2"), "main")
    assert found(repo, base="main", head=back) is None
    repo.stable_tag("stable/2026.05.28.2", "main~2")
    restoration = found(repo, base="main", head=back)
    assert restoration is not None
    assert restoration.tag == "stable/2026.05.28.2"


def test_half_of_a_branch_that_was_merged_whole(repo: RepositoryBuilder) -> None:
    """Production holds that commit, and never stood there."""
    repo.branch("release/2")
    half = repo.commit("Half", half_dot_py="1\n")
    repo.commit("Whole", half_dot_py="2\n")
    repo.checkout("main")
    repo.merge("release/2")
    repo.stable_tag(TAG, half)
    assert found(repo, base="main", head=with_tree(repo, repo.tree(half), "main")) is None


def test_release_that_was_merged_as_it_is(repo: RepositoryBuilder) -> None:
    """The tag lies on the branch's head; what production held after the merge has its very tree."""
    repo.branch("release/2")
    whole = repo.commit("Whole", half_dot_py="2\n")
    repo.checkout("main")
    repo.merge("release/2")
    repo.commit("Bad", app_dot_py="bad\n")
    repo.stable_tag(TAG, whole)
    assert found(repo, base="main", head=with_tree(repo, repo.tree(whole), "main")) is not None


def test_chain_that_begins_with_a_root_of_its_own(repo: RepositoryBuilder) -> None:
    repo.stable_tag(TAG, "main~2")
    root = with_tree(repo, repo.tree("main~2"), message="Root")
    odd = with_tree(repo, repo.tree("main"), root, "main", message="Foxtrot")
    restoration = found(repo, base=odd, head=with_tree(repo, repo.tree("main~2"), odd))
    assert restoration is None or restoration.tag == TAG


def test_another_change_in_between(repo: RepositoryBuilder) -> None:
    repo.stable_tag(TAG, "main~2")
    repo.commit("Something else", other_dot_py="1\n")
    back = with_tree(repo, repo.tree("main~3"), "main")
    assert found(repo, base="main~1", head=back) is None


def test_tag_that_was_made_under_another_name(repo: RepositoryBuilder) -> None:
    repo.stable_tag("other", "main~2")
    repo.git("update-ref", f"refs/tags/{TAG}", "refs/tags/other")
    assert found(repo, base="main", head=with_tree(repo, repo.tree("main~2"), "main")) is None


def test_tag_that_was_copied_under_another_name(repo: RepositoryBuilder) -> None:
    repo.stable_tag("other", "main~1")
    repo.git("update-ref", f"refs/tags/{TAG}", repo.git("rev-parse", "other"))
    back = with_tree(repo, repo.tree("main~1"), "main")
    repo.git("branch", "back", back)
    assert found(repo, base="main", head="back") is None


def test_what_went_back_before_the_release_was_revoked_stays_right(repo: RepositoryBuilder) -> None:
    policy = read_policy(POLICY.encode(), path="rollback-guard.toml")
    assert policy is not None
    repo.stable_tag(TAG, "main~2")
    back = with_tree(repo, repo.tree("main~2"), "main", message=f"Back\n\nRollback-To: {TAG}")
    landed = int(repo.git("show", "-s", "--format=%ct", back))
    message = Message(
        bearer="landing",
        trailers=(Trailer("Rollback-To", TAG),),
        text="Back\n",
        commit=back,
        tree=repo.tree(back),
        time=landed,
    )

    repository = open_repository(str(repo.path), os.environ)

    def counts() -> bool:
        return find_step_back(repository, policy, message, JANE, tip=back) is not None

    assert counts()
    for later, still in ((1, True), (0, False)):
        repo.git("tag", "-f", "-a", "-m", "x", f"revoked/{TAG}", TAG, GIT_COMMITTER_DATE=f"{landed + later} +0000")
        assert counts() is still
    repo.git("tag", "-f", f"revoked/{TAG}", TAG)  # nobody knows since when
    repo.git("update-ref", f"refs/tags/revoked/{TAG}", f"{TAG}^{{commit}}")
    assert not counts()


def test_a_date_of_before_the_revocation_does_not_help_on_top_of_what_came_after_it(repo: RepositoryBuilder) -> None:
    policy = read_policy(POLICY.encode(), path="rollback-guard.toml")
    assert policy is not None
    repo.stable_tag(TAG, "main~2")
    newest = int(repo.git("show", "-s", "--format=%ct", "main"))
    repo.git("tag", "-a", "-m", "x", f"revoked/{TAG}", TAG, GIT_COMMITTER_DATE=f"{newest - 1} +0000")
    back = with_tree(repo, repo.tree("main~2"), "main", message=f"Back\n\nRollback-To: {TAG}")
    message = Message(
        bearer="landing",
        trailers=(Trailer("Rollback-To", TAG),),
        text="Back\n",
        commit=back,
        tree=repo.tree(back),
        time=newest - 2,
    )
    repository = open_repository(str(repo.path), os.environ)
    assert find_step_back(repository, policy, message, JANE, tip=back) is None
    repo.git("tag", "-d", f"revoked/{TAG}")
    assert find_step_back(repository, policy, message, JANE, tip=back) is not None
