"""Names that a person takes for one another: by case, by look-alike letters, by characters nobody sees.

A small table of our own, for letters that occur in branch names; the full Unicode list would cry wolf.
ASCII names take a short way, because a repository may have 50,000 refs.
"""

from __future__ import annotations

# Letters that look like an ASCII one, before case is folded (Greek capital Nu looks like N, small nu like v).
_LETTERS = str.maketrans(
    "аеорсухіѕјһԁԛԝӏкмтпАВСЕНІЈКМОРЅТХУαορνικυχγτηΑΒΕΖΗΙΚΜΝΟΡΤΥΧոօսհցզıȷɑɡɩɪİǀ∕⁄‐‑‒–—−",
    "aeopcyxisjhdqwlkmtnABCEHIJKMOPSTXYaopvikuxytnABEZHIKMNOPTYXnouhgqijagiiIl//------",
)
# One key for all that may be alike; `_alike` then looks at each pair of characters.
_COARSE = str.maketrans("01i|", "olll")
_ALIKE = ("0Oo", "1lI|", "1iI")
# Two letters that look like one. Common in honest words (`modern`, `clean`), so only `reads_as` looks at them.
_PAIRS = (("rn", "m"), ("vv", "w"), ("VV", "W"), ("cl", "d"))
_COARSE_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
# Blank or ignored when shown, although Unicode counts them as letters, marks or symbols.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS = frozenset(map(chr, [*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))


def hidden_characters(name: str) -> tuple[str, ...]:
    """The characters of a name that nobody sees or that turn the reading direction, as U+XXXX."""
    if name.isascii() and name.isprintable():
        return ()
    import unicodedata

    unseen = ("Cc", "Cf", "Zs", "Zl", "Zp")
    found = [one for one in name if one != " " and (one in _BLANK or unicodedata.category(one) in unseen)]
    return tuple(f"U+{ord(one):04X}" for one in dict.fromkeys(found))


def plain(name: str) -> str:
    """The name in the letters that it seems to be written in; case is kept."""
    if name.isascii():
        return name
    import unicodedata

    shown = "".join(
        one
        for one in name
        if one not in _BLANK and one not in _SELECTORS and unicodedata.category(one) not in ("Cc", "Cf")
    )
    return unicodedata.normalize("NFKC", shown.translate(_LETTERS)).translate(_LETTERS)


def coarse_key(name: str) -> str:
    """A key that is equal for all names that `reads_as` takes for one another; not all that share it are."""
    return _folded(_single_key(name), _COARSE_PAIRS)


def _single_key(name: str) -> str:
    return plain(name).casefold().translate(_COARSE)


def _folded(name: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for two, one in pairs:
        name = name.replace(two, one)
    return name


def confusable(one: str, other: str) -> bool:
    """Whether two different names are taken for one another."""
    if one == other:
        return False
    left, right = plain(one), plain(other)
    if left.casefold() == right.casefold():
        return True
    return len(left) == len(right) and all(map(_alike, left, right))


def _alike(one: str, other: str) -> bool:
    return one.casefold() == other.casefold() or any(one in group and other in group for group in _ALIKE)


def reads_as(one: str, other: str) -> bool:
    """Whether two different names are taken for one another when two letters may look like one as well.

    `modern` and `modem` are both words: ask this only of names that must not be mistaken.
    """
    if one == other:
        return False
    left, right = _folded(plain(one), _PAIRS), _folded(plain(other), _PAIRS)
    return left == right or confusable(one, other) or confusable(left, right)


class Lookalikes:
    """One name, and which of many others are confusable with it."""

    __slots__ = ("_key", "_name")

    def __init__(self, name: str) -> None:
        self._name = name
        self._key = _single_key(name)

    def has(self, other: str) -> bool:
        """Whether another name is confusable with this one (not equal to it)."""
        if other.isascii() and len(other) != len(self._key):  # an ASCII name's key has the name's length
            return False
        return _single_key(other) == self._key and confusable(self._name, other)
