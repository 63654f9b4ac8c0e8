"""What a way back means for the database, and the migration files that it leaves where they are.

How migrations are read and judged is left to `release.migrations`.
"""

from __future__ import annotations

from rollback_guard.git.fast_import import Quarantine
from rollback_guard.git.history_chain import tree_of
from rollback_guard.git.listing import Change, changed_between
from rollback_guard.git.process import Git
from rollback_guard.git.repository import Repository
from rollback_guard.git.tree_edit import edit_tree
from rollback_guard.release.migrations.collect import collect_changed_migrations, collect_migrations
from rollback_guard.release.migrations.keepable import kept_paths
from rollback_guard.release.model import Keep, OnlyPlan, Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NO_POLICY = "the migration files go too: no policy says `keep-migrations`, and they are not the release's"
SWITCHED_OFF = "the migration files go too, as the policy says (keep-migrations = false); the database keeps their work"
IN_THE_WAY = "the migration files go too: the release has something else where they would lie"


def with_migrations(repository: Repository, plan: Plan, brought: Sequence[Change], *, keep: bool | None) -> Plan:
    """The plan with what its range's migrations ask for. `keep`: as the policy says; None without one.

    `brought`: what the tip has otherwise than the release.

    Raises: GitError where an object is missing.
    """
    if plan.empty:
        return plan
    report = collect_changed_migrations(repository, plan.stable.tree, brought)
    plan = plan._replace(migrations=report)
    paths, why = kept_paths(repository, report, plan.stable.commit, plan.tip)
    if paths:
        kept = _keep(repository, plan, paths, brought) if keep else None
        if kept is not None:
            if kept.tree == tree_of(repository.git, plan.tip):  # it is back already, with the files that stay
                plan = plan._replace(reverts=(), bring=None)
            return plan._replace(keep=kept)
        why = NO_POLICY if keep is None else IN_THE_WAY if keep else SWITCHED_OFF
    return plan._replace(notes=(*plan.notes, why)) if why else plan


def with_migrations_undone(repository: Repository, plan: OnlyPlan) -> OnlyPlan:
    """The same for commits that are undone alone. `repository` is where the plan's trees are."""
    if plan.tree is None or plan.empty:
        return plan
    report = collect_migrations(repository, plan.tree, plan.tip)
    added = any(one.state == "added" for one in report.migrations)
    note = ("migration files go with what is undone, and nothing is done to the database",) if added else ()
    return plan._replace(migrations=report, notes=(*plan.notes, *note))


def _keep(repository: Repository, plan: Plan, paths: tuple[str, ...], brought: Sequence[Change]) -> Keep | None:
    """The release's tree with these files of the tip; None where they would take something else's place."""
    wanted = frozenset(paths)
    there = {
        change.path: f"{change.new.mode} {change.new.oid}"
        for change in brought
        if change.path in wanted and change.old is None and change.new is not None
    }
    if there.keys() != wanted:
        return None
    entries = tuple(sorted(there.items()))
    with Quarantine(repository) as quarantine:  # a plan writes nothing
        tree = write_kept(quarantine, plan.stable.tree, entries)
        return Keep(tree=tree, entries=entries) if is_residue(quarantine.git, plan.stable.tree, tree, wanted) else None


def write_kept(quarantine: Quarantine, tree: str, entries: tuple[tuple[str, str], ...]) -> str:
    """The oid of a tree with these files, written aside."""
    return edit_tree(quarantine.git, tree, dict(entries), folder=quarantine.path)


def is_residue(git: Git, stable: str, tree: str, paths: frozenset[str]) -> bool:
    """Whether a tree is another one with exactly these paths more, and nothing else."""
    changes = tuple(changed_between(git, stable, tree))
    return all(change.old is None for change in changes) and {change.path for change in changes} == paths
