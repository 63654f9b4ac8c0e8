"""The recorded evidence about one change, verified: what the gate is told of sign-offs and waivers.

Look-up is by binding, so it does not grow with the store; what was signed about earlier heads of the same
branch is looked for too, so that it can be called stale. Signatures are checked against the keys of the
policy that judges, as they counted when the statement says that it was signed, and that moment must lie
after what was signed. What counts for what is left to the gate.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Union

from rollback_guard.errors import GuardError
from rollback_guard.evidence.canonical import FormatError
from rollback_guard.evidence.commit_proof import CommitProof
from rollback_guard.evidence.envelope import pae, read_envelope, signature_of
from rollback_guard.evidence.keys import fault_at, keys_of
from rollback_guard.evidence.statement import (
    PAYLOAD_TYPE,
    Binding,
    SignOffStatement,
    WaiverStatement,
    binding_key,
    namespace_of,
    read_statement,
)
from rollback_guard.evidence.store import Stored, evidence_refs, look_up, look_up_about
from rollback_guard.evidence.subject import Subject, subject_of
from rollback_guard.evidence.verifier import Check, Verifier
from rollback_guard.facts.model import Change, Known, SignedDecision, SignedWaiver, Unknown
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import decode
from rollback_guard.git.refs import is_ancestor, resolve_commit
from rollback_guard.git.repository import Repository
from rollback_guard.policy.keys import Key
from rollback_guard.policy.model import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.evidence.statement import BindingKind

DAY = 86400  # seconds; clocks may differ by this much
EXPLAINED = 20  # envelopes about something else whose signatures are verified
EARLIER_HEADS = 50  # newest commits of a change about which older evidence is looked for


class Envelope(NamedTuple):
    """One envelope that could be read, and the key of a person whose signature it claims to bear, if any."""

    statement: Union[SignOffStatement, WaiverStatement]
    digest: str
    fault: str  # why it cannot count, as far as that is seen without ssh-keygen
    check: Optional[Check]
    key: Optional[Key]


class EvidenceBook:
    """The evidence of one repository, for as many changes as are judged in one run."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._verifier = Verifier(repository.git.env)
        self._refs: tuple[str, ...] | None = None
        self._dates: dict[str, int | None] = {}
        self._read: dict[str, tuple[SignOffStatement | WaiverStatement, bytes, bytes, str] | None] = {}

    def about(self, policy: Policy | None, change: Change, *, as_of: int) -> Change:
        """The change, with what is recorded about it, and with who proves to have made it where that is asked for."""
        if policy is None or not change.production:
            return change
        if policy.production.signed_commits:
            change = change._replace(unproven=CommitProof(self._repository, policy, self._verifier).unproven(change))
        return self._with_recorded(policy, change, as_of) if policy.sign_off or policy.waiver else change

    def _with_recorded(self, policy: Policy, change: Change, as_of: int) -> Change:
        """The change, with the decisions and waivers that are recorded about it."""
        try:
            if self._refs is None:
                self._refs = evidence_refs(self._repository)
            if not self._refs:
                return change
            subject = subject_of(change)
            if isinstance(subject, Unknown):
                return change._replace(decisions=subject, waivers=subject)
            return self._collect(policy, change, subject, self._refs, as_of)
        except GuardError as error:
            unknown = Unknown(f"the recorded evidence cannot be read: {error.message}", error.remedy)
            return change._replace(decisions=unknown, waivers=unknown)

    def _collect(self, policy: Policy, change: Change, subject: Subject, refs: tuple[str, ...], as_of: int) -> Change:
        git = self._repository.git
        kinds = dict.fromkeys([role.binding for role in policy.sign_off] + (["result"] if policy.waiver else []))
        bindings = {kind: subject.binding(kind, self._repository) for kind in kinds}
        with ObjectReader(git) as objects:
            stored: dict[str, Stored] = {}
            for binding in bindings.values():
                for kind in ("sign-off", "waiver"):
                    stored.update((one.name, one) for one in look_up(objects, refs, kind, binding_key(binding)))
            earlier = look_up_about(objects, refs, self._heads(subject))
            stored.update((one.name, one) for one in earlier)
        keys = keys_of(policy)
        as_of = _moment(change, as_of)
        envelopes = [
            found for _, one in sorted(stored.items()) if (found := self._open(one, keys, subject, as_of)) is not None
        ]
        about_it = set(bindings.values())
        others = [one for one in envelopes if one.statement.binding not in about_it]
        # What is about something else only helps to explain; a few of them do, and a flood costs nobody time.
        passed_over = set(map(id, others[EXPLAINED:]))
        envelopes = [one for one in envelopes if id(one) not in passed_over]
        checks = [one.check for one in envelopes if one.check is not None and not one.fault]
        good = dict(zip(map(id, checks), self._verifier.verify(checks), strict=True))
        decisions, waivers = [], []
        for one in envelopes:
            fault = one.fault or ("" if good.get(id(one.check)) else "the signature does not verify")
            if isinstance(one.statement, SignOffStatement):
                decisions.append(_decision(policy, one.statement, one, fault, subject, bindings))
            elif policy.waiver is not None:
                waivers.append(_waiver(one.statement, one, fault, subject, bindings["result"]))
        return change._replace(decisions=Known(tuple(decisions), "evidence"), waivers=Known(tuple(waivers), "evidence"))

    def _heads(self, subject: Subject) -> list[str]:
        """The head and the newest commits below it that the change brings."""
        most = f"--max-count={EARLIER_HEADS}"
        out = self._repository.git.run("rev-list", most, subject.head, f"^{subject.base}", "--").stdout
        return [subject.head, *decode(out).split()]

    def _open(self, stored: Stored, keys: dict[bytes, Key], subject: Subject, as_of: int) -> Envelope | None:
        """An envelope taken apart; None for one that cannot be read, or that says something else."""
        if stored.name not in self._read:
            self._read[stored.name] = _take_apart(stored.data)
        parts = self._read[stored.name]
        if parts is None:
            return None
        statement, payload, sig, wrong = parts
        digest = stored.name.removesuffix(".json")
        if wrong:
            return Envelope(statement, digest, wrong, None, None)
        key = keys.get(signature_of(read_envelope(stored.data)).public_key)
        if key is None:
            return Envelope(statement, digest, "it is made with a key that nobody of the policy has", None, None)
        check = Check(data=pae(PAYLOAD_TYPE, payload), blob=sig, namespace=namespace_of(statement), key=key)
        fault = _fault(statement, key, as_of) or self._before_its_base(statement, subject)
        return Envelope(statement, digest, fault, check, key)

    def _before_its_base(self, statement: SignOffStatement | WaiverStatement, subject: Subject) -> str:
        """Why a statement's date cannot be true, or "": nobody signs what did not exist yet.

        The base is a commit of production, which nobody who brings a change can date back; its head they can.
        """
        if subject.begun is not None and statement.head == subject.head and statement.time < subject.begun - DAY:
            return "it is dated before the commit that it is about was made"
        base = statement.base
        if base not in self._dates:
            known = base == subject.base or resolve_commit(self._repository, base) == base
            here = known and (base == subject.base or is_ancestor(self._repository, base, subject.base))
            dated = self._repository.git.text("log", "-1", "--format=%ct", base, "--") if here else ""
            self._dates[base] = int(dated) if dated.isdigit() else None
        begun = self._dates[base]
        if begun is None:
            return f"it was given on a base that {subject.target.removeprefix('refs/heads/')} never had"
        return "it is dated before what it was given on was there" if statement.time < begun - DAY else ""


def _moment(change: Change, as_of: int) -> int:
    """When it is judged: a merge that landed, as of when it was made, so that nothing said later (un)makes it.

    Any other commit that landed was made before anybody signed it.
    """
    merges = isinstance(change.landings, Known) and any(landing.heads for landing in change.landings.value)
    if change.stage != "landed" or not merges or not isinstance(change.messages, Known):
        return as_of
    times = [one.time for one in change.messages.value if one.bearer == "landing" and one.time is not None]
    return min([as_of, *times])


def _take_apart(data: bytes) -> tuple[SignOffStatement | WaiverStatement, bytes, bytes, str] | None:
    """Statement, payload, signature, and what is wrong with the signature's form."""
    try:
        envelope = read_envelope(data)
        statement = read_statement(envelope.payload)
    except FormatError:
        return None
    if not isinstance(statement, (SignOffStatement, WaiverStatement)):
        return None
    try:
        signature_of(envelope)
    except FormatError as fault:
        return statement, envelope.payload, envelope.sig, f"the envelope {fault.reason}"
    return statement, envelope.payload, envelope.sig, ""


def _fault(statement: SignOffStatement | WaiverStatement, key: Key, as_of: int) -> str:
    """Why a signature by that key does not count, whatever ssh-keygen says of it."""
    if statement.signer != key.person:
        return f"it is signed with a key of {key.person}"
    if statement.time > as_of + DAY:
        return "it is dated in the future"
    return fault_at(key, statement.time)


def _decision(
    policy: Policy,
    statement: SignOffStatement,
    envelope: Envelope,
    fault: str,
    subject: Subject,
    bindings: dict[BindingKind, Binding],
) -> SignedDecision:
    wanted = {role.role: role.binding for role in policy.sign_off}.get(statement.role)
    right = wanted is not None and statement.binding == bindings[wanted]
    stale, other_base = ("", False) if right else _staleness(statement, subject, wanted)
    return SignedDecision(
        role=statement.role,
        decision=statement.decision,
        person=envelope.key.person if envelope.key is not None and not fault else None,
        claimed=statement.signer,
        time=statement.time,
        binding=statement.binding.kind,
        digest=envelope.digest,
        stale=stale,
        other_base=other_base,
        fault=fault,
        comment=statement.comment,
    )


def _staleness(statement: SignOffStatement, subject: Subject, wanted: str | None) -> tuple[str, bool]:
    """What a statement is about instead, and whether only the base is another one."""
    if statement.binding.repository != subject.repository:
        return f"it was given for {statement.binding.repository}", False
    if statement.binding.target != subject.target:
        return f"it was given for {statement.binding.target.removeprefix('refs/heads/')}", False
    if statement.head == subject.head and statement.base != subject.base:
        branch = subject.target.removeprefix("refs/heads/")
        return f"it was given when {branch} was at {statement.base[:12]}; it is at {subject.base[:12]} now", True
    if statement.binding.kind != wanted:
        return f"it is bound to the {statement.binding.kind}, and the role asks for the {wanted}", False
    return f"it was given on commit {statement.head[:12]}, which is not what would land", False


def _waiver(
    statement: WaiverStatement, envelope: Envelope, fault: str, subject: Subject, binding: Binding
) -> SignedWaiver:
    stale = "" if statement.binding == binding else f"it was given on commit {statement.head[:12]}"
    return SignedWaiver(
        rule=statement.rule,
        person=envelope.key.person if envelope.key is not None and not fault else None,
        claimed=statement.signer,
        time=statement.time,
        expires=statement.expires,
        reason=statement.reason,
        incident=statement.incident,
        digest=envelope.digest,
        stale=stale,
        fault=fault,
    )
