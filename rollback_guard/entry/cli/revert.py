"""`guard revert`: go back to the last known stable release. The work is in `release`, asking in `plan_steps`."""

from __future__ import annotations

from contextlib import ExitStack

import click

from rollback_guard.entry.cli.plan_steps import Manner, go_through, require_one_of
from rollback_guard.entry.revert_asked import ask_for
from rollback_guard.entry.revert_jobs import Asked, Options
from rollback_guard.entry.wiring import here
from rollback_guard.release.message import fold_reason
from rollback_guard.release.revert import require_full_history


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
    require_one_of(plan=only_plan, execute=execute, again="guard revert")
    asked = Asked(revs=revs, to=to, mode=mode, branches=branches, new_branch=new_branch)
    options = Options(reason=fold_reason(reason), push=wants_push)
    repository = here()
    require_full_history(repository)
    with ExitStack() as stack:
        job = ask_for(repository, asked, options, stack)
        return go_through(job, Manner(plan=only_plan, execute=execute, push=wants_push, yes=yes, layout=layout))
