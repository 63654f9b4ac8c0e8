"""What a pending change still needs of people: the smallest set of signatures that lets it land, tried out at the gate.

The signatures are imagined, the verdict on them is the gate's own: what it would still refuse is said too.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.entry.proposal import Proposed, able, judge, kinds_of, roles_of
from rollback_guard.evidence.collect import EvidenceBook
from rollback_guard.facts.model import Change, Known, SignedDecision
from rollback_guard.gate.people import Makers, called, makers_of
from rollback_guard.gate.proofs import decided, sign_command, stand, weigh
from rollback_guard.policy.model import Policy, SignOff
from rollback_guard.report.sign_text import Needed, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.evidence.statement import BindingKind, Decision

_NOBODY = Makers(people=frozenset(), emails=frozenset())  # who made the change may reject it too


class _AsImagined(EvidenceBook):
    """Knows of no evidence but what the change has already."""

    def about(self, policy: Policy | None, change: Change, *, as_of: int, brought: Policy | None = None) -> Change:
        return change


class _Plan(NamedTuple):
    """What one role needs."""

    needed: tuple[Needed, ...]
    imagined: tuple[SignedDecision, ...]


def find_way(proposed: Proposed) -> Way | None:
    """The fewest signatures after which the gate would allow the change, and what it would refuse even then.

    None when there is no policy, or when it is not known who made the change or what is signed.
    """
    policy, change = proposed.found.policy, proposed.change
    if policy is None or not isinstance(change.survey, Known) or not isinstance(change.decisions, Known):
        return None
    # What the policy in force asks for may be all that a policy asks for that the change brings.
    after = proposed
    needed: list[Needed] = []
    for asking, role in roles_of(proposed, policy):
        plan = _plan(after, asking, role, makers_of(asking, change.survey.value), kinds_of(proposed, policy, role.role))
        needed += plan.needed
        known = (*decided(after.change), *plan.imagined)
        after = after._replace(change=change._replace(decisions=Known(known, "imagined")))
    question = proposed.question._replace(book=_AsImagined(proposed.question.repository))
    verdict = judge(after._replace(question=question))
    said = {"RG201"} if any(len(one.people) < one.number for one in needed) else set()
    return Way(
        needed=tuple(needed),
        others=tuple(
            (outcome.rule, outcome.name)
            for outcome in verdict.outcomes
            if outcome.answer in ("violated", "undetermined") and outcome.rule not in said
        ),
        allowed=verdict.decision == "allow",
    )


def _plan(proposed: Proposed, policy: Policy, role: SignOff, makers: Makers, kinds: tuple[BindingKind, ...]) -> _Plan:
    change, as_of = proposed.change, proposed.question.as_of
    signers = stand(policy, role, change, as_of).signers
    allowed = policy.members_of(role.by)
    weighed = weigh(policy, role, decided(change), _NOBODY, as_of)
    vetoes = sorted({str(one.decision.person) for one in weighed if one.named and one.decision.decision == "reject"})
    command = sign_command(role, change)
    needed, imagined = [], []
    missing = role.count - len(signers)
    for person in vetoes:
        may = person not in makers.people and missing > 0
        missing -= may
        decision: Decision = "approve" if may else "withdraw"
        own = command if may else f"{command} --withdraw"
        needed.append(Needed(role=role.role, number=1, people=(called(policy, person),), command=own, veto=True))
        imagined += _imagine(proposed, role, person, decision, kinds)
    eligible = sorted(able(proposed, policy, allowed - makers.people - signers - set(vetoes)))
    if missing > 0:
        people = tuple(called(policy, person) for person in eligible)
        needed.append(Needed(role=role.role, number=missing, people=people, command=command))
        for person in eligible[:missing]:
            imagined += _imagine(proposed, role, person, "approve", kinds)
    return _Plan(tuple(needed), tuple(imagined))


def _imagine(
    proposed: Proposed, role: SignOff, person: str, decision: Decision, kinds: tuple[BindingKind, ...]
) -> list[SignedDecision]:
    latest = max((one.time for one in decided(proposed.change)), default=0)
    time = max(proposed.question.as_of, latest + 1)
    return [
        SignedDecision(
            role=role.role, decision=decision, person=person, claimed=person, time=time, binding=kind, digest=""
        )
        for kind in kinds
    ]
