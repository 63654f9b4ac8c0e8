"""RG207: somebody who may sign has rejected the change. Rejections are evidence, which is not read yet."""

from __future__ import annotations

from rollback_guard.gate.rule import Case, Rule, not_applicable
from rollback_guard.gate.signoffs import UNPROVEN_REMEDY, beyond_trailers
from rollback_guard.gate.verdict import Finding, Outcome

ID = "RG207"
NAME = "vetoed"


def evaluate(case: Case) -> Outcome:
    """Undetermined where rejections could be on record; a trailer cannot reject."""
    unproven = beyond_trailers(case.policy) if case.policy else ()
    if not unproven:
        return not_applicable(ID, NAME, "no role has a proof that could record a rejection")
    findings = tuple(
        Finding(
            subject=role.role,
            message=f"{role.role} asks for proof {role.proof}, and rejections cannot be read yet: so the policy blocks",
            remedy=UNPROVEN_REMEDY,
        )
        for role in unproven
    )
    return Outcome(rule=ID, name=NAME, answer="undetermined", findings=findings)


RULE = Rule(
    id=ID,
    name=NAME,
    title="somebody who may sign has rejected the change and not withdrawn it",
    why="""If one person says no, collecting enough others who say yes must not hide it. A rejection stands until the
same person withdraws it. It is recorded as a signed statement; a trailer cannot say no.""",
    example="""Quinn tries the release, finds that the basket loses items, and records a rejection; two colleagues who
did not see it sign.""",
    needs=("the recorded rejections",),
    offline=True,
    remedy="""Talk to the person, fix what they found, and have them look again. This version cannot read rejections
yet; a policy with `proof = "forge"` or `"signature"` is undetermined until it can.""",
    evaluate=evaluate,
)
