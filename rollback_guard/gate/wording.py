"""Words that findings share: commits in twelve digits, branches without refs/heads/, text safe to paste.

What is invisible or steers a terminal is left to `report.visible`: findings carry names as they are.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HEADS = "refs/heads/"
TAGS = "refs/tags/"

_PLAIN = frozenset("@%+=:,./-_")


def digits(commit: str | None) -> str:
    """The first 12 digits of a commit; words for one that is not made yet."""
    return commit[:12] if commit else "in the making"


def short_name(ref: str) -> str:
    """A branch or tag without refs/heads/ or refs/tags/; any other ref as it is."""
    for prefix in (HEADS, TAGS):
        if ref.startswith(prefix):
            return ref[len(prefix) :]
    return ref


def listed(items: Iterable[str], *, most: int = 5) -> str:
    """A list in words, cut after `most`: `a, b and 3 more`; `nobody` and the like are the caller's."""
    every = list(items)
    rest = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + rest


def quoted(text: str) -> str:
    """Text as one word of a POSIX shell, so that a remedy can be pasted whatever a branch is called."""
    if text and all(character in _PLAIN or (character.isascii() and character.isalnum()) for character in text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def excerpt(line: str, *, most: int = 60) -> str:
    """One line of a file in quotes, cut after `most` characters."""
    stripped = line.strip()
    return f'"{stripped[:most]}…"' if len(stripped) > most else f'"{stripped}"'


def in_utc(seconds: int) -> str:
    """A moment (Unix seconds) as verdicts write it.

    >>> in_utc(0)
    '1970-01-01T00:00:00Z'
    """
    from time import gmtime, strftime

    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(seconds))


def lasting(seconds: int) -> str:
    """A time span in the largest unit of which it has two, rounded down.

    >>> lasting(3600), lasting(7300), lasting(200000), lasting(1)
    ('60 minutes', '2 hours', '2 days', '1 second')
    """
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:,} {unit}"
    return "1 second" if seconds == 1 else f"{seconds} seconds"
