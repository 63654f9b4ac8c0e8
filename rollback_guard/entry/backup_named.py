"""Which backups a command is about: those of the policy on the production branch, each with its engine and store."""

from __future__ import annotations

import os
from difflib import get_close_matches
from functools import cached_property
from typing import NamedTuple

from rollback_guard.backup.registry import open_engine
from rollback_guard.backup.source import read_source
from rollback_guard.backup.storage import open_store
from rollback_guard.backup.stored import read_place
from rollback_guard.entry.production import Production, find_production, policy_of
from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.git.repository import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollback_guard.backup.engine import Engine
    from rollback_guard.backup.source import Source
    from rollback_guard.backup.store import Store
    from rollback_guard.policy.model import Backup, Policy


class Named:
    """One backup of the policy. Neither its source nor its store has been touched."""

    def __init__(self, spec: Backup, store: Store, repository: Repository) -> None:
        self.spec = spec
        self.store = store
        self.repository = repository

    @cached_property
    def source(self) -> Source:
        """Where it is, found out once: a command may be run for it. Raises: as `read_source`."""
        return read_source(self.spec.source, os.environ, base_folder(self.repository))

    def engine(self) -> Engine:
        """What can be done with it. Raises: GuardError where its source cannot be resolved."""
        return open_engine(self.spec.engine, self.source)


class Asked(NamedTuple):
    """The backups, and the policy that names them."""

    repository: Repository
    production: Production
    policy: Policy
    named: tuple[Named, ...]


def base_folder(repository: Repository) -> str:
    """What relative paths of sources and stores are relative to: the work tree, or a bare repository's folder."""
    return repository.work_tree or repository.git_dir


def find_named(repository: Repository, names: Sequence[str], branch: str | None = None) -> Asked:
    """The backups of these names, all of the policy where none is named; each once, in the policy's order.

    Raises: UsageError when the policy names no backup, or none of that name; PolicyError as reading it does.
    """
    production = find_production(repository, branch, remote_too=True)
    policy = policy_of(production)
    if policy is None or not policy.backup:
        raise UsageError(
            f"the policy of {production.branch} names no backup",
            remedy="land a change that adds [[backup]] to rollback-guard.toml   # see: guard explain RG301",
        )
    known = {one.name: one for one in policy.backup}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            remedy = f"did you mean {near[0]}?" if near else f"it names {', '.join(known)}"
            raise UsageError(f"the policy of {production.branch} names no backup {name!r}", remedy=remedy)
    wanted = [one for one in policy.backup if not names or one.name in names]
    folder = base_folder(repository)
    named = tuple(Named(spec=one, store=open_store(one.store, folder), repository=repository) for one in wanted)
    return Asked(repository=repository, production=production, policy=policy, named=named)


def require_store_outside(asked: Asked) -> None:
    """Raises: RefusedError where a directory that is backed up holds the store, and so every backup of itself."""
    for one in asked.named:
        if one.spec.engine != "directory":
            continue
        from rollback_guard.backup.engines.directory import Directory

        place = read_place(one.spec.store, base_folder(asked.repository))
        if place.scheme == "file" and Directory(one.source).contains(place.where):
            raise RefusedError(
                f"the store of {one.spec.name} lies in the directory that it is a backup of",
                remedy="land a change that names another `store`, such as file:/var/backups/shop",
            )
