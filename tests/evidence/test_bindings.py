"""What a sign-off survives, by its binding: each way in which a change moves on before it lands, or lands."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builder import RepositoryBuilder, told_once
from tests.support.commands import check, guard
from tests.support.signing import policy, signed, signed_shop

LONG = "".join(f"line {number}\n" for number in range(40))
Story = Callable[[RepositoryBuilder], str]


def nothing(repo: RepositoryBuilder) -> str:
    """Nobody does anything more."""
    return repo.head("release/1.4")


def another_message(repo: RepositoryBuilder) -> str:
    """The head's message is written anew."""
    repo.git("commit", "-q", "--amend", "--no-verify", "-m", "Release 1.4, better said", **repo.as_person("jane"))
    return repo.head()


def clean_rebase(repo: RepositoryBuilder) -> str:
    """Production moves on in another file, and the branch is rebased onto it."""
    moved_on(repo)
    repo.checkout("release/1.4")
    repo.git("rebase", "-q", "main", **repo.as_person("jane"))
    return repo.head()


def rebase_of_nothing(repo: RepositoryBuilder) -> str:
    """The branch's commits are written anew on the same base."""
    repo.git("rebase", "-q", "--force-rebase", "main", **repo.as_person("jane"))
    return repo.head()


def moved_on(repo: RepositoryBuilder) -> str:
    """Production moves on in another file."""
    repo.checkout("main")
    repo.commit("Hotfix", by="uma", other_dot_py="1\n")
    return repo.head("release/1.4")


def moved_near(repo: RepositoryBuilder) -> str:
    """Production moves on in a file of the change, above its lines, which move down by one."""
    repo.checkout("main")
    repo.commit("Hotfix", by="uma", long_dot_py="a line above\n" + LONG)
    return repo.head("release/1.4")


def merged_in(repo: RepositoryBuilder) -> str:
    """Production moves on in another file, and is merged into the branch."""
    moved_on(repo)
    repo.checkout("release/1.4")
    return repo.merge("main")


def conflict(repo: RepositoryBuilder) -> str:
    """Production moves on in the very lines; it is merged into the branch, and the conflict resolved by hand."""
    repo.checkout("main")
    repo.commit("Hotfix", by="uma", app_dot_py="price = 3\n")
    repo.checkout("release/1.4")
    repo.git("merge", "-q", "--no-commit", "main", check=False)
    return repo.commit("Merge main", by="jane", app_dot_py="price = 2 + 3\n")


def conflict_kept(repo: RepositoryBuilder) -> str:
    """The same, but the branch's lines are kept as they are: another change all the same, of another line."""
    repo.checkout("main")
    repo.commit("Hotfix", by="uma", app_dot_py="price = 3\n")
    repo.checkout("release/1.4")
    repo.git("merge", "-q", "--no-commit", "main", check=False)
    return repo.commit("Merge main", by="jane", app_dot_py="price = 2\n")


def one_more_commit(repo: RepositoryBuilder) -> str:
    """Something is pushed after the approval."""
    return repo.commit("One more thing", by="jane", app_dot_py="price = 9\n")


def there_and_back(repo: RepositoryBuilder) -> str:
    """Something is pushed and taken back: the very tree that was signed."""
    repo.commit("One more thing", by="jane", app_dot_py="price = 9\n")
    return repo.commit("And back", by="jane", app_dot_py="price = 2\n")


# story: whether a sign-off with the binding result, change, head still counts
SURVIVES: list[tuple[Story, bool, bool, bool]] = [
    (nothing, True, True, True),
    (another_message, True, True, True),
    (rebase_of_nothing, True, True, True),
    (there_and_back, True, True, True),
    (clean_rebase, False, True, False),
    (moved_on, False, True, True),
    (moved_near, False, False, True),
    (merged_in, False, True, False),
    (conflict, False, False, False),
    (conflict_kept, False, False, True),
    (one_more_commit, False, False, False),
]


@told_once
def shop(path: Path, binding: str) -> RepositoryBuilder:
    repo = signed_shop(path, text=policy(binding=binding))
    repo.checkout("main")
    repo.commit("A long file", by="uma", long_dot_py=LONG)
    repo.checkout("release/1.4")
    repo.git("rebase", "-q", "main", **repo.as_person("jane"))
    repo.commit("Change its end", by="jane", long_dot_py=LONG + "the end\n")
    signed(repo)
    repo.clock = int(time.time())  # what was signed now can only land afterwards
    return repo


@pytest.mark.parametrize("binding", ["result", "change", "head"])
@pytest.mark.parametrize("row", SURVIVES, ids=lambda row: row[0].__name__)
def test_what_survives(tmp_path: Path, row: tuple[Story, bool, bool, bool], binding: str) -> None:
    story, *survives = row
    repo = shop(tmp_path / "repo", binding)
    head = story(repo)
    said = check(repo.path, "--into", "main", "--head", head)
    wanted = survives[("result", "change", "head").index(binding)]
    assert (said.answers["RG201"] == "satisfied") == wanted, said.out


# How it lands: the commit that lands, as its policy judges it afterwards.
def by_merge(repo: RepositoryBuilder) -> None:
    repo.checkout("main")
    repo.merge("release/1.4")


def by_squash(repo: RepositoryBuilder) -> None:
    repo.checkout("main")
    repo.git("merge", "-q", "--squash", "release/1.4")
    repo.commit("Release 1.4 (#12)", by="jane")


def by_queue(repo: RepositoryBuilder) -> None:
    """A merge queue puts another change before this one: it lands on a base that nobody saw."""
    repo.branch("release/other", "main")
    repo.commit("Another change", by="uma", other_dot_py="1\n")
    repo.checkout("main")
    repo.merge("release/other")
    repo.merge("release/1.4")


LANDS = [(by_merge, True, True, True), (by_squash, True, True, True), (by_queue, False, True, True)]


@pytest.mark.parametrize("binding", ["result", "change", "head"])
@pytest.mark.parametrize("row", LANDS, ids=lambda row: row[0].__name__)
def test_what_still_counts_once_it_landed(
    tmp_path: Path, row: tuple[Callable[[RepositoryBuilder], None], bool, bool, bool], binding: str
) -> None:
    lands, *survives = row
    repo = shop(tmp_path / "repo", binding)
    lands(repo)
    audited = guard(repo.path, "audit", "main", "--since", "main~1", "--format", "json").json["commits"]
    answers = {one["rule"]: one["outcome"] for one in audited[0]["outcomes"]}
    wanted = survives[("result", "change", "head").index(binding)]
    assert (answers["RG201"] == "satisfied") == wanted, answers
