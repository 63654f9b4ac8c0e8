"""Recorded evidence as text for people: lists, one statement in full, and what its signature is worth. Pure."""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.report.visible import short, visible
from rollback_guard.report.wording import branch, counted, moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ID_LENGTH = 12  # digits of an id that are shown, and that `guard evidence show` takes


class Evidence(NamedTuple):
    """One envelope as it is listed. Oids and the id are full hex; times are in Unix seconds."""

    id: str
    kind: str  # sign-off, waiver, verdict, release …
    said: str  # approve as qa
    signer: str  # the person whom the statement names
    time: int
    repository: str
    target: str  # full ref name
    base: str
    head: str
    state: str = ""  # what the signature is worth, in words; "" when nobody looked
    stale: str = ""  # why it is about something else than what was asked about


class Statement(NamedTuple):
    """One envelope in full."""

    evidence: Evidence
    binding: str
    object: str
    result_tree: str
    policy: str  # digest
    key: str  # fingerprint
    terms: tuple[tuple[str, str], ...] = ()  # further lines: (name, text)


def render_evidence(rows: tuple[Evidence, ...], about: str) -> str:
    """A table of the evidence about one change; `about` says which."""
    if not rows:
        return f"No evidence about {visible(about)} here\n→ guard evidence fetch   # it may be recorded elsewhere"
    lines = [f"{counted(len(rows), 'envelope', 'envelopes')} about {visible(about)}"]
    for one in rows:
        lines.append(f"{_row(one)}  {visible(one.state)}")
        if one.stale:
            lines.append(f"    stale: {visible(one.stale)}")
    return "\n".join(lines)


def render_rows(rows: Iterable[Evidence]) -> Iterator[str]:
    """One line an envelope, as they come."""
    for one in rows:
        place = f"{short(one.head)} → {branch(one.target)} at {short(one.base)}"
        yield "  ".join([_row(one), place, *([visible(one.state)] if one.state else [])])


def _row(one: Evidence) -> str:
    return f"  {one.id[:ID_LENGTH]}  {moment(one.time)}  {visible(one.signer)}: {visible(one.said)}"


def render_statement(statement: Statement) -> str:
    """One envelope in full, its signature's verdict first."""
    one = statement.evidence
    lines = [f"{visible(one.said)}, by {visible(one.signer)}: {visible(one.state)}", ""]
    rows = (
        ("id", one.id),
        ("kind", one.kind),
        ("signed", moment(one.time)),
        ("key", statement.key),
        ("repository", one.repository),
        ("target", one.target),
        ("base", one.base),
        ("head", one.head),
        ("result tree", statement.result_tree),
        ("bound to", f"the {statement.binding}: {statement.object}"),
        ("policy", statement.policy),
        *statement.terms,
    )
    return "\n".join([*lines, *(f"  {name:<12}  {visible(text)}" for name, text in rows)])


def render_verified(good: int, bad: tuple[Evidence, ...], unreadable: tuple[tuple[str, str], ...]) -> str:
    """How many signatures verify, and each envelope that does not: (id, reason) for one that cannot be read."""
    lines = [f"{counted(good, 'signature verifies', 'signatures verify')}"]
    wrong = len(bad) + len(unreadable)
    if wrong:
        lines[0] += f", {counted(wrong, 'envelope does not count', 'envelopes do not count')}"
    lines += render_rows(bad)
    lines += [f"  {name[:ID_LENGTH]}  cannot be read: it {visible(reason)}" for name, reason in unreadable]
    if wrong:
        lines.append("→ guard evidence show ID   # evidence is never removed; what does not verify counts for nothing")
    return "\n".join(lines)


def render_moved(remote: str, said: str, skipped: tuple[str, ...], kept: tuple[str, ...] = ()) -> str:
    """What came of a fetch or a push. `kept` is what the remote would not take."""
    lines = [f"{visible(remote)}: {said}", *(f"not taken over: {visible(one)}" for one in skipped)]
    return "\n".join([*lines, *(f"kept here, it would not be taken: {visible(one)}" for one in kept)])
