"""RG404 where a stable release is tagged: nothing that production took back may be in it.

Which reverts hold is found in `git.missing_reverts`; what a server makes of a tag that is sent is the gate's to say.
"""

from __future__ import annotations

from rollback_guard.errors import RefusedError, UndeterminedError
from rollback_guard.git.history_chain import on_chain
from rollback_guard.git.missing_reverts import Missing, find_missing_reverts
from rollback_guard.git.refs import HEADS, REMOTES, list_refs, short_branch
from rollback_guard.git.repository import Repository
from rollback_guard.policy.model import Policy
from rollback_guard.policy.patterns import matches_any

SHOWN = 3  # commits that a refusal names


def require_no_missing_reverts(
    repository: Repository, policy: Policy | None, scratch_folder: str, *, commit: str, branch: str, tip: str
) -> None:
    """Refuse to call a commit stable that holds what a production branch took back.

    `branch` and `tip` are the branch that it is tagged on; other production branches of the policy count as well, here
    and as last seen on remotes. Raises: RefusedError; UndeterminedError in a shallow clone.
    """
    if repository.shallow:
        raise UndeterminedError(
            "RG404 missing-revert: this clone is shallow, so what production reverted may not be here",
            remedy="git fetch --unshallow --tags",
        )
    branches = ((branch, tip), *production_tips(repository, policy))
    found = find_missing_reverts(repository, commit, branches, scratch_folder)
    if found:
        raise _refusal(repository, commit, found, tip)


def production_tips(repository: Repository, policy: Policy | None) -> tuple[tuple[str, str], ...]:
    """Short name and commit of every production branch, here and as last seen on remotes."""
    patterns = policy.production.branches if policy is not None else ()
    tips = ((short_branch(ref.name), ref.commit) for ref in list_refs(repository, HEADS, REMOTES))
    return tuple(dict.fromkeys((name, tip) for name, tip in tips if tip and matches_any(patterns, name)))


def _refusal(repository: Repository, commit: str, found: tuple[Missing, ...], tip: str) -> RefusedError:
    named = "; ".join(
        f'{one.branch} reverted {one.commit[:12]} "{one.subject}" by {one.revert[:12]}' for one in found[:SHOWN]
    )
    more = f"; and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    if all(on_chain(repository.git, one.revert, tip) for one in found):
        remedy = f"guard release {found[0].revert[:12]}   # or a later commit, which has the revert"
    else:
        remedy = f"git cherry-pick {found[-1].revert[:12]}   # onto the branch, have it signed off, and tag that"
    return RefusedError(
        f"RG404 missing-revert: {commit[:12]} still has what was reverted on production: {named}{more}", remedy=remedy
    )
