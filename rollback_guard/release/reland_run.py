"""Carrying out a plan to bring reverted commits again: the commits, their proof, one transaction for one new branch."""

from __future__ import annotations

from rollback_guard.errors import GitError, RefusedError, UsageError
from rollback_guard.git.fast_import import NewCommit, Quarantine
from rollback_guard.git.history_chain import read_chain, tree_of
from rollback_guard.git.process import Git
from rollback_guard.git.refs import HEADS
from rollback_guard.git.repository import Repository
from rollback_guard.git.signed_commits import gather
from rollback_guard.release.message import merge_message, undo_message
from rollback_guard.release.model import RelandPlan, Result
from rollback_guard.release.moving import Move, carry_out, require_ready
from rollback_guard.release.only import Undoing
from rollback_guard.release.writing import Signing, write


def move_of(plan: RelandPlan) -> Move:
    """The branch that is made by a plan without conflicts."""
    return Move(branch=plan.branch, ref=plan.target, tip=plan.tip, tree=str(plan.tree))


def new_commits(plan: RelandPlan, reason: str) -> tuple[NewCommit, ...]:
    """The commits that carry a plan out, in the order in which they are made."""
    commits = [NewCommit(tree=one.tree, message=undo_message(one, reason)) for one in plan.undone if not one.empty]
    if plan.source is not None:
        message = merge_message(plan.source.branch, plan.target[len(HEADS) :], reason)
        commits.append(NewCommit(tree=plan.source.tree, message=message, others=(plan.source.tip,)))
    return tuple(commits)


def execute_reland(
    repository: Repository, undoing: Undoing, plan: RelandPlan, reason: str, signing: Signing | None = None
) -> Result:
    """Write the commits, prove them, keep them, make the branch. Raises: as `release.revert.execute_revert`."""
    again = f"guard reland {plan.reverted[0].commit[:12]} --plan"
    if plan.open:
        raise RefusedError("there are conflicts; nothing was changed", remedy=again)
    commits = new_commits(plan, reason)
    if not plan.writes or not commits:
        raise UsageError("there is nothing to write", remedy=again)
    move = move_of(plan)
    require_ready(undoing.repository, move)
    merged = () if plan.source is None else (plan.source.tip,)
    with Quarantine(undoing.repository) as quarantine:
        new = write(quarantine, plan.tip, commits, signing)
        gather(quarantine, new, plan.tip, *merged)
        prove_reland(quarantine.git, plan, new, commits)
        quarantine.keep()
    carry_out(repository, [(move, new)], None, reason=f"guard reland: {plan.reverted[0].commit}")
    return Result(
        ref=plan.target, commit=new, tree=tree_of(repository.git, new), commits=len(commits), equals_stable=None
    )


def prove_reland(git: Git, plan: RelandPlan, new: str, commits: tuple[NewCommit, ...]) -> None:
    """Read the new commits back: one line on the tip, each with its tree and its other parents. Raises: GitError."""
    chain = tuple(read_chain(git, new, plan.tip))[::-1]
    below = [plan.tip, *(one.commit for one in chain)]
    parents = [(under, *commit.others) for under, commit in zip(below, commits, strict=False)]
    if [(one.tree, one.parents) for one in chain] != [
        (commit.tree, own) for commit, own in zip(commits, parents, strict=False)
    ]:
        raise GitError("the commits that were written are not those of the plan", remedy="git fsck")
