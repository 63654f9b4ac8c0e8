"""What a commit's message says that it takes back: git's own sentences, those of forges, and what people write. Pure.

Which commits these are, and whether it still holds, is left to `git.standing`. Source of git's form: sequencer.c,
refer_to_commit and do_pick_commit; a `Reapply "S"` says `This reverts commit` of the revert, like any other.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# What `git log --grep` is asked for, as an extended regular expression: a line that may say something.
HINT = r"^(This (reverts|reapplies) |Reverts?[: ])"

# The same for the line that `git cherry-pick -x` appends.
PICKED_HINT = r"^\(cherry picked from commit [0-9a-f]{40,64}\)"

_HINT = re.compile(HINT, re.MULTILINE)
_OID = r"[0-9a-fA-F]{7,64}(?![0-9a-zA-Z])"
_MORE = re.compile(rf"\s*(?:,|and\b|&)\s*(?:and\s+)?(?:commit\s+)?({_OID})")
_REVERTS = re.compile(rf"^This reverts commits?\s+({_OID})", re.MULTILINE)
_REAPPLIES = re.compile(rf"^This reapplies commits?\s+({_OID})", re.MULTILINE)
# A trailer, which may go on in lines that begin with a blank.
_TRAILER = re.compile(r"^Reverts?[ \t]*:[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE | re.IGNORECASE)
_LISTED = re.compile(rf"(?:commit\s+)?({_OID})")
# The Revert buttons of forges name a request where they make no revert of one commit.
_REQUEST = re.compile(
    r"^(?:Reverts (?:[\w.-]+/[\w.-]+)?#|This reverts merge request (?:[\w.-]+(?:/[\w.-]+)*)?!)"
    r"([1-9][0-9]{0,9})(?![0-9])",
    re.MULTILINE,
)

# Source: sequencer.c, cherry_picked_prefix; git writes the full id.
_PICKED = re.compile(r"^\(cherry picked from commit ([0-9a-f]{64}|[0-9a-f]{40})\)\r?$", re.MULTILINE)


class Said(NamedTuple):
    """What one message says, each in the order written, once. Ids in lower case, in full or abbreviated."""

    reverts: tuple[str, ...] = ()
    requests: tuple[int, ...] = ()  # numbers of pull and merge requests that it reverts
    reapplies: tuple[str, ...] = ()  # commits whose change it makes once more


def read_said(text: str) -> Said:
    """Everything that a message says that it reverts or applies again.

    >>> read_said("Revert 'x'\\n\\nThis reverts commit 1234567, reversing\\nchanges made to 89abcde.").reverts
    ('1234567',)
    """
    reverts = _sentences(_REVERTS, text)
    for match in _TRAILER.finditer(text):
        reverts += _list(_LISTED.match(match[1]), match[1])
    return Said(
        reverts=tuple(dict.fromkeys(reverts)),
        requests=tuple(dict.fromkeys(int(match[1]) for match in _REQUEST.finditer(text))),
        reapplies=tuple(dict.fromkeys(_sentences(_REAPPLIES, text))),
    )


def read_hinted(text: str) -> Said | None:
    """The same for a message that git would find by `HINT`; None for any other, and where it says nothing after all."""
    if _HINT.search(text) is None:
        return None
    said = read_said(text)
    return said if any(said) else None


def read_picked(text: str) -> tuple[str, ...]:
    """The commits, by full ids, from which a message says that it was picked; a pick of a pick names both.

    >>> read_picked(f"Mend it\n\n(cherry picked from commit {'a' * 40})") == ("a" * 40,)
    True
    """
    return tuple(dict.fromkeys(match[1] for match in _PICKED.finditer(text)))


def reverted_in_full(text: str) -> str | None:
    """The first commit that a message says it reverts by its full id."""
    return next((oid for oid in read_said(text).reverts if len(oid) in (40, 64)), None)


def _sentences(pattern: re.Pattern[str], text: str) -> list[str]:
    found = []
    for match in pattern.finditer(text):
        found += _list(match, text)
    return found


def _list(match: re.Match[str] | None, text: str) -> list[str]:
    """The id that was matched, and those that follow it in a list: `A, B and C`."""
    found = []
    while match is not None:
        found.append(match[1].lower())
        match = _MORE.match(text, match.end())
    return found
