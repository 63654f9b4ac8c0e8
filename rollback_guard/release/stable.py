"""Which tags are stable releases, and which of them is the last known one.

By evidence, not by name alone: annotated, of a commit, unmoved, signed by somebody who may when the policy
asks for it, and not revoked. A revocation is an annotated tag `revoked/<name>` on the stable tag's object
with the reason as its message. Making tags is left to `release.tagging`.
"""

from __future__ import annotations

import shlex
from time import gmtime, strftime, time

from rollback_guard.errors import RefusedError, UndeterminedError, UsageError
from rollback_guard.git.history_chain import tree_of
from rollback_guard.git.process import decode
from rollback_guard.git.refs import HEADS, REMOTES, TAGS, is_ancestor, list_refs, short_branch
from rollback_guard.git.repository import Repository
from rollback_guard.git.tags import TagRecord, fault_of, fault_of_date, read_tag, read_tags
from rollback_guard.policy.model import Policy, Release
from rollback_guard.policy.patterns import matches_any
from rollback_guard.policy.tags import REVOKED, address_of, may_tag, name_pattern, signers_of
from rollback_guard.release.model import Recorded, Stable, State, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def judge_tag(repository: Repository, record: TagRecord, policy: Policy | None) -> tuple[State, str]:
    """Whether one tag can be a stable release, revocations and branches aside; and why not."""
    fault = fault_of(repository, record, signers_of(policy))
    if not fault and policy is not None and policy.release.by and not may_tag(policy, address_of(record.tagger)):
        fault = f"it was made by {record.tagger}, who is none of those that [release] by names"
    return ("broken", fault) if fault else ("stable", "")


def read_releases(
    repository: Repository, policy: Policy | None, tip: str | None, recorded: Sequence[Recorded] = ()
) -> tuple[Stable, ...]:
    """Every tag that bears a stable release's name, newest first, each with its state.

    With `tip`, a stable one that is not in that commit's history is `off-branch`. One that cannot be judged here
    hides none of the others: it is `unknown`. `recorded`: what was signed of releases of the branch; a tag that is
    not as it was signed is `moved`, one that is not here is `missing`.
    """
    revoked = Revocations(repository, policy, recorded)
    merged = _merged_tags(repository, tip)
    lost = lost_releases(repository, recorded)
    here = {record.name for record in read_tags(repository)}
    found = [_missing(one) for one in lost.values() if one.tag not in here]
    for record, number in _candidates(repository, policy):
        try:
            state, reason = judge_tag(repository, record, policy)
        except UndeterminedError as error:
            state, reason = "unknown", error.message
        if record.name in lost:
            state, reason = "moved", why_lost(lost[record.name], here=True)
        elif state == "stable":
            state, reason = revoked.judge(record)
        if state == "stable" and (early := fault_of_date(record, time())):
            state, reason = "unknown", early
        if state == "stable" and tip is not None and not _has(repository, merged, record, tip):
            state, reason = "off-branch", "its commit is not in the branch's history"
        found.append(_stable(record, number, state, reason))
    return tuple(sorted(found, key=lambda one: (one.date, one.number, one.tag), reverse=True))


def lost_releases(repository: Repository, recorded: Sequence[Recorded]) -> dict[str, Recorded]:
    """The newest record of each release whose tag is not here, or is here as another object than any record says.

    One that was revoked, by a tag or by a record, is missed by nobody.
    """
    present = {record.name: record.object for record in read_tags(repository)} if recorded else {}
    taken_back = {one.tag for one in recorded if one.revoked}
    good = {one.tag for one in recorded if present.get(one.tag) == one.object}
    lost = (one for one in recorded if one.tag not in good | taken_back and REVOKED + one.tag not in present)
    return {one.tag: one for one in sorted(lost, key=lambda one: one.date)}


def why_lost(one: Recorded, *, here: bool) -> str:
    """What is wrong with a release that somebody signed for, whether a tag of its name is here or not."""
    signed = f"{one.signer} signed on {strftime('%Y-%m-%d', gmtime(one.date))} that it is {one.object[:12]}, the tag of"
    now = "it is another object now" if here else "there is no such tag here"
    return f"{signed} {one.commit[:12]}; {now}"


def find_last_stable(
    repository: Repository,
    policy: Policy | None,
    tip: str,
    *,
    branch: str = "",
    recorded: Sequence[Recorded] = (),
) -> Stable:
    """The newest stable release by tagger date, then number; one of another production branch is passed over.

    One beside the branch (`off-branch`) that no other production branch has is taken: it is what was deployed.
    Raises: UsageError when there is none; UndeterminedError when one that may be it cannot be judged here, or was
    signed for and is not here as it was (`recorded`), since the next older one would be another release than the last
    known stable.
    """
    revoked = Revocations(repository, policy, recorded)
    lost = lost_releases(repository, recorded)
    newest = max(lost.values(), key=lambda one: one.date, default=None)
    for record, number in _candidates(repository, policy):
        if record.name in lost or judge_tag(repository, record, policy)[0] != "stable":
            continue
        state, reason = revoked.judge(record)
        if state == "unknown":
            raise doubtful(record.name, reason)
        if state == "revoked":
            continue
        if early := fault_of_date(record, time()):
            raise UndeterminedError(
                f"the last stable release may be {record.name}, but {early}",
                remedy=f"guard revert --to {shlex.quote(record.name)}   # if that is the one; else name another",
            )
        if newest is not None and newest.date > record.date:
            break
        if is_ancestor(repository, record.target, tip):
            return _stable(record, number, "stable", "")
        if not _of_another_branch(repository, policy, record.target, branch):
            return _stable(record, number, "off-branch", "its commit is not in the branch's history")
    if newest is not None:
        here = any(record.name == newest.tag for record in read_tags(repository, newest.tag))
        raise UndeterminedError(
            f"the last stable release may be {newest.tag}: {why_lost(newest, here=here)}",
            remedy="git fetch --tags   # or say which one is meant: guard revert --to TAG",
        )
    raise UsageError(
        "there is no stable release to go back to",
        remedy="guard release list   # or name the tag yourself: guard revert --to TAG",
    )


def stable_named(repository: Repository, policy: Policy | None, name: str, recorded: Sequence[Recorded] = ()) -> Stable:
    """The stable release of that tag, whatever the policy's pattern for names, on whatever branch.

    Raises: UsageError when there is no such tag; RefusedError when it is no stable release, or revoked.
    """
    record = read_tag(repository, name)
    if record is None:
        raise UsageError(f"--to: there is no tag {name!r} here", remedy="git fetch --tags && guard release list")
    state, reason = judge_tag(repository, record, policy)
    if state != "stable":
        raise RefusedError(
            f"{record.name} is no stable release: {reason}",
            remedy="guard release list   # choose another, or tag the commit as it should be: guard release REV",
        )
    state, reason = Revocations(repository, policy, recorded).judge(record)
    if state == "unknown":
        raise doubtful(record.name, reason)
    if state == "revoked":
        raise RefusedError(f"{record.name} was revoked: {reason}", remedy="guard release list   # choose another")
    return _stable(record, 0, "stable", "")


def read_revoked(repository: Repository) -> dict[str, str]:
    """The names of releases that some tag revokes, whoever made it, each with the reason."""
    return {record.name[len(REVOKED) :]: _reason(record) for record in read_tags(repository, REVOKED.rstrip("/"))}


def _reason(record: TagRecord) -> str:
    return " ".join(record.message.split()) or "no reason was recorded"


class Revocations:
    """Which releases are revoked: by a tag of somebody who may, or a signed record; and all tags of that commit so far.

    A commit that was taken back is not stable under another number. A tag that was made on it afterwards says that
    somebody thinks otherwise, and counts.
    """

    def __init__(self, repository: Repository, policy: Policy | None, recorded: Sequence[Recorded] = ()) -> None:
        self._sure: dict[str, str] = {}
        self._doubtful: dict[str, str] = {}
        self._commits: dict[str, tuple[int, str]] = {}
        made = read_tags(repository, REVOKED.rstrip("/"))
        targets = {one.object: one.target for one in read_tags(repository)} if made else {}
        for record in made:
            name = record.name[len(REVOKED) :]
            fault = _fault_of_revocation(repository, record, policy)
            if fault:
                self._doubtful[name] = f"{record.name} says that it is revoked, but {fault}"
                continue
            self._sure[name] = _reason(record)
            self._take(targets.get(record.target, ""), record.date, f"{name} was revoked: {_reason(record)}")
        for one in recorded:
            if one.revoked:
                self._sure.setdefault(one.tag, one.revoked)
                self._take(one.commit, one.date, f"{one.tag} was revoked: {one.revoked}")

    def _take(self, commit: str, date: int, reason: str) -> None:
        if commit and date >= self._commits.get(commit, (0, ""))[0]:
            self._commits[commit] = (date, reason)

    def judge(self, record: TagRecord) -> tuple[State, str]:
        """Whether a tag that is sound is revoked, and why; `unknown` where whoever says so may not."""
        if record.name in self._sure:
            return "revoked", self._sure[record.name]
        date, reason = self._commits.get(record.target, (-1, ""))
        if record.date <= date:
            return "revoked", reason
        if record.name in self._doubtful:
            return "unknown", self._doubtful[record.name]
        return "stable", ""

    def of_commit(self, commit: str) -> str:
        """Why a commit is no longer a stable release, or ""."""
        return self._commits.get(commit, (0, ""))[1]


def doubtful(name: str, reason: str) -> UndeterminedError:
    """What is said where somebody who may not has revoked a release."""
    return UndeterminedError(
        f"whether {name} is still a stable release cannot be told: {reason}",
        remedy=f"git tag -d {REVOKED}{name}   # if nobody who may has revoked it; else: guard revert --to ANOTHER",
    )


def _fault_of_revocation(repository: Repository, record: TagRecord, policy: Policy | None) -> str:
    """Why a revoking tag does not count, or "". Without a policy nobody says who may, and any counts."""
    if policy is None or not policy.release.by:
        return ""
    fault = fault_of(repository, record, signers_of(policy), of="tag")
    if not fault and not may_tag(policy, address_of(record.tagger)):
        fault = f"it was made by {record.tagger}, who is none of those that [release] by names"
    return fault


def target_of(repository: Repository, stable: Stable) -> Target:
    """What a plan says of the release that it goes back to."""
    return Target(
        tag=stable.tag,
        object=stable.object,
        commit=stable.commit,
        tree=tree_of(repository.git, stable.commit),
    )


def _candidates(repository: Repository, policy: Policy | None) -> list[tuple[TagRecord, int]]:
    shape = name_pattern((policy.release if policy is not None else Release()).tag)
    found = []
    for record in read_tags(repository):
        match = shape.fullmatch(record.name)
        if match is not None and not record.name.startswith(REVOKED):
            found.append((record, int(match.groupdict().get("number") or 0)))
    return sorted(found, key=lambda one: (one[0].date, one[1], one[0].name), reverse=True)


def _stable(record: TagRecord, number: int, state: State, reason: str) -> Stable:
    return Stable(
        tag=record.name,
        object=record.object,
        commit=record.target if record.target_kind == "commit" else record.object if record.kind == "commit" else "",
        tagger=record.tagger,
        date=record.date,
        number=number,
        state=state,
        reason=reason,
    )


def _missing(one: Recorded) -> Stable:
    return Stable(
        tag=one.tag,
        object=one.object,
        commit=one.commit,
        tagger=one.signer,
        date=one.date,
        state="missing",
        reason=why_lost(one, here=False),
    )


def _merged_tags(repository: Repository, tip: str | None) -> frozenset[str] | None:
    """Names of the tags in a commit's history, by one process; None when git cannot say that of all at once."""
    if tip is None:
        return None
    process = repository.git.run("for-each-ref", f"--merged={tip}", "--format=%(refname)", TAGS, accept=(0, 1, 128))
    if process.returncode != 0:  # one damaged tag is enough
        return None
    return frozenset(line[len(TAGS) :] for line in decode(process.stdout).split("\n"))


def _has(repository: Repository, merged: frozenset[str] | None, record: TagRecord, tip: str) -> bool:
    return record.name in merged if merged is not None else is_ancestor(repository, record.target, tip)


def _of_another_branch(repository: Repository, policy: Policy | None, commit: str, branch: str) -> bool:
    if policy is None:
        return False
    names = {short_branch(ref.name) for ref in list_refs(repository, HEADS, REMOTES, contains=commit)}
    return any(name != branch and matches_any(policy.production.branches, name) for name in names)
