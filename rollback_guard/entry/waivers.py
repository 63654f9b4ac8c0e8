"""The waivers that are recorded, one for each rule and change, with who signed and who looked at it afterwards.

`guard doctor` names those that expired unreviewed, `guard waive --review` records a review. What a waiver lets pass
is left to the gate.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.entry.key_ring import GOOD, KeyRing
from rollback_guard.errors import GuardError
from rollback_guard.evidence.opened import Opened, open_envelope
from rollback_guard.evidence.statement import Binding, WaiverReviewStatement, WaiverStatement, binding_key
from rollback_guard.evidence.store import evidence_refs, list_all, look_up
from rollback_guard.facts.installation_model import WaiverSeen
from rollback_guard.facts.mailmap import Mailmaps
from rollback_guard.facts.model import Known, Unknown
from rollback_guard.facts.survey import walk_range
from rollback_guard.gate.people import makers_of
from rollback_guard.git.history_chain import on_chain
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import decode
from rollback_guard.git.refs import resolve_commit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.entry.question import Question
    from rollback_guard.facts.model import Fact
    from rollback_guard.policy.model import Policy

MOST = 500  # commits that may have landed together by a fast-forward


class Waived(NamedTuple):
    """What several people signed alike: an exception from one rule for one change. Only signatures that verify."""

    rule: str
    binding: Binding
    signed: tuple[WaiverStatement, ...]  # the earliest first
    ids: tuple[str, ...]  # of their envelopes, sorted
    reviews: tuple[WaiverReviewStatement, ...]  # by whomever, of the same exception; each after all of these
    policy: Optional[Policy]  # by which it counted

    @property
    def expires(self) -> int:
        """When the last of the signatures stops counting, Unix seconds."""
        return max(one.expires for one in self.signed)

    @property
    def signers(self) -> frozenset[str]:
        """Ids of the people who signed it."""
        return frozenset(one.signer for one in self.signed)

    @property
    def counted(self) -> bool:
        """Whether as many of those who may waive had signed as the policy asks for."""
        terms = self.policy.waiver if self.policy is not None else None
        if self.policy is None or terms is None:
            return False
        return len(self.signers & self.policy.members_of(terms.by)) >= terms.count


def read_waived(question: Question, ring: KeyRing) -> Iterator[Waived]:
    """Everything that is waived here, change by change. Raises: GuardError when the store cannot be read."""
    found: dict[str, list[Opened]] = {}
    for listed in list_all(question.repository, kind="waiver"):
        opened = open_envelope(listed.stored.data)
        if isinstance(opened, Opened) and isinstance(opened.statement, WaiverStatement):
            found.setdefault(listed.key, []).append(opened)
    for opened_here in found.values():
        yield from waived_of(question, ring, opened_here)


def waived_of(question: Question, ring: KeyRing, opened: list[Opened]) -> Iterator[Waived]:
    """The waivers among envelopes about one binding, by rule."""
    good = [one for one, said in zip(opened, ring.judge(opened), strict=True) if said == GOOD]
    by_rule: dict[tuple[str, Binding], list[tuple[WaiverStatement, str]]] = {}
    for one in good:
        if isinstance(one.statement, WaiverStatement):
            by_rule.setdefault((one.statement.rule, one.statement.binding), []).append((one.statement, one.id))
    for (rule, binding), every in sorted(by_rule.items()):
        policy = ring.policy_of(every[0][0])
        pairs = [pair for pair in every if _could_count(question, policy, pair[0])]
        if not pairs:
            continue
        signed = tuple(sorted((statement for statement, _ in pairs), key=lambda one: (one.time, one.signer)))
        looked = (
            one for one in _reviews(question, ring, binding) if (one.rule, one.time >= signed[-1].time) == (rule, True)
        )
        yield Waived(
            rule=rule,
            binding=binding,
            signed=signed,
            ids=tuple(sorted(identity for _, identity in pairs)),
            reviews=tuple(looked),
            policy=policy,
        )


def _could_count(question: Question, policy: Policy | None, statement: WaiverStatement) -> bool:
    """Whether the gate would count it in time: anybody with a key can sign more, that last for ever."""
    terms = policy.waiver if policy is not None else None
    if policy is None or terms is None or statement.signer not in policy.members_of(terms.by):
        return False
    if statement.expires - statement.time > terms.max_age:
        return False
    makers = makers_between(question, policy, statement.base, statement.head)
    return isinstance(makers, Unknown) or statement.signer not in makers.value


def _reviews(question: Question, ring: KeyRing, binding: Binding) -> list[WaiverReviewStatement]:
    repository = question.repository
    with ObjectReader(repository.git) as objects:
        stored = look_up(objects, evidence_refs(repository), "waiver-review", binding_key(binding))
    opened = [one for one in map(open_envelope, (one.data for one in stored)) if isinstance(one, Opened)]
    return [
        one.statement
        for one, said in zip(opened, ring.judge(opened), strict=True)
        if said == GOOD and isinstance(one.statement, WaiverReviewStatement) and one.statement.binding == binding
    ]


def makers_of_waived(question: Question, policy: Policy, waived: Waived) -> Fact[frozenset[str]]:
    """Ids of the people who made what was let pass, by the base's .mailmap too."""
    return makers_between(question, policy, waived.signed[0].base, waived.signed[0].head)


def makers_between(question: Question, policy: Policy, base: str, head: str) -> Fact[frozenset[str]]:
    """Ids of the people who made what lies between two commits, by the base's .mailmap too."""
    repository = question.repository
    try:
        survey = walk_range(repository, [head, f"^{base}"], keys=frozenset(), counting=()).survey
        with ObjectReader(repository.git) as objects:
            survey = Mailmaps(repository).apply(survey, base, objects)
    except GuardError as error:
        return Unknown(error.message, "git fetch --all")
    return survey if isinstance(survey, Unknown) else Known(makers_of(policy, survey.value).people, survey.source)


def find_unreviewed(question: Question) -> tuple[WaiverSeen, ...]:
    """The waivers that counted, expired, and that nobody else has looked at, those that expired first first."""
    ring = KeyRing(question)
    found = [
        WaiverSeen(
            id=one.ids[0],
            rule=one.rule,
            target=one.binding.target,
            head=one.signed[0].head,
            signers=tuple(sorted(one.signers)),
            expired=one.expires,
            reason=one.signed[0].reason,
            incident=one.signed[0].incident,
            landed=has_landed(question, ring, one.signed[0]),
        )
        for one in read_waived(question, ring)
        if one.expires <= question.as_of and one.counted and not _is_reviewed(question, one)
    ]
    return tuple(sorted(found, key=lambda one: (one.expired, one.id)))


def _is_reviewed(question: Question, waived: Waived) -> bool:
    """Whether somebody reviewed it who neither signed it nor made the change."""
    others = {one.signer for one in waived.reviews} - waived.signers
    if not others or waived.policy is None:
        return False
    makers = makers_of_waived(question, waived.policy, waived)
    return bool(others - makers.value) if isinstance(makers, Known) else True  # who made it is not known here


def has_landed(question: Question, ring: KeyRing, statement: WaiverStatement) -> bool:
    """Whether production went from the waiver's base to its result: by one commit, or by several plain ones at once."""
    repository, base = question.repository, statement.base
    tip = ring.tip(statement.binding.target)
    if tip is None or resolve_commit(repository, base) != base or not on_chain(repository.git, base, tip):
        return False
    out = decode(repository.git.run("log", "--first-parent", "--format=%T %P", f"{base}..{tip}", "--").stdout)
    for number, line in enumerate(reversed(out.splitlines()[-MOST:])):
        tree, *parents = line.split(" ")
        if len(parents) != 1 and number:
            return False
        if tree == statement.result_tree:
            return True
    return False
