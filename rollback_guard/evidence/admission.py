"""Whether a push may move what is kept below refs/rollback-guard: evidence only grows, and nothing lies beside it.

What is added must be a statement in its own place, with a signature by somebody whom the policy knows: whoever could
add anything could fill up the folder of a change. By whose keys is left to whoever judges.
"""

from __future__ import annotations

from rollback_guard.errors import GuardError
from rollback_guard.evidence.opened import Opened, why_not_there
from rollback_guard.evidence.receive import TOLD, judge_move, judge_ref
from rollback_guard.evidence.store_paths import EVIDENCE
from rollback_guard.git.repository import Repository
from rollback_guard.policy.paths import OURS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Judge = Callable[[Sequence[Opened]], Sequence[str]]


def faults_of_move(
    repository: Repository, ref: str, old: str | None, new: str | None, judge: Judge
) -> tuple[str, ...] | None:
    """Why a ref may not move from one oid to another (None: there is none); None for a ref that is no evidence.

    `judge` says of each envelope why its signature counts for nothing, or "". At most TOLD reasons.
    """
    if not (ref + "/").startswith(OURS):
        return None
    if ref != EVIDENCE:
        return (judge_ref(ref),) if new is not None else ()
    arrived: dict[str, Opened] = {}

    def readable(folder: str, data: bytes) -> str:
        opened = why_not_there(folder, data)
        if isinstance(opened, str):
            return opened
        arrived[opened.id] = opened
        return ""

    faults = judge_move(repository, old, new, readable)
    if faults or not arrived:
        return faults
    envelopes = tuple(arrived.values())
    try:
        said = judge(envelopes)
    except GuardError as error:
        return (f"its signatures cannot be checked: {error.message}",)
    reasons = (
        f"{one.id[:12]}, in the name of {one.statement.signer}: {fault}"
        for one, fault in zip(envelopes, said, strict=True)
        if fault
    )
    return tuple(reasons)[:TOLD]
