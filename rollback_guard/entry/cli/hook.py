"""`guard hook STAGE`: the same as `guard-hook STAGE`, for configurations that know only `guard`, and as JSON."""

from __future__ import annotations

import os
import time

import click

from rollback_guard.entry.hook import STAGES, main, run_stage
from rollback_guard.entry.wiring import say
from rollback_guard.gate.verdict import Verdict
from rollback_guard.report.json_text import render_json, verdict_document


@click.command(name="hook", context_settings={"ignore_unknown_options": True})
@click.argument("stage", metavar="STAGE", type=click.Choice(STAGES))
@click.argument("arguments", metavar="[ARGUMENT]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--format", "layout", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.pass_context
def command(ctx: click.Context, stage: str, arguments: tuple[str, ...], layout: str) -> None:
    """What Git hooks call: judge one STAGE with the arguments and input that git gives it.

    STAGE is pre-commit, pre-merge-commit, prepare-commit-msg, commit-msg, pre-push, pre-receive, policy or
    migrations.

    \b
    Example:
      guard hook pre-commit
      guard hook pre-push origin https://github.com/acme/shop --format json < lines

    As text, a refusal is a few lines on stderr. As JSON, the verdict is on stdout, and has no changes where
    nothing had to be judged; of migrations it is their report. `guard-hook` does the same as the text and starts
    faster.
    """
    if layout == "text":
        ctx.exit(main([stage, *arguments]))
    if stage == "migrations":
        from rollback_guard.entry.hook_migrations import read_staged, staged_document

        staged = read_staged(list(arguments), os.environ)
        say(render_json(staged_document(staged)))
        ctx.exit(staged.exit_code)
    heard: list[Verdict] = []
    code = run_stage([stage, *arguments], os.environ, heard.append)
    verdict = heard[0] if heard else Verdict(decision="allow", as_of=int(time.time()), changes=())
    say(render_json(verdict_document(verdict)))
    ctx.exit(code)
