"""Facts of what landed: each commit of production's first-parent chain with all that it brought, in one stream.

One `git log` is read from the newest commit to the oldest. A commit belongs to the oldest landing from
which it can be reached; that is known when it is shown, because children come before parents. A landing
is complete when nothing that it may still bring is awaited, so memory holds open landings only.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.facts.model import Message
from rollback_guard.facts.survey import Walk, message_of, read_time, shallow_boundaries
from rollback_guard.git import log
from rollback_guard.git.log import LogFormat, read_log
from rollback_guard.git.process import decode
from rollback_guard.git.push_log import read_pushes
from rollback_guard.git.refs import HEADS, REMOTES, short_branch
from rollback_guard.git.repository import Repository
from rollback_guard.policy.paths import GOVERNING_FILES, GOVERNING_FOLDERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rollback_guard.facts.surroundings import Surroundings

GOVERNING_PATHS = (*GOVERNING_FILES, *GOVERNING_FOLDERS)


class Landed(NamedTuple):
    """One commit that landed, as the stream showed it, with everything that it brought."""

    commit: str
    parents: tuple[str, ...]
    tree: str
    subject: str
    walk: Walk
    message: Message
    heads: tuple[Message, ...]  # messages of the merged heads that the stream showed
    held_by: tuple[str, ...]  # branches that hold the commit itself
    heads_held_by: Optional[tuple[str, ...]]  # branches that hold all merged heads but not the commit
    cut: bool  # the clone's history ends inside what it brought
    aside: bool = False  # it brought a commit at which the branch itself stood: the chain was swapped


class _Open:
    """A landing that is still being read."""

    def __init__(self, record: list[bytes], walk: Walk, mask: int) -> None:
        self.record = record
        self.walk = walk
        self.mask = mask
        self.parents = tuple(record[log.PARENTS].split())
        self.pending = 0  # commits that it brings and that were not shown yet
        self.heads: dict[bytes, tuple[list[bytes], int]] = {}
        self.aside = False

    def complete(self) -> bool:
        return self.pending == 0 and all(parent in self.heads for parent in self.parents[1:])


class LandedStream:
    """Reads what landed on a branch, newest first.

    `keys_for` gives the folded trailer keys that matter for a landing with that first parent (None for a
    root). `tips` names the branches that a change may have come from: short name, commit and time.
    `recorded` are commits at which the branch is known to have stood.
    """

    def __init__(
        self,
        repository: Repository,
        keys_for: Callable[[str | None], frozenset[str]],
        tips: tuple[tuple[str, str, int], ...],
        recorded: frozenset[str] = frozenset(),
    ) -> None:
        self._repository = repository
        self._recorded = frozenset(map(str.encode, recorded))
        self._keys_for = keys_for
        self._layout = LogFormat(text=True)
        self._names = tuple(dict.fromkeys(name for name, _, _ in tips))
        bits = {name: 1 << number for number, name in enumerate(self._names)}
        self._tips: dict[bytes, int] = {}
        for name, commit, _ in tips:
            oid = commit.encode()
            self._tips[oid] = self._tips.get(oid, 0) | bits[name]
        self._boundaries = shallow_boundaries(repository)
        self._pushed = read_pushes(repository, {})
        self._pending: dict[bytes, list[int]] = {}  # oid: [landing, branches]
        self._open: list[_Open] = []
        self._wanted: dict[bytes, list[_Open]] = {}
        self._next = b""

    def read(self, until: str, since: str | None) -> Iterator[Landed]:
        """All landings of `until` down to and without `since`."""
        self._next = until.encode()
        revs = [until, *(decode(tip) for tip in self._tips)] + ([f"^{since}"] if since else [])
        emitted = 0
        for record in read_log(
            self._repository.git, self._layout, "--topo-order", stdin="".join(f"{rev}\n" for rev in revs).encode()
        ):
            self._show(record)
            while emitted < len(self._open) and self._open[emitted].complete():
                yield self._landed(emitted)
                emitted += 1
        while emitted < len(self._open):
            yield self._landed(emitted)
            emitted += 1

    def _show(self, record: list[bytes]) -> None:
        oid = record[log.COMMIT]
        label, mask = self._pending.pop(oid, (-1, 0))
        mask |= self._tips.get(oid, 0)
        if label >= 0:
            self._open[label].pending -= 1
        for landing in self._wanted.pop(oid, ()):
            landing.heads[oid] = (record, mask)
        parents = record[log.PARENTS].split()
        if oid == self._next:
            self._begin(record, parents, mask)
            return
        if label >= 0:
            self._open[label].walk.add(record)
            self._open[label].aside |= oid in self._recorded
        for parent in parents:
            self._await(parent, label, mask)

    def _begin(self, record: list[bytes], parents: list[bytes], mask: int) -> None:
        commit = decode(record[log.COMMIT])
        base = decode(parents[0]) if parents else None
        merged = [decode(parent) for parent in parents[1:]]
        walk = Walk(
            keys=self._keys_for(base),
            counting=frozenset((commit, *merged)),
            landing=frozenset((commit,)),
        )
        walk.boundaries = self._boundaries
        walk.pushed = self._pushed
        walk.add(record)
        landing = _Open(record, walk, mask)
        self._open.append(landing)
        self._next = parents[0] if parents else b""
        if parents:
            self._await(parents[0], -1, mask)
        for parent in parents[1:]:
            self._wanted.setdefault(parent, []).append(landing)
            self._await(parent, len(self._open) - 1, mask)

    def _await(self, oid: bytes, label: int, mask: int) -> None:
        """Note that a commit comes, in the oldest landing that brings it, held by all that hold its children."""
        known = self._pending.get(oid)
        if known is None:
            self._pending[oid] = [label, mask]
            if label >= 0:
                self._open[label].pending += 1
            return
        known[1] |= mask
        if label > known[0]:
            if known[0] >= 0:
                self._open[known[0]].pending -= 1
            self._open[label].pending += 1
            known[0] = label

    def _landed(self, number: int) -> Landed:
        landing = self._open[number]
        self._open[number] = _EMPTY  # what was read is given away
        record = landing.record
        held: int | None = None
        for parent in landing.parents[1:]:
            if parent in landing.heads:
                mask = landing.heads[parent][1] & ~landing.mask
                held = mask if held is None else held & mask
        heads = tuple(
            message_of(self._layout, "head", landing.heads[parent][0])
            for parent in landing.parents[1:]
            if parent in landing.heads
        )
        return Landed(
            commit=decode(record[log.COMMIT]),
            parents=tuple(decode(parent) for parent in landing.parents),
            tree=decode(record[log.TREE]),
            subject=decode(record[log.SUBJECT]),
            walk=landing.walk,
            message=message_of(self._layout, "landing", record),
            heads=heads,
            held_by=self._named(landing.mask),
            heads_held_by=None if held is None else self._named(held),
            cut=landing.walk.cut,
            aside=landing.aside,
        )

    def _named(self, mask: int) -> tuple[str, ...]:
        return tuple(name for bit, name in enumerate(self._names) if mask >> bit & 1)


def branch_tips(
    repository: Repository, around: Surroundings, keep: Callable[[str], bool]
) -> tuple[tuple[str, str, int], ...]:
    """Short name, commit and time (Unix seconds) of the branches that a change may have come from."""
    layout = "--format=%(refname)%00%(objectname)%00%(committerdate:unix)%00%(symref)"
    found = []
    for line in decode(repository.git.run("for-each-ref", layout, HEADS, REMOTES).stdout).split("\n")[:-1]:
        ref, oid, when, symref = line.split("\0")
        name = short_branch(ref, around.remotes)
        if not symref and keep(name):
            found.append((name, oid, read_time(when.encode())))
    return tuple(found)


def recorded_tips(repository: Repository, target: str) -> frozenset[str]:
    """Commits at which a branch (full ref name) is known to have stood, by git's own log of that ref.

    Where people work, a branch of their own stands at much that nobody else saw; there the log of the remote's
    branch counts (the upstream's, else origin's), which fetching and pushing write. A bare repository has a log
    where core.logAllRefUpdates is on. No log, an expired one, or one whose objects are gone, tells nothing.
    """
    ref = target
    if not repository.bare and target.startswith(HEADS):
        upstream = repository.git.text("for-each-ref", "--format=%(upstream)", target).partition("\n")[0]
        ref = upstream or f"{REMOTES}origin/{short_branch(target)}"
    process = repository.git.run("log", "--walk-reflogs", "--format=%H", ref, "--", accept=(0, 128))
    return frozenset(decode(process.stdout).split())


_EMPTY = _Open([b"", b"", b""], Walk(keys=frozenset(), counting=frozenset(), landing=frozenset()), 0)
