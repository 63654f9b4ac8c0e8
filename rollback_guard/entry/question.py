"""What every judgement needs to be asked: where, when, by which policy, and which evidence there is."""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.facts.policy_source import PolicyFound, read_policy_at
from rollback_guard.facts.surroundings import Surroundings
from rollback_guard.gate.verdict import PolicyUsed
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.repository import Repository
from rollback_guard.policy.model import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.evidence.collect import EvidenceBook
    from rollback_guard.facts.artefact import Look


class WhatIf(NamedTuple):
    """A policy that is tried instead of the one in force."""

    policy: Policy
    path: str
    data: bytes


class Question(NamedTuple):
    """What every judgement needs: where, when, and by which policy if not the one in force."""

    repository: Repository
    around: Surroundings
    as_of: int  # Unix seconds
    what_if: Optional[WhatIf] = None
    book: Optional[EvidenceBook] = None  # of a run that judges many changes; else each has its own
    look: Optional[Look] = None  # into stores of backups that are no folder; None where only our own code may run


def digest_of(data: bytes) -> str:
    """`sha256:` and the hex digest of a policy's bytes."""
    import hashlib  # only a whole verdict pays for this import

    return "sha256:" + hashlib.sha256(data).hexdigest()


def policy_used(question: Question, found: PolicyFound, commit: str | None) -> PolicyUsed:
    """What the verdict says about the policy that judged."""
    if question.what_if is not None:
        return PolicyUsed(
            commit=None, path=question.what_if.path, digest=digest_of(question.what_if.data), what_if=True
        )
    if found.path is None:
        return PolicyUsed(commit=commit, path=None, digest=None)
    return PolicyUsed(commit=commit, path=found.path, digest=digest_of(found.data))


def in_force(question: Question, objects: ObjectReader, base: str | None) -> PolicyFound:
    """The policy that judges a change of a target whose tip is `base`."""
    if question.what_if is not None:
        return PolicyFound(at="--policy", policy=question.what_if.policy, path=question.what_if.path)
    return PolicyFound(at="nothing") if base is None else read_policy_at(objects, base)
