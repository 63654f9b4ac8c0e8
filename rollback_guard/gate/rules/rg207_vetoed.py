"""RG207: somebody who may sign has rejected the change and not withdrawn it."""

from __future__ import annotations

from rollback_guard.facts.model import SignedDecision, Unknown
from rollback_guard.gate.people import Makers, called
from rollback_guard.gate.proofs import (
    UNREADABLE_FORGE,
    about_this,
    forge_remedy,
    latest,
    signing,
    stand,
    weigh,
)
from rollback_guard.gate.rule import Case, Rule, answered, not_applicable, undetermined
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import in_utc
from rollback_guard.policy.model import Policy, SignOff

ID = "RG207"
NAME = "vetoed"
_NOBODY = Makers(people=frozenset(), emails=frozenset())  # who made the change may reject it too


def evaluate(case: Case) -> Outcome:
    """One finding for each role and person whose last signed word about exactly this change is no."""
    policy, change = case.policy, case.change
    if policy is None or not policy.sign_off:
        return not_applicable(ID, NAME, "the policy asks for no sign-offs")
    if isinstance(change.decisions, Unknown):
        return undetermined(ID, NAME, change.decisions, "evidence")
    findings: list[Finding] = []
    open_questions: list[Finding] = []
    notes: list[str] = []
    for role in policy.sign_off:
        notes += _taken_back(policy, role, change.decisions.value)
        for one in weigh(policy, role, change.decisions.value, _NOBODY, case.as_of):
            if one.named and one.decision.decision == "reject":
                said = f": {one.decision.comment}" if one.decision.comment else ""
                findings.append(
                    Finding(
                        subject=role.role,
                        message=f"{called(policy, str(one.decision.person))} rejected it as {role.role}{said}",
                        remedy=signing(
                            role,
                            change,
                            "talk to them, mend what they found, and have the new head signed; or they withdraw it: ",
                            " --withdraw",
                        ),
                    )
                )
        if role.proof == "forge" and not stand(policy, role, change, case.as_of).complete(role):
            why = f"{role.role} accepts reviews of a forge, and {UNREADABLE_FORGE}: so rejections may be missed"
            open_questions.append(Finding(subject=role.role, message=why, remedy=forge_remedy(role)))
    return answered(ID, NAME, tuple(findings), tuple(open_questions), *notes)


def _taken_back(policy: Policy, role: SignOff, decisions: tuple[SignedDecision, ...]) -> list[str]:
    """Rejections that the same person's later word stands above: by their dates, which people may want to look at."""
    last = {one.person: one for one in latest(decisions, role) if one.decision != "reject"}
    earlier = [
        (one, last[one.person])
        for one in decisions
        if one.decision == "reject" and one.person in last and about_this(one, role)
    ]
    return [
        f"{called(policy, str(no.person))} had rejected it as {role.role} on {in_utc(no.time)}, and "
        f"{'approved' if after.decision == 'approve' else 'withdrew that'} on {in_utc(after.time)}"
        for no, after in earlier
    ]


RULE = Rule(
    id=ID,
    name=NAME,
    title="somebody who may sign has rejected the change and not withdrawn it",
    why="""If one person says no, collecting enough others who say yes must not hide it. A rejection stands until the
same person withdraws it or approves, however old it is. It is recorded as a signed statement; a trailer cannot
say no.""",
    example="""Quinn tries the release, finds that the basket loses items, and records a rejection
(`guard sign qa --reject --comment "the basket loses items"`); two colleagues who did not see it sign.""",
    needs=("the recorded evidence",),
    offline=True,
    remedy="""Talk to the person, fix what they found, and have them look again. What they rejected was exactly that
tree: a new head needs new sign-offs, and their rejection of the old one is history.""",
    evaluate=evaluate,
)
