"""What a git process that failed said, cut down to what a person needs. For people alone: nothing is decided by it."""

from __future__ import annotations

from rollback_guard.git.process import decode


def telling_line(stderr: bytes) -> str:
    """The line of what git said that says what failed; hints and banners may stand before it."""
    lines = [line.strip() for line in decode(stderr).split("\n") if line.strip()]
    return next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[0] if lines else "")


def first_lines(stderr: bytes, most: int = 3) -> str:
    """The first lines of what was said, on one: of a program that git ran, they say why."""
    lines = [line.strip() for line in decode(stderr).split("\n") if line.strip()]
    return "; ".join(lines[:most])
