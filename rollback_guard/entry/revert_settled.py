"""Branches that need no way back here: whether the remote has them as well, and sending them where it has not.

A push that failed, or a clone that is behind, must not pass for a way back that is done.
"""

from __future__ import annotations

import shlex

from rollback_guard.entry.revert_push import push_watched
from rollback_guard.entry.wiring import say
from rollback_guard.errors import RefusedError
from rollback_guard.git.push import Pushed, remote_branches, remote_for
from rollback_guard.git.refs import HEADS, is_ancestor, resolve_commit
from rollback_guard.git.repository import Repository, current_branch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollback_guard.entry.revert_jobs import Job, Settled


def find_unsent(job: Job) -> dict[str, list[Pushed]]:
    """By remote, what of the settled branches has to be sent there yet.

    Raises: RefusedError where a remote cannot be asked, or has something that is not here or must not be covered.
    """
    found: dict[str, list[Pushed]] = {}
    asked: dict[str, dict[str, str]] = {}
    for one in job.settled:
        remote = remote_for(job.repository, one.branch)
        if remote not in asked:
            asked[remote] = remote_branches(job.repository, remote)
        ref = HEADS + one.branch
        there = asked[remote].get(ref)
        if there == one.tip:
            say(f"{remote} has {one.branch} as it is here", err=True)
            continue
        _require_sendable(job, one, remote, there)
        found.setdefault(remote, []).append(Pushed(ref=ref, new=one.tip, old=there))
    return found


def _require_sendable(job: Job, one: Settled, remote: str, there: str | None) -> None:
    repository = job.repository
    where = shlex.quote(remote)
    if there is None:
        raise RefusedError(
            f"{remote} has no branch {one.branch}, so nothing is done there",
            remedy=f"git push {where} {shlex.quote(HEADS + one.branch)}   # if it should have one",
        )
    known = resolve_commit(repository, there) is not None
    if known and is_ancestor(repository, there, one.tip):
        if one.whole:
            return
        raise RefusedError(
            f"nothing is left to undo here, but {remote} has {one.branch} at {there}, before what is here",
            remedy=f"git log {there[:12]}..{one.tip[:12]}   # then: git push {where} {shlex.quote(HEADS + one.branch)}",
        )
    forward = _forward(repository, one.branch, remote, there)
    raise RefusedError(
        f"{remote} has {one.branch} at {there}, which is not in what is here ({one.tip}): it is not done there",
        remedy=f"git fetch {where} && {forward} && {job.again()} --plan   # {one.branch} as {remote} has it",
    )


def _forward(repository: Repository, branch: str, remote: str, there: str) -> str:
    """What brings the branch here to where the remote's is; what is here alone stays in the reflog."""
    checked_out = current_branch(repository) == HEADS + branch
    return f"git reset --keep {there}" if checked_out else f"git branch -f -- {shlex.quote(branch)} {there}"


def send(repository: Repository, unsent: dict[str, list[Pushed]]) -> None:
    """Push settled branches. Raises: RefusedError with the command by hand, when a remote does not take them."""
    for remote, moves in unsent.items():
        said = push_watched(repository, remote, moves)
        names = ", ".join(one.ref[len(HEADS) :] for one in moves)
        if said:
            refs = shlex.join(one.ref for one in moves)
            raise RefusedError(
                f"{names} here is as it should be, but {remote} did not take it: {said}",
                remedy=f"git fetch {shlex.quote(remote)} && git push {shlex.quote(remote)} {refs}",
            )
        say(f"pushed to {remote}: {names} as it was here", err=True)


def describe(unsent: dict[str, list[Pushed]]) -> Sequence[str]:
    """What would be sent, a line for each branch."""
    return [
        f"{remote} has {one.ref[len(HEADS) :]} at {str(one.old)[:12]}: what is here, {one.new[:12]}, has to be pushed"
        for remote, moves in unsent.items()
        for one in moves
    ]
