"""The words that every format for people shares: decision, route, tally, time, coverage, and which policy judged.

Everything returned here has been through `visible`; layout and escaping for a format are left to that format.
"""

from __future__ import annotations

import time

from rollback_guard.report.visible import short, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollback_guard.gate.verdict import Answer, ChangeVerdict, Decision, Finding, Outcome, PolicyUsed

DECISIONS: dict[Decision, str] = {"allow": "ALLOWED", "deny": "DENIED", "undetermined": "UNDETERMINED"}
# The answers that a person must see, the decisive first.
WEIGHTY: tuple[Answer, ...] = ("violated", "undetermined", "waived")
# Where the rules' pages stand, one `<id>.md` each.
PAGES = "https://github.com/rollback-guard/rollback_guard/blob/main/docs/rules"

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_PAUSES = frozenset(",;:()\"'")
_LAST_SECOND = 253402300799  # 9999-12-31T23:59:59Z, the last that RFC 3339 can write


def moment(seconds: int) -> str:
    """Unix seconds as RFC 3339 in UTC, held within the years that it can write."""
    held = time.gmtime(max(0, min(seconds, _LAST_SECOND)))
    date = f"{held.tm_year:04}-{held.tm_mon:02}-{held.tm_mday:02}"
    return f"{date}T{held.tm_hour:02}:{held.tm_min:02}:{held.tm_sec:02}Z"


def branch(ref: str) -> str:
    """A ref as people call it: a branch by its short name, anything else in full."""
    name = ref[len("refs/heads/") :] if ref.startswith("refs/heads/") else ref
    return visible(name or ref)


def route(change: ChangeVerdict) -> str:
    """`release/1.4 → main`; the head's oid where no branch is known, the target alone where nothing comes."""
    target = branch(change.target)
    if change.source:
        return f"{branch(change.source)} → {target}"
    return f"{visible(short(change.head))} → {target}" if change.head else target


def weighty(change: ChangeVerdict) -> tuple[Outcome, ...]:
    """The outcomes that a person must see: violated, then undetermined, then waived."""
    return tuple(outcome for answer in WEIGHTY for outcome in change.outcomes if outcome.answer == answer)


def subject_of(finding: Finding) -> str:
    """A finding's subject, as it was written; empty where the message names it anyway, so that it is not said twice."""
    return "" if _spoken(finding.subject) in _spoken(finding.message) else finding.subject


def said(finding: Finding) -> str:
    """`release/1.4: has no approved route`, or the message alone where it names its subject."""
    return ": ".join(visible(part) for part in (subject_of(finding), finding.message) if part)


def _spoken(text: str) -> str:
    """The words of a text between single blanks, one at each end."""
    return " ".join(["", *"".join(" " if one in _PAUSES else one for one in text).split(), ""])


def counted(number: int, one: str, many: str) -> str:
    """`1 rule`, `3 rules`."""
    return f"{number:,} {one if number == 1 else many}"


def tally(change: ChangeVerdict) -> str:
    """How many rules made the decision, in a few words; empty when there is nothing to say."""
    violated, undetermined, waived = (sum(o.answer == answer for o in change.outcomes) for answer in WEIGHTY)
    if change.decision == "deny":
        return counted(violated, "rule", "rules") if violated else "no rule applied"
    if change.decision == "undetermined":
        return f"{counted(undetermined, 'rule', 'rules')} could not be judged"
    return f"{counted(waived, 'rule', 'rules')} waived" if waived else ""


def headline(change: ChangeVerdict) -> str:
    """The decisive line: `DENIED  release/1.4 → main  (3 rules)`."""
    counts = tally(change)
    return f"{DECISIONS[change.decision]}  {route(change)}" + (f"  ({counts})" if counts else "")


def holding(change: ChangeVerdict) -> str:
    """`10 rules hold, 3 do not apply`; empty when neither."""
    hold = sum(outcome.answer == "satisfied" for outcome in change.outcomes)
    idle = sum(outcome.answer == "not-applicable" for outcome in change.outcomes)
    parts = [counted(hold, "rule holds", "rules hold")] if hold else []
    if idle:
        parts.append(counted(idle, "does not apply", "do not apply"))
    return ", ".join(parts)


def coverage(change: ChangeVerdict) -> str:
    """What this stage could not see; empty when it saw everything."""
    missing = ", ".join(visible(item) for item in change.missing)
    return f"coverage: partial, not seen: {missing}" if missing else ""


def judge_of(policy: PolicyUsed) -> str:
    """Which policy judged, with the commit that it was read from."""
    if policy.path is None:
        return "no policy was in force"
    at = f" at {visible(short(policy.commit))}" if policy.commit else ""
    return f"judged by {visible(policy.path)}{at}"


def what_if(policy: PolicyUsed) -> str:
    """The loud line for a verdict by another policy than the one in force; empty for a real verdict."""
    if not policy.what_if:
        return ""
    return f"WHAT IF: the answer of {visible(policy.path or 'another policy')}, not of the policy in force"


def total(decisions: tuple[Decision, ...]) -> str:
    """The line for several changes: `3 changes: 1 denied, 2 allowed`; empty for one."""
    if len(decisions) < 2:
        return ""
    order: tuple[Decision, ...] = ("deny", "undetermined", "allow")
    counts = [f"{decisions.count(one):,} {DECISIONS[one].lower()}" for one in order if one in decisions]
    return f"{len(decisions):,} changes: {', '.join(counts)}"


def tallied(words: Iterable[str]) -> str:
    """How often each word comes, in order of first appearance: `RG101 (3), RG201`."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{word} ({count:,})" if count > 1 else word for word, count in counts.items())


def size_in_words(size: float) -> str:
    """Bytes as people say them.

    >>> size_in_words(2048), size_in_words(5 * 1024**3 + 1)
    ('2.0 KiB', '5.0 GiB')
    """
    unit = 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{size:,.0f} bytes" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"


def span_in_words(seconds: float) -> str:
    """A span of time as people say it.

    >>> span_in_words(42), span_in_words(7265), span_in_words(200000)
    ('42 s', '2 h 1 min', '2 d 7 h')
    """
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 60:
        return f"{minutes} min {whole % 60} s"
    if hours < 24:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


def seconds_in_words(seconds: float) -> str:
    """How long something took, as people say it.

    >>> seconds_in_words(0.004), seconds_in_words(3.21), seconds_in_words(75)
    ('0.01 s', '3.2 s', '1 min 15 s')
    """
    if seconds >= 60:
        return span_in_words(seconds)
    return f"{seconds:.1f} s" if seconds >= 1 else f"{max(seconds, 0.01):.2f} s"
