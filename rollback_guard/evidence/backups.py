"""The recorded attestations of the backups that a policy names: found, verified, told as facts.

Those of the commit that production is at are looked up; only where there are none, or where nothing but the earlier
ones tells which database it must be, all that is recorded is gone through, once in a run. What counts, and whether it
is fresh, is left to the gate; the artefacts to whoever can see the store.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.evidence.examiner import Examined, Examiner, Terms
from rollback_guard.evidence.opened import Opened, open_envelope
from rollback_guard.evidence.statement import BackupStatement, Binding, backup_key, store_key
from rollback_guard.evidence.store import list_all, look_up
from rollback_guard.facts.backup_model import Attestation
from rollback_guard.facts.model import Change, Known
from rollback_guard.git.history_chain import tree_of
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.repository import Repository
from rollback_guard.policy.model import Backup, Policy
from rollback_guard.policy.sources import fits_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollback_guard.evidence.subject import Subject

DAY = 86400  # seconds
MOST_DAYS = 400  # of which attestations are looked up; what is older is found by going through all
MOST_SEEN = 20  # attestations of one backup whose signatures are verified
MOST_EARLIER = 3  # the same, where none is of the commit that counts


class _Line(NamedTuple):
    """One attestation in the list of all. Sorted, the first signed come first."""

    time: int
    id: str
    key: str  # under which the store has it
    signer: str
    snapshot: int
    about: tuple[str, str, str]  # name, repository, target
    commit: str


class Attestations:
    """What is attested of backups in one repository."""

    def __init__(self, repository: Repository, examiner: Examiner, refs: Sequence[str]) -> None:
        self._repository = repository
        self._examiner = examiner
        self._refs = refs
        self._lines: dict[tuple[str, str, str], list[_Line]] | None = None

    def about(self, policy: Policy, change: Change, subject: Subject, terms: Terms) -> tuple[Attestation, ...]:
        """What is attested of the policy's backups of where production is. Raises: GuardError."""
        commit = change.protected or subject.base
        tree = tree_of(self._repository.git, commit)
        binding = Binding(kind="head", repository=subject.repository, target=subject.target, base=None, object=tree)
        found: list[Attestation] = []
        with ObjectReader(self._repository.git) as objects:
            for backup in policy.backup:
                may = policy.members_of(backup.by)
                about = (backup.name, subject.repository, subject.target)
                here = self._here(objects, backup, binding, commit, change, terms.now)
                chosen = _chosen(here, may, MOST_SEEN) or self._earlier(objects, about, may, change)
                mine = [_told(one) for one in self._examiner.examine(chosen, subject, terms)]
                if any(fits_place(one.place, backup.engine, backup.identity or backup.source) is None for one in mine):
                    first = self._first(objects, about, may, subject, terms)
                    mine = [one if first is None else one._replace(before=first) for one in mine]
                found += mine
        return tuple(found)

    def _here(
        self, objects: ObjectReader, backup: Backup, binding: Binding, commit: str, change: Change, now: int
    ) -> list[Opened]:
        """Those of the commit that is protected. Of what landed nobody knows the day, so all are gone through."""
        if change.stage == "landed":
            lines = self._all().get((backup.name, binding.repository, binding.target), [])
            return self._read(objects, [one for one in lines if one.commit == commit])
        newest, oldest = now // DAY + 1, (now - backup.max_age) // DAY - 1
        found: list[Opened] = []
        for day in range(newest, max(oldest, newest - MOST_DAYS), -1):
            stored = look_up(objects, self._refs, "backup", backup_key(binding, backup.name, day))
            for one in stored:
                opened = open_envelope(one.data)
                # The folder tells what belongs there, and somebody may have put something else into it.
                if isinstance(opened, Opened) and _is_of(opened, backup.name, binding, commit):
                    found.append(opened)
            if len(found) >= MOST_SEEN:
                break
        return found

    def _earlier(
        self, objects: ObjectReader, about: tuple[str, str, str], may: frozenset[str], change: Change
    ) -> list[Opened]:
        """The newest of another commit, so that it can be told from none at all."""
        lines = [one for one in self._all().get(about, []) if one.signer in may]
        lines.sort(key=lambda one: (one.snapshot, one.id))
        return self._read(objects, _before(lines, change)[-MOST_EARLIER:])

    def _first(
        self, objects: ObjectReader, about: tuple[str, str, str], may: frozenset[str], subject: Subject, terms: Terms
    ) -> tuple[str, str] | None:
        """Place and server of the first attestation of a backup that counts."""
        lines = [one for one in self._all().get(about, []) if one.signer in may]
        for line in lines[:MOST_SEEN]:
            for one in self._examiner.examine(self._read(objects, [line]), subject, terms):
                if one.person in may and isinstance(one.statement, BackupStatement):
                    return one.statement.origin.place, one.statement.origin.server
        return None

    def _all(self) -> dict[tuple[str, str, str], list[_Line]]:
        """All that is recorded, by what it is about, the first signed first."""
        if self._lines is None:
            self._lines = {}
            for listed in list_all(self._repository, self._refs, kind="backup"):
                opened = open_envelope(listed.stored.data)
                if isinstance(opened, Opened) and isinstance(opened.statement, BackupStatement):
                    line = _line(opened, opened.statement)
                    self._lines.setdefault(line.about, []).append(line)
            for lines in self._lines.values():
                lines.sort()
        return self._lines

    def _read(self, objects: ObjectReader, lines: Iterable[_Line]) -> list[Opened]:
        found = {}
        for key, names in _by_key(lines).items():
            for one in look_up(objects, self._refs, "backup", key):
                opened = open_envelope(one.data)
                if isinstance(opened, Opened) and opened.id in names:
                    found[opened.id] = opened
        return list(found.values())


def _by_key(lines: Iterable[_Line]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in lines:
        found.setdefault(line.key, set()).add(line.id)
    return found


def _line(opened: Opened, statement: BackupStatement) -> _Line:
    return _Line(
        time=statement.time,
        id=opened.id,
        key=store_key(statement),
        signer=statement.signer,
        snapshot=statement.snapshot,
        about=(statement.name, statement.binding.repository, statement.binding.target),
        commit=statement.base,
    )


def _before(lines: list[_Line], change: Change) -> list[_Line]:
    """Of what landed by a merge, those that can have been there."""
    messages = change.messages.value if change.stage == "landed" and isinstance(change.messages, Known) else ()
    merged = [one.time for one in messages if one.bearer == "landing" and one.time is not None]
    return [one for one in lines if not merged or one.snapshot <= max(merged) + DAY]


def _is_of(opened: Opened, name: str, binding: Binding, commit: str) -> bool:
    one = opened.statement
    return isinstance(one, BackupStatement) and (one.name, one.binding, one.base) == (name, binding, commit)


def _chosen(opened: Sequence[Opened], may: frozenset[str], most: int) -> list[Opened]:
    """The newest, those first whose signer may attest: anybody with a key could add any number of others."""

    def rank(one: Opened) -> tuple[bool, int, str]:
        statement = one.statement
        return statement.signer not in may, -getattr(statement, "snapshot", 0), one.id

    return sorted(opened, key=rank)[:most]


def _told(examined: Examined) -> Attestation:
    one = examined.statement
    assert isinstance(one, BackupStatement)
    return Attestation(
        name=one.name,
        person=examined.person,
        claimed=one.signer,
        time=one.time,
        digest=examined.digest,
        commit=one.base,
        snapshot=one.snapshot,
        engine=one.origin.engine,
        source=one.origin.source,
        place=one.origin.place,
        server=one.origin.server,
        level=one.proof.level,
        file=one.artefact.file,
        file_digest=one.artefact.digest,
        file_size=one.artefact.size,
        fault=examined.fault,
    )
