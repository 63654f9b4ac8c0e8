"""Moving branches to commits that are written already: what must be true before, one transaction, the work tree.

Which commits these are is left to `release.revert`, `release.only` and `release.reland`.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.errors import GitError, RefusedError
from rollback_guard.git.filters import failing_filter
from rollback_guard.git.refs import HEADS, update_refs
from rollback_guard.git.repository import Repository, operation_in_progress
from rollback_guard.git.worktree import (
    find_checkouts,
    held_lock,
    index_lock,
    is_being_rebased,
    move_work_tree,
    overwritten_paths,
    try_move,
    uncommitted_paths,
    unlocking,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 5  # paths named in a refusal


class Move(NamedTuple):
    """One branch that goes from its tip to something new, or a new branch that begins on top of another one's tip."""

    branch: str  # short name of the branch that goes back
    ref: str  # full name of what is written: that branch, or a new one
    tip: str
    tree: str  # that the result will have, but for files of the tip that stay

    @property
    def new(self) -> bool:
        """Whether the ref must not exist yet."""
        return self.ref != HEADS + self.branch


def require_ready(repository: Repository, move: Move) -> bool:
    """What must be true before a branch moves; the answer is whether it is checked out in this work tree.

    Raises: RefusedError when the branch is checked out elsewhere, or here with a locked index, an operation in
    progress, changes that are not committed, or files in the way.
    """
    checkouts = find_checkouts(repository, move.ref)
    if checkouts.elsewhere:
        path = checkouts.elsewhere[0]
        raise RefusedError(
            f"{move.branch} is checked out in another work tree: {path}",
            remedy=f"cd {path}   # and run it there; if that folder is gone: git worktree prune",
        )
    if not checkouts.here and not is_being_rebased(repository, move.ref):
        return False
    lock = held_lock(repository)
    if lock is not None:
        raise RefusedError(
            f"the index here is locked: {lock} is there",
            remedy=f"{unlocking(lock)}   # if no other git runs here; then run this again",
        )
    operation = operation_in_progress(repository)
    if operation is not None:
        raise RefusedError(
            f"a {operation} is in progress here",
            remedy="git bisect reset" if operation == "bisect" else f"git {operation} --abort   # or --continue",
        )
    dirty = uncommitted_paths(repository)
    if dirty:
        raise RefusedError(
            f"there are changes here that are not committed: {_named(dirty)}", remedy="git stash   # or commit them"
        )
    blocked = overwritten_paths(repository, move.tip, move.tree)
    if blocked:
        raise RefusedError(
            f"files here that git does not track would be overwritten: {_named(blocked)}",
            remedy="move them away, then run this again",
        )
    if not try_move(repository, move.tip, move.tree):
        raise RefusedError("the work tree cannot be moved to the new tree", remedy="git status   # and commit or stash")
    return checkouts.here


def unfinished(repository: Repository, ref: str) -> tuple[str, ...]:
    """A note where a branch needs no moving, and the work tree that it is checked out in differs from it."""
    if not find_checkouts(repository, ref).here:
        return ()
    lock = index_lock(repository)
    if lock is not None:
        return (f"{lock} is there; if no other git runs here, one was cut short: {unlocking(lock)} && git status",)
    dirty = uncommitted_paths(repository)
    if not dirty:
        return ()
    return (f"files here differ from the branch: {_named(dirty)}; if a way back was cut short: git reset --hard",)


def _named(paths: tuple[str, ...]) -> str:
    more = len(paths) - SHOWN
    return ", ".join(paths[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def carry_out(repository: Repository, moves: Sequence[tuple[Move, str]], here: Move | None, *, reason: str) -> None:
    """Move every branch to its new commit, all or none; then the work tree, where one of them is checked out.

    Raises: RefusedError when a file could not be written, or a ref moved meanwhile: then none did; or when the work
    tree did not follow.
    """
    for move, new in moves:
        if move == here:
            _require_filters(repository, move, new)
    updates = tuple((move.ref, new, repository.zero if move.new else move.tip) for move, new in moves)
    update_refs(repository, updates, reason=reason)
    for move, new in moves:
        if move != here:
            continue
        try:
            move_work_tree(repository, move.tip, new)
        except GitError as error:
            raise RefusedError(
                f"{move.branch} is at {new} now, but the work tree here is not: {error.message}",
                remedy=error.remedy,
            ) from None


def _require_filters(repository: Repository, move: Move, new: str) -> None:
    """Raises: RefusedError when a filter that has to write files here cannot."""
    said = failing_filter(repository, move.tip, new)
    if said:
        raise RefusedError(
            f"files of the way back cannot be written here, so nothing was moved: {said}",
            remedy=f"mend that and run this again; or git switch --detach && guard revert --branch {move.branch}",
        )
