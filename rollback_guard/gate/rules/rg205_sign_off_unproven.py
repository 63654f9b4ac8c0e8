"""RG205: a role asks for a proof that a trailer does not have."""

from __future__ import annotations

from rollback_guard.gate.rule import Case, Rule, not_applicable, satisfied
from rollback_guard.gate.signoffs import UNPROVEN_REMEDY, beyond_trailers, why_unproven
from rollback_guard.gate.verdict import Finding, Outcome

ID = "RG205"
NAME = "sign-off-unproven"


def evaluate(case: Case) -> Outcome:
    """Undetermined for as long as reviews and signatures cannot be read."""
    policy = case.policy
    if policy is None or not policy.sign_off:
        return not_applicable(ID, NAME, "the policy asks for no sign-offs")
    findings = tuple(
        Finding(subject=role.role, message=why_unproven(role), remedy=UNPROVEN_REMEDY)
        for role in beyond_trailers(policy)
    )
    if findings:
        return Outcome(rule=ID, name=NAME, answer="undetermined", findings=findings)
    return satisfied(ID, NAME)


RULE = Rule(
    id=ID,
    name=NAME,
    title="a trailer without the proof that the policy asks for, or a proof that does not verify",
    why="""Anybody can type `QA-by: Quinn Lee`. A trailer is a note between people who trust one another; a review on a
forge shows that somebody was logged in; a signature shows that somebody held the key. The policy says which of
them a role needs, and less than that does not count. This version reads trailers only: a policy that asks for more
blocks, instead of being taken lightly.""",
    example="""The role `uat` has `proof = "signature"`, and the merge bears a `UAT-by` trailer.""",
    needs=("the proof that each role asks for",),
    offline=True,
    remedy="""Until signatures can be read, either wait, or say in the policy that trailers are enough:
`proof = "trailer"`.""",
    evaluate=evaluate,
)
