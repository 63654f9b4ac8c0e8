"""Who made a way back, proven: asked for only where a role of the policy asks for more than trailers.

A name in a commit is anybody's to write, and a way back needs no sign-off; so its last commit, which holds all others
in its history, must bear the signature of whoever committed it.
"""

from __future__ import annotations

from rollback_guard.errors import GuardError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.entry.question import Question
    from rollback_guard.facts.model import Change
    from rollback_guard.policy.model import Policy


def with_proof(question: Question, policy: Policy | None, change: Change) -> Change:
    """The change, with why nobody proves to have made its way back, if that is so."""
    back = change.restoration
    if back is None or policy is None or change.head is None or all(one.proof == "trailer" for one in policy.sign_off):
        return change
    from rollback_guard.evidence.commit_proof import CommitProof
    from rollback_guard.evidence.verifier import Verifier

    try:
        proof = CommitProof(question.repository, policy, Verifier(question.repository.git.env))
        fault = proof.fault_of(change.head)
    except GuardError as error:
        fault = error.message
    return change._replace(restoration=back._replace(unproven=fault))
