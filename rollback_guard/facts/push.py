"""What a push moves: read from the lines that git gives a hook, or from what pre-commit tells of them.

A line is checked to the letter; what is no update of a ref is an error, never skipped.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.errors import UsageError
from rollback_guard.git.process import decode
from rollback_guard.git.refs import is_ancestor, resolve_commit
from rollback_guard.git.repository import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollback_guard.facts.model import Move

STDIN_LIMIT = 1 << 24  # bytes: more than 100,000 refs in one push
PARTIAL = ("other refs of this push", "deletions")


class Update(NamedTuple):
    """One ref that is to be moved; oids are None where the ref does not exist before, or after."""

    ref: str
    old: Optional[str]
    new: Optional[str]
    local: Optional[str] = None  # the name on this side, in a pre-push


def read_push(stdin: bytes) -> tuple[Update, ...]:
    """The lines of pre-push: `<local ref> <local oid> <remote ref> <remote oid>`. Source: githooks(5)."""
    return tuple(
        Update(ref=ref, old=_oid(old), new=_oid(new), local=local) for local, new, ref, old in _lines(stdin, 4)
    )


def read_receive(stdin: bytes) -> tuple[Update, ...]:
    """The lines of pre-receive: `<old oid> <new oid> <ref>`. Source: githooks(5)."""
    return tuple(Update(ref=ref, old=_oid(old), new=_oid(new)) for old, new, ref in _lines(stdin, 3))


def read_pre_commit_push(repository: Repository, environ: Mapping[str, str]) -> tuple[Update, ...]:
    """The one ref that pre-commit tells of by PRE_COMMIT_* variables; () when there is no push.

    Where it takes a push for one of everything (a new branch of an empty remote, or a remote whose tip is not
    here), it names no commits, only the branches. PRE_COMMIT_FROM_REF may be a commit that only the local
    history has; the remote's own tip is taken from the remote-tracking branch where there is one.
    Raises: UsageError when there is a push, and what it brings is not told.
    Source: pre-commit's documentation, "pre-push", and its hook_impl.py, _pre_push_ns.
    """
    ref = environ.get("PRE_COMMIT_REMOTE_BRANCH", "")
    if not ref:
        return ()
    local = environ.get("PRE_COMMIT_LOCAL_BRANCH", "")
    new = environ.get("PRE_COMMIT_TO_REF") or resolve_commit(repository, local)
    if new is None:
        raise UsageError(
            f"pre-commit told of a push of {local or 'nothing'!r} to {ref}, and there is no such commit here",
            remedy="pre-commit autoupdate   # or beside it: guard install",
        )
    remote = environ.get("PRE_COMMIT_REMOTE_NAME", "origin")
    full = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
    tracking = f"refs/remotes/{remote}/{full.removeprefix('refs/heads/')}"
    old = resolve_commit(repository, tracking)
    return (Update(ref=full, old=old, new=new, local=local or None),)


def _lines(stdin: bytes, count: int) -> list[list[str]]:
    if len(stdin) > STDIN_LIMIT:
        raise UsageError(f"the hook was given {len(stdin):,} bytes; at most {STDIN_LIMIT:,} are read")
    found = []
    for line in decode(stdin).split("\n"):
        if not line:
            continue
        # A pre-push names a deletion "(delete)"; a ref name holds no space.
        words = line.split(" ")
        if len(words) != count or not all(words) or "\0" in line:
            raise UsageError(
                f"the hook was given a line that is no update of a ref: {line[:200]!r}",
                remedy="hooks are called by git; to look at a change by hand use: guard check",
            )
        found.append(words)
    return found


def _oid(text: str) -> str | None:
    if len(text) not in (40, 64) or text.strip("0123456789abcdef"):
        raise UsageError(f"the hook was given {text[:80]!r} where an object id must stand", remedy="guard doctor")
    return None if set(text) == {"0"} else text


def move_of(repository: Repository, old: str | None, new: str | None) -> Move:
    """How a ref moves: created, deleted, forward, or otherwise (rewind)."""
    if old is None:
        return "create"
    if new is None:
        return "delete"
    return "forward" if is_ancestor(repository, old, new) else "rewind"


def move_of_production(repository: Repository, old: str | None, new: str, *, begins: str | None) -> Move:
    """The same for production, of which the first-parent chain is the record of what landed.

    A merge that was made the wrong way round (production merged into the branch, then production moved to
    it) holds every commit and yet makes another chain of it: that is `aside`. So is a production branch that
    is created beside the one where it `begins`: its head would bring an older state, policy included, unmerged.
    """
    move = move_of(repository, old, new)
    if move == "create" and begins is not None and not is_ancestor(repository, begins, new):
        return "aside"
    if move != "forward" or old is None or old == new:
        return move
    links = repository.git.text("rev-list", "--first-parent", "--parents", f"{old}..{new}").split("\n")
    oldest = links[-1].split(" ")
    return "forward" if oldest[1:2] == [old] else "aside"
