"""A change with what is recorded about it, and with a look at its backups: facts that others must be asked for.

What is recorded is read by `evidence`, where artefacts lie by `facts`; what counts is left to `gate`.
"""

from __future__ import annotations

from rollback_guard.entry.question import Question
from rollback_guard.facts.model import Change, Known, Unknown
from rollback_guard.facts.policy_source import PolicyFound
from rollback_guard.git.refs import list_refs
from rollback_guard.policy.paths import OURS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.facts.backup_model import Attestation
    from rollback_guard.policy.model import Policy


def brought_policy(found: PolicyFound, change: Change, proposed: PolicyFound) -> Policy | None:
    """The policy that a change brings, where it is another one than the policy in force."""
    touched = isinstance(change.touched, Known) and bool(change.touched.value.governing)
    return proposed.policy if touched and proposed.policy != found.policy else None


def with_evidence(question: Question, policy: Policy | None, change: Change, brought: Policy | None) -> Change:
    """The change, with what people signed of it; where nothing is recorded or asked, nothing is imported either."""
    if policy is None or not change.production:
        return change
    asking = [one for one in (policy, brought) if one is not None]
    proven = any(one.production.signed_commits for one in asking)
    if not proven and not policy.backup and not any(one.sign_off or one.waiver for one in asking):
        return change
    book = question.book
    if book is None:
        if not proven and change.stage != "landed" and not list_refs(question.repository, OURS):
            return change
        from rollback_guard.evidence.collect import EvidenceBook

        book = EvidenceBook(question.repository)
    change = book.about(policy, change, as_of=question.as_of, brought=brought)
    return with_artefacts(question, policy, change) if policy.backup else change


def with_artefacts(question: Question, policy: Policy, change: Change) -> Change:
    """The change, with a look at the artefact of the best backup of each name; of the next ones until one is right."""
    if not isinstance(change.backups, Known) or change.stage == "landed":
        return change
    from rollback_guard.facts.artefact import collect_artefact
    from rollback_guard.gate.backups import counting

    repository = question.repository
    folder = repository.work_tree or repository.common_dir
    seen: dict[tuple[str, str], Attestation] = {}
    for backup, candidates in zip(policy.backup, counting(policy, change, question.as_of), strict=True):
        for one in candidates:
            state = collect_artefact(backup.store, one.file, folder, question.look)
            seen[one.name, one.digest] = one._replace(artefact=state)
            if isinstance(state, Unknown) or (state.value.digest, state.value.size) == (one.file_digest, one.file_size):
                break
    every = tuple(seen.get((one.name, one.digest), one) for one in change.backups.value)
    return change._replace(backups=Known(every, change.backups.source))
