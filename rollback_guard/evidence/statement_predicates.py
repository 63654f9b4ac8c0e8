"""What each kind of statement says, as the predicate that is written; reading it is left to `evidence.statement`. Pure.

Source of a verdict's: https://slsa.dev/verification_summary/v1.
"""

from __future__ import annotations

from time import gmtime, strftime
from typing import Any

from rollback_guard.evidence.statement_model import (
    BACKUP,
    HOME,
    RELEASE,
    SIGN_OFF,
    VERDICT,
    WAIVER,
    WAIVER_REVIEW,
    BackupStatement,
    Binding,
    ReleaseStatement,
    SignOffStatement,
    Statement,
    WaiverReviewStatement,
    WaiverStatement,
)


def predicate_of(statement: Statement) -> tuple[str, dict[str, Any]]:
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
        return SIGN_OFF, {**common, **own, "source": statement.source, "policyDigest": policy, "time": when}
    if isinstance(statement, WaiverStatement):
        own = {"rule": statement.rule, "reason": statement.reason, "incident": statement.incident}
        return WAIVER, {**common, **own, "policyDigest": policy, "time": when, "expires": _moment(statement.expires)}
    if isinstance(statement, WaiverReviewStatement):
        looked = {"waivers": digests_of(statement.waivers), "comment": statement.comment}
        return WAIVER_REVIEW, {**common, **looked, "rule": statement.rule, "policyDigest": policy, "time": when}
    if isinstance(statement, ReleaseStatement):
        tag = {"tag": statement.tag, "tagObject": statement.tag_object, "decision": statement.decision}
        shown = {"comment": statement.comment, "smoke": dict(statement.smoke), "inputs": digests_of(statement.inputs)}
        return RELEASE, {**common, **tag, **shown, "policyDigest": policy, "time": when}
    if isinstance(statement, BackupStatement):
        return BACKUP, {**common, **_backup(statement), "policyDigest": policy, "time": when}
    passed = statement.decision == "allow"
    return VERDICT, {
        "verifier": {"id": HOME},
        "timeVerified": when,
        "resourceUri": _resource(statement.binding),
        "policy": {"uri": statement.policy_uri, "digest": {"sha256": policy.removeprefix("sha256:")}},
        "inputAttestations": digests_of(statement.inputs),
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": ["ROLLBACK_GUARD_ALLOWED" if passed else "FAILED"],
        "rollbackguard_gate": {**common, "decision": statement.decision, "rules": dict(statement.rules)},
    }


def _backup(statement: BackupStatement) -> dict[str, Any]:
    artefact, content, proof = statement.artefact, statement.content, statement.proof
    return {
        "name": statement.name,
        "backup": statement.backup,
        "set": statement.set,
        "origin": statement.origin._asdict(),
        "snapshot": _moment(statement.snapshot),
        "position": statement.position,
        "begun": _moment(statement.begun),
        "ended": _moment(statement.ended),
        "artefact": {**artefact._asdict(), "digest": {"sha256": artefact.digest}},
        "content": {**content._asdict(), "digest": {"sha256": content.digest}},
        "proof": {**proof._asdict(), "checks": dict(proof.checks)},
        "tools": dict(statement.tools),
        "skew": statement.skew,
        "previous": None if statement.previous is None else {"sha256": statement.previous},
        "sincePrevious": statement.since_previous,
    }


def digests_of(digests: tuple[str, ...]) -> list[dict[str, dict[str, str]]]:
    return [{"digest": {"sha256": digest}} for digest in digests]


def _resource(binding: Binding) -> str:
    from urllib.parse import quote

    scheme = "git+file://" if binding.repository.startswith("/") else "git+https://"
    return f"{scheme}{quote(binding.repository, safe='/:[]%')}@{quote(binding.target)}"


def _moment(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(seconds))
