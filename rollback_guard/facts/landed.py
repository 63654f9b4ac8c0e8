"""From what the stream of history showed to the facts that the gate judges, block by block.

A block of landings shares one `git merge-tree` process and one listing of the guard's own files.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.errors import UndeterminedError
from rollback_guard.facts.brought import touched_by
from rollback_guard.facts.history import GOVERNING_PATHS, Landed
from rollback_guard.facts.landings import Squashed, approved
from rollback_guard.facts.mailmap import Mailmaps
from rollback_guard.facts.model import (
    Change,
    Fact,
    Identity,
    Known,
    Landing,
    MergeCheck,
    Restoration,
    Stage,
    Survey,
    Touched,
    Unknown,
)
from rollback_guard.facts.policy_source import PolicyFound
from rollback_guard.facts.range import scratch_folder, trailer_keys
from rollback_guard.facts.restoration import find_step_back
from rollback_guard.facts.survey import check_merges, shallow_unknown, with_mergers, with_squashed
from rollback_guard.git import log
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.patch import read_paths
from rollback_guard.git.process import decode
from rollback_guard.git.refs import is_ancestor, short_branch
from rollback_guard.git.repository import Repository
from rollback_guard.policy.model import Policy

BLOCK = 256  # landings that share their processes
# A commit that is no merge may be the squash of a branch that is still here. Only branches that were last
# moved shortly before it are tried, the nearest first: each try is a merge.
SQUASH_WINDOW = 14 * 86400  # seconds
SQUASHES_TRIED = 3  # of one commit


class Setting(NamedTuple):
    """What is the same for all landings of one run."""

    repository: Repository
    target: str  # full ref name
    tip: str  # how far the branch is known to go, beyond what is judged
    name: Fact[str]  # which repository this is
    stage: Stage
    tips: tuple[tuple[str, str, int], ...]  # branches that a change may have come from
    missing: tuple[str, ...]
    mailmaps: Mailmaps


def collect_landed(setting: Setting, block: list[tuple[Landed, PolicyFound]]) -> list[Change]:
    """The facts of each landing of a block, with the policy in force before it."""
    merges = _merges(setting, block)
    touched = _touched(setting, block)
    with ObjectReader(setting.repository.git) as objects:
        changes = []
        for landed, found in block:
            change = _change(setting, landed, found.policy, merges[landed.commit], touched[landed.commit])
            base = landed.parents[0] if landed.parents else None
            changes.append(change._replace(survey=setting.mailmaps.apply(change.survey, base, objects)))
        return changes


class _Merges(NamedTuple):
    checks: Fact[tuple[MergeCheck, ...]]
    squash: Optional[Squashed]


def _merges(setting: Setting, block: list[tuple[Landed, PolicyFound]]) -> dict[str, _Merges]:
    """What merging again says of each landing."""
    squashes = _squash_pairs(setting, block)
    if not squashes and not any(landed.walk.merges for landed, _ in block):
        return {landed.commit: _Merges(Known(()), None) for landed, _ in block}
    try:
        with MergeAgain(setting.repository, scratch_folder()) as again:
            seen = [merge for landed, _ in block for merge in landed.walk.merges]
            checks = {check.commit: check for check in check_merges(again, seen)}
            results = again.merge([(landed.parents[0], tip) for landed, _, tip in squashes])
            squash_of = {
                landed.commit: Squashed(branch=name, tip=tip)
                for (landed, name, tip), automatic in zip(squashes, results, strict=True)
                if automatic.clean
                and automatic.tree == landed.tree
                and not is_ancestor(setting.repository, tip, landed.parents[0])
            }
    except UndeterminedError as error:
        unknown = Unknown(error.message, error.remedy)
        return {landed.commit: _Merges(unknown, None) for landed, _ in block}
    return {
        landed.commit: _Merges(
            Known(tuple(checks[merge.commit] for merge in landed.walk.merges if merge.commit in checks)),
            squash_of.get(landed.commit),
        )
        for landed, _ in block
    }


def _squash_pairs(setting: Setting, block: list[tuple[Landed, PolicyFound]]) -> list[tuple[Landed, str, str]]:
    """Commits that are no merges, each with the approved branches whose squash they might be."""
    target = short_branch(setting.target)
    pairs = []
    for landed, found in block:
        if len(landed.parents) != 1:
            continue
        when = landed.message.time or 0
        near = sorted(
            (when - time, name, tip)
            for name, tip, time in setting.tips
            if 0 <= when - time <= SQUASH_WINDOW and name not in landed.held_by
        )
        tried = [(landed, name, tip) for _, name, tip in near if approved(found.policy, target, (name,))]
        pairs += tried[:SQUASHES_TRIED]
    return pairs


def _touched(setting: Setting, block: list[tuple[Landed, PolicyFound]]) -> dict[str, Touched]:
    """What each landing does to the guard's own files; whether it does anything else only where that decides."""
    pairs = [(landed.parents[0], landed.commit) for landed, _ in block if landed.parents]
    names = iter(read_paths(setting.repository.git, pairs, GOVERNING_PATHS))
    found = {}
    for landed, policy in block:
        governing = next(names) if landed.parents else ()
        if policy.policy is None and (governing or not landed.parents):
            whole = touched_by(setting.repository.git, landed.parents[0] if landed.parents else None, landed.commit)
            found[landed.commit] = whole.value if isinstance(whole, Known) else Touched(governing, others=True)
        else:
            found[landed.commit] = Touched(governing=governing, others=True)
    return found


def _change(setting: Setting, landed: Landed, policy: Policy | None, merges: _Merges, touched: Touched) -> Change:
    head_tree = landed.heads[0].tree if landed.heads and landed.heads[0].tree else landed.tree
    survey: Fact[Survey] = shallow_unknown() if landed.cut else Known(landed.walk.survey(), "git log")
    survey = with_mergers(survey, merges.checks)
    squash, begun = merges.squash, not landed.cut or bool(landed.parents)
    if squash is not None:
        keys = trailer_keys(policy)
        survey = with_squashed(setting.repository, survey, tip=squash.tip, base=landed.parents[0], keys=keys)
    landing = Landing(
        commit=landed.commit,
        subject=landed.subject,
        heads=landed.parents[1:],
        branches=branches_of(landed, policy, short_branch(setting.target)),
        squash_of=squash.branch if squash is not None else None,
    )
    bearers = landed.heads if len(landed.parents) == 2 else ()
    return Change(
        stage=setting.stage,
        target=setting.target,
        production=True,
        repository=setting.name,
        base=Known(landed.parents[0] if landed.parents else None, "first parent") if begun else shallow_unknown(),
        head=landed.parents[1] if len(landed.parents) == 2 else landed.commit,
        head_tree=Known(head_tree, "head"),
        result_tree=Known(landed.tree, "git log"),
        move="aside" if landed.aside else "none",
        source=landing.branches,
        survey=survey,
        merges=merges.checks,
        messages=Known((landed.message, *bearers), "git log"),
        landings=Known((landing,), "git log --first-parent"),
        base_in_head=Known(head_tree == landed.tree, "trees"),
        refs=Known((), "names of today say nothing about that day"),
        touched=Known(touched, "git diff-tree") if begun else shallow_unknown(),
        restoration=_restoration(setting, policy, landed),
        missing=setting.missing,
    )


def branches_of(landed: Landed, policy: Policy | None, target: str) -> Fact[tuple[str, ...]]:
    """Where a landing came from, as far as the branches that are still here tell.

    A branch that holds the landing itself was cut, or brought up to date, after it, and tells nothing.
    """
    if len(landed.parents) < 2:
        holders = approved(policy, target, landed.held_by)
        if holders:
            return Unknown(
                f"{holders[0]} holds this commit too: it landed by fast-forward, or the branch was cut from production",
                "look at when the branch began; a merge commit (--no-ff) would say it",
            )
        return Known((), "git log")
    if landed.heads_held_by:
        return Known(landed.heads_held_by, "git log")
    return Unknown(
        "no branch that is here tells where it came from: that branch was deleted, or brought up to date since",
        f"git branch release/NAME {landed.parents[1][:12]}   # where you know that it came from there",
    )


def _restoration(setting: Setting, policy: Policy | None, landed: Landed) -> Restoration | None:
    if policy is None or len(landed.parents) != 1:
        return None
    record = landed.walk.first
    identity = Identity(decode(record[log.COMMITTER]), decode(record[log.COMMITTER_EMAIL]))
    return find_step_back(setting.repository, policy, landed.message, identity, tip=setting.tip)
