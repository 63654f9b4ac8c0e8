"""`guard audit`: what landed on a branch, commit by commit, as the policy of its day judged it."""

from __future__ import annotations

import sys
from functools import partial

import click

from rollback_guard.entry.cli.check import read_what_if
from rollback_guard.entry.exit_codes import of_decision
from rollback_guard.entry.judge_history import LandedVerdict, iter_audit
from rollback_guard.entry.progress import Progress, count_commits
from rollback_guard.entry.target import require_branch
from rollback_guard.entry.wiring import ask, here, plain_letters, show, wants_colour
from rollback_guard.errors import GuardError
from rollback_guard.gate.verdict import Decision, Outcome, decide_all, unreviewed
from rollback_guard.git.refs import require_commit, short_branch
from rollback_guard.report.audit_text import render_landed, render_summary
from rollback_guard.report.json_text import iter_audit_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(name="audit")
@click.argument("branch")
@click.option("--since", metavar="REV", help="Begin after this commit.")
@click.option("--until", metavar="REV", help="End with this commit, if not the branch's tip.")
@click.option("--repository", metavar="URL", help="The repository that this branch belongs to.")
@click.option("--policy", "policy_file", metavar="FILE", help="Judge by this policy instead: a what-if.")
@click.option("--format", "layout", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("--verbose", is_flag=True, help="List the commits that were allowed as well.")
@click.pass_context
def command(
    ctx: click.Context,
    branch: str,
    since: str | None,
    until: str | None,
    repository: str | None,
    policy_file: str | None,
    layout: str,
    verbose: bool,
) -> None:
    """The verdict on each commit that landed on BRANCH, newest first, as the policy of its day judged it.

    \b
    Example:
      guard audit main --since v1.3
      guard audit main --policy next-policy.toml --format json

    Exit codes: 0 all allowed, 1 one was denied, 4 one could not be determined.
    """
    question = ask(here(), read_what_if(policy_file))
    target, tip = require_branch(question, branch, here_first=True)
    last = tip if until is None else require_commit(question.repository, until, "--until")
    begin = None if since is None else require_commit(question.repository, since, "--since")
    counts: dict[Decision, int] = {"allow": 0, "deny": 0, "undetermined": 0}
    waived: list[Outcome] = []
    # A line that comes and goes would tear the lines of a document apart that is shown on the same terminal.
    quiet = layout == "json" and sys.stdout.isatty()
    total = partial(count_commits, question.repository, last, begin, "--first-parent")
    with Progress("judging", total, quiet=quiet) as progress:

        def counted() -> Iterator[LandedVerdict]:
            for landed in iter_audit(question, target=target, until=last, since=begin, claimed=repository, tip=tip):
                counts[landed.change.decision] += 1
                waived.extend(unreviewed(landed.change))
                progress.advance()
                yield landed

        if layout == "json":
            _write_json(counted(), question.as_of)
        else:
            _write_text(counted(), progress, verbose=verbose)
    if layout == "text":
        colour = wants_colour(sys.stdout)
        show(render_summary(short_branch(target), counts, waived=len(waived), colour=colour), sys.stdout)
    ctx.exit(of_decision(decide_all(tuple(name for name, count in counts.items() if count))))


def _write_json(audited: Iterator[LandedVerdict], as_of: int) -> None:
    begun = False
    try:
        for piece in iter_audit_json(((landed.commit, landed.change) for landed in audited), as_of=as_of):
            click.echo(piece, nl=False)
            begun = True
    except GuardError as error:
        error.begun = begun
        raise
    click.echo()


def _write_text(audited: Iterator[LandedVerdict], progress: Progress, *, verbose: bool) -> None:
    colour, plain = wants_colour(sys.stdout), plain_letters(sys.stdout)
    for landed in audited:
        if verbose or landed.change.decision != "allow" or unreviewed(landed.change):
            text = render_landed(landed.subject, landed.commit, landed.change, colour=colour, ascii_only=plain)
            with progress.away(sys.stdout):
                show(text, sys.stdout)
