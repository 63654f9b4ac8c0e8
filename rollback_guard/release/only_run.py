"""Carrying out a plan to undo some commits alone: the commits, their proof, one transaction."""

from __future__ import annotations

from rollback_guard.errors import GitError, RefusedError, UsageError
from rollback_guard.git.fast_import import NewCommit, Quarantine
from rollback_guard.git.history_chain import read_chain, tree_of
from rollback_guard.git.process import Git
from rollback_guard.git.repository import Repository
from rollback_guard.git.signed_commits import gather
from rollback_guard.release.message import undo_message
from rollback_guard.release.model import OnlyPlan, Result
from rollback_guard.release.moving import Move, carry_out, require_ready
from rollback_guard.release.only import Undoing
from rollback_guard.release.writing import Signing, write


def move_of(plan: OnlyPlan) -> Move:
    """What a plan without conflicts does to a ref."""
    return Move(branch=plan.branch, ref=plan.target, tip=plan.tip, tree=str(plan.tree))


def execute_only(
    repository: Repository, undoing: Undoing, plan: OnlyPlan, reason: str, signing: Signing | None = None
) -> Result:
    """Write the commits, prove them, keep them, move the ref. Raises: as `release.revert.execute_revert`."""
    if plan.open:
        raise RefusedError("there are conflicts; nothing was changed", remedy="guard revert --mode only REV --plan")
    if plan.empty:
        raise UsageError("nothing of that is left to undo", remedy=f"git log --oneline {plan.branch}")
    move = move_of(plan)
    here = move if require_ready(undoing.repository, move) else None
    commits = tuple(NewCommit(tree=one.tree, message=undo_message(one, reason)) for one in plan.undone if not one.empty)
    with Quarantine(undoing.repository) as quarantine:
        new = write(quarantine, plan.tip, commits, signing)
        gather(quarantine, new, plan.tip)
        prove_only(quarantine.git, plan, new, commits)
        quarantine.keep()
    carry_out(repository, [(move, new)], here, reason=f"guard revert: only {len(commits)} of {plan.branch}")
    return Result(
        ref=plan.target, commit=new, tree=tree_of(repository.git, new), commits=len(commits), equals_stable=None
    )


def prove_only(git: Git, plan: OnlyPlan, new: str, commits: tuple[NewCommit, ...]) -> None:
    """Read the new commits back: an unbroken line on the tip, each with its tree. Raises: GitError."""
    chain = tuple(read_chain(git, new, plan.tip))
    line = bool(chain) and all(len(one.parents) == 1 for one in chain) and chain[-1].parents == (plan.tip,)
    if not line or [one.tree for one in chain] != [commit.tree for commit in reversed(commits)]:
        raise GitError("the revert commits that were written are not those of the plan", remedy="git fsck")
