"""The gate's answers as values: finding, outcome, change verdict, verdict; and how outcomes decide.

Rendering is left to `report`; which rules exist is in `gate.rules`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional

Answer = Literal["satisfied", "violated", "not-applicable", "undetermined", "waived"]
Decision = Literal["allow", "deny", "undetermined"]
UNREVIEWED = "it has expired, and nobody has reviewed it"  # how a note about a waiver begins


class Finding(NamedTuple):
    """One thing that is wrong, or that could not be known: who or what, in which way, what to do now."""

    subject: str
    message: str
    remedy: str = ""


class Outcome(NamedTuple):
    """One rule's answer. `notes` say what a person should know although it is not wrong."""

    rule: str
    name: str
    answer: Answer
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


class PolicyUsed(NamedTuple):
    """Which policy judged: the commit and path that it was read from, and the digest of its bytes."""

    commit: Optional[str]
    path: Optional[str]
    digest: Optional[str]
    what_if: bool = False


class ChangeVerdict(NamedTuple):
    decision: Decision
    repository: Optional[str]
    target: str
    source: Optional[str]  # full ref name
    base: Optional[str]
    head: Optional[str]
    result_tree: Optional[str]
    commits: Optional[int]
    missing: tuple[str, ...]
    policy: PolicyUsed
    outcomes: tuple[Outcome, ...]


class Verdict(NamedTuple):
    decision: Decision
    as_of: int  # Unix seconds
    changes: tuple[ChangeVerdict, ...]


def unreviewed(change: ChangeVerdict) -> tuple[Outcome, ...]:
    """The waived outcomes whose waiver expired and was never looked at by anybody else."""
    return tuple(
        outcome
        for outcome in change.outcomes
        if outcome.answer == "waived" and any(note.startswith(UNREVIEWED) for note in outcome.notes)
    )


def decide(outcomes: tuple[Outcome, ...], *, production: bool) -> Decision:
    """Violated denies; else undetermined is undetermined; a production ref to which no rule applied denies.

    Source: design, section 5.
    """
    answers = {outcome.answer for outcome in outcomes}
    if "violated" in answers:
        return "deny"
    if "undetermined" in answers:
        return "undetermined"
    if production and not answers & {"satisfied", "waived"}:
        return "deny"
    return "allow"


WORTH: dict[Decision, int] = {"deny": 0, "undetermined": 1, "allow": 2}


def decide_all(decisions: tuple[Decision, ...]) -> Decision:
    """The decision over several changes: the worst one; nothing proposed is allowed."""
    for worst in ("deny", "undetermined"):
        if worst in decisions:
            return worst
    return "allow"
