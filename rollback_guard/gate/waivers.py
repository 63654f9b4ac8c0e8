"""Exceptions: which violated rules are waived, because enough people signed for that, in time, on exactly this change.

A waiver changes no finding: the outcome stays in the verdict, with who let it pass and why. Whoever made
the change cannot waive anything for it, and some rules nobody can waive.
"""

from __future__ import annotations

from rollback_guard.facts.model import Change, Known, SignedWaiver, Unknown
from rollback_guard.gate.people import called, makers_of
from rollback_guard.gate.signoffs import DAY
from rollback_guard.gate.verdict import Outcome
from rollback_guard.gate.wording import listed
from rollback_guard.policy.model import Policy, Waiver

# Without a policy nobody knows who may waive; a weaker policy, or evidence that lies, would waive itself.
NEVER = frozenset(["RG001", "RG002", "RG104", "RG306"])


def with_waivers(
    policy: Policy | None, change: Change, outcomes: tuple[Outcome, ...], as_of: int
) -> tuple[Outcome, ...]:
    """The outcomes, those that a valid waiver covers turned into waived ones."""
    if policy is None or policy.waiver is None:
        return outcomes
    if isinstance(change.waivers, Unknown):
        return outcomes
    recorded, terms = change.waivers.value, policy.waiver
    merges = isinstance(change.landings, Known) and any(landing.heads for landing in change.landings.value)
    if change.stage == "landed" and merges and isinstance(change.messages, Known):  # what held then holds for ever
        times = [one.time for one in change.messages.value if one.bearer == "landing" and one.time is not None]
        as_of = min([as_of, *times])
    return tuple(
        _waived(policy, terms, change, outcome, recorded, as_of) if outcome.answer == "violated" else outcome
        for outcome in outcomes
    )


def _waived(
    policy: Policy, terms: Waiver, change: Change, outcome: Outcome, recorded: tuple[SignedWaiver, ...], as_of: int
) -> Outcome:
    mine = [one for one in recorded if one.rule == outcome.rule and not one.stale]
    if not mine:
        return outcome
    if outcome.rule in NEVER:
        return outcome._replace(notes=(*outcome.notes, f"a waiver is recorded, but nobody can waive {outcome.rule}"))
    counted: dict[str, SignedWaiver] = {}
    notes = []
    for one in mine:
        why = why_not(policy, terms, change, one, as_of)
        if why:
            notes.append(f"a waiver by {called(policy, one.person or one.claimed)} does not count: {why}")
        else:
            counted[str(one.person)] = one
    if len(counted) < terms.count:
        if counted:
            have = listed(called(policy, person) for person in sorted(counted))
            notes.append(f"waived by {len(counted)} of {terms.count} people so far: {have}")
        return outcome._replace(notes=(*outcome.notes, *notes))
    who = listed(called(policy, person) for person in sorted(counted))
    first = min(counted.values(), key=lambda one: (one.time, one.digest))
    incident = f" ({first.incident})" if first.incident else ""
    return outcome._replace(answer="waived", notes=(*outcome.notes, f"waived by {who}: {first.reason}{incident}"))


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
    if one.expires - one.time > terms.max_age or one.time > as_of + DAY:
        return "it lasts longer than the policy allows"
    return ""
