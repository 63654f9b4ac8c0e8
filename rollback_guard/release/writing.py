"""Writing commits into a quarantine, signed where that is asked for.

Whether a signature would count for anybody is left to whoever asks for it.
"""

from __future__ import annotations

from typing import Callable, NamedTuple

from rollback_guard.git.fast_import import NewCommit, Quarantine, write_commits
from rollback_guard.git.process import Git
from rollback_guard.git.repository import Repository, read_config
from rollback_guard.git.signed_commits import write_signed_commits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollback_guard.policy.model import Policy


class Signing(NamedTuple):
    """Commits are to be signed as git is set here. `check` says of one why its signature would not count, or ""."""

    check: Callable[[Git, str], str]


def wants_proof(policy: Policy) -> bool:
    """Whether the gate takes a way back without sign-offs only when it is signed."""
    return policy.release.signed and any(role.proof != "trailer" for role in policy.sign_off)


def wants_signatures(repository: Repository, policy: Policy | None) -> bool:
    """Whether new commits are to be signed: by the policy, or because git is set so.

    Where a role asks for more than trailers, a way back counts only if it is signed; without a key it is written all
    the same, and the gate judges it like any other change.
    """
    if policy is not None and policy.production.signed_commits:
        return True
    if policy is not None and wants_proof(policy):
        return bool(read_config(repository, r"^user\.signingkey$"))
    said = repository.git.run("config", "--type=bool", "--get", "commit.gpgSign", accept=(0, 1))
    return said.stdout.strip() == b"true"


def write(quarantine: Quarantine, parent: str, commits: Iterable[NewCommit], signing: Signing | None) -> str:
    """Write commits on top of one another, the first on `parent`; the oid of the last. Raises: as the writers do."""
    if signing is None:
        return write_commits(quarantine, parent, commits)
    return write_signed_commits(quarantine, parent, commits, lambda oid: signing.check(quarantine.git, oid))
