"""Stable releases, the plan of a revert and its result, as values.

How stable tags are found is left to `release.stable`, how a plan is made and carried out to
`release.revert`, its digest and JSON to `release.plan`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional

from rollback_guard.git.reverts import Said
from rollback_guard.release.explained import Explained
from rollback_guard.release.migrations.model import Report

# stable: may be gone back to. revoked: marked as no longer stable. broken: never a stable release, `reason`
# says why. off-branch: a stable release that is not in the history of the branch that was asked for.
# unknown: its signature could not be checked here, for example without gpg. moved: the tag is not the one that
# somebody who may signed for. missing: somebody signed for it, and there is no such tag here.
State = Literal["stable", "revoked", "broken", "off-branch", "unknown", "moved", "missing"]
# each: one revert commit for each first-parent commit above stable. single: one commit with stable's tree.
Mode = Literal["each", "single"]


class Stable(NamedTuple):
    """One tag that claims to be a stable release. What a broken one does not tell is "" or 0."""

    tag: str  # short name
    object: str  # oid of the tag object
    commit: str
    tagger: str  # Name <email>
    date: int  # tagger date, Unix seconds
    number: int = 0
    state: State = "stable"
    reason: str = ""


class Recorded(NamedTuple):
    """What a signed record of a release says, by somebody who may release: this tag is this object."""

    tag: str  # short name
    object: str
    commit: str
    signer: str  # their name
    date: int  # when it was signed, Unix seconds
    revoked: str = ""  # why, for the record of a revocation; then `object` is the revoking tag


class Proof(NamedTuple):
    """What was known of a commit when it was tagged as a stable release."""

    verdict: str = ""
    policy: str = ""  # path and digest
    smoke: tuple[tuple[str, bool, float], ...] = ()  # name, whether it passed, seconds
    smoke_note: str = ""  # why none was run
    evidence: tuple[str, ...] = ()  # ids of what people signed about it


class Target(NamedTuple):
    """The stable release that a revert goes back to. `ancestor`: the branch's tip has it in its history."""

    tag: str
    object: str
    commit: str
    tree: str
    ancestor: bool = False  # found out when the plan is made


class Revert(NamedTuple):
    """One commit that goes. `tree` is the tree that is left afterwards: its first parent's.

    `mainline` is None for a commit that is no merge, else the number (from 1) of the parent that is on the
    branch's first-parent chain. `parent` and `tree` are None for a root commit: nothing is left.
    """

    commit: str
    mainline: Optional[int]
    subject: str  # first line, bytes that are no UTF-8 as surrogates
    author: str  # Name <email>
    parent: Optional[str]
    tree: Optional[str]
    said: Optional[Said] = None  # what its own message says that it takes back


class PathConflict(NamedTuple):
    """One path that undoing a commit leaves in conflict, by git's names of conflicts.

    `remembered`: somebody resolved the same before, and git did it again (rerere).
    """

    path: str  # bytes that are no UTF-8 as surrogates
    kinds: tuple[str, ...]
    remembered: bool = False


class Undo(NamedTuple):
    """One commit that is undone by a merge. `tree`: what is left; None while paths are in conflict."""

    commit: str
    mainline: Optional[int]
    subject: str
    author: str
    parent: Optional[str]
    tree: Optional[str]
    conflicts: tuple[PathConflict, ...] = ()
    empty: bool = False  # nothing is left of it to undo
    again: bool = False  # the commit is made once more, and not undone

    @property
    def open(self) -> bool:
        """Whether somebody would have to resolve something."""
        return any(not one.remembered for one in self.conflicts)


class Dependent(NamedTuple):
    """A later commit of the branch that touches what is in conflict."""

    commit: str
    subject: str
    author: str
    paths: tuple[str, ...]


class OnlyPlan(NamedTuple):
    """What undoing some commits alone will do, the newest first.

    `closed`: the commits of the smallest set that was found which can be undone without a conflict, these and their
    dependents, newest first; () where there is no conflict, or no such set.
    """

    branch: str
    tip: str
    target: str
    undone: tuple[Undo, ...]
    dependents: tuple[Dependent, ...] = ()
    closed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    migrations: Optional[Report] = None  # of what goes; None: not looked for

    @property
    def open(self) -> bool:
        """Whether there are conflicts."""
        return any(one.open for one in self.undone)

    @property
    def empty(self) -> bool:
        """Whether nothing would be left to undo."""
        return all(one.empty for one in self.undone)

    @property
    def tree(self) -> Optional[str]:
        """The tree that the branch will have; None while there are conflicts."""
        return None if self.open else self.undone[-1].tree


# fixed-on-top: the branch has what was reverted and more, so the revert is reverted and the rest merged; as-it-was:
# there is nothing more; rebuilt: the branch made it anew, so it is merged plainly; reapplied: it reverted the revert.
Way = Literal["fixed-on-top", "as-it-was", "rebuilt", "reapplied"]


class Relanded(NamedTuple):
    """A commit that was reverted and is to come again, with what landed it and the revert that holds."""

    commit: str
    subject: str
    author: str
    landing: str
    revert: str


class Source(NamedTuple):
    """The branch that goes on from what was reverted. `tree`: what merging it gives; None while that conflicts."""

    branch: str  # short name, or a remote's as git writes it
    tip: str
    newer: int  # commits that it has and production has not
    tree: Optional[str] = None
    conflicts: tuple[PathConflict, ...] = ()

    @property
    def open(self) -> bool:
        """Whether somebody would have to resolve something."""
        return any(not one.remembered for one in self.conflicts)


class RelandPlan(NamedTuple):
    """What brings reverted commits again: reverts of reverts on a new branch, then a merge of what is newer.

    `writes`: there is a branch to write; where the right thing is an ordinary merge, only if one was asked for.
    """

    way: Way
    branch: str
    tip: str
    target: str
    reverted: tuple[Relanded, ...]
    undone: tuple[Undo, ...] = ()
    source: Optional[Source] = None
    dependents: tuple[Dependent, ...] = ()
    writes: bool = True
    notes: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether there are conflicts."""
        return any(one.open for one in self.undone) or (self.source is not None and self.source.open)

    @property
    def tree(self) -> Optional[str]:
        """The tree that the new branch will have; None while there are conflicts."""
        if self.open:
            return None
        return self.source.tree if self.source is not None else self.undone[-1].tree


class Bring(NamedTuple):
    """One more commit, which brings a tree that going back along the branch does not reach."""

    commit: str
    tree: str
    onto: Optional[str]  # the commit of the branch whose tree is there before; None: nothing is


class Keep(NamedTuple):
    """Migration files that stay although the code goes back, since what they did to the database stays.

    `entries`: path and `mode oid` of each, by path; `tree`: the release's tree with them.
    """

    tree: str
    entries: tuple[tuple[str, str], ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """What stays, sorted."""
        return tuple(path for path, _ in self.entries)


class Plan(NamedTuple):
    """What a revert will do. Nothing to do: no reverts and nothing to bring; files may stay all the same."""

    mode: Mode
    branch: str  # short name
    tip: str
    stable: Target
    reverts: tuple[Revert, ...]
    bring: Optional[Bring]
    target: str  # full name of the ref that is written
    notes: tuple[str, ...] = ()
    migrations: Optional[Report] = None  # None: not looked for
    keep: Optional[Keep] = None
    explained: Explained = Explained()

    @property
    def empty(self) -> bool:
        """Whether the branch has that tree already."""
        return not self.reverts and self.bring is None

    @property
    def tree(self) -> str:
        """The tree that the branch will have."""
        return self.stable.tree if self.keep is None else self.keep.tree


class Result(NamedTuple):
    """What a revert did; read back from the repository."""

    ref: str
    commit: str
    tree: str
    commits: int
    equals_stable: Optional[bool]  # None where there is no stable release to compare with
    residue: tuple[str, ...] = ()  # paths that are there and not in the stable release


class Released(NamedTuple):
    """A stable release that was just tagged."""

    tag: str
    object: str
    commit: str
    tree: str
    branch: str
    tagger: str
    signed: bool
    notes: tuple[str, ...] = ()
    proof: Proof = Proof()
