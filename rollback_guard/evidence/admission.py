"""Whether a push may move what is kept below refs/rollback-guard: evidence only grows, and nothing lies beside it.

Envelopes must be readable as statements; whose signatures they bear is asked when a change is judged.
"""

from __future__ import annotations

from rollback_guard.evidence.canonical import FormatError
from rollback_guard.evidence.envelope import read_envelope, signature_of
from rollback_guard.evidence.receive import judge_move, judge_ref
from rollback_guard.evidence.statement import read_statement
from rollback_guard.evidence.store_paths import EVIDENCE
from rollback_guard.git.repository import Repository
from rollback_guard.policy.paths import OURS


def faults_of_move(repository: Repository, ref: str, old: str | None, new: str | None) -> tuple[str, ...] | None:
    """Why a ref may not move from one oid to another (None: there is none); None for a ref that is no evidence."""
    if not (ref + "/").startswith(OURS):
        return None
    if ref == EVIDENCE:
        return judge_move(repository, old, new, why_unreadable)
    return (judge_ref(ref),) if new is not None else ()


def why_unreadable(data: bytes) -> str:
    """Why bytes are no envelope of a statement, or ""."""
    try:
        envelope = read_envelope(data)
        signature_of(envelope)
        read_statement(envelope.payload)
    except FormatError as fault:
        return fault.reason
    return ""
