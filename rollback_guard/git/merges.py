"""Merges made again: what the automatic merge of two commits gives, and what a recorded merge adds to it.

All merges of a change go through one `git merge-tree` process. What differs is explained by a conflict
that somebody had to resolve (the lines lie between its markers) or by nothing. Attributes, merge drivers
and settings of the machine are kept out, so that every clone finds the same. Which differences are
allowed is for the gate to say.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from rollback_guard.git.objects import ObjectReader, TooLargeError
from rollback_guard.git.patch import FileChange, PatchHunk, read_changes
from rollback_guard.git.process import MERGE_TREE_GIT, GitError, decode, require_version
from rollback_guard.git.repository import Repository, Scratch, git_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MARKED_LIMIT = 1 << 26  # bytes of one conflicted file that are searched for markers
# Conflicts after which a file may hold what no side had, between markers or (binary) altogether.
CONTENT_CONFLICTS = ("CONFLICT (contents)", "CONFLICT (binary)", "CONFLICT (submodule)")


class Recorded(NamedTuple):
    """A merge of two parents as history has it. Oids are full hex."""

    commit: str
    ours: str
    theirs: str
    tree: str


class Automatic(NamedTuple):
    """What the automatic merge gives: its tree, and the paths that are in conflict with the kinds of conflict."""

    tree: str
    conflicts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    stages: tuple[tuple[str, str], ...] = ()  # (path, "mode oid") of every side of a conflict

    @property
    def clean(self) -> bool:
        return not self.conflicts


class Difference(NamedTuple):
    """What a recorded merge holds that its automatic merge does not."""

    commit: str
    unexplained: tuple[tuple[str, PatchHunk], ...]
    resolved: tuple[str, ...]


class MergeAgain:
    """Recreates merges in a scratch object store. Use it in a `with`.

    Raises: UndeterminedError when git is older than 2.39.
    """

    def __init__(self, repository: Repository, scratch_folder: str) -> None:
        require_version(git_version(repository.git), MERGE_TREE_GIT, "to make merges again")
        self._scratch = Scratch(repository, scratch_folder)
        self.git = self._scratch.git.with_env(GIT_INDEX_FILE=os.path.join(self._scratch.path, "no-index"))
        self.git.cwd = repository.git_dir
        self.git.work_tree = None

    def __enter__(self) -> MergeAgain:
        return self

    def __exit__(self, *exc: object) -> None:
        self._scratch.__exit__(*exc)

    def merge(self, pairs: Sequence[tuple[str, str]]) -> Iterator[Automatic]:
        """The automatic merge of each pair of commits, in order, from one process."""
        if not pairs:
            return
        stdin = "".join(f"{ours} {theirs}\n" for ours, theirs in pairs).encode()
        fields = self._fields(stdin)
        for _ in pairs:
            try:
                yield self._read_one(fields)
            except StopIteration:
                raise GitError("git merge-tree ended before all merges were made", remedy="git fsck") from None

    def _fields(self, stdin: bytes) -> Iterator[str]:
        config = ("-c", "core.bare=true", "-c", f"core.attributesFile={os.devnull}")
        config += ("-c", "merge.directoryRenames=conflict", "-c", "merge.renormalize=false")
        tail = b""
        args = ("merge-tree", "--write-tree", "--stdin", "--messages", "--allow-unrelated-histories")
        for piece in self.git.chunks(*args, stdin=stdin, config=config):
            parts = (tail + piece).split(b"\0")
            tail = parts.pop()
            for part in parts:
                yield decode(part)

    def _read_one(self, fields: Iterator[str]) -> Automatic:
        """One merge. Source: git-merge-tree(1), OUTPUT; with --stdin each merge begins with its status."""
        next(fields)  # 1 clean, 0 conflicts; the sections below say the same
        tree = next(fields)
        stages = []
        while entry := next(fields):
            place, _, path = entry.partition("\t")
            mode, oid, _stage = place.split(" ")
            stages.append((path, f"{mode} {oid}"))
        kinds: dict[str, list[str]] = {path: [] for path, _ in stages}
        while count := next(fields):
            paths = [next(fields) for _ in range(int(count))]
            kind = next(fields)
            next(fields)  # the message for people
            for path in paths:
                if kind.startswith("CONFLICT"):
                    kinds.setdefault(path, []).append(kind)
        conflicts = tuple((path, tuple(found)) for path, found in kinds.items())
        return Automatic(tree=tree, conflicts=conflicts, stages=tuple(stages))

    def write_index(self, repository: Repository) -> str:
        """The tree of what is staged, written here only.

        Raises: GitError while paths are unmerged.
        """
        kept = {name: self.git.env[name] for name in ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")}
        return repository.git.with_env(**kept).text("write-tree")

    def differences(self, merges: Sequence[Recorded]) -> Iterator[Difference]:
        """The merges whose tree is not that of their automatic merge; the others are left out."""
        odd = []
        automatic = self.merge([(merge.ours, merge.theirs) for merge in merges])
        for merge, again in zip(merges, automatic):
            if again.tree != merge.tree or not again.clean:
                odd.append((merge, again))
        changes = read_changes(self.git, [(again.tree, merge.tree) for merge, again in odd])
        with ObjectReader(self.git) as objects:
            for (merge, again), files in zip(odd, changes):
                yield _explain(objects, merge, again, files)


def _explain(objects: ObjectReader, merge: Recorded, again: Automatic, files: tuple[FileChange, ...]) -> Difference:
    kinds = dict(again.conflicts)
    unexplained: list[tuple[str, PatchHunk]] = []
    for file in files:
        if file.path in kinds:
            unexplained += [(file.path, hunk) for hunk in _outside_conflict(objects, merge, again, file, kinds)]
        else:
            unexplained += [(file.path, hunk) for hunk in file.hunks]
    return Difference(commit=merge.commit, unexplained=tuple(unexplained), resolved=tuple(kinds))


def _outside_conflict(
    objects: ObjectReader, merge: Recorded, again: Automatic, file: FileChange, kinds: dict[str, tuple[str, ...]]
) -> list[PatchHunk]:
    """The hunks of a conflicted file that lie outside everything that git asked a person to decide."""
    sides = {entry for path, entry in again.stages if path == file.path}
    if file.new in sides or file.removed:
        return []
    marked, final = _lines_of(objects, file.old_oid), _lines_of(objects, file.new.partition(" ")[2])
    regions = _conflict_regions(merge, marked)
    if regions:
        if _only_regions_replaced(marked, regions, final):
            return []
        return [hunk for hunk in file.hunks if not _within(hunk, regions)] or list(file.hunks)
    if any(kind in CONTENT_CONFLICTS for kind in kinds[file.path]):
        return []
    return list(file.hunks)


def _lines_of(objects: ObjectReader, oid: str) -> list[bytes]:
    """A file's lines; nothing for what is no file, or too large to be looked through."""
    try:
        blob = objects.read(oid, limit=MARKED_LIMIT)
    except TooLargeError:
        return []
    return blob.data.split(b"\n") if blob is not None and blob.type == "blob" else []


def _only_regions_replaced(marked: list[bytes], regions: tuple[tuple[int, int], ...], final: list[bytes]) -> bool:
    """Whether a file is the marked one with each conflict replaced by something, and nothing else touched.

    Compared by the text between the conflicts, because a diff may draw a hunk a few lines away from
    where somebody edited.
    """
    edges = [0, *(line for begin, end in regions for line in (begin - 1, end)), len(marked)]
    between = [marked[edges[i] : edges[i + 1]] for i in range(0, len(edges), 2)]
    first, last = between[0], between[-1]
    if len(first) + len(last) > len(final) or final[: len(first)] != first:
        return False
    if last and final[-len(last) :] != last:
        return False
    at, end = len(first), len(final) - len(last)
    for piece in between[1:-1]:
        while at + len(piece) <= end and final[at : at + len(piece)] != piece:
            at += 1
        if at + len(piece) > end:
            return False
        at += len(piece)
    return True


def _within(hunk: PatchHunk, regions: tuple[tuple[int, int], ...]) -> bool:
    """Whether all lines that a hunk takes out, or the place where it adds, lie in one conflict."""
    first = hunk.old_line
    last = first + max(hunk.old_count, 1) - 1
    return not hunk.note and any(begin <= first and last <= end for begin, end in regions)


def _conflict_regions(merge: Recorded, lines: list[bytes]) -> tuple[tuple[int, int], ...]:
    """First and last line (from 1) of each conflict that git marked in a file.

    Markers bear the oids of both parents, and a file cannot hold the oid of a commit that it is part of;
    of several beginnings before one end the last counts, so that an invented one widens nothing.
    """
    begins, ends = b"<<<<<<< " + merge.ours.encode(), b">>>>>>> " + merge.theirs.encode()
    found = []
    start = 0
    for number, line in enumerate(lines, 1):
        if line.startswith(begins):
            start = number
        elif line.startswith(ends) and start:
            found.append((start, number))
            start = 0
    return tuple(found)
