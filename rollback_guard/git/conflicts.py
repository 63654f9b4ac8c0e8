"""What a conflict explains of a merge: the lines between its markers, a side taken whole, a name changed.

Pure but for the objects that it reads. Making merges again is left to `git.merges`.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.git.objects import ObjectReader, TooLargeError
from rollback_guard.git.patch import FileChange, PatchHunk

MARKED_LIMIT = 1 << 26  # bytes of one conflicted file that are searched for markers
# Conflicts after which a file may hold what no side had, if git could not put markers into it.
CONTENT_CONFLICTS = ("CONFLICT (contents)", "CONFLICT (submodule")
# Conflicts after which what somebody had under one name may have to live under another.
NAME_CONFLICTS = ("CONFLICT (rename", "CONFLICT (directory rename", "CONFLICT (distinct modes)")
PLAIN_MODES = {"100644", "100755"}  # files of which one can be executed and the other cannot
FOLDER_CONFLICT = "CONFLICT (file/directory)"


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
    stages: tuple[tuple[str, str], ...] = ()  # (path, "mode oid") of ours and theirs where they conflict
    unmerged: tuple[str, ...] = ()  # the paths of which git would leave several stages in the index

    @property
    def clean(self) -> bool:
        return not self.conflicts


class Difference(NamedTuple):
    """What a recorded merge holds that its automatic merge does not."""

    commit: str
    unexplained: tuple[tuple[str, PatchHunk], ...]
    resolved: tuple[str, ...]


class Conflict:
    """What git asked a person to decide in one merge."""

    def __init__(self, merge: Recorded, again: Automatic, files: tuple[FileChange, ...]) -> None:
        self.merge = merge
        self._again = again
        self._files = files
        self.kinds = dict(again.conflicts)
        self.sides: dict[str, list[str]] = {}
        for path, entry in again.stages:
            self.sides.setdefault(path, []).append(entry)
        self._folders = tuple(path + "/" for path, found in self.kinds.items() if FOLDER_CONFLICT in found)
        named = {path for path, found in self.kinds.items() if any(map(_is_about_names, found))}
        self._movable = {entry for path in named for entry in self.sides.get(path, ())}
        for file in files:
            if file.removed and (file.path in named or file.path.startswith(self._folders)):
                self._movable.add(file.old)

    def difference(self, objects: ObjectReader) -> Difference:
        """What of the recorded merge nothing explains, and the paths that somebody had to decide."""
        unexplained: list[tuple[str, PatchHunk]] = []
        for file in self._files:
            if not self._moved(file):
                unexplained += [(file.path, hunk) for hunk in self._outside(objects, file)]
        if self.merge.tree != self._again.tree and not self._files:
            note = "the tree is written in another way than git writes trees"
            unexplained.append((".", PatchHunk(old_line=1, old_count=0, new_line=1, note=note)))
        return Difference(commit=self.merge.commit, unexplained=tuple(unexplained), resolved=tuple(self.kinds))

    def _moved(self, file: FileChange) -> bool:
        """Whether a difference is only that something lives where a person put it, because its name was taken."""
        if file.removed:
            return bool(self._folders) and file.path.startswith(self._folders)
        return file.new in self._movable and (file.added or file.path in self.kinds)

    def _outside(self, objects: ObjectReader, file: FileChange) -> list[PatchHunk]:
        """The hunks of a file that lie outside everything that git asked a person to decide."""
        found = self.kinds.get(file.path)
        sides = self.sides.get(file.path, [])
        if found is None:
            return list(file.hunks)
        if file.new in sides or (file.removed and len(sides) < 2):
            return []
        if not file.removed and file.new_mode not in {file.old_mode, *(side.partition(" ")[0] for side in sides)}:
            return self._outside_and_mode(objects, file)
        if "CONFLICT (binary)" in found:
            return []
        marked = _lines_of(objects, file.old_oid)
        regions = conflict_regions(self.merge, marked or [])
        if marked is not None and not regions and not file.removed and _is_about_content(found):
            return []
        final = _lines_of(objects, file.new_oid)
        if marked is None or final is None or not regions:
            return list(file.hunks)
        if _only_regions_replaced(marked, regions, final):
            return []
        return [hunk for hunk in file.hunks if not _within(hunk, regions)] or list(file.hunks)

    def _outside_and_mode(self, objects: ObjectReader, file: FileChange) -> list[PatchHunk]:
        """The hunks of a file whose mode no side had: the mode, and what of its text the conflict does not explain."""
        modes = [hunk for hunk in file.hunks if hunk.note.startswith("mode ")]
        if not modes or {file.old_mode, file.new_mode} != PLAIN_MODES:
            return list(file.hunks)
        text = tuple(hunk for hunk in file.hunks if hunk not in modes)
        return modes + self._outside(objects, file._replace(new=f"{file.old_mode} {file.new_oid}", hunks=text))


def _is_about_names(kind: str) -> bool:
    return kind.startswith((*NAME_CONFLICTS, FOLDER_CONFLICT))


def _is_about_content(kinds: tuple[str, ...]) -> bool:
    return any(kind.startswith(CONTENT_CONFLICTS) for kind in kinds)


def _lines_of(objects: ObjectReader, oid: str) -> list[bytes] | None:
    """A file's lines; none for what is no file, None for what is too large to be looked through."""
    try:
        blob = objects.read(oid, limit=MARKED_LIMIT)
    except TooLargeError:
        return None
    return blob.data.split(b"\n") if blob is not None and blob.type == "blob" else []


def _only_regions_replaced(marked: list[bytes], regions: tuple[tuple[int, int], ...], final: list[bytes]) -> bool:
    """Whether a file is the marked one with each conflict replaced by something, and nothing else touched.

    Compared by the text between the conflicts, because a diff may draw a hunk a few lines away from
    where somebody edited.
    """
    edges = [0, *(line for begin, end in regions for line in (begin - 1, end)), len(marked)]
    between = [marked[edges[i] : edges[i + 1]] for i in range(0, len(edges), 2)]
    first, last = between[0], between[-1]
    if last == [b""]:  # git ends a marker's line even where neither side ends its last one
        last = []
    if len(first) + len(last) > len(final) or final[: len(first)] != first:
        return False
    if last and final[-len(last) :] != last:
        return False
    rest = _as_text(final[len(first) : len(final) - len(last)])
    at = 0
    for piece in between[1:-1]:
        at = rest.find(_as_text(piece), at)
        if at < 0:
            return False
        at += len(_as_text(piece)) - 1
    return True


def _as_text(lines: list[bytes]) -> bytes:
    """Lines with an end on both sides of each, so that only whole lines are found in them."""
    return b"\n" + b"".join(line + b"\n" for line in lines)


def _within(hunk: PatchHunk, regions: tuple[tuple[int, int], ...]) -> bool:
    """Whether all lines that a hunk takes out, or the place where it adds, lie in one conflict."""
    first = hunk.old_line
    last = first + max(hunk.old_count, 1) - 1
    return not hunk.note and any(begin <= first and last <= end for begin, end in regions)


def conflict_regions(merge: Recorded, lines: list[bytes]) -> tuple[tuple[int, int], ...]:
    """First and last line (from 1) of each conflict that git marked in a file.

    Markers bear the oids of both parents, and a file cannot hold the oid of a commit that it is part of;
    of several beginnings before one end the last counts, so that an invented one widens nothing. Where
    one conflict lies in another, git makes the markers longer.
    """
    ours, theirs = b" " + merge.ours.encode(), b" " + merge.theirs.encode()
    found: list[tuple[int, int]] = []
    starts: dict[int, int] = {}
    for number, line in enumerate(lines, 1):
        if line.startswith(b"<<<<<<<"):
            label = line.lstrip(b"<")
            if label.startswith(ours):
                starts[len(line) - len(label)] = number
        elif line.startswith(b">>>>>>>"):
            label = line.lstrip(b">")
            start = starts.pop(len(line) - len(label), 0) if label.startswith(theirs) else 0
            if start:
                found = [region for region in found if region[0] < start]
                found.append(_with_blanks(lines, start, number))
    return tuple(found)


def _with_blanks(lines: list[bytes], begin: int, end: int) -> tuple[int, int]:
    """A conflict with the blank lines around it: who resolves it may close up the gap that it leaves."""
    while begin > 1 and not lines[begin - 2].strip():
        begin -= 1
    while end < len(lines) - 1 and not lines[end].strip():
        end += 1
    return begin, end
