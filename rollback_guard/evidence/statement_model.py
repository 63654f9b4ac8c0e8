"""What people sign, as values: sign-offs, waivers, verdicts, releases, backups; and what each is tied to.

Their bytes are left to `evidence.statement`, what counts to the gate. Pure.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional, Union

from rollback_guard.policy.model import Engine, Level

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
HOME = "https://github.com/rollback-guard/rollback_guard"
SIGN_OFF = f"{HOME}/evidence/sign-off/v1"
WAIVER = f"{HOME}/evidence/waiver/v1"
WAIVER_REVIEW = f"{HOME}/evidence/waiver-review/v1"
RELEASE = f"{HOME}/evidence/release/v1"
BACKUP = f"{HOME}/evidence/backup/v1"
VERDICT = "https://slsa.dev/verification_summary/v1"
MOST_BYTES = 32 * 1024
DAY = 86400  # seconds

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


class BackupOrigin(NamedTuple):
    """Of what a backup was taken. Nothing in it is secret."""

    engine: Engine  # as the policy says it
    source: str  # as the policy writes it, without secrets; "" where it could hold some
    place: str  # postgresql://db.acme.example:5432/shop, directory:/srv/uploads
    server: str  # what the server calls itself and no copy does; "" where there is no such thing
    version: str  # of the server; "" where there is none


class BackupArtefact(NamedTuple):
    """The file that a backup is. Sizes are in bytes, the digest is hex of SHA-256 of what is stored."""

    store: str  # as the policy writes it, without secrets
    file: str  # relative to the store, parts joined by "/"
    digest: str
    size: int
    content: int  # bytes before they were compressed and encrypted
    compression: str  # "zstd"; "" for none
    encryption: str  # "age"; "" for none


class BackupContent(NamedTuple):
    """What is in a backup, as its fingerprint tells. `uncovered`: what of it no item tells, in words."""

    digest: str  # over all items, hex of SHA-256
    items: int
    rows: int
    uncovered: tuple[str, ...] = ()


class BackupProof(NamedTuple):
    """How far it is proven that the backup can be restored, and the numbers behind that."""

    level: Level
    differences: Optional[int] = None  # between source and restored copy; None where they were not compared
    checks: tuple[tuple[str, str], ...] = ()  # (login, passed), sorted: what was run on the restored copy
    seconds: Optional[int] = None  # that the restore took, rounded up; None where none was made


class BackupStatement(NamedTuple):
    """A backup was taken, and proven: what it protects is the commit of production at that time.

    `base` and `head` are that commit, `result_tree` is its tree: nothing lands. The binding is of the kind `head`.
    """

    name: str  # as the policy calls it
    backup: str  # the backup's id
    set: str  # what was taken together bears one id
    origin: BackupOrigin
    snapshot: int  # when what is in it was so, Unix seconds, rounded down
    position: str  # of the snapshot, in the engine's own words
    begun: int
    ended: int
    artefact: BackupArtefact
    content: BackupContent
    proof: BackupProof
    tools: tuple[tuple[str, str], ...]  # (pg_dump, 15.18), sorted
    skew: int  # seconds between the first and the last snapshot of the set, rounded up
    previous: Optional[str]  # digest of the attestation of that name before this one: a chain
    since_previous: Optional[int]  # seconds between the two snapshots: the measured recovery point
    binding: Binding
    base: str
    head: str
    result_tree: str
    policy_digest: str
    signer: str
    time: int


Statement = Union[
    SignOffStatement, WaiverStatement, WaiverReviewStatement, VerdictStatement, ReleaseStatement, BackupStatement
]


def binding_key(binding: Binding) -> str:
    """Under what the store keeps evidence of this binding: 64 hex digits."""
    import hashlib

    parts = (binding.kind, binding.repository, binding.target, binding.base or "", binding.object)
    return hashlib.sha256(b"\0".join(part.encode("utf-8", "surrogateescape") for part in parts)).hexdigest()


def store_key(statement: Statement) -> str:
    """Under what the store keeps a statement: its binding, and for a backup its name and its snapshot's day as well.

    However many are taken of one commit of production, no folder is filled by honest work.
    """
    if isinstance(statement, BackupStatement):
        return backup_key(statement.binding, statement.name, statement.snapshot // DAY)
    return binding_key(statement.binding)


def backup_key(binding: Binding, name: str, day: int) -> str:
    """Under what the store keeps attestations of one backup with a snapshot of one day, counted from 1970 in UTC."""
    import hashlib

    return hashlib.sha256(b"\0".join(part.encode() for part in (binding_key(binding), name, str(day)))).hexdigest()


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
    "BackupStatement": "backup",
}
