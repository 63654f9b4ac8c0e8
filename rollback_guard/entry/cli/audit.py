"""`guard audit`: what landed on a branch, commit by commit, as the policy of its day judged it."""

from __future__ import annotations

import sys

import click

from rollback_guard.entry.cli.check import read_what_if
from rollback_guard.entry.exit_codes import of_decision
from rollback_guard.entry.judge import Question
from rollback_guard.entry.judge_history import LandedVerdict, iter_audit
from rollback_guard.entry.wiring import ask, here, plain_letters, show, wants_colour
from rollback_guard.errors import GuardError, UsageError
from rollback_guard.facts.policy_source import tips_of
from rollback_guard.gate.verdict import Decision, decide_all
from rollback_guard.git.refs import HEADS, REMOTES, require_commit, short_branch
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
    target, tip = _branch(question, branch)
    tip = tip if until is None else require_commit(question.repository, until, "--until")
    begin = None if since is None else require_commit(question.repository, since, "--since")
    counts: dict[Decision, int] = {"allow": 0, "deny": 0, "undetermined": 0}

    def counted() -> Iterator[LandedVerdict]:
        for landed in iter_audit(question, target=target, until=tip, since=begin, claimed=repository):
            counts[landed.change.decision] += 1
            yield landed

    if layout == "json":
        items = ((landed.commit, landed.change) for landed in counted())
        begun = False
        try:
            for piece in iter_audit_json(items, as_of=question.as_of):
                click.echo(piece, nl=False)
                begun = True
        except GuardError as error:
            error.begun = begun
            raise
        click.echo()
    else:
        colour, plain = wants_colour(sys.stdout), plain_letters(sys.stdout)
        for landed in counted():
            if verbose or landed.change.decision != "allow":
                text = render_landed(landed.subject, landed.commit, landed.change, colour=colour, ascii_only=plain)
                show(text, sys.stdout)
        show(render_summary(short_branch(target), counts, colour=colour), sys.stdout)
    ctx.exit(of_decision(decide_all(tuple(name for name, count in counts.items() if count))))


def _branch(question: Question, name: str) -> tuple[str, str]:
    """Full name and tip of the branch to audit: the local one, else as last seen on a remote.

    Raises: UsageError when there is none.
    """
    remotes = question.around.remotes
    full = name.startswith((HEADS, REMOTES))
    candidates = (name,) if full else (HEADS + name, *(f"{REMOTES}{remote}/{name}" for remote in remotes))
    for candidate, tip in tips_of(question.repository, *candidates).items():
        if short_branch(candidate, remotes) != "HEAD":  # of a remote, it only stands for another one
            return HEADS + short_branch(candidate, remotes), tip
    raise UsageError(f"there is no branch {name!r} here", remedy="git fetch --all   # or look at: git branch --all")
