"""`guard check`: the verdict on a change that would land."""

from __future__ import annotations

import os
import shlex
import sys

import click

from rollback_guard.entry.exit_codes import of_decision
from rollback_guard.entry.judge import judge_proposal, verdict_of
from rollback_guard.entry.progress import Progress, count_commits
from rollback_guard.entry.proposal import Proposed, judge, read_proposed, require_head
from rollback_guard.entry.question import WhatIf
from rollback_guard.entry.stores import look_into
from rollback_guard.entry.target import find_target
from rollback_guard.entry.wiring import ask, here, plain_letters, say, show, wants_colour, width_of
from rollback_guard.errors import GuardError, UsageError
from rollback_guard.facts.range import Proposal
from rollback_guard.facts.surroundings import repository_of
from rollback_guard.gate.verdict import ChangeVerdict
from rollback_guard.git.refs import require_commit, short_branch
from rollback_guard.policy.read import LIMIT, read_policy
from rollback_guard.report.formats import FORMATS, render


def read_what_if(path: str | None) -> WhatIf | None:
    """The policy of `--policy FILE`.

    Raises: UsageError when it cannot be read; PolicyError when it is no policy.
    """
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            data = file.read(16 * LIMIT)  # a pyproject.toml may hold more than a policy; the reader bounds it
    except OSError as error:
        raise UsageError(f"--policy: {path} cannot be read: {error.strerror}", remedy="guard init") from None
    policy = read_policy(data, path="pyproject.toml" if os.path.basename(path) == "pyproject.toml" else path)
    if policy is None:
        raise UsageError(f"--policy: {path} has no [tool.rollback-guard] table", remedy="guard policy schema")
    return WhatIf(policy=policy, path=path, data=data)


def write_out(text: str, output: str | None) -> None:
    """Print a result, or write it to a file.

    Raises: UsageError when the file cannot be written.
    """
    if output is None or output == "-":
        show(text, sys.stdout)
        return
    try:
        with open(output, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text + "\n")
    except OSError as error:
        raise UsageError(f"--output: {output} cannot be written: {error.strerror}") from None


@click.command(name="check")
@click.option("--into", metavar="BRANCH", help="The production branch that the change would land on.")
@click.option("--base", metavar="REV", help="The target's present tip, if not the one seen here.")
@click.option("--head", metavar="REV", help="What would land; HEAD if not given.")
@click.option("--source", metavar="BRANCH", help="The branch that the change comes from; it must hold the head.")
@click.option("--repository", metavar="URL", help="The repository that the change goes to.")
@click.option("--policy", "policy_file", metavar="FILE", help="Judge by this policy instead: a what-if.")
@click.option("--record", "recorded", is_flag=True, help="Record the verdict as a statement that you sign.")
@click.option("--key", metavar="PATH", help="SSH key for --record.  [default: git's user.signingKey]")
@click.option("--format", "layout", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", metavar="FILE", help="Write the result to a file.")
@click.option("--verbose", is_flag=True, help="List the rules that hold as well.")
@click.pass_context
def command(
    ctx: click.Context,
    into: str | None,
    base: str | None,
    head: str | None,
    source: str | None,
    repository: str | None,
    policy_file: str | None,
    recorded: bool,
    key: str | None,
    layout: str,
    output: str | None,
    verbose: bool,
) -> None:
    """The verdict on a change: what would land if HEAD were merged into production now.

    \b
    Example:
      guard check --into main --head release/1.4
      guard check --into main --format json --output verdict.json
      guard check --into main --record     # and sign the verdict, as a SLSA verification summary

    Exit codes: 0 allowed, 1 denied, 2 wrong usage or invalid policy, 4 undetermined.
    """
    if recorded and policy_file is not None:
        raise UsageError("--policy and --record exclude each other: a what-if is no verdict", remedy="guard check")
    if key is not None and not recorded:
        raise UsageError("--key is for --record only", remedy=f"guard check --record --key {shlex.quote(key)}")
    question = ask(here(), read_what_if(policy_file))._replace(look=look_into)
    target, tip = find_target(question, into)
    tip = tip if base is None else require_commit(question.repository, base, "--base")
    head_rev = "HEAD" if head is None else head
    head_oid, named = require_head(question, head_rev)
    proposal = Proposal(
        stage="range",
        target=target,
        base=tip,
        head=head_oid,
        repository=repository_of(question.around, claimed=repository),
        claimed_source=None if source is None else short_branch(source, question.around.remotes),
    )
    with Progress("judging", lambda: count_commits(question.repository, head_oid, tip)):
        proposed = read_proposed(question, proposal, named=named) if recorded else None
        change = judge(proposed) if proposed is not None else judge_proposal(question, proposal, named=named)
        verdict = verdict_of(question, (change,))
    text = render(
        verdict,
        layout,
        colour=output is None and wants_colour(sys.stdout),
        width=width_of(sys.stdout),
        ascii_only=output is None and plain_letters(sys.stdout),
        verbose=verbose,
    )
    write_out(text, output)
    if proposed is not None:
        _record(proposed, change, key)
    ctx.exit(of_decision(verdict.decision))


def _record(proposed: Proposed, verdict: ChangeVerdict, key: str | None) -> None:
    """Sign the verdict that was shown, and say so on stderr. Raises: as `entry.verdict_record`."""
    from rollback_guard.entry.verdict_record import record_verdict

    try:
        digest = record_verdict(proposed, verdict, key)
    except GuardError as error:
        error.begun = True  # the verdict was written already
        raise
    say(f"recorded: the verdict, as {digest[:12]}", err=True)
    if proposed.question.around.remotes:
        say("→ guard evidence push", err=True)
