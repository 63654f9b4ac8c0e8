"""What a tree brings to a base: the guard's own files that it touches, its policy, and its migrations.

One `git diff-tree` tells the names. Migrations are looked into by `facts.migrations`, which is imported only where one
of the names may be one.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.errors import GuardError
from rollback_guard.facts.model import Fact, Known, RiskyMigration, Touched, Unknown
from rollback_guard.facts.policy_source import PolicyFound, read_policy_at
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import Git, decode
from rollback_guard.git.repository import Repository
from rollback_guard.git.streams import split_stream
from rollback_guard.policy.paths import governs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SOURCE = "git diff-tree"


class Brought(NamedTuple):
    """What lies in the tree that would land."""

    touched: Fact[Touched]
    policy: PolicyFound
    irreversible: Fact[tuple[RiskyMigration, ...]]


class _Names(NamedTuple):
    touched: Touched
    migrations: bool = False  # one of them may be a migration's


def brought_by(
    repository: Repository, base: str | None, head: str, tree: str, *, doubt: Optional[Unknown] = None
) -> Brought:
    """What a tree does to a base's files. `doubt`: why it is not sure that this tree is what would land.

    `head` is the commit that is proposed, whose history says what the change reverts.
    """
    with ObjectReader(repository.git) as objects:
        policy = read_policy_at(objects, tree)
    try:
        names = _names(repository.git, base, tree, _is_migration)
    except GuardError as error:
        unknown = Unknown(error.message, error.remedy)
        return Brought(unknown, policy, unknown)
    return Brought(Known(names.touched, _SOURCE), policy, _irreversible(repository, base, head, tree, names, doubt))


def risky_without_result(
    repository: Repository, base: str | None, head: str, tree: str, why: Unknown
) -> Fact[tuple[RiskyMigration, ...]]:
    """The migrations where nobody knows what would land: none, where the head differs from the base in none."""
    try:
        names = _names(repository.git, base, tree, _is_migration)
    except GuardError as error:
        return Unknown(error.message, error.remedy)
    return _irreversible(repository, base, head, tree, names, why)


def touched_by(git: Git, base: str | None, tree: str) -> Fact[Touched]:
    """What the change does to the guard's own files, and whether it does anything else."""
    try:
        return Known(_names(git, base, tree, None).touched, _SOURCE)
    except GuardError as error:
        return Unknown(error.message, error.remedy)


def _irreversible(
    repository: Repository, base: str | None, head: str, tree: str, names: _Names, doubt: Unknown | None
) -> Fact[tuple[RiskyMigration, ...]]:
    if not names.migrations:
        return Known((), _SOURCE)
    if doubt is not None:
        return doubt
    from rollback_guard.facts.migrations import collect_irreversible

    return collect_irreversible(repository, base, head, tree)


def _is_migration(path: str) -> bool:
    from rollback_guard.release.migrations.frameworks import is_folder, is_migration

    return is_migration(path) or is_folder(path)


def _names(git: Git, base: str | None, tree: str, is_migration: Callable[[str], bool] | None) -> _Names:
    """What the names of the files tell in which the tree differs. Raises: GuardError."""
    governing: list[str] = []
    others = False
    migrations = False
    for name in _differing(git, base, tree):
        if governs(name):
            governing.append(name)
        else:
            others = True
        if is_migration is not None and not migrations:
            migrations = is_migration(name)
    return _Names(Touched(governing=tuple(governing), others=others), migrations)


def _differing(git: Git, base: str | None, tree: str) -> Iterator[str]:
    if base is None:
        command: tuple[str, ...] = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", tree)
    else:
        # A work tree's .gitmodules may hide that a submodule moved.
        command = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--ignore-submodules=none", base, tree)
    for names in split_stream(git.chunks(*command), b"\0"):
        yield from map(decode, names)
