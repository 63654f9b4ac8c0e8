"""Hooks of a push: pre-push before it leaves, pre-receive before a server takes it."""

from __future__ import annotations

import os
import time

from rollback_guard.errors import UsageError
from rollback_guard.facts.model import Fact, Known
from rollback_guard.facts.push import PARTIAL, read_pre_commit_push, read_push, read_receive
from rollback_guard.git.repository import Repository, open_repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rollback_guard.facts.model import Stage
    from rollback_guard.facts.push import Update


def decide_push(rest: list[str], stdin: bytes | None, environ: Mapping[str, str]) -> int:
    """pre-push: git's arguments are the remote's name and URL, its input one line a ref.

    Under pre-commit, one ref only is told of, by variables; the verdict says that coverage is partial.
    """
    repository = open_repository(os.getcwd(), environ, hook=True)
    if stdin is None:
        updates = read_pre_commit_push(repository, environ)
        url = environ.get("PRE_COMMIT_REMOTE_URL", "")
        return _judge(repository, updates, stage="push", url=url, missing=PARTIAL)
    updates = read_push(stdin)
    if not updates:
        return 0  # everything is up to date
    if len(rest) < 2:
        raise UsageError(
            "pre-push needs the remote's name and URL", remedy="hooks are called by git; to look by hand: guard check"
        )
    return _judge(repository, updates, stage="push", url=rest[1], missing=())


def decide_receive(stdin: bytes, environ: Mapping[str, str]) -> int:
    """pre-receive: one line a ref; new objects lie in git's quarantine until this ends with 0."""
    repository = open_repository(os.getcwd(), environ, hook=True)
    return _judge(repository, read_receive(stdin), stage="receive", url="", missing=())


def _judge(
    repository: Repository, updates: Sequence[Update], *, stage: Stage, url: str, missing: tuple[str, ...]
) -> int:
    from rollback_guard.entry.exit_codes import of_decision
    from rollback_guard.entry.judge import Question, judge_updates
    from rollback_guard.entry.wiring import hook_text
    from rollback_guard.facts.surroundings import read_surroundings, repository_of
    from rollback_guard.policy.repositories import normalise_repository

    around = read_surroundings(repository)
    name: Fact[str] = repository_of(around, claimed=url or None)
    if stage == "receive" and not around.name:
        # A server is what its path says, unless it was told its name.
        name = Known(normalise_repository(repository.git_dir), "the repository's path")
    question = Question(repository, around, int(time.time()))
    verdict = judge_updates(question, updates, stage=stage, name=name, missing=missing)
    if verdict.decision != "allow":
        hook_text(verdict, "pre-receive" if stage == "receive" else "pre-push")
    elif missing and any(change.outcomes for change in verdict.changes):
        _note_partial(missing)
    return of_decision(verdict.decision)


def _note_partial(missing: tuple[str, ...]) -> None:
    """pre-commit shows what a passing hook prints only when asked; who asks shall know what was not seen."""
    import sys

    sys.stderr.write(f"coverage: partial (not seen: {', '.join(missing)}); the native hook sees everything\n")
