"""What people sign, as values: sign-offs, waivers and their reviews, verdicts, releases; and what each is tied to.

Their bytes are left to `evidence.statement`, what counts to the gate. Pure.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional, Union

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
HOME = "https://github.com/rollback-guard/rollback_guard"
SIGN_OFF = f"{HOME}/evidence/sign-off/v1"
WAIVER = f"{HOME}/evidence/waiver/v1"
WAIVER_REVIEW = f"{HOME}/evidence/waiver-review/v1"
RELEASE = f"{HOME}/evidence/release/v1"
VERDICT = "https://slsa.dev/verification_summary/v1"
MOST_BYTES = 32 * 1024

BindingKind = Literal["result", "change", "head"]
Decision = Literal["approve", "reject", "withdraw"]
GateDecision = Literal["allow", "deny", "undetermined"]
ReleaseDecision = Literal["release", "revoke"]


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
    source: Optional[str] = None  # refs/heads/…: the branch that brought it, as the signer's clone saw it


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


class WaiverReviewStatement(NamedTuple):
    """Somebody looked, afterwards, at the waivers from one rule for one change. `waivers`: hex of SHA-256, sorted."""

    rule: str
    waivers: tuple[str, ...]
    binding: Binding
    base: str
    head: str
    result_tree: str
    policy_digest: str
    signer: str
    time: int
    comment: str


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


class ReleaseStatement(NamedTuple):
    """A commit of production was tagged as a stable release, or that tag was revoked.

    `base` and `head` are that commit, `result_tree` is its tree: nothing lands. The binding is of the kind `head`.
    """

    decision: ReleaseDecision
    tag: str  # refs/tags/…, of the stable release
    tag_object: str  # oid of the tag object; of the revoking tag for "revoke"
    binding: Binding
    base: str
    head: str
    result_tree: str
    policy_digest: str
    signer: str
    time: int
    comment: str = ""  # why it was revoked
    smoke: tuple[tuple[str, str], ...] = ()  # (login, passed), sorted; what was not run is not in it
    inputs: tuple[str, ...] = ()  # evidence about what landed with it: hex of SHA-256, sorted


Statement = Union[SignOffStatement, WaiverStatement, WaiverReviewStatement, VerdictStatement, ReleaseStatement]


def binding_key(binding: Binding) -> str:
    """Under what the store keeps evidence of this binding: 64 hex digits."""
    import hashlib

    parts = (binding.kind, binding.repository, binding.target, binding.base or "", binding.object)
    return hashlib.sha256(b"\0".join(part.encode("utf-8", "surrogateescape") for part in parts)).hexdigest()


def namespace_of(statement: Statement) -> str:
    """The namespace of the statement's signature, so that none can be replayed as another kind or role."""
    if isinstance(statement, SignOffStatement):
        return f"rollback-guard.sign-off.{statement.role}"
    return f"rollback-guard.{kind_of(statement)}"


def kind_of(statement: Statement) -> str:
    """Under which kind the store keeps a statement."""
    return _KINDS[type(statement).__name__]


_KINDS = {
    "SignOffStatement": "sign-off",
    "WaiverStatement": "waiver",
    "WaiverReviewStatement": "waiver-review",
    "VerdictStatement": "verdict",
    "ReleaseStatement": "release",
}
