"""Whether a proof would notice: a restored copy is changed in every way that a fingerprint claims to tell.

Each change is made, looked for and undone, in a scratch place. What is not told is a hole in what proofs are worth.
"""

from __future__ import annotations

import importlib
from typing import NamedTuple

from rollback_guard.backup.model import compare
from rollback_guard.backup.pipeline import open_artefact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from rollback_guard.backup.engine import Engine, Target
    from rollback_guard.backup.model import Record
    from rollback_guard.backup.sealing import Keys
    from rollback_guard.backup.store import Store

    Mutations = Callable[[Target], Iterator[tuple[str, AbstractContextManager[None]]]]


class Tried(NamedTuple):
    """One change, and whether the fingerprint told it."""

    name: str
    told: bool


def self_test(
    record: Record, store: Store, engine: Engine, *, folder: str, keys: Keys | None = None
) -> Iterator[Tried]:
    """Every change that can be made in what was backed up, as it is tried. `folder`: private and empty.

    Raises: GuardError where there is no scratch place, or the backup cannot be restored.
    """
    module = importlib.import_module(f"rollback_guard.backup.engines.{engine.name}_selftest")
    mutations: Mutations = module.mutations
    with engine.scratch(folder) as target:
        with open_artefact(store, record.artefact, keys) as stream:
            target.restore(stream)
        before = target.fingerprint()
        for name, change in mutations(target):
            with change:
                after = target.fingerprint()
            yield Tried(name=name, told=bool(compare(before, after)))
