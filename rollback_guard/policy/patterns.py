"""Patterns over short branch names: what a team means by `release/*`.

A pattern matches a whole name, case-sensitively. `*` and `?` stay within one path segment, `**` crosses
segments, `[abc]`, `[a-z]` and `[!a]` stand for one character that is no `/`; all else is literal. Matching
takes time proportional to pattern times name, whatever the pattern. Which names exist is left to `git.refs`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SPECIAL = "*?["
MOST_CHARACTERS, MOST_STARS = 512, 16  # bounds of what a policy may ask for, so that no pattern is slow
_STAR = "*"  # any run of characters but "/"
_ANYTHING = "**"  # any run of characters
_FORBIDDEN = " ~^:\\"  # never in a branch name; source: git-check-ref-format(1)


def matches(pattern: str, name: str) -> bool:
    """Whether the pattern matches the whole of a short branch name.

    A name with a control character is no branch name (git-check-ref-format(1)) and matches nothing.

    >>> matches("release/*", "release/1.4"), matches("release/*", "release/1.4/x")
    (True, False)
    """
    if not name.isprintable() and any(character < " " or character == "\x7f" for character in name):
        return False
    literal = literal_prefix(pattern)
    if len(literal) == len(pattern):
        return pattern == name
    if not name.startswith(literal):
        return False
    return _simulate(_tokens(pattern, len(literal)), name[len(literal) :])


def matches_any(patterns: Iterable[str], name: str) -> bool:
    """Whether one of the patterns matches the whole name."""
    return any(matches(pattern, name) for pattern in patterns)


def is_literal(pattern: str) -> bool:
    """Whether the pattern matches one name only: itself."""
    return len(literal_prefix(pattern)) == len(pattern)


def literal_prefix(pattern: str) -> str:
    """What every name that the pattern matches begins with."""
    for position, character in enumerate(pattern):
        if character in SPECIAL:
            return pattern[:position]
    return pattern


def explain_fault(pattern: str) -> str:
    """Why no branch could ever match the pattern as its author means it; "" when nothing is wrong with it."""
    if not pattern:
        return "is empty"
    if len(pattern) > MOST_CHARACTERS or pattern.count("*") > MOST_STARS:
        return f"is longer than {MOST_CHARACTERS} characters, or has more than {MOST_STARS} stars"
    if pattern.startswith("refs/"):
        return "must be a short branch name, without refs/heads/"
    if pattern.startswith("/") or pattern.endswith("/") or "//" in pattern:
        return "has an empty path segment, which no branch has"
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character in _FORBIDDEN or character < " " or character == "\x7f":
            return f"holds {character!r}, which no branch name may hold"
        if character == "[":
            end = _class_end(pattern, position)
            if end < 0:
                return "opens a [ that it does not close"
            position = end
        position += 1
    return ""


def _tokens(pattern: str, position: int) -> list[str]:
    """The rest of the pattern as `*`, `**`, `?`, `[…]`, or a literal character behind a backslash."""
    tokens: list[str] = []
    while position < len(pattern):
        character = pattern[position]
        if character == "*":
            start = position
            while pattern[position : position + 1] == "*":
                position += 1
            tokens.append(_STAR if position - start == 1 else _ANYTHING)
            continue
        end = _class_end(pattern, position) if character == "[" else -1
        if end >= 0:
            tokens.append(pattern[position : end + 1])
            position = end
        else:
            tokens.append("?" if character == "?" else "\\" + character)
        position += 1
    return tokens


def _class_end(pattern: str, start: int) -> int:
    """Where the `]` is that closes the `[` at `start`; -1 when there is none. A `]` that comes first is a member."""
    first = start + 2 if pattern[start + 1 : start + 2] == "!" else start + 1
    return pattern.find("]", first + 1)


def _simulate(tokens: list[str], name: str) -> bool:
    """Follow all ways through the tokens at once: a set of positions, one step a character."""
    end = len(tokens)
    positions = _skip_stars(tokens, {0})
    for character in name:
        reached = set()
        for position in positions:
            if position == end:
                continue
            token = tokens[position]
            if token == _ANYTHING or (token == _STAR and character != "/"):
                reached.add(position)
            elif token != _STAR and _accepts(token, character):
                reached.add(position + 1)
        if not reached:
            return False
        positions = _skip_stars(tokens, reached)
    return end in positions


def _skip_stars(tokens: list[str], positions: set[int]) -> set[int]:
    """The positions, and those behind the stars there, which may stand for nothing."""
    found = set(positions)
    for position in positions:
        while position < len(tokens) and tokens[position] in (_STAR, _ANYTHING):
            position += 1
            found.add(position)
    return found


def _accepts(token: str, character: str) -> bool:
    """Whether a token for one character accepts this one."""
    if token[0] == "\\":
        return token[1] == character
    if character == "/":
        return False
    if token == "?":
        return True
    negated = token[1] == "!"
    members = token[2:-1] if negated else token[1:-1]
    return _member(members, character) != negated


def _member(members: str, character: str) -> bool:
    """Whether the character is one of a class's members, of which `a-z` is a range."""
    position = 0
    while position < len(members):
        if members[position + 1 : position + 2] == "-" and position + 2 < len(members):
            if members[position] <= character <= members[position + 2]:
                return True
            position += 3
        else:
            if members[position] == character:
                return True
            position += 1
    return False
