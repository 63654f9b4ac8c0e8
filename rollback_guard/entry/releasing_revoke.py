"""Taking a stable release back, from the question to the record: nothing is deleted, a tag says so, and a signature."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from rollback_guard.entry.production import find_production, policy_of
from rollback_guard.entry.release_record import record_revocation
from rollback_guard.entry.revert_push import push_watched
from rollback_guard.entry.wiring import ask
from rollback_guard.errors import GuardError, RefusedError
from rollback_guard.git.push import Pushed, remote_for
from rollback_guard.git.refs import TAGS, resolve_commit
from rollback_guard.git.repository import Repository
from rollback_guard.git.tags import read_tag
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
    made = revoke_release(repository, policy, name=name, reason=reason, key=key)
    tag, folded = made[len(REVOKED) :], fold_reason(reason)
    record, notes = read_tag(repository, made), []
    signed = ""
    if record is not None and policy is not None and any(person.keys for person in policy.people):
        commit = resolve_commit(repository, TAGS + tag) or ""
        try:
            signed = record_revocation(
                ask(repository), production, tag=tag, revocation=record.object, commit=commit, reason=folded, key=key
            )
        except GuardError as error:
            notes.append(f"no signed record of it was made: {error.message}")
    if record is not None and remote:
        said = push_watched(repository, remote, [Pushed(ref=TAGS + made, new=record.object, old=None)])
        if said:
            raise RefusedError(
                f"{tag} is revoked here, but {remote} did not take that: {said}",
                remedy=f"git push {shlex.quote(remote)} {shlex.quote(TAGS + made)}",
            )
    return Revoked(tag=tag, revocation=made, reason=folded, record=signed, remote=remote, notes=tuple(notes))
