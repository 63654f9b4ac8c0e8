"""As of when a change is judged. One that landed landed at a moment that its history does not always tell.

A merge says when it was made, and nothing that is said later makes or unmakes it. Any other commit that landed was
made before anybody signed it: it may have landed at any time since, so it is allowed if the gate would have taken it
at one of the moments that can be told apart, which are those at which somebody signed.
"""

from __future__ import annotations

from rollback_guard.facts.model import Change, Known, SignedDecision
from rollback_guard.gate.people import makers_of
from rollback_guard.gate.proofs import about_this
from rollback_guard.gate.signoffs import DAY
from rollback_guard.policy.model import Policy

MOST = 16  # moments of one commit


def moments(policy: Policy | None, change: Change, now: int) -> tuple[int, ...]:
    """The moments at which a change may have landed, the earliest first; now, for what has not landed yet."""
    if change.stage != "landed" or not isinstance(change.messages, Known):
        return (now,)
    times = [one.time for one in change.messages.value if one.bearer == "landing" and one.time is not None]
    made = min([now, *times])
    if merged(change):
        return (made,)
    later = sorted({time for time in _signed(policy, change) if made < time < now})
    return (made, *later[2 - MOST :], now)


def _signed(policy: Policy | None, change: Change) -> list[int]:
    """When somebody signed what counts: anybody with a key could add any number of others."""
    if policy is None:
        return []
    makers = makers_of(policy, change.survey.value).people if isinstance(change.survey, Known) else frozenset()
    times = []
    if isinstance(change.decisions, Known):
        for role in policy.sign_off:
            may = policy.members_of(role.by) - makers
            times += [one.time for one in change.decisions.value if one.person in may and about_this(one, role)]
    if isinstance(change.waivers, Known) and policy.waiver is not None:
        may = policy.members_of(policy.waiver.by) - makers
        times += [one.time for one in change.waivers.value if one.person in may and not one.stale]
    if isinstance(change.backups, Known):
        for backup in policy.backup:
            may = policy.members_of(backup.by)
            times += [one.time for one in change.backups.value if one.name == backup.name and one.person in may]
    return times


def merged(change: Change) -> bool:
    """Whether what landed is a merge."""
    return isinstance(change.landings, Known) and any(landing.heads for landing in change.landings.value)


def seen_at(change: Change, moment: int) -> Change:
    """The change as it was known at a moment (Unix seconds), with the approvals that came later put aside.

    Of what landed by no merge, a refusal counts however late it was said: nobody can tell which came first.
    """
    if change.stage != "landed" or not isinstance(change.decisions, Known):
        return change
    merge = merged(change)
    before: list[SignedDecision] = []
    after: list[SignedDecision] = []
    for one in change.decisions.value:
        late = one.time > moment + DAY and (one.decision == "approve" or merge)
        (after if late else before).append(one)
    afterwards = tuple(one for one in after if merge and one.decision == "approve")
    return change._replace(decisions=Known(tuple(before), change.decisions.source), afterwards=afterwards)
