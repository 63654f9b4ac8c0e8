"""Which files a tree or the index holds, and which of them two states hold differently: one process for each answer.

What is in the files is left to `git.objects`.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.errors import GitError
from rollback_guard.git.process import decode
from rollback_guard.git.streams import split_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.git.process import Git
    from rollback_guard.git.repository import Repository

SUBMODULE = "160000"
_OPTIONS = ("--raw", "-z", "--no-abbrev", "--no-renames", "--ignore-submodules=none")
_NOTHING = b"000000"
_MODES = {mode.encode(): mode for mode in ("100644", "100755", "120000", SUBMODULE)}  # each once, not for each file


class Listed(NamedTuple):
    """What lies under a path: the mode as git writes it, and the object's id."""

    mode: str
    oid: str

    @property
    def plain(self) -> bool:
        """An ordinary file, executable or not; a symbolic link is none."""
        return self.mode.startswith("100")


class Change(NamedTuple):
    """A path that holds something else in two states; None where it holds nothing."""

    path: str
    old: Optional[Listed]
    new: Optional[Listed]


def empty_tree(repository: Repository) -> str:
    """The id of the tree that holds nothing, which git knows without having it stored."""
    import hashlib  # which takes longer than all the rest here, and is asked for by first commits alone

    return hashlib.new(repository.object_format, b"tree 0\0", usedforsecurity=False).hexdigest()


def list_tree(git: Git, tree: str) -> Iterator[tuple[str, Listed]]:
    """All files, links and submodules of a tree (its oid), by path."""
    for entries in split_stream(git.chunks("ls-tree", "-r", "-z", "--full-tree", tree), b"\0"):
        for entry in entries:
            facts, _, path = entry.partition(b"\t")
            mode, _, oid = facts.split(b" ")
            yield decode(path), Listed(mode=decode(mode), oid=decode(oid))


def changed_between(git: Git, old: str, new: str) -> Iterator[Change]:
    """Where two trees (their oids) differ."""
    return _changes(git, "diff-tree", "-r", *_OPTIONS, old, new)


def changed_in_index(git: Git, tree: str) -> Iterator[Change]:
    """Where the index differs from a tree. What is in conflict is left out: it cannot be committed."""
    return _changes(git, "diff-index", "--cached", *_OPTIONS, tree)


def _changes(git: Git, *command: str) -> Iterator[Change]:
    facts: Optional[list[bytes]] = None
    for fields in split_stream(git.chunks(*command), b"\0"):
        for field in fields:
            if facts is None:
                facts = field[1:].split(b" ")
                if not field.startswith(b":") or len(facts) != 5:
                    raise GitError(f"git {command[0]} answered in a form that is not known", remedy="git --version")
                continue
            if facts[4] != b"U":
                old, new = _listed(facts[0], facts[2]), _listed(facts[1], facts[3])
                yield Change(path=decode(field), old=old, new=new)
            facts = None


def _listed(mode: bytes, oid: bytes) -> Optional[Listed]:
    return None if mode == _NOTHING else Listed(mode=_MODES.get(mode) or decode(mode), oid=decode(oid))
