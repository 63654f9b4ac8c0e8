"""The waivers that are recorded, one for each rule and change, with who signed and who looked at it afterwards.

`guard doctor` names those that expired unreviewed, `guard waive --review` records a review. What a waiver lets pass
is left to the gate.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.entry.key_ring import GOOD, KeyRing
from rollback_guard.evidence.opened import Opened, open_envelope
from rollback_guard.evidence.statement import Binding, WaiverReviewStatement, WaiverStatement, binding_key
from rollback_guard.evidence.store import evidence_refs, list_all, look_up
from rollback_guard.facts.installation_model import WaiverSeen
from rollback_guard.git.history_chain import on_chain, tree_of
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import decode
from rollback_guard.git.refs import resolve_commit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.entry.question import Question


class Waived(NamedTuple):
    """What several people signed alike: an exception from one rule for one change. Only signatures that verify."""

    rule: str
    binding: Binding
    signed: tuple[WaiverStatement, ...]  # the earliest first
    ids: tuple[str, ...]  # of their envelopes, sorted
    reviewers: tuple[str, ...]  # people who did not sign it

    @property
    def expires(self) -> int:
        """When the last of the signatures stops counting, Unix seconds."""
        return max(one.expires for one in self.signed)


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
    for (rule, binding), pairs in sorted(by_rule.items()):
        signed = tuple(sorted((statement for statement, _ in pairs), key=lambda one: (one.time, one.signer)))
        ids = tuple(sorted(identity for _, identity in pairs))
        reviews = _reviews(question, ring, binding)
        signers = {one.signer for one in signed}
        looked = {one.signer for one in reviews if one.rule == rule and set(ids) <= set(one.waivers)}
        yield Waived(rule=rule, binding=binding, signed=signed, ids=ids, reviewers=tuple(sorted(looked - signers)))


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


def find_unreviewed(question: Question) -> tuple[WaiverSeen, ...]:
    """The waivers that expired and that nobody else has looked at, those that expired first first."""
    ring = KeyRing(question)
    found = [
        WaiverSeen(
            id=one.ids[0],
            rule=one.rule,
            target=one.binding.target,
            head=one.signed[0].head,
            signers=tuple(sorted({each.signer for each in one.signed})),
            expired=one.expires,
            reason=one.signed[0].reason,
            incident=one.signed[0].incident,
            landed=_landed(question, ring, one.signed[0]),
        )
        for one in read_waived(question, ring)
        if one.expires <= question.as_of and not one.reviewers
    ]
    return tuple(sorted(found, key=lambda one: (one.expired, one.id)))


def _landed(question: Question, ring: KeyRing, statement: WaiverStatement) -> bool:
    """Whether production went from the waiver's base to its result."""
    repository, base = question.repository, statement.base
    tip = ring.tip(statement.binding.target)
    if tip is None or resolve_commit(repository, base) != base or not on_chain(repository.git, base, tip):
        return False
    chain = decode(repository.git.run("rev-list", "--first-parent", f"{base}..{tip}", "--").stdout).split()
    return bool(chain) and tree_of(repository.git, chain[-1]) == statement.result_tree
