"""Recorded envelopes found by their ids and told in words, whatever change they are about.

Whose their signatures are is left to `entry.key_ring`, what counts for a change to `evidence.collect` and the gate.
"""

from __future__ import annotations

from rollback_guard.errors import UsageError
from rollback_guard.evidence.opened import Opened
from rollback_guard.evidence.statement import (
    BackupStatement,
    ReleaseStatement,
    SignOffStatement,
    Statement,
    WaiverReviewStatement,
    WaiverStatement,
    kind_of,
)
from rollback_guard.evidence.store import Stored, evidence_refs
from rollback_guard.evidence.store_paths import ABOUT, Sieve
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import decode
from rollback_guard.git.refs import TAGS
from rollback_guard.git.repository import Repository
from rollback_guard.git.streams import split_stream
from rollback_guard.git.tree_walk import Item
from rollback_guard.report import evidence_text
from rollback_guard.report.evidence_text import Evidence
from rollback_guard.report.wording import counted, moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rollback_guard.entry.question import Question

SHORTEST = 4  # digits of an id


def said_in(statement: Statement) -> str:
    """What a statement says, in a few words."""
    if isinstance(statement, SignOffStatement):
        return f"{statement.decision} as {statement.role}"
    if isinstance(statement, WaiverStatement):
        return f"waive {statement.rule}"
    if isinstance(statement, WaiverReviewStatement):
        return f"reviewed the waiver of {statement.rule}"
    if isinstance(statement, ReleaseStatement):
        return f"{statement.decision} {statement.tag.removeprefix(TAGS)}"
    if isinstance(statement, BackupStatement):
        return f"backup {statement.name} {statement.proof.level}"
    return f"verdict {statement.decision}"


def evidence_of(opened: Opened, state: str = "", stale: str = "") -> Evidence:
    """An envelope as it is listed."""
    statement = opened.statement
    return Evidence(
        id=opened.id,
        kind=kind_of(statement),
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
    elif isinstance(statement, WaiverReviewStatement):
        terms = (("comment", statement.comment), *(("about", one) for one in statement.waivers))
    elif isinstance(statement, ReleaseStatement):
        terms = (("tag object", statement.tag_object),)
        terms += (("reason", statement.comment),) if statement.comment else ()
        terms += tuple(("smoke test", f"{name} {outcome}") for name, outcome in statement.smoke)
        terms += tuple(("rests on", one) for one in statement.inputs)
    elif isinstance(statement, BackupStatement):
        terms = tuple(_terms_of_backup(statement))
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


def _terms_of_backup(statement: BackupStatement) -> Iterator[tuple[str, str]]:
    """What an attestation tells of a backup, one line for each thing that an auditor asks for."""
    origin, artefact, content, proof = statement.origin, statement.artefact, statement.content, statement.proof
    yield "backup", f"{statement.backup} of the set {statement.set}, whose snapshots are {statement.skew} s apart"
    yield "taken of", " ".join(filter(None, (origin.place, origin.version, origin.server and f"({origin.server})")))
    yield "source", f"{origin.engine} from {origin.source or 'a connection string'}"
    yield "snapshot", " at ".join(filter(None, (moment(statement.snapshot), statement.position)))
    yield "taken", f"{moment(statement.begun)} to {moment(statement.ended)}"
    how = ", ".join(filter(None, (artefact.compression, artefact.encryption))) or "as it is"
    yield "artefact", f"{artefact.file} in {artefact.store}, {artefact.size:,} bytes ({artefact.content:,}; {how})"
    yield "sha256", artefact.digest
    yield "content", f"{counted(content.items, 'item', 'items')}, {counted(content.rows, 'row', 'rows')}"
    yield "fingerprint", content.digest
    for one in content.uncovered:
        yield "not covered", one
    differences = "" if proof.differences is None else f", {counted(proof.differences, 'difference', 'differences')}"
    yield "proven", f"{proof.level}{differences}"
    for name, outcome in proof.checks:
        yield "check", f"{name} {outcome}"
    if proof.seconds is not None:
        yield "restored in", f"{proof.seconds} s"
    if statement.previous is not None:
        yield "follows", f"{statement.previous}, by {statement.since_previous} s"
    for tool, version in statement.tools:
        yield "tool", f"{tool} {version}"


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
