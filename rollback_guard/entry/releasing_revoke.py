"""Taking a stable release back, from the question to the record: nothing is deleted, a tag says so, and a signature.

Given again, the command makes up for what is missing: the record, or the push.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple

from rollback_guard.entry.production import find_production, policy_of
from rollback_guard.entry.release_record import record_revocation
from rollback_guard.entry.revert_push import push_watched
from rollback_guard.entry.wiring import ask
from rollback_guard.errors import GuardError, RefusedError
from rollback_guard.git.push import Pushed, remote_for, remote_tags
from rollback_guard.git.refs import TAGS, resolve_commit
from rollback_guard.git.repository import Repository
from rollback_guard.git.tags import TagRecord, read_tag
from rollback_guard.policy.tags import REVOKED
from rollback_guard.release.message import fold_reason
from rollback_guard.release.tagging import revoke_release


class Revoked(NamedTuple):
    """What came of it; `record` and `remote` are "" where nothing was signed or pushed."""

    tag: str
    revocation: str
    reason: str
    record: str
    remote: str
    notes: tuple[str, ...]


def revoke(
    repository: Repository, name: str, reason: str, *, branch: str | None, key: str | None, push: bool
) -> Revoked:
    """Mark a release as no longer stable.

    Raises: RefusedError, UsageError; nothing is made then, or the message says what is.
    """
    production = find_production(repository, branch, remote_too=True)
    policy = policy_of(production)
    remote = remote_for(repository, production.branch) if push else ""
    before = read_tag(repository, REVOKED + name.removeprefix(TAGS))
    made = revoke_release(repository, policy, name=name, reason=reason, key=key)
    tag, folded = made[len(REVOKED) :], fold_reason(reason)
    record, notes = read_tag(repository, made), []
    if before is not None:
        folded = " ".join(before.message.split())
        notes.append(f"it was revoked already: {folded}")
    signed = ""
    if record is not None and policy is not None and any(person.keys for person in policy.people):
        commit = resolve_commit(repository, TAGS + tag) or ""
        try:
            signed = record_revocation(
                ask(repository), production, tag=tag, revocation=record.object, commit=commit, reason=folded, key=key
            )
        except GuardError as error:
            notes.append(f"no signed record of it was made: {error.message}")
    pushed = False
    if record is not None and remote and (before is None or not _has(repository, remote, record)):
        _push(repository, tag, record, remote)
        pushed = True
    if before is not None and not signed and not pushed:
        raise RefusedError(f"{tag} was revoked already: nothing was made", remedy=f"git show {TAGS}{made}")
    return Revoked(tag=tag, revocation=made, reason=folded, record=signed, remote=remote, notes=tuple(notes))


def _has(repository: Repository, remote: str, record: TagRecord) -> bool:
    return remote_tags(repository, remote).get(record.name) == record.object


def _push(repository: Repository, tag: str, record: TagRecord, remote: str) -> None:
    """Push a revocation. Raises: RefusedError when the remote does not take it."""
    said = push_watched(repository, remote, [Pushed(ref=TAGS + record.name, new=record.object, old=None)])
    if said:
        raise RefusedError(
            f"{tag} is revoked here, but {remote} did not take that: {said}",
            remedy=f"git push {shlex.quote(remote)} {shlex.quote(TAGS + record.name)}",
        )
