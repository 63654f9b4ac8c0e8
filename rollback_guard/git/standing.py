"""Which commits a branch took back by reverts, and which of these still hold: a revert that was reverted does not.

Decided from messages (`git.reverts`) and ancestry: a commit takes back only what lies in its own history, and goes
itself with the merge that brought it. That something came again is believed only where `git.brought_back` sees some
of it. Whether the content is there all the same is for the caller to look at.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.git.brought_back import believe
from rollback_guard.git.history_chain import ChainCommit, ChainFormat, chain_commit
from rollback_guard.git.log import read_log
from rollback_guard.git.process import decode, encode
from rollback_guard.git.repository import Repository
from rollback_guard.git.requests import named_by_number
from rollback_guard.git.reverts import HINT, Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollback_guard.git.brought_back import Claim

TOGETHER = 500  # abbreviations that one process is asked about


class Meant(NamedTuple):
    """The commits that a message names, by full oids: those that it takes back, and those that it applies again."""

    reverts: tuple[str, ...]
    reapplies: tuple[str, ...]
    lost: bool  # it names by its full id what is not here


class RevertCommit(NamedTuple):
    """A commit whose message says that it takes others back, or applies them again; both by full oids."""

    one: ChainCommit
    reverts: tuple[str, ...]
    reapplies: tuple[str, ...] = ()
    lost: bool = False  # it names by its full id what is not here

    @property
    def commit(self) -> str:
        """Its own oid."""
        return self.one.commit


class Undone(NamedTuple):
    """A commit that a branch took back while another one has it, or a part of what it brought."""

    commit: str
    revert: RevertCommit
    beside: bool  # what the other one has of it did not come to it along the branch's own line


def read_reverts(repository: Repository, tip: str, without: str | None) -> tuple[RevertCommit, ...]:
    """The commits in the history of `tip`, and not in that of `without`, that say that they revert or reapply.

    Children come before their parents.
    """
    options = ("--topo-order", "--extended-regexp", f"--grep={HINT}")
    revs = (tip,) if without is None else (tip, f"^{without}")
    found = []
    for record in read_log(repository.git, ChainFormat(), *options, *revs):
        one = chain_commit(record)
        if one.said is not None:
            found.append((one, one.said))
    resolved = resolve_said(repository, [(one.commit, said) for one, said in found])
    return tuple(RevertCommit(one, *meant) for (one, _), meant in zip(found, resolved, strict=True))


def resolve_said(repository: Repository, found: Sequence[tuple[str, Said]]) -> tuple[Meant, ...]:
    """What is meant by what some commits (full oids) say; a name of no commit here, or of several, is left out."""
    if not found:
        return ()
    every = dict.fromkeys(name for _, said in found for name in (*said.reverts, *said.reapplies))
    width = len(found[0][0])
    meant = {name: [name] for name in every if len(name) == width}
    meant.update(_disambiguate(repository, [name for name in every if len(name) < width]))
    commits = _commits(repository, [oid for oids in meant.values() for oid in oids])
    known = {name: [oid for oid in oids if oid in commits] for name, oids in meant.items()}

    def of(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(known[name][0] for name in names if len(known.get(name, ())) == 1))

    resolved = []
    for commit, said in found:
        named = (*of(said.reverts), *_requested(repository, commit, said.requests))
        lost = any(len(name) == width and not known[name] for name in said.reverts)
        resolved.append(Meant(tuple(dict.fromkeys(named)), of(said.reapplies), lost))
    return tuple(resolved)


def _requested(repository: Repository, commit: str, numbers: Iterable[int]) -> list[str]:
    """The commits by which requests came in before a commit, by their numbers."""
    found = []
    for number in numbers:
        named = named_by_number(repository.git, number, commit)
        found += [oid for oid in (next((oid for oid in named if oid != commit), ""),) if oid]
    return found


def _disambiguate(repository: Repository, names: Sequence[str]) -> dict[str, list[str]]:
    """The objects whose oids begin so. Never by name: somebody may have called a branch `deadbeef`."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for start in range(0, len(names), TOGETHER):
        asked = names[start : start + TOGETHER]
        out = repository.git.run("rev-parse", *(f"--disambiguate={name}" for name in asked)).stdout
        for oid in decode(out).split():
            for name in asked:
                if oid.startswith(name):
                    found[name].append(oid)
    return {name: list(dict.fromkeys(oids)) for name, oids in found.items()}


def _commits(repository: Repository, oids: Sequence[str]) -> frozenset[str]:
    """Those of some full oids that are commits here."""
    if not oids:
        return frozenset()
    stdin = encode("".join(f"{oid}\n" for oid in oids))
    out = repository.git.run("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=stdin).stdout
    return frozenset(line.split(" ")[0] for line in decode(out).split("\n") if line.endswith(" commit"))


class Standing:
    """What a branch's tip took back, as far as that is not in the history of `without` too (None: of nothing).

    `undone` has each commit that was taken back, with the newest revert of it that holds.
    """

    def __init__(self, repository: Repository, tip: str, *, without: str | None) -> None:
        self._repository = repository
        self.tip = tip
        self.without = without
        self.reverts = read_reverts(repository, tip, without)
        self.fork: Optional[str] = without  # the newest commit of the tip's own line that `without` has
        self.parents: dict[str, tuple[str, ...]] = {}  # of each commit above the fork, children first
        self._number: dict[str, int] = {}  # of each: how far down that line it was brought
        self.landing: dict[str, str] = {}  # of each of them: the commit of the tip's own line that brought it
        self.said: dict[str, list[RevertCommit]] = {}  # who said of a commit that it is reverted, newest first
        self.undone: dict[str, RevertCommit] = {}
        if self.reverts:
            self._map()
            self.reverts = self._believed()
            self._decide()

    @property
    def lost(self) -> bool:
        """Whether a commit that was reverted is not here, as where history was cut."""
        return any(one.lost for one in self.reverts)

    def on_line(self, commit: str) -> bool:
        """Whether a commit above the fork is on the tip's own line."""
        return self.landing.get(commit) == commit

    def holds(self, revert: RevertCommit) -> bool:
        """Whether a revert was not reverted itself, alone or with what brought it."""
        return revert.commit not in self.undone and self.landing[revert.commit] not in self.undone

    def last_word(self, commit: str) -> RevertCommit:
        """Of a commit that is undone: what has to be reverted so that it is not.

        Where it was reverted, reapplied and reverted again, that is the revert of the reapply.
        """
        revert = self.undone[commit]
        while True:
            again = next((one for one in self.said.get(revert.commit, ()) if one.commit in self.undone), None)
            if again is None:
                return revert
            revert = self.undone[again.commit]

    def _map(self) -> None:
        git = self._repository.git
        if self.without is not None:
            line = git.text("rev-list", "--first-parent", "--parents", self.tip, f"^{self.without}").rpartition("\n")[2]
            self.fork = next(iter(line.split()[1:2]), None)
        below = () if self.fork is None else (f"^{self.fork}",)
        out = decode(git.run("rev-list", "--topo-order", "--parents", self.tip, *below, "--").stdout)
        line_now, names, number = self.tip, [self.tip], self._number
        number[self.tip] = 0
        for row in out.split("\n")[:-1]:
            commit, *parents = row.split(" ")
            self.parents[commit] = tuple(parents)
            own = number[commit]
            for parent in parents:  # what several landings reach was brought by the oldest
                number[parent] = max(own, number.get(parent, 0))
            if commit == line_now and parents:
                line_now = parents[0]
                number[line_now] = len(names)
                names.append(line_now)
        self.landing = {commit: names[number[commit]] for commit in self.parents}

    def _believed(self) -> tuple[RevertCommit, ...]:
        """The same without what nothing speaks for but a message: that what was taken away is back.

        Too much is taken for gone rather than for there: of what takes away, the message is enough.
        """
        away: set[str] = set()  # what takes away, and what brought that
        claims: list[Claim] = []
        for one in reversed(self.reverts):
            claims += [(one.commit, oid) for oid in one.reverts if oid in away]
            claims += [(one.commit, oid) for oid in one.reapplies]
            if any(oid not in away for oid in one.reverts):
                away |= {one.commit, self.landing[one.commit]}
        doubted = frozenset(claims) - believe(self._repository.git, claims)

        def rest(commit: str, oids: Iterable[str]) -> tuple[str, ...]:
            return tuple(oid for oid in oids if (commit, oid) not in doubted)

        if not doubted:
            return self.reverts
        every = (
            one._replace(reverts=rest(one.commit, one.reverts), reapplies=rest(one.commit, one.reapplies))
            for one in self.reverts
        )
        return tuple(one for one in every if one.reverts or one.reapplies or one.lost)

    def _decide(self) -> None:
        """The newest word on a commit counts, unless whoever said it was reverted."""
        below = self._below([oid for one in self.reverts for oid in (*one.reverts, *one.reapplies)])
        settled: set[str] = set()
        for one in self.reverts:
            own = self._in_history(one.commit, (*one.reverts, *one.reapplies), below)
            for oid in one.reverts:
                if oid in own:
                    self.said.setdefault(oid, []).append(one)
            if not self.holds(one):
                continue
            for oid in one.reverts:
                if oid in own and oid not in settled:
                    self.undone[oid] = one
            settled |= own

    def _below(self, oids: Sequence[str]) -> frozenset[str]:
        """Those of some commits that the fork has in its history."""
        rest = [oid for oid in dict.fromkeys(oids) if oid not in self.parents]
        if self.fork is None or not rest:
            return frozenset()
        return frozenset(rest) - _beyond(self._repository, rest, self.fork)

    def _in_history(self, commit: str, oids: Sequence[str], below: frozenset[str]) -> set[str]:
        """Those of some commits that a commit has in its own history: no other can it have taken back."""
        here = [oid for oid in oids if oid != commit and (oid in below or oid in self.parents)]
        older = self._number[commit]
        plain = self.on_line(commit)
        sure = {oid for oid in here if plain and (oid in below or (self.on_line(oid) and self._number[oid] > older))}
        unclear = [oid for oid in here if oid not in sure]
        return sure | (set(unclear) - _beyond(self._repository, unclear, commit) if unclear else set())

    def still_in(self, other: str) -> tuple[Undone, ...]:
        """What is undone here and that `other` has, wholly or in part, the newest revert first.

        `other` must be what the reverts that it has in its own history were left out for (`without`).
        """
        if not self.undone:
            return ()
        own = set(decode(self._repository.git.run("rev-list", self.tip, f"^{other}", "--").stdout).split())
        shared = self.parents.keys() - own
        brought = {self.landing[commit] for commit in shared}
        found = []
        for commit, revert in self.undone.items():
            if commit not in self.parents:
                found.append(Undone(commit=commit, revert=revert, beside=False))
            elif (
                commit in shared
                or (self.on_line(commit) and commit in brought)
                or any(parent in shared for parent in self.parents[commit][1:])
            ):
                found.append(Undone(commit=commit, revert=revert, beside=True))
        return tuple(found)


def _beyond(repository: Repository, commits: Sequence[str], tip: str) -> frozenset[str]:
    """Those of some commits that are not in the history of a tip."""
    stdin = encode("".join(f"{one}\n" for one in (*commits, f"^{tip}")))
    out = decode(repository.git.run("rev-list", "--stdin", stdin=stdin).stdout)
    return frozenset(commits) & frozenset(out.split())
