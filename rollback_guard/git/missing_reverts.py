"""Which commits that branches took back by reverts another commit still holds, with their content.

What follows from that is for whoever asks: `guard release`, and a server that is sent a stable tag.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.git.history_chain import read_some, tree_of
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.repository import Repository
from rollback_guard.git.standing import Standing, Undone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Missing(NamedTuple):
    """A commit that a branch (short name) took back, and that another commit still has."""

    commit: str
    subject: str
    revert: str
    branch: str


def find_missing_reverts(
    repository: Repository, commit: str, branches: Iterable[tuple[str, str]], scratch_folder: str
) -> tuple[Missing, ...]:
    """What branches, each a short name and a tip, took back and a commit still has; each commit once."""
    found: dict[str, tuple[Undone, str]] = {}
    for branch, tip in branches:
        undone = Standing(repository, tip, without=commit).still_in(commit)
        own = Standing(repository, commit, without=tip).undone if undone else {}
        for one in undone:
            if one.commit not in own:
                found.setdefault(one.commit, (one, branch))
    if not found:
        return ()
    there = _there(repository, commit, [one for one, _ in found.values()], scratch_folder)
    subjects = read_some(repository.git, there)
    return tuple(
        Missing(
            commit=oid,
            subject=subjects[oid].subject,
            revert=found[oid][0].revert.commit,
            branch=found[oid][1],
        )
        for oid in there
    )


def _there(repository: Repository, commit: str, undone: Iterable[Undone], scratch_folder: str) -> list[str]:
    """Those whose content is there: making the revert once more would change something."""
    tree = tree_of(repository.git, commit)
    there = []
    with MergeAgain(repository, scratch_folder) as again:
        for one in undone:
            revert = one.revert.one
            once_more = again.reverse(tree, tree_of(again.git, revert.parents[0]), revert.tree)
            if not once_more.clean or once_more.tree != tree:
                there.append(one.commit)
    return there
