"""Which names a stable release's tag may not bear: those that somebody, or git, takes for something else.

RG108 judges the name as it will when the tag is pushed; what only a tag made here can know is added.
"""

from __future__ import annotations

from rollback_guard.errors import RefusedError
from rollback_guard.facts.model import Change, Known, Unknown
from rollback_guard.facts.range import ref_names
from rollback_guard.gate.rule import Case
from rollback_guard.gate.rules import rg108_confusable_ref as rg108
from rollback_guard.git.refs import HEADS, REMOTES, TAGS, short_branch
from rollback_guard.git.repository import Repository
from rollback_guard.policy.model import Policy
from rollback_guard.policy.patterns import literal_prefix, matches
from rollback_guard.policy.tags import REVOKED, name_pattern

_UNKNOWN = Unknown("not looked for: a tag that is not made yet")


def require_fit_name(repository: Repository, policy: Policy | None, branch: str, name: str, as_of: int) -> None:
    """Refuse a tag's name that is a branch's, production's, a revocation's or one of git's own.

    `branch` is production's short name. Raises: RefusedError with RG108's reason.
    """
    reason = _own_reason(repository, policy, branch, name) or _gate_reason(repository, policy, name, as_of)
    if reason:
        raise RefusedError(
            f"{rg108.ID} {rg108.NAME}: {reason}; nothing was tagged",
            remedy="guard release   # the policy's pattern names it; or: guard release --tag another-name",
        )


def _own_reason(repository: Repository, policy: Policy | None, branch: str, name: str) -> str:
    if name.casefold().startswith(REVOKED) or name.casefold() + "/" == REVOKED:
        return f"the tag {name} says that a release is revoked; that is for: guard release revoke TAG"
    if name == branch:
        return f"the tag {name} bears the name of the production branch {branch}"
    remotes = tuple(repository.git.text("remote").splitlines())
    refs = ref_names(repository)
    for ref in refs.value if isinstance(refs, Known) else ():
        if ref.startswith((HEADS, REMOTES)) and short_branch(ref, remotes) == name:
            return f"the tag {name} bears the name of the branch {ref}"
    if policy is None or name_pattern(policy.release.tag).fullmatch(name):
        return ""
    routes = (glob for route in policy.route for glob in route.from_)
    for glob in (*policy.production.branches, *routes):
        if literal_prefix(glob) and matches(glob, name):  # `**` says nothing of names
            return f"the tag {name} bears a name that the policy keeps for branches: {glob}"
    return ""


def _gate_reason(repository: Repository, policy: Policy | None, name: str, as_of: int) -> str:
    change = Change(
        stage="push",
        target=TAGS + name,
        production=False,
        repository=_UNKNOWN,
        base=Known(None),
        head=None,
        head_tree=_UNKNOWN,
        result_tree=_UNKNOWN,
        move="create",
        refs=ref_names(repository),
    )
    outcome = rg108.evaluate(Case(policy=policy, change=change, as_of=as_of))
    return outcome.findings[0].message if outcome.findings else ""
