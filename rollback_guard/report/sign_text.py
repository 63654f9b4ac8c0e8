"""What somebody is about to sign, and what was recorded, as text for people.

Who signs what is decided elsewhere; here it is only made plain to read. Pure.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.report.visible import listed, short, visible
from rollback_guard.report.wording import branch, counted, moment

MOST_SHOWN = 20  # commits, and files
_BOUND = {
    "result": "exactly this base and this result: when either moves, it counts no more",
    "change": "what the change does: it still counts after a clean rebase, or when the base moves on",
    "head": "the head's tree: it still counts when the base moves on",
}
_STATES = {"A": "added", "D": "deleted", "M": "changed", "T": "another type"}


class Landing(NamedTuple):
    """What would land. Oids are full hex; commits are (oid, author, subject), files (git's letter, path)."""

    repository: str
    source: Optional[str]  # full ref name
    target: str
    base: str
    head: str
    result_tree: str
    makers: tuple[str, ...]
    commits: tuple[tuple[str, str, str], ...]
    commit_count: int
    files: tuple[tuple[str, str], ...]
    file_count: int
    policy: str  # path and commit


class Intent(NamedTuple):
    """What is signed about it, and by whom. `terms` are further lines, (name, text)."""

    heading: str  # approve as qa
    bindings: tuple[str, ...]
    signer: str  # Quinn Lee <quinn@acme.example>
    fingerprint: str
    terms: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


class Recorded(NamedTuple):
    """What was recorded, and what is still missing: (role, how many have signed, of how many, the command)."""

    id: str
    said: str  # qa approved by Quinn Lee <…>
    lacking: tuple[tuple[str, int, int, str], ...] = ()
    notes: tuple[str, ...] = ()
    push: bool = True  # there is a remote that it can be sent to


class Review(NamedTuple):
    """What somebody is about to say of waivers: each is (who signed, when, until when it counted, why)."""

    rule: str
    target: str  # full ref name
    head: str
    waivers: tuple[tuple[str, str, str, str], ...]
    incident: str
    comment: str
    signer: str
    fingerprint: str


class Needed(NamedTuple):
    """One thing that people must do: `number` of these people, each by this command. `veto`: they said no before."""

    role: str
    number: int
    people: tuple[str, ...]
    command: str
    veto: bool = False


class Way(NamedTuple):
    """What would let a change land, and the rules (id, name) that would still stand in its way."""

    needed: tuple[Needed, ...]
    others: tuple[tuple[str, str], ...]
    allowed: bool


def render_way(way: Way) -> str:
    """What is still needed of whom, each with the command; then what no signature helps against."""
    count = sum(one.number for one in way.needed)
    lines = []
    if count:
        then = "this would land" if way.allowed else "more is in the way"
        lines.append(f"With {counted(count, 'more signature', 'more signatures')} {then}:")
    for one in way.needed:
        if len(one.people) < one.number:
            have = f"only {listed(one.people)}" if one.people else "nobody"
            lines.append(f"  {visible(one.role)}: {one.number} needed, and {visible(have)} may still sign")
            continue
        which = f"{one.number} of " if len(one.people) > one.number else ""
        no = " (rejected it)" if one.veto else ""
        lines.append(f"  {visible(one.role)}: {which}{visible(listed(one.people, most=8))}{no}")
        lines.append(f"  → {visible(one.command)}")
    if way.others:
        lines.append(f"No sign-off helps against {', '.join(f'{rule} {name}' for rule, name in way.others)}")
    return "\n".join(lines)


def render_intent(landing: Landing, intent: Intent) -> str:
    """What is about to be signed, in lines; nothing of it is wrapped."""
    source = branch(landing.source) if landing.source else short(landing.head)
    target = branch(landing.target)
    lines = [f"{visible(intent.heading)}: {source} → {target}, as it would land now", ""]
    lines.append(_line("repository", landing.repository))
    lines.append(f"{_line('base', short(landing.base))}  ({target} now)")
    lines.append(_line("head", short(landing.head)))
    lines.append(_line("result tree", short(landing.result_tree)))
    lines += [_line("made by" if number == 0 else "", maker) for number, maker in enumerate(landing.makers)]
    lines.append(_line("commits", f"{landing.commit_count:,}"))
    lines += [
        f"    {short(oid)}  {visible(_cut(author, 40))}: {visible(_cut(subject, 100))}"
        for oid, author, subject in landing.commits
    ]
    lines += _rest(landing.commit_count - len(landing.commits), f"git log {short(landing.base)}..{short(landing.head)}")
    lines.append(_line("files", f"{landing.file_count:,}"))
    lines += [f"    {_STATES.get(state, state):<8} {visible(path)}" for state, path in landing.files]
    look = f"git diff {short(landing.base)}...{short(landing.head)}"
    lines += _rest(landing.file_count - len(landing.files), look)
    lines += [_line(name, text) for name, text in intent.terms]
    lines += [_line("bound to", _BOUND[kind]) for kind in intent.bindings]
    lines.append(_line("policy", landing.policy))
    lines.append(_line("signed by", f"{intent.signer}, key {intent.fingerprint}"))
    lines += [f"note: {visible(note)}" for note in intent.notes]
    return "\n".join([*lines, ""])


def render_review(review: Review) -> str:
    """What is about to be signed about waivers, in lines."""
    place = f"{short(review.head)} → {branch(review.target)}"
    lines = [f"review the waiver of {visible(review.rule)}: {place}", ""]
    for who, when, expires, reason in review.waivers:
        lines += [_line("waived by", f"{who}, {when}"), _line("reason", reason), _line("until", expires)]
    lines += [_line("incident", review.incident)] if review.incident else []
    lines.append(_line("review", review.comment))
    lines.append(_line("signed by", f"{review.signer}, key {review.fingerprint}"))
    return "\n".join([*lines, ""])


def render_recorded(recorded: Recorded) -> str:
    """What was recorded, what is still missing, and what comes next."""
    lines = [f"recorded: {visible(recorded.said)}", f"id: {recorded.id}"]
    lines += [f"note: {visible(note)}" for note in recorded.notes]
    for role, have, count, command in recorded.lacking:
        lines.append(f"still missing: {visible(role)} has {have} of {count}  ({visible(command)})")
    return "\n".join([*lines, *(["→ guard evidence push"] if recorded.push else [])])


def expiry(seconds: int, now: int) -> str:
    """`2026-11-23T12:00:00Z, in 4 h`; of what is over, the moment alone."""
    if seconds <= now:
        return moment(seconds)
    left = seconds - now
    size, unit = (3600, "h") if left >= 2 * 3600 else (60, "min")
    return f"{moment(seconds)}, in {left // size} {unit}"


def _line(name: str, text: str) -> str:
    return f"  {name:<12}  {visible(text)}"


def _rest(count: int, command: str) -> list[str]:
    return [f"    and {count:,} more: {command}"] if count > 0 else []


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
