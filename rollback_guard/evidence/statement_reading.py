"""Parts that the predicates of several kinds of statements share, and that of a backup, read from JSON. Pure."""

from __future__ import annotations

from typing import Any

from rollback_guard.evidence.canonical import FormatError, fields
from rollback_guard.evidence.statement_model import (
    BackupArtefact,
    BackupContent,
    BackupOrigin,
    BackupProof,
    BackupStatement,
    Binding,
)
from rollback_guard.policy.keys import read_moment

COMMON = ("binding", "base", "head", "resultTree", "signer")


def read_common(values: tuple[Any, ...]) -> dict[str, Any]:
    binding, base, head, tree, signer = values
    parts = fields(binding, Binding._fields, "the binding")
    return {
        "binding": Binding(*parts),
        "base": base,
        "head": head,
        "result_tree": tree,
        "signer": signer,
    }


def read_backup(predicate: Any) -> BackupStatement:
    """What an attestation says. Raises: FormatError."""
    names = ("name", "backup", "set", "origin", "snapshot", "position", "begun", "ended", "artefact", "content")
    more = ("proof", "tools", "skew", "previous", "sincePrevious", "policyDigest", "time")
    values = fields(predicate, (*names, *more, *COMMON), "the backup")
    name, backup, together, origin, snapshot, position, begun, ended, artefact, content, *rest = values
    proof, tools, skew, previous, since, policy, when, *common = rest
    return BackupStatement(
        name=name,
        backup=backup,
        set=together,
        origin=BackupOrigin(*fields(origin, BackupOrigin._fields, "the origin")),
        snapshot=read_seconds(snapshot),
        position=position,
        begun=read_seconds(begun),
        ended=read_seconds(ended),
        artefact=_with_digest(BackupArtefact(*fields(artefact, BackupArtefact._fields, "the artefact"))),
        content=_content(BackupContent(*fields(content, BackupContent._fields, "the content"))),
        proof=_proof(BackupProof(*fields(proof, BackupProof._fields, "the proof"))),
        tools=read_pairs(tools, "the tools"),
        skew=skew,
        previous=None if previous is None else read_sha256(previous),
        since_previous=since,
        policy_digest=policy,
        time=read_seconds(when),
        **read_common(tuple(common)),
    )


def _with_digest(artefact: BackupArtefact) -> BackupArtefact:
    return artefact._replace(digest=read_sha256(artefact.digest))


def _content(content: BackupContent) -> BackupContent:
    if not isinstance(content.uncovered, list):
        raise FormatError("what is not covered is no list")
    return content._replace(digest=read_sha256(content.digest), uncovered=tuple(content.uncovered))


def _proof(proof: BackupProof) -> BackupProof:
    return proof._replace(checks=read_pairs(proof.checks, "the checks"))


def read_pairs(table: Any, what: str) -> tuple[tuple[str, Any], ...]:
    """A table of names as pairs. Raises: FormatError."""
    if not isinstance(table, dict):
        raise FormatError(f"{what} are of the wrong type")
    return tuple(table.items())


def read_digests(entries: Any, what: str) -> tuple[Any, ...]:
    if not isinstance(entries, list):
        raise FormatError(f"{what} are no list")
    return tuple(read_sha256(*fields(entry, ("digest",), f"one of {what}")) for entry in entries)


def read_sha256(digest: Any) -> Any:
    return fields(digest, ("sha256",), "a digest")[0]


def read_seconds(text: Any) -> int:
    if not isinstance(text, str) or len(text) != 20:
        raise FormatError("a time is not written as 2026-11-23T12:00:00Z")
    return read_moment(text.translate(_NO_PUNCTUATION))


_NO_PUNCTUATION = str.maketrans("", "", "-:TZ")
