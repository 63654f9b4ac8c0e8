"""Whether a proof would notice: a restored copy is changed in every way that a fingerprint claims to tell.

Each change is made, looked for and undone, in a scratch place. What is not told is a hole in what proofs are worth.
"""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from typing import NamedTuple

from rollback_guard.backup.model import compare
from rollback_guard.backup.pipeline import open_artefact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Union

    from rollback_guard.backup.engine import Engine, Target
    from rollback_guard.backup.model import Fingerprint, Record
    from rollback_guard.backup.sealing import Keys
    from rollback_guard.backup.store import Store

    # Made within a block, or for as long as a call lasts, which then says what it sees.
    Change = Union[AbstractContextManager[None], Callable[[], Fingerprint]]
    Mutations = Callable[[Target], Iterator[tuple[str, Change]]]


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
    with engine.scratch(folder) as target:
        with open_artefact(store, record.artefact, keys) as stream:
            target.restore(stream)
        if hasattr(module, "try_mutations"):  # which looks for each by itself, where one look at everything takes long
            for one in module.try_mutations(target.address):  # type: ignore[attr-defined]  # that engine's targets have it
                yield Tried(name=one.name, told=one.noticed)
            return
        mutations: Mutations = module.mutations
        before = target.fingerprint()
        for name, change in mutations(target):
            yield Tried(name=name, told=bool(compare(before, _changed(target, change))))


def _changed(target: Target, change: Change) -> Fingerprint:
    """What is in the copy while it is changed."""
    if not isinstance(change, AbstractContextManager):
        return change()
    with change:
        return target.fingerprint()
