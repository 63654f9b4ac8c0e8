"""An audit for people: a few lines for each commit that was not allowed, and the sum at the end. Pure."""

from __future__ import annotations

from rollback_guard.gate.verdict import ChangeVerdict, Decision
from rollback_guard.report import wording
from rollback_guard.report.visible import inert, short, visible

COLOURS: dict[Decision, str] = {"allow": "\x1b[32m", "deny": "\x1b[31m", "undetermined": "\x1b[33m"}
FINDINGS_SHOWN = 3  # of one rule


def _word(decision: Decision, colour: bool) -> str:
    word = wording.DECISIONS[decision]
    return f"{COLOURS[decision]}{word}\x1b[0m" if colour else word


def render_landed(
    subject: str, commit: str, change: ChangeVerdict, *, colour: bool = False, ascii_only: bool = False
) -> str:
    """One commit: the decision, its oid and subject, and each rule that did not hold."""
    dot = "-" if ascii_only else "·"
    lines = [f"{_word(change.decision, colour)}  {short(commit)}  {visible(subject)}"]
    for outcome in change.outcomes:
        if outcome.answer not in ("violated", "undetermined", "waived"):
            continue
        mark = "" if outcome.answer == "violated" else f" ({outcome.answer})"
        for finding in outcome.findings[:FINDINGS_SHOWN]:
            # The line above names the commit already.
            alone = finding._replace(subject="") if finding.subject == f"commit {short(commit)}" else finding
            lines.append(f"  {outcome.rule} {outcome.name}{mark} {dot} {wording.said(alone)}")
        if len(outcome.findings) > FINDINGS_SHOWN:
            lines.append(
                f"  {outcome.rule} {outcome.name}{mark} {dot} and {len(outcome.findings) - FINDINGS_SHOWN} more"
            )
        if outcome.answer == "waived":
            lines += [f"  {outcome.rule} {outcome.name}{mark} {dot} {visible(note)}" for note in outcome.notes]
    return "\n".join(inert(line) for line in lines)


def render_summary(branch: str, counts: dict[Decision, int], *, waived: int = 0, colour: bool = False) -> str:
    """The closing line: how many landed, and how they were judged; `waived` counts waivers that nobody reviewed."""
    total = sum(counts.values())
    worst: Decision = "deny" if counts["deny"] else "undetermined" if counts["undetermined"] else "allow"
    noun = "commit" if total == 1 else "commits"
    line = (
        f"{_word(worst, colour)}  {visible(branch)}: {total} {noun} landed; {counts['allow']} allowed, "
        f"{counts['deny']} denied, {counts['undetermined']} undetermined"
    )
    if not waived:
        return line
    expired = wording.counted(waived, "waiver has", "waivers have")
    return f"{line}\n{expired} expired without a review: guard doctor"
