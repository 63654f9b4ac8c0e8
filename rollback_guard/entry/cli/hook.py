"""`guard hook STAGE`: the same as `guard-hook STAGE`, for configurations that know only `guard`."""

from __future__ import annotations

import click

from rollback_guard.entry.hook import STAGES, main


@click.command(name="hook", context_settings={"ignore_unknown_options": True})
@click.argument("stage", type=click.Choice(STAGES))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, stage: str, arguments: tuple[str, ...]) -> None:
    """What Git hooks call: judge one STAGE with the arguments and input that git gives it.

    \b
    Example:
      guard hook pre-push origin https://github.com/acme/shop < lines

    `guard-hook` does the same and starts faster.
    """
    ctx.exit(main([stage, *arguments]))
