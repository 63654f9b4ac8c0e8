"""Stable releases, the plan of a revert and its result, as values.

How stable tags are found is left to `release.stable`, how a plan is made and carried out to
`release.revert`, its digest and JSON to `release.plan`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional

# stable: may be gone back to. revoked: marked as no longer stable. broken: never a stable release, `reason`
# says why. off-branch: a stable release that is not in the history of the branch that was asked for.
# unknown: its signature could not be checked here, for example without gpg.
State = Literal["stable", "revoked", "broken", "off-branch", "unknown"]
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


class Bring(NamedTuple):
    """One more commit, which brings a tree that going back along the branch does not reach."""

    commit: str
    tree: str
    onto: Optional[str]  # the commit of the branch whose tree is there before; None: nothing is


class Plan(NamedTuple):
    """What a revert will do. Nothing to do: no reverts and nothing to bring."""

    mode: Mode
    branch: str  # short name
    tip: str
    stable: Target
    reverts: tuple[Revert, ...]
    bring: Optional[Bring]
    target: str  # full name of the ref that is written
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether the branch has stable's tree already."""
        return not self.reverts and self.bring is None


class Result(NamedTuple):
    """What a revert did; read back from the repository."""

    ref: str
    commit: str
    tree: str
    commits: int
    equals_stable: bool


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
