"""RG204: a role is incomplete, and what was signed for it was signed elsewhere or too long ago."""

from __future__ import annotations

from rollback_guard.facts.model import Change, Message, Survey, Unknown
from rollback_guard.gate.people import called, makers_of, written
from rollback_guard.gate.proofs import decided, signing, stand, weigh
from rollback_guard.gate.rule import Case, Rule, judge, not_applicable, undetermined
from rollback_guard.gate.signoffs import bearer_in_words, is_key_of, parse_signer, seen_sign_offs
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import digits
from rollback_guard.policy.model import Policy, SignOff

ID = "RG204"
NAME = "sign-off-stale"


def evaluate(case: Case) -> Outcome:
    """For each role without its count: trailers on earlier commits, and what was signed elsewhere or long ago."""
    policy, change = case.policy, case.change
    if policy is None or not policy.sign_off:
        return not_applicable(ID, NAME, "the policy asks for no sign-offs")
    if isinstance(change.messages, Unknown):
        return undetermined(ID, NAME, change.messages, "sign-offs")
    if isinstance(change.survey, Unknown):
        return undetermined(ID, NAME, change.survey, "earlier commits")
    findings: list[Finding] = []
    notes: list[str] = []
    for role in policy.sign_off:
        stale = _stale_trailers(case, policy, role, change.messages.value, change.survey.value)
        stale += _stale_decisions(case, policy, role, change.survey.value)
        standing = stand(policy, role, change, case.as_of)
        if standing.complete(role):
            notes += [f"{finding.message}; not needed, the role is complete" for finding in stale]
        else:
            findings += stale
    return judge(ID, NAME, tuple(dict.fromkeys(findings)), *dict.fromkeys(notes))


def _stale_trailers(
    case: Case, policy: Policy, role: SignOff, messages: tuple[Message, ...], survey: Survey
) -> list[Finding]:
    seen = seen_sign_offs(policy, messages, makers_of(policy, survey), case.as_of, role=role)
    stale = [
        _finding(
            case.change, role, f"{written(one.identity)} on {bearer_in_words(one.message, case.change)}: {one.late}"
        )
        for one in seen
        if one.late
    ]
    for early in survey.earlier:
        signer = parse_signer(early.trailer.value)
        if signer is not None and is_key_of(role, early.trailer.key):
            why = "not on the head or on what lands"
            stale.append(_finding(case.change, role, f"{written(signer)} on commit {digits(early.commit)}: {why}"))
    return stale


def _stale_decisions(case: Case, policy: Policy, role: SignOff, survey: Survey) -> list[Finding]:
    """What was signed about something else; where only the base is another one, RG106 says it."""
    remedy = signing(role, case.change, "have it looked at as it is now, then: ")
    found = [
        Finding(role.role, f"{role.role} signed by {called(policy, one.person)}: {one.stale}", remedy)
        for one in decided(case.change)
        if one.role == role.role and one.person and one.stale and not one.other_base and one.decision == "approve"
    ]
    weighed = weigh(policy, role, decided(case.change), makers_of(policy, survey), case.as_of)
    for late in weighed:
        if late.late and late.decision.decision == "approve":
            who = called(policy, str(late.decision.person))
            found.append(Finding(role.role, f"{role.role} signed by {who}: {late.late}", remedy))
    return found


def _finding(change: Change, role: SignOff, what: str) -> Finding:
    where = "the merge's message" if change.stage == "message" else "the head commit or the merge"
    return Finding(
        subject=role.role,
        message=f"{role.trailer} by {what}",
        remedy=f"have it looked at as it is now, and put the {role.trailer} line on {where}",
    )


RULE = Rule(
    id=ID,
    name=NAME,
    title="a sign-off on another commit than the one that lands, or older than max-age, where the role lacks its count",
    why="""A trailer vouches for the tree of the commit that bears it. Commits on top of it were not seen by whoever
signed, and what was looked at long ago was looked at in another world.""",
    example="""Quinn signs the third of five commits; the other two came later. Or the sign-off is three weeks old and
the policy says `max-age = "14d"`.""",
    needs=("the trailers of every commit of the change", "the recorded evidence about its earlier heads"),
    offline=True,
    remedy="""Have the person look at the present head, and sign it: `guard sign qa --into main`; where the policy takes
trailers, put the line on the head commit or on the merge.""",
    evaluate=evaluate,
)
