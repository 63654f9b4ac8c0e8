"""What the commands that sign something about a change share: their options, and the question before the signature."""

from __future__ import annotations

import shlex
import sys

import click

from rollback_guard.entry.wiring import say
from rollback_guard.errors import RefusedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def change_options(command: Callable[..., object]) -> Callable[..., object]:
    """The options of every command that signs something about a change."""
    for option in reversed(
        (
            click.option("--into", metavar="BRANCH", help="The production branch that the change would land on."),
            click.option("--head", metavar="REV", help="What would land; HEAD if not given."),
            click.option("--base", metavar="REV", help="Where the target must be; refused when it is elsewhere."),
            click.option("--repository", metavar="URL", help="The repository that the change goes to."),
            click.option("--key", metavar="PATH", help="SSH key to sign with.  [default: git's user.signingKey]"),
            click.option("--yes", is_flag=True, help="Do not ask."),
            click.option("--format", "layout", type=click.Choice(("text", "json")), default="text", show_default=True),
        )
    ):
        command = option(command)
    return command


def confirm(text: str, question: str, *, layout: str, yes: bool, again: list[str]) -> None:
    """Show what is about to be signed, and have it confirmed.

    `again` is the command that signs the same. Raises: UsageError without a terminal; RefusedError for a no.
    """
    say(text, err=layout == "json")
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on; nothing was signed", remedy=shlex.join([*again, "--yes"]))
    if not click.confirm(question, err=True):
        raise RefusedError("not confirmed; nothing was signed", remedy=shlex.join(again))
