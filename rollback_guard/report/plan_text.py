"""The plan and the result of a revert as text for people: the decisive line first, every commit that goes."""

from __future__ import annotations

from rollback_guard.release.plan import notes_of
from rollback_guard.release.sentences import kept_sentence, shown_paths
from rollback_guard.report.plan_migrations_text import render_migrations
from rollback_guard.report.visible import short, visible
from rollback_guard.report.wording import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.release.model import Plan, Result, Revert


TOGETHER = 500  # commits


def render_plan(plan: Plan, digest: str, *, execute: str) -> str:
    """A plan in lines. `execute` is the command that carries out exactly this plan, or ""."""
    return "\n".join(iter_plan(plan, digest, execute=execute))


def iter_plan(plan: Plan, digest: str, *, execute: str) -> Iterator[str]:
    """The same as it comes, some lines at a time: those of ten thousand commits need not be held."""
    tag = visible(plan.stable.tag)
    branch = visible(plan.branch)
    if plan.empty:
        yield from _nothing(plan, branch, tag)
        return
    yield from (_headline(plan), "")
    for start in range(0, len(plan.reverts), TOGETHER):
        yield "\n".join(f"  {_line(revert)}" for revert in plan.reverts[start : start + TOGETHER])
    if plan.bring is not None:
        yield f"  then the tree of {tag} ({short(plan.bring.commit)}) is brought back"
    yield ""
    yield from render_migrations(plan.migrations, tag)
    yield f"{branch} now: {short(plan.tip)}"
    yield f"stable: {tag}, commit {short(plan.stable.commit)}, tree {short(plan.stable.tree)}"
    if plan.keep is not None:
        yield f"{kept_sentence(plan.keep)}: {visible(shown_paths(plan.keep.paths))}"
    yield from (f"note: {visible(note)}" for note in notes_of(plan))
    yield f"digest: {digest}"
    if execute:
        yield f"→ {visible(execute)}"


def _nothing(plan: Plan, branch: str, tag: str) -> list[str]:
    notes = notes_of(plan)
    if plan.keep is None:
        lines = [f"Nothing to revert: {branch} has exactly the tree of {tag} already"]
    else:
        kept = counted(len(plan.keep.paths), "migration file that stays", "migration files that stay")
        lines = [
            f"Nothing to revert: {branch} has the tree of {tag} and {kept} already: "
            + visible(shown_paths(plan.keep.paths))
        ]
    lines += [f"note: {visible(note)}" for note in notes]
    if not notes:  # who has something else to see to must not think of revoking first
        lines.append(f"→ if {tag} is what failed: guard release revoke {tag} --reason WHY, then guard revert")
    return lines


def _headline(plan: Plan) -> str:
    count = len(plan.reverts)
    commits = f"{count:,} commit{'' if count == 1 else 's'} will be reverted on {visible(plan.branch)}"
    how = " by one commit" if plan.mode == "single" else ""
    where = ""
    if plan.target != f"refs/heads/{plan.branch}":
        where = f", written to the new branch {visible(plan.target[len('refs/heads/') :])}"
    more = " and the release's tree brought" if plan.bring is not None else ""
    return f"Back to {visible(plan.stable.tag)}: {commits}{how}{more}{where}"


def _line(revert: Revert) -> str:
    return commit_line(revert.commit, revert.author, revert.subject, revert.mainline)


def commit_line(commit: str, author: str, subject: str, mainline: int | None) -> str:
    """One commit in a line, and for a merge the number of the parent that stays."""
    merge = f"  (merge, mainline {mainline})" if mainline is not None else ""
    return f"{short(commit)}  {visible(_cut(author, 40))}: {visible(_cut(subject, 100))}{merge}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def render_result(result: Result, tip: str, tag: str | None, *, following: str) -> str:
    """What was done, in lines. `tag` is the release that was gone back to, `following` the command that comes next."""
    name = visible(result.ref.removeprefix("refs/heads/"))
    count = f"{result.commits:,} commit{'' if result.commits == 1 else 's'}"
    proof = f"its tree {short(result.tree)} is the tree of {visible(tag)}" if tag else "its trees are those of the plan"
    if result.residue:
        more = counted(len(result.residue), "migration file", "migration files")
        proof += f" and {more}, nothing else: {visible(shown_paths(result.residue))}"
    lines = [f"{name} is at {short(result.commit)}: {count} on top of {short(tip)}", f"proven: {proof}"]
    return "\n".join(lines + ([f"→ {visible(following)}"] if following else []))
