"""The commits that a move adds to production's own first-parent chain, and which branches brought each.

Only approved branches say where something comes from; being on production approves nothing. Whether a
branch's way in is enough is for the gate to say.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.facts.history import branch_tips
from rollback_guard.facts.holders import holders_of
from rollback_guard.facts.model import Known, Landing
from rollback_guard.facts.surroundings import Surroundings, branches_with, short_names
from rollback_guard.facts.survey import read_time
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.process import decode
from rollback_guard.git.refs import HEADS, REMOTES, Ref, is_ancestor
from rollback_guard.git.repository import Repository
from rollback_guard.policy.model import Policy
from rollback_guard.policy.patterns import matches_any

# A plain commit may be the squash of an approved branch. Each try is a merge, so only the newest commits are
# tried, and for each the branches that were last moved nearest before it.
LANDINGS_TRIED = 20
SQUASHES_TRIED = 8


def approved(policy: Policy | None, target: str, branches: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the branches (short names) from which a route leads into the target (short name)."""
    if policy is None:
        return ()
    patterns = tuple(glob for route in policy.route if matches_any((route.into,), target) for glob in route.from_)
    return tuple(branch for branch in branches if matches_any(patterns, branch))


class ChainLink(NamedTuple):
    """One commit that a move adds to production's own chain."""

    commit: str
    parents: tuple[str, ...]
    tree: str
    subject: str
    time: int  # committer date, Unix seconds


Chain = tuple[ChainLink, ...]


class Squashed(NamedTuple):
    """The branch whose squash a commit is, and its tip."""

    branch: str
    tip: str


class Asked(NamedTuple):
    """What stays the same while one proposal is looked at. `short` is the target's short name."""

    repository: Repository
    around: Surroundings
    policy: Optional[Policy]
    short: str

    def branches_with(self, commit: str) -> tuple[str, ...]:
        """Branches that hold a commit; production itself is left out, being on it approves nothing."""
        return self._beside(branches_with(self.repository, self.around, commit))

    def branches_at(self, commit: str, refs: tuple[Ref, ...]) -> tuple[str, ...]:
        """Branches among refs whose tip a commit is; production itself is left out."""
        at = tuple(ref for ref in refs if ref.commit == commit and ref.name.startswith((HEADS, REMOTES)))
        return self._beside(short_names(at, self.around))

    def is_beside(self, name: str) -> bool:
        """Whether a branch (short name) is neither the target nor production."""
        production = self.policy.production.branches if self.policy is not None else ()
        return name != self.short and not matches_any(production, name)

    def _beside(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(filter(self.is_beside, names))


def read_chain(repository: Repository, base: str, head: str) -> Chain:
    """The commits that a move from base to head adds to production's first-parent chain, oldest first."""
    layout = "--format=tformat:%H%x00%P%x00%T%x00%s%x00%ct"
    out = repository.git.run("log", "-z", "--first-parent", "--reverse", layout, f"{base}..{head}", "--").stdout
    fields = decode(out).split("\0")[:-1]
    return tuple(
        ChainLink(oid, tuple(parents.split()), tree, subject, read_time(time.encode()))
        for oid, parents, tree, subject, time in zip(*(iter(fields),) * 5, strict=True)
    )


def collect_landings(asked: Asked, chain: Chain, squashes: dict[str, Squashed]) -> tuple[Landing, ...]:
    """Each commit of the chain, with the branches that hold all that it merges, or itself."""
    if not chain:
        return ()
    heads = {link.commit: link.parents[1:] or (link.commit,) for link in chain}
    holders = holders_of(
        asked.repository,
        asked.around,
        [oid for oids in heads.values() for oid in oids],
        head=chain[-1].commit,
        base=chain[0].parents[0] if chain[0].parents else None,
        keep=asked.is_beside,
    )
    return tuple(
        Landing(
            commit=link.commit,
            subject=link.subject,
            heads=link.parents[1:],
            branches=Known(
                tuple(sorted(frozenset.intersection(*(holders[oid] for oid in heads[link.commit])))), "git rev-list"
            ),
            squash_of=squashes[link.commit].branch if link.commit in squashes else None,
        )
        for link in chain
    )


def find_squashes(again: MergeAgain, asked: Asked, plain: list[ChainLink]) -> dict[str, Squashed]:
    """Commits that are no merges but hold exactly what merging an approved branch would give, and that branch.

    A branch that landed before brings nothing, so nothing is its squash.
    """
    if not plain or asked.policy is None:
        return {}
    tips = branch_tips(asked.repository, asked.around, lambda name: bool(approved(asked.policy, asked.short, (name,))))
    pairs = []
    for link in [link for link in plain if link.parents][-LANDINGS_TRIED:]:
        # A tip that is dated after the commit comes last: clocks differ.
        near = sorted((tip[2] > link.time, abs(link.time - tip[2]), *tip[:2]) for tip in tips)
        pairs += [(link, name, tip) for _, _, name, tip in near[:SQUASHES_TRIED]]
    results = again.merge([(link.parents[0], tip) for link, _, tip in pairs])
    return {
        link.commit: Squashed(branch=name, tip=tip)
        for (link, name, tip), automatic in zip(pairs, results, strict=False)  # results are made as they are asked for
        if automatic.clean and automatic.tree == link.tree and not is_ancestor(asked.repository, tip, link.parents[0])
    }
