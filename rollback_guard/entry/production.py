"""Which branch `guard release` and `guard revert` are about, where it is now, and the policy that it holds."""

from __future__ import annotations

import shlex
from typing import NamedTuple, Optional

from rollback_guard.entry.target import names_of
from rollback_guard.errors import PolicyError, UsageError
from rollback_guard.facts.policy_source import (
    is_production,
    literal_branches,
    policies_for,
    read_policy_at,
)
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import HEADS, REMOTES, list_refs
from rollback_guard.git.repository import Repository, current_branch
from rollback_guard.policy.model import Policy
from rollback_guard.policy.paths import DEFAULT_BRANCHES


class Production(NamedTuple):
    """A branch: its short name, the ref that tells where it is, that commit, and its policy or why there is none."""

    branch: str
    ref: str
    tip: str
    policy: Optional[Policy]
    error: Optional[PolicyError]
    upstream: Optional[str]  # where origin's branch of that name was last seen


def find_production(repository: Repository, named: str | None, *, remote_too: bool) -> Production:
    """The branch that was named, else the policy's one production branch, else the one that is checked out.

    Where a policy names production branches, the one that is checked out is taken only if it is one of them.

    The local branch goes first; with `remote_too`, origin's as last seen serves where there is none.
    Raises: UsageError when there is no such branch, or nothing tells which is meant.
    """
    if named is not None and named.startswith("refs/") and not named.startswith(HEADS):
        raise UsageError(f"--branch: {named} is no branch", remedy="git branch --all   # and take one of these")
    with ObjectReader(repository.git) as objects:
        branch = (named or _default_branch(repository, objects)).removeprefix(HEADS)
        # list_refs leaves symbolic refs out: one that stands for another branch is nothing to tag on or to move.
        seen = list_refs(repository, *names_of(branch, ("origin",), here_first=True))
        tips = {one.name: one.commit or None for one in seen}
        local, upstream = tips.get(HEADS + branch), tips.get(f"{REMOTES}origin/{branch}")
        tip = local or (upstream if remote_too else None)
        if tip is None:
            remedy = f"git branch {branch} origin/{branch}" if upstream else "git fetch --all   # or: git branch --all"
            raise UsageError(f"there is no branch {branch} here, or it has no commit yet", remedy=remedy)
        found = read_policy_at(objects, tip)
    ref = HEADS + branch if local else f"{REMOTES}origin/{branch}"
    return Production(branch=branch, ref=ref, tip=tip, policy=found.policy, error=found.error, upstream=upstream)


def _default_branch(repository: Repository, objects: ObjectReader) -> str:
    present = current_branch(repository)
    policies = policies_for(objects, *DEFAULT_BRANCHES, "HEAD")
    if present is not None and is_production(policies, present.removeprefix(HEADS)):
        return present
    for found in policies:
        names = literal_branches(found.policy) if found.policy is not None else ()
        if len(names) == 1:
            return names[0]
    policy = next((found.policy for found in policies if found.policy is not None), None)
    if present is not None and policy is not None:
        example = (*literal_branches(policy), "BRANCH")[0]
        raise UsageError(
            f"{present.removeprefix(HEADS)} is checked out, which is no production branch; "
            f"the policy names {', '.join(policy.production.branches)}",
            remedy=f"name it: --branch {shlex.quote(example)}",
        )
    if present is None:
        raise UsageError("HEAD is detached, and no policy names one production branch", remedy="name it: --branch main")
    return present


def policy_of(production: Production) -> Policy | None:
    """The branch's policy. Raises: PolicyError when it is there and cannot be understood."""
    if production.error is not None:
        raise production.error
    return production.policy


def behind(production: Production) -> tuple[str, ...]:
    """A note where the remote's branch was last seen elsewhere."""
    if production.upstream is None or production.upstream == production.tip:
        return ()
    return (f"{production.branch} here is not where origin/{production.branch} was last seen: git fetch",)
