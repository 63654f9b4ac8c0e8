"""RG106: sign-offs were given on a tree that is not the one that would land."""

from __future__ import annotations

from rollback_guard.facts.model import Change, Known, Unknown
from rollback_guard.gate.people import called
from rollback_guard.gate.proofs import decided, signing, stand
from rollback_guard.gate.rule import Case, Rule, judge, not_applicable, undetermined
from rollback_guard.gate.signoffs import is_key_of, parse_signer
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import quoted, short_name
from rollback_guard.policy.model import Policy, SignOff

ID = "RG106"
NAME = "stale-base"


def evaluate(case: Case) -> Outcome:
    """For each role that is bound to the result: what was signed must be what lands."""
    policy, change = case.policy, case.change
    roles = tuple(role for role in policy.sign_off if role.binding == "result") if policy else ()
    if policy is None or not roles:
        return not_applicable(ID, NAME, "no role is bound to the result")
    findings = [one for role in roles for one in _signed_elsewhere(case, policy, role)]
    roles = tuple(role for role in roles if role.proof == "trailer")
    if change.base_in_head == Known(True):
        return judge(ID, NAME, tuple(findings))
    same = _same_tree(change)
    if same is True:
        return judge(ID, NAME, tuple(findings), *(("the result has the tree that was signed",) if roles else ()))
    unknowns: list[tuple[Unknown, str]] = []
    for role in roles:
        answer = _judge_role(case, policy, role, same)
        if isinstance(answer, Unknown):
            unknowns.append((answer, role.role))
        elif answer is not None:
            findings.append(answer)
    if unknowns and not findings:
        return undetermined(ID, NAME, *unknowns[0])
    return judge(ID, NAME, tuple(findings))


def _signed_elsewhere(case: Case, policy: Policy, role: SignOff) -> list[Finding]:
    """Signed approvals of a role without its count that were given on another base."""
    if stand(policy, role, case.change, case.as_of).complete(role):
        return []
    return [
        Finding(
            subject=role.role,
            message=f"{role.role} signed by {called(policy, one.person)}: {one.stale}",
            remedy=signing(role, case.change, "have it looked at as it would land now, then: "),
        )
        for one in decided(case.change)
        if one.role == role.role and one.person and one.other_base and one.decision == "approve"
    ]


def _same_tree(change: Change) -> bool | Unknown:
    """Whether what lands has the head's tree although production moved on."""
    if isinstance(change.head_tree, Unknown):
        return change.head_tree
    if isinstance(change.result_tree, Unknown):
        return change.result_tree
    return change.head_tree.value == change.result_tree.value


def _judge_role(case: Case, policy: Policy, role: SignOff, same: bool | Unknown) -> Finding | Unknown | None:
    change = case.change
    if isinstance(change.messages, Unknown):
        return change.messages
    on_head = [message for message in change.messages.value if message.bearer == "head"]
    signed = any(
        is_key_of(role, one.key) and parse_signer(one.value) for message in on_head for one in message.trailers
    )
    if not signed:
        return None  # nothing was given on another tree; RG201 says what is missing
    if isinstance(change.survey, Unknown):
        return change.survey
    if stand(policy, role, change, case.as_of, bearer="landing").complete(role):
        return None
    if isinstance(change.base_in_head, Unknown):
        return change.base_in_head
    return same if isinstance(same, Unknown) else _finding(change, role)


def _finding(change: Change, role: SignOff) -> Finding:
    head = change.head_tree.value[:12] if isinstance(change.head_tree, Known) else "unknown"
    result = change.result_tree.value[:12] if isinstance(change.result_tree, Known) else "unknown"
    branch = short_name(change.target)
    return Finding(
        subject=role.role,
        message=f"{role.role} was given on the head's tree {head}, but the result would be {result}: "
        f"{branch} has moved on since",
        remedy=f"git merge {quoted(branch)}   # on the branch that brings the change; then test and sign again",
    )


RULE = Rule(
    id=ID,
    name=NAME,
    title="the sign-offs were given against another base than the one that will be merged into",
    why="""QA tested the branch as it was. If production has moved on since, what lands is a mixture that nobody has
tried. Sign-offs of a role with `binding = "result"` count only when what lands has exactly the tree that was
signed: the branch contains production's tip, or the merge itself is signed.""",
    example="""Quinn signs `release/1.4` on Monday; on Tuesday a hotfix lands on `main`; on Wednesday `release/1.4` is
to be merged. The result holds the hotfix, Quinn's tests did not.""",
    needs=("whether the head contains production's tip", "the head's tree and the result's", "the messages' trailers"),
    offline=True,
    remedy="""Merge production into the branch (`git merge main`), test, and sign again on the new head; or sign the
merge commit. A role that may survive this is given `binding = "change"` or `"head"` by the policy.""",
    evaluate=evaluate,
)
