"""`guard revert`: go back to the last known stable release. Asks and prints; the work is in `release`."""

from __future__ import annotations

import sys
from contextlib import ExitStack

import click

from rollback_guard.entry import exit_codes
from rollback_guard.entry.production import find_production
from rollback_guard.entry.revert_asked import Asked, ask_for
from rollback_guard.entry.revert_jobs import Alone, Back, Options
from rollback_guard.entry.revert_push import push, remote_of
from rollback_guard.entry.revert_signing import signing_for
from rollback_guard.entry.wiring import here, say
from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.release.message import fold_reason
from rollback_guard.release.moving import require_ready
from rollback_guard.release.revert import require_full_history
from rollback_guard.report.json_text import render_json
from rollback_guard.report.plan_text import render_result


@click.command()
@click.argument("revs", metavar="[REV]...", nargs=-1)
@click.option("--to", metavar="TAG", help="The stable release to go back to.  [default: the last known one]")
@click.option(
    "--mode",
    type=click.Choice(["each", "single", "only"]),
    default="each",
    show_default=True,
    help="each: one revert commit for each commit that landed; single: one commit for all of them; only: REV alone.",
)
@click.option(
    "--branch",
    "branches",
    metavar="BRANCH",
    multiple=True,
    help="The production branch that goes back; may be repeated.",
)
@click.option("--as", "new_branch", metavar="NEW-BRANCH", help="Write to a new branch; production stays.")
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--execute", metavar="DIGEST", help="Carry out the plan of that digest, and no other.")
@click.option("--push", "wants_push", is_flag=True, help="Push the result, if the remote is where this clone thinks.")
@click.option("--reason", metavar="T", help="Why; it is written into every revert commit.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--format", "layout", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    revs: tuple[str, ...], to: str | None, mode: str, branches: tuple[str, ...], new_branch: str | None,
    only_plan: bool, execute: str | None, wants_push: bool, reason: str | None, yes: bool, layout: str,
) -> int:  # fmt: skip
    """Go back to the last known stable release, by new commits; nothing is lost from history.

    Shows the plan first and asks. A merge is reverted like any other commit, and the result is proven:
    the branch ends with the very tree of the release. With --mode only, the commits REV are undone alone, each by
    a merge: a commit, a range A..B, or the number of a pull request, '#123'.

    \b
    Examples:
      guard revert --plan
      guard revert --to stable/2026.11.22.1 --reason "checkout fails" --push
      guard revert --as back/checkout      # for a pull request; production stays
      guard revert --mode only '#123' --as undo/basket
      guard revert --branch main --branch legacy --push      # both or none
    """
    if only_plan and execute is not None:
        raise UsageError("--plan and --execute exclude each other", remedy="guard revert --plan")
    asked = Asked(revs=revs, to=to, mode=mode, branches=branches, new_branch=new_branch)
    options = Options(reason=fold_reason(reason), push=wants_push)
    repository = here()
    require_full_history(repository)
    with ExitStack() as stack:
        job = ask_for(repository, asked, options, stack)
        if execute is not None:
            _require_digest(job, execute)
        if only_plan or job.empty or job.open:
            _show(job.noted(), layout)
            return exit_codes.DENY if job.open else exit_codes.ALLOW
        remote = remote_of(repository, job) if wants_push else None
        if execute is None:
            _ask(job, layout, yes=yes)
        return _carry_out(job, remote, layout)


def _require_digest(job: Back | Alone, digest: str) -> None:
    if job.digest not in (digest, f"sha256:{digest}"):
        raise RefusedError(
            "the plan is not the one of that digest any more: the branch or the release moved, or other options "
            "were given; nothing was changed",
            remedy=f"{job.again()} --plan",
        )


def _show(job: Back | Alone, layout: str, *, offer: bool = True, err: bool = False) -> None:
    # Who is about to carry it out, or did, needs no command that would do so.
    said = render_json(job.document()) if layout == "json" and not err else job.text(offer=offer)
    say(said, err=err)


def _ask(job: Back | Alone, layout: str, *, yes: bool) -> None:
    """Show the plan and have it confirmed. Raises: UsageError without a terminal; RefusedError for a no."""
    if not yes:
        for move in job.moves:  # before anybody is asked; it is asked for again when it counts
            require_ready(job.seen_in, move)
    _show(job, layout, err=layout == "json", offer=False)
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask on; nothing was changed",
            remedy=f"{job.again()} --execute {job.digest}   # or --yes",
        )
    if not click.confirm("Carry this out?", err=True):
        raise RefusedError("not confirmed; nothing was changed", remedy="guard revert --plan")


def _carry_out(job: Back | Alone, remote: str | None, layout: str) -> int:
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
