"""Pushing what `guard revert` or `guard reland` wrote, and what to do when the other side does not take it."""

from __future__ import annotations

import shlex
import sys

from rollback_guard.entry.progress import ERASE, wants_progress
from rollback_guard.entry.revert_jobs import push_names
from rollback_guard.entry.wiring import say
from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.git.push import Pushed, push_refs, remote_branches, remote_for
from rollback_guard.git.refs import HEADS, is_ancestor, resolve_commit
from rollback_guard.git.repository import Repository, current_branch
from rollback_guard.report.visible import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollback_guard.entry.revert_jobs import Job
    from rollback_guard.release.model import Result
    from rollback_guard.release.moving import Move


def remote_of(repository: Repository, job: Job) -> str:
    """The one remote that all branches of a job are pushed to. Raises: UsageError when they go to several."""
    remotes = {remote_for(repository, move.branch) for move in job.moves}
    if len(remotes) > 1:
        raise UsageError(
            f"--push: these branches go to different remotes ({', '.join(sorted(remotes))}), so not as one",
            remedy="guard revert --branch BRANCH --push   # one after the other",
        )
    return remotes.pop()


def push(job: Job, remote: str, results: tuple[Result, ...]) -> None:
    """Push the results, all or none. Raises: RefusedError with the ways on, when the remote does not take them."""
    moves = {move.ref: move for move in job.moves}
    pushed = [
        Pushed(
            ref=result.ref,
            new=result.commit,
            old=None if moves[result.ref].new else moves[result.ref].tip,
        )
        for result in results
    ]
    said = push_watched(job.repository, remote, pushed)
    if said:
        here = ", ".join(f"{one.ref[len(HEADS) :]} is at {one.new} here" for one in pushed)
        raise RefusedError(
            f"{here}, but {remote} did not take {'it' if len(pushed) == 1 else 'them'}: {said}",
            remedy=_after_refusal(job, remote, moved="(stale info)" in said),
        )
    say(f"pushed to {remote}", err=True)


def push_watched(repository: Repository, remote: str, moves: Sequence[Pushed]) -> str:
    """`push_refs`, with how far it has come on a terminal."""
    watched = wants_progress(sys.stderr)
    said = push_refs(repository, remote, moves, _tell if watched else None)
    if watched:
        sys.stderr.write(ERASE)
    return said


def _tell(line: str) -> None:
    sys.stderr.write(f"{ERASE}{visible(line)}")
    sys.stderr.flush()


def _after_refusal(job: Job, remote: str, *, moved: bool) -> str:
    """What to do when the remote did not take the result; `moved`: its branch is not where this clone thought."""
    there = shlex.quote(remote)
    current = current_branch(job.repository)
    backs = " && ".join(_back(move, current) for move in job.moves)
    if not moved:
        refs = [
            *(f"refs/tags/{tag}" for tag in job.tags),
            *push_names(job.repository, [move.ref for move in job.moves]),
        ]
        return f"git push {there} {shlex.join(refs)}   # the release's tag too; or go back here: {backs}"
    first = job.moves[0]
    if first.new:
        name = first.ref[len(HEADS) :]
        return f"git fetch {there}   # it has a branch {name}: plan again with another name for --as"
    ahead = _only_here(job, remote)
    if ahead:
        logs = " && ".join(f"git log {there_}..{tip}" for there_, tip in ahead)
        atomic = "--atomic " if len(job.moves) > 1 else ""
        names = shlex.join(push_names(job.repository, [move.ref for move in job.moves]))
        return f"{logs} && git push {atomic}{there} {names}   # these commits were here alone, and go with it"
    forward = " && ".join(_forward(move, current, remote) for move in job.moves)
    names = ", ".join(move.branch for move in job.moves)
    return (
        f"{backs} && git fetch {there} && {forward} && {job.again()} --plan   # {remote} was not where {names} was here"
    )


def _only_here(job: Job, remote: str) -> list[tuple[str, str]]:
    """For each branch where the remote's is and where it was here, if the remote is behind that with each; else none.

    Fetching would bring nothing then, and the same plan would be refused again.
    """
    try:
        branches = remote_branches(job.repository, remote)
    except RefusedError:
        return []
    found = [(branches.get(move.ref, ""), move.tip) for move in job.moves]
    known = all(resolve_commit(job.repository, there) for there, _ in found)
    if not known or not all(is_ancestor(job.repository, there, tip) for there, tip in found):
        return []
    return [(there[:12], tip[:12]) for there, tip in found if there != tip]


def _back(move: Move, current: str | None) -> str:
    name = shlex.quote(move.ref[len(HEADS) :])
    if move.new:
        return f"git branch -D -- {name}"
    return f"git reset --keep {move.tip}" if current == move.ref else f"git branch -f -- {name} {move.tip}"


def _forward(move: Move, current: str | None, remote: str) -> str:
    tip = shlex.quote(f"{remote}/{move.branch}")
    return f"git merge --ff-only {tip}" if current == move.ref else f"git branch -f -- {shlex.quote(move.branch)} {tip}"
