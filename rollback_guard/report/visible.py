"""Text from strangers, made safe to show: what would steer a terminal is made visible instead.

Names, messages, paths and branch names come from whoever pushed them. Control characters, escape
sequences, bidirectional overrides and bytes that are no UTF-8 are shown as escapes; nothing is dropped.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Format characters that change how the rest is read, and characters that look like nothing.
_HIDDEN = frozenset(
    [0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x2800, 0x3164, 0xFEFF, 0xFFA0]
    + [*range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC)]
    + [*range(0x1D173, 0x1D17B)]
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
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character


def inert(line: str) -> str:
    r"""One line that no build log takes for a command, whatever a stranger wrote into it.

    A runner obeys a line that starts with `::` after white space, and `##[…]` or `##vso[…]` anywhere in it.
    Source: actions/runner, `ActionCommand.TryParseV2` and `TryParse`.

    >>> inert("  ::add-mask::x")
    '  \\x3a:add-mask::x'
    """
    if line.lstrip().startswith("::"):
        line = line.replace("::", r"\x3a:", 1)
    return line.replace("##", r"#\x23") if "##" in line else line


def short(oid: str | None) -> str:
    """The first 12 digits of an oid, or a dash."""
    return oid[:12] if oid else "-"


def listed(items: Iterable[str], *, most: int = 5) -> str:
    """A list in words, cut after `most`: `a, b and 3 more`."""
    shown = list(items)
    if len(shown) <= most:
        return ", ".join(shown)
    return ", ".join(shown[:most]) + f" and {len(shown) - most} more"
