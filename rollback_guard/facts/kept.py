"""Whether a tree is a stable release's with migration files more that production had: what a way back leaves there.

The files are those that `release.migrations.keep` would keep, bit for bit, and nothing else differs.
"""

from __future__ import annotations

from rollback_guard.git.listing import changed_between
from rollback_guard.git.repository import Repository
from rollback_guard.policy.model import Policy

FROM = "Rollback-From"  # the trailer that says where a way back began


def keeps_migrations(repository: Repository, policy: Policy, *, stable: str, begun: str, tree: str) -> bool:
    """Whether `tree` is that of `stable`, gone back to from `begun` (commits), with its migrations kept."""
    if not policy.release.keep_migrations:
        return False
    git, ours = repository.git, f"{stable}^{{tree}}"
    more = {change.path: change for change in changed_between(git, ours, tree)}
    if not more or any(change.old is not None for change in more.values()):
        return False
    other = {change.path for change in changed_between(git, tree, f"{begun}^{{tree}}")}
    if not other.isdisjoint(more):  # not as production had it
        return False
    from rollback_guard.release.migrations.collect import collect_migrations
    from rollback_guard.release.migrations.keep import paths_to_keep

    return more.keys() <= frozenset(paths_to_keep(collect_migrations(repository, stable, begun)))
