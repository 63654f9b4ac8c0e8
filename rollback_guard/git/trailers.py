"""Trailers of a message that is not a commit yet, parsed by git itself.

What git will remove from the message before it commits (comments, what is below the scissors line) is
removed first, so that a trailer in a comment does not count and one above the comments does.
"""

from __future__ import annotations

import os

from rollback_guard.git.process import NO_SETTINGS, Git, decode

SCISSORS = b"------------------------ >8 ------------------------"


def clean_message(git: Git, raw: bytes) -> bytes:
    """The message as git will store it when an editor is used: no comments, nothing below the scissors.

    Which character begins a comment is git's own setting, and git applies it.
    """
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    for number, line in enumerate(lines):
        comment, scissors, rest = line.partition(SCISSORS)
        # `# ---- >8 ----` behind whatever begins a comment, which may be more than one character.
        if scissors and not rest.strip() and len(comment.split()) == 1 and not line[:1].isalnum():
            lines = lines[:number]
            break
    return git.run("stripspace", "--strip-comments", stdin=b"\n".join(lines)).stdout


def read_trailers(git: Git, message: bytes) -> tuple[tuple[str, str], ...]:
    """(key, value) of each trailer, unfolded, in the order written.

    `---` lines do not end the message: in a commit they are text. Nobody's settings are read, since
    `trailer.<name>.key` would rewrite keys.
    """
    out = _without_settings(git).run("interpret-trailers", "--parse", "--no-divider", stdin=message).stdout
    found = []
    for line in decode(out).split("\n"):
        key, separator, value = line.partition(":")
        if separator:
            found.append((key.strip(), " ".join(value.split())))
    return tuple(found)


def add_trailers(git: Git, message: bytes, trailers: tuple[tuple[str, str], ...]) -> bytes:
    """The message with (key, value) trailers added to its block, each once. Nobody's settings are read."""
    # git writes a merge's message without a final newline, and would glue the trailers to its subject.
    whole = message if message.endswith(b"\n") else message + b"\n"
    added = [part for key, value in trailers for part in ("--trailer", f"{key}: {value}")]
    options = ("--no-divider", "--if-exists=addIfDifferent")
    return _without_settings(git).run("interpret-trailers", *options, *added, stdin=whole).stdout


def as_comments(git: Git, text: bytes) -> bytes:
    """Lines as comments of a message, by the comment character that git is set to."""
    return git.run("stripspace", "--comment-lines", stdin=text).stdout


def _without_settings(git: Git) -> Git:
    return Git(cwd=git.cwd, env={**git.env, **NO_SETTINGS}, git_dir=os.devnull, program=git.program)
