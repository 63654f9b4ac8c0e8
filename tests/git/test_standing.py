"""Which commits a branch took back: reverts of reverts, merges that bring reverts, names that people wrote by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from rollback_guard.git.repository import Repository
from rollback_guard.git.standing import Standing
from tests.release.stories import opened
from tests.support.builder import RepositoryBuilder, told_once


@told_once
def begin(path: Path, object_format: str = "sha1") -> RepositoryBuilder:
    """`main` with one commit, which the tag `base` names."""
    repo = RepositoryBuilder(path, object_format=object_format)
    repo.commit("Begin", a_dot_txt="a\n")
    repo.git("tag", "base")
    return repo


def revert(repo: RepositoryBuilder, rev: str, *options: str) -> str:
    """`git revert`, whatever that git calls the revert of a revert."""
    repo.git("revert", "--no-edit", *options, rev, **repo.as_person("jane"))
    return repo.head()


def standing(repo: RepositoryBuilder, tip: str = "main", without: str | None = "base") -> Standing:
    repository: Repository = opened(repo)
    return Standing(repository, repo.head(tip), without=None if without is None else repo.head(without))


def undone(repo: RepositoryBuilder, tip: str = "main", without: str | None = "base") -> dict[str, str]:
    return {commit: one.commit for commit, one in standing(repo, tip, without).undone.items()}


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_revert_a_reapply_and_a_revert_of_that(path_of_repo: Path, object_format: str) -> None:
    repo = begin(path_of_repo, object_format)
    one = repo.commit("One", one_dot_txt="1\n")
    first = revert(repo, one)
    assert undone(repo) == {one: first}
    again = revert(repo, first)
    assert undone(repo) == {first: again}
    third = revert(repo, again)
    assert undone(repo) == {one: first, again: third}
    assert standing(repo).last_word(one).commit == third
    assert standing(repo).last_word(again).commit == third


def test_a_commit_reverted_twice_has_the_newest_revert(path_of_repo: Path) -> None:
    repo = begin(path_of_repo)
    one = repo.commit("One", one_dot_txt="1\n")
    revert(repo, revert(repo, one))
    last = repo.commit(f"Take it out\n\nThis reverts commit {one}.", one_dot_txt="")
    assert undone(repo)[one] == last
    assert standing(repo).last_word(one).commit == last


def test_a_merge_is_reverted_by_its_own_id_and_so_is_what_brought_a_revert(path_of_repo: Path) -> None:
    repo = begin(path_of_repo)
    repo.branch("feature")
    two = repo.commit("Two", two_dot_txt="2\n")
    repo.checkout("main")
    merge = repo.merge("feature")
    repo.branch("revert-1-feature")
    back = revert(repo, merge, "-m", "1")
    repo.checkout("main")
    landing = repo.merge("revert-1-feature", message="Merge pull request #2 from acme/revert-1-feature")
    assert undone(repo) == {merge: back}
    assert standing(repo).landing[two] == merge
    assert standing(repo).landing[back] == landing
    button = revert(repo, landing, "-m", "1")
    assert undone(repo) == {landing: button}
    assert not standing(repo).holds(standing(repo).undone[landing]._replace(one=standing(repo).reverts[-1].one))


def test_a_commit_is_not_taken_back_by_what_does_not_have_it(path_of_repo: Path) -> None:
    repo = begin(path_of_repo)
    one = repo.commit("One", one_dot_txt="1\n")
    repo.branch("maintenance", "base")
    repo.commit(f"Revert elsewhere\n\nThis reverts commit {one}.", other_dot_txt="x\n")
    repo.checkout("main")
    repo.merge("maintenance")
    assert undone(repo) == {}


def test_the_history_without_is_left_out(path_of_repo: Path) -> None:
    repo = begin(path_of_repo)
    one = repo.commit("One", one_dot_txt="1\n")
    back = revert(repo, one)
    assert undone(repo, without="main") == {}
    assert undone(repo, without=one) == {one: back}
    assert undone(repo, without=None) == {one: back}
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit("Elsewhere")
    assert undone(repo, without="other") == {one: back}


def test_names_that_people_wrote(path_of_repo: Path) -> None:
    repo = begin(path_of_repo)
    one = repo.commit("One", one_dot_txt="1\n")
    two = repo.commit("Two (#12)", two_dot_txt="2\n")
    three = repo.commit("Three\n\nSee merge request shop/web!13", three_dot_txt="3\n")
    repo.git("branch", one[:9], "base")  # a branch that bears the beginning of an id
    last = repo.commit(
        f"Out with these\n\nThis reverts commits {one[:9].upper()}, and\n{three}.\nReverts acme/shop#12\n"
        "This reverts merge request shop/web!13\nThis reverts merge request !99\nThis reverts commit 0000000.\n",
        one_dot_txt="",
        two_dot_txt="",
    )
    assert undone(repo) == {one: last, three: last, two: last}
    assert not standing(repo).lost
    repo.commit(f"Once more\n\nThis reapplies commit {two}.", two_dot_txt="2\n")
    assert undone(repo) == {one: last, three: last}


def test_what_is_not_here_is_said(path_of_repo: Path) -> None:
    repo = begin(path_of_repo)
    repo.commit(f"Revert what nobody has\n\nThis reverts commit {'1' * 40}.")
    assert standing(repo).lost
    assert undone(repo) == {}


@pytest.mark.parametrize("line", ["This reverts commit 12.", "This reverts commit 0000000."])
def test_lines_that_name_nothing(path_of_repo: Path, line: str) -> None:
    repo = begin(path_of_repo)
    repo.commit(f"Hm\n\n{line}")
    assert (undone(repo), standing(repo).lost) == ({}, False)


def test_an_id_that_several_commits_begin_with_names_none(path_of_repo: Path) -> None:
    repo = begin(path_of_repo)
    seen: dict[str, str] = {}
    tree = repo.tree()
    for number in range(100_000):  # two commits that begin alike in seven digits, made without a work tree
        text = f"tree {tree}\nauthor a <a> {number} +0000\ncommitter a <a> {number} +0000\n\nx\n"
        oid = hashlib.sha1(b"commit %d\0%s" % (len(text), text.encode()), usedforsecurity=False).hexdigest()
        if oid[:7] in seen:
            break
        seen[oid[:7]] = text
    else:
        pytest.fail("no two of them begin alike")
    for alike in (seen[oid[:7]], text):
        made = repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=alike.encode())
        repo.git("merge", "-q", "--allow-unrelated-histories", "-s", "ours", "-m", "x", made, **repo.as_person("jane"))
    repo.commit(f"Which of them?\n\nThis reverts commit {oid[:7]}.")
    assert undone(repo) == {}


def test_what_another_commit_still_has(path_of_repo: Path) -> None:
    repo = begin(path_of_repo)
    repo.branch("feature")
    repo.commit("Two", two_dot_txt="2\n")
    repo.checkout("main")
    merge = repo.merge("feature")
    repo.branch("cut-between")
    repo.checkout("main")
    back = revert(repo, merge, "-m", "1")

    def still(name: str) -> list[tuple[str, bool]]:
        found = standing(repo, without=name).still_in(repo.head(name))
        assert {one.revert.commit for one in found} <= {back}
        return [(one.commit, one.beside) for one in found]

    assert still("feature") == [(merge, True)]
    assert still("cut-between") == [(merge, False)]
    assert still("base") == []
    assert still("main") == []


def test_a_merge_within_a_branch_that_was_reverted_alone(path_of_repo: Path) -> None:
    repo = begin(path_of_repo)
    repo.branch("feature")
    repo.commit("Two", two_dot_txt="2\n")
    repo.branch("release", "base")
    inner = repo.merge("feature")
    repo.checkout("main")
    repo.merge("release")
    revert(repo, inner, "-m", "1")
    found = standing(repo, without="feature").still_in(repo.head("feature"))
    assert [(one.commit, one.beside) for one in found] == [(inner, True)]


def test_what_is_said_to_be_back_and_is_not(path_of_repo: Path) -> None:
    """A message alone brings nothing back; of what takes away it is enough, as always."""
    repo = begin(path_of_repo)
    one = repo.commit("One", one_dot_txt="1\n")
    back = revert(repo, one)
    repo.commit(f"Notes\n\nThis reverts commit {back}.", d_dot_txt="d\n")
    repo.commit(f"More\n\nThis reapplies commit {one}.", d_dot_txt="e\n")
    repo.commit(f"Nothing\n\nThis reverts commit {back}.")
    assert undone(repo) == {one: back}
    assert standing(repo).last_word(one).commit == back
    assert [each.commit for each in standing(repo).reverts] == [back]
    other = repo.commit("Other", two_dot_txt="2\n")
    said = repo.commit(f"Out\n\nThis reverts commit {other}, and commit {'e' * 40}.", d_dot_txt="f\n")
    lost = repo.commit(f"Lost\n\nThis reverts commit {back}, and commit {'e' * 40}.", d_dot_txt="g\n")
    assert undone(repo) == {one: back, other: said}
    assert [each.commit for each in standing(repo).reverts] == [lost, said, back]


@pytest.mark.parametrize(
    ("files", "believed"),
    [
        ({"one_dot_txt": "changed\n"}, True),  # adapted: the same file, other content
        ({"moved_dot_txt": "1\n"}, True),  # the same content, another file
        ({"half_dot_txt": "2\n"}, True),  # a part of it
        ({"moved_dot_txt": ""}, False),  # an empty file is like any other
        ({"moved_dot_txt": "else\n"}, False),
    ],
)
@pytest.mark.parametrize("verb", ["reverts", "reapplies"])
def test_adapted_and_in_part_it_is_back(path_of_repo: Path, files: dict[str, str], believed: bool, verb: str) -> None:
    repo = begin(path_of_repo)
    one = repo.commit("One", one_dot_txt="1\n", half_dot_txt="2\n", empty_dot_txt="")
    back = revert(repo, one)
    repo.commit(f"Again\n\nThis {verb} commit {back if verb == 'reverts' else one}.", **files)
    assert (one not in undone(repo)) == believed


def test_what_brought_a_revert_is_asked_the_same_and_what_changed_nothing_is_not(path_of_repo: Path) -> None:
    repo = begin(path_of_repo)
    one = repo.commit("One", one_dot_txt="1\n")
    repo.branch("revert-1")
    back = revert(repo, one)
    repo.checkout("main")
    landing = repo.merge("revert-1")
    repo.commit(f"Notes\n\nThis reverts commit {landing}.", d_dot_txt="d\n")
    assert undone(repo) == {one: back}
    revert(repo, landing, "-m", "1")
    assert one not in undone(repo)
    empty = repo.commit(f"Out\n\nThis reverts commit {one}.")
    assert undone(repo)[one] == empty
    repo.commit(f"In\n\nThis reverts commit {empty}.")
    assert one not in undone(repo)


def test_a_revert_of_the_first_commit_of_all(path_of_repo: Path) -> None:
    repo = begin(path_of_repo)
    base = repo.head("base")
    repo.commit("Two", two_dot_txt="2\n")
    back = repo.commit(f"Out\n\nThis reverts commit {base}.", a_dot_txt="")
    repo.commit(f"In\n\nThis reapplies commit {base}.", d_dot_txt="d\n")
    assert undone(repo, without=None) == {base: back}
    repo.commit(f"In\n\nThis reapplies commit {base}.", a_dot_txt="b\n")
    assert undone(repo, without=None) == {}
