"""`guard backup`: take, prove, attest, list, restore and prune what the policy names. Asks and prints; no more."""

from __future__ import annotations

import click

from rollback_guard.entry.cli import backup_keep, backup_make, backup_restore

LAYOUT = click.option("--format", "layout", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group()
def command() -> None:
    """Backups that are proven by restoring them: databases and directories that the policy names.

    \b
    Examples:
      guard backup create                  # all of them, as one set: taken, proven, signed for
      guard backup list
      guard backup restore shop-db
      guard backup prune --keep 7
    """


for one in (*backup_make.COMMANDS, *backup_keep.COMMANDS, *backup_restore.COMMANDS):
    command.add_command(one)
