"""Verdicts and errors as text for people: the decisive line first, remedies on lines of their own to paste.

Whether colour, how wide and whether only ASCII can be shown is the caller's to find out; a remedy is never
wrapped. What a hook says is in the same words, held to a few lines.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from rollback_guard.report import wording
from rollback_guard.report.visible import inert, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.errors import GuardError
    from rollback_guard.gate.verdict import Answer, ChangeVerdict, Decision, Finding, Outcome, Verdict

RED, GREEN, YELLOW = "\x1b[1;31m", "\x1b[1;32m", "\x1b[1;33m"
BOLD, CYAN, DIM, RESET = "\x1b[1m", "\x1b[36m", "\x1b[2m", "\x1b[0m"
_OF_DECISION: dict[Decision, str] = {"deny": RED, "allow": GREEN, "undetermined": YELLOW}
_OF_ANSWER: dict[Answer, str] = {"violated": "", "undetermined": "  (could not be judged)", "waived": "  (waived)"}

_MOST_FINDINGS = 20  # of one rule
_MOST_NOTES = 5  # of rules that hold
_HOOK_LINES = 12
_HOOK_TAIL = 3  # what is left out, coverage, where to read more
_HOOK_PARAGRAPH = 3
_NARROWEST = 20


class Line(NamedTuple):
    text: str
    paint: str = ""


class Problem(Protocol):
    """One thing wrong in a policy file, as `policy.read` reports it."""

    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int | None: ...
    @property
    def key(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def nearest(self) -> str | None: ...


def render_error(error: GuardError, *, colour: bool = False, ascii_only: bool = False) -> str:
    """An error in lines: what is wrong, each problem of a policy with its place, and what to do now."""
    lines = [Line(f"guard: {visible(error.message)}", RED)]
    problems: tuple[Problem, ...] = getattr(error, "problems", ())
    lines += [Line(f"  {_problem(problem)}") for problem in problems]
    if error.remedy:
        lines.append(Line(f"→ {visible(error.remedy)}", CYAN))
    return _printed(lines, colour=colour, ascii_only=ascii_only)


def render_verdict(
    verdict: Verdict, *, colour: bool = False, width: int = 80, ascii_only: bool = False, verbose: bool = False
) -> str:
    """A whole verdict; `verbose` also lists the rules that hold and every finding. `width` in columns."""
    lines: list[Line] = []
    if len(verdict.changes) != 1:
        counts = wording.total(tuple(change.decision for change in verdict.changes)) or "nothing is proposed"
        lines.append(Line(f"{wording.DECISIONS[verdict.decision]}  {counts}", _OF_DECISION[verdict.decision]))
    for change in verdict.changes:
        if lines:
            lines.append(Line(""))
        lines += _change(change, verdict.as_of, max(width, _NARROWEST), verbose)
    return _printed(lines, colour=colour, ascii_only=ascii_only)


def render_hook_verdict(
    verdict: Verdict, stage: str, *, colour: bool = False, width: int = 80, ascii_only: bool = False
) -> str:
    """What a hook says in at most 12 lines: what is refused, why, by which rule, what to do now.

    `stage` is the hook's name, such as `pre-push`. Empty when all is allowed and there is nothing to know.
    """
    refused = tuple(change for change in verdict.changes if change.decision != "allow")
    shown = refused or tuple(change for change in verdict.changes if wording.weighty(change))
    unseen = sorted({wording.coverage(change) for change in verdict.changes} - {""})
    lines, rules = _hook_body(shown, max(width, _NARROWEST))
    lines += [Line(text) for text in unseen[:1]]
    if refused:
        lines.append(Line(f"more: guard explain {visible(rules[0])}" if rules else "more: guard policy show"))
    if lines:
        lines[0] = Line(f"guard {visible(stage)}: {lines[0].text}", lines[0].paint)
    return _printed(lines, colour=colour, ascii_only=ascii_only)


def _printed(lines: list[Line], *, colour: bool, ascii_only: bool) -> str:
    printed = []
    for line in lines:
        text = inert(line.text)
        if ascii_only:
            text = text.replace("→", "->").replace("·", "-").replace("…", "...")
            text = text.encode("ascii", "backslashreplace").decode("ascii")
        printed.append(f"{line.paint}{text}{RESET}" if colour and line.paint and text else text)
    return "\n".join(printed)


def _problem(problem: Problem) -> str:
    place = visible(problem.file) + (f":{problem.line}" if problem.line else "")
    key = f": {visible(problem.key)}" if problem.key else ""
    hint = f" (did you mean {visible(problem.nearest)}?)" if problem.nearest else ""
    return f"{place}{key}: {visible(problem.message)}{hint}"


def _change(change: ChangeVerdict, as_of: int, width: int, verbose: bool) -> list[Line]:
    lines = [Line(wording.headline(change), _OF_DECISION[change.decision])]
    loud = wording.what_if(change.policy)
    if loud:
        lines += [Line(text, YELLOW) for text in _wrapped(loud, width, "", "  ")]
    for outcome in wording.weighty(change):
        lines.append(Line(""))
        lines.append(Line(f"{_rule(outcome)}{_OF_ANSWER[outcome.answer]}", BOLD))
        lines += _findings(outcome.findings, width, len(outcome.findings) if verbose else _MOST_FINDINGS)
        lines += _notes(outcome, width)
    lines.append(Line(""))
    lines += _rest(change, width, verbose)
    lines += [Line(text, YELLOW) for text in _wrapped(wording.coverage(change), width, "", "  ")]
    judged = f"{wording.judge_of(change.policy)}, as of {wording.moment(as_of)}"
    return lines + [Line(text, DIM) for text in _wrapped(judged, width, "", "  ")]


def _findings(findings: tuple[Finding, ...], width: int, most: int) -> list[Line]:
    """Each finding wrapped; a remedy that the next finding shares is given once, after the last of them."""
    lines: list[Line] = []
    shown = findings[:most]
    for number, finding in enumerate(shown, 1):
        lines += [Line(text) for text in _wrapped(wording.said(finding), width, "  ", "    ")]
        shared = number < len(shown) and shown[number].remedy == finding.remedy
        if finding.remedy and not shared:
            lines.append(Line(f"  → {visible(finding.remedy)}", CYAN))
    if len(findings) > most:
        lines.append(Line(f"  and {len(findings) - most:,} more"))
    return lines


def _notes(outcome: Outcome, width: int, prefix: str = "", indent: str = "  ") -> list[Line]:
    noted = [_wrapped(f"{prefix}note: {visible(note)}", width, indent, f"{indent}  ") for note in outcome.notes]
    return [Line(text) for lines in noted for text in lines]


def _rest(change: ChangeVerdict, width: int, verbose: bool) -> list[Line]:
    """The rules that hold or do not apply: one line, or with `verbose` one each."""
    quiet = [outcome for outcome in change.outcomes if outcome.answer in ("satisfied", "not-applicable")]
    summed = wording.holding(change)
    lines = [Line(summed)] if summed else []
    if verbose:
        for outcome in quiet:
            lines.append(Line(f"  {_rule(outcome)}  {'holds' if outcome.answer == 'satisfied' else 'does not apply'}"))
            lines += _notes(outcome, width, indent="    ")
        return lines
    holds = [outcome for outcome in quiet if outcome.answer == "satisfied" and outcome.notes]
    for outcome in holds[:_MOST_NOTES]:
        lines += _notes(outcome, width, f"{visible(outcome.rule)} ")
    if len(holds) > _MOST_NOTES:
        lines.append(Line(f"  and notes of {len(holds) - _MOST_NOTES} more"))
    return lines


def _hook_body(changes: tuple[ChangeVerdict, ...], width: int) -> tuple[list[Line], list[str]]:
    """The lines that fit, the worst first, and the rules that are named in them."""
    room = _HOOK_LINES - _HOOK_TAIL
    lines: list[Line] = []
    rules: list[str] = []
    left_out: list[str] = []
    unnamed = 0
    for change in sorted(changes, key=lambda change: change.decision != "deny"):
        loud = wording.what_if(change.policy)
        heads = [Line(wording.headline(change), _OF_DECISION[change.decision])] + [Line(loud, YELLOW)] * bool(loud)
        if len(lines) + len(heads) > room:
            unnamed += 1
            continue
        lines += heads
        for outcome in wording.weighty(change):
            if outcome.answer == "waived" and change.decision != "allow":
                continue  # nothing to do about it now
            block = _hook_block(outcome, width)
            if len(lines) + len(block) <= room:
                lines += block
                rules.append(outcome.rule)
            elif outcome.rule not in left_out:
                left_out.append(outcome.rule)
    more = ["also " + ", ".join(map(visible, left_out))] if left_out else []
    if unnamed:
        more.append(wording.counted(unnamed, "more ref", "more refs"))
    return lines + [Line("; ".join(more))] * bool(more), rules


def _hook_block(outcome: Outcome, width: int) -> list[Line]:
    head = f"{_rule(outcome)}{_OF_ANSWER[outcome.answer]}"
    if not outcome.findings:
        return [Line(head)]
    first = outcome.findings[0]
    count = f" (1 of {len(outcome.findings)})" if len(outcome.findings) > 1 else ""
    texts = _wrapped(f"{head}{count}: {wording.said(first)}", width - len(" …"), "", "  ")
    if len(texts) > _HOOK_PARAGRAPH:
        texts = [*texts[: _HOOK_PARAGRAPH - 1], f"{texts[_HOOK_PARAGRAPH - 1]} …"]
    return [Line(text) for text in texts] + [Line(f"  → {visible(first.remedy)}", CYAN)] * bool(first.remedy)


def _rule(outcome: Outcome) -> str:
    return f"{visible(outcome.rule)} {visible(outcome.name)}"


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    """Lines of at most `width` columns; a word longer than that stays whole, so that it can be copied."""
    lines: list[str] = []
    line, used = first, _columns(first)
    empty = True
    for word in text.split(" "):
        if not word:
            continue
        size = _columns(word)
        if not empty and used + 1 + size > width:
            lines.append(line)
            line, used, empty = rest, _columns(rest), True
        line, used = (f"{line}{word}", used + size) if empty else (f"{line} {word}", used + 1 + size)
        empty = False
    return lines if empty else [*lines, line]


def _columns(text: str) -> int:
    """How many columns a terminal needs: ideographs take two, combining marks none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
