"""Going back to a stable release: the plan, what must be true before, the commits, their proof, one transaction.

Nothing is merged. The revert of commit c has the tree of c's first parent, so reverting a branch's
first-parent commits from the newest down to stable ends at stable's tree by construction, and the proof reads
it back. Which release is stable is left to `release.stable`, asking and printing to `entry`.
"""

from __future__ import annotations

from rollback_guard.errors import GitError, RefusedError, UsageError
from rollback_guard.git.fast_import import NewCommit, Quarantine
from rollback_guard.git.history_chain import ChainCommit, merge_base, read_chain, tree_of
from rollback_guard.git.process import Git
from rollback_guard.git.refs import HEADS, is_ancestor
from rollback_guard.git.repository import Repository
from rollback_guard.git.signed_commits import gather
from rollback_guard.release.message import bring_message, keep_message, revert_message, single_message
from rollback_guard.release.migrated import is_residue, write_kept
from rollback_guard.release.model import Bring, Mode, Plan, Result, Revert, Target
from rollback_guard.release.moving import Move, carry_out, require_ready
from rollback_guard.release.writing import Signing, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def require_full_history(repository: Repository) -> None:
    """Raises: RefusedError in a shallow clone, where the commits that must go may not all be there."""
    if repository.shallow:
        raise RefusedError(
            "this clone is shallow: the commits down to the stable release may not all be here",
            remedy="git fetch --unshallow --tags",
        )


def plan_revert(
    repository: Repository, *, branch: str, tip: str, stable: Target, mode: Mode = "each", target: str = ""
) -> Plan:
    """What going back from `tip` to a stable release takes, written to `target` (the branch itself unless given).

    Raises: RefusedError when the branch is behind the release, or they share no history, or in a shallow clone.
    """
    require_full_history(repository)
    ref = target or HEADS + branch
    reverts = tuple(_reverts(read_chain(repository.git, tip, stable.commit)))
    below = reverts[-1].parent if reverts else tip
    on_its_line = below == stable.commit
    stable = stable._replace(ancestor=on_its_line or (bool(reverts) and is_ancestor(repository, stable.commit, tip)))
    plan = Plan(mode=mode, branch=branch, tip=tip, stable=stable, reverts=(), bring=None, target=ref)
    if tree_of(repository.git, tip) == stable.tree:
        return plan
    if not reverts:
        raise RefusedError(
            f"{branch} here is behind {stable.tag}: there is nothing to go back from",
            remedy=f"git fetch && git merge --ff-only {stable.tag}   # on {branch}; or go back to an older release",
        )
    if not stable.ancestor and merge_base(repository.git, tip, stable.commit) is None:
        raise RefusedError(
            f"{branch} and {stable.tag} have no history in common", remedy="guard release list   # choose another"
        )
    if on_its_line:
        return plan._replace(reverts=_ending(reverts, stable.tree))
    return _plan_beside(plan, _ending(reverts, None if below is None else tree_of(repository.git, below)))


def _plan_beside(plan: Plan, reverts: tuple[Revert, ...]) -> Plan:
    """The stable commit is not on the branch's own line: stop where its tree is met, else bring it at the end."""
    stable, branch = plan.stable, plan.branch
    how = "came into it by a merge" if stable.ancestor else "is not in its history"
    beside = f"{stable.tag} is not on {branch}'s own line of commits: it {how}"
    for count, one in enumerate(reverts[:-1], start=1):
        if one.tree == stable.tree:
            note = f"{beside}. {branch} had exactly its tree at {one.parent}, and goes back to that"
            return plan._replace(reverts=reverts[:count], notes=(note,))
    below = reverts[-1].parent
    place = f"to {below}" if below is not None else f"to before {branch}'s first commit"
    if reverts[-1].tree == stable.tree:
        return plan._replace(reverts=reverts, notes=(f"{beside}. {branch} goes back {place}, which has its tree",))
    last = "its tree is brought by one more commit" if plan.mode == "each" else "its tree is brought"
    return plan._replace(
        reverts=reverts,
        bring=Bring(commit=stable.commit, tree=stable.tree, onto=below),
        notes=(f"{beside}. {branch} goes back {place}, and then {last}", _never_there(plan)),
    )


def _never_there(plan: Plan) -> str:
    """What the gate will make of a tree that the branch never had: going back to it is no restoration."""
    judged = f"{plan.branch} never had that tree, so the gate will judge it like any other change"
    if plan.target != HEADS + plan.branch:
        return f"{judged}: have it signed off on {plan.target[len(HEADS) :]}, and merge that"
    return f"{judged}: guard revert --to {plan.stable.tag} --as NEW-BRANCH   # and have that signed off"


def _reverts(chain: Iterator[ChainCommit]) -> Iterator[Revert]:
    """One revert for each commit of the chain; the mainline is the parent that is the next on the chain.

    What the last one leaves is not known from the chain: its `tree` is None.
    """
    one = next(chain, None)
    while one is not None:
        older = next(chain, None)
        parent = older.commit if older is not None else next(iter(one.parents), None)
        if (parent is None) != (not one.parents) or (parent is not None and parent not in one.parents):
            raise GitError(f"{one.commit} has no parent on the chain", remedy="git fsck --connectivity-only")
        yield Revert(
            commit=one.commit,
            mainline=one.parents.index(parent) + 1 if parent is not None and len(one.parents) > 1 else None,
            subject=one.subject,
            author=one.author,
            parent=parent,
            tree=None if older is None else older.tree,
            said=one.said,
        )
        one = older


def _ending(reverts: tuple[Revert, ...], tree: str | None) -> tuple[Revert, ...]:
    """The same, with what the last one leaves."""
    return (*reverts[:-1], reverts[-1]._replace(tree=tree))


def new_commits(plan: Plan, reason: str) -> Iterator[NewCommit]:
    """The commits that carry the plan out, in the order in which they are made; ten thousand need not be held."""
    tag = plan.stable.tag
    if plan.mode == "single":
        yield NewCommit(tree=plan.tree, message=single_message(plan, reason))
        return
    for revert in plan.reverts:
        yield NewCommit(tree=revert.tree, message=revert_message(revert, tag, reason))
    if plan.bring is not None:
        yield NewCommit(tree=plan.bring.tree, message=bring_message(plan.bring, tag, reason))
    if plan.keep is not None:
        yield NewCommit(tree=plan.keep.tree, message=keep_message(plan, plan.keep, reason))


def new_trees(plan: Plan) -> list[str | None]:
    """The trees of these commits, in their order; None where nothing is left."""
    if plan.mode == "single":
        return [plan.tree]
    last = [more.tree for more in (plan.bring, plan.keep) if more is not None]
    return [*(revert.tree for revert in plan.reverts), *last]


def move_of(plan: Plan) -> Move:
    """What a plan does to a ref."""
    return Move(branch=plan.branch, ref=plan.target, tip=plan.tip, tree=plan.stable.tree)


def execute_revert(
    repository: Repository, plans: Sequence[Plan], reason: str, signing: Signing | None = None
) -> tuple[Result, ...]:
    """Carry plans out as one: write the commits aside, prove them, keep them, then move all refs in one transaction.

    `signing` is there where the commits are to be signed. Raises: RefusedError when something is not ready or a ref
    moved meanwhile; then nothing has changed.
    """
    for plan in plans:
        if plan.empty:
            raise UsageError(f"{plan.branch} has the tree of {plan.stable.tag} already", remedy="guard release list")
    moves = [move_of(plan) for plan in plans]
    ready = [require_ready(repository, move) for move in moves]
    here = next((move for move, is_here in zip(moves, ready, strict=True) if is_here), None)
    written = []
    with Quarantine(repository) as quarantine:
        for plan in plans:
            if plan.keep is not None:
                write_kept(quarantine, plan.stable.tree, plan.keep.entries)
            new = write(quarantine, plan.tip, new_commits(plan, reason), signing)
            if plan.keep is not None:
                gather(quarantine, new, plan.tip)
            trees = new_trees(plan)
            prove(quarantine.git, plan, new, trees)
            written.append((plan, new, len(trees)))
        quarantine.keep()
    tags = ", ".join(dict.fromkeys(plan.stable.tag for plan in plans))
    carry_out(
        repository,
        [(move, new) for move, (_, new, _) in zip(moves, written, strict=True)],
        here,
        reason=f"guard revert: back to {tags}",
    )
    return tuple(_result(repository, plan, new, count) for plan, new, count in written)


def _result(repository: Repository, plan: Plan, new: str, count: int) -> Result:
    tree = tree_of(repository.git, new)
    equals = tree == plan.stable.tree
    residue = () if plan.keep is None else plan.keep.paths
    return Result(ref=plan.target, commit=new, tree=tree, commits=count, equals_stable=equals, residue=residue)


def prove(git: Git, plan: Plan, new: str, trees: Sequence[str | None]) -> None:
    """Read the new commits back: an unbroken line on `tip`, each with its tree, the last with stable's and what stays.

    `trees`: from the oldest of them to the newest.

    Raises: GitError when anything else was written; nothing of it is kept then.
    """
    right, count, last, newest = True, 0, None, ""
    for one in read_chain(git, new, plan.tip):  # as it comes: ten thousand need not be held
        tree = trees[-1 - count] if count < len(trees) else ""
        right = right and len(one.parents) == 1 and tree in (None, one.tree)
        count, last, newest = count + 1, one.parents, newest or one.tree
    same = right and count == len(trees) and last == (plan.tip,)
    kept = frozenset(() if plan.keep is None else plan.keep.paths)
    right = tree_of(git, plan.stable.commit) == plan.stable.tree and newest == plan.tree
    if not (same and right and (not kept or is_residue(git, plan.stable.tree, plan.tree, kept))):
        raise GitError("the revert commits that were written are not those of the plan", remedy="git fsck")
