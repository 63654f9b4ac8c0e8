"""Envelopes held against the keys and dates by which a change is judged: what each says, whose it is, why it is none.

Signatures are checked against the keys of the policy that judges, as they counted when the statement says that it
was signed, and that moment must lie after what was signed. What a statement is about is left to `evidence.collect`.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.evidence.canonical import FormatError
from rollback_guard.evidence.envelope import pae, signature_of
from rollback_guard.evidence.keys import fault_at
from rollback_guard.evidence.opened import Opened, open_envelope
from rollback_guard.evidence.statement import (
    PAYLOAD_TYPE,
    BackupStatement,
    ReleaseStatement,
    Statement,
    VerdictStatement,
    WaiverReviewStatement,
    namespace_of,
)
from rollback_guard.evidence.verifier import Check, Verifier
from rollback_guard.git.refs import is_ancestor, resolve_commit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollback_guard.evidence.store import Stored
    from rollback_guard.evidence.subject import Subject
    from rollback_guard.git.repository import Repository
    from rollback_guard.policy.keys import Key

DAY = 86400  # seconds; clocks may differ by this much
NOBODYS = "it is made with a key that nobody of the policy has"


class Terms(NamedTuple):
    """By what envelopes are held: keys, and the present moment (Unix seconds)."""

    keys: Mapping[bytes, Key]
    later_keys: Mapping[bytes, Key]  # of those who may have reviewed a waiver since
    now: int


class Examined(NamedTuple):
    """One envelope that could be read. `person` is None where it is nobody's that counts; `fault` says why."""

    statement: Statement
    digest: str
    person: Optional[str]
    fault: str


class _Half(NamedTuple):
    """An envelope before ssh-keygen was asked: `check` is there unless `fault` says enough."""

    opened: Opened
    fault: str
    check: Optional[Check] = None


class Examiner:
    """Examines envelopes of one repository; nothing is read or verified twice in its life."""

    def __init__(self, repository: Repository, verifier: Verifier) -> None:
        self._repository = repository
        self._verifier = verifier
        self._dates: dict[tuple[str, str], int | None] = {}
        self._opened: dict[str, Opened | None] = {}

    def read(self, stored: Iterable[Stored]) -> list[Opened]:
        """The envelopes that hold something that is said about a change, by name; others say nothing here."""
        found = []
        for one in sorted(stored):
            if one.name not in self._opened:
                self._opened[one.name] = _said_about_changes(one.data)
            opened = self._opened[one.name]
            if opened is not None:
                found.append(opened)
        return found

    def examine(self, opened: Iterable[Opened], subject: Subject, terms: Terms) -> list[Examined]:
        """What each is worth for a change. Raises: UndeterminedError when ssh-keygen cannot be asked."""
        halves = [self._look(one, subject, terms) for one in opened]
        answers = iter(self._verifier.verify([half.check for half in halves if half.check is not None]))
        found = []
        for half in halves:
            fault = half.fault
            if half.check is not None:
                fault = "" if next(answers) else "the signature does not verify"
            person = half.check.key.person if half.check is not None and not fault else None
            statement, digest = half.opened.statement, half.opened.id
            found.append(Examined(statement=statement, digest=digest, person=person, fault=fault))
        return found

    def _look(self, opened: Opened, subject: Subject, terms: Terms) -> _Half:
        statement, envelope = opened.statement, opened.envelope
        later = isinstance(statement, WaiverReviewStatement)
        try:
            blob = signature_of(envelope).public_key
        except FormatError as fault:
            return _Half(opened, f"the envelope {fault.reason}")
        key = (terms.later_keys.get(blob) if later else None) or terms.keys.get(blob)
        if key is None:
            return _Half(opened, NOBODYS)
        if statement.signer != key.person:
            return _Half(opened, f"it is signed with a key of {key.person}")
        if statement.time > terms.now + DAY:
            return _Half(opened, "it is dated in the future")
        late = fault_at(key, statement.time) or self._before_its_base(opened, subject)
        if late:
            return _Half(opened, late)
        data = pae(PAYLOAD_TYPE, envelope.payload)
        return _Half(opened, "", Check(data=data, blob=envelope.sig, namespace=namespace_of(statement), key=key))

    def _before_its_base(self, opened: Opened, subject: Subject) -> str:
        """Why a statement's date cannot be true, or "": nobody signs what did not exist yet.

        The base is a commit of production, which nobody who brings a change can date back; its head they can.
        """
        statement = opened.statement
        if subject.begun is not None and statement.head == subject.head and statement.time < subject.begun - DAY:
            return "it is dated before the commit that it is about was made"
        base = statement.base
        pair = (base, subject.base)
        if pair not in self._dates:
            known = base == subject.base or resolve_commit(self._repository, base) == base
            here = known and (base == subject.base or is_ancestor(self._repository, base, subject.base))
            dated = self._repository.git.text("log", "-1", "--format=%ct", base, "--") if here else ""
            self._dates[pair] = int(dated) if dated.isdigit() else None
        begun = self._dates[pair]
        if begun is None:
            return f"it was given on a base that {subject.target.removeprefix('refs/heads/')} never had"
        return "it is dated before what it was given on was there" if statement.time < begun - DAY else ""


# The gate judges for itself; what is released or backed up lands nothing.
_OF_NO_CHANGE = (VerdictStatement, ReleaseStatement, BackupStatement)


def _said_about_changes(data: bytes) -> Opened | None:
    opened = open_envelope(data)
    return None if isinstance(opened, str) or isinstance(opened.statement, _OF_NO_CHANGE) else opened
