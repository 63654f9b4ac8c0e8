"""What Ruby is read into, and the walk along its tokens that all of the reading shares.

The statements and values are left to `ruby_syntax`, calls and words that steer to `ruby_calls`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple, Optional

from rollback_guard.release.migrations.ruby_lexer import MOST_DEPTH, RubyError, Token

BLOCK_ENDS = frozenset({"end", "else", "elsif", "when", "in", "rescue", "ensure", "}"})
MODIFIERS = frozenset({"if", "unless", "while", "until", "rescue"})


class Node(NamedTuple):
    """One piece of Ruby.

    `kind` and what else is set: "symbol", "string", "number", "word" (true, nil, self), "const", "variable": `name`,
    which of a string with interpolations is its texts, and `parts` their pieces. "array": `parts`. "hash": `parts` are
    "pair"s, with `name` where the key is literal, and the value last. "call": `receiver`, `name`, `parts` are the
    arguments, `block`. "block" and "lambda": `params`, `parts`. "assign": `name`, `parts` is the value; "assigns":
    `params` are the names. "control":
    `name` is the word, `receiver` the condition, `parts` "branch"es. "def": `name`, `params`, `parts`. "class":
    `name`, `receiver` the class above, `parts`. "group": an operator's sides. "opaque": what must not be read.
    """

    kind: str
    name: str = ""
    parts: tuple[Node, ...] = ()
    receiver: Optional[Node] = None
    block: Optional[Node] = None
    params: tuple[str, ...] = ()
    line: int = 0


def control(word: Token, condition: Optional[Node], *branches: tuple[Node, ...]) -> Node:
    """A word that steers, with what it may run."""
    parts = tuple(Node(kind="branch", parts=branch) for branch in branches)
    return Node(kind="control", name=word.text, receiver=condition, parts=parts, line=word.line)


class Cursor(ABC):
    """A place among tokens."""

    def __init__(self, tokens: list[Token], depth: int) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = depth
        self.no_do = False  # `do` belongs to a call further out

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def is_op(self, *texts: str) -> bool:
        return self.token.kind == "op" and self.token.text in texts

    def is_word(self, *texts: str) -> bool:
        return self.token.kind == "name" and self.token.text in texts

    def take(self) -> Token:
        token = self.token
        if token.kind == "end":
            raise RubyError(f"line {token.line}: the text ends too early")
        self.at += 1
        return token

    def expect(self, text: str) -> None:
        token = self.take()
        if token.text != text or token.kind not in ("op", "name"):
            raise RubyError(f"line {token.line}: {text} is expected, not {token.text!r}")

    def taken(self, text: str) -> bool:
        found = self.token.text == text and self.token.kind in ("op", "name")
        self.at += found
        return found

    def skip_lines(self) -> None:
        while self.token.kind == "newline" or self.is_op(";"):
            self.at += 1

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise RubyError(f"line {self.token.line}: is nested too deeply")

    @abstractmethod
    def statements(self) -> tuple[Node, ...]:
        """Up to a word that ends a block, which is left."""

    @abstractmethod
    def statement(self) -> Node:
        """One, with the words behind it."""

    @abstractmethod
    def expression(self) -> Node:
        """A value with all operators that follow."""

    @abstractmethod
    def body(self) -> tuple[Node, ...]:
        """Statements with their `rescue`, `else` and `ensure`, up to and past `end`."""
