"""Which commits that branches took back by reverts another commit still holds, with their content.

What follows from that is for whoever asks: `guard release`, and a server that is sent a stable tag.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.git.history_chain import ChainFormat, read_some, tree_of
from rollback_guard.git.log import read_log
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.process import decode
from rollback_guard.git.refs import is_ancestor
from rollback_guard.git.repository import Repository
from rollback_guard.git.reverts import PICKED_HINT, read_picked
from rollback_guard.git.standing import Standing, Undone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


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
        standing = Standing(repository, tip, without=commit)
        if not standing.undone:
            continue
        own = Standing(repository, commit, without=tip)
        for one in (*standing.still_in(commit), *_picked(repository, standing, own)):
            if one.commit not in own.undone:
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


def _picked(repository: Repository, standing: Standing, own: Standing) -> Iterator[Undone]:
    """What was taken back and was picked, whole or in part, to where the commit itself does not lie.

    A later message there that says that it takes back the commit itself, as a pick of the revert does, is believed.
    """
    args = ("--extended-regexp", f"--grep={PICKED_HINT}", own.tip, f"^{standing.tip}")
    for record in read_log(repository.git, ChainFormat(), *args):
        pick = decode(record[0])
        for oid in () if pick in own.undone else read_picked(decode(record[4])):
            for commit in dict.fromkeys((oid, standing.landing.get(oid, oid))):
                if commit in standing.undone and not _gone_since(repository, own, pick, {oid, commit}):
                    yield Undone(commit=commit, revert=standing.undone[commit], beside=True)


def _gone_since(repository: Repository, own: Standing, pick: str, oids: set[str]) -> bool:
    """Whether a commit on top of a pick says, and nothing took it back, that it reverts what was picked."""
    return any(
        not oids.isdisjoint(one.reverts) and own.holds(one) and is_ancestor(repository, pick, one.commit)
        for one in own.reverts
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
