"""`guard reland`: bring back what was reverted, the right way. The work is in `release`, asking in `plan_steps`."""

from __future__ import annotations

from contextlib import ExitStack

import click

from rollback_guard.entry.cli.plan_steps import Manner, go_through, require_one_of
from rollback_guard.entry.reland_asked import AskedAgain, ask_for_reland
from rollback_guard.entry.revert_jobs import Options
from rollback_guard.entry.wiring import here
from rollback_guard.release.message import fold_reason
from rollback_guard.release.revert import require_full_history


@click.command()
@click.argument("revs", metavar="REV...", nargs=-1, required=True)
@click.option("--branch", metavar="BRANCH", help="The production branch that has the revert.")
@click.option("--as", "new_branch", metavar="NEW-BRANCH", help="The branch to write.  [default: reland/COMMIT]")
@click.option(
    "--source", metavar="BRANCH", help="The branch that goes on from it.  [default: the one that is found here]"
)
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--execute", metavar="DIGEST", help="Carry out the plan of that digest, and no other.")
@click.option("--push", "wants_push", is_flag=True, help="Push the new branch.")
@click.option("--reason", metavar="T", help="Why; it is written into every commit.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--format", "layout", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    revs: tuple[str, ...], branch: str | None, new_branch: str | None, source: str | None,
    only_plan: bool, execute: str | None, wants_push: bool, reason: str | None, yes: bool, layout: str,
) -> int:  # fmt: skip
    """Bring back what production reverted, on a new branch that goes the ordinary way into production.

    REV is the reverted commit, the merge that landed it, or the revert; or a range A..B of them, or the number of a
    pull request, '#123'. Where its branch went on, the revert is reverted and the branch merged; where the branch was
    rebuilt, an ordinary merge is right, which is written only with --as. Production itself is never written.

    \b
    Examples:
      guard reland 4f0c2a1 --plan
      guard reland 4f0c2a1 --source feature/basket --as reland/basket --push
      guard reland '#123' --reason "the basket is mended"
    """
    require_one_of(plan=only_plan, execute=execute, again="guard reland REV")
    asked = AskedAgain(revs=revs, branch=branch, new_branch=new_branch, source=source)
    options = Options(reason=fold_reason(reason), push=wants_push)
    repository = here()
    require_full_history(repository)
    with ExitStack() as stack:
        job = ask_for_reland(repository, asked, options, stack)
        return go_through(job, Manner(plan=only_plan, execute=execute, push=wants_push, yes=yes, layout=layout))
