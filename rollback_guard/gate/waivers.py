"""Exceptions: which broken rules are waived, because enough people signed for that, in time, on exactly this change.

A waiver changes no finding: the outcome stays in the verdict, with who let it pass and why, and after it has
expired, with whether somebody else looked at it. Whoever made the change cannot waive anything for it, and some
rules nobody can waive.
"""

from __future__ import annotations

from rollback_guard.facts.model import Change, Known, SignedWaiver, Unknown
from rollback_guard.gate.people import called, makers_of
from rollback_guard.gate.signoffs import DAY
from rollback_guard.gate.verdict import UNREVIEWED, Outcome
from rollback_guard.gate.wording import listed
from rollback_guard.policy.model import Policy, Waiver

# Without a policy nobody knows who may waive; a weaker policy, or evidence that lies, would waive itself.
NEVER = frozenset(["RG001", "RG002", "RG104", "RG306", "RG401"])
# What is waived is that a backup covers it, so that it does not matter whether one is known.
ALSO_OPEN = frozenset(["RG402"])

AFTERWARDS = "it was signed after what landed was made"
UNTOLD = "whether it had landed before it was waived is not known here"


def with_waivers(
    policy: Policy | None, change: Change, outcomes: tuple[Outcome, ...], as_of: int, *, now: int
) -> tuple[Outcome, ...]:
    """The outcomes, those that a waiver covers that was valid at `as_of` turned into waived ones."""
    if policy is None or policy.waiver is None:
        return outcomes
    if isinstance(change.waivers, Unknown):
        return outcomes
    cover = _Cover(policy, policy.waiver, change, change.waivers.value, as_of, now)
    return tuple(cover.judge(outcome) if can_cover(outcome) else outcome for outcome in outcomes)


def can_cover(outcome: Outcome) -> bool:
    """Whether there is something that a waiver could let pass."""
    return outcome.answer == "violated" or (outcome.answer == "undetermined" and outcome.rule in ALSO_OPEN)


class _Cover:
    """The waivers that are recorded about one change."""

    def __init__(
        self, policy: Policy, terms: Waiver, change: Change, recorded: tuple[SignedWaiver, ...], as_of: int, now: int
    ) -> None:
        self._policy = policy
        self._terms = terms
        self._change = change
        self._recorded = recorded
        self._now = now
        self._as_of = as_of

    def judge(self, outcome: Outcome) -> Outcome:
        """One violated outcome, waived if enough people signed for that."""
        mine = [one for one in self._recorded if one.rule == outcome.rule and not one.stale]
        if not mine:
            return outcome
        if outcome.rule in NEVER:
            return outcome._replace(
                notes=(*outcome.notes, f"a waiver is recorded, but nobody can waive {outcome.rule}")
            )
        counted: dict[str, SignedWaiver] = {}
        later: set[str] = set()
        notes = []
        for one in mine:
            why = why_not(self._policy, self._terms, self._change, one, self._as_of)
            if why == AFTERWARDS:
                later.add(str(one.person))
            if why:
                notes.append(f"a waiver by {self._called(one.person or one.claimed)} does not count: {why}")
            else:
                counted[str(one.person)] = one
        have = listed(map(self._called, sorted(counted)))
        if len(counted) < self._terms.count:
            if self._change.stage == "landed" and len(later | counted.keys()) >= self._terms.count:
                return outcome._replace(answer="undetermined", notes=(*outcome.notes, *notes, UNTOLD))
            notes += [f"waived by {len(counted)} of {self._terms.count} people so far: {have}"] if counted else []
            return outcome._replace(notes=(*outcome.notes, *notes))
        first = min(counted.values(), key=lambda one: (one.time, one.digest))
        incident = f" ({first.incident})" if first.incident else ""
        notes = [f"waived by {have}: {first.reason}{incident}", *self._reviewed(tuple(counted.values()))]
        return outcome._replace(answer="waived", notes=(*outcome.notes, *notes))

    def _reviewed(self, counted: tuple[SignedWaiver, ...]) -> list[str]:
        """Who looked at it afterwards, or that nobody did although it has expired."""
        reviewers = reviewers_of(self._policy, self._change, counted)
        if reviewers:
            return [f"reviewed by {listed(map(self._called, reviewers))}"]
        if self._now < max(one.expires for one in counted):
            return []
        first = min(one.digest for one in counted)
        return [f"{UNREVIEWED}: guard waive --review {first[:12]}"]

    def _called(self, person: str) -> str:
        return called(self._policy, person)


def reviewers_of(policy: Policy, change: Change, waivers: tuple[SignedWaiver, ...]) -> tuple[str, ...]:
    """Ids of the people whose review of all these waivers counts: they neither signed one, nor made the change."""
    makers = makers_of(policy, change.survey.value).people if isinstance(change.survey, Known) else frozenset()
    involved = makers | {one.person for one in waivers}
    looked = [set(one.reviewers) for one in waivers]
    return tuple(sorted(set.intersection(*looked) - involved)) if looked else ()


def why_not(policy: Policy, terms: Waiver, change: Change, one: SignedWaiver, as_of: int) -> str:
    """Why one person's signature under a waiver does not count, or ""."""
    if one.fault or one.person is None:
        return one.fault or "it is nobody's"
    if one.person not in policy.members_of(terms.by):
        return "the policy does not let them waive"
    if not isinstance(change.survey, Known):
        return "who made the change is not known"
    if one.person in makers_of(policy, change.survey.value).people:
        return "they made a part of the change"
    if as_of >= one.expires:
        return "it has expired"
    if one.expires - one.time > terms.max_age:
        return "it lasts longer than the policy allows"
    return AFTERWARDS if one.time > as_of + DAY else ""
