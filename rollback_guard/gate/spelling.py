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


def _letters(key: str) -> str:
    return "".join(letter for letter in key.casefold() if letter not in " -_")
