"""Undoing some commits alone: each by git's own merge, newest first, with what is undone before it.

Nothing is written to the repository while it is planned, and a conflict is data: which paths, who built on them since,
and the smallest set that was found that can be undone together. Carrying it out is left to `release.only_run`.
"""

from __future__ import annotations

from typing import Optional

from rollback_guard.git.attributes import read_attributes
from rollback_guard.git.history_chain import read_some, tree_of
from rollback_guard.git.merges import Automatic, MergeAgain
from rollback_guard.git.objects import Blob, ObjectReader, TooLargeError
from rollback_guard.git.process import decode
from rollback_guard.git.repository import Repository, quote_alternate, read_config
from rollback_guard.git.rerere import Conflicted, Memory, remembers
from rollback_guard.git.tree_edit import edit_tree
from rollback_guard.release.model import Dependent, OnlyPlan, PathConflict, Undo
from rollback_guard.release.only_units import Unit, in_order, units_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALTERNATES = "GIT_ALTERNATE_OBJECT_DIRECTORIES"
CONTENTS = "CONFLICT (contents)"
LARGEST = 64 << 20  # bytes of a conflicted file that git's memory is asked about
ROUNDS = 20  # times that a set is made larger before it is given up
TRIES = 200  # sets that are tried to find a smaller one
MOST = 50  # commits in a set: whoever would have to undo more of them goes back to a release
JUDGED = "undone alone, this is a tree that production never had: the gate will judge it like any other change"


class Undoing:
    """Undoes commits in the tree of a branch's tip. Use it in a `with`: what it merges is there until the end."""

    def __init__(self, repository: Repository, tip: str, scratch_folder: str) -> None:
        self.tip = tip
        self.tree = tree_of(repository.git, tip)
        self.attributes = read_attributes(repository.git, self.tree)
        self._again = MergeAgain(repository, scratch_folder, attributes=self.attributes)
        # git, and the repository, with what was merged.
        self.git = self._again.git
        others = (quote_alternate(self._again.folder), repository.git.env.get(ALTERNATES, ""))
        env = {ALTERNATES: ":".join(filter(None, others))}
        self.repository = repository._replace(git=repository.git.with_env(**env))
        self._objects = ObjectReader(self.git)
        self._memory = Memory(repository, self.git, self._again.folder) if remembers(repository) else None
        self.touching: dict[tuple[str, str], tuple[str, ...]] = {}  # (commit, path): who touched it since
        self._known: dict[tuple[str, Unit], tuple[Optional[str], tuple[PathConflict, ...]]] = {}

    def __enter__(self) -> Undoing:
        return self

    def __exit__(self, *exc: object) -> None:
        self._objects.close()
        self._again.__exit__(*exc)

    def undo(self, units: Iterable[Unit]) -> tuple[Undo, ...]:
        """Each unit undone in what the ones before it left. What conflicts is passed over."""
        found, present = [], self.tree
        for unit in units:
            tree, conflicts = self._undo(present, unit)
            one = unit.commit
            found.append(
                Undo(
                    commit=one.commit,
                    mainline=unit.mainline,
                    subject=one.subject,
                    author=one.author,
                    parent=unit.parent,
                    tree=tree,
                    conflicts=conflicts,
                    empty=tree == present,
                    again=unit.again,
                )
            )
            present = tree or present
        return tuple(found)

    def _undo(self, present: str, unit: Unit) -> tuple[Optional[str], tuple[PathConflict, ...]]:
        key = present, unit
        if key not in self._known:
            self._known[key] = self._resolved(self._again.reverse(present, unit.away or unit.commit.tree, unit.back))
        return self._known[key]

    def merge(self, present: str, other: str) -> tuple[Optional[str], tuple[PathConflict, ...]]:
        """What merging a commit gives in a tree on top of the tip, and what is in conflict; no tree while it is."""
        return self._resolved(self._again.onto(present, self.tip, other))

    def _resolved(self, automatic: Automatic) -> tuple[Optional[str], tuple[PathConflict, ...]]:
        if automatic.clean:
            return automatic.tree, ()
        remembered = self._remember(automatic)
        # git names the other path of a rename too; what somebody has to resolve is what it leaves unmerged.
        conflicts = tuple(
            PathConflict(path=path, kinds=kinds, remembered=path in remembered)
            for path, kinds in automatic.conflicts
            if path in automatic.unmerged or not automatic.unmerged
        )
        if not all(one.remembered for one in conflicts):
            return None, conflicts
        return edit_tree(self.git, automatic.tree, remembered, folder=self._again.folder), conflicts

    def _remember(self, automatic: Automatic) -> dict[str, str]:
        """What git's memory makes of files in conflict: `mode oid` by path."""
        if self._memory is None:
            return {}
        stages: dict[str, list[str]] = {}
        for path, entry in automatic.stages:
            stages.setdefault(path, []).append(entry)
        asked = []
        for path, kinds in automatic.conflicts:
            sides = stages.get(path, [])
            blob = self._read(f"{automatic.tree}:{path}") if "\n" not in path else None
            if kinds == (CONTENTS,) and len(sides) == 2 and blob is not None:
                asked.append(Conflicted(path=path, ours=sides[0], theirs=sides[1], text=blob.data))
        modes = {one.path: one.ours.partition(" ")[0] for one in asked}
        found = self._memory.resolve(asked) if asked else {}
        return {path: f"{modes[path]} {oid}" for path, oid in found.items()}

    def _read(self, name: str) -> Blob | None:
        try:
            return self._objects.read(name, limit=LARGEST)
        except TooLargeError:
            return None


def plan_only(undoing: Undoing, *, branch: str, target: str, units: Sequence[Unit]) -> OnlyPlan:
    """What undoing these commits does, and, where that conflicts, what could be undone with them."""
    undone = undoing.undo(units)
    plan = OnlyPlan(branch=branch, tip=undoing.tip, target=target, undone=undone, notes=notes_of(undoing))
    if not plan.empty:
        plan = plan._replace(notes=(JUDGED, *plan.notes))
    if not plan.open:
        return plan
    dependents = dependents_of(undoing, units, undone)
    closed = _close(undoing, units, dependents)
    return plan._replace(dependents=tuple(dependents.values()), closed=closed)


def notes_of(undoing: Undoing) -> tuple[str, ...]:
    """What a person must know of merges that are tried."""
    drivers = [key.split(".")[1] for key in read_config(undoing.repository, r"^merge\..*\.driver$")]
    asked = [name for name in drivers if f"merge={name}" in decode(undoing.attributes)]
    if asked:
        return (f"the merge driver {', '.join(asked)} is not run: what it would merge is merged as text",)
    return ()


def dependents_of(undoing: Undoing, units: Sequence[Unit], undone: Sequence[Undo]) -> dict[str, Dependent]:
    """The later commits of the branch that touch what is in conflict, newest first, those asked for left out."""
    paths_of: dict[str, list[str]] = {}
    asked = {unit.commit.commit for unit in units}
    for unit, one in zip(units, undone, strict=True):
        paths = [conflict.path for conflict in one.conflicts if not conflict.remembered]
        for commit, path in _touching(undoing, unit, paths):
            if commit not in asked:
                paths_of.setdefault(commit, []).append(path)
    known = read_some(undoing.git, paths_of)
    return {
        commit: Dependent(
            commit=commit,
            subject=known[commit].subject,
            author=known[commit].author,
            paths=tuple(dict.fromkeys(paths_of[commit])),
        )
        for commit in in_order(undoing.git, paths_of)
    }


def _touching(undoing: Undoing, unit: Unit, paths: list[str]) -> list[tuple[str, str]]:
    """(commit, path) of what touched some paths after a commit; on the branch's own line, each landing as a whole."""
    way = ("--first-parent",) if unit.on_chain else ("--ancestry-path", "--no-merges")
    git, found = undoing.git.with_env(GIT_LITERAL_PATHSPECS="1"), []
    for path in paths:
        key = unit.commit.commit, path
        if key not in undoing.touching:  # asked for again with every set that is tried
            out = git.run("rev-list", *way, f"{unit.commit.commit}..{undoing.tip}", "--", path).stdout
            undoing.touching[key] = tuple(decode(out).split())
        found += [(commit, path) for commit in undoing.touching[key]]
    return found


def _close(undoing: Undoing, units: Sequence[Unit], dependents: dict[str, Dependent]) -> tuple[str, ...]:
    """The commits of a set that can be undone without a conflict, none of which can be left out; () if none is."""
    asked = {unit.commit.commit for unit in units}
    every = {unit.commit.commit: unit for unit in units}
    more = dict.fromkeys(dependents)
    for _ in range(ROUNDS):
        if len(every) + len(more) > MOST:
            return ()
        for commit, unit in units_of(undoing.git, tuple(more), undoing.tip).items():
            if unit is None:
                return ()
            every[commit] = unit
        ordered = [every[commit] for commit in in_order(undoing.git, every)]
        undone = undoing.undo(ordered)
        if not any(one.open for one in undone):
            return tuple(unit.commit.commit for unit in _smaller(undoing, ordered, asked))
        more = dict.fromkeys(one for one in dependents_of(undoing, ordered, undone) if one not in every)
        if not more:
            return ()
    return ()


def _smaller(undoing: Undoing, units: list[Unit], asked: set[str]) -> list[Unit]:
    """The set without those that it can do without: none of what is left can be left out."""
    tries, smaller = TRIES, True
    while smaller:
        smaller = False
        for unit in [one for one in units if one.commit.commit not in asked]:
            fewer = [one for one in units if one != unit]
            tries -= 1
            if tries < 0:
                return units
            if not any(one.open for one in undoing.undo(fewer)):
                units, smaller = fewer, True
    return units
