"""Which commits a merge brings without their content, because one side took them back: git takes them for merged.

Asked by the gate, before such a merge lands, and by `guard reland`, which must not call it harmless. Which reverts
hold is for `git.standing` to say, what follows from that for whoever asks.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional

from rollback_guard.git.history_chain import came_back, landing_of, merge_base, read_some
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.process import decode, encode
from rollback_guard.git.repository import Repository
from rollback_guard.git.standing import Standing, Undone, read_reverts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

How = Literal["merged", "touched", "held"]


class Joined(NamedTuple):
    """Two histories that are merged, and the tree that comes of it where that is known.

    `inner`: it is a merge within the change; what counts then is what the change ends with.
    """

    ours: str
    theirs: str
    tree: Optional[str]
    inner: bool = False


class Lost(NamedTuple):
    """A commit that one side took back, that the other has in its history, and whose content it does not bring."""

    commit: str
    subject: str
    revert: str  # the commit that took it back
    how: How
    paths: tuple[str, ...] = ()  # those that were reverted, and that the change touches as well


def worth_asking(repository: Repository, base: str, joined: Sequence[Joined]) -> list[Joined]:
    """The merges that may bring something that production took back; one look tells that of most of them."""
    outer = [pair for pair in joined if not pair.inner]
    inner = [pair for pair in joined if pair.inner]
    if inner:
        theirs = dict.fromkeys(pair.theirs for pair in inner)
        stdin = encode("".join(f"{one}\n" for one in (*theirs, f"^{base}")))
        beside = frozenset(decode(repository.git.run("rev-list", "--stdin", stdin=stdin).stdout).split())
        inner = [pair for pair in inner if pair.theirs in beside]  # the others bring what production has
    if inner:
        heads = dict.fromkeys(pair.theirs for pair in inner)
        octopus = repository.git.run("merge-base", "--octopus", base, *heads, accept=(0, 1)).stdout
        since = decode(octopus).split()
        if not read_reverts(repository, base, since[0] if since else None):
            inner = []
    return [*inner, *outer]


class Search:
    """Looks through the merges of one change."""

    def __init__(self, repository: Repository, base: str, head: str, scratch_folder: str) -> None:
        self._repository = repository
        self._git = repository.git
        self._base = base
        self._head = head
        self._folder = scratch_folder

    def of(self, pair: Joined) -> list[Lost]:
        """What one merge brings without its content."""
        found = Standing(self._repository, pair.ours, without=pair.theirs).still_in(pair.theirs)
        if pair.inner:
            found = tuple(one for one in found if self._is_productions(one))
        if not found:
            return []
        own = Standing(self._repository, pair.theirs, without=pair.ours).undone
        found = tuple(one for one in found if one.commit not in own)
        lost = self._lost(found, pair.tree)
        subjects = read_some(self._git, [one.commit for one in lost])
        return [
            Lost(
                commit=one.commit,
                subject=subjects[one.commit].subject,
                revert=one.revert.commit,
                how=how,
                paths=paths,
            )
            for one in lost
            for how, paths in (self._how(one, pair),)
            if how == "merged" or not self._only_took_away(one.commit)
        ]

    def _only_took_away(self, commit: str) -> bool:
        """Whether a commit, with what it brought, is reverts alone: where they were reverted, no work is missing."""
        parents = read_some(self._git, [commit])[commit].parents
        if not parents:
            return False
        brought = self._git.text("rev-list", "--count", "--no-merges", commit, f"^{parents[0]}")
        reverts = [one for one in read_reverts(self._repository, commit, parents[0]) if one.reverts]
        return len(reverts) >= int(brought)

    def _is_productions(self, one: Undone) -> bool:
        """Whether a revert is one that production has, and that the change does not take back later."""
        git, revert = self._git, one.revert.commit
        if git.run("merge-base", "--is-ancestor", revert, self._base, accept=(0, 1)).returncode != 0:
            return False
        later = Standing(self._repository, self._head, without=revert).undone
        return revert not in later

    def _lost(self, found: Sequence[Undone], tree: str | None) -> Sequence[Undone]:
        """Those of which the result lacks something."""
        if tree is None or not found:
            return found
        with MergeAgain(self._repository, self._folder) as again:
            list(again.merge([(self._base, self._head)]))  # the tree of the result is nowhere else
            return [one for one in found if lacks(again, tree, one.commit, one.revert.commit)]

    def _how(self, one: Undone, pair: Joined) -> tuple[How, tuple[str, ...]]:
        """In which way the change has to do with what was reverted, and by which paths."""
        landing = "" if one.beside else str(landing_of(self._git, one.commit, pair.ours))
        if one.beside or came_back(self._git, landing, pair.theirs):
            return "merged", ()
        common = merge_base(self._git, pair.ours, pair.theirs)
        own = set(self._paths(str(common), pair.theirs))
        reverted = self._paths(one.revert.one.parents[0], one.revert.commit)
        both = tuple(path for path in reverted if path in own)
        return ("touched", both) if both else ("held", ())

    def _paths(self, old: str, new: str) -> list[str]:
        out = self._git.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new).stdout
        return decode(out).split("\0")[:-1]


def lacks(again: MergeAgain, tree: str, commit: str, revert: str) -> bool:
    """Whether bringing what was reverted once more would change a tree."""
    for away, back in ((revert, f"{revert}^1"), (f"{commit}^1", commit)):
        once_more = again.reverse(tree, _tree(again, away), _tree(again, back))
        if once_more.clean and once_more.tree == tree:
            return False
    return True


def _tree(again: MergeAgain, rev: str) -> str:
    """The tree of a commit, or of the first parent of one; the empty one of a root's."""
    said = again.git.run("rev-parse", "--verify", "--quiet", f"{rev}^{{tree}}", accept=(0, 1)).stdout
    return decode(said).strip() or again.git.text("hash-object", "-t", "tree", "-w", "--stdin", stdin=b"")
