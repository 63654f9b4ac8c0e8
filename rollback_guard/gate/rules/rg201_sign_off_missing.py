"""RG201: a role lacks its count of valid sign-offs."""

from __future__ import annotations

from rollback_guard.facts.model import Change, Known, Survey
from rollback_guard.gate.people import Makers, called, makers_of
from rollback_guard.gate.proofs import signing, stand
from rollback_guard.gate.rule import Case, Rule, answered, not_applicable
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import listed, quoted
from rollback_guard.policy.model import Policy, SignOff

ID = "RG201"
NAME = "sign-off-missing"


def evaluate(case: Case) -> Outcome:
    """Count, for each role, the different people whose sign-offs are valid."""
    policy, change = case.policy, case.change
    if policy is None or not policy.sign_off:
        return not_applicable(ID, NAME, "the policy asks for no sign-offs")
    makers = makers_of(policy, change.survey.value if isinstance(change.survey, Known) else Survey())
    missing: list[Finding] = []
    open_questions: list[Finding] = []
    notes: list[str] = []
    for role in policy.sign_off:
        standing = stand(policy, role, change, case.as_of)
        if standing.complete(role):
            notes.append(f"{role.role}: {listed(called(policy, one) for one in sorted(standing.signers))}")
        elif standing.unknown is not None:
            unknown = standing.unknown
            open_questions.append(Finding(subject=role.role, message=unknown.reason, remedy=unknown.remedy))
        else:
            missing.append(_missing(change, policy, role, makers, standing.signers))
    if missing:
        notes += [one.message for one in open_questions]
    return answered(ID, NAME, tuple(missing), tuple(open_questions), *notes)


def _missing(change: Change, policy: Policy, role: SignOff, makers: Makers, signed: frozenset[str]) -> Finding:
    eligible = sorted(policy.members_of(role.by) - makers.people - signed)
    have = f"{role.role} has {len(signed)} of {role.count} sign-off{'s' if role.count > 1 else ''}"
    if len(eligible) < role.count - len(signed):
        left = listed(called(policy, one) for one in eligible) if eligible else "nobody"
        return Finding(
            subject=role.role,
            message=f"{have}, and of those who may sign and did not make the change there is left: {left}",
            remedy=f"have more people named in `by` of the role {role.role}, in rollback-guard.toml",
        )
    names = listed((called(policy, one) for one in eligible), most=8)
    if role.proof != "trailer":
        return Finding(subject=role.role, message=f"{have}; may sign: {names}", remedy=signing(role, change))
    line = f"{role.trailer}: {called(policy, eligible[0])}"
    return Finding(subject=role.role, message=f"{have}; may sign: {names}", remedy=_remedy(change, line))


def _remedy(change: Change, line: str) -> str:
    """How the trailer is added, at the stage where somebody reads this."""
    if change.stage == "message":
        return f"add to the merge's message, when they agree: {line}"
    if change.stage == "landed":
        return f"it has landed without; have it looked at now, and land the next one with: {line}"
    merged = isinstance(change.landings, Known) and bool(change.landings.value)
    if merged and change.stage in ("push", "receive"):
        return (
            f"git commit --amend --no-edit --trailer {quoted(line)}   # on the merge, not pushed yet, when they agree"
        )
    where = "the branch that brings the change"
    return f"git commit --amend --no-edit --trailer {quoted(line)}   # on {where}, when they agree"


RULE = Rule(
    id=ID,
    name=NAME,
    title="a role lacks its count of valid sign-offs",
    why="""QA, UAT and review are promises of named people that they looked at exactly this. One that is missing means
that a step was skipped. Each person counts once for a role, and never for a change that they had a hand in.""",
    example="""The policy asks `qa` for two sign-offs. The merge bears `QA-by: Quinn Lee <quinn@acme.example>` twice:
that is one.""",
    needs=("the trailers of the head and of what lands, or the recorded evidence", "everybody who made the change"),
    offline=True,
    remedy="""Ask one of the people named to look at it, and to sign: `guard sign qa --into main`. Where the policy
takes trailers, add the line to the head commit
(`git commit --amend --no-edit --trailer "QA-by: Quinn Lee <quinn@acme.example>"`) or to the merge's message.""",
    evaluate=evaluate,
)
