"""The commits that somebody wants undone alone: which they are, in which order, and against which parent.

What undoing them gives is left to `release.only`.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.errors import RefusedError
from rollback_guard.git.history_chain import ChainCommit, landing_of, read_some
from rollback_guard.git.process import Git, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Unit(NamedTuple):
    """One commit to undo. `back` is the tree that was before it, `mainline` the number of that parent of a merge."""

    commit: ChainCommit
    parent: Optional[str]
    mainline: Optional[int]
    back: str
    on_chain: bool  # it is on the branch's own line of commits
    away: str = ""  # the tree that it is taken away from; its own unless given
    again: bool = False  # it is made once more, and not undone


def read_units(git: Git, commits: Sequence[str], tip: str, branch: str) -> tuple[Unit, ...]:
    """The commits (full oids) as they can be undone, the newest first, each once.

    Raises: RefusedError for a commit that the branch does not have, or a merge within what a merge brought.
    """
    ordered = in_order(git, commits)
    outside = _outside(git, ordered, tip)
    known = units_of(git, [commit for commit in ordered if commit not in outside], tip)
    units = []
    for commit in ordered:
        if commit in outside:
            raise RefusedError(
                f"{commit} is not in {branch}: there is nothing of it to revert",
                remedy=f"git log --oneline {branch}   # and name one of these",
            )
        unit = known[commit]
        if unit is None:
            landing = str(landing_of(git, commit, tip))
            raise RefusedError(
                f"{commit} is a merge that came into {branch} with {landing}: which of its parents is the mainline "
                "cannot be told",
                remedy=f"guard revert --mode only {landing[:12]}   # what brought it, as a whole",
            )
        units.append(unit)
    return tuple(units)


def units_of(git: Git, commits: Sequence[str], tip: str) -> dict[str, Unit | None]:
    """Commits of a branch as they can be undone; None for a merge beside the branch's own line.

    However many they are, git is asked four times.
    """
    if not commits:
        return {}
    known = read_some(git, commits)
    line = git.run("rev-list", "--first-parent", tip, *_below(git, commits), "--").stdout
    own = set(decode(line).split())
    firsts = read_some(git, dict.fromkeys(one.parents[0] for one in known.values() if one.parents))
    found: dict[str, Unit | None] = {}
    for commit in commits:
        one = known[commit]
        if len(one.parents) > 1 and commit not in own:
            found[commit] = None
            continue
        parent = one.parents[0] if one.parents else None  # of the branch's own line: it follows first parents
        found[commit] = Unit(
            commit=one,
            parent=parent,
            mainline=1 if len(one.parents) > 1 else None,
            back=firsts[parent].tree if parent is not None else _empty_tree(git),
            on_chain=commit in own,
        )
    return found


def _empty_tree(git: Git) -> str:
    return git.text("hash-object", "-t", "tree", "-w", "--stdin", stdin=b"")


def _outside(git: Git, commits: Sequence[str], tip: str) -> frozenset[str]:
    """Those of some commits that a tip does not have in its history."""
    if not commits:
        return frozenset()
    lacking = decode(git.run("rev-list", *commits, f"^{tip}", "--").stdout).split()
    return frozenset(commits) & frozenset(lacking)


def in_order(git: Git, commits: Iterable[str]) -> list[str]:
    """Some commits, each once, so that none comes before one that it is an ancestor of."""
    asked = list(dict.fromkeys(commits))
    if len(asked) < 2:
        return asked
    wanted = set(asked)
    out = git.run("rev-list", "--topo-order", *asked, *_below(git, asked), "--").stdout
    return [commit for commit in decode(out).split() if commit in wanted]


def _below(git: Git, commits: Sequence[str]) -> list[str]:
    """What history need not be read below to meet all of some commits: the parents of what they all come from."""
    base = decode(git.run("merge-base", "--octopus", *commits, accept=(0, 1)).stdout).split()
    return [f"^{parent}" for one in read_some(git, base).values() for parent in one.parents]
