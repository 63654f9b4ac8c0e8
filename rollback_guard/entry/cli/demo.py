"""`guard demo`: the whole story, as far as it is built, on a throwaway repository with a real server beside it."""

from __future__ import annotations

import os
import shutil
import tempfile

import click

from rollback_guard.entry.demo import tell
from rollback_guard.entry.wiring import say
from rollback_guard.errors import UsageError
from rollback_guard.report.json_text import render_json


@click.command(name="demo")
@click.option("--keep", metavar="DIR", help="Make the repositories in this new folder, and keep them.")
@click.option("--format", "layout", type=click.Choice(("text", "json")), default="text", show_default=True)
def command(keep: str | None, layout: str) -> None:
    """The whole story on a throwaway repository, in seconds, offline.

    \b
    Example:
      guard demo
      guard demo --keep shop   # then look around in shop/clone and shop/server.git

    A merge is refused, signed off, merged and released; a release fails and is rolled back. Every line
    that begins with $ is a command that was really run.
    """
    folder = tempfile.mkdtemp(prefix="guard-demo-") if keep is None else _new_folder(keep)
    lines: list[str] = []
    try:
        tell(folder, say if layout == "text" else lines.append)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    if layout == "json":
        text = "\n".join(lines).split("\n")
        say(render_json({"format": "rollback-guard/demo/1", "kept": folder if keep else None, "lines": text}))
    elif keep is not None:
        say(f"\nkept: {folder}")


def _new_folder(keep: str) -> str:
    folder = os.path.abspath(keep)
    try:
        os.mkdir(folder)
    except OSError as error:
        remedy = "guard demo --keep NEW-FOLDER"
        raise UsageError(f"--keep: {keep} cannot be made: {error.strerror}", remedy=remedy) from None
    return folder
