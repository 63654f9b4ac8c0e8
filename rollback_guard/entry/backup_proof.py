"""Proving backups of a policy: where scratch places are made, and what becomes of a proof."""

from __future__ import annotations

import os
from typing import NamedTuple, Optional

from rollback_guard.backup.catalogue import keep_proof
from rollback_guard.backup.proving import TIMEOUT, prove
from rollback_guard.entry.backup_named import Named, base_folder
from rollback_guard.git.scratch import private_folder
from rollback_guard.rollback.smoke import run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rollback_guard.backup.model import Proof, Record
    from rollback_guard.backup.proving import Exercise
    from rollback_guard.backup.sealing import Keys
    from rollback_guard.policy.model import Level


EXERCISE_TIMEOUT = 3600  # seconds


class How(NamedTuple):
    """How backups are proven. `level`: None for what the policy asks for. `tell` hears name and level."""

    level: Optional[Level] = None
    keys: Optional[Keys] = None
    timeout: float = TIMEOUT
    tell: Callable[[str, str], None] = lambda name, level: None


def prove_named(named: Named, record: Record, how: How) -> Proof:
    """Prove one backup, and keep the proof beside it. Raises: GuardError where it cannot be found out."""
    spec = named.spec
    with private_folder() as folder:
        proof = prove(
            record,
            named.store,
            named.engine(),
            wanted=how.level or spec.level,
            folder=folder,
            keys=how.keys,
            exercise=None if spec.exercise is None else _exercise(named, spec.exercise),
            timeout=how.timeout,
            tell=lambda level: how.tell(spec.name, level),
        )
    keep_proof(named.store, record.name, record.id, proof)
    return proof


def _exercise(named: Named, command: tuple[str, ...]) -> Exercise:
    """The policy's own check of a restored copy. It does not see the source, and what it says is not kept."""
    others = {name: value for name, value in os.environ.items() if value != named.source.text}

    def run(copy: Mapping[str, str]) -> str:
        fault = run_command(command, {**others, **copy}, base_folder(named.repository), EXERCISE_TIMEOUT).fault
        return f"`exercise` does not pass on the restored copy: {fault}" if fault else ""

    return run
