"""Bringing reverted commits again: the plan. Production itself is never written, and a conflict is data.

Where the branch has what was reverted and fixes on top, git takes the old commits for merged: the revert is reverted,
then the branch merged. Where the branch made its commits anew, an ordinary merge brings all of them, and a revert of
the revert would bring the old ones beside them. Source of both: git's howto/revert-a-faulty-merge.
Carrying it out is left to `release.reland_run`.
"""

from __future__ import annotations

from rollback_guard.release.model import RelandPlan, Source, Undo
from rollback_guard.release.only import Undoing, dependents_of, notes_of
from rollback_guard.release.reland_source import Found
from rollback_guard.release.reland_words import Words


def plan_reland(
    undoing: Undoing, words: Words, found: Found, *, branch: str, target: str, merges_too: bool
) -> RelandPlan:
    """What comes of it. `merges_too`: an ordinary merge is written as well, because a new branch was asked for."""
    plain = found.way in ("rebuilt", "reapplied")
    units = () if plain else words.units
    undone = undoing.undo(units)
    open_ = any(one.open for one in undone)
    dependents = tuple(dependents_of(undoing, units, undone).values()) if open_ else ()
    source = found.source
    if source is not None and not open_:
        source = _merged(undoing, undone, source)
    return RelandPlan(
        way=found.way,
        branch=branch,
        tip=undoing.tip,
        target=target,
        reverted=words.reverted,
        undone=undone,
        source=source,
        dependents=dependents,
        writes=merges_too if plain else not all(one.empty for one in undone) or source is not None,
        notes=(*words.notes, *found.notes, *notes_of(undoing)),
    )


def _merged(undoing: Undoing, undone: tuple[Undo, ...], source: Source) -> Source:
    present = undone[-1].tree if undone else undoing.tree
    tree, conflicts = undoing.merge(str(present), source.tip)
    return source._replace(tree=tree, conflicts=conflicts)
