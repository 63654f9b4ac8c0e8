"""Text from strangers, made safe to show: what would steer a terminal is made visible instead.

Names, messages, paths and branch names come from whoever pushed them. Control characters, escape
sequences, bidirectional overrides and bytes that are no UTF-8 are shown as escapes; nothing is dropped.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Zero-width, bidirectional and other format characters that change how the rest is read.
_HIDDEN = frozenset(
    [0xAD, 0x61C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070)]
)


def visible(text: str, *, keep: str = "") -> str:
    r"""The text with everything that steers a terminal shown as an escape.

    >>> visible("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character, keep) for character in text)


def _shown(character: str, keep: str) -> str:
    code = ord(character)
    if character in keep:
        return character
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as `surrogateescape` carries it
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"\\x{code:02x}"
    if code in _HIDDEN or 0xD800 <= code <= 0xDFFF or 0xE0000 <= code <= 0xE0FFF:
        return f"\\u{code:04x}"
    return character


def short(oid: str | None) -> str:
    """The first 12 digits of an oid, or a dash."""
    return oid[:12] if oid else "-"


def listed(items: Iterable[str], *, most: int = 5) -> str:
    """A list in words, cut after `most`: `a, b and 3 more`."""
    shown = list(items)
    if len(shown) <= most:
        return ", ".join(shown)
    return ", ".join(shown[:most]) + f" and {len(shown) - most} more"
