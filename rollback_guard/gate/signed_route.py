"""Where something that landed came from, by what people signed of it. Branches are deleted; what was signed is kept.

Only what landed is judged so: before, a branch has to be there. Only sign-offs that count speak.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.facts.model import Known, Unknown
from rollback_guard.gate.people import called, makers_of
from rollback_guard.gate.proofs import decided, weigh
from rollback_guard.gate.routes import approved_sources, first_approved
from rollback_guard.gate.wording import listed, short_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.gate.rule import Case


class SignedRoute(NamedTuple):
    """`branch`: short name of the branch of a route that somebody named; `note` tells who did.

    `unknown`: it was signed, but no branch that is known here, or was named, brought it; None where nobody signed.
    """

    branch: Optional[str] = None
    note: str = ""
    unknown: Optional[Unknown] = None


def signed_route(case: Case) -> SignedRoute:
    """What the approvals that count say of where a change came from; nothing of what has not landed."""
    policy, change = case.policy, case.change
    if policy is None or change.stage != "landed" or not isinstance(change.survey, Known):
        return SignedRoute()
    makers = makers_of(policy, change.survey.value)
    globs = approved_sources(policy, change.target)
    named: dict[str, list[str]] = {}
    signed = False
    for role in policy.sign_off:
        for one in weigh(policy, role, decided(change), makers, case.as_of):
            decision = one.decision
            if not one.counts or one.maker or decision.decision != "approve":
                continue
            signed = True
            if decision.source is not None:
                named.setdefault(short_name(decision.source), []).append(str(decision.person))
    branch = first_approved(globs, tuple(named), change.target)
    if branch is not None:
        who = listed(called(policy, person) for person in dict.fromkeys(named[branch]))
        return SignedRoute(branch=branch, note=f"signed as coming from {branch} by {who}")
    if not signed:
        return SignedRoute()
    said = f"named {listed(named)}, which is no approved way" if named else "named none"
    unknown = Unknown(
        f"it was signed, but no branch that is here brought it, and who signed {said}",
        "git fetch --all   # if the branch that brought it is still on a remote",
    )
    return SignedRoute(unknown=unknown)
