"""Whether revert commits are signed, and whether such a signature would count by the policy."""

from __future__ import annotations

from rollback_guard.entry.wiring import say
from rollback_guard.git.process import Git
from rollback_guard.git.repository import Repository
from rollback_guard.release.writing import Signing, wants_signatures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.policy.model import Policy

MANY = 50  # commits: somebody may have to touch a key for each


def signing_for(repository: Repository, policy: Policy | None, count: int) -> Signing | None:
    """How new commits are signed: where the policy asks for it, by a key that it lists; else as git is set here."""
    if not wants_signatures(repository, policy):
        return None
    if count > MANY:
        say(f"note: {count:,} commits are signed one by one; --mode single writes one", err=True)

    def check(git: Git, commit: str) -> str:
        if policy is None or not policy.production.signed_commits:
            return ""
        from rollback_guard.evidence.commit_proof import CommitProof
        from rollback_guard.evidence.verifier import Verifier

        proof = CommitProof(repository._replace(git=git), policy, Verifier(repository.git.env))
        return proof.fault_of(commit)

    return Signing(check=check)
