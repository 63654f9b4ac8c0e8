"""One walk over every commit of a change: who made it, which trailers lie on earlier commits, which merges it has.

What is kept does not grow with the number of commits, but for merges, of which the parents are kept until
they are made again.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from rollback_guard.facts.model import (
    EarlierTrailer,
    Fact,
    Hunk,
    Identity,
    Known,
    Maker,
    MergeCheck,
    Message,
    Survey,
    Trailer,
    Unknown,
)
from rollback_guard.git import log
from rollback_guard.git.conflicts import Recorded
from rollback_guard.git.log import LogFormat, read_log
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.process import Git, decode, encode
from rollback_guard.git.push_log import read_pushes
from rollback_guard.git.repository import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Literal

    Part = Literal["author", "pusher"]

CO_AUTHOR = "co-authored-by"
HUNKS_KEPT = 20  # of one merge


# What whoever made or brought a merge becomes once it holds what git did not merge.
_OWN: dict[str, Part] = {"merger": "author", "lander": "pusher"}


class SeenMerge(NamedTuple):
    """A merge that the walk met."""

    commit: str
    parents: tuple[str, ...]
    tree: str
    subject: str


class Walk:
    """Adds up commits. `keys` are the folded trailer keys that matter, `counting` the commits whose trailers count."""

    def __init__(self, *, keys: frozenset[str], counting: frozenset[str], landing: frozenset[str]):
        self._counting = {encode(oid) for oid in counting}
        self._landing = {encode(oid) for oid in landing}
        self._people: dict[tuple[bytes, bytes, str], bytes] = {}
        self._trailers: dict[tuple[str, str], bytes] = {}
        self._find_trailers = log.trailer_finder(keys | {CO_AUTHOR})
        self.count = 0
        self.first: list[bytes] = []  # the record that was added first
        self.merges: list[SeenMerge] = []
        self.boundaries: frozenset[bytes] = frozenset()
        self.cut = False  # the walk came to where a shallow clone ends
        self.pushed: Mapping[bytes, tuple[str, ...]] = {}  # who brought a commit to this server, as far as it knows
        self.base = b""
        self.reached = False  # a commit of the walk has the base for parent

    def add(self, record: list[bytes]) -> None:
        """One commit. Who made a merge that lands made nothing of the change, unless `with_mergers` finds otherwise."""
        commit = record[log.COMMIT]
        self.count += 1
        self.first = self.first or record
        parents = record[log.PARENTS]
        merge = b" " in parents
        if merge:
            oids = tuple(decode(parents).split(" "))
            seen = SeenMerge(decode(commit), oids, decode(record[log.TREE]), decode(record[log.SUBJECT]))
            self.merges.append(seen)
        only_merged = merge and commit in self._landing
        author, committer = ("merger", "merger") if only_merged else ("author", "committer")
        self._people.setdefault((record[log.AUTHOR], record[log.AUTHOR_EMAIL], author), commit)
        self._people.setdefault((record[log.COMMITTER], record[log.COMMITTER_EMAIL], committer), commit)
        if self.base and self.base in parents:
            self.reached = True
        if record[log.TRAILERS]:
            self._add_trailers(commit, record[log.TRAILERS])
        if self.boundaries and commit in self.boundaries:
            self.cut = True
        if self.pushed:
            self._add_pushers(commit, "lander" if only_merged else "pusher")

    def _add_pushers(self, commit: bytes, part: str) -> None:
        """Whoever brought it may have made it, whatever name it bears; of a merge that lands, only what git did not."""
        for name in self.pushed.get(commit, ()):
            email = name if "@" in name else ""
            self._people.setdefault((encode(name), encode(email), part), commit)

    def _add_trailers(self, commit: bytes, field: bytes) -> None:
        for key, value in self._find_trailers(field):
            if key.lower() == CO_AUTHOR:
                name, email = read_identity(value)
                self._people.setdefault((encode(name), encode(email), "co-author"), commit)
            elif commit not in self._counting:
                self._trailers.setdefault((key, value), commit)

    def survey(self) -> Survey:
        """What was found, in the order found."""
        makers = tuple(
            Maker(identity=Identity(decode(name), decode(email)), part=part, commit=decode(commit))  # type: ignore[arg-type]
            for (name, email, part), commit in self._people.items()
        )
        earlier = tuple(
            EarlierTrailer(trailer=Trailer(key, value), commit=decode(commit))
            for (key, value), commit in self._trailers.items()
        )
        return Survey(count=self.count, makers=makers, earlier=earlier)


def read_identity(value: str) -> tuple[str, str]:
    """Name and e-mail of `Jane Doe <jane@acme.example>`; the e-mail is "" when there is none.

    >>> read_identity("Jane Doe <jane@acme.example>")
    ('Jane Doe', 'jane@acme.example')
    """
    name, opening, rest = value.partition("<")
    email, closing, _ = rest.partition(">")
    return (name.strip(), email.strip()) if opening and closing else (value.strip(), "")


class Walked(NamedTuple):
    """What a walk found, and whether it came down to the base that was named."""

    survey: Fact[Survey]
    merges: list[SeenMerge]
    reached: bool


def walk_range(
    repository: Repository,
    revs: Sequence[str],
    *,
    keys: frozenset[str],
    counting: Iterable[str],
    landing: Iterable[str] = (),
    base: str = "",
    arriving: Mapping[bytes, str] = {},
) -> Walked:
    """Survey the commits of a range (oids, `^oid` for what is excluded).

    Unknown when the walk came to where a shallow clone was cut: then nobody knows what lies beyond.
    """
    layout = LogFormat()
    walk = Walk(keys=keys, counting=frozenset(counting), landing=frozenset(landing))
    walk.boundaries = shallow_boundaries(repository)
    walk.pushed = read_pushes(repository, arriving)
    walk.base = encode(base)
    add = walk.add
    for record in read_log(repository.git, layout, *revs):
        add(record)
    if walk.cut:
        return Walked(shallow_unknown(), walk.merges, walk.reached)
    return Walked(Known(walk.survey(), "git log"), walk.merges, walk.reached)


def shallow_unknown() -> Unknown:
    """The reason, and the way out, where a clone's history was cut."""
    return Unknown(
        "this clone is shallow, and the change reaches to where its history was cut", "git fetch --unshallow"
    )


def shallow_boundaries(repository: Repository) -> frozenset[bytes]:
    """The commits at which a shallow clone's history was cut."""
    if not repository.shallow:
        return frozenset()
    with open(os.path.join(repository.common_dir, "shallow"), "rb") as file:
        return frozenset(file.read().split())


def with_mergers(survey: Fact[Survey], merges: Fact[tuple[MergeCheck, ...]]) -> Fact[Survey]:
    """The survey, with who decided something in a merge that lands as a maker of it.

    A merge holds something of its own maker's where a conflict was resolved by hand, where nothing explains
    what it holds, and where that could not be found out.
    """
    if isinstance(survey, Unknown):
        return survey
    own = {check.commit for check in merges.value} if isinstance(merges, Known) else None
    makers = tuple(
        maker._replace(part=_OWN[maker.part]) if maker.part in _OWN and (own is None or maker.commit in own) else maker
        for maker in survey.value.makers
    )
    return Known(survey.value._replace(makers=makers), survey.source)


def with_squashed(
    repository: Repository, survey: Fact[Survey], *, tip: str, base: str, keys: frozenset[str]
) -> Fact[Survey]:
    """The survey of a squash, with who made the commits of the branch that it squashes: their work is what lands."""
    branch = walk_range(repository, [tip, f"^{base}"], keys=keys, counting=()).survey
    if isinstance(survey, Unknown) or isinstance(branch, Unknown):
        return survey if isinstance(survey, Unknown) else branch
    own = survey.value
    makers = tuple(dict.fromkeys((*own.makers, *branch.value.makers)))
    return Known(own._replace(makers=makers, earlier=(*own.earlier, *branch.value.earlier)), survey.source)


def read_messages(git: Git, bearers: Sequence[tuple[str, str]]) -> tuple[Message, ...]:
    """The messages of commits whose trailers count, each given as (bearer, oid), through one process."""
    if not bearers:
        return ()
    layout = LogFormat(text=True)
    by_oid = {}
    for record in read_log(git, layout, "--no-walk=unsorted", *(oid for _, oid in bearers)):
        by_oid[decode(record[log.COMMIT])] = record
    return tuple(message_of(layout, bearer, by_oid[oid]) for bearer, oid in bearers)


def read_time(field: bytes) -> int:
    """A commit's time in Unix seconds; 1970 where what stands there is no time, so that nothing on it is fresh."""
    text = field.strip()
    return int(text) if text.isdigit() and len(text) < 16 else 0


def message_of(layout: LogFormat, bearer: str, record: list[bytes]) -> Message:
    """A record that was read with its text, as a message."""
    return Message(
        bearer="landing" if bearer == "landing" else "head",
        trailers=tuple(Trailer(key, value) for key, value in layout.trailers(record[log.TRAILERS])),
        text=decode(record[log.TEXT]),
        commit=decode(record[log.COMMIT]),
        tree=decode(record[log.TREE]),
        time=read_time(record[log.TIME]),
    )


def check_merges(again: MergeAgain, seen: Sequence[SeenMerge]) -> tuple[MergeCheck, ...]:
    """The merges that something must be said of, in the order seen.

    An octopus is always named: git gives no automatic merge of three parents to compare it with.
    """
    found: dict[str, MergeCheck] = {}
    for merge in seen:
        if len(merge.parents) > 2:
            found[merge.commit] = MergeCheck(commit=merge.commit, subject=merge.subject, kind="octopus")
    pairs = [
        Recorded(commit=merge.commit, ours=merge.parents[0], theirs=merge.parents[1], tree=merge.tree)
        for merge in seen
        if len(merge.parents) == 2
    ]
    subjects = {merge.commit: merge.subject for merge in seen}
    for difference in again.differences(pairs):
        hunks = tuple(
            Hunk(path=path, line=hunk.new_line, removed=hunk.removed, added=hunk.added, note=hunk.note)
            for path, hunk in difference.unexplained[:HUNKS_KEPT]
        )
        found[difference.commit] = MergeCheck(
            commit=difference.commit,
            subject=subjects[difference.commit],
            kind="unexplained" if hunks else "resolved",
            hunks=hunks,
            conflicts=difference.resolved,
        )
    return tuple(found[merge.commit] for merge in seen if merge.commit in found)
