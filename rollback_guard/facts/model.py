"""What is known of a change, as values: the only thing besides the policy that the gate looks at.

Each field that might not be had is a `Known` with its source or an `Unknown` with the reason and the
remedy; a rule that needs an unknown fact answers undetermined, never satisfied. Collecting is left to
`facts.commit`, `facts.push`, `facts.range` and `facts.history`.
"""

from __future__ import annotations

from typing import Generic, Literal, NamedTuple, Optional, TypeVar, Union

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.facts.backup_model import Attestation

T = TypeVar("T", covariant=True)


class Known(Generic[T]):
    """A value, and where it comes from in a few words (`refs/remotes/origin/main`, `--repository`)."""

    __slots__ = ("value", "source")

    def __init__(self, value: T, source: str = "") -> None:
        self.value = value
        self.source = source

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and self.value == other.value

    def __hash__(self) -> int:
        return hash(("Known", self.value))

    def __repr__(self) -> str:
        return f"Known({self.value!r}, source={self.source!r})"


class Unknown:
    """Why a value could not be had, and what to do so that it can."""

    __slots__ = ("reason", "remedy")

    def __init__(self, reason: str, remedy: str = "") -> None:
        self.reason = reason
        self.remedy = remedy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and self.reason == other.reason

    def __hash__(self) -> int:
        return hash(("Unknown", self.reason))

    def __repr__(self) -> str:
        return f"Unknown({self.reason!r})"


Fact = Union[Known[T], Unknown]

# commit: a commit in the making whose message is not written yet (pre-commit);
# merge: a merge in the making, message not written yet (pre-merge-commit);
# message: a commit or merge in the making with its message (commit-msg);
# push: about to be sent (pre-push); receive: about to be accepted (pre-receive);
# range: what would land if head were merged into the target now (guard check);
# landed: one first-parent commit that production has already (guard audit, guard release).
Stage = Literal["commit", "merge", "message", "push", "receive", "range", "landed"]

# How a ref moves. "none": the target is not moved by this change itself (range, commit in the making).
# "aside": forward, but to a commit whose own first-parent chain does not hold the present tip.
Move = Literal["none", "create", "forward", "aside", "rewind", "delete"]


class Identity(NamedTuple):
    name: str
    email: str


class Trailer(NamedTuple):
    """One trailer as git parsed it: unfolded, key as written."""

    key: str
    value: str


class Message(NamedTuple):
    """A message whose trailers count: that of the head commit, or of the merge or squash commit that lands."""

    bearer: Literal["head", "landing"]
    trailers: tuple[Trailer, ...]
    text: str  # the whole message, comments removed
    commit: Optional[str] = None  # None while it is in the making
    tree: Optional[str] = None
    time: Optional[int] = None  # committer date, Unix seconds; None while it is in the making


class Maker(NamedTuple):
    """Somebody who made a part of the change, and one commit that shows it."""

    identity: Identity
    # "merger": who made a merge that lands and that holds only what git itself merged;
    # "pusher": who brought it to the server, as far as the server knows; "lander": who brought such a merge there
    part: Literal["author", "committer", "co-author", "merger", "pusher", "lander"]
    commit: str
    mapped: Optional[Identity] = None  # who that is by production's .mailmap, where it says somebody else


class EarlierTrailer(NamedTuple):
    """A trailer on a commit of the change that is neither its head nor what lands."""

    trailer: Trailer
    commit: str


class Unproven(NamedTuple):
    """A commit of the change of which no signature proves who committed it, and why."""

    commit: str
    name: str
    email: str
    fault: str


class Hunk(NamedTuple):
    """Lines of a merge that neither parent nor a conflict explains. `line` counts from 1 in the merge's file."""

    path: str
    line: int
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    note: str = ""  # for what is no text: a mode, a binary file, a submodule


class MergeCheck(NamedTuple):
    """A merge of the change whose tree is not the automatic merge of its parents, or that cannot be judged."""

    commit: str
    subject: str
    kind: Literal["unexplained", "resolved", "octopus"]
    hunks: tuple[Hunk, ...] = ()
    conflicts: tuple[str, ...] = ()  # paths that had to be resolved by hand


class Survey(NamedTuple):
    """What one walk over every commit of the change found; its size does not grow with their number."""

    count: int = 0  # type: ignore[assignment]  # a tuple has a method of that name; a survey is never used as one
    makers: tuple[Maker, ...] = ()
    earlier: tuple[EarlierTrailer, ...] = ()


class Landing(NamedTuple):
    """One commit on production's own first-parent chain that the change adds there."""

    commit: str
    subject: str
    heads: tuple[str, ...]  # its other parents: empty for a commit that is no merge
    branches: Fact[tuple[str, ...]]  # short names of branches that bring it: contain the heads (or the commit)
    squash_of: Optional[str] = None  # a branch whose automatic merge has exactly this tree


class Restoration(NamedTuple):
    """The change puts production back to the tree of a stable release that it already had."""

    tag: str
    commit: str
    committers: tuple[Identity, ...]  # of the commits that go back
    kept: bool = False  # with migration files that stay
    unproven: str = ""  # why nobody proves to have made it; asked for only where a role asks for more than trailers
    brings_policy: bool = False  # another policy would be in force afterwards


# merged: it brings commits that came to production through what was reverted; touched: it began on production in
# between, and changes files that were reverted; held: it began there, and changes none of them.
How = Literal["merged", "touched", "held"]


class Unrelanded(NamedTuple):
    """A commit that production took back, that the change has in its history, and whose content it does not bring."""

    commit: str
    subject: str
    revert: str  # the commit that took it back
    how: How
    paths: tuple[str, ...] = ()  # those that were reverted, and that the change touches as well


class MissingRevert(NamedTuple):
    """A commit that a production branch took back, and that what is about to be tagged stable still has."""

    commit: str
    subject: str
    revert: str
    branch: str  # short name of the production branch that has the revert


class Touched(NamedTuple):
    """What the change does to the guard's own files."""

    governing: tuple[str, ...] = ()  # policy, hook configuration and workflow files that it touches
    others: bool = False  # it touches other files too


# irreversible: it has no way back that can be relied on; lossy: its way back does not bring back what it destroyed;
# taken-back: a revert gives its files back what they were before production got them, and leaves the database alone.
Risk = Literal["irreversible", "lossy", "taken-back"]


class RiskyMigration(NamedTuple):
    """A migration that the change adds, edits, moves or deletes, and after which the database is not had back."""

    path: str
    id: str
    framework: str
    state: Literal["added", "edited", "deleted", "renamed"]
    reasons: tuple[str, ...] = ()
    risk: Risk = "irreversible"
    old_path: str = ""  # where one that was moved and edited was


class SignedDecision(NamedTuple):
    """What one recorded envelope says of this change: a person's decision in a role, or why it is none that counts."""

    role: str
    decision: Literal["approve", "reject", "withdraw"]
    person: Optional[str]  # id of the person whose key made the signature; None: nobody's whom the policy lists
    claimed: str  # the person that the statement names
    time: int  # when it says that it was signed, Unix seconds
    binding: Literal["result", "change", "head"]
    digest: str  # SHA-256 of the envelope, which names it in the store
    stale: str = ""  # why it is about something else than what would land
    other_base: bool = False  # that it was given on another base is the only reason
    fault: str = ""  # why the signature itself does not count
    comment: str = ""
    source: Optional[str] = None  # full name of the branch that brought it, as whoever signed saw it


class SignedWaiver(NamedTuple):
    """What one recorded envelope says of an exception: one person's signature under a waiver for one rule."""

    rule: str
    person: Optional[str]
    claimed: str
    time: int
    expires: int  # Unix seconds
    reason: str
    incident: str
    digest: str
    stale: str = ""
    fault: str = ""
    reviewers: tuple[str, ...] = ()  # ids of the people who signed that they looked at it afterwards


class Change(NamedTuple):
    """One proposed change of one target ref. Oids are full hex, of whatever length the repository uses."""

    stage: Stage
    target: str  # full ref name
    production: bool
    repository: Fact[str]
    base: Fact[Optional[str]]  # the target's present tip; Known(None) when the ref does not exist yet
    head: Optional[str]  # what is proposed; None for a deletion or a commit in the making
    head_tree: Fact[str]
    result_tree: Fact[str]
    move: Move = "none"
    source: Fact[tuple[str, ...]] = Unknown("not looked for")  # short names of branches that contain head
    claimed_source: Optional[str] = None  # the branch that the caller named
    named_source: Optional[str] = None  # short name of the branch by whose name the head was asked for
    survey: Fact[Survey] = Unknown("not looked for")
    merges: Fact[tuple[MergeCheck, ...]] = Unknown("not looked for")
    messages: Fact[tuple[Message, ...]] = Unknown("not looked for")
    landings: Fact[tuple[Landing, ...]] = Known(())
    base_in_head: Fact[bool] = Unknown("not looked for")  # base is an ancestor of head: what lands is head's tree
    refs: Fact[tuple[str, ...]] = Known(())  # full names of the refs that names are compared with
    touched: Fact[Touched] = Known(Touched())
    unrelanded: Fact[tuple[Unrelanded, ...]] = Unknown("not looked for")
    irreversible: Fact[tuple[RiskyMigration, ...]] = Known(())
    restoration: Optional[Restoration] = None
    decisions: Fact[tuple[SignedDecision, ...]] = Known(())
    afterwards: tuple[SignedDecision, ...] = ()  # approvals of what landed, dated later than that can have been
    waivers: Fact[tuple[SignedWaiver, ...]] = Known(())
    backups: Fact[tuple[Attestation, ...]] = Known(())
    protected: Optional[str] = None  # the commit that backups must be of, where it is not the base
    unproven: Fact[tuple[Unproven, ...]] = Known(())  # asked for only where the policy wants signed commits
    missing_reverts: Optional[Fact[tuple[MissingRevert, ...]]] = None  # of what a stable tag names; None: it is none
    evidence_faults: Optional[tuple[str, ...]] = None  # why evidence may not move so; None: it is none that moves
    tag_faults: Optional[Fact[tuple[str, ...]]] = None  # why a stable tag may not move so; None: it is none
    missing: tuple[str, ...] = ()  # what this stage does not see, for `coverage`
