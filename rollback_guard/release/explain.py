"""What else a way back does, found in the two trees and the messages: what a person would find out afterwards.

Nothing here decides what is written.
"""

from __future__ import annotations

import os
import re

from rollback_guard.git.listing import SUBMODULE, Change, list_tree
from rollback_guard.git.objects import ObjectReader, TooLargeError
from rollback_guard.git.process import Git, decode
from rollback_guard.git.repository import Repository
from rollback_guard.git.standing import resolve_said
from rollback_guard.release.explained import Explained, Submodule
from rollback_guard.release.model import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: at most 1024 bytes, `oid sha256:` and `size`.
POINTER = re.compile(rb"version https?://[^\n]+\n(?:[a-z0-9.-]+ [^\n]*\n)*?oid sha256:([0-9a-f]{64})\n", re.ASCII)
POINTER_LIMIT = 1024
LOOKED_AT = 20_000  # files of which it is asked whether they are pointers
ATTRIBUTES = ".gitattributes"


def explain(repository: Repository, plan: Plan, brought: Sequence[Change]) -> Plan:
    """The plan with what it does besides. `brought`: what the tip has otherwise than the release.

    Raises: GitError where an object is missing.
    """
    if plan.empty:
        return plan
    pointers, missing = _pointers(repository, plan.stable.tree, brought)
    explained = Explained(
        cancels=_cancels(repository, plan),
        submodules=tuple(_submodule(repository, change) for change in brought if _is_submodule(change)),
        pointers=pointers,
        missing=missing,
        collisions=_collisions(repository.git, plan.stable.tree, brought),
    )
    return plan._replace(explained=explained)


def _cancels(repository: Repository, plan: Plan) -> tuple[tuple[str, str], ...]:
    """Reverts, and what they took back, that both go: nothing changes by either."""
    going = {one.commit for one in plan.reverts}
    said = [(one.commit, one.said) for one in plan.reverts if one.said is not None]
    meant = resolve_said(repository, said)
    return tuple(
        (commit, oid) for (commit, _), one in zip(said, meant, strict=True) for oid in one.reverts if oid in going
    )


def _is_submodule(change: Change) -> bool:
    return any(side is not None and side.mode == SUBMODULE for side in (change.old, change.new))


def _submodule(repository: Repository, change: Change) -> Submodule:
    old, new = (side.oid if side is not None and side.mode == SUBMODULE else None for side in (change.new, change.old))
    return Submodule(path=change.path, old=old, new=new, direction=_direction(repository, change.path, old, new))


def _direction(repository: Repository, path: str, old: str | None, new: str | None) -> str:
    """Whether a submodule goes to what is older or newer, where its own repository is here to say."""
    folder = os.path.join(repository.common_dir, "modules", path)
    if old is None or new is None or ".." in path.split("/") or not os.path.isdir(folder):
        return ""
    git = Git(cwd=folder, env=repository.git.env, git_dir=folder, program=repository.git.program)
    for word, first, last in (("older", new, old), ("newer", old, new)):
        if git.run("merge-base", "--is-ancestor", first, last, accept=(0, 1, 128)).returncode == 0:
            return word
    return ""


def _pointers(repository: Repository, tree: str, brought: Sequence[Change]) -> tuple[int, tuple[str, ...]]:
    """How many LFS pointers come back, and the paths of those whose content is not in this clone."""
    count, missing = 0, []
    with ObjectReader(repository.git) as objects:
        if not _uses_lfs(objects, tree, [change.path for change in brought[:LOOKED_AT] if change.old is not None]):
            return 0, ()
        for change in brought[:LOOKED_AT]:
            if change.old is None or not change.old.plain:
                continue
            try:
                blob = objects.read(change.old.oid, limit=POINTER_LIMIT)
            except TooLargeError:
                continue
            match = POINTER.match(blob.data) if blob is not None else None
            if match is None:
                continue
            count += 1
            oid = decode(match[1])
            if not os.path.exists(os.path.join(repository.common_dir, "lfs", "objects", oid[:2], oid[2:4], oid)):
                missing.append(change.path)
    return count, tuple(missing)


def _uses_lfs(objects: ObjectReader, tree: str, paths: Sequence[str]) -> bool:
    """Whether attributes at the top or in a folder above one of the paths name LFS, as `git lfs track` writes them."""
    asked: set[str] = set()
    for path in ("", *paths):
        folder = path.rpartition("/")[0]
        while folder not in asked:
            asked.add(folder)
            try:
                blob = objects.read(
                    f"{tree}:{folder}/{ATTRIBUTES}" if folder else f"{tree}:{ATTRIBUTES}", limit=1 << 20
                )
            except TooLargeError:
                return True
            if blob is not None and b"filter=lfs" in blob.data:
                return True
            folder = folder.rpartition("/")[0]
    return False


def _collisions(git: Git, tree: str, brought: Sequence[Change]) -> tuple[tuple[str, str], ...]:
    """Pairs of paths that are one file where case does not count, as far as the way back brings one of them."""
    coming = {change.path for change in brought if change.new is None and change.old is not None}
    if not coming:
        return ()
    seen: dict[str, str] = {}
    found = []
    for path, _ in list_tree(git, tree):
        other = seen.setdefault(path.casefold(), path)
        if other != path and not coming.isdisjoint((other, path)):
            found.append((other, path))
    return tuple(found)
