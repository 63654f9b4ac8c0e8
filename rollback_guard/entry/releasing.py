"""Tagging a stable release, from the question to the record: judged, smoke-tested, tagged, pushed, signed for.

Each step is asked for anew when the command is given again: a commit that bears a release's tag already is pushed and
signed for, not tagged twice.
"""

from __future__ import annotations

import os
import shlex
import time
from typing import NamedTuple, Optional

from rollback_guard.entry.production import Production, find_production, policy_of
from rollback_guard.entry.question import policy_used
from rollback_guard.entry.recorded_releases import recorded_of
from rollback_guard.entry.release_record import evidence_about, record_release
from rollback_guard.entry.revert_push import push_watched
from rollback_guard.entry.tag_name import require_fit_name
from rollback_guard.entry.wiring import ask
from rollback_guard.errors import GuardError, RefusedError, UndeterminedError
from rollback_guard.facts.policy_source import read_policy_at
from rollback_guard.facts.range import scratch_folder
from rollback_guard.gate.verdict import Verdict
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.push import Pushed, remote_for, remote_tags
from rollback_guard.git.refs import TAGS, require_commit
from rollback_guard.git.repository import Repository
from rollback_guard.git.tags import check_tag_name, delete_tag
from rollback_guard.release.missing_reverts import require_no_missing_reverts
from rollback_guard.release.model import Proof, Released
from rollback_guard.release.stable import Revocations
from rollback_guard.release.tagging import (
    ATTEMPTS,
    require_on_branch,
    require_releaser,
    tag_release,
    tagged_already,
)
from rollback_guard.rollback.smoke import SmokeResult, run_smoke

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rollback_guard.entry.question import Question


LOOKS, PAUSE = 3, 0.1  # how often, and how many seconds apart, a remote is asked who took a number


class Wanted(NamedTuple):
    """What `guard release` was asked for."""

    rev: Optional[str]
    name: Optional[str]
    branch: Optional[str]
    message: Optional[str]
    key: Optional[str]
    smoke: bool
    push: bool


class Done(NamedTuple):
    """What came of it. `record`: the id of the signed record, "" when none was made; `remote`: where it was pushed."""

    released: Released
    smoke: tuple[SmokeResult, ...]
    record: str
    remote: str


def release(repository: Repository, wanted: Wanted, show: Callable[[Verdict], None]) -> Done:
    """Tag what was asked for. `show` is handed a verdict that is not allow.

    Raises: RefusedError, UndeterminedError, UsageError; nothing is tagged then, or the message says what is.
    """
    production = find_production(repository, wanted.branch, remote_too=True)
    policy = policy_of(production)
    commit = production.tip if wanted.rev is None else require_commit(repository, wanted.rev, "REV")
    question = ask(repository)
    require_releaser(repository, policy)
    require_on_branch(repository, commit, production.tip, production.branch)
    released = tagged_already(repository, policy, commit, production.branch, wanted.name)
    if wanted.key is not None and released is not None and not released.signed:
        released = None  # one that is signed is made beside it
    if wanted.name is not None and released is None:
        check_tag_name(repository, wanted.name)
        require_fit_name(repository, policy, production.branch, wanted.name, question.as_of)
    remote = remote_for(repository, production.branch) if wanted.push else ""
    results: tuple[SmokeResult, ...] = ()
    if released is None:
        if wanted.name is None:
            _require_not_revoked(repository, production, commit)
        verdict = judge(repository, commit, production.ref, as_of=question.as_of)
        _require_allowed(verdict, commit, show)
        require_no_missing_reverts(
            *(repository, policy, scratch_folder()), commit=commit, branch=production.branch, tip=production.tip
        )
        results, note = _smoke(production, commit, wanted, repository)
        proof = _proof(question, production, commit, verdict)
        proof = proof._replace(smoke=tuple((one.name, one.passed, one.seconds) for one in results), smoke_note=note)
        released = _tag(question, production, commit, wanted, proof, remote)
    elif remote:
        _push(repository, released, remote)
    record, notes = _record(question, production, released, wanted.key)
    return Done(released._replace(notes=released.notes + notes), results, record, remote)


def _require_not_revoked(repository: Repository, production: Production, commit: str) -> None:
    """Raises: RefusedError for a commit that was taken back: under another number it would be the last one again."""
    recorded = recorded_of(repository, production.branch)
    reason = Revocations(repository, production.policy, recorded).of_commit(commit)
    if reason:
        raise RefusedError(
            f"{commit} was taken back as a stable release: {reason}",
            remedy="guard release --tag NAME   # if it is one after all; or land what mends it first",
        )


def judge(repository: Repository, commit: str, branch: str, *, as_of: int) -> Verdict:
    """The gate's verdict on a commit that landed; a function of its own so that tests can stand in for the gate."""
    from rollback_guard.entry.judge_history import judge_landed

    return judge_landed(repository, commit, branch, as_of=as_of)[1]


def _require_allowed(verdict: Verdict, commit: str, show: Callable[[Verdict], None]) -> None:
    """Show and refuse what is not allowed. Raises: RefusedError, UndeterminedError."""
    if verdict.decision == "allow":
        return
    show(verdict)
    remedy = f"guard explain {commit}"
    if verdict.decision == "undetermined":
        raise UndeterminedError(f"{commit} was not tagged: whether it may be could not be determined", remedy=remedy)
    raise RefusedError(f"{commit} was not tagged: the verdict on it is not allow", remedy=remedy)


def _smoke(
    production: Production, commit: str, wanted: Wanted, repository: Repository
) -> tuple[tuple[SmokeResult, ...], str]:
    """The results, and why there are none. Raises: RefusedError when one fails."""
    if production.policy is None or not production.policy.smoke:
        return (), ""
    if not wanted.smoke:
        return (), "left out by --no-smoke"
    if commit != production.tip:  # they ask what is live, which says nothing of this commit
        return (), f"{production.branch} is at {production.tip[:12]}"
    folder = repository.work_tree or repository.git_dir
    results = run_smoke(production.policy.smoke, {**os.environ, "GUARD_COMMIT": commit}, folder)
    failed = [f"{one.name}: {one.detail}" for one in results if not one.passed]
    if failed:
        raise RefusedError(
            f"{commit} was not tagged: {len(failed)} of {len(results)} smoke tests failed; " + "; ".join(failed),
            remedy="guard revert --plan   # if production is broken; else mend the check, and: guard release",
        )
    return results, ""


def _proof(question: Question, production: Production, commit: str, verdict: Verdict) -> Proof:
    with ObjectReader(question.repository.git) as objects:
        found = read_policy_at(objects, production.tip)
    used = policy_used(question, found, production.tip)
    return Proof(
        verdict=verdict.decision,
        policy=f"{used.path} {used.digest}" if used.path else "",
        evidence=evidence_about(question, commit, production.branch),
    )


def _tag(
    question: Question, production: Production, commit: str, wanted: Wanted, proof: Proof, remote: str
) -> Released:
    """Tag, and push where that was asked for; under the next number when somebody took this one meanwhile."""
    repository = question.repository
    for _ in range(ATTEMPTS):
        released = tag_release(
            repository,
            production.policy,
            commit=commit,
            branch=production.branch,
            name=wanted.name,
            message=wanted.message,
            key=wanted.key,
            now=question.as_of,
            proof=proof,
            taken_elsewhere=remote_tags(repository, remote) if remote else (),
        )
        try:
            if remote:
                _push(repository, released, remote)
            return released
        except RefusedError:
            theirs = remote_tags(repository, remote).get(released.tag)
            if wanted.name is not None or theirs in (None, released.object):
                raise
            delete_tag(repository, released.tag, released.object)  # nobody else has seen it
    raise RefusedError("other people kept taking the next number", remedy="guard release --push   # again")


def _push(repository: Repository, released: Released, remote: str) -> None:
    """Raises: RefusedError when the remote does not take the tag; it stays here."""
    if remote_tags(repository, remote).get(released.tag) == released.object:
        return
    said = push_watched(repository, remote, [Pushed(ref=TAGS + released.tag, new=released.object, old=None)])
    theirs = _seen(repository, remote, released.tag) if said else None
    if said and theirs != released.object:  # the same by the same person at the same moment is one tag
        back = f"git tag -d {shlex.quote(released.tag)}"
        raise RefusedError(
            f"{released.tag} is tagged here, but {remote} did not take it: {said}",
            remedy=f"guard release --push   # again; or take it back here: {back}"
            if theirs is None
            else f"{back} && guard release --push   # somebody else's tag has that name there",
        )


def _seen(repository: Repository, remote: str, tag: str) -> str | None:
    """The remote's tag of that name after a push that was not taken: whoever was faster may hold the ref still."""
    for _ in range(LOOKS):
        theirs = remote_tags(repository, remote).get(tag)
        if theirs is not None:
            return theirs
        time.sleep(PAUSE)
    return None


def _record(
    question: Question, production: Production, released: Released, key: str | None
) -> tuple[str, tuple[str, ...]]:
    """The id of the signed record, or "" and a note that says why there is none."""
    if production.policy is None or not any(person.keys for person in production.policy.people):
        return "", ()
    try:
        return record_release(question, production, released, key), ()
    except GuardError as error:
        return "", (f"no signed record of it was made: {error.message}",)
