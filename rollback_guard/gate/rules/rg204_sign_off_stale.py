"""RG204: a role is incomplete, and what was signed for it was signed elsewhere or too long ago."""

from __future__ import annotations

from rollback_guard.facts.model import Change, Message, Survey, Unknown
from rollback_guard.gate.people import makers_of, written
from rollback_guard.gate.rule import Case, Rule, judge, not_applicable, undetermined
from rollback_guard.gate.signoffs import (
    bearer_in_words,
    is_key_of,
    parse_signer,
    seen_sign_offs,
    valid_signers,
)
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import digits
from rollback_guard.policy.model import Policy, SignOff

ID = "RG204"
NAME = "sign-off-stale"


def evaluate(case: Case) -> Outcome:
    """For each role without its count: its trailers on earlier commits, and those out of date."""
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
        complete, stale = _judge_role(case, policy, role, change.messages.value, change.survey.value)
        if complete:
            notes += [f"{finding.message}; not needed, the role is complete" for finding in stale]
        else:
            findings += stale
    return judge(ID, NAME, tuple(dict.fromkeys(findings)), *dict.fromkeys(notes))


def _judge_role(
    case: Case, policy: Policy, role: SignOff, messages: tuple[Message, ...], survey: Survey
) -> tuple[bool, list[Finding]]:
    """Whether the role has its count, and what is stale of it."""
    seen = seen_sign_offs(policy, messages, makers_of(policy, survey), case.as_of, role=role)
    complete = role.proof == "trailer" and len(valid_signers(seen)) >= role.count
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
    return complete, stale


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
    needs=("the trailers of every commit of the change", "the time of the commits that bear them"),
    offline=True,
    remedy="""Have the person look at the present head, and put the trailer on the head commit or on the merge.""",
    evaluate=evaluate,
)
