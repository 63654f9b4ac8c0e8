"""Facts of a range: what would land if `head` were merged into a target whose tip is `base`.

Used for `guard check`, for a push and for a receiving server. A target that is moved to a commit that no approved
branch holds is taken apart into the landings that this adds. What already landed is left to `facts.history`.
"""

from __future__ import annotations

import os
from typing import NamedTuple, Optional

from rollback_guard.errors import UndeterminedError
from rollback_guard.facts.brought import Brought, brought_by, risky_without_result
from rollback_guard.facts.landings import (
    Asked,
    Chain,
    ChainLink,
    Squashed,
    approved,
    collect_landings,
    find_squashes,
    read_chain,
)
from rollback_guard.facts.mailmap import Mailmaps
from rollback_guard.facts.model import (
    Change,
    Fact,
    Known,
    MergeCheck,
    Move,
    Restoration,
    RiskyMigration,
    Stage,
    Survey,
    Unknown,
)
from rollback_guard.facts.policy_source import PolicyFound
from rollback_guard.facts.restoration import find_restoration
from rollback_guard.facts.surroundings import Surroundings
from rollback_guard.facts.survey import (
    SeenMerge,
    check_merges,
    read_messages,
    shallow_unknown,
    walk_range,
    with_mergers,
    with_squashed,
)
from rollback_guard.facts.unrelanded import collect_unrelanded
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import HEADS, REMOTES, TAGS, Ref, is_ancestor, list_refs, short_branch
from rollback_guard.git.repository import Repository
from rollback_guard.policy.model import Policy


class Proposal(NamedTuple):
    """What is asked about: move `target` (full ref name) from `base` to what `head` gives."""

    stage: Stage
    target: str
    base: Optional[str]
    head: str
    move: Move = "none"
    repository: Fact[str] = Unknown("not looked for")
    claimed_source: Optional[str] = None
    missing: tuple[str, ...] = ()


def trailer_keys(policy: Policy | None) -> frozenset[str]:
    """The folded keys of the trailers that a policy asks for."""
    return frozenset(role.trailer.lower() for role in policy.sign_off) if policy is not None else frozenset()


def scratch_folder() -> str:
    """Where scratch objects go: the machine's temporary folder."""
    return os.environ.get("TMPDIR") or ("/tmp" if os.path.isdir("/tmp") else os.getcwd())


class Collected(NamedTuple):
    """The facts about one proposal, and the policy that the target would hold after it."""

    change: Change
    proposed: PolicyFound


def collect_range(repository: Repository, around: Surroundings, policy: Policy | None, proposal: Proposal) -> Collected:
    """All facts about one proposal. What cannot be had is Unknown with the reason."""
    base, head = proposal.base, proposal.head
    asked = Asked(repository, around, policy, short_branch(proposal.target, around.remotes))
    refs = list_refs(repository, HEADS, REMOTES, TAGS)
    branches, by_branch = _branches(asked, proposal, refs)
    # Who comes over an approved branch is not taken apart, and the walk itself tells whether it holds the base.
    base_in_head = base is None or (not by_branch and is_ancestor(repository, base, head))
    chain = () if by_branch or not base_in_head or base is None else read_chain(repository, base, head)
    bearers = _bearers(chain, head)
    messages = read_messages(repository.git, bearers)
    head_tree = str(messages[0].tree)
    survey, seen, reached = walk_range(
        repository,
        [head] if base is None else [head, f"^{base}"],
        keys=trailer_keys(policy),
        counting=[oid for _, oid in bearers],
        landing=[link.commit for link in chain if len(link.parents) > 1],
        base=base or "",
        arriving=around.arriving,
    )
    base_in_head = base_in_head or reached or base == head
    restoration = _restoration(repository, policy, base, head, head_tree, chain)
    # What goes back to a stable release is no branch's squash, and at that moment nobody should wait for a search.
    plain = [link for link in chain if len(link.parents) < 2] if restoration is None else []
    merged = _merge_facts(asked, proposal, base_in_head, head_tree, seen, plain)
    survey = _with_others(asked, with_mergers(survey, merged.merges), base, chain, merged.squashes)
    # Where production is moved to a merge that stands already, its branch's head is what was looked at.
    vouched = next((str(message.tree) for message in messages if message.bearer == "head"), head_tree)
    up_to_date: Fact[bool] = Known(base_in_head if not chain else vouched == head_tree, "git merge-base")
    if repository.shallow and not base_in_head:
        up_to_date = shallow_unknown()
    change = Change(
        stage=proposal.stage,
        target=proposal.target,
        production=True,
        repository=proposal.repository,
        base=Known(base, proposal.target),
        head=head,
        head_tree=Known(vouched, "head"),
        result_tree=merged.result_tree,
        move=proposal.move,
        source=_source(proposal, branches),
        claimed_source=proposal.claimed_source,
        survey=survey,
        merges=merged.merges,
        messages=Known(messages, "git log"),
        landings=Known(collect_landings(asked, chain, merged.squashes), "git log --first-parent"),
        base_in_head=up_to_date,
        refs=Known(tuple(ref.name for ref in refs), "git for-each-ref"),
        touched=merged.brought.touched,
        irreversible=merged.brought.irreversible,
        unrelanded=collect_unrelanded(repository, base, head, scratch_folder(), chain, seen, merged.result_tree),
        restoration=restoration,
        missing=proposal.missing,
    )
    return Collected(change, merged.brought.policy)


def _with_others(
    asked: Asked, survey: Fact[Survey], base: str | None, chain: Chain, squashes: dict[str, Squashed]
) -> Fact[Survey]:
    """The survey, with who made what a squash holds, and with who the makers are by production's .mailmap."""
    keys = trailer_keys(asked.policy)
    for link in chain:
        squashed = squashes.get(link.commit)
        if squashed is not None:
            survey = with_squashed(asked.repository, survey, tip=squashed.tip, base=link.parents[0], keys=keys)
    with ObjectReader(asked.repository.git) as objects:
        return Mailmaps(asked.repository).apply(survey, base, objects)


def ref_names(repository: Repository) -> Fact[tuple[str, ...]]:
    """The full names of all branches and tags."""
    return Known(tuple(ref.name for ref in list_refs(repository, HEADS, REMOTES, TAGS)), "git for-each-ref")


def _branches(asked: Asked, proposal: Proposal, refs: tuple[Ref, ...]) -> tuple[tuple[str, ...], bool]:
    """The branches that hold the head, and whether one of them is an approved way, or one that the caller named.

    Which branches hold a commit takes git a walk over all history; an approved branch whose tip it is
    tells enough.
    """
    claimed = proposal.claimed_source
    at_head = asked.branches_at(proposal.head, refs)
    if approved(asked.policy, asked.short, at_head) and (claimed is None or claimed in at_head):
        return at_head, True
    branches = asked.branches_with(proposal.head)
    return branches, bool(approved(asked.policy, asked.short, branches) or claimed)


def _bearers(chain: Chain, head: str) -> tuple[tuple[str, str], ...]:
    """The commits whose trailers count: what lands last, and the head of the branch that it merges."""
    if not chain:
        return (("head", head),)
    last = chain[-1]
    merged = (("head", last.parents[1]),) if len(chain) == 1 and len(last.parents) == 2 else ()
    return (("landing", last.commit), *merged)


def _source(proposal: Proposal, branches: tuple[str, ...]) -> Fact[tuple[str, ...]]:
    """The branches that hold what is proposed; a branch that the caller named must be one that is here."""
    if proposal.claimed_source and not branches:
        return Unknown(
            f"no branch here holds the head, so nothing shows that it comes from {proposal.claimed_source}",
            f"git fetch origin {proposal.claimed_source}:refs/remotes/origin/{proposal.claimed_source}",
        )
    return Known(branches, "git for-each-ref --contains")


class _Merged(NamedTuple):
    """What needs merges made again, and what lies in a tree that only the merge made."""

    result_tree: Fact[str]
    merges: Fact[tuple[MergeCheck, ...]]
    squashes: dict[str, Squashed]
    brought: Brought


def _merge_facts(
    asked: Asked, proposal: Proposal, base_in_head: bool, head_tree: str, seen: list[SeenMerge], plain: list[ChainLink]
) -> _Merged:
    """Everything that needs merges made again; no process is started when nothing asks for it."""
    repository, base = asked.repository, proposal.base
    result: Fact[str] = Known(head_tree, "head")
    # A branch that is created gets the head as it is: nothing is merged.
    base_in_head = base_in_head or proposal.move == "create"
    if base_in_head and not seen and not plain:
        return _Merged(result, Known(()), {}, brought_by(repository, base, proposal.head, head_tree))
    try:
        with MergeAgain(repository, scratch_folder()) as again:
            checks = check_merges(again, seen)
            if not base_in_head:
                result = _result_tree(again, repository, proposal)
            squashes = find_squashes(again, asked, plain)
            if isinstance(result, Unknown):
                risky = risky_without_result(repository, base, proposal.head, head_tree, result)
                return _unmerged(proposal, result, checks, squashes, risky)
            made = repository._replace(git=again.git)
            brought = brought_by(made, base, proposal.head, result.value)
            return _Merged(result, Known(checks, "git merge-tree"), squashes, brought)
    except UndeterminedError as error:
        unknown = Unknown(error.message, error.remedy)
        brought = brought_by(repository, base, proposal.head, head_tree, doubt=None if base_in_head else unknown)
        return _Merged(result if base_in_head else unknown, unknown, {}, brought)


def _unmerged(
    proposal: Proposal,
    unknown: Unknown,
    checks: tuple[MergeCheck, ...],
    squashes: dict[str, Squashed],
    risky: Fact[tuple[RiskyMigration, ...]],
) -> _Merged:
    """Nobody knows what would land: nothing may be concluded from the head alone.

    A merge in the making is judged by what is staged, which the caller adds.
    """
    refused = any(check.kind != "resolved" for check in checks) or proposal.stage in ("merge", "message")
    merges: Fact[tuple[MergeCheck, ...]] = Known(checks, "git merge-tree") if refused else unknown
    return _Merged(unknown, merges, squashes, Brought(unknown, PolicyFound(at="nothing"), risky))


def _result_tree(again: MergeAgain, repository: Repository, proposal: Proposal) -> Fact[str]:
    if repository.shallow:
        return shallow_unknown()
    (automatic,) = again.merge([(str(proposal.base), proposal.head)])
    if automatic.clean:
        return Known(automatic.tree, "git merge-tree")
    paths = ", ".join(path for path, _ in automatic.conflicts[:5])
    return Unknown(
        f"head does not merge into {short_branch(proposal.target)} without conflict: {paths}",
        f"git merge {short_branch(proposal.target)}   # into the branch, resolve, and have it signed off",
    )


def _restoration(
    repository: Repository,
    policy: Policy | None,
    base: str | None,
    head: str,
    head_tree: str,
    chain: Chain,
) -> Restoration | None:
    """Only plain commits on production's own chain can go back; a merge brings something."""
    if policy is None or base is None or not chain or any(len(link.parents) > 1 for link in chain):
        return None
    return find_restoration(repository, policy, base=base, head=head, tree=head_tree)
