"""What was signed of a branch's releases; where nothing is recorded at all, nothing of the gate is imported either."""

from __future__ import annotations

from rollback_guard.git.refs import list_refs
from rollback_guard.git.repository import Repository
from rollback_guard.policy.paths import OURS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.release.model import Recorded


def recorded_of(repository: Repository, branch: str) -> tuple[Recorded, ...]:
    """The records of releases of a branch (short name), by people who may release, that verify.

    Raises: GuardError when the store cannot be read.
    """
    if not list_refs(repository, OURS):
        return ()
    from rollback_guard.entry.release_record import read_recorded
    from rollback_guard.entry.wiring import ask

    return read_recorded(ask(repository), branch)
