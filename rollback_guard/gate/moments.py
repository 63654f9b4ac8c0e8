"""As of when a change is judged. One that landed landed at a moment that its history does not always tell.

A merge says when it was made, and nothing that is said later makes or unmakes it. Any other commit that landed was
made before anybody signed it: it may have landed at any time since, so it is allowed if the gate would have taken it
at one of the moments that can be told apart, which are those at which somebody signed.
"""

from __future__ import annotations

from rollback_guard.facts.model import Change, Known, SignedDecision
from rollback_guard.gate.signoffs import DAY

MOST = 16  # moments of one commit


def moments(change: Change, now: int) -> tuple[int, ...]:
    """The moments at which a change may have landed, the earliest first; now, for what has not landed yet."""
    if change.stage != "landed" or not isinstance(change.messages, Known):
        return (now,)
    times = [one.time for one in change.messages.value if one.bearer == "landing" and one.time is not None]
    made = min([now, *times])
    if merged(change):
        return (made,)
    signed = [one.time for one in change.decisions.value] if isinstance(change.decisions, Known) else []
    signed += [one.time for one in change.waivers.value] if isinstance(change.waivers, Known) else []
    return (*sorted({made, *(time for time in signed if made < time < now)})[: MOST - 1], now)


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
