"""Whether a tag that is pushed may be what its name says: a stable release, or the revocation of one.

Such a tag is made once, by somebody who may, on a commit that production itself was at, and stays. Which names are
meant, and who may, is said by the policy of each production branch: a tag serves for the branch that it lies on.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.errors import UndeterminedError
from rollback_guard.facts.model import Known, Unknown
from rollback_guard.git.history_chain import on_chain
from rollback_guard.git.refs import TAGS, resolve_commit
from rollback_guard.git.tags import TagRecord, fault_of, fault_of_date, read_tag, read_tag_object
from rollback_guard.policy.tags import REVOKED, address_of, may_tag, name_pattern, signers_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollback_guard.facts.model import Fact
    from rollback_guard.facts.push import Update
    from rollback_guard.git.repository import Repository
    from rollback_guard.policy.model import Policy


class Ground(NamedTuple):
    """A production branch: its short name, its policy, and the commits at which it stands or will after the push."""

    branch: str
    policy: Policy
    tips: tuple[str, ...]


def collect_tag_faults(
    repository: Repository, update: Update, grounds: Sequence[Ground], *, as_of: int
) -> Optional[Fact[tuple[str, ...]]]:
    """Why a tag may not move so, in sentences; None for a tag that is no stable release's tag."""
    name = update.ref.removeprefix(TAGS)
    stable = name.removeprefix(REVOKED)
    meant = [one for one in grounds if name_pattern(one.policy.release.tag).fullmatch(stable) is not None]
    if not meant or update.old == update.new:
        return None
    kind = "a revocation" if stable != name else "the tag of a stable release"
    if update.new is None:
        return Known((f"it is {kind}, and would be deleted",))
    if update.old is not None:
        return Known((f"it is {kind}, and would be moved from {update.old[:12]} to {update.new[:12]}",))
    record = read_tag_object(repository, name, update.new)
    fault = _revocation_fault if stable != name else _stable_fault
    try:
        faults = [fault(repository, record, one, as_of) for one in meant]
    except UndeterminedError as error:
        return Unknown(error.message, error.remedy)
    # A release of one branch is none of another; it is enough to be one.
    return Known(() if "" in faults else tuple(dict.fromkeys(faults))[:1])


def _stable_fault(repository: Repository, record: TagRecord, ground: Ground, as_of: int) -> str:
    fault = fault_of(repository, record, signers_of(ground.policy)) or _tagger_fault(record, ground.policy, as_of)
    if fault:
        return fault
    if not any(on_chain(repository.git, record.target, tip) for tip in ground.tips):
        return f"it names {record.target[:12]}, and {ground.branch} itself never was at that commit"
    return ""


def _revocation_fault(repository: Repository, record: TagRecord, ground: Ground, as_of: int) -> str:
    """Any tag of that name takes a release away, so whoever makes one must be somebody who may."""
    # What it names is the tag that it revokes, not a commit; everything else is asked of it as of a release.
    fault = fault_of(repository, record, signers_of(ground.policy), of="tag")
    fault = fault or _tagger_fault(record, ground.policy, as_of)
    if fault:
        return fault
    stable = record.name[len(REVOKED) :]
    there = read_tag(repository, stable)
    if there is None or there.object != record.target:
        return f"it revokes {record.target[:12]}, which is not what {stable} is here"
    return ""


def _tagger_fault(record: TagRecord, policy: Policy, as_of: int) -> str:
    if policy.people and not may_tag(policy, address_of(record.tagger)):
        whom = "those that [release] by names" if policy.release.by else "the people of the policy"
        return f"it was made by {record.tagger}, who is none of {whom}"
    early = fault_of_date(record, as_of)
    return f"{early}, and would be the last stable release until then" if early else ""


def tips_in_push(repository: Repository, updates: Sequence[Update], ref: str) -> tuple[str, ...]:
    """Where a push would put a branch (full name), as far as that is a commit that is here."""
    moved = (one.new for one in updates if one.ref == ref and one.new is not None)
    return tuple(new for new in moved if resolve_commit(repository, new) == new)
