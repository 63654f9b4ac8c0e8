"""What entries share: the repository that a command stands in, the time, and how text reaches a person."""

from __future__ import annotations

import os
import sys
import time

from rollback_guard.errors import UsageError
from rollback_guard.git.repository import Repository, open_repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from rollback_guard.entry.question import Question, WhatIf
    from rollback_guard.gate.verdict import Verdict


PIECE = 1 << 16  # characters that are written at once


def here() -> Repository:
    """The repository that the command was called in, from whichever of its folders.

    Raises: UsageError when there is none.
    """
    try:
        folder = os.getcwd()
    except FileNotFoundError:
        raise UsageError("the present folder is gone", remedy="cd to a folder of the repository") from None
    return open_repository(folder, os.environ, hook="GIT_DIR" in os.environ)


def ask(repository: Repository, what_if: WhatIf | None = None) -> Question:
    """A question about a repository, now."""
    from rollback_guard.entry.question import Question
    from rollback_guard.facts.surroundings import read_surroundings

    return Question(repository, read_surroundings(repository), int(time.time()), what_if)


def wants_colour(stream: TextIO) -> bool:
    """Colour only on a terminal, and never where NO_COLOR is set. Source: https://no-color.org."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def plain_letters(stream: TextIO) -> bool:
    """Whether a stream's encoding cannot show more than ASCII."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower()
    return not encoding.startswith("utf")


def width_of(stream: TextIO) -> int:
    """The terminal's width in columns, 80 where there is none; at least 40."""
    if not stream.isatty():
        return 80
    try:
        return max(40, os.get_terminal_size(stream.fileno()).columns)
    except OSError:
        return 80


def show(text: str, stream: TextIO) -> None:
    """Write text and an end of line, whatever the stream's encoding can show."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        for start in range(0, len(text), PIECE):  # a plan of ten thousand commits need not be copied as a whole
            piece = text[start : start + PIECE]
            stream.write(piece.encode(encoding, "backslashreplace").decode(encoding))
        stream.write("\n")
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"the result could not be written: {error.strerror}") from None


def say(text: str, *, err: bool = False) -> None:
    """Write text to stdout, or to stderr."""
    show(text, sys.stderr if err else sys.stdout)


def hook_text(verdict: Verdict, stage: str) -> None:
    """A hook's few lines, on stderr."""
    from rollback_guard.report.terminal import render_hook_verdict

    stream = sys.stderr
    text = render_hook_verdict(verdict, stage, colour=wants_colour(stream), ascii_only=plain_letters(stream))
    try:
        show(text, stream)
    except (AttributeError, OSError, ValueError, UsageError):
        pass  # stderr is closed, or a full disk: the exit code says it
