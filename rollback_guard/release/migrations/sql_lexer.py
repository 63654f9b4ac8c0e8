"""SQL text into statements, as one dialect's server would take it apart.

Where dialects differ (quotes, comments, what ends a statement), each is read in its own way; which reading counts,
and what a statement does, is left to `sql`. Every part is gone over once, so that time grows with the length alone.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["word", "quoted", "string", "number", "symbol"]


class Dialect(NamedTuple):
    """How one server reads what others read differently."""

    backslash: bool = False  # \' does not end a string
    hash: bool = False  # a # begins a comment, and -- only with a blank after it
    nested: bool = False  # comments stand within comments
    dollar: bool = False  # $tag$ quotes
    bracket: bool = False  # [name] is a name
    conditional: bool = False  # what stands in /*! … */ is run
    delimiter: bool = False  # the client knows DELIMITER


POSTGRESQL = Dialect(nested=True, dollar=True)
SQLITE = Dialect(bracket=True)
MYSQL = Dialect(backslash=True, hash=True, conditional=True, delimiter=True)


class Token(NamedTuple):
    """One word, name, literal or sign. `key` is a word in capitals, or a sign; "" for what is quoted."""

    kind: Kind
    text: str
    key: str = ""


class Statement(NamedTuple):
    """One statement. `problem`: why no server would take it, as far as its outer form tells that."""

    tokens: tuple[Token, ...]
    problem: str = ""


# Letters are what servers take for letters: ASCII, and everything beyond it.
_PATTERN = r"""
(?P<space>[ \t\r\n\f\v]+)
|(?P<line>{line})
|(?P<conditional>{conditional})
|(?P<block>/\*)
|(?P<end>{end})
|(?P<dollar>{dollar})
|(?P<hole>\$\{{[A-Za-z0-9_.:-]*\}})
|(?P<string>(?:[eE]|[bBxXnN]|[uU]&|_[A-Za-z0-9]+)?')
|(?P<quoted>["`])
|(?P<bracket>{bracket})
|(?P<number>[0-9][A-Za-z0-9_.]*)
|(?P<name>{first}[A-Za-z0-9_$\x80-\U0010ffff]*)
|(?P<symbol>.)
"""
_NEVER = r"(?!)"
_ENDS = {
    ("'", False): re.compile("''|'"),
    ("'", True): re.compile(r"\\.|''|'", re.DOTALL),
    ('"', False): re.compile('""|"'),
    ('"', True): re.compile(r'\\.|""|"', re.DOTALL),
    ("`", False): re.compile("``|`"),
}
_EDGE = re.compile(r"/\*|\*/")
_DELIMITER = re.compile(r"DELIMITER[ \t]+([^\s]+)[^\n]*", re.IGNORECASE)
_ALONE = re.compile(r"[ \t]*(?:\r?\n|\r?\Z)")
_ROUTINES = frozenset({"TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"})
_OBJECTS = _ROUTINES | {"TABLE", "VIEW", "INDEX", "SCHEMA", "DATABASE", "SEQUENCE", "TYPE", "DOMAIN", "USER", "ROLE"}
_BEFORE_STATEMENT = frozenset({";", "BEGIN", "ATOMIC", "THEN", "ELSE", "DO", "LOOP", "REPEAT", ":"})
_BLOCKS = frozenset({"BEGIN", "IF", "LOOP", "WHILE", "REPEAT", "FOR"})
_AFTER_END = frozenset({"IF", "LOOP", "WHILE", "REPEAT", "CASE", "FOR"})


def _compiled(dialect: Dialect) -> re.Pattern[str]:
    letters = r"A-Za-z_\x80-\U0010ffff"
    return re.compile(
        _PATTERN.format(
            line=r"--(?=[\x00-\x20]|\Z)[^\n]*|\#[^\n]*" if dialect.hash else r"--[^\r\n]*",
            conditional=r"/\*M?![0-9]*" if dialect.conditional else _NEVER,
            end=r"\*/" if dialect.conditional else _NEVER,
            dollar=rf"\$(?:[{letters}][{letters}0-9]*)?\$" if dialect.dollar else _NEVER,
            bracket=r"\[" if dialect.bracket else _NEVER,
            first=f"[{letters}]" if dialect.dollar else rf"[{letters}$]",
        ),
        re.VERBOSE | re.DOTALL,
    )


_PATTERNS: dict[Dialect, re.Pattern[str]] = {}


def split_statements(text: str, dialect: Dialect) -> tuple[Statement, ...]:
    """The statements of a text, without comments; those that hold nothing are left out."""
    if dialect not in _PATTERNS:
        _PATTERNS[dialect] = _compiled(dialect)
    return _Lexer(text, dialect, _PATTERNS[dialect]).run()


class _Lexer:
    """One pass over one text."""

    def __init__(self, text: str, dialect: Dialect, pattern: re.Pattern[str]) -> None:
        self.text = text
        self.dialect = dialect
        self.match = pattern.match
        self.statements: list[Statement] = []
        self.tokens: list[Token] = []
        self.parentheses = 0
        self.blocks = 0  # of a routine's body
        self.closing = False  # the last word was an END within a body
        self.conditionals = 0
        self.delimiter = ";"
        self.problem = ""

    def run(self) -> tuple[Statement, ...]:
        at, size = 0, len(self.text)
        while at < size and not self.problem:
            if self.delimiter != ";" and self.text.startswith(self.delimiter, at):
                at += len(self.delimiter)
                self.finish()
                continue
            found = self.match(self.text, at)
            assert found is not None  # `symbol` takes anything
            at = self.take(found)
        if self.conditionals and not self.problem:
            self.problem = "a comment that is run is not closed"
        self.finish()
        return tuple(self.statements)

    def take(self, found: re.Match[str]) -> int:
        """Takes what was found; where the next begins."""
        kind, end = found.lastgroup, found.end()
        if kind in ("space", "line"):
            return end
        if kind == "name":
            return self.word(found)
        if kind in ("string", "quoted"):
            return self.quote(found, "string" if kind == "string" else "quoted")
        if kind == "symbol":
            self.symbol(found.group())
        elif kind == "number":
            self.tokens.append(Token("number", found.group()))
        elif kind == "hole":
            self.tokens.append(Token("word", found.group(), found.group()))
        elif kind == "block":
            return self.comment(end)
        elif kind == "dollar":
            return self.until(found.group(), end, "string", "a quoted text is not closed")
        elif kind == "bracket":
            return self.until("]", end, "quoted", "a name in brackets is not closed")
        elif kind == "conditional":
            self.conditionals += 1
        else:
            self.conditionals -= 1
            if self.conditionals < 0:
                self.problem = "a comment is closed that was not opened"
        return end

    def word(self, found: re.Match[str]) -> int:
        text, end = found.group(), found.end()
        if self.delimiter in text:
            end = found.start() + text.index(self.delimiter)
            text = self.text[found.start() : end]
        key = text.upper()
        if key == "DELIMITER" and self.dialect.delimiter and not self.tokens:
            line = _DELIMITER.match(self.text, found.start())
            if line is not None:
                self.delimiter = line.group(1)
                return line.end()
        if key == "GO" and self.alone(found):
            self.finish()  # what ends a batch in SQL Server's tools
            return found.end()
        self.body(key)
        self.tokens.append(Token("word", text, key))
        return end

    def alone(self, found: re.Match[str]) -> bool:
        """Whether a word has its line for itself."""
        before = self.text[max(0, found.start() - 80) : found.start()].rpartition("\n")[2]
        return not before.strip(" \t\r") and _ALONE.match(self.text, found.end()) is not None

    def body(self, key: str) -> None:
        """Counts the blocks of a routine's body, within which a semicolon ends nothing."""
        last = self.tokens[-1] if self.tokens else Token("symbol", ";", ";")
        if self.closing:
            self.closing = False
            if key in _AFTER_END:
                return
        if not self.blocks:
            opened = key == "BEGIN" and not self.parentheses and (last.kind != "symbol" or last.key in "):")
            if opened and self.in_routine():
                self.blocks = 1
        elif key == "END" and last.key != ".":
            self.blocks -= 1
            self.closing = True
        elif (key == "CASE" and last.key != ".") or (key in _BLOCKS and last.key in _BEFORE_STATEMENT):
            self.blocks += 1

    def in_routine(self) -> bool:
        if not self.tokens or self.tokens[0].key != "CREATE":
            return False
        return next((token.key for token in self.tokens[:24] if token.key in _OBJECTS), "") in _ROUTINES

    def symbol(self, sign: str) -> None:
        self.closing = False
        if sign == ";" and not self.blocks:
            self.finish()
            return
        if sign == "(":
            self.parentheses += 1
        elif sign == ")":
            self.parentheses -= 1
            if self.parentheses < 0:
                self.problem = "a parenthesis is closed that was not opened"
        self.tokens.append(Token("symbol", sign, sign))

    def quote(self, found: re.Match[str], kind: Kind) -> int:
        mark = found.group()[-1]
        escapes = mark != "`" and (self.dialect.backslash or found.group()[:1] in ("e", "E"))
        begin = found.end()
        for part in _ENDS[mark, escapes].finditer(self.text, begin):
            if part.group() == mark:
                text = self.text[begin : part.start()].replace(mark * 2, mark)
                self.tokens.append(Token(kind, text))
                return part.end()
        self.problem = "a quoted text is not closed"
        return len(self.text)

    def until(self, mark: str, begin: int, kind: Kind, problem: str) -> int:
        end = self.text.find(mark, begin)
        if end < 0:
            self.problem = problem
            return len(self.text)
        self.tokens.append(Token(kind, self.text[begin:end]))
        return end + len(mark)

    def comment(self, begin: int) -> int:
        depth = 1
        for edge in _EDGE.finditer(self.text, begin):
            if edge.group() == "*/":
                depth -= 1
            elif self.dialect.nested:
                depth += 1
            if not depth:
                return edge.end()
        self.problem = "a comment is not closed"
        return len(self.text)

    def finish(self) -> None:
        """Ends the statement that is being read."""
        problem = self.problem
        if not problem and self.parentheses:
            problem = "a parenthesis is not closed"
        if not problem and self.blocks:
            problem = "a body has no END"
        if self.tokens or problem:
            self.statements.append(Statement(tokens=tuple(self.tokens), problem=problem))
        self.tokens = []
        self.parentheses = self.blocks = 0
        self.closing = False
