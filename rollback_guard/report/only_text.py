"""The plan to undo some commits alone as text for people: what goes, what is in the way, what would go with it."""

from __future__ import annotations

from rollback_guard.report.plan_migrations_text import render_migrations
from rollback_guard.report.plan_text import commit_line
from rollback_guard.report.visible import short, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.release.model import OnlyPlan, Undo

SHOWN = 20  # paths or commits that are listed


def render_only(plan: OnlyPlan, digest: str, *, execute: str, closed: str) -> str:
    """A plan in lines. `execute` carries out exactly this plan, `closed` plans the set that can be undone; or ""."""
    branch = visible(plan.branch)
    lines = [_headline(plan), ""]
    for one in plan.undone:
        lines.append(f"  {commit_line(one.commit, one.author, one.subject, one.mainline)}{_state(one)}")
        for conflict in one.conflicts[:SHOWN]:
            how = "resolved as somebody did before" if conflict.remembered else ", ".join(conflict.kinds)
            lines.append(f"      {visible(conflict.path)}: {visible(how)}")
        lines += _rest(len(one.conflicts))
    if plan.dependents:
        lines += ["", "Later commits that touch what is in conflict:"]
        lines += [f"  {commit_line(one.commit, one.author, one.subject, None)}" for one in plan.dependents[:SHOWN]]
        lines += _rest(len(plan.dependents))
    lines += ["", *render_migrations(plan.migrations, "these commits"), f"{branch} now: {short(plan.tip)}"]
    if plan.tree is not None:
        lines.append(f"tree afterwards: {short(plan.tree)}")
    lines += [f"note: {visible(note)}" for note in plan.notes]
    lines.append(f"digest: {digest}")
    if plan.open and closed:
        lines.append(f"{len(plan.closed):,} commits together leave no conflict:")
        lines.append(f"→ {visible(closed)}")
    elif plan.open:
        lines.append("→ git revert --no-commit COMMIT   # on a branch of its own, and resolve what is in conflict")
    elif execute:
        lines.append(f"→ {visible(execute)}")
    return "\n".join(lines)


def _headline(plan: OnlyPlan) -> str:
    branch = visible(plan.branch)
    count = len(plan.undone)
    commits = f"{count:,} commit{'' if count == 1 else 's'}"
    if plan.open:
        return f"In conflict: {commits} cannot be undone alone on {branch}; nothing was changed"
    if plan.empty:
        return f"Nothing to undo: of {commits} nothing is left on {branch}"
    where = ""
    if plan.target != f"refs/heads/{plan.branch}":
        where = f", written to the new branch {visible(plan.target[len('refs/heads/') :])}"
    return f"Only {commits} will be undone on {branch}{where}"


def _state(one: Undo) -> str:
    if one.open:
        return "  in conflict"
    return "  (nothing of it is left)" if one.empty else ""


def _rest(count: int) -> list[str]:
    return [f"      and {count - SHOWN:,} more"] if count > SHOWN else []
