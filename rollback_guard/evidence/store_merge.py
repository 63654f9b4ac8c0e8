"""Joins another store to ours: everything that either has, and nothing ever less.

What another side deleted or wrote over stays here as it was; what is no evidence is not taken over. Where the
other side only has more, the ref just follows it. Getting the other side's commits is left to `evidence.remote`.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.evidence.store_moves import Step, advance
from rollback_guard.evidence.store_paths import ABOUT, MOST, Folder, Sieve, differing_folders, root_of
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import encode
from rollback_guard.git.refs import is_ancestor
from rollback_guard.git.repository import Repository
from rollback_guard.git.streams import split_stream
from rollback_guard.git.tree_writes import NewFile

TOLD = 20  # how many things that were not taken over are named


class Merged(NamedTuple):
    """Where the store is after a merge."""

    tip: Optional[str]
    added: int = 0  # envelopes that were not here before
    skipped: tuple[str, ...] = ()  # what was not taken over, and why; at most TOLD, the last one counts the rest


class _Union(NamedTuple):
    """What it takes to have everything of both."""

    files: tuple[NewFile, ...]
    skipped: tuple[str, ...]
    whole: bool  # the other side has all that we have, and nothing odd


def merge(repository: Repository, theirs: str, *, join: bool = False, name: str = "another store") -> Merged:
    """Have in our store all evidence of the commit `theirs`.

    With `join`, the new tip descends from `theirs` even if that brings nothing, so that it can be pushed.
    `name` says in the commit whose store that is. Raises: RefusedError when nothing can be written here;
    UndeterminedError when something of either is missing or malformed.
    """
    union: Optional[_Union] = None
    adopted = False

    def decide(objects: ObjectReader, tip: str | None) -> Step | None:
        nonlocal union, adopted
        adopted = tip is None
        if tip is None or tip == theirs:
            return Step(commit=theirs) if adopted else None
        union = _unite(objects, root_of(objects, tip), root_of(objects, theirs))
        if not union.files and (not join or is_ancestor(repository, theirs, tip)):
            return None
        if union.whole and is_ancestor(repository, tip, theirs):
            return Step(commit=theirs)
        return Step(parents=(tip, theirs), files=union.files, message=f"evidence: union with {name}\n")

    tip = advance(repository, decide)
    if union is None:
        return Merged(tip=tip, added=_count(repository, theirs) if adopted else 0)
    names = {file.path.rpartition("/")[2] for file in union.files}  # most lie in two places
    return Merged(tip=tip, added=len(names), skipped=union.skipped)


def _count(repository: Repository, commit: str) -> int:
    """How many envelopes a store has, by its paths alone; those about a commit lie elsewhere as well."""
    listing = repository.git.chunks("ls-tree", "-r", "-z", "--name-only", commit)
    names = (name for part in split_stream(listing, b"\0") for name in part)
    return sum(not name.startswith(encode(ABOUT + "/")) for name in names)


def _unite(objects: ObjectReader, ours: str, theirs: str) -> _Union:
    sieve = Sieve(objects)
    files: list[NewFile] = []
    skipped: list[str] = []
    whole, left_out = True, 0
    for folder in differing_folders(objects, ours, theirs):
        added, faults, less = _taken(sieve, folder)
        files += added
        skipped += faults[: TOLD - len(skipped)]
        left_out += len(faults)
        whole = whole and not faults and not less
    if left_out > TOLD:
        skipped[-1] = f"and {left_out - TOLD + 1:,} more"
    return _Union(files=tuple(files), skipped=tuple(skipped), whole=whole)


def _taken(sieve: Sieve, folder: Folder) -> tuple[list[NewFile], list[str], bool]:
    """The files to take over from a folder; why others are not; and whether it lacks something that we have."""
    added, faults = [], []
    less = any(folder.new.get(name) != item for name, item in folder.old.items())
    for name in sorted(folder.new):
        item = folder.new[name]
        if item == folder.old.get(name):
            continue
        fault = sieve.fault(folder.path, item)
        if fault:
            faults.append(f"{folder.path}/{name}: {fault}")
        else:  # where we have something else of that name, it is ours that is no evidence
            added.append(NewFile(path=f"{folder.path}/{name}", oid=item.oid))
    if added and len(folder.old) + len(added) > MOST:
        return [], [f"{folder.path}: more than {MOST:,} entries"], less
    return added, faults, less
