"""Which rules have something to say: by kind of target, by stage, and when nothing would land.

Also the one change that is let through without fresh sign-offs: production going back to the tree of a
stable release that it already had.
"""

from __future__ import annotations

from rollback_guard.facts.model import Change, Known, Restoration
from rollback_guard.gate.people import person_of, written
from rollback_guard.gate.rule import Case
from rollback_guard.gate.wording import short_name
from rollback_guard.policy.model import Policy

_WITHOUT_MESSAGE = frozenset(["RG106", "RG201", "RG202", "RG203", "RG204", "RG205", "RG206", "RG207"])
_COMMIT = frozenset(["RG001", "RG101", "RG108"])
_DELETION = frozenset(["RG001", "RG103", "RG104", "RG108"])
_NOTHING = frozenset(["RG001", "RG108"])
# What is attested of backups. RG306 is among them of production alone: elsewhere it judges moves of evidence.
BACKUPS = frozenset(["RG301", "RG302", "RG303", "RG304", "RG305", "RG306"])
_CONTENT = _WITHOUT_MESSAGE | BACKUPS | {"RG101", "RG102", "RG105", "RG107", "RG402", "RG403"}
# A release that failed is taken back at once: with what it broke, there may be no backup to be had.
RESTORED = frozenset(["RG101", "RG102", "RG106", "RG201", "RG204"]) | BACKUPS


def is_direct_commit(change: Change) -> bool:
    """Whether an ordinary commit, no merge, is in the making; a merge in the making has a head."""
    return change.stage == "commit" or (change.stage == "message" and change.head is None)


def lands_nothing(change: Change) -> bool:
    """Whether it is known that the change brings no commit to the target."""
    if change.stage in ("commit", "merge", "message") or change.move in ("delete", "rewind"):
        return False
    counted = isinstance(change.survey, Known) and change.survey.value.count == 0
    landed = isinstance(change.landings, Known) and not change.landings.value
    stays = change.move == "none" or (isinstance(change.base, Known) and change.base.value == change.head)
    return counted and landed and stays


def goes_back(change: Change) -> bool:
    """Whether the target is moved back along its own history, which brings no commit; RG104 judges that."""
    return change.move == "rewind" and isinstance(change.survey, Known) and change.survey.value.count == 0


def why_not_applicable(rule: str, case: Case) -> str | None:
    """Why a rule has nothing to say here, or None when it is to be asked."""
    change = case.change
    if not change.production:
        return _beside_production(rule, case)
    if case.policy is None and not _needs_no_policy(rule, change):
        return "there is no policy to judge by"
    if is_direct_commit(change):
        asked = rule in _COMMIT or (rule == "RG206" and change.stage == "message")
        return None if asked else "a commit is being made on production itself; RG101 judges that"
    if change.stage == "merge" and rule in _WITHOUT_MESSAGE:
        return "the merge's message is not written yet; commit-msg judges it"
    if change.stage in ("merge", "message") and rule in BACKUPS:
        return "backups are asked for when it is pushed"
    if (case.introduces or case.brought) and rule in BACKUPS:
        return "a backup that the change brings into the policy is asked for from the next one on"
    if change.move == "delete" and rule not in _DELETION:
        return "the branch is deleted; nothing lands"
    if goes_back(change) and rule in _CONTENT:
        return "the branch is moved back; nothing lands"
    if lands_nothing(change) and rule not in _NOTHING and not (rule == "RG103" and change.move == "create"):
        return "nothing would land"  # but a production branch that appears somewhere appears in a repository
    return None


def _needs_no_policy(rule: str, change: Change) -> bool:
    return rule in _NOTHING or (rule == "RG104" and change.move in ("delete", "rewind"))


def _beside_production(rule: str, case: Case) -> str | None:
    change = case.change
    if rule == "RG108":
        return "the ref goes away" if change.move == "delete" else None
    if rule == "RG206" and change.stage == "message" and case.policy is not None:
        return None
    if rule == "RG401" and change.tag_faults is not None:
        return None
    if rule == "RG404" and change.missing_reverts is not None:
        return None
    if rule == "RG306" and change.evidence_faults is not None:
        return None
    return f"{short_name(change.target)} is no production branch"


def why_no_restoration(policy: Policy, restoration: Restoration) -> str:
    """Why going back to a stable release is judged like any other change, or "" when it is let through."""
    if any(role.proof != "trailer" for role in policy.sign_off) and not policy.release.signed:
        return (
            f"it goes back to {restoration.tag}, but a role asks for more than trailers, and who made that tag is "
            "not proven: the policy does not say `signed = true` under [release]"
        )
    if restoration.brings_policy:
        return (
            f"it goes back to {restoration.tag}, but with another policy than the one in force, so it is judged like "
            "any other change"
        )
    if restoration.unproven and any(role.proof != "trailer" for role in policy.sign_off):
        return f"it goes back to {restoration.tag}, but nobody proves to have made it: {restoration.unproven}"
    if not restoration.committers:
        return f"it goes back to {restoration.tag}, but who committed it is not known"
    allowed = policy.members_of(policy.release.by)
    for identity in restoration.committers:
        person = person_of(policy, identity.email)
        if person is None:
            return f"it goes back to {restoration.tag}, but {written(identity)} is none of the people"
        if policy.release.by and person.id not in allowed:
            return f"it goes back to {restoration.tag}, but {written(identity)} may not release"
    return ""
