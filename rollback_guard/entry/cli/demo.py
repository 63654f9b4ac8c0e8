"""`guard demo`: the whole story, as far as it is built, on a throwaway repository with a real server beside it."""

from __future__ import annotations

import os
import shutil
import tempfile

import click

from rollback_guard.entry.demo import tell
from rollback_guard.errors import UsageError


@click.command(name="demo")
@click.option("--keep", metavar="DIR", help="Make the repositories in this new folder, and keep them.")
def command(keep: str | None) -> None:
    """The whole story on a throwaway repository, in seconds, offline.

    \b
    Example:
      guard demo
      guard demo --keep shop   # then look around in shop/clone and shop/server.git

    A merge is refused, signed off, merged and released; a release fails and is rolled back. Every line
    that begins with $ is a command that was really run.
    """
    if keep is None:
        folder = tempfile.mkdtemp(prefix="guard-demo-")
        try:
            tell(folder, click.echo)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    folder = os.path.abspath(keep)
    try:
        os.mkdir(folder)
    except OSError as error:
        raise UsageError(
            f"--keep: {keep} cannot be made: {error.strerror}", remedy="guard demo --keep NEW-FOLDER"
        ) from None
    tell(folder, click.echo)
    click.echo(f"\nkept: {folder}")
