"""A verdict as GitHub workflow commands: annotations on a run, and one plain line with the decision.

GitHub shows ten annotations of each kind for a step, so the decisive come first and the tenth sums up the
rest. Escaping follows actions/toolkit, `packages/core/src/command.ts`; what strangers wrote is visible text
before it is escaped, so that it cannot begin a line of its own.
"""

from __future__ import annotations

from rollback_guard.report import wording
from rollback_guard.report.visible import inert, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from rollback_guard.gate.verdict import Answer, ChangeVerdict, Finding, Outcome, Verdict

    Kind = Literal["error", "warning", "notice"]

_KINDS: dict[Answer, Kind] = {"violated": "error", "undetermined": "warning", "waived": "notice"}
_MOST = 10
_LONGEST = 4000  # characters of a message before it is escaped


def render_annotations(verdict: Verdict) -> str:
    """The workflow commands, errors before warnings before notices, and last the decision in plain words."""
    found: dict[Kind, list[tuple[str, str]]] = {"error": [], "warning": [], "notice": []}
    for change in verdict.changes:
        where = f"{wording.route(change)}: " if len(verdict.changes) > 1 else ""
        for outcome in wording.weighty(change):
            found[_KINDS[outcome.answer]] += [(_title(outcome), where + text) for text in _texts(outcome)]
        if change.decision == "deny" and wording.tally(change) == "no rule applied":
            found["error"].append(("no rule applied", f"{wording.route(change)}: a production ref needs a rule"))
        if change.missing:
            found["notice"].append(("coverage", where + wording.coverage(change)))
    lines = [line for kind, annotations in found.items() for line in _commands(kind, annotations)]
    return "\n".join([_unheard(line) for line in lines] + [inert(text) for text in _decision(verdict)])


def _unheard(command: str) -> str:
    """Our own command, with nothing in it that the older form `##[command]` would be read from."""
    return command.replace("##", r"#\x23")


def _texts(outcome: Outcome) -> list[str]:
    notes = [f"note: {visible(note)}" for note in outcome.notes]
    if not outcome.findings:
        return ["\n".join(notes) or visible(outcome.name)]
    return ["\n".join([*_said(finding), *notes]) for finding in outcome.findings]


def _said(finding: Finding) -> list[str]:
    said = wording.said(finding)
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
    return [said, f"→ {visible(finding.remedy)}"] if finding.remedy else [said]


def _title(outcome: Outcome) -> str:
    return f"{visible(outcome.rule)} {visible(outcome.name)}"


def _commands(kind: Kind, annotations: list[tuple[str, str]]) -> list[str]:
    """One command each, the tenth for all that is left when there are more than ten."""
    if len(annotations) > _MOST:
        rest = annotations[_MOST - 1 :]
        titles = wording.tallied(title for title, _ in rest)
        annotations = [*annotations[: _MOST - 1], (f"and {len(rest):,} more", titles)]
    return [f"::{kind} title={_property(title)}::{_data(text)}" for title, text in annotations]


def _decision(verdict: Verdict) -> list[str]:
    """A line for each change and, for several, the total; the last line is the decision."""
    lines = [f"rollback-guard: {_line(change)}" for change in verdict.changes]
    if len(verdict.changes) != 1:
        counts = wording.total(tuple(change.decision for change in verdict.changes)) or "nothing is proposed"
        lines.append(f"rollback-guard: {wording.DECISIONS[verdict.decision]}  {counts}")
    return lines


def _line(change: ChangeVerdict) -> str:
    loud = wording.what_if(change.policy)
    return f"{wording.headline(change)}" + (f"  {loud}" if loud else "")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
