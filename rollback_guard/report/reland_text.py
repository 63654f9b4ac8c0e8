"""The plan to bring reverted commits again as text for people: which of the ways it is and why, then what is done."""

from __future__ import annotations

from rollback_guard.report.plan_text import commit_line
from rollback_guard.report.visible import short, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.release.model import PathConflict, RelandPlan, Source

SHOWN = 20  # paths or commits that are listed
HEADS = "refs/heads/"


def render_reland(plan: RelandPlan, digest: str, *, execute: str, by_hand: str) -> str:
    """A plan in lines. `execute` is the command that carries out exactly this plan, or ""; else `by_hand` is shown."""
    lines = [_headline(plan), _why(plan), ""]
    lines.append("Reverted, to come again:")
    for one in plan.reverted[:SHOWN]:
        lines.append(f"  {commit_line(one.commit, one.author, one.subject, None)}  (by {short(one.revert)})")
    lines += _rest(len(plan.reverted), "  ")
    lines += _steps(plan)
    if plan.dependents:
        lines += ["", "Later commits that touch what is in conflict:"]
        lines += [f"  {commit_line(one.commit, one.author, one.subject, None)}" for one in plan.dependents[:SHOWN]]
        lines += _rest(len(plan.dependents), "  ")
    lines += ["", f"{visible(plan.branch)} now: {short(plan.tip)}"]
    if plan.writes and plan.tree is not None:
        lines.append(f"tree afterwards: {short(plan.tree)}")
    lines += [f"note: {visible(note)}" for note in plan.notes]
    lines.append(f"digest: {digest}")
    follow = visible(execute or by_hand)
    return "\n".join([*lines, *([f"→ {follow}"] if follow else [])])


def _headline(plan: RelandPlan) -> str:
    if plan.open:
        return f"In conflict: this cannot come again on {visible(plan.branch)} by itself; nothing was changed"
    if plan.writes:
        return f"Written to the new branch {_name(plan)}, on top of {visible(plan.branch)}, which stays as it is"
    if plan.source is not None:
        return f"Nothing to reland: merge {visible(plan.source.branch)} as usual"
    return f"Nothing to reland: its content is in {visible(plan.branch)} already"


def _why(plan: RelandPlan) -> str:
    branch = visible(plan.branch)
    if plan.source is None:
        return f"As it was: no branch goes on from it, so {branch} gets back what the revert took"
    name = visible(plan.source.branch)
    if plan.way == "fixed-on-top":
        return (
            f"Fixed on top: {name} has what was reverted, and more. To git the old commits are merged, so a merge "
            "would bring only the newer ones; the revert is reverted first"
        )
    if plan.way == "rebuilt":
        return (
            f"Rebuilt: {name} made its commits anew, so a merge brings all of them; "
            "a revert of the revert would bring the old ones beside them"
        )
    return f"Reapplied: {name} has the revert, and reverted it; a merge brings everything"


def _steps(plan: RelandPlan) -> list[str]:
    if not plan.undone and (plan.source is None or not plan.writes):
        return _conflicts(plan.source)
    lines = ["", "Done for it:"]
    for one in plan.undone:
        verb = "make again" if one.again else "revert"
        state = "  in conflict" if one.open else "  (nothing of it is left)" if one.empty else ""
        lines.append(f"  {verb} {commit_line(one.commit, one.author, one.subject, one.mainline)}{state}")
        lines += _paths(one.conflicts)
    source = plan.source
    if source is not None and not any(one.open for one in plan.undone):
        count = f"{source.newer:,} newer commit{'' if source.newer == 1 else 's'}"
        lines.append(f"  merge {visible(source.branch)} at {short(source.tip)}, {count}")
        lines += _paths(source.conflicts)
    return lines


def _conflicts(source: Source | None) -> list[str]:
    return ["", "In conflict:", *_paths(source.conflicts)] if source is not None and source.conflicts else []


def _paths(conflicts: tuple[PathConflict, ...]) -> list[str]:
    lines = []
    for one in conflicts[:SHOWN]:
        how = "resolved as somebody did before" if one.remembered else ", ".join(one.kinds)
        lines.append(f"      {visible(one.path)}: {visible(how)}")
    return lines + _rest(len(conflicts), "      ")


def _rest(count: int, indent: str) -> list[str]:
    return [f"{indent}and {count - SHOWN:,} more"] if count > SHOWN else []


def _name(plan: RelandPlan) -> str:
    return visible(plan.target[len(HEADS) :])
