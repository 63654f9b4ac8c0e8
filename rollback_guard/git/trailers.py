"""Trailers of a message that is not a commit yet, parsed by git itself.

What git will remove from the message before it commits (comments, what is below the scissors line) is
removed first, so that a trailer in a comment does not count and one above the comments does.
"""

from __future__ import annotations

from rollback_guard.git.process import Git, decode

SCISSORS = b"------------------------ >8 ------------------------"


def clean_message(git: Git, raw: bytes) -> bytes:
    """The message as git will store it when an editor is used: no comments, nothing below the scissors.

    Which character begins a comment is git's own setting, and git applies it.
    """
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    for number, line in enumerate(lines):
        if line[1:].strip() == SCISSORS and not line[:1].isalnum():
            lines = lines[:number]
            break
    return git.run("stripspace", "--strip-comments", stdin=b"\n".join(lines)).stdout


def read_trailers(git: Git, message: bytes) -> tuple[tuple[str, str], ...]:
    """(key, value) of each trailer, unfolded, in the order written; separators are those of git's settings.

    `---` lines do not end the message: in a commit they are text.
    """
    out = git.run("interpret-trailers", "--parse", "--no-divider", stdin=message).stdout
    found = []
    for line in decode(out).splitlines():
        key, separator, value = line.partition(":")
        if separator:
            found.append((key.strip(), " ".join(value.split())))
    return tuple(found)
