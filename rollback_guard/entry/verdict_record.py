"""A verdict as a signed statement in the store: what `guard check --record` leaves behind.

It is a SLSA verification summary: who looked, by which policy, on which evidence, and what came of it.
It counts for nothing at the gate, which judges anew each time.
"""

from __future__ import annotations

from rollback_guard.entry.proposal import Proposed, bind, require_policy
from rollback_guard.entry.signing import find_signer, now, require_moment, sign_and_record
from rollback_guard.errors import UndeterminedError
from rollback_guard.evidence.statement import VerdictStatement
from rollback_guard.evidence.subject import subject_of
from rollback_guard.facts.model import Known, Unknown
from rollback_guard.gate.verdict import ChangeVerdict


def record_verdict(proposed: Proposed, verdict: ChangeVerdict, key: str | None) -> str:
    """Sign and record the verdict on a change; the hex digest that is the statement's id.

    Raises: UndeterminedError when it is not known what would land; RefusedError when the key is nobody's; otherwise
    as `signing.sign_and_record`.
    """
    policy = require_policy(proposed)
    subject = subject_of(proposed.change)
    if isinstance(subject, Unknown):
        raise UndeterminedError(f"the verdict cannot be recorded: {subject.reason}", remedy=subject.remedy)
    repository = proposed.question.repository
    signer = find_signer(repository, policy, key)
    moment = now()
    require_moment(signer.key, subject, moment)
    statement = VerdictStatement(
        decision=verdict.decision,
        binding=bind(proposed, subject, "result"),
        base=subject.base,
        head=subject.head,
        result_tree=subject.result_tree,
        policy_digest=str(verdict.policy.digest),
        signer=signer.key.person,
        time=moment,
        policy_uri=_policy_uri(subject.repository, verdict),
        rules=tuple(sorted((outcome.rule, outcome.answer) for outcome in verdict.outcomes)),
        inputs=_inputs(proposed),
    )
    return sign_and_record(repository, statement, signer, f"verdict {verdict.decision}")


def _policy_uri(repository: str, verdict: ChangeVerdict) -> str:
    """Where the policy stands that judged. Source: SPDX, package download location of a file in git."""
    scheme = "git+file://" if repository.startswith("/") else "git+https://"
    return f"{scheme}{repository}@{verdict.policy.commit}#{verdict.policy.path}"


def _inputs(proposed: Proposed) -> tuple[str, ...]:
    """The envelopes that the gate was told of."""
    change = proposed.change
    found = {one.digest for one in change.decisions.value} if isinstance(change.decisions, Known) else set()
    if isinstance(change.waivers, Known):
        found |= {one.digest for one in change.waivers.value}
    return tuple(sorted(found))
