"""The one stream of what landed, held against git's own answer for each landing, on histories of every shape."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from rollback_guard.entry.judge_history import iter_audit
from rollback_guard.entry.question import Question
from rollback_guard.facts.history import Landed, LandedStream, branch_tips, recorded_tips
from rollback_guard.facts.surroundings import read_surroundings
from rollback_guard.git.repository import Repository, open_repository
from tests.support.builder import RepositoryBuilder


class Dag:
    """A history made by one `git fast-import`: production and some branches that merge one another at random."""

    def __init__(self, folder: Path, seed: int, *, size: int = 60) -> None:
        self.builder = RepositoryBuilder(folder)
        self.dice = random.Random(seed)
        self.lines: list[str] = []
        self.count = 0
        self.tips: dict[str, int] = {"main": self._commit()}
        for _ in range(size):
            self._step()
        for name, mark in self.tips.items():
            self.lines += [f"reset refs/heads/{name}", f"from :{mark}", ""]
        self.builder.git("fast-import", "--quiet", "--done", stdin=("\n".join(self.lines) + "\ndone\n").encode())

    def _commit(self, *parents: int) -> int:
        self.count += 1
        skew = self.dice.randrange(-300, 300)  # clocks go wrong, and order must not depend on them
        self.lines += ["commit refs/heads/scratch", f"mark :{self.count}"]
        self.lines += [
            f"committer P{self.dice.randrange(4)} <p@x.example> {1_700_000_000 + self.count * 60 + skew} +0000"
        ]
        text = f"Commit {self.count}"
        self.lines += [f"data {len(text)}", text]
        self.lines += [f"{'merge' if number else 'from'} :{parent}" for number, parent in enumerate(parents)]
        self.lines += [f"M 100644 inline f{self.count % 7}", f"data {len(text)}", text, ""]
        return self.count

    def _step(self) -> None:
        names = list(self.tips)
        name = self.dice.choice(["main", *names])
        others = [tip for tip in dict.fromkeys(self.tips.values()) if tip != self.tips[name]]
        roll = self.dice.random()
        if roll < 0.15 and len(names) < 6:
            self.tips[f"b{len(names)}"] = self._commit(self.dice.randrange(1, self.count + 1))
        elif roll < 0.55 and others:
            many = 2 if len(others) > 1 and self.dice.random() < 0.2 else 1
            self.tips[name] = self._commit(self.tips[name], *self.dice.sample(others, many))
        elif roll < 0.6:
            self.tips[name] = self._commit()  # an unrelated history; merged later, or becoming production
        else:
            self.tips[name] = self._commit(self.tips[name])

    def rev_list(self, *args: str) -> list[str]:
        return self.builder.git("rev-list", *args).split()


def stream(repository: Repository, until: str, since: str | None = None) -> list[Landed]:
    tips = branch_tips(repository, read_surroundings(repository), lambda name: name != "main")
    return list(LandedStream(repository, lambda _: frozenset(), tips).read(until, since))


def opened(dag: Dag) -> Repository:
    return open_repository(str(dag.builder.path), os.environ)


@pytest.mark.parametrize("seed", range(40))
def test_each_commit_belongs_to_the_landing_that_brought_it(seed: int, path_of_repo: Path) -> None:
    dag = Dag(path_of_repo, seed)
    repository = opened(dag)
    found = stream(repository, dag.builder.head("main"))
    assert [one.commit for one in found] == dag.rev_list("--first-parent", "main")
    for one in found:
        brought = dag.rev_list(one.commit, *(f"^{parent}" for parent in one.parents[:1]))
        assert one.walk.count == len(brought), one.commit
        merges = dag.rev_list("--merges", one.commit, *(f"^{parent}" for parent in one.parents[:1]))
        assert sorted(merge.commit for merge in one.walk.merges) == sorted(merges)
        authors = dag.builder.git("log", "--format=%cn", one.commit, *(f"^{parent}" for parent in one.parents[:1]))
        landing = {one.commit} if len(one.parents) > 1 else set()
        makers = one.walk.survey().makers
        assert {maker.identity.name for maker in makers} == set(authors.split())
        assert {maker.commit for maker in makers if maker.part != "merger"}.isdisjoint(landing)
        assert [head.commit for head in one.heads] == list(one.parents[1:])


@pytest.mark.parametrize("seed", range(40, 52))
def test_which_branches_hold_it(seed: int, path_of_repo: Path) -> None:
    dag = Dag(path_of_repo, seed, size=40)
    for one in stream(opened(dag), dag.builder.head("main")):
        held = branches_of(dag, one.commit)
        assert set(one.held_by) == held
        if len(one.parents) > 1:
            heads = set.intersection(*(branches_of(dag, parent) for parent in one.parents[1:]))
            assert set(one.heads_held_by or ()) == heads - held


def branches_of(dag: Dag, commit: str) -> set[str]:
    out = dag.builder.git("for-each-ref", "--format=%(refname:short)", f"--contains={commit}", "refs/heads/")
    return set(out.split()) - {"main"}


@pytest.mark.parametrize("seed", range(60, 72))
def test_part_of_the_history(seed: int, path_of_repo: Path) -> None:
    """With `since`, what lies in its history belongs to nobody."""
    dag = Dag(path_of_repo, seed)
    chain = dag.rev_list("--first-parent", "main")
    since, until = chain[len(chain) // 2], chain[len(chain) // 4]
    found = stream(opened(dag), until, since)
    assert [one.commit for one in found] == dag.rev_list("--first-parent", until, f"^{since}")
    for one in found:
        brought = dag.rev_list(one.commit, f"^{since}", *(f"^{parent}" for parent in one.parents[:1]))
        assert one.walk.count == len(brought)


@pytest.mark.parametrize("seed", range(80, 84))
def test_audit_has_one_verdict_for_each_in_the_order_of_the_chain(seed: int, path_of_repo: Path) -> None:
    dag = Dag(path_of_repo, seed, size=40)
    repository = opened(dag)
    question = Question(repository, read_surroundings(repository), 1_800_000_000)
    found = list(iter_audit(question, target="refs/heads/main", until=dag.builder.head("main")))
    assert [one.commit for one in found] == dag.rev_list("--first-parent", "main")
    assert {one.change.decision for one in found} == {"deny"}, "there is no policy"


@pytest.mark.parametrize("seed", range(3))
def test_what_brings_a_commit_at_which_the_branch_stood_swapped_the_chain(seed: int, path_of_repo: Path) -> None:
    dag = Dag(path_of_repo, seed)
    chain = dag.rev_list("--first-parent", "main")
    beside = sorted(set(dag.rev_list("main")) - set(chain))
    stood = frozenset((*chain, beside[0]))
    stream_of = LandedStream(opened(dag), lambda _: frozenset(), (), stood)
    swapped = [landed.commit for landed in stream_of.read(chain[0], None) if landed.aside]
    # The landing that brings it is the oldest on the chain from which it can be reached.
    assert swapped == [[one for one in chain if beside[0] in dag.rev_list(one)][-1]]


def test_where_a_branch_stood_is_known_by_git_s_own_log_only(path_of_repo: Path, tmp_path: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    first, second = repo.commit("First"), repo.commit("Second")
    here = open_repository(str(path_of_repo), os.environ)
    assert recorded_tips(here, "refs/heads/main") == frozenset()  # its own log may say anything
    repo.git("update-ref", "refs/remotes/origin/main", first)
    repo.git("update-ref", "refs/remotes/origin/main", second)
    repo.git("update-ref", "refs/remotes/up/live", first)
    assert recorded_tips(here, "refs/heads/main") == {first, second}
    repo.git("remote", "add", "up", ".")
    repo.git("config", "branch.main.remote", "up")
    repo.git("config", "branch.main.merge", "refs/heads/live")
    repo.git("config", "remote.up.fetch", "+refs/heads/*:refs/remotes/up/*")
    assert recorded_tips(here, "refs/heads/main") == {first}
    bare = RepositoryBuilder(tmp_path / "bare.git", bare=True)
    there = open_repository(str(bare.path), os.environ)
    repo.git("push", "-q", str(bare.path), "main")
    assert recorded_tips(there, "refs/heads/main") == frozenset()
    bare.git("config", "core.logAllRefUpdates", "true")
    repo.git("push", "-q", str(bare.path), f"{first}:refs/heads/other")
    assert recorded_tips(there, "refs/heads/other") == {first}
    assert recorded_tips(there, "refs/heads/none") == frozenset()
