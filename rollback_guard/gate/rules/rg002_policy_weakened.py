"""RG002: a change to what governs must pass under the old policy and under the new one."""

from __future__ import annotations

from rollback_guard.facts.model import Unknown
from rollback_guard.gate.rule import Case, Rule, not_applicable, satisfied, undetermined, violated
from rollback_guard.gate.verdict import Answer, Finding, Outcome
from rollback_guard.gate.wording import listed

ID = "RG002"
NAME = "policy-weakened"

_OLD = "the policy in force"
_NEW = "the policy that the change brings"


def evaluate(case: Case) -> Outcome:
    """Compare what the other rules answered under both policies."""
    touched = case.change.touched
    if case.introduces:
        return not_applicable(ID, NAME, "the change introduces the policy: there is none to weaken")
    if isinstance(touched, Unknown):
        if case.change.stage == "merge":
            return not_applicable(ID, NAME, "which files the merge touches is judged by commit-msg")
        return undetermined(ID, NAME, touched, "policy")
    if not touched.value.governing:
        return not_applicable(ID, NAME, "the change touches no policy, hook or workflow file")
    files = listed(touched.value.governing)
    if case.proposed_error:
        message = f"{files}: there would be no readable policy any more: {case.proposed_error}"
        remedy = "guard policy check   # on the branch that brings the change"
        return violated(ID, NAME, (Finding(subject="policy", message=message, remedy=remedy),))
    under = ((_OLD, case.present), (_NEW, case.proposed or ()))
    findings = _findings(under, "violated", files)
    if findings:
        return violated(ID, NAME, findings)
    open_questions = _findings(under, "undetermined", files)
    if open_questions:
        return Outcome(rule=ID, name=NAME, answer="undetermined", findings=open_questions)
    return satisfied(ID, NAME, f"passes under both policies: {files}")


def _findings(under: tuple[tuple[str, tuple[Outcome, ...]], ...], answer: Answer, files: str) -> tuple[Finding, ...]:
    found = []
    for which, outcomes in under:
        mine = [outcome for outcome in outcomes if outcome.answer == answer]
        if not mine:
            continue
        rules = listed([f"{outcome.rule} {outcome.name}" for outcome in mine], most=20)
        remedy = "meet the rules named under both policies, or land the change of the policy on its own"
        if which == _NEW:  # what the policy in force lacks, its own rules say
            rules += "; " + listed([finding.message for outcome in mine for finding in outcome.findings], most=4)
            remedy = mine[0].findings[0].remedy or remedy
        message = f"it changes {files}, and under {which} it is {answer}: {rules}"
        found.append(Finding(subject=which, message=message, remedy=remedy))
    return tuple(found)


RULE = Rule(
    id=ID,
    name=NAME,
    title="a change to policy, people, keys or gate workflow does not pass under both the old and the new policy",
    why="""Whoever can change the rules can let anything through. Judging such a change by the old policy alone
would let it take effect although nobody could meet it afterwards; judging it by the new one alone would let a
change allow itself. So it has to pass under both.""",
    example="""A branch drops the `qa` role from `rollback-guard.toml` and brings a fix without QA's sign-off. Under
the new policy it passes, under the one in force RG201 is violated: denied.""",
    needs=("the files that the change touches", "the policy as it would be afterwards", "what the other rules need"),
    offline=True,
    remedy="""Get the sign-offs that both policies ask for: `guard sign` takes the roles of both, and records what each
is bound to. Only keys that production lists already can sign; people whom the change itself brings land first, in a
change of their own. `guard policy check` tells whether the new file can be
read; `guard check --policy FILE` shows the verdict under it.""",
    evaluate=evaluate,
)
