"""Where the policy that judges a change is read from: the target's present tip, never the change itself.

Which branch is production is written in the policy, so for a branch the policies of its own tip and of the
default branch are asked. See docs/adr/0005.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.errors import PolicyError
from rollback_guard.git.objects import ObjectReader, TooLargeError
from rollback_guard.git.process import decode
from rollback_guard.git.repository import Repository
from rollback_guard.git.trees import TreeEntry, entry_of
from rollback_guard.policy.model import Policy
from rollback_guard.policy.paths import POLICY_PATHS
from rollback_guard.policy.patterns import matches_any
from rollback_guard.policy.read import LIMIT, TOOL, Problem, read_policy


class PolicyFound(NamedTuple):
    """A policy file as a commit or tree holds it. All None when there is no policy; `error` when it is broken."""

    at: str  # the revision that was asked
    policy: Optional[Policy] = None
    path: Optional[str] = None
    data: bytes = b""
    error: Optional[PolicyError] = None


def read_policy_at(objects: ObjectReader, rev: str, parsed: dict[str, PolicyFound] | None = None) -> PolicyFound:
    """The policy that a commit or tree holds; `rev` "" is the index. With `parsed` no file is understood twice.

    The root tree is read first, because it alone says whether a name is a file: git stores the target of a
    symbolic link as a blob too.
    """
    cache = {} if parsed is None else parsed
    tree = objects.read(f"{rev}^{{tree}}") if rev else None
    for path in POLICY_PATHS:
        entry = None if tree is None else entry_of(tree, path)
        if rev and (entry is None or entry.kind == "folder"):
            continue
        key = f"{path}:{entry.kind}:{entry.oid}" if entry is not None else path
        if key not in cache:
            cache[key] = _read(objects, rev, path, entry)
        found = cache[key]
        if found.policy is not None or found.error is not None:
            return found._replace(at=rev)
    return PolicyFound(at=rev)


def _read(objects: ObjectReader, rev: str, path: str, entry: TreeEntry | None) -> PolicyFound:
    """What one path holds; without an entry it is looked for in the index."""
    if entry is not None and entry.kind == "submodule":
        return _no_file(rev, path, "submodule") if path == POLICY_PATHS[0] else PolicyFound(at=rev)
    try:
        name = f"{rev}:{path}" if entry is None else entry.oid
        blob = objects.read(name, limit=LIMIT if path == POLICY_PATHS[0] else LIMIT * 16)
    except TooLargeError as error:
        return _broken(rev, path, f"has {error.size:,} bytes, which is too large", "split off what is no policy")
    if blob is None or blob.type != "blob":
        return PolicyFound(at=rev)
    if entry is not None and entry.kind == "link":
        # A pyproject.toml may be a link that has nothing to do with policies.
        meant = path == POLICY_PATHS[0] or TOOL.encode() in blob.data
        return _no_file(rev, path, "symbolic link") if meant else PolicyFound(at=rev)
    return _understood(rev, path, blob.data)


def _no_file(rev: str, path: str, kind: str) -> PolicyFound:
    remedy = f"git rm --cached {path}   # then put the policy there as an ordinary file, and: git add {path}"
    return _broken(rev, path, f"is a {kind}; a policy is read from an ordinary file only", remedy)


def _broken(rev: str, path: str, wrong: str, remedy: str) -> PolicyFound:
    problem = Problem(file=path, line=None, key="", message=wrong)
    return PolicyFound(at=rev, path=path, error=PolicyError(f"{path} {wrong}", remedy=remedy, problems=(problem,)))


def _understood(rev: str, path: str, data: bytes) -> PolicyFound:
    try:
        policy = read_policy(data, path=path)
    except PolicyError as error:
        return PolicyFound(at=rev, path=path, data=data, error=error)
    return PolicyFound(at=rev, policy=policy, path=path, data=data)


def policies_for(objects: ObjectReader, *revs: str) -> tuple[PolicyFound, ...]:
    """The different policies that revisions hold, in the order asked; revisions without one are left out."""
    parsed: dict[str, PolicyFound] = {}
    found: list[PolicyFound] = []
    for rev in revs:
        one = read_policy_at(objects, rev, parsed)
        if (one.policy is not None or one.error is not None) and all(one.data != other.data for other in found):
            found.append(one)
    return tuple(found)


def tips_of(repository: Repository, *names: str) -> dict[str, str]:
    """The commits that refs of these full names stand at, in the order asked.

    git itself would take `refs/tags/refs/heads/main` for a `refs/heads/main` that is not there.
    """
    layout = "--format=%(refname)%00%(objectname)%00%(objecttype)"
    out = decode(repository.git.run("for-each-ref", layout, *names).stdout)
    lines = [line.split("\0") for line in out.split("\n")[:-1]]
    found = {name: oid for name, oid, kind in lines if kind == "commit"}
    return {name: found[name] for name in names if name in found}


def is_production(policies: tuple[PolicyFound, ...], branch: str) -> bool:
    """Whether any of the policies names the branch (short name) as production."""
    return any(found.policy is not None and matches_any(found.policy.production.branches, branch) for found in policies)


def literal_branches(policy: Policy) -> tuple[str, ...]:
    """The production branches that are named without a wildcard."""
    return tuple(name for name in policy.production.branches if not any(mark in name for mark in "*?["))
