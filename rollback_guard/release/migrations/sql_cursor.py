"""Going through the tokens of one SQL statement from left to right. What they mean is left to who goes."""

from __future__ import annotations

import re

from rollback_guard.release.migrations.sql_lexer import Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
_NONE = Token("symbol", "")


class Cursor:
    """A place within a statement's tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.tokens)

    @property
    def key(self) -> str:
        """The next word in capitals or the next sign; "" at the end and for what is quoted."""
        return self.ahead(0).key

    def ahead(self, count: int) -> Token:
        """A token further on; an empty one beyond the end."""
        at = self.at + count
        return self.tokens[at] if at < len(self.tokens) else _NONE

    def take(self, *keys: str) -> bool:
        """Goes past these words if they come next, all of them in this order."""
        if any(self.ahead(count).key != key for count, key in enumerate(keys)):
            return False
        self.at += len(keys)
        return True

    def take_any(self, keys: frozenset[str]) -> str:
        """Goes past the next word if it is one of these, and says which; "" if not."""
        key = self.key
        if key not in keys:
            return ""
        self.at += 1
        return key

    def rest(self) -> Sequence[Token]:
        """What is left."""
        return self.tokens[self.at :]

    def name(self) -> str:
        """Goes past a name, with what it is qualified by, and gives it as it is shown and compared; "" if none comes.

        A name in capitals and the same in quotes are two names to PostgreSQL, so they are never made equal here.
        """
        parts = []
        while not self.done:
            part = shown(self.ahead(0))
            if not part:
                break
            parts.append(part)
            self.at += 1
            if self.key != ".":
                break
            self.at += 1
        return ".".join(parts)

    def past_parentheses(self) -> Sequence[Token]:
        """Goes past a parenthesised part, if one comes next, and gives what is within."""
        if self.key != "(":
            return ()
        begin = self.at + 1
        depth = 0
        while not self.done:
            depth += {"(": 1, ")": -1}.get(self.key, 0)
            self.at += 1
            if not depth:
                break
        return self.tokens[begin : self.at - 1]


def words(text: str) -> frozenset[str]:
    """A table of words, written as one text."""
    return frozenset(text.split())


def shown(token: Token) -> str:
    """A token that stands for a name; "" for one that cannot."""
    if token.kind == "symbol" or (token.kind == "number" and token.text.isdigit()):
        return ""
    if token.kind in ("word", "number") or _PLAIN.fullmatch(token.text):
        return token.text
    return f'"{token.text}"'


def split_commas(tokens: Sequence[Token]) -> tuple[Sequence[Token], ...]:
    """The parts between commas that stand in no parentheses."""
    parts: list[Sequence[Token]] = []
    depth = begin = 0
    for at, token in enumerate(tokens):
        if token.key == "," and not depth:
            parts.append(tokens[begin:at])
            begin = at + 1
        depth += {"(": 1, ")": -1}.get(token.key, 0)
    return (*parts, tokens[begin:])


def outer(tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    """Places and keys of the words that stand in no parentheses."""
    depth = 0
    for at, token in enumerate(tokens):
        if token.key == "(":
            depth += 1
        elif token.key == ")":
            depth -= 1
        elif not depth and token.key:
            yield at, token.key
