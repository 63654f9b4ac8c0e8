"""RG202: a sign-off by somebody who made a part of the change."""

from __future__ import annotations

from rollback_guard.facts.model import Unknown
from rollback_guard.gate.people import called, makers_of, written
from rollback_guard.gate.proofs import decided, stand, weigh
from rollback_guard.gate.rule import Case, Rule, judge, not_applicable, undetermined
from rollback_guard.gate.signoffs import bearer_in_words, seen_sign_offs
from rollback_guard.gate.verdict import Finding, Outcome

ID = "RG202"
NAME = "sign-off-self"


def evaluate(case: Case) -> Outcome:
    """One finding for each sign-off whose signer authored, committed or co-authored anything in the change."""
    policy, change = case.policy, case.change
    if policy is None or not policy.sign_off:
        return not_applicable(ID, NAME, "the policy asks for no sign-offs")
    if isinstance(change.messages, Unknown):
        return undetermined(ID, NAME, change.messages, "sign-offs")
    if isinstance(change.survey, Unknown):
        return undetermined(ID, NAME, change.survey, "makers")
    makers = makers_of(policy, change.survey.value)
    findings = [
        Finding(
            subject=seen.role.role,
            message=f"{written(seen.identity)} signs as {seen.role.role} on {bearer_in_words(seen.message, change)}, "
            "but made or pushed a part of the change",
            remedy=f"take that {seen.role.trailer} line out of the message (git commit --amend), and ask somebody else",
        )
        for seen in seen_sign_offs(policy, change.messages.value, makers, case.as_of)
        if seen.maker
    ]
    notes = []
    for role in policy.sign_off:
        for one in weigh(policy, role, decided(change), makers, case.as_of):
            if one.maker and one.decision.decision == "approve":
                what = (
                    f"{called(policy, str(one.decision.person))} signed as {role.role}, but made or pushed a part of it"
                )
                remedy = "ask somebody else who may sign; what is recorded stays, and counts for nothing"
                if stand(policy, role, change, case.as_of).complete(role):
                    notes.append(f"{what}; not needed, the role is complete")
                else:
                    findings.append(Finding(subject=role.role, message=what, remedy=remedy))
    return judge(ID, NAME, tuple(dict.fromkeys(findings)), *notes)


RULE = Rule(
    id=ID,
    name=NAME,
    title="a sign-off by someone who authored, committed, co-authored or pushed any part of the change",
    why="""Two pairs of eyes are the point. Nobody sees their own mistakes, and somebody who wants to slip something in
must need a second person. All addresses of one person count as that person: those of the policy, those made of
their GitHub login, those that production's `.mailmap` gives them. Where a server is told who pushes, whoever brought
the commits of the branch is one of their makers, whatever name they bear; whoever only merges it is not.""",
    example="""Jane commits as `jane@acme.example` and adds `Reviewed-by: Jane Doe <jane@home.example>`; the policy
lists both addresses as hers.""",
    needs=(
        "the sign-offs, as trailers or recorded",
        "authors, committers and co-authors of every commit",
        "production's .mailmap",
        "on a server that is told so, who pushed them",
    ),
    offline=True,
    remedy="""Remove the trailer (`git commit --amend`) and ask somebody who had no hand in the change.""",
    evaluate=evaluate,
)
