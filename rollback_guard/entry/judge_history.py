"""Verdicts on what landed already: one commit (`guard release`, `guard explain`) or a whole branch (`guard audit`).

Each landing is judged by the policy of its day, the one that production held just before it.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.entry.fast_forward import FastForwards, newest_together
from rollback_guard.entry.judge import evaluate, verdict_of
from rollback_guard.entry.question import Question, in_force
from rollback_guard.errors import PolicyError, UsageError
from rollback_guard.evidence.collect import EvidenceBook
from rollback_guard.evidence.keys import keys_of
from rollback_guard.facts.history import Landed, LandedStream, branch_tips, recorded_tips
from rollback_guard.facts.landed import BLOCK, Setting, collect_landed
from rollback_guard.facts.mailmap import Mailmaps
from rollback_guard.facts.policy_source import PolicyFound, read_policy_at
from rollback_guard.facts.range import trailer_keys
from rollback_guard.facts.surroundings import read_surroundings, repository_of
from rollback_guard.gate.verdict import ChangeVerdict, Finding, Outcome, PolicyUsed, Verdict
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import is_ancestor, short_branch
from rollback_guard.git.repository import Repository
from rollback_guard.policy.model import Policy
from rollback_guard.policy.patterns import matches_any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.policy.keys import Key


class LandedVerdict(NamedTuple):
    """The verdict on one commit of production's first-parent chain."""

    commit: str
    subject: str
    change: ChangeVerdict


def iter_audit(
    question: Question,
    *,
    target: str,
    until: str,
    since: str | None = None,
    claimed: str | None = None,
    tip: str | None = None,
) -> Iterator[LandedVerdict]:
    """The verdict on each first-parent commit of `until` down to and without `since`, newest first.

    `target` is the full ref name of the branch, `claimed` the repository's name where the caller gave it. People
    whom the policy at `tip` knows (else at `until`) may have reviewed waivers since, and a way back may go on up to it.
    """
    repository = question.repository
    question = question._replace(book=EvidenceBook(repository, _keys_at(question, tip or until)))
    parsed: dict[str, PolicyFound] = {}
    with ObjectReader(repository.git) as objects:
        bases: dict[str | None, PolicyFound] = {}

        def policy_before(base: str | None) -> PolicyFound:
            if question.what_if is not None or base is None:
                return in_force(question, objects, base)
            return read_policy_at(objects, base, parsed)

        def keys_for(base: str | None) -> frozenset[str]:
            bases[base] = policy_before(base)
            return trailer_keys(bases[base].policy)

        setting = _setting(question, target, claimed, tip or until)
        recorded = recorded_tips(repository, target)
        forwards = FastForwards(question, setting, objects, recorded)
        stream = LandedStream(repository, keys_for, setting.tips, recorded)
        block: list[tuple[Landed, PolicyFound]] = []
        for landed in stream.read(until, since):
            base = landed.parents[0] if landed.parents else None
            block.append((landed, bases.pop(base, PolicyFound(at="nothing"))))
            if len(block) == BLOCK:
                yield from _judged(question, objects, setting, block, parsed, forwards)
                block = []
        yield from _judged(question, objects, setting, block, parsed, forwards)


def _keys_at(question: Question, commit: str) -> dict[bytes, Key]:
    with ObjectReader(question.repository.git) as objects:
        policy = read_policy_at(objects, commit).policy
    return {} if policy is None else keys_of(policy)


def _setting(question: Question, target: str, claimed: str | None, tip: str) -> Setting:
    repository, around = question.repository, question.around
    short = short_branch(target)
    production = question.what_if.policy.production.branches if question.what_if is not None else ()

    def keep(name: str) -> bool:
        return name != short and not matches_any(production, name)

    return Setting(
        repository=repository,
        target=target,
        tip=tip,
        name=repository_of(around, claimed=claimed),
        stage="landed",
        tips=branch_tips(repository, around, keep),
        missing=(),
        mailmaps=Mailmaps(repository),
    )


def _judged(
    question: Question,
    objects: ObjectReader,
    setting: Setting,
    block: list[tuple[Landed, PolicyFound]],
    parsed: dict[str, PolicyFound],
    forwards: FastForwards,
) -> Iterator[LandedVerdict]:
    for (landed, found), change in zip(block, collect_landed(setting, block), strict=True):
        proposed = read_policy_at(objects, landed.commit, parsed)
        try:
            verdict = evaluate(question, found, change, proposed)
        except PolicyError as error:
            verdict = _unjudged(landed, found, change.target, error)
        verdict = forwards.better(landed, verdict)
        yield LandedVerdict(commit=landed.commit, subject=landed.subject, change=verdict)


def _unjudged(landed: Landed, found: PolicyFound, target: str, error: PolicyError) -> ChangeVerdict:
    """A commit that landed while production's policy was broken: nothing judged it, and that is a finding."""
    finding = Finding(subject=target, message=error.message, remedy=error.remedy)
    outcome = Outcome(rule="RG001", name="policy-missing", answer="violated", findings=(finding,))
    base = landed.parents[0] if landed.parents else None
    return ChangeVerdict(
        decision="deny",
        repository=None,
        target=target,
        source=None,
        base=base,
        head=landed.commit,
        result_tree=landed.tree,
        commits=landed.walk.count,
        missing=(),
        policy=PolicyUsed(commit=base, path=found.path, digest=None),
        outcomes=(outcome,),
    )


def judge_landed(repository: Repository, commit: str, branch: str, *, as_of: int) -> tuple[Policy | None, Verdict]:
    """The verdict on one commit that landed on a branch, and the policy that judged it.

    `commit` is a full oid on the branch's first-parent chain, `branch` a full ref name or a short one.

    Raises: UsageError when the commit is not on that chain.
    """
    question = Question(repository, read_surroundings(repository), as_of)
    if not is_ancestor(repository, commit, branch):
        raise UsageError(f"{commit[:12]} is not on {short_branch(branch)}", remedy=f"git log --first-parent {branch}")
    parent = (
        repository.git.run("rev-parse", "--verify", "--quiet", f"{commit}^1", accept=(0, 1)).stdout.decode().strip()
    )
    target = branch if branch.startswith("refs/heads/") else f"refs/heads/{short_branch(branch)}"
    landed = next(iter(iter_audit(question, target=target, until=commit, since=parent or None, tip=branch)))
    if landed.change.decision != "allow" and parent:
        setting = _setting(question, target, None, branch)
        newest = newest_together(question, setting, recorded_tips(repository, target), commit, branch)
        if newest != commit:
            audited = iter_audit(question, target=target, until=newest, since=parent, tip=branch)
            landed = next(one for one in audited if one.commit == commit)
    with ObjectReader(repository.git) as objects:
        policy = read_policy_at(objects, parent).policy if parent else None
        policy = policy or read_policy_at(objects, commit).policy
    return policy, verdict_of(question, (landed.change,))
