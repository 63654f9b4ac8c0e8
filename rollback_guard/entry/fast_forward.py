"""Commits that landed together by a fast-forward, judged as the one change that they were.

One by one, only the last of them bears what was signed. Where evidence or a server's log says from where the branch
came, they are judged together as well, and of the two verdicts the better one counts: what was signed as a whole was
looked at as a whole. Only signatures that verify say that; and where one of them, or a log, says that the branch stood
somewhere in between, these commits did not land together.
"""

from __future__ import annotations

from rollback_guard.entry.judge import evaluate
from rollback_guard.entry.key_ring import GOOD, KeyRing
from rollback_guard.entry.waivers import makers_between
from rollback_guard.errors import GuardError, PolicyError
from rollback_guard.evidence.opened import Opened, open_envelope
from rollback_guard.evidence.statement import WaiverStatement
from rollback_guard.evidence.store import evidence_refs, look_up_about
from rollback_guard.facts.fast_forward import MOST, collect_together, plain_chain, stood_before
from rollback_guard.facts.model import Known
from rollback_guard.facts.policy_source import read_policy_at
from rollback_guard.gate.verdict import WORTH
from rollback_guard.git.objects import ObjectReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.entry.question import Question
    from rollback_guard.evidence.statement import Statement
    from rollback_guard.facts.history import Landed
    from rollback_guard.facts.landed import Setting
    from rollback_guard.facts.landings import Chain
    from rollback_guard.gate.verdict import ChangeVerdict

MOST_TRIED = 8  # bases of one head: each is a change to be judged


class FastForwards:
    """The fast-forwards of one branch. Commits come newest first, as an audit reads them."""

    def __init__(self, question: Question, setting: Setting, objects: ObjectReader, recorded: frozenset[str]) -> None:
        self._question = question
        self._setting = setting
        self._objects = objects
        # A clone's log of what its remote has holds jumps over several landings; a server's own holds each.
        self._recorded = recorded if question.repository.bare else frozenset()
        self._stood = recorded
        self._ring = KeyRing(question)
        self._said: dict[str, dict[str, set[str]]] = {}
        try:
            self._refs = evidence_refs(question.repository)
        except GuardError:  # said where the evidence is read
            self._refs = ()
        self._together: dict[str, ChangeVerdict] = {}

    def better(self, landed: Landed, alone: ChangeVerdict) -> ChangeVerdict:
        """The verdict that counts for a commit that was judged alone."""
        if alone.decision == "allow" or len(landed.parents) != 1:
            return alone
        for base in self._bases(landed):
            chain = plain_chain(self._question.repository, base, landed.commit)
            verdict = self._judge(landed, base) if chain and not self._disproved(chain) else None
            if verdict is not None:
                for link in chain:
                    self._keep(link.commit, verdict)
        together = self._together.get(landed.commit)
        if together is None or WORTH[together.decision] < WORTH[alone.decision]:
            return alone
        return together

    def _keep(self, commit: str, verdict: ChangeVerdict) -> None:
        known = self._together.get(commit)
        if known is None or WORTH[known.decision] < WORTH[verdict.decision]:
            self._together[commit] = verdict

    def ends_at(self, commit: str) -> bool:
        """Whether something says that the branch came to a commit from further below than its parent."""
        return bool(self._said_of(commit)) or commit in self._recorded

    def _disproved(self, chain: Chain) -> bool:
        """Whether the branch is known to have stood at one of these commits before it came to the last of them."""
        between = {link.commit for link in chain[:-1]}
        if between & self._stood:
            return True
        said = [self._said_of(link.commit) for link in chain]
        claims = {signer for bases in said for base in between & bases.keys() for signer in bases[base]}
        policy = read_policy_at(self._objects, chain[0].parents[0]).policy if claims else None
        if policy is None:
            return False
        makers = makers_between(self._question, policy, chain[0].parents[0], chain[-1].commit)
        return bool(claims - (makers.value if isinstance(makers, Known) else frozenset()))

    def _said_of(self, commit: str) -> dict[str, set[str]]:
        """The bases on which that head was signed, each with who signed, of those who may, as far as they verify."""
        if commit not in self._said:
            self._said[commit] = self._read_said(commit)
        return self._said[commit]

    def _read_said(self, commit: str) -> dict[str, set[str]]:
        try:
            about = look_up_about(self._objects, self._refs, [commit]) if self._refs else ()
            every = [one for one in (open_envelope(stored.data) for stored in about) if isinstance(one, Opened)]
            mine = [one for one in every if self._is_about(one)]
            said = self._ring.judge(mine)
        except GuardError:  # the verdict on that commit says that its evidence cannot be read
            return {}
        found: dict[str, set[str]] = {}
        for one, fault in zip(mine, said, strict=True):
            if fault == GOOD and self._may(one.statement):
                found.setdefault(one.statement.base, set()).add(one.statement.signer)
        return found

    def _is_about(self, opened: Opened) -> bool:
        return opened.statement.binding.target == self._setting.target

    def _may(self, statement: Statement) -> bool:
        """Whether a statement is one of somebody who decides: any listed key could sign others."""
        policy = self._ring.policy_of(statement)
        if policy is None:
            return False
        if isinstance(statement, WaiverStatement):
            return policy.waiver is not None and statement.signer in policy.members_of(policy.waiver.by)
        role = getattr(statement, "role", None)
        return any(one.role == role and statement.signer in policy.members_of(one.by) for one in policy.sign_off)

    def _bases(self, landed: Landed) -> list[str]:
        """Where the branch may have stood before it came to a commit, by what was signed about that, or by its log."""
        found = dict.fromkeys(self._said_of(landed.commit))
        stood = stood_before(self._question.repository, self._recorded, landed.commit)
        if stood is not None:
            found[stood] = None
        found.pop(landed.parents[0], None)
        return list(found)[-MOST_TRIED:]

    def _judge(self, landed: Landed, base: str) -> ChangeVerdict | None:
        question = self._question
        policy = read_policy_at(self._objects, base)
        collected = collect_together(self._setting, question.around, landed, policy.policy, base)
        try:
            return evaluate(question, policy, collected.change, collected.proposed)
        except PolicyError:  # that commit's own verdict says it
            return None


def newest_together(question: Question, setting: Setting, recorded: frozenset[str], commit: str, tip: str) -> str:
    """The newest commit above one that may have landed together with it: `commit` itself where nothing says so."""
    repository = question.repository
    lines = repository.git.text("rev-list", "--first-parent", "--parents", f"{commit}..{tip}", "--").split("\n")
    run = []
    for line in reversed(lines[-MOST:]):
        oid, *parents = line.split(" ")
        if len(parents) != 1:
            break
        run.append(oid)
    with ObjectReader(repository.git) as objects:
        forwards = FastForwards(question, setting, objects, recorded)
        return next((oid for oid in reversed(run) if forwards.ends_at(oid)), commit)
