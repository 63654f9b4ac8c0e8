"""Whether a commit that says that it brings back what another one changed does any of that.

It does where it touches a path that the other touched, or has a file with the content that the other took away. That
lets an adapted reapply pass, and nothing that has only the words. Which commits say so is left to `git.standing`.
"""

from __future__ import annotations

from hashlib import sha1, sha256
from typing import NamedTuple

from rollback_guard.git.history_chain import read_some
from rollback_guard.git.process import Git, decode, encode
from rollback_guard.git.streams import split_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Claim = tuple[str, str]  # a commit, and the one of which it says that it is back

_OPTIONS = ("--stdin", "--root", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=none")
_EMPTY = frozenset(make(b"blob 0\0", usedforsecurity=False).hexdigest().encode() for make in (sha1, sha256))


class Changed(NamedTuple):
    """What a commit changed against its first parent: paths, and the content that files had and have there."""

    paths: frozenset[bytes] = frozenset()
    before: frozenset[bytes] = frozenset()
    after: frozenset[bytes] = frozenset()


def believe(git: Git, claims: Iterable[Claim]) -> frozenset[Claim]:
    """Those of some claims for which there is more than a message."""
    asked = tuple(dict.fromkeys(claims))
    changes = _changes(git, dict.fromkeys(oid for claim in asked for oid in claim)) if asked else {}
    nothing = Changed()
    return frozenset(
        claim for claim in asked if _speaks(changes.get(claim[0], nothing), changes.get(claim[1], nothing))
    )


def _speaks(one: Changed, other: Changed) -> bool:
    if not other.paths:
        return True  # it changed nothing, so there is nothing to bring back
    return bool(one.paths & other.paths or one.after & (other.before | other.after))


def _changes(git: Git, commits: Iterable[str]) -> dict[str, Changed]:
    """What each commit changed, from one process; one that changed nothing is left out."""
    lines = ((one.commit, *one.parents[:1]) for one in read_some(git, commits).values())
    fields = _fields(git, encode("".join(f"{' '.join(line)}\n" for line in lines)))
    found: dict[str, list[tuple[bytes, bytes, bytes]]] = {}
    commit = ""
    for field in fields:
        if field.startswith(b":"):
            _, _, before, after, _ = field.split(b" ")
            found[commit].append((next(fields), before, after))
        else:
            commit = decode(field)
            found[commit] = []
    return {one: _changed(entries) for one, entries in found.items()}


def _fields(git: Git, stdin: bytes) -> Iterator[bytes]:
    for fields in split_stream(git.chunks("diff-tree", *_OPTIONS, stdin=stdin), b"\0"):
        yield from fields


def _changed(entries: Iterable[tuple[bytes, bytes, bytes]]) -> Changed:
    paths, before, after = map(frozenset, zip(*entries, strict=True))
    return Changed(paths=paths, before=_contents(before), after=_contents(after))


def _contents(oids: frozenset[bytes]) -> frozenset[bytes]:
    """Those that say something: many files are empty, and no file is all zeros."""
    return frozenset(oid for oid in oids - _EMPTY if oid.strip(b"0"))
