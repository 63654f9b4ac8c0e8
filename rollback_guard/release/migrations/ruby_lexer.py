"""Ruby, as migrations are written in it, cut into tokens: strings, heredocs, comments and what stands between them.

What the tokens make up is left to `ruby_syntax`. Ruby is never run.
Source: https://docs.ruby-lang.org/en/3.4/syntax/literals_rdoc.html.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LIMIT = 1024 * 1024  # bytes of a file; the longest migrations that people write have a tenth of it
MOST_DEPTH = 60  # of brackets, blocks and interpolations in one another

_SPACE = re.compile(r"(?:[ \t\r\f\v]|\\\r?\n)+")
_NUMBER = re.compile(r"0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?")
_NAME = re.compile(r"[^\W\d]\w*(?:[?!](?![=~]))?")
_VARIABLE = re.compile(r"@@?[^\W\d]\w*|\$(?:[^\W\d]\w*|[!@&~0-9_.:?/\\;,<>*\"'`])")
_SYMBOL = re.compile(r":([^\W\d]\w*[?!=]?(?![=~>])|[^\W\d]\w*|\[\]=?|[+\-*/%<>!]|==|<=>|<=|>=)")
_HEREDOC = re.compile(r"<<([~-]?)(?:([A-Z_a-z]\w*)|'([^'\n]+)'|\"([^\"\n]+)\")")
_PERCENT = re.compile(r"%([qQwWiIrsx]?)([^\w\s])")
_FOLLOWING = re.compile(r"(?:[ \t\r]*(?:#[^\n]*)?\n)*[ \t\r]*(?=&?\.(?!\.))")
_FLAGS = "imxounse"
_OPERATOR = re.compile(
    r"\*\*=|\|\|=|&&=|<=>|===|\.\.\.|<<=|>>=|->|=>|::|&\.|\*\*|\|\||&&|==|!=|>=|<=|=~|!~|\.\.|<<|>>|"
    r"\+=|-=|\*=|/=|%=|\|=|&=|\^=|[-+*/%<>=!&|^~?:,.;(){}\[\]]"
)
_SPELLED = re.compile(r"u[\da-fA-F]{4}|x[0-7][\da-fA-F]")
_ESCAPES = {"n": "\n", "t": "\t", "s": " ", "r": "\r", "e": "\x1b", "a": "\a", "b": "\b", "f": "\f"}
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
# Behind these a value is complete, so that a slash divides and a line's end ends a statement.
_COMPLETE = frozenset({"const", "number", "symbol", "string", "words", "names", "variable", "shell", "regex"})
_GOES_ON = frozenset({",", "(", "[", "&&", "||", "=", "+", "=>", ".", "&.", "::", "==", "!=", "<<", "*", "||=", "+="})
_WORDS_BEFORE_VALUES = frozenset(
    ("if", "unless", "while", "until", "and", "or", "not", "return", "when", "elsif", "case", "then", "do", "in")
)


class RubyError(ValueError):
    """Text that is no Ruby, or Ruby that is not read here. The message is a predicate's rest: "line 3: …"."""


class Token(NamedTuple):
    """`pieces`: of a string with interpolations, its texts and codes by turns, beginning with a text."""

    kind: str  # name const number symbol string words label variable shell regex op newline end
    text: str
    line: int
    spaced: bool = False  # white space stands before it
    pieces: tuple[str, ...] = ()


def read_tokens(text: str, line: int = 1, depth: int = 0) -> list[Token]:
    """The tokens, with one "end" as the last.

    Raises: RubyError.
    """
    return _Lexer(text, line, depth).run()


class _Lexer:
    """Walks through a text once."""

    def __init__(self, text: str, line: int, depth: int) -> None:
        self.text = text
        self.at = 0
        self.line = line
        self.depth = depth
        self.tokens: list[Token] = []
        self.spaced = False
        self.counted = 0  # tokens whose braces were counted
        self.heredocs: list[tuple[int, str, bool, bool]] = []  # token's index, its end, may be indented, raw

    def run(self) -> list[Token]:
        self.skip_lines()
        while self.at < len(self.text):
            self.step()
        if self.heredocs:
            raise RubyError(f"line {self.line}: a heredoc is not closed")
        self.add("newline", "\n")
        self.add("end", "")
        return self.tokens

    def step(self) -> None:
        """One token, or the white space at the text's end."""
        self.spaced = False
        if (space := _SPACE.match(self.text, self.at)) is not None:
            self.spaced = True
            self.line += space.group().count("\n")
            self.at = space.end()
        if self.at < len(self.text):
            self.token()

    def add(self, kind: str, text: str) -> None:
        self.tokens.append(Token(kind=kind, text=text, line=self.line, spaced=self.spaced))

    def complete(self) -> bool:
        """Whether a value ends here, so that what follows is an operator."""
        if not self.tokens:
            return False
        last = self.tokens[-1]
        if last.kind == "name":
            return last.text not in _WORDS_BEFORE_VALUES
        return last.kind in _COMPLETE or last.text in (")", "]", "}")

    def begins_argument(self) -> bool:
        """Whether `name /x`, `name %w[]` and the like begin a value: space before and none behind."""
        if not self.complete():
            return True
        follows = self.text[self.at + 1 : self.at + 2]
        return self.tokens[-1].kind == "name" and self.spaced and not follows.isspace() and follows != "="

    def token(self) -> None:
        text, at = self.text, self.at
        character = text[at]
        if character == "\n":
            self.newline()
        elif character == "#":
            self.at = _line_end(text, at)
        elif character in "\"'`":
            self.quoted(character, character, raw=character == "'", kind="shell" if character == "`" else "string")
        elif character == ":" and text[at + 1 : at + 2] in ("'", '"') and text[at + 1 : at + 2]:
            self.at += 1
            self.quoted(text[at + 1], text[at + 1], raw=text[at + 1] == "'", kind="symbol")
        elif character == "<" and self.begins_argument() and (heredoc := _HEREDOC.match(text, at)) is not None:
            self.heredoc(heredoc)
        elif character == "%" and self.begins_argument() and (percent := _PERCENT.match(text, at)) is not None:
            self.percent(percent)
        elif character == "/" and self.begins_argument():
            self.quoted("/", "/", raw=True, kind="regex")
            while text[self.at : self.at + 1] in _FLAGS and self.at < len(text):
                self.at += 1
        else:
            self.plain()

    def plain(self) -> None:
        text, at = self.text, self.at
        if (name := _NAME.match(text, at)) is not None:
            after = text[name.end() : name.end() + 2]
            dotted = bool(self.tokens) and self.tokens[-1].text in (".", "&.")
            self.at = name.end()
            if after[:1] == ":" and after != "::" and not dotted:
                self.at += 1
                self.add("label", name.group())
            else:
                self.add("const" if name.group()[0].isupper() else "name", name.group())
            return
        for kind, pattern in (("number", _NUMBER), ("variable", _VARIABLE), ("symbol", _SYMBOL), ("op", _OPERATOR)):
            if kind == "symbol" and text.startswith("::", at):
                continue
            if (match := pattern.match(text, at)) is not None:
                self.at = match.end()
                self.add(kind, match.group(1) if kind == "symbol" else match.group())
                return
        raise RubyError(f"line {self.line}: {text[at]!r} is not understood")

    def newline(self) -> None:
        """A line's end; heredocs that began on the line stand behind it."""
        last = self.tokens[-1] if self.tokens else None
        ends = last is not None and last.kind != "newline" and not (last.kind == "op" and last.text in _GOES_ON)
        if ends:
            self.add("newline", "\n")
        self.at += 1
        self.line += 1
        for index, end, indented, raw in self.heredocs:
            self.heredoc_body(index, end, indented, raw)
        self.heredocs = []
        self.skip_lines()
        if ends and _FOLLOWING.match(self.text, self.at) is not None:
            self.tokens.pop()  # a call goes on at the next line's beginning

    def skip_lines(self) -> None:
        """Behind a line's end: comments from =begin to =end, and what follows __END__."""
        while self.text.startswith("=begin", self.at) and self.text[self.at + 6 : self.at + 7] in ("", " ", "\n", "\r"):
            end = self.text.find("\n=end", self.at)
            stop = len(self.text) if end < 0 else _line_end(self.text, end + 1)
            self.line += self.text.count("\n", self.at, stop) + 1
            self.at = min(stop + 1, len(self.text))
        if self.text.startswith("__END__", self.at) and self.text[self.at + 7 : self.at + 8] in ("", "\n", "\r"):
            self.at = len(self.text)

    def quoted(self, opening: str, closing: str, *, raw: bool, kind: str) -> None:
        """A string, symbol or the like from its opening quote on."""
        line = self.line
        self.at += 1
        pieces = self.pieces(opening, closing, raw=raw)
        if (
            kind == "string"
            and self.text[self.at : self.at + 1] == ":"
            and self.text[self.at + 1 : self.at + 2]
            in (
                " ",
                "\n",
            )
        ):
            self.at += 1
            kind = "label"
        self.tokens.append(
            Token(kind=kind, text="".join(pieces[::2]), line=line, spaced=self.spaced, pieces=_interpolated(pieces))
        )

    def pieces(self, opening: str, closing: str, *, raw: bool) -> list[str]:
        """Texts and codes by turns up to the closing quote, which is left behind."""
        text, level = self.text, 0
        found: list[str] = []
        piece: list[str] = []
        interesting = re.compile(r"[\\\n#" + re.escape(opening) + re.escape(closing) + "]")
        while True:
            match = interesting.search(text, self.at)
            if match is None:
                raise RubyError(f"line {self.line}: a string is not closed")
            piece.append(text[self.at : match.start()])
            self.at = match.end()
            character = match.group()
            if character == "\\":
                piece.append(self.escaped(opening + closing, raw=raw))
            elif character == closing and level == 0:
                return [*found, "".join(piece)]
            elif character == "#":
                if raw or not text.startswith("{", self.at):
                    piece.append(character)
                    continue
                found += ["".join(piece), self.code()]
                piece = []
            else:
                level += (character == opening != closing) - (character == closing)
                self.line += character == "\n"
                piece.append(character)

    def escaped(self, quotes: str, *, raw: bool) -> str:
        character = self.text[self.at : self.at + 1]
        self.at += 1
        self.line += character == "\n"
        if raw:
            return character if character in quotes + "\\" else "\\" + character
        if character in "uxcCM01234567":
            spelled = _SPELLED.match(self.text, self.at - 1)
            self.at = self.at if spelled is None else spelled.end()
            return "\0" if spelled is None else chr(int(spelled.group()[1:], 16))  # NUL: there is something unread
        return "" if character == "\n" else _ESCAPES.get(character, character)

    def code(self) -> str:
        """The code of an interpolation, from its brace on: as long as its own tokens go, strings with braces too."""
        start = self.at + 1
        if self.depth >= MOST_DEPTH:
            raise RubyError(f"line {self.line}: is nested too deeply")
        inner = _Lexer(self.text, self.line, self.depth + 1)
        inner.at = start
        self.at = inner.to_closing_brace()
        self.line = inner.line
        return self.text[start : self.at - 1]

    def to_closing_brace(self) -> int:
        """Where the text goes on behind the brace that closes what began before."""
        level = 1
        while self.at < len(self.text):
            self.step()
            for token in self.tokens[self.counted :]:
                level += (token.kind == "op") * ((token.text == "{") - (token.text == "}"))
            self.counted = len(self.tokens)
            if level == 0:
                return self.at
        raise RubyError(f"line {self.line}: an interpolation is not closed")

    def percent(self, match: re.Match[str]) -> None:
        letter, opening = match.groups()
        self.at = match.end() - 1
        kind = {"w": "words", "W": "words", "i": "names", "I": "names", "r": "regex", "s": "symbol", "x": "shell"}
        raw = letter in ("q", "w", "i", "s", "r")
        self.quoted(opening, _CLOSING.get(opening, opening), raw=raw, kind=kind.get(letter, "string"))

    def heredoc(self, match: re.Match[str]) -> None:
        squiggle, bare, single, double = match.groups()
        self.heredocs.append((len(self.tokens), bare or single or double, bool(squiggle), bool(single)))
        self.at = match.end()
        self.add("string", "")

    def heredoc_body(self, index: int, end: str, indented: bool, raw: bool) -> None:
        pattern = r"^[ \t]*" if indented else "^"
        closing = re.compile(pattern + re.escape(end) + r"\r?$", re.MULTILINE).search(self.text, self.at)
        if closing is None:
            raise RubyError(f"line {self.line}: the heredoc {end} is not closed")
        body = self.text[self.at : closing.start()]
        pieces = [body] if raw else _Lexer(body + "\0", self.line, self.depth).pieces("\0", "\0", raw=False)
        self.tokens[index] = self.tokens[index]._replace(text="".join(pieces[::2]), pieces=_interpolated(pieces))
        self.line += body.count("\n") + 1
        self.at = min(closing.end() + 1, len(self.text))


def _interpolated(pieces: list[str]) -> tuple[str, ...]:
    return tuple(pieces) if len(pieces) > 1 else ()


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
