"""Records of backups, and proofs of them, as the files that lie beside an artefact, and back.

Readers are strict: what has an unknown key, another type or order, a size beyond all reason, or ends early is a
`FormatError`, and no record. How such a file is built is `backup.record_lines`.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.backup.model import Artefact, Difference, Fingerprint, Identity, Item, Proof, Record
from rollback_guard.backup.record_fields import (
    check_difference,
    check_item,
    check_proof,
    check_record,
    number,
    read_moment,
    read_pairs,
    read_span,
    render_moment,
    text,
)
from rollback_guard.backup.record_lines import Body, Lines, measure, read_head, read_lines, read_rows
from rollback_guard.evidence.canonical import FormatError, fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, BinaryIO

RECORD_FORMAT, PROOF_FORMAT = "rollback-guard/backup-record/1", "rollback-guard/backup-proof/1"
_RECORD = ("artefact", "begun", "commit", "ended", "format", "id", "identity", "name", "position", "rows", "set")
_RECORD_MORE = ("skew-milliseconds", "snapshot", "source", "tools")
_PROOF = ("backup", "checks", "fault", "format", "level", "restore-milliseconds", "when")


class Summary(NamedTuple):
    """A record's first line: `record` has no fingerprint yet; `body` and `rows` tell how much there is in it."""

    record: Record
    body: Body
    rows: int


class ProofSummary(NamedTuple):
    """A proof's first line: `proof` has no differences yet, `body` tells how many. `backup`: the id that it is of."""

    backup: str
    proof: Proof
    body: Body


def record_lines(record: Record) -> Lines:
    """A record's file. Raises: FormatError for a record that no reader would take."""
    check_record(record)
    items = sorted(record.fingerprint.items, key=_order)
    last: tuple[str, ...] = ()
    for one in items:
        check_item(one)
        if one[:3] == last:
            raise FormatError(f"two items of the fingerprint are called {one.kind} {one.name[:80]!r}")
        last = one[:3]
    for words in record.fingerprint.uncovered:
        text(words, "what is not covered")
    head = {
        "format": RECORD_FORMAT,
        "id": record.id,
        "set": record.set,
        "name": record.name,
        "identity": record.identity._asdict(),
        "source": record.source,
        "commit": record.commit,
        "begun": render_moment(record.begun),
        "snapshot": render_moment(record.snapshot),
        "ended": render_moment(record.ended),
        "position": record.position,
        "artefact": record.artefact._asdict(),
        "tools": record.tools,
        "skew-milliseconds": round(record.skew * 1000),
        "rows": record.fingerprint.rows,
    }
    return Lines(head, "fingerprint", lambda: _rows_of(items, record.fingerprint.uncovered))


def proof_lines(backup: str, proof: Proof) -> Lines:
    """The file of what became of proving the backup with an id. Raises: FormatError."""
    check_proof(backup, proof)
    for one in proof.differences:
        check_difference(one)
    head = {
        "format": PROOF_FORMAT,
        "backup": backup,
        "level": proof.level,
        "when": render_moment(proof.when),
        "restore-milliseconds": round(proof.seconds * 1000),
        "fault": proof.fault,
        "checks": proof.checks,
    }
    return Lines(head, "differences", lambda: ((*one[:4], *one.rows) for one in proof.differences))


def fingerprint_digest(fingerprint: Fingerprint) -> str:
    """What names a fingerprint, in hex: the same for the same content, in whatever order its items come."""
    return measure(_rows_of(sorted(fingerprint.items, key=_order), fingerprint.uncovered)).digest


def read_summary(line: bytes) -> Summary:
    """A record's first line. Raises: FormatError."""
    found, body = read_head(line, "fingerprint", _RECORD + _RECORD_MORE)
    _format(found, RECORD_FORMAT)
    record = Record(
        id=found["id"],
        set=found["set"],
        name=found["name"],
        identity=Identity(*fields(found["identity"], Identity._fields, "identity")),
        source=found["source"],
        commit=found["commit"],
        begun=read_moment(found["begun"], "begun"),
        snapshot=read_moment(found["snapshot"], "snapshot"),
        ended=read_moment(found["ended"], "ended"),
        position=found["position"],
        artefact=Artefact(*fields(found["artefact"], Artefact._fields, "artefact")),
        fingerprint=Fingerprint(()),
        tools=read_pairs(found["tools"], "tools"),
        skew=read_span(found["skew-milliseconds"], "skew"),
    )
    check_record(record)
    number(found["rows"], "rows")
    return Summary(record, body, found["rows"])


def read_proof_summary(line: bytes) -> ProofSummary:
    """A proof's first line. Raises: FormatError."""
    found, body = read_head(line, "differences", _PROOF)
    _format(found, PROOF_FORMAT)
    proof = Proof(
        level=found["level"],
        when=read_moment(found["when"], "when"),
        seconds=read_span(found["restore-milliseconds"], "the restore's time"),
        fault=found["fault"],
        checks=read_pairs(found["checks"], "checks"),
    )
    check_proof(found["backup"], proof)
    return ProofSummary(found["backup"], proof, body)


def read_record(stream: BinaryIO) -> Record:
    """A whole record. Raises: FormatError."""
    lines = read_lines(stream)
    summary = read_summary(next(lines, b""))
    items: list[Item] = []
    uncovered: list[str] = []
    for row in read_rows(lines, summary.body):
        if len(row) == 1:
            text(row[0], "what is not covered")
            uncovered.append(row[0])
        elif len(row) != len(Item._fields) or uncovered:
            raise FormatError("has a line that is no item of a fingerprint, or is out of place")
        else:
            item = Item(*row)
            check_item(item)
            if items and items[-1][:3] >= item[:3]:
                raise FormatError("has items of the fingerprint twice, or out of order")
            items.append(item)
    fingerprint = Fingerprint(tuple(items), tuple(uncovered))
    if fingerprint.rows != summary.rows:
        raise FormatError("has another number of rows than its first line says")
    return summary.record._replace(fingerprint=fingerprint)


def read_proof(stream: BinaryIO) -> tuple[str, Proof]:
    """The id of a backup, and the whole of its proof. Raises: FormatError."""
    lines = read_lines(stream)
    summary = read_proof_summary(next(lines, b""))
    differences = []
    for row in read_rows(lines, summary.body):
        if len(row) != 6:
            raise FormatError("has a line that is no difference")
        one = Difference(row[0], row[1], row[2], row[3], (row[4], row[5]))
        check_difference(one)
        differences.append(one)
    return summary.backup, summary.proof._replace(differences=tuple(differences))


def _rows_of(items: list[Item], uncovered: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    yield from items
    yield from ((words,) for words in uncovered)


def _order(item: Item) -> tuple[str, str, str]:
    return item[:3]


def _format(found: dict[str, Any], wanted: str) -> None:
    if found["format"] != wanted:
        raise FormatError(f"its format is not {wanted}")
