"""Whether one trailer key is another one misspelt, and whether a line could be a trailer at all."""

from __future__ import annotations

_SHORT = 8  # letters; up to here one slip is a near-miss, above two are


def is_near(key: str, right: str) -> bool:
    """Whether `key` is not `right` but within one slip of it (two for more than 8 letters). Both folded by case."""
    letters = sum(one.isalnum() for one in right)
    most = 1 if letters <= _SHORT else 2
    return key != right and abs(len(key) - len(right)) <= most and slips(key, right) <= most


def slips(one: str, other: str) -> int:
    """How many letters were left out, added, mistaken or swapped with their neighbour.

    The restricted Damerau-Levenshtein distance (optimal string alignment).
    """
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        row = [i]
        for j, right in enumerate(other, 1):
            best = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, above = above, row
    return above[-1]


def same_spelling(one: str, other: str) -> bool:
    """Whether two keys differ in case, blanks, hyphens and underscores only."""
    return _letters(one) == _letters(other)


def may_be_trailer(line: str, keys: tuple[str, ...]) -> bool:
    """Whether a line of a message could be one of the trailers (keys folded by case), well written or not.

    Wider than the rule RG206 on purpose: what this lets pass, the rule looks at.
    """
    end = next((place for place, letter in enumerate(line) if letter in ":=#"), -1)
    key = line[:end].strip().casefold() if end > 0 else ""
    if not key:
        return False
    written = key.replace(" ", "-")
    return any(
        key == known or same_spelling(key, known) or is_near(key, known) or is_near(written, known) for known in keys
    )


def is_plain(text: str, keys: tuple[str, ...]) -> bool:
    """Whether RG206 can have nothing to say about a message as an editor or `-m` left it (keys folded by case).

    True when no line is like a trailer of those keys, or each of them stands in a last paragraph of nothing
    but trailers, with the right key and `Name <e-mail>`. Narrower than git on purpose: comments, folded
    lines and whatever else needs git to be read make the answer False, and the rule looks.
    """
    lines = text.splitlines()  # as the rule takes them, which are more than those that end with a newline
    alike = [number for number, line in enumerate(lines) if may_be_trailer(line, keys)]
    if not alike:
        return True
    if "\r" in text or len(lines) != text.count("\n") + (not text.endswith("\n")):
        return False
    end = len(text.rstrip(" \t\n").split("\n"))
    begin = end
    while begin and lines[begin - 1].strip(" \t"):
        begin -= 1
    # git looks for no trailers in the first paragraph, and what is above may be comments, which it takes away.
    if alike[0] < begin or not any(line[:1].isalnum() for line in lines[:begin]):
        return False
    signed = set(alike)
    return all(_is_well_formed(lines[number], keys if number in signed else ()) for number in range(begin, end))


def _is_well_formed(line: str, keys: tuple[str, ...]) -> bool:
    """Whether a line is a trailer for git; with keys, whether it is a sign-off of one of them that names somebody."""
    key, colon, value = line.partition(": ")
    if not colon or not key.isascii() or not key.replace("-", "").isalnum():
        return False
    if not keys:
        return True
    name, _, rest = value.rstrip().partition(" <")
    address, closed, after = rest.partition(">")
    if not name.strip() or "<" in name or not closed or after or key.casefold() not in keys:
        return False
    return "@" in address and "<" not in address and not any(map(str.isspace, address))


def _letters(key: str) -> str:
    return "".join(letter for letter in key.casefold() if letter not in " -_")
