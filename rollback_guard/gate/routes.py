"""Where a change comes from, compared with the routes that the policy approves.

Shared by RG101 (made on production itself), RG102 (brought by a branch of no route) and the verdict's
`source`. Which branches contain which commits is a fact; this only reads it.
"""

from __future__ import annotations

from typing import Literal

from rollback_guard.facts.model import Change, Known, Landing
from rollback_guard.gate.wording import HEADS, short_name
from rollback_guard.policy.model import Policy
from rollback_guard.policy.patterns import matches, matches_any

# approved: over a route. direct: no other branch has it. elsewhere: another branch brought it. unknown: not known.
Arrival = Literal["approved", "direct", "elsewhere", "unknown"]


def approved_sources(policy: Policy, target: str) -> tuple[str, ...]:
    """The globs of the branches that may come into a target (full ref name)."""
    name = short_name(target)
    return tuple(glob for route in policy.route if matches(route.into, name) for glob in route.from_)


def first_approved(globs: tuple[str, ...], branches: tuple[str, ...], target: str) -> str | None:
    """The first of the branches that is on a route. The target is never a way into itself."""
    own = short_name(target)
    return next((branch for branch in branches if branch != own and matches_any(globs, branch)), None)


def landing_source(landing: Landing, globs: tuple[str, ...], target: str) -> str | None:
    """The branch of a route that brought a landing, by reachability, or because it is that branch squashed."""
    if isinstance(landing.branches, Known):
        found = first_approved(globs, landing.branches.value, target)
        if found is not None:
            return found
    if landing.squash_of is not None and not landing.heads:
        return first_approved(globs, (landing.squash_of,), target)
    return None


def arrival(landing: Landing, policy: Policy, globs: tuple[str, ...], target: str) -> Arrival:
    """How a commit came to production's own chain."""
    if landing_source(landing, globs, target) is not None:
        return "approved"
    if not isinstance(landing.branches, Known):
        return "unknown"
    own = short_name(target)
    others = [
        branch
        for branch in landing.branches.value
        if branch != own and not matches_any(policy.production.branches, branch)
    ]
    return "elsewhere" if landing.heads or others else "direct"


def claimed_name(change: Change) -> str | None:
    """The short name of the branch that the caller named."""
    return None if change.claimed_source is None else short_name(change.claimed_source)


def came_from(policy: Policy | None, change: Change) -> str | None:
    """The full name of the branch that a change comes from, of several that hold it.

    The one that the caller claims, else the one by whose name the head was asked for, else one of a route, else
    the first. The target is never where a change comes from.
    """
    known = change.source.value if isinstance(change.source, Known) else ()
    landings = change.landings.value if isinstance(change.landings, Known) else ()
    seen = known
    for landing in landings:
        squashed = () if landing.squash_of is None else (landing.squash_of,)
        seen += (landing.branches.value if isinstance(landing.branches, Known) else ()) + squashed
    globs = approved_sources(policy, change.target) if policy else ()
    own = short_name(change.target)
    preferred = (claimed_name(change), change.named_source, first_approved(globs, seen, change.target), *seen)
    chosen = next((name for name in preferred if name is not None and name != own), None)
    return None if chosen is None else HEADS + chosen
