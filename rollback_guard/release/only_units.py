"""The commits that somebody wants undone alone: which they are, in which order, and against which parent.

What undoing them gives is left to `release.only`.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.errors import RefusedError
from rollback_guard.git.history_chain import ChainCommit, landing_of, on_chain, read_some
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
    units = []
    for commit in in_order(git, commits):
        landing = landing_of(git, commit, tip)
        if landing is None:
            raise RefusedError(
                f"{commit} is not in {branch}: there is nothing of it to revert",
                remedy=f"git log --oneline {branch}   # and name one of these",
            )
        unit = unit_of(git, commit, tip)
        if unit is None:
            raise RefusedError(
                f"{commit} is a merge that came into {branch} with {landing}: which of its parents is the mainline "
                "cannot be told",
                remedy=f"guard revert --mode only {landing[:12]}   # what brought it, as a whole",
            )
        units.append(unit)
    return tuple(units)


def unit_of(git: Git, commit: str, tip: str) -> Unit | None:
    """One commit as it can be undone; None for a merge beside the branch's own line."""
    one = read_some(git, [commit])[commit]
    own = on_chain(git, commit, tip)
    if len(one.parents) > 1 and not own:
        return None
    parent = one.parents[0] if one.parents else None  # of the branch's own line: it follows first parents
    if parent is None:
        back = git.text("hash-object", "-t", "tree", "-w", "--stdin", stdin=b"")
    else:
        back = read_some(git, [parent])[parent].tree
    return Unit(commit=one, parent=parent, mainline=1 if len(one.parents) > 1 else None, back=back, on_chain=own)


def in_order(git: Git, commits: Iterable[str]) -> list[str]:
    """Some commits, each once, so that none comes before one that it is an ancestor of."""
    asked = list(dict.fromkeys(commits))
    if len(asked) < 2:
        return asked
    base = decode(git.run("merge-base", "--octopus", *asked, accept=(0, 1)).stdout).split()
    below = [f"^{parent}" for one in read_some(git, base).values() for parent in one.parents]
    wanted = set(asked)
    out = git.run("rev-list", "--topo-order", *asked, *below, "--").stdout
    return [commit for commit in decode(out).split() if commit in wanted]
