"""A verdict as Markdown for a pull request's comment or a step summary.

A word passes as text only when it is plain letters or a small number; everything else stands in a code span,
where a forge makes no link, no mention, no image and no HTML of it. (An escaped `@` is no way out: forges look
for mentions after entities were decoded.) Remedies stand in fenced blocks whose fence is longer than any run of
backticks in them. A comment holds 65,536 characters; what is left out is said.
"""

from __future__ import annotations

from rollback_guard.report import wording
from rollback_guard.report.visible import short, visible
from rollback_guard.report.wording import PAGES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.gate.verdict import Answer, ChangeVerdict, Finding, Outcome, PolicyUsed, Verdict

LIMIT = 65_536  # characters of a comment on GitHub
_ROOM = LIMIT - 1_000  # what the closing line may need
_TABLE_ROOM, _REMEDY_ROOM, _QUIET_ROOM = 28_000, 16_000, 6_000  # of one change
_BLOCK = 100  # characters that a remedy's block takes besides
_LONGEST = 600  # characters of one message
_LONGEST_NAME = 300  # characters of a ref or a path
_SHOWN: dict[Answer, str] = {"violated": "**violated**", "undetermined": "could not be judged", "waived": "waived"}


def render_markdown(verdict: Verdict) -> str:
    """The verdict as GitHub Flavored Markdown, under 65,536 characters."""
    text = f"## rollback-guard: {wording.DECISIONS[verdict.decision]}\n"
    if len(verdict.changes) != 1:
        text += f"\n{wording.total(tuple(change.decision for change in verdict.changes)) or 'Nothing is proposed.'}\n"
    for number, change in enumerate(verdict.changes):
        section = _section(change, verdict.as_of, alone=len(verdict.changes) == 1)
        if len(text) + len(section) > _ROOM:
            left = wording.counted(len(verdict.changes) - number, "change is", "changes are")
            return f"{text}\nCut here: {left} not shown. `guard check --format json` shows all.\n"
        text += section
    return text


def _section(change: ChangeVerdict, as_of: int, *, alone: bool) -> str:
    heading = "" if alone else f"### {wording.DECISIONS[change.decision]}\n\n"
    counts = wording.tally(change)
    parts = [f"{heading}{_route(change)}" + (f" ({counts})" if counts else "")]
    if change.policy.what_if:
        path = _name(change.policy.path or "another policy")
        parts.append(f"> **WHAT IF**: the answer of {path}, not of the policy in force")
    outcomes = wording.weighty(change)
    if outcomes:
        parts.append(_table(outcomes))
        parts += _remedies(outcomes)
    parts += _quiet(change)
    if change.missing:
        parts.append(f"coverage: partial, not seen: {_prose(_cut(', '.join(change.missing), _LONGEST))}")
    parts.append(f"{_judge(change.policy)}, as of {wording.moment(as_of)}")
    return "\n" + "\n\n".join(parts) + "\n"


def _route(change: ChangeVerdict) -> str:
    target = _name(change.target.removeprefix("refs/heads/"))
    if change.source:
        return f"{_name(change.source.removeprefix('refs/heads/'))} → {target}"
    return f"{_code(visible(short(change.head)))} → {target}" if change.head else target


def _judge(policy: PolicyUsed) -> str:
    if policy.path is None:
        return "no policy was in force"
    return f"judged by {_name(policy.path)}" + (f" at {_code(visible(short(policy.commit)))}" if policy.commit else "")


def _table(outcomes: tuple[Outcome, ...]) -> str:
    rows = [row for outcome in outcomes for row in _rows(outcome)]
    text = "| rule | answer | what |\n|---|---|---|"
    for number, row in enumerate(rows):
        if len(text) + len(row) > _TABLE_ROOM:
            return f"{text}\n| | | and {len(rows) - number:,} more; `guard check --format json` shows all |"
        text += f"\n{row}"
    return text


def _rows(outcome: Outcome) -> list[str]:
    notes = [f"note: {_prose(_cut(note, _LONGEST))}" for note in outcome.notes]
    said = [_said(finding) for finding in outcome.findings] or [""]
    cells = [*said[:-1], "; ".join(part for part in (said[-1], *notes) if part)]
    answer, again = _SHOWN[outcome.answer], _celled(_code(visible(outcome.rule)))
    rules = [_rule(outcome), *[again] * (len(cells) - 1)]
    return [f"| {rule} | {answer} | {_celled(cell)} |" for rule, cell in zip(rules, cells, strict=True)]


def _said(finding: Finding) -> str:
    parts = (_name(wording.subject_of(finding)), _prose(_cut(finding.message, _LONGEST)))
    return ": ".join(part for part in parts if part)


def _celled(cell: str) -> str:
    """A bar would end the cell, even in a code span and even behind the backslash that a stranger may bring."""
    return cell.replace("|", r"\x7c")


def _rule(outcome: Outcome) -> str:
    if outcome.rule.isascii() and outcome.rule.startswith("RG") and outcome.rule[2:].isdigit():
        return f"[{outcome.rule}]({PAGES}/{outcome.rule}.md) {_celled(_prose(outcome.name))}"
    return _celled(_prose(_cut(f"{outcome.rule} {outcome.name}", _LONGEST_NAME)))


def _remedies(outcomes: tuple[Outcome, ...]) -> list[str]:
    """Each remedy once and whole, on a line of a block under the rules that ask for it."""
    asked: dict[str, list[str]] = {}
    for outcome in outcomes:
        for finding in outcome.findings if outcome.answer != "waived" else ():
            rules = asked.setdefault(visible(finding.remedy), [])
            rules += [outcome.rule] if outcome.rule not in rules else []
    asked.pop("", None)
    blocks: dict[str, list[str]] = {}
    used = shown = 0
    for remedy, rules in asked.items():
        used += len(remedy) + len(", ".join(rules)) + _BLOCK
        if used > _REMEDY_ROOM:
            break
        blocks.setdefault(", ".join(rules), []).append(remedy)
        shown += 1
    parts: list[str] = ["**What to do now**"] if asked else []
    for names, remedies in blocks.items():
        text = "\n".join(remedies)
        fence = "`" * max(3, _longest_run(text) + 1)
        parts.append(f"{_prose(names)}\n\n{fence}\n{text}\n{fence}")
    if shown < len(asked):
        left = wording.counted(len(asked) - shown, "remedy is", "remedies are")
        parts.append(f"{left} not shown; `guard check` shows all.")
    return parts


def _quiet(change: ChangeVerdict) -> list[str]:
    """The rules that hold or do not apply, folded away."""
    lines = []
    for outcome in change.outcomes:
        if outcome.answer in ("satisfied", "not-applicable"):
            answer = "holds" if outcome.answer == "satisfied" else "does not apply"
            notes = "".join(f"; note: {_prose(_cut(note, _LONGEST))}" for note in outcome.notes)
            lines.append(f"- {_rule(outcome)} {answer}{notes}")
    if not lines:
        return []
    text = ""
    for number, line in enumerate(lines):
        if len(text) + len(line) > _QUIET_ROOM:
            text += f"\n- and {len(lines) - number} more"
            break
        text += f"\n{line}"
    return [f"<details><summary>{wording.holding(change)}</summary>\n{text}\n\n</details>"]


def _name(text: str) -> str:
    return _code(_cut(text, _LONGEST_NAME))


def _cut(text: str, most: int) -> str:
    shown = visible(text[: most + 1])  # which is never shorter than the text
    return shown if len(shown) <= most else f"{shown[:most]}…"


def _prose(text: str) -> str:
    """Plain words as they are, everything else in code spans: what is quoted in one, else a span up to each pause."""
    words = visible(text).split(" ")
    parts: list[str] = []
    held: list[str] = []
    at = 0
    while at < len(words):
        end = _end_of_quote(words, at)
        if end or _is_plain(words[at]):
            parts += _spans(held) + (_spans(words[at:end]) if end else [words[at]])
            held = []
        elif words[at]:
            held.append(words[at])
            if words[at][-1] in ",;:" and words[at].strip(",;:"):
                parts += _spans(held)
                held = []
        at = end or at + 1
    return " ".join(parts + _spans(held))


def _end_of_quote(words: list[str], start: int) -> int:
    """Where the quotation ends that begins with this word, one past it; 0 when none does."""
    if not words[start].startswith('"'):
        return 0
    ends = (at + 1 for at in range(start, len(words)) if words[at][at == start :].rstrip(".,;:").endswith('"'))
    return next(ends, 0)


def _spans(words: list[str]) -> list[str]:
    """The words in one code span, or in none; the punctuation of the sentence stays outside."""
    text = " ".join(words)
    core = text.rstrip(",;: ")
    return [f"{_code(core)}{text[len(core) :]}"] if text else []


def _is_plain(word: str) -> bool:
    core = word.removeprefix("(").rstrip(".,;:!?)")
    if not core.isascii() or core.isdigit():
        return 0 < len(core) <= 6 and core.isascii()  # a longer number may be an abbreviated oid
    if not core.replace("-", "").replace("'", "").isalpha() or not (core[0].isalpha() and core[-1].isalpha()):
        return False
    return len(core) < 7 or not set(core) <= set("abcdef")


def _code(text: str) -> str:
    """A code span that nothing in the text can end. `text` is visible already and has no line breaks."""
    if not text:
        return ""
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _longest_run(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest
