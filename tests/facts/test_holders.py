"""Which branches hold which commits: the one walk says what git says of each commit alone."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from rollback_guard.facts import holders
from rollback_guard.facts.holders import holders_of
from rollback_guard.facts.landings import SQUASHES_TRIED
from rollback_guard.facts.model import Change, Known
from rollback_guard.facts.range import Proposal, collect_range
from rollback_guard.facts.surroundings import branches_with, read_surroundings
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.repository import open_repository
from rollback_guard.policy.read import read_policy
from tests.support.builder import POLICY, RepositoryBuilder


@pytest.mark.parametrize("seed", range(4))
def test_a_tangled_history(seed: int, path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(seed)
    repo = RepositoryBuilder(path_of_repo)
    commits = [repo.commit("Begin", a_dot_txt="0\n")]
    tree = repo.tree()
    for number in range(30):
        parents = dict.fromkeys(dice.sample(commits, k=min(len(commits), dice.choice([1, 1, 1, 2, 3]))))
        above = [part for parent in parents for part in ("-p", parent)]
        commits.append(repo.git("commit-tree", *above, "-m", str(number), tree, **repo.as_person("jane")))
    for number in range(6):
        repo.git("update-ref", f"refs/heads/topic/{number}", dice.choice(commits))
    base, head = commits[5], commits[-1]
    reachable = repo.git("rev-list", head).split()
    asked = dice.sample(reachable, k=min(8, len(reachable)))
    repository = open_repository(str(repo.path), os.environ)
    around = read_surroundings(repository)

    def keep(name: str) -> bool:
        return name != "main"

    def ask(base: str | None) -> dict[str, frozenset[str]]:
        return holders_of(repository, around, asked, head=head, base=base, keep=keep)

    expected = {oid: frozenset(filter(keep, branches_with(repository, around, oid))) for oid in asked}
    assert ask(None) == ask(base) == expected
    monkeypatch.setattr(holders, "FEW", len(asked))
    assert ask(base) == expected


def collected(repo: RepositoryBuilder, base: str, head: str) -> Change:
    policy = read_policy(POLICY.encode(), path="rollback-guard.toml")
    repository = open_repository(str(repo.path), os.environ)
    proposal = Proposal(stage="receive", target="refs/heads/main", base=repo.head(base), head=repo.head(head))
    return collect_range(repository, read_surroundings(repository), policy, proposal).change


def merges_asked_for(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The pairs that are merged from now on."""
    asked: list[tuple[str, str]] = []
    merge = MergeAgain.merge

    def counted(self: MergeAgain, pairs: list[tuple[str, str]]) -> object:
        asked.extend(pairs)
        return merge(self, pairs)

    monkeypatch.setattr(MergeAgain, "merge", counted)
    return asked


def test_a_squash_is_looked_for_among_the_branches_moved_last_before_it(
    path_of_repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin", a_dot_txt="0\n")
    for number in range(SQUASHES_TRIED + 5):
        repo.branch(f"release/{number}", "main")
        repo.commit(f"Work {number}", **{f"file{number}": "x\n"})
    repo.checkout("main")
    repo.git("merge", "--squash", "-q", f"release/{SQUASHES_TRIED + 3}")
    repo.commit("Squashed")
    asked = merges_asked_for(monkeypatch)
    landings = collected(repo, "main~1", "main").landings
    assert isinstance(landings, Known)
    assert landings.value[0].squash_of == f"release/{SQUASHES_TRIED + 3}"
    assert len(asked) <= SQUASHES_TRIED + 1


def test_nobody_waits_for_a_search_when_production_goes_back(
    path_of_repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin", a_dot_txt="0\n")
    repo.stable_tag("stable/2026.11.1.1")
    for number in range(3):
        repo.branch(f"release/{number}", "main")
        repo.commit(f"Work {number}", **{f"file{number}": "x\n"})
        repo.checkout("main")
        repo.merge(f"release/{number}")
    tip = repo.head()
    for number in range(3):
        repo.git("revert", "--no-edit", "-m", "1", f"{tip}~{number}", **repo.as_person("jane"))
    asked = merges_asked_for(monkeypatch)
    change = collected(repo, tip, "main")
    assert change.restoration is not None
    assert asked == []
