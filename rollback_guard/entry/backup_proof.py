"""Proving backups of a policy: where scratch places are made, and what becomes of a proof."""

from __future__ import annotations

import os
from typing import NamedTuple, Optional

from rollback_guard.backup.catalogue import keep_proof
from rollback_guard.backup.proving import TIMEOUT, Exercise, prove
from rollback_guard.entry.backup_named import Named, base_folder
from rollback_guard.git.scratch import private_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rollback_guard.backup.model import Proof, Record
    from rollback_guard.backup.sealing import Keys
    from rollback_guard.policy.model import Level


class How(NamedTuple):
    """How backups are proven. `level`: None for what the policy asks for. `tell` hears name and level."""

    level: Optional[Level] = None
    keys: Optional[Keys] = None
    timeout: float = TIMEOUT
    tell: Callable[[str, str], None] = lambda name, level: None


def prove_named(named: Named, record: Record, how: How) -> Proof:
    """Prove one backup, and keep the proof beside it. Raises: GuardError where it cannot be found out."""
    spec, exercise = named.spec, None
    if spec.exercise is not None:
        environ = {name: value for name, value in os.environ.items() if value != named.source.text}
        exercise = Exercise(command=spec.exercise, folder=base_folder(named.repository), environ=environ)
    with private_folder() as folder:
        proof = prove(
            record,
            named.store,
            named.engine(),
            wanted=how.level or spec.level,
            folder=folder,
            keys=how.keys,
            exercise=exercise,
            timeout=how.timeout,
            tell=lambda level: how.tell(spec.name, level),
        )
    keep_proof(named.store, record.name, record.id, proof)
    return proof
