"""What a rule is: its identity, its documentation, and one pure function.

The rules themselves are one file each in `gate.rules`; `gate.registry` lists them.
"""

from __future__ import annotations

from typing import Callable, NamedTuple, Optional

from rollback_guard.facts.model import Change, Unknown
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.policy.model import Policy


class Case(NamedTuple):
    """All that a rule may look at. `policy` is the one in force; None when production has none.

    `introduces`: production has no policy yet, and `policy` is the one that this change brings. `brought`: it is
    that one all the same, beside the one in force: nobody can have attested a backup that it names.
    `present` and `proposed` are what the other rules answered under the policy in force and under the
    one that the change brings; only RG002 reads them. `proposed_error` says why the change's policy
    cannot be read.
    """

    policy: Optional[Policy]
    change: Change
    as_of: int  # Unix seconds
    introduces: bool = False
    brought: bool = False
    introduction_error: str = ""  # why this change may not introduce its policy
    present: tuple[Outcome, ...] = ()
    proposed: Optional[tuple[Outcome, ...]] = None
    proposed_error: str = ""


class Rule(NamedTuple):
    """One rule. `title`, `why`, `example`, `needs` and `remedy` make its page in docs/rules/."""

    id: str
    name: str
    title: str  # "violated when …"
    why: str
    example: str
    needs: tuple[str, ...]  # the facts that it reads, in words
    offline: bool
    remedy: str
    evaluate: Callable[[Case], Outcome]


def satisfied(rule: str, name: str, *notes: str) -> Outcome:
    """The rule holds."""
    return Outcome(rule=rule, name=name, answer="satisfied", notes=notes)


def not_applicable(rule: str, name: str, *notes: str) -> Outcome:
    """The rule has nothing to say about this change."""
    return Outcome(rule=rule, name=name, answer="not-applicable", notes=notes)


def violated(rule: str, name: str, findings: tuple[Finding, ...], *notes: str) -> Outcome:
    """The rule is broken; one finding for each way."""
    return Outcome(rule=rule, name=name, answer="violated", findings=findings, notes=notes)


def undetermined(rule: str, name: str, unknown: Unknown, subject: str, *notes: str) -> Outcome:
    """A fact that the rule needs could not be had."""
    finding = Finding(subject=subject, message=unknown.reason, remedy=unknown.remedy)
    return Outcome(rule=rule, name=name, answer="undetermined", findings=(finding,), notes=notes)


def judge(rule: str, name: str, findings: tuple[Finding, ...], *notes: str) -> Outcome:
    """Violated when there are findings, satisfied when there are none."""
    return violated(rule, name, findings, *notes) if findings else satisfied(rule, name, *notes)


def answered(
    rule: str, name: str, findings: tuple[Finding, ...], open_questions: tuple[Finding, ...], *notes: str
) -> Outcome:
    """Violated when there are findings; else undetermined when there are questions that nothing answered."""
    if findings or not open_questions:
        return judge(rule, name, findings, *notes)
    return Outcome(rule=rule, name=name, answer="undetermined", findings=open_questions, notes=notes)
