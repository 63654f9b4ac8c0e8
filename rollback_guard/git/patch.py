"""What differs between pairs of trees, as data: files, modes and hunks, through two batch processes.

Paths come from the raw listing with `-z`, lines from the patch; both list the same files in the same order.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.errors import GitError
from rollback_guard.git.process import Git, decode
from rollback_guard.git.streams import split_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LINES_KEPT = 6  # of each side of a hunk, for people to recognise it
LENGTH_KEPT = 200  # characters of a line
NOTHING = "000000"


class PatchHunk(NamedTuple):
    """A run of changed lines without context. Lines count from 1; `note` says what is no text."""

    old_line: int
    old_count: int
    new_line: int
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    note: str = ""


class FileChange(NamedTuple):
    """One path of which two trees hold different things."""

    path: str
    old: str  # "mode oid"
    new: str
    hunks: tuple[PatchHunk, ...]

    @property
    def old_oid(self) -> str:
        return self.old.partition(" ")[2]

    @property
    def new_oid(self) -> str:
        return self.new.partition(" ")[2]

    @property
    def old_mode(self) -> str:
        return self.old.partition(" ")[0]

    @property
    def new_mode(self) -> str:
        return self.new.partition(" ")[0]

    @property
    def added(self) -> bool:
        return self.old.startswith(NOTHING)

    @property
    def removed(self) -> bool:
        return self.new.startswith(NOTHING)


def read_changes(git: Git, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[FileChange, ...]]:
    """For each pair of trees what differs, sorted by path; nothing for equal trees."""
    wanted = [(number, pair) for number, pair in enumerate(pairs) if pair[0] != pair[1]]
    found: dict[int, tuple[FileChange, ...]] = {}
    if wanted:
        stdin = "".join(f"{old} {new}\n" for _, (old, new) in wanted).encode()
        raw = _read_raw(git, stdin, len(wanted))
        patches = _read_patches(git, stdin, len(wanted))
        for (number, _), entries, sections in zip(wanted, raw, patches, strict=True):
            found[number] = tuple(_joined(entries, sections))
    for number in range(len(pairs)):
        yield found.get(number, ())


def _diff(git: Git, stdin: bytes, *options: str) -> Iterator[bytes]:
    config = ("-c", "diff.orderFile=", "-c", "diff.renames=false")
    common = ("--stdin", "-r", "--no-renames", "--no-ext-diff", "--no-textconv", "--full-index")
    # Settings and .gitmodules of a work tree could hide what became of a submodule.
    whole = ("--ignore-submodules=none", "--submodule=short")
    return git.chunks("diff-tree", *common, *whole, *options, stdin=stdin, config=config)


def read_paths(git: Git, pairs: Sequence[tuple[str, str]], paths: Sequence[str]) -> list[tuple[str, ...]]:
    """For each pair of commits the files that differ among some files and folders, in two processes."""
    if not pairs:
        return []
    names = "".join(f"{commit}^{{tree}}\n" for pair in pairs for commit in pair).encode()
    trees = git.text("cat-file", "--batch-check=%(objectname)", stdin=names).split("\n")
    for tree in trees:
        if tree.endswith(" missing"):
            raise GitError(f"there is no {tree[:-8]} here", remedy="git fsck --connectivity-only")
    stdin = "".join(f"{trees[i]} {trees[i + 1]}\n" for i in range(0, len(trees), 2)).encode()
    raw = _read_raw(git, stdin, len(pairs), "--", *paths)
    return [tuple(path for path, _, _ in entries) for entries in raw]


def _read_raw(git: Git, stdin: bytes, count: int, *paths: str) -> list[list[tuple[str, str, str]]]:
    """(path, old, new) of every file of every pair."""
    pairs: list[list[tuple[str, str, str]]] = []
    fields = iter(decode(b"".join(_diff(git, stdin, "--raw", "-z", *paths))).split("\0"))
    for field in fields:
        while "\n" in field:  # a pair's own line stands before its entries, if it has any
            field = field.partition("\n")[2]
            pairs.append([])
        if field.startswith(":"):
            old_mode, new_mode, old, new, _status = field[1:].split(" ")
            pairs[-1].append((next(fields), f"{old_mode} {old}", f"{new_mode} {new}"))
    if len(pairs) != count:
        raise GitError("git diff-tree did not answer for every pair of trees", remedy="git fsck")
    return pairs


def _read_patches(git: Git, stdin: bytes, count: int) -> list[list[list[PatchHunk]]]:
    """The hunks of every file of every pair, in the order of the raw listing."""
    pairs: list[list[list[PatchHunk]]] = []
    for line in (line for lines in split_stream(_diff(git, stdin, "--patch", "--unified=0"), b"\n") for line in lines):
        if line.startswith(b"diff --git "):
            pairs[-1].append([])
        elif line.startswith(b"@@ "):
            pairs[-1][-1].append(_begin_hunk(line))
        elif line.startswith((b"+", b"-")) and pairs[-1][-1]:
            pairs[-1][-1][-1] = _with_line(pairs[-1][-1][-1], line)
        elif line.startswith((b"Binary files", b"GIT binary")):
            pairs[-1][-1].append(PatchHunk(old_line=1, old_count=0, new_line=1, note="binary content differs"))
        elif _is_pair(line):
            pairs.append([])
    if len(pairs) != count:
        raise GitError("git diff-tree did not answer for every pair of trees", remedy="git fsck")
    return pairs


def _is_pair(line: bytes) -> bool:
    """Whether a line is the `<tree> <tree>` that stands before a pair's patch."""
    old, _, new = line.partition(b" ")
    return len(old) in (40, 64) and len(old) == len(new) and not (old + new).strip(b"0123456789abcdef")


def _begin_hunk(line: bytes) -> PatchHunk:
    """The place of `@@ -1,2 +3 @@`."""
    old, new = line.split(b" ", 3)[1:3]
    old_line, _, old_count = old[1:].partition(b",")
    count = int(old_count) if old_count else 1
    return PatchHunk(old_line=int(old_line), old_count=count, new_line=int(new[1:].partition(b",")[0]))


def _with_line(hunk: PatchHunk, line: bytes) -> PatchHunk:
    kept = (decode(line[1 : 1 + 4 * LENGTH_KEPT])[:LENGTH_KEPT],)
    if line.startswith(b"-"):
        return hunk._replace(removed=hunk.removed + kept) if len(hunk.removed) < LINES_KEPT else hunk
    return hunk._replace(added=hunk.added + kept) if len(hunk.added) < LINES_KEPT else hunk


def _joined(entries: list[tuple[str, str, str]], sections: list[list[PatchHunk]]) -> Iterator[FileChange]:
    """Files with their hunks; git shows a change of type (file to link) as two sections."""
    at = 0
    for path, old, new in entries:
        hunks = list(sections[at]) if at < len(sections) else []
        at += 1
        if _kind(old) != _kind(new) and NOTHING not in (old[:6], new[:6]):
            hunks += sections[at] if at < len(sections) else []
            at += 1
        if old[:6] != new[:6] and NOTHING not in (old[:6], new[:6]):
            hunks.append(PatchHunk(old_line=1, old_count=0, new_line=1, note=f"mode {old[:6]} became {new[:6]}"))
        if not hunks:
            note = "the file was added" if old.startswith(NOTHING) else "the file was removed"
            hunks.append(PatchHunk(old_line=1, old_count=0, new_line=1, note=note))
        yield FileChange(path=path, old=old, new=new, hunks=tuple(hunks))


def _kind(entry: str) -> str:
    """The file type of a mode: 100 for files, 120 for links, 160 for submodules."""
    return entry[:3]
