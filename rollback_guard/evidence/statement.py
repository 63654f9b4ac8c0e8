"""The bytes of what people sign: in-toto Statements, written and read in one spelling.

A statement's reader takes what it is about from the predicate, writes the statement anew and compares: no key can be
doubled, unknown, missing, or say in one place what another place does not say. Which statements there are is in
`evidence.statement_model`; envelopes and signatures are left to `evidence.envelope` and `evidence.signer`. Pure.
Source: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://slsa.dev/verification_summary/v1.
"""

from __future__ import annotations

from typing import Any

from rollback_guard.evidence.canonical import FormatError, fields, read_json, render_json
from rollback_guard.evidence.statement_checks import check
from rollback_guard.evidence.statement_model import (
    BACKUP,
    MOST_BYTES,
    PAYLOAD_TYPE,
    RELEASE,
    SIGN_OFF,
    STATEMENT,
    VERDICT,
    WAIVER,
    WAIVER_REVIEW,
    BackupArtefact,
    BackupContent,
    BackupOrigin,
    BackupProof,
    BackupStatement,
    Binding,
    BindingKind,
    Decision,
    GateDecision,
    ReleaseStatement,
    SignOffStatement,
    Statement,
    VerdictStatement,
    WaiverReviewStatement,
    WaiverStatement,
    backup_key,
    binding_key,
    kind_of,
    namespace_of,
    store_key,
)
from rollback_guard.evidence.statement_predicates import predicate_of
from rollback_guard.evidence.statement_reading import (
    COMMON,
    read_backup,
    read_common,
    read_digests,
    read_pairs,
    read_seconds,
    read_sha256,
)

__all__ = [
    "PAYLOAD_TYPE",
    "BackupArtefact",
    "BackupContent",
    "BackupOrigin",
    "BackupProof",
    "BackupStatement",
    "Binding",
    "BindingKind",
    "Decision",
    "GateDecision",
    "ReleaseStatement",
    "SignOffStatement",
    "Statement",
    "StatementError",
    "VerdictStatement",
    "WaiverReviewStatement",
    "WaiverStatement",
    "backup_key",
    "binding_key",
    "kind_of",
    "namespace_of",
    "read_statement",
    "render_statement",
    "store_key",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class StatementError(FormatError):
    """A statement that cannot be read, or must not be written; `reason` in words."""


def render_statement(statement: Statement) -> bytes:
    """The bytes that are signed. Raises: StatementError for a value that could not be read again."""
    try:
        check(statement)
        payload = _write(statement)
    except ValueError as fault:
        raise StatementError(str(fault)) from None
    if len(payload) > MOST_BYTES:
        raise StatementError(f"has {len(payload):,} bytes; at most {MOST_BYTES:,} are read")
    return payload


def read_statement(payload: bytes) -> Statement:
    """The statement in a payload. Raises: StatementError."""
    try:
        document = read_json(payload, most=MOST_BYTES)
        names = ("_type", "predicate", "predicateType", "subject")
        kind, predicate, predicate_type, _ = fields(document, names, "the statement")
        if kind != STATEMENT:
            raise FormatError(f"is of the type {str(kind)[:80]}: only {STATEMENT} is read")
        reader = _READERS.get(predicate_type) if isinstance(predicate_type, str) else None
        if reader is None:
            raise FormatError(f"says something of the type {str(predicate_type)[:80]}, which is not read here")
        statement = reader(predicate)
        check(statement)
        spelling = _write(statement)
    except ValueError as fault:
        raise StatementError(str(fault)) from None
    if spelling != payload:
        raise StatementError("says in one place what it does not say in another")
    return statement


def _write(statement: Statement) -> bytes:
    subject = [
        {
            "name": f"{statement.binding.repository} {statement.binding.target}",
            "digest": {"gitTree": statement.result_tree},
        },
        {"name": "head", "digest": {"gitCommit": statement.head}},
    ]
    kind, predicate = predicate_of(statement)
    return render_json({"_type": STATEMENT, "subject": subject, "predicateType": kind, "predicate": predicate})


def _read_sign_off(predicate: Any) -> SignOffStatement:
    names = ("role", "decision", "comment", "source", "policyDigest", "time")
    role, decision, comment, source, policy, when, *common = fields(predicate, (*names, *COMMON), "the sign-off")
    return SignOffStatement(
        role=role,
        decision=decision,
        comment=comment,
        source=source,
        policy_digest=policy,
        time=read_seconds(when),
        **read_common(tuple(common)),
    )


def _read_waiver(predicate: Any) -> WaiverStatement:
    names = ("rule", "reason", "incident", "policyDigest", "time", "expires")
    rule, reason, incident, policy, when, end, *common = fields(predicate, (*names, *COMMON), "the waiver")
    return WaiverStatement(
        rule=rule,
        reason=reason,
        incident=incident,
        policy_digest=policy,
        time=read_seconds(when),
        expires=read_seconds(end),
        **read_common(tuple(common)),
    )


def _read_review(predicate: Any) -> WaiverReviewStatement:
    names = ("rule", "waivers", "comment", "policyDigest", "time")
    rule, waivers, comment, policy, when, *common = fields(predicate, (*names, *COMMON), "the review")
    return WaiverReviewStatement(
        rule=rule,
        waivers=read_digests(waivers, "the waivers"),
        comment=comment,
        policy_digest=policy,
        time=read_seconds(when),
        **read_common(tuple(common)),
    )


def _read_verdict(predicate: Any) -> VerdictStatement:
    derived = ("verifier", "resourceUri", "verificationResult", "verifiedLevels")
    own = ("timeVerified", "policy", "inputAttestations", "rollbackguard_gate")
    when, policy, inputs, gate, *_ = fields(predicate, (*own, *derived), "the verdict")
    decision, rules, *common = fields(gate, ("decision", "rules", *COMMON), "the gate's part")
    uri, digest = fields(policy, ("uri", "digest"), "the policy")
    return VerdictStatement(
        decision=decision,
        policy_digest=f"sha256:{read_sha256(digest)}",
        policy_uri=uri,
        time=read_seconds(when),
        rules=read_pairs(rules, "the verdict's rules"),
        inputs=read_digests(inputs, "the inputs"),
        **read_common(tuple(common)),
    )


def _read_release(predicate: Any) -> ReleaseStatement:
    names = ("decision", "tag", "tagObject", "comment", "smoke", "inputs", "policyDigest", "time")
    decision, tag, tag_object, comment, smoke, inputs, policy, when, *common = fields(
        predicate, (*names, *COMMON), "the release"
    )
    return ReleaseStatement(
        decision=decision,
        tag=tag,
        tag_object=tag_object,
        comment=comment,
        smoke=read_pairs(smoke, "the smoke tests"),
        inputs=read_digests(inputs, "the inputs"),
        policy_digest=policy,
        time=read_seconds(when),
        **read_common(tuple(common)),
    )


_READERS: dict[str, Callable[[Any], Statement]] = {
    SIGN_OFF: _read_sign_off,
    WAIVER: _read_waiver,
    WAIVER_REVIEW: _read_review,
    VERDICT: _read_verdict,
    RELEASE: _read_release,
    BACKUP: read_backup,
}
