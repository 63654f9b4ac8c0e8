"""Signing for backups: by somebody who may attest them, from what the store tells of them and of their proofs."""

from __future__ import annotations

import math
from typing import NamedTuple

from rollback_guard.backup.model import reaches
from rollback_guard.backup.records import fingerprint_digest
from rollback_guard.entry.backup_named import Asked, Named
from rollback_guard.entry.key_ring import GOOD, KeyRing
from rollback_guard.entry.question import policy_used
from rollback_guard.entry.signing import Signer, find_signer, now, require_key_now, sign_and_record
from rollback_guard.entry.wiring import ask
from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.evidence.opened import Opened, open_envelope
from rollback_guard.evidence.statement import Binding
from rollback_guard.evidence.statement_model import (
    BackupArtefact,
    BackupContent,
    BackupOrigin,
    BackupProof,
    BackupStatement,
)
from rollback_guard.evidence.store import list_all
from rollback_guard.facts.model import Unknown
from rollback_guard.facts.policy_source import read_policy_at
from rollback_guard.facts.surroundings import repository_of
from rollback_guard.gate.people import called
from rollback_guard.git.history_chain import tree_of
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import HEADS
from rollback_guard.policy.repositories import normalise_repository
from rollback_guard.policy.sources import named_source, without_secrets
from rollback_guard.report.visible import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollback_guard.backup.model import Proof, Record
    from rollback_guard.entry.question import Question

LONGEST = 1000  # characters of what a server says of itself
MOST_TOLD = 40  # things that are not covered, and tools, that a statement names


class Proven(NamedTuple):
    """A backup with what was proven of it."""

    named: Named
    record: Record
    proof: Proof


def find_attester(asked: Asked, key: str | None) -> Signer:
    """Who signs, before anything is backed up that nobody could sign for. Raises: RefusedError, UsageError."""
    signer = find_signer(asked.repository, asked.policy, key)
    require_key_now(signer.key, now())
    for named in asked.named:
        if signer.key.person not in asked.policy.members_of(named.spec.by):
            who = called(asked.policy, signer.key.person)
            raise RefusedError(
                f"the key is that of {who}, who may not attest {named.spec.name}",
                remedy="name another key: --key PATH   # or take it without: guard backup create --no-attest",
            )
    return signer


def attest(asked: Asked, proven: Sequence[Proven], signer: Signer) -> tuple[str, ...]:
    """Sign for backups that reach the level that the policy asks for; the ids of what was recorded.

    Raises: RefusedError for one that does not, or that protects another commit than production's present one.
    """
    question = ask(asked.repository)
    for one in proven:
        spec, proof = one.named.spec, one.proof
        if not reaches(proof.level, spec.level):
            raise RefusedError(
                f"{spec.name} {one.record.id} is proven {proof.level or 'not at all'}, and the policy asks for "
                f"{spec.level}" + (f": {proof.fault}" if proof.fault else ""),
                remedy=f"guard backup prove {spec.name}   # or take another one: guard backup create {spec.name}",
            )
        if one.record.commit != asked.production.tip:
            raise RefusedError(
                f"{spec.name} {one.record.id} was taken of {one.record.commit[:12] or 'no known commit'}, and "
                f"{asked.production.branch} is at {asked.production.tip[:12]} now",
                remedy=f"guard backup create {spec.name}",
            )
    earlier = _earlier(question, asked)
    found = []
    for one in proven:
        statement = _statement(question, asked, one, signer, earlier.get(one.named.spec.name))
        found.append(sign_and_record(asked.repository, statement, signer, f"backup {one.named.spec.name}"))
    return tuple(found)


def _earlier(question: Question, asked: Asked) -> dict[str, tuple[str, BackupStatement]]:
    """The newest attestation of each name for this branch whose signature verifies, with its id."""
    opened = []
    for listed in list_all(asked.repository, kind="backup"):
        one = open_envelope(listed.stored.data)
        if isinstance(one, Opened) and one.statement.binding.target == HEADS + asked.production.branch:
            opened.append(one)
    who = {one.name: asked.policy.members_of(one.by) for one in asked.policy.backup}
    found: dict[str, tuple[str, BackupStatement]] = {}
    for one, said in zip(opened, KeyRing(question).judge(opened) if opened else (), strict=True):
        statement = one.statement
        if said != GOOD or not isinstance(statement, BackupStatement):
            continue
        if statement.signer not in who.get(statement.name, ()):
            continue
        before = found.get(statement.name)
        if before is None or (before[1].snapshot, before[0]) < (statement.snapshot, one.id):
            found[statement.name] = (one.id, statement)
    return found


def _statement(
    question: Question, asked: Asked, one: Proven, signer: Signer, earlier: tuple[str, BackupStatement] | None
) -> BackupStatement:
    repository, production, record = asked.repository, asked.production, one.record
    name = repository_of(question.around)
    if isinstance(name, Unknown):
        raise UsageError(name.reason, remedy=name.remedy)
    with ObjectReader(repository.git) as objects:
        policy = policy_used(question, read_policy_at(objects, production.tip), production.tip)
    tree = tree_of(repository.git, production.tip)
    own = normalise_repository(name.value)
    snapshot = math.floor(record.snapshot)
    return BackupStatement(
        name=record.name,
        backup=record.id,
        set=record.set,
        origin=BackupOrigin(
            engine=one.named.spec.engine,
            source=named_source(one.named.spec.source),
            place=_plain(record.identity.place),
            server=_plain(record.identity.server),
            version=_plain(record.identity.version),
        ),
        snapshot=snapshot,
        position=_plain(record.position),
        begun=math.floor(record.begun),
        ended=math.ceil(record.ended),
        artefact=_artefact(one),
        content=_content(one),
        proof=_proof(one.proof),
        tools=tuple(sorted((_plain(name), _plain(version)) for name, version in record.tools))[:MOST_TOLD],
        skew=math.ceil(record.skew),
        previous=None if earlier is None else earlier[0],
        since_previous=None if earlier is None else max(0, snapshot - earlier[1].snapshot),
        binding=Binding(kind="head", repository=own, target=HEADS + production.branch, base=None, object=tree),
        base=production.tip,
        head=production.tip,
        result_tree=tree,
        policy_digest=str(policy.digest),
        signer=signer.key.person,
        time=now(),
    )


def _plain(text: str) -> str:
    """A server's words as a statement can hold them: what steers a terminal made visible, and not too long."""
    return visible(text)[:LONGEST]


def _artefact(one: Proven) -> BackupArtefact:
    stored = one.record.artefact
    return BackupArtefact(
        store=without_secrets(one.named.spec.store),
        file=stored.file,
        digest=stored.digest,
        size=stored.size,
        content=stored.content,
        compression=stored.compression,
        encryption=stored.encryption,
    )


def _content(one: Proven) -> BackupContent:
    found = one.record.fingerprint
    return BackupContent(
        digest=fingerprint_digest(found),
        items=len(found.items),
        rows=found.rows,
        uncovered=tuple(text for text in map(_plain, found.uncovered[:MOST_TOLD]) if text),
    )


def _proof(proof: Proof) -> BackupProof:
    assert proof.level is not None
    compared = reaches(proof.level, "schema")
    return BackupProof(
        level=proof.level,
        differences=len(proof.differences) if compared else None,
        checks=tuple(sorted((name, "passed" if passed else "failed") for name, passed in proof.checks)),
        seconds=math.ceil(proof.seconds) if reaches(proof.level, "restored") else None,
    )
