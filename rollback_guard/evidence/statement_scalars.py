"""What single values of a statement must be: object ids, digests, names, refs, moments, lines of text.

Each check takes the value and what it is called, and raises FormatError. Which value a statement has where is left to
`evidence.statement_checks`. Pure.
"""

from __future__ import annotations

from typing import Any

from rollback_guard.evidence.canonical import FormatError
from rollback_guard.policy.scalars import is_name

MOST_TEXT = 2000  # characters of a comment or a reason
MOST_NAME = 1024  # characters of a repository, a ref or a URI
MOST_WORD = 100  # characters of a role or a person's id
MOST_LISTED = 200  # rules or inputs of a verdict
LAST = 253402300799  # the last second of the year 9999
_HEX = frozenset("0123456789abcdef")
_REF_SIGNS = frozenset(" ~^:?*[\\")


def is_branch(ref: str) -> bool:
    """Whether a statement can name a branch (full name)."""
    try:
        check_target(ref)
    except FormatError:
        return False
    return True


def check_target(ref: Any, name: str = "target") -> None:
    """A branch by its full name."""
    check_line(ref, f"the {name}")
    if not _is_ref(ref, "heads"):
        raise FormatError(f"the {name} is no branch: refs/heads/…")


def check_tag(ref: Any, name: str) -> None:
    """A tag by its full name."""
    check_line(ref, f"the {name}")
    if not _is_ref(ref, "tags"):
        raise FormatError(f"the {name} is none: refs/tags/…")


def _is_ref(ref: str, space: str) -> bool:
    parts = ref.split("/")
    odd = any(not part or part.startswith(".") or part.endswith((".", ".lock")) or ".." in part for part in parts)
    return parts[:2] == ["refs", space] and len(parts) > 2 and not (odd or "@{" in ref or _REF_SIGNS & set(ref))


def check_oid(value: Any, name: str) -> None:
    """A full object id."""
    if not isinstance(value, str) or len(value) not in (40, 64) or not _HEX.issuperset(value):
        raise FormatError(f"{name} is no object id")


def check_digest(value: Any, name: str) -> None:
    """`sha256:` and hex."""
    if not isinstance(value, str) or value[:7] != "sha256:":
        raise FormatError(f"{name} is no sha256:…")
    check_hex(value[7:], name)


def check_hex(value: Any, name: str) -> None:
    """A SHA-256 in hex."""
    if not isinstance(value, str) or len(value) != 64 or not _HEX.issuperset(value):
        raise FormatError(f"{name} is no SHA-256 in hex")


def check_word(value: Any, name: str) -> None:
    """A name, as the policy has them."""
    if not isinstance(value, str) or not is_name(value) or len(value) > MOST_WORD:
        raise FormatError(f"{name} is no name of letters, digits, -, _ and .")


def check_rule(value: Any, name: str) -> None:
    """A rule's id."""
    sound = isinstance(value, str) and len(value) == 5 and value.isascii()
    if not sound or value[:2] != "RG" or not value[2:].isdigit():
        raise FormatError(f"{name} is no rule's id such as RG201")


def check_moment(value: Any, name: str) -> None:
    """Unix seconds."""
    if type(value) is not int or not 0 <= value <= LAST:
        raise FormatError(f"{name} is no moment from 1970 to 9999")


def check_text(value: Any, name: str, *, most: int = MOST_TEXT, breaks: str = "\n\t") -> None:
    """Text that any reader can write down: UTF-8, no control characters but line breaks and tabs."""
    if not isinstance(value, str):
        raise FormatError(f"{name} is no text")
    if len(value) > most:
        raise FormatError(f"{name} has {len(value):,} characters; at most {most:,} are read")
    if any((one < " " and one not in breaks) or "\x7f" <= one < "\xa0" or "\ud800" <= one < "\ue000" for one in value):
        raise FormatError(f"{name} holds control characters or is no UTF-8")


def check_line(value: Any, name: str) -> None:
    """One line of text that says something."""
    check_text(value, name, most=MOST_NAME, breaks="")
    if not value.strip():
        raise FormatError(f"{name} is empty")


def check_free(value: Any, name: str) -> None:
    """A line that may be empty."""
    check_text(value, name, most=MOST_NAME, breaks="")


def check_reason(value: Any, name: str) -> None:
    """Text that says something."""
    check_text(value, name)
    if not value.strip():
        raise FormatError(f"{name} is empty")


def check_number(value: Any, name: str) -> None:
    """A whole number that every reader can hold."""
    if type(value) is not int or not 0 <= value < 10**15:
        raise FormatError(f"{name} is no whole number from 0")


def check_order(value: tuple[Any, ...], name: str) -> None:
    """Values that are sorted, each once, and not too many."""
    if len(value) > MOST_LISTED:
        raise FormatError(f"{name} are more than {MOST_LISTED}")
    if list(value) != sorted(set(value)):
        raise FormatError(f"{name} are not sorted, each once")
