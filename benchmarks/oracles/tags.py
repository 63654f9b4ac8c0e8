"""Every pair of tags on one first-parent chain: going back from the newer to the older ends in the older's tree.

The plan is made for every tag down to the oldest below it, which holds the plan of every pair of that tag: each of
the tags between has to have its own tree where the plan meets it. Plans are carried out, too: of every pair of
neighbours by itself, and of whole chains as far as a budget of commits goes. What a tag's tree is comes from git.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rollback_guard.errors import GuardError
from rollback_guard.git.repository import Repository, open_repository
from rollback_guard.release.model import Plan, Target
from rollback_guard.release.revert import execute_revert, plan_revert

SEED = 20261122  # of the order in which whole chains are carried out
REF = "refs/heads/oracle/back"
REASON = "An oracle asks"


class Tagged(NamedTuple):
    """A commit with a tag; of several tags of one commit the first."""

    tag: str
    commit: str
    tree: str


class Chain(NamedTuple):
    """A tag, and those below it with the number of commits that lie between, the nearest first."""

    newer: Tagged
    older: tuple[tuple[int, Tagged], ...]

    @property
    def commits(self) -> int:
        return self.older[-1][0]


class Checked(NamedTuple):
    """What was found of one chain. `kind`: "planned", "neighbours" or "whole"; only the last two write commits."""

    newer: str
    kind: str
    pairs: int
    commits: int
    differences: tuple[str, ...]


class Throwaway:
    """A bare clone that borrows the objects of the repository; what is written into it is removed again."""

    def __init__(self, source: str, folder: str, env: Mapping[str, str], program: str = "git") -> None:
        self.folder, self.env, self.program = folder, dict(env), program
        command = [program, "clone", "-q", "--shared", "--bare", source, folder]
        subprocess.run(command, env=self.env, check=True, capture_output=True)
        self.git("config", "gc.auto", "0")
        self.repository: Repository = open_repository(folder, self.env, program=program)

    def git(self, *args: str, stdin: str = "") -> str:
        """Run git in the clone; what it prints."""
        command = [self.program, *args]
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, check=True, capture_output=True, input=stdin.encode()
        )
        return done.stdout.decode("utf-8", "surrogateescape")

    def forget(self) -> None:
        """Remove what a revert wrote; the clone had no pack of its own."""
        self.git("update-ref", "-d", REF)
        packs = os.path.join(self.folder, "objects", "pack")
        for name in os.listdir(packs):
            os.unlink(os.path.join(packs, name))


def find_chains(clone: Throwaway) -> tuple[Chain, ...]:
    """Every tag that has others below it on its line of first parents."""
    names = clone.git("for-each-ref", "--format=%(refname)", "refs/tags").split()
    asked = "".join(f"{name}^{{commit}}\n{name}^{{tree}}\n" for name in names)
    said = clone.git("cat-file", "--batch-check", stdin=asked).splitlines()
    tagged: dict[str, Tagged] = {}
    for name, commit, tree in zip(names, said[::2], said[1::2], strict=True):
        if " commit " in commit:
            oid = commit.split()[0]
            tagged.setdefault(oid, Tagged(tag=name.removeprefix("refs/tags/"), commit=oid, tree=tree.split()[0]))
    if not tagged:
        return ()
    listed = clone.git("rev-list", "--parents", "--stdin", stdin="".join(f"{oid}\n" for oid in tagged))
    first = {line[0]: line[1] if len(line) > 1 else None for line in map(str.split, listed.splitlines())}
    return tuple(chain for one in tagged.values() if (chain := _chain(one, tagged, first)).older)


def _chain(newer: Tagged, tagged: dict[str, Tagged], first: dict[str, str | None]) -> Chain:
    older, distance, commit = [], 1, first[newer.commit]
    while commit is not None:
        if commit in tagged:
            older.append((distance, tagged[commit]))
        distance, commit = distance + 1, first[commit]
    return Chain(newer=newer, older=tuple(older))


def check_chains(clone: Throwaway, chains: tuple[Chain, ...], budget: int) -> Iterator[Checked]:
    """Plan every chain; carry out every pair of neighbours, and whole chains while `budget` has commits left."""
    order = list(chains)
    random.Random(SEED).shuffle(order)
    for chain in order:
        whole = chain.commits <= budget
        budget -= chain.commits if whole else 0
        yield check_chain(clone, chain, "whole" if whole else "planned")
        if not whole or len(chain.older) > 1:
            yield check_chain(clone, chain._replace(older=chain.older[:1]), "neighbours")


def check_chain(clone: Throwaway, chain: Chain, kind: str) -> Checked:
    """Go back from a tag to the oldest below it, and look at each tag on the way."""
    try:
        plan = _plan(clone, chain)
        wrong = _compare(chain, tuple(revert.tree or "" for revert in plan.reverts), "planned")
        if kind != "planned" and plan.reverts:
            wrong += _carry_out(clone, chain, plan)
    except GuardError as error:
        wrong = [f"{chain.newer.tag}: {error}"]
    return Checked(
        newer=chain.newer.tag,
        kind=kind,
        pairs=len(chain.older),
        commits=chain.commits if kind != "planned" else 0,
        differences=tuple(wrong),
    )


def _plan(clone: Throwaway, chain: Chain) -> Plan:
    oldest = chain.older[-1][1]
    stable = Target(tag=oldest.tag, object=oldest.commit, commit=oldest.commit, tree=oldest.tree)
    return plan_revert(clone.repository, branch="oracle/main", tip=chain.newer.commit, stable=stable, target=REF)


def _carry_out(clone: Throwaway, chain: Chain, plan: Plan) -> list[str]:
    try:
        (result,) = execute_revert(clone.repository, [plan], REASON)
        out = clone.git("log", "--reverse", "--first-parent", "--format=%T", REF, f"^{chain.newer.commit}")
        wrong = _compare(chain, tuple(out.split()), "written")
        if clone.git("rev-parse", REF).strip() != result.commit or result.commits != len(plan.reverts):
            wrong.append(
                f"{chain.newer.tag}: {result.commits} commits are said to be written, ending in {result.commit}"
            )
        return wrong
    finally:
        clone.forget()


def _compare(chain: Chain, trees: tuple[str, ...], how: str) -> list[str]:
    """What is wrong with the trees that going back goes through, one a commit, the first one step below the newer."""
    if not trees and chain.newer.tree == chain.older[-1][1].tree:
        return []  # the newer has that tree already, and nothing is reverted
    wrong = []
    for distance, tag in chain.older:
        tree = trees[distance - 1] if distance <= len(trees) else "none"
        if tree != tag.tree:
            wrong.append(f"{chain.newer.tag} to {tag.tag}: {tree} is {how}, the tag's tree is {tag.tree}")
    if len(trees) != chain.commits:
        wrong.append(
            f"{chain.newer.tag} to {chain.older[-1][1].tag}: {len(trees)} reverts are {how}, not {chain.commits}"
        )
    return wrong
