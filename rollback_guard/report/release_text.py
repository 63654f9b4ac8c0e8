"""Stable releases as text for people, and as the rows of a list."""

from __future__ import annotations

from rollback_guard.report.visible import short, visible
from rollback_guard.report.wording import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.release.model import Released, Stable


def render_release(released: Released) -> str:
    """What was tagged, and how others get to see it."""
    tag = visible(released.tag)
    signed = "signed" if released.signed else "not signed"
    lines = [
        f"{tag} is a stable release of {visible(released.branch)}: commit {short(released.commit)}",
        f"tagged by {visible(released.tagger)}, {signed}, tree {short(released.tree)}",
    ]
    lines += [f"note: {visible(note)}" for note in released.notes]
    return "\n".join([*lines, f"→ git push origin refs/tags/{tag}"])


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
