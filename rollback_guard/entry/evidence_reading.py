"""Recorded envelopes taken apart and checked one by one, whatever change they are about.

By whose keys: those of the policy that the envelope's target holds now; where that lists the key for nobody any
more, those of the policy at the statement's base, if production ever was there. What counts for a change is
left to `evidence.collect` and the gate.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.entry.target import require_branch
from rollback_guard.errors import UsageError
from rollback_guard.evidence.canonical import FormatError
from rollback_guard.evidence.envelope import Envelope, pae, read_envelope, signature_of
from rollback_guard.evidence.keys import Key, fault_at, keys_of
from rollback_guard.evidence.statement import (
    PAYLOAD_TYPE,
    SignOffStatement,
    Statement,
    WaiverStatement,
    namespace_of,
    read_statement,
)
from rollback_guard.evidence.store import Stored, evidence_refs
from rollback_guard.evidence.store_paths import ABOUT, Sieve
from rollback_guard.evidence.verifier import Check, Verifier
from rollback_guard.facts.policy_source import read_policy_at
from rollback_guard.git.history_chain import on_chain
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import decode
from rollback_guard.git.refs import resolve_commit, short_branch
from rollback_guard.git.repository import Repository
from rollback_guard.git.streams import split_stream
from rollback_guard.git.tree_walk import Item
from rollback_guard.report import evidence_text
from rollback_guard.report.evidence_text import Evidence
from rollback_guard.report.wording import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rollback_guard.entry.question import Question

GOOD = "the signature verifies"
SHORTEST = 4  # digits of an id


class Opened(NamedTuple):
    """An envelope that could be read."""

    id: str
    envelope: Envelope
    statement: Statement


def open_stored(stored: Stored) -> Opened | str:
    """An envelope taken apart, or why it cannot be read, to follow "it"."""
    try:
        envelope = read_envelope(stored.data)
        statement = read_statement(envelope.payload)
    except FormatError as fault:
        return fault.reason
    return Opened(id=stored.name.removesuffix(".json"), envelope=envelope, statement=statement)


def said_in(statement: Statement) -> str:
    """What a statement says, in a few words."""
    if isinstance(statement, SignOffStatement):
        return f"{statement.decision} as {statement.role}"
    if isinstance(statement, WaiverStatement):
        return f"waive {statement.rule}"
    return f"verdict {statement.decision}"


def evidence_of(opened: Opened, state: str = "", stale: str = "") -> Evidence:
    """An envelope as it is listed."""
    statement = opened.statement
    kind = "verdict"
    if isinstance(statement, (SignOffStatement, WaiverStatement)):
        kind = "sign-off" if isinstance(statement, SignOffStatement) else "waiver"
    return Evidence(
        id=opened.id,
        kind=kind,
        said=said_in(statement),
        signer=statement.signer,
        time=statement.time,
        repository=statement.binding.repository,
        target=statement.binding.target,
        base=statement.base,
        head=statement.head,
        state=state,
        stale=stale,
    )


def statement_of(opened: Opened, state: str) -> evidence_text.Statement:
    """An envelope in full, as it is shown."""
    statement = opened.statement
    terms: tuple[tuple[str, str], ...]
    if isinstance(statement, SignOffStatement):
        terms = (("comment", statement.comment),) if statement.comment else ()
    elif isinstance(statement, WaiverStatement):
        terms = (("reason", statement.reason), ("expires", moment(statement.expires)))
        terms += (("incident", statement.incident),) if statement.incident else ()
    else:
        rules = ", ".join(f"{rule} {answer}" for rule, answer in statement.rules)
        terms = (
            ("judged by", statement.policy_uri),
            ("rules", rules),
            *(("rests on", one) for one in statement.inputs),
        )
    return evidence_text.Statement(
        evidence=evidence_of(opened, state),
        binding=statement.binding.kind,
        object=statement.binding.object,
        result_tree=statement.result_tree,
        policy=statement.policy_digest,
        key=opened.envelope.keyid,
        terms=terms,
    )


class KeyRing:
    """The keys by which an envelope is checked; each policy is read once."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._verifier = Verifier(question.repository.git.env)
        self._tips: dict[str, Optional[str]] = {}
        self._keys: dict[str, dict[bytes, Key]] = {}
        self._trusted: dict[tuple[str, str], bool] = {}

    def judge(self, opened: Sequence[Opened]) -> list[str]:
        """GOOD for each signature that verifies, else why it counts for nothing.

        Raises: UndeterminedError when ssh-keygen cannot be asked.
        """
        looked = [self._look(one) for one in opened]
        checks = [one for one in looked if isinstance(one, Check)]
        answers = iter(self._verifier.verify(checks))
        return [
            one if isinstance(one, str) else GOOD if next(answers) else "the signature does not verify"
            for one in looked
        ]

    def _look(self, opened: Opened) -> Check | str:
        statement, envelope = opened.statement, opened.envelope
        try:
            blob = signature_of(envelope).public_key
        except FormatError as fault:
            return f"the envelope {fault.reason}"
        key = self._key(statement, blob)
        if key is None:
            return "it is made with a key that nobody of the policy has"
        if key.person != statement.signer:
            return f"it is signed with a key of {key.person}"
        late = fault_at(key, statement.time)
        if late:
            return late
        namespace = namespace_of(statement)
        return Check(data=pae(PAYLOAD_TYPE, envelope.payload), blob=envelope.sig, namespace=namespace, key=key)

    def _key(self, statement: Statement, blob: bytes) -> Key | None:
        tip = self._tip(statement.binding.target)
        if tip is None:
            return None
        found = self._keys_at(tip).get(blob)
        if found is None and self._was_production(statement.base, tip):
            found = self._keys_at(statement.base).get(blob)
        return found

    def _tip(self, target: str) -> str | None:
        if target not in self._tips:
            try:
                self._tips[target] = require_branch(self._question, short_branch(target))[1]
            except UsageError:
                self._tips[target] = None
        return self._tips[target]

    def _was_production(self, base: str, tip: str) -> bool:
        """Whether the branch itself ever was at a base: a commit that somebody brought gives no keys."""
        if (base, tip) not in self._trusted:
            repository = self._question.repository
            here = resolve_commit(repository, base) == base
            self._trusted[base, tip] = here and on_chain(repository.git, base, tip)
        return self._trusted[base, tip]

    def _keys_at(self, commit: str) -> dict[bytes, Key]:
        if commit not in self._keys:
            with ObjectReader(self._question.repository.git) as objects:
                policy = read_policy_at(objects, commit).policy
            self._keys[commit] = {} if policy is None else keys_of(policy)
        return self._keys[commit]


def find_stored(repository: Repository, prefix: str) -> Stored:
    """The envelope whose id begins so. Only names are read until it is found.

    Raises: UsageError when there is none, more than one, or the prefix is no hex of at least SHORTEST digits.
    """
    wanted = prefix.strip().lower().removesuffix(".json")
    if len(wanted) < SHORTEST or wanted.strip("0123456789abcdef"):
        raise UsageError(f"{prefix!r} is no id: at least {SHORTEST} digits of one", remedy="guard evidence list --all")
    found = {item.name: (folder, item) for folder, item in _names(repository) if item.name.startswith(wanted)}
    if len(found) > 1:
        raise UsageError(f"{len(found):,} ids begin with {wanted}", remedy="name more digits of it")
    for folder, item in found.values():
        with ObjectReader(repository.git) as objects:
            sieve = Sieve(objects)
            fault = sieve.fault(folder, item)
            if fault:
                raise UsageError(
                    f"{item.name} in the store is no evidence: {fault}", remedy="guard evidence list --all"
                )
            return Stored(name=item.name, oid=item.oid, data=sieve.read(item)[1])
    raise UsageError(f"there is no evidence {wanted} here", remedy="guard evidence fetch   # or: guard evidence list")


def _names(repository: Repository) -> Iterator[tuple[str, Item]]:
    """Every entry of the store with its folder, but those that are there for finding only."""
    for ref in evidence_refs(repository):
        for lines in split_stream(repository.git.chunks("ls-tree", "-r", "-z", "--full-tree", ref), b"\0"):
            for line in lines:
                place, _, path = decode(line).partition("\t")
                mode, _, oid = place.split(" ")
                folder, _, name = path.rpartition("/")
                if not folder.startswith(f"{ABOUT}/"):
                    yield folder, Item(mode=mode, name=name, oid=oid)


def choose_remote(question: Question, named: str | None) -> str:
    """The remote that evidence is exchanged with: as named, origin, or the only one. Raises: UsageError."""
    remotes = question.around.remotes
    if named is not None:
        return named
    if "origin" in remotes or len(remotes) == 1:
        return "origin" if "origin" in remotes else remotes[0]
    if not remotes:
        raise UsageError("this repository has no remote to exchange evidence with", remedy="git remote add origin URL")
    raise UsageError(f"there are several remotes: {', '.join(remotes)}", remedy=f"name one: {remotes[0]}")


def in_batches(opened: Iterable[Opened], size: int = 64) -> Iterator[list[Opened]]:
    """As they come, so many at a time: memory does not grow with the store."""
    batch: list[Opened] = []
    for one in opened:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
