"""Stable releases as text for people, and as the rows of a list."""

from __future__ import annotations

from rollback_guard.report.visible import short, visible
from rollback_guard.report.wording import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.release.model import Released, Stable


def render_release(released: Released, *, remote: str, record: str, onward: tuple[str, ...]) -> str:
    """What was tagged; where pushed, the id of what was signed, and what to paste next."""
    tag = visible(released.tag)
    signed = "signed" if released.signed else "not signed"
    lines = [
        f"{tag} is a stable release of {visible(released.branch)}: commit {short(released.commit)}",
        f"tagged by {visible(released.tagger)}, {signed}, tree {short(released.tree)}",
    ]
    proof = released.proof
    if proof.smoke:
        took = sum(seconds for _, _, seconds in proof.smoke)
        lines.append(f"smoke tests passed: {', '.join(visible(name) for name, _, _ in proof.smoke)} ({took:.1f} s)")
    elif proof.smoke_note:
        lines.append(f"smoke tests were not run: {visible(proof.smoke_note)}")
    return "\n".join(lines + _ending(released.notes, remote, record, onward))


def render_revoked(tag: str, *, notes: tuple[str, ...], remote: str, record: str, onward: tuple[str, ...]) -> str:
    """What was revoked, as `render_release` says what was tagged."""
    return "\n".join([f"{visible(tag)} is no longer a stable release", *_ending(notes, remote, record, onward)])


def _ending(notes: tuple[str, ...], remote: str, record: str, onward: tuple[str, ...]) -> list[str]:
    lines = [f"signed for, as evidence {short(record)}"] if record else []
    lines += [f"note: {visible(note)}" for note in notes]
    lines += [f"pushed to {visible(remote)}"] if remote else []
    return lines + [f"→ {visible(command)}" for command in onward]


def render_releases(releases: tuple[Stable, ...], branch: str, chosen: str | None) -> str:
    """One line a release, newest first; `chosen`, the one that `guard revert` would take, is marked."""
    if not releases:
        return f"No stable release on {visible(branch)}\n→ guard release"
    width = max(len(visible(one.tag)) for one in releases)
    last = f"Last stable release on {visible(branch)}: "
    nothing = f"none, of {len(releases)} with a release's name"
    lines = [last + (visible(chosen) if chosen is not None else nothing)]
    for one in releases:
        mark = "*" if one.tag == chosen else " "
        date = moment(one.date) if one.date else "-"
        lines.append(
            f"{mark} {visible(one.tag):<{width}}  {one.state:<10}  {short(one.commit)}  {date}  {visible(one.tagger)}"
        )
        if one.reason:
            lines.append(f"    {visible(one.reason)}")
    return "\n".join(line.rstrip() for line in lines)
