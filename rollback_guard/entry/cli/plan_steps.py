"""A plan that is shown, asked about and carried out: the same steps for `guard revert` and `guard reland`.

What a plan is, and what carrying it out does, is the job's own.
"""

from __future__ import annotations

import sys
from typing import NamedTuple, Optional

import click

from rollback_guard.entry import exit_codes
from rollback_guard.entry.production import find_production
from rollback_guard.entry.revert_push import push, remote_of
from rollback_guard.entry.revert_settled import describe, find_unsent, send
from rollback_guard.entry.revert_signing import signing_for
from rollback_guard.entry.wiring import say
from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.release.moving import require_ready
from rollback_guard.report.json_text import render_json
from rollback_guard.report.plan_text import render_result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.entry.revert_jobs import Job


class Manner(NamedTuple):
    """How a plan is gone through: the options that every such command has."""

    plan: bool  # show it only
    execute: Optional[str]  # the digest that it must have
    push: bool
    yes: bool
    layout: str  # text or json


def require_one_of(*, plan: bool, execute: str | None, again: str) -> None:
    """Raises: UsageError for both."""
    if plan and execute is not None:
        raise UsageError("--plan and --execute exclude each other", remedy=f"{again} --plan")


def go_through(job: Job, manner: Manner) -> int:
    """Show the plan, ask, carry it out and push, as far as that was asked for; the exit code."""
    if manner.execute is not None:
        _require_digest(job, manner.execute)
    if manner.plan or job.empty or job.open:
        _show(job.noted(), manner.layout)
        if manner.push and not manner.plan:
            _send_settled(job, manner)
        return exit_codes.DENY if job.open else exit_codes.ALLOW
    remote = remote_of(job.repository, job) if manner.push else None
    if manner.push and job.settled:
        _send_settled(job, manner)
    if manner.execute is None:
        _ask(job, manner.layout, yes=manner.yes)
    return _carry_out(job, remote, manner.layout)


def _require_digest(job: Job, digest: str) -> None:
    if job.digest not in (digest, f"sha256:{digest}"):
        raise RefusedError(
            "the plan is not the one of that digest any more: the branch or the release moved, or other options "
            "were given; nothing was changed",
            remedy=f"{job.again()} --plan",
        )


def _show(job: Job, layout: str, *, offer: bool = True, err: bool = False) -> None:
    # Who is about to carry it out, or did, needs no command that would do so.
    for piece in [render_json(job.document())] if layout == "json" and not err else job.lines(offer=offer):
        say(piece, err=err)


def _ask(job: Job, layout: str, *, yes: bool) -> None:
    """Show the plan and have it confirmed. Raises: UsageError without a terminal; RefusedError for a no."""
    if not yes:
        for move in job.moves:  # before anybody is asked; it is asked for again when it counts
            require_ready(job.seen_in, move)
    _show(job, layout, err=layout == "json", offer=False)
    if not yes:
        _confirm(job, "Carry this out?")


def _confirm(job: Job, question: str) -> None:
    """Raises: UsageError without a terminal; RefusedError for a no."""
    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask on; nothing was changed",
            remedy=f"{job.again()} --execute {job.digest}   # or --yes",
        )
    if not click.confirm(question, err=True):
        raise RefusedError("not confirmed; nothing was changed", remedy=f"{job.again()} --plan")


def _send_settled(job: Job, manner: Manner) -> None:
    """Send what is here as it should be and not yet at the remote. Raises: as asking and pushing do."""
    unsent = find_unsent(job)
    if not unsent:
        return
    for line in describe(unsent):
        say(line, err=True)
    if not manner.yes and manner.execute is None:
        _confirm(job, "Push it?")
    send(job.repository, unsent)


def _carry_out(job: Job, remote: str | None, layout: str) -> int:
    policy = find_production(job.repository, job.branch, remote_too=True).policy
    results = job.execute(signing_for(job.repository, policy, job.count))
    if layout == "json":
        say(render_json(job.document(results)))
    else:
        tips = {move.ref: move.tip for move in job.moves}
        for result in results:
            following = "" if remote is not None else job.push_command
            say(render_result(result, tips[result.ref], job.tag_of(result), following=following))
    if remote is not None:
        push(job, remote, results)
    return exit_codes.ALLOW
