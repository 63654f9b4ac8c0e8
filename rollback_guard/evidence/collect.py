"""The recorded evidence about one change, verified: what the gate is told of sign-offs and waivers.

Look-up is by binding, so it does not grow with the store; what was signed about earlier heads of the same
branch is looked for too, so that it can be called stale. Whose an envelope is, is left to `evidence.examiner`,
what counts for what to the gate.
"""

from __future__ import annotations

from typing import Optional

from rollback_guard.errors import GuardError
from rollback_guard.evidence.commit_proof import CommitProof
from rollback_guard.evidence.examiner import Examined, Examiner, Terms
from rollback_guard.evidence.keys import keys_of
from rollback_guard.evidence.statement import (
    Binding,
    SignOffStatement,
    WaiverReviewStatement,
    WaiverStatement,
    binding_key,
)
from rollback_guard.evidence.store import Stored, evidence_refs, fetched_at, look_up, look_up_about
from rollback_guard.evidence.subject import Subject, subject_of
from rollback_guard.evidence.verifier import Verifier
from rollback_guard.facts.model import Change, Known, SignedDecision, SignedWaiver, Unknown
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import decode
from rollback_guard.git.repository import Repository
from rollback_guard.policy.model import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollback_guard.evidence.statement import BindingKind

    Wanted = Mapping[str, tuple[BindingKind, ...]]
    from rollback_guard.evidence.backups import Attestations
    from rollback_guard.policy.keys import Key

EXPLAINED = 20  # envelopes about something else whose signatures are verified
UNFETCHED = Unknown(
    "nothing that was signed has been fetched into this clone (guard evidence fetch)", "guard evidence fetch"
)
EARLIER_HEADS = 50  # newest commits of a change about which older evidence is looked for


class EvidenceBook:
    """The evidence of one repository, for as many changes as are judged in one run.

    `later_keys`: whose reviews of waivers count besides, of people whom the policy got to know since. `verifier`:
    one that knows some of the answers already.
    """

    def __init__(
        self, repository: Repository, later_keys: Mapping[bytes, Key] | None = None, *, verifier: Verifier | None = None
    ) -> None:
        self._repository = repository
        self.verifier = verifier or Verifier(repository.git.env)
        self._examiner = Examiner(repository, self.verifier)
        self._refs: tuple[str, ...] | None = None
        self._asked: int | None = None  # when the remotes were last asked in vain, Unix seconds; None: no need to
        self._later_keys = later_keys or {}
        self._attestations: Optional[Attestations] = None

    def about(self, policy: Policy | None, change: Change, *, as_of: int, brought: Policy | None = None) -> Change:
        """The change, with what is recorded about it, and with who proves to have made it where that is asked for.

        `brought` is the policy that the change brings. What it asks for is looked for too, by the keys of the one in
        force: nobody's signature counts because the change that it is about says so.
        """
        if policy is None or not change.production:
            return change
        policies = (policy,) if brought is None else (policy, brought)
        if any(one.production.signed_commits for one in policies):
            change = change._replace(unproven=CommitProof(self._repository, policy, self.verifier).unproven(change))
        asked = any(one.sign_off or one.waiver for one in policies) or bool(policy.backup)
        return self._with_recorded(policy, change, as_of, _wanted(policies)) if asked else change

    def _with_recorded(self, policy: Policy, change: Change, as_of: int, wanted: Wanted) -> Change:
        """The change, with the decisions and waivers that are recorded about it."""
        try:
            if self._refs is None:
                self._refs = evidence_refs(self._repository)
                self._asked = fetched_at(self._repository)
            if not self._refs:
                return self._as_unfetched(change) if _rests_on_signatures(policy) else change
            subject = subject_of(change)
            if isinstance(subject, Unknown):
                return change._replace(decisions=subject, waivers=subject, backups=subject)
            terms = Terms(keys_of(policy), self._later_keys, as_of)
            change = self._with_backups(policy, change, subject, terms)
            return self._collect(policy, change, subject, self._refs, terms, wanted)
        except GuardError as error:
            unknown = Unknown(f"the recorded evidence cannot be read: {error.message}", error.remedy)
            return change._replace(decisions=unknown, waivers=unknown, backups=unknown)

    def _with_backups(self, policy: Policy, change: Change, subject: Subject, terms: Terms) -> Change:
        """The change, with what is attested of backups; while a commit is made nobody asks for them."""
        if not policy.backup or change.stage in ("commit", "merge", "message"):
            return change
        if self._attestations is None:
            from rollback_guard.evidence.backups import Attestations

            self._attestations = Attestations(self._repository, self._examiner, self._refs or ())
        return change._replace(backups=Known(self._attestations.about(policy, change, subject, terms), "evidence"))

    def _as_unfetched(self, change: Change) -> Change:
        """Of what landed after the remotes were last asked, nobody knows here what was signed."""
        messages = change.messages.value if isinstance(change.messages, Known) else ()
        landed = max((one.time or 0 for one in messages if one.bearer == "landing"), default=0)
        if change.stage != "landed" or self._asked is None or landed <= self._asked:
            return change
        return change._replace(decisions=UNFETCHED, waivers=UNFETCHED, backups=UNFETCHED)

    def _collect(
        self, policy: Policy, change: Change, subject: Subject, refs: tuple[str, ...], terms: Terms, wanted: Wanted
    ) -> Change:
        asked = [kind for kinds in wanted.values() for kind in kinds]
        kinds = dict.fromkeys(asked + (["result"] if policy.waiver else []))
        bindings = {kind: subject.binding(kind, self._repository) for kind in kinds}
        opened = self._examiner.read(self._stored(subject, tuple(bindings.values()), refs))
        about_it = set(bindings.values())
        # What is about something else only helps to explain; a few of them do, and a flood costs nobody time.
        others = [one for one in opened if one.statement.binding not in about_it]
        passed_over = {one.id for one in others[EXPLAINED:]}
        examined = self._examiner.examine((one for one in opened if one.id not in passed_over), subject, terms)
        decisions, waivers = [], []
        for one in examined:
            if isinstance(one.statement, SignOffStatement):
                decisions.append(_decision(wanted, one, one.statement, subject, bindings))
            elif isinstance(one.statement, WaiverStatement) and policy.waiver is not None:
                waivers.append(_waiver(one, one.statement, bindings["result"], examined))
        return change._replace(decisions=Known(tuple(decisions), "evidence"), waivers=Known(tuple(waivers), "evidence"))

    def _stored(self, subject: Subject, bindings: tuple[Binding, ...], refs: tuple[str, ...]) -> tuple[Stored, ...]:
        with ObjectReader(self._repository.git) as objects:
            stored: dict[str, Stored] = {}
            for binding in bindings:
                for kind in ("sign-off", "waiver", "waiver-review"):
                    stored.update((one.name, one) for one in look_up(objects, refs, kind, binding_key(binding)))
            earlier = look_up_about(objects, refs, self._heads(subject))
            stored.update((one.name, one) for one in earlier)
        return tuple(stored.values())

    def _heads(self, subject: Subject) -> list[str]:
        """The head and the newest commits below it that the change brings."""
        most = f"--max-count={EARLIER_HEADS}"
        out = self._repository.git.run("rev-list", most, subject.head, f"^{subject.base}", "--").stdout
        return [subject.head, *decode(out).split()]


def _rests_on_signatures(policy: Policy) -> bool:
    """Whether a verdict may need what people signed, and somebody could have."""
    asked = policy.waiver is not None or bool(policy.backup) or any(role.proof != "trailer" for role in policy.sign_off)
    return asked and bool(keys_of(policy))


def _wanted(policies: tuple[Policy, ...]) -> Wanted:
    """What the roles of some policies are bound to, by their names."""
    found: dict[str, tuple[BindingKind, ...]] = {}
    for policy in policies:
        for role in policy.sign_off:
            found[role.role] = tuple(dict.fromkeys((*found.get(role.role, ()), role.binding)))
    return found


def _decision(
    wanted: Wanted,
    examined: Examined,
    statement: SignOffStatement,
    subject: Subject,
    bindings: dict[BindingKind, Binding],
) -> SignedDecision:
    kinds = wanted.get(statement.role, ())
    right = any(statement.binding == bindings[kind] for kind in kinds)
    stale, other_base = ("", False) if right else _staleness(statement, subject, kinds)
    return SignedDecision(
        role=statement.role,
        decision=statement.decision,
        person=examined.person,
        claimed=statement.signer,
        time=statement.time,
        binding=statement.binding.kind,
        digest=examined.digest,
        stale=stale,
        other_base=other_base,
        fault=examined.fault,
        comment=statement.comment,
        source=statement.source,
    )


def _staleness(statement: SignOffStatement, subject: Subject, kinds: tuple[str, ...]) -> tuple[str, bool]:
    """What a statement is about instead, and whether only the base is another one."""
    if statement.binding.repository != subject.repository:
        return f"it was given for {statement.binding.repository}", False
    if statement.binding.target != subject.target:
        return f"it was given for {statement.binding.target.removeprefix('refs/heads/')}", False
    if statement.head == subject.head and statement.base != subject.base:
        branch = subject.target.removeprefix("refs/heads/")
        return f"it was given when {branch} was at {statement.base[:12]}; it is at {subject.base[:12]} now", True
    if not kinds:
        return f"the policy has no role {statement.role}", False
    if statement.binding.kind not in kinds:
        return f"it is bound to the {statement.binding.kind}, and the role asks for the {' or '.join(kinds)}", False
    return f"it was given on commit {statement.head[:12]}, which is not what would land", False


def _waiver(examined: Examined, statement: WaiverStatement, binding: Binding, every: list[Examined]) -> SignedWaiver:
    stale = "" if statement.binding == binding else f"it was given on commit {statement.head[:12]}"
    reviewers = {
        one.person
        for one in every
        if one.person is not None
        and isinstance(one.statement, WaiverReviewStatement)
        and (one.statement.rule, one.statement.binding) == (statement.rule, statement.binding)
        and one.statement.time >= statement.time
    }
    return SignedWaiver(
        rule=statement.rule,
        person=examined.person,
        claimed=statement.signer,
        time=statement.time,
        expires=statement.expires,
        reason=statement.reason,
        incident=statement.incident,
        digest=examined.digest,
        stale=stale,
        fault=examined.fault,
        reviewers=tuple(sorted(reviewers)),
    )
