"""What people sign, as in-toto Statements: sign-offs, waivers and verdicts, as values and as the bytes of them.

A statement has one spelling. Its reader takes what it is about from the predicate, writes the statement anew
and compares: no key can be doubled, unknown, missing, or say in one place what another place does not say.
Envelopes and signatures are left to `evidence.envelope` and `evidence.signer`, what counts to the gate. Pure.
Source: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://slsa.dev/verification_summary/v1.
"""

from __future__ import annotations

from time import gmtime, strftime
from typing import Any, Literal, NamedTuple, Optional, Union

from rollback_guard.evidence.canonical import FormatError, fields, read_json, render_json
from rollback_guard.evidence.statement_checks import check
from rollback_guard.policy.keys import read_moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
HOME = "https://github.com/rollback-guard/rollback_guard"
SIGN_OFF = f"{HOME}/evidence/sign-off/v1"
WAIVER = f"{HOME}/evidence/waiver/v1"
VERDICT = "https://slsa.dev/verification_summary/v1"
MOST_BYTES = 32 * 1024

BindingKind = Literal["result", "change", "head"]
Decision = Literal["approve", "reject", "withdraw"]
GateDecision = Literal["allow", "deny", "undetermined"]


class StatementError(FormatError):
    """A statement that cannot be read, or must not be written; `reason` in words."""


class Binding(NamedTuple):
    """What a statement is tied to. `base` is there for `result` only.

    `object` is the result tree's oid, the head tree's oid, or "sha256:…" of what a change does.
    """

    kind: BindingKind
    repository: str  # normalised
    target: str  # refs/heads/…
    base: Optional[str]
    object: str


class SignOffStatement(NamedTuple):
    """One person's decision in one role. Oids are full hex; `time` is in Unix seconds."""

    role: str
    decision: Decision
    binding: Binding
    base: str
    head: str
    result_tree: str
    policy_digest: str  # sha256:…
    signer: str  # the person's id, as claimed: the key decides
    time: int
    comment: str = ""


class WaiverStatement(NamedTuple):
    """One person's signature under an exception from one rule, for one change."""

    rule: str
    binding: Binding
    base: str
    head: str
    result_tree: str
    policy_digest: str
    signer: str
    time: int
    expires: int
    reason: str
    incident: str = ""


class VerdictStatement(NamedTuple):
    """What the gate decided, as a SLSA verification summary. `inputs` are the digests of the envelopes that it read."""

    decision: GateDecision
    binding: Binding
    base: str
    head: str
    result_tree: str
    policy_digest: str
    signer: str
    time: int
    policy_uri: str
    rules: tuple[tuple[str, str], ...] = ()  # (RG201, satisfied), sorted
    inputs: tuple[str, ...] = ()  # hex of SHA-256, sorted


Statement = Union[SignOffStatement, WaiverStatement, VerdictStatement]


def binding_key(binding: Binding) -> str:
    """Under what the store keeps evidence of this binding: 64 hex digits."""
    import hashlib

    parts = (binding.kind, binding.repository, binding.target, binding.base or "", binding.object)
    return hashlib.sha256(b"\0".join(part.encode("utf-8", "surrogateescape") for part in parts)).hexdigest()


def namespace_of(statement: Statement) -> str:
    """The namespace of the statement's signature, so that none can be replayed as another kind or role."""
    if isinstance(statement, SignOffStatement):
        return f"rollback-guard.sign-off.{statement.role}"
    return "rollback-guard.waiver" if isinstance(statement, WaiverStatement) else "rollback-guard.verdict"


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
    kind, predicate = _predicate(statement)
    return render_json({"_type": STATEMENT, "subject": subject, "predicateType": kind, "predicate": predicate})


def _predicate(statement: Statement) -> tuple[str, dict[str, Any]]:
    common = {
        "binding": statement.binding._asdict(),
        "base": statement.base,
        "head": statement.head,
        "resultTree": statement.result_tree,
        "signer": statement.signer,
    }
    policy = statement.policy_digest
    when = _moment(statement.time)
    if isinstance(statement, SignOffStatement):
        own = {"role": statement.role, "decision": statement.decision, "comment": statement.comment}
        return SIGN_OFF, {**common, **own, "policyDigest": policy, "time": when}
    if isinstance(statement, WaiverStatement):
        own = {"rule": statement.rule, "reason": statement.reason, "incident": statement.incident}
        return WAIVER, {**common, **own, "policyDigest": policy, "time": when, "expires": _moment(statement.expires)}
    passed = statement.decision == "allow"
    return VERDICT, {
        "verifier": {"id": HOME},
        "timeVerified": when,
        "resourceUri": _resource(statement.binding),
        "policy": {"uri": statement.policy_uri, "digest": {"sha256": policy.removeprefix("sha256:")}},
        "inputAttestations": [{"digest": {"sha256": digest}} for digest in statement.inputs],
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": ["ROLLBACK_GUARD_ALLOWED" if passed else "FAILED"],
        "rollbackguard_gate": {**common, "decision": statement.decision, "rules": dict(statement.rules)},
    }


def _resource(binding: Binding) -> str:
    from urllib.parse import quote

    scheme = "git+file://" if binding.repository.startswith("/") else "git+https://"
    return f"{scheme}{quote(binding.repository, safe='/:[]%')}@{quote(binding.target)}"


_COMMON = ("binding", "base", "head", "resultTree", "signer")


def _read_common(values: tuple[Any, ...]) -> dict[str, Any]:
    binding, base, head, tree, signer = values
    parts = fields(binding, Binding._fields, "the binding")
    return {
        "binding": Binding(*parts),
        "base": base,
        "head": head,
        "result_tree": tree,
        "signer": signer,
    }


def _read_sign_off(predicate: Any) -> SignOffStatement:
    names = ("role", "decision", "comment", "policyDigest", "time")
    role, decision, comment, policy, when, *common = fields(predicate, (*names, *_COMMON), "the sign-off")
    return SignOffStatement(
        role=role,
        decision=decision,
        comment=comment,
        policy_digest=policy,
        time=_seconds(when),
        **_read_common(tuple(common)),
    )


def _read_waiver(predicate: Any) -> WaiverStatement:
    names = ("rule", "reason", "incident", "policyDigest", "time", "expires")
    rule, reason, incident, policy, when, end, *common = fields(predicate, (*names, *_COMMON), "the waiver")
    return WaiverStatement(
        rule=rule,
        reason=reason,
        incident=incident,
        policy_digest=policy,
        time=_seconds(when),
        expires=_seconds(end),
        **_read_common(tuple(common)),
    )


def _read_verdict(predicate: Any) -> VerdictStatement:
    derived = ("verifier", "resourceUri", "verificationResult", "verifiedLevels")
    own = ("timeVerified", "policy", "inputAttestations", "rollbackguard_gate")
    when, policy, inputs, gate, *_ = fields(predicate, (*own, *derived), "the verdict")
    decision, rules, *common = fields(gate, ("decision", "rules", *_COMMON), "the gate's part")
    uri, digest = fields(policy, ("uri", "digest"), "the policy")
    if not isinstance(inputs, list) or not isinstance(rules, dict):
        raise FormatError("the verdict's inputs or rules are of the wrong type")
    return VerdictStatement(
        decision=decision,
        policy_digest=f"sha256:{_sha256(digest)}",
        policy_uri=uri,
        time=_seconds(when),
        rules=tuple(rules.items()),
        inputs=tuple(_sha256(*fields(entry, ("digest",), "an input")) for entry in inputs),
        **_read_common(tuple(common)),
    )


def _sha256(digest: Any) -> Any:
    return fields(digest, ("sha256",), "a digest")[0]


_READERS: dict[str, Callable[[Any], Statement]] = {
    SIGN_OFF: _read_sign_off,
    WAIVER: _read_waiver,
    VERDICT: _read_verdict,
}


def _moment(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(seconds))


def _seconds(text: Any) -> int:
    if not isinstance(text, str) or len(text) != 20:
        raise FormatError("a time is not written as 2026-11-23T12:00:00Z")
    return read_moment(text.translate(_NO_PUNCTUATION))


_NO_PUNCTUATION = str.maketrans("", "", "-:TZ")
