"""Making and revoking stable releases: who may, under which name, signed or not.

The verdict on the commit is asked for before, by whoever calls; which tags count is in `release.stable`.
"""

from __future__ import annotations

import time

from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.git.history_chain import on_chain, tree_of
from rollback_guard.git.process import decode
from rollback_guard.git.refs import TAGS, is_ancestor
from rollback_guard.git.repository import Repository
from rollback_guard.git.tags import (
    TagTakenError,
    check_tag_name,
    delete_tag,
    fault_of,
    read_tag,
    read_tags,
    verify_tag,
    write_tag,
)
from rollback_guard.policy.model import Policy, Release
from rollback_guard.policy.tags import OPENPGP, REVOKED, keys_of_taggers, name_pattern
from rollback_guard.release.message import fold_reason
from rollback_guard.release.model import Proof, Released
from rollback_guard.release.stable import judge_tag, read_releases, read_revoked
from rollback_guard.release.tag_message import render_tag_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

UNPROVEN = Proof()
ATTEMPTS = 100  # names tried while others tag at the same time


def require_releaser(repository: Repository, policy: Policy | None) -> str:
    """Who is working here, `Name <email>`, when the policy lets them tag and revoke stable releases.

    With nobody listed in `release.by`, everybody listed in people may.
    Raises: RefusedError when they may not; UsageError when git does not know who it is.
    """
    process = repository.git.run("var", "GIT_COMMITTER_IDENT", accept=(0, 1, 128))
    if process.returncode != 0:
        raise UsageError(
            "git does not know who you are",
            remedy='git config user.name "Your Name" && git config user.email you@example.com',
        )
    person = decode(process.stdout).rpartition("> ")[0] + ">"
    if policy is None or not (policy.release.by or policy.people):
        return person
    email = person.rpartition("<")[2][:-1]
    known = policy.person_of(email)
    allowed = policy.members_of(policy.release.by)
    if known is None or (allowed and known.id not in allowed):
        who = "people of release.by: " + ", ".join(sorted(allowed)) if allowed else "people of the policy"
        raise RefusedError(
            f"{person} may not tag or revoke stable releases; that is for the {who}",
            remedy="ask one of them   # or, if it is you: git config user.email ADDRESS-IN-THE-POLICY",
        )
    return person


def require_on_branch(repository: Repository, commit: str, tip: str, branch: str) -> None:
    """Raises: RefusedError when the branch never was at that commit."""
    if on_chain(repository.git, commit, tip):
        return
    if is_ancestor(repository, commit, tip):
        message = f"{commit} came into {branch} by a merge: {branch} itself was never at it"
        remedy = f"git log --first-parent --oneline {branch}   # and tag one of these"
    else:
        message = f"{commit} is not on {branch}, so it never worked in production"
        remedy = f"merge it into {branch} first, then tag what landed: guard release"
    raise RefusedError(message, remedy=remedy)


def next_name(pattern: str, taken: tuple[str, ...], now: int) -> str:
    """The name for a release made now: today in UTC, and one more than the highest number of that day."""
    day = time.gmtime(now)
    date = f"{day.tm_year}.{day.tm_mon}.{day.tm_mday}"
    dated = pattern.replace("{date}", date)
    shape = name_pattern(dated)
    numbers = [int(match.groupdict().get("number") or 0) for name in taken if (match := shape.fullmatch(name))]
    return dated.replace("{number}", str(max(numbers, default=0) + 1))


def tagged_already(
    repository: Repository, policy: Policy | None, commit: str, branch: str, name: str | None
) -> Released | None:
    """The stable release, not revoked, that is this commit already: the newest, or the one of that name; else None."""
    if name is None:
        stand = (one for one in read_releases(repository, policy, None) if one.state == "stable")
        name = next((one.tag for one in stand if one.commit == commit), "")
    record = read_tag(repository, name) if name else None
    if record is None or (record.target, judge_tag(repository, record, policy)[0]) != (commit, "stable"):
        return None
    if record.name in read_revoked(repository):
        return None
    return Released(
        tag=record.name,
        object=record.object,
        commit=commit,
        tree=tree_of(repository.git, commit),
        branch=branch,
        tagger=record.tagger,
        signed=record.signed,
        notes=("this commit bore that tag already: nothing was made",),
    )


def tag_release(
    repository: Repository,
    policy: Policy | None,
    *,
    commit: str,
    branch: str,
    name: str | None,
    message: str | None,
    key: str | None,
    now: int,
    proof: Proof = UNPROVEN,
    taken_elsewhere: Collection[str] = (),
) -> Released:
    """Tag a commit as a stable release, under that name or the next one of the policy's pattern that is free.

    It is signed when the policy asks for it or a `key` is named, and then by a key that the policy lists.
    `taken_elsewhere`: names that are taken on a remote.
    Raises: RefusedError when whoever works here may not, the key is nobody's who may, or the name is taken;
    UsageError for a bad name.
    """
    tagger = require_releaser(repository, policy)
    release = policy.release if policy is not None else Release()
    signed = release.signed or key is not None
    openpgp = policy is not None and any(one.startswith(OPENPGP) for one in keys_of_taggers(policy))
    for _ in range(ATTEMPTS):
        taken = (*(record.name for record in read_tags(repository)), *taken_elsewhere)
        chosen = name if name is not None else next_name(release.tag, taken, now)
        text = render_tag_message(chosen, message, proof, tagger, branch)
        try:
            check_tag_name(repository, chosen)
            oid = write_tag(repository, chosen, commit, text, sign=signed, key=key, openpgp=openpgp)
        except TagTakenError:
            if name is not None or "{number}" not in release.tag:
                raise
            continue
        break
    else:
        raise RefusedError("other people kept taking the next number", remedy="guard release   # again")
    if signed and policy is not None:
        _require_listed_key(repository, policy, chosen, oid)
    notes: tuple[str, ...] = ()
    if not name_pattern(release.tag).fullmatch(chosen):
        notes = (f"{chosen} is not named {release.tag}: only `guard revert --to {chosen}` will find it",)
    return Released(
        tag=chosen,
        object=oid,
        commit=commit,
        tree=tree_of(repository.git, commit),
        branch=branch,
        tagger=tagger,
        signed=signed,
        notes=notes,
        proof=proof,
    )


def _require_listed_key(repository: Repository, policy: Policy, name: str, oid: str, command: str = "release") -> None:
    """Who signs is whoever the policy lists the key for; a signature of nobody's proves nothing later.

    Source: design, section 7.
    """
    record = read_tag(repository, name)
    if record is not None and record.object == oid and verify_tag(repository, record, keys_of_taggers(policy)):
        return
    delete_tag(repository, name, oid)
    unsigned = "" if policy.release.signed else "; or without --key: the policy asks for no signature"
    raise RefusedError(
        "the tag was signed with a key that the policy lists for nobody who may release; it was removed again",
        remedy=f"guard {command} --key PATH-OF-A-LISTED-KEY   # they are `keys` of [people.ID]{unsigned}",
    )


def revoke_release(
    repository: Repository, policy: Policy | None, *, name: str, reason: str, key: str | None = None
) -> str:
    """Record that a release is no longer stable, by an annotated tag on its tag; the new tag's name.

    Nothing is deleted, and one that is there already stays. Raises: UsageError when there is no such tag; RefusedError
    when it is revoked by a tag of another kind, is no stable release, or whoever works here may not.
    """
    folded = fold_reason(reason)
    require_releaser(repository, policy)
    record = read_tag(repository, name)
    if record is None:
        raise UsageError(f"there is no tag {name!r} here", remedy="git fetch --tags && guard release list")
    state, why = judge_tag(repository, record, None)
    if state != "stable" or record.name.startswith(REVOKED):
        raise RefusedError(
            f"{record.name} is no stable release{': ' + why if why else ''}", remedy="guard release list"
        )
    revocation = REVOKED + record.name
    there = read_tag(repository, revocation)
    if there is not None:
        if there.target != record.object or fault_of(repository, there, None, of="tag"):
            raise RefusedError(f"{record.name} was revoked already", remedy=f"git show {TAGS}{revocation}")
        return revocation
    signed = key is not None or (policy is not None and policy.release.signed)
    openpgp = policy is not None and any(one.startswith(OPENPGP) for one in keys_of_taggers(policy))
    oid = write_tag(repository, revocation, record.object, folded, sign=signed, key=key, openpgp=openpgp)
    if signed and policy is not None:
        _require_listed_key(repository, policy, revocation, oid, f"release revoke {record.name} --reason WHY")
    return revocation
