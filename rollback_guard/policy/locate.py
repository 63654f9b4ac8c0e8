"""Which line each key of a TOML text stands on. Imported only when there is something to point at.

The text was accepted by the TOML parser before, so this only follows it, key by key.
Source: https://toml.io/en/v1.0.0.
"""

from __future__ import annotations

from bisect import bisect_right

from rollback_guard.policy.problems import Problem, Problems, dotted
from rollback_guard.policy.toml import parse_toml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Path = tuple[Union[str, int], ...]

_BLANK = " \t"
_SPACE = " \t\n"
_ENDS = ",]}#\n"  # what ends a number, a date or a word


def located(problems: Problems, *, file: str, text: str, prefix: Path = ()) -> tuple[Problem, ...]:
    """All problems in the order of their lines; `prefix` is where in the text their paths begin."""
    lines = find_lines(text)
    found = [
        Problem(file, line_of(lines, prefix + path), dotted(path), message, nearest)
        for path, message, nearest in problems.found
    ]
    found.sort(key=lambda problem: problem.line or 0)
    if problems.left_out:
        found.append(Problem(file, None, "", f"has {problems.left_out:,} more problems"))
    return tuple(found)


def find_lines(text: str) -> dict[Path, int]:
    """The line (from 1) of every table, key and list entry, by the path of keys and indexes (from 0) to it."""
    scanner = _Scanner(text)
    try:
        scanner.document()
    except (IndexError, ValueError, RecursionError):  # no TOML after all; what was found still points right
        pass
    return scanner.lines


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """The line of a path, or of the nearest thing around it: a missing key is in its table."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


class _Scanner:
    """Walks through a text once, from key to key."""

    def __init__(self, text: str) -> None:
        self.text = text + "\n"
        self.position = 0
        self.lines: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}  # entries so far of each array of tables
        self.breaks = [index for index, character in enumerate(self.text) if character == "\n"]

    def document(self) -> None:
        table: Path = ()
        while True:
            self.skip_space()
            if self.position >= len(self.text):
                return
            if self.text[self.position] == "[":
                table = self.header()
            else:
                self.pair(table)

    def header(self) -> Path:
        """`[a.b]` or `[[a.b]]`: the path of the table that begins here."""
        start = self.position
        many = self.text.startswith("[[", start)
        self.position += 2 if many else 1
        parts = self.key()
        self.position = self.text.index("]", self.position) + (2 if many else 1)
        path: Path = ()
        for part in parts[:-1]:
            path = self.entered((*path, part), start)
        path = (*path, parts[-1])
        if many:
            self.note(path, start)
            self.counts[path] = self.counts.get(path, -1) + 1
            path = (*path, self.counts[path])
        self.note(path, start)
        return path

    def entered(self, path: Path, start: int) -> Path:
        """A table that a header passes through: of an array of tables, the last entry."""
        self.note(path, start)
        return (*path, self.counts[path]) if path in self.counts else path

    def note(self, path: Path, start: int) -> None:
        self.lines.setdefault(path, bisect_right(self.breaks, start - 1) + 1)

    def pair(self, table: Path) -> None:
        start = self.position
        path = table
        for part in self.key():
            path = (*path, part)
            self.note(path, start)
        self.position = self.text.index("=", self.position) + 1
        self.value(path)

    def key(self) -> list[str]:
        """A dotted key; the position is left behind it."""
        parts = []
        while True:
            self.skip(_BLANK)
            parts.append(self.simple_key())
            self.skip(_BLANK)
            if self.text[self.position] != ".":
                return parts
            self.position += 1

    def simple_key(self) -> str:
        start = self.position
        if self.text[start] in "\"'":
            self.string()
            return _unquoted(self.text[start : self.position])
        while self.text[self.position] not in " \t\n.=]":
            self.position += 1
        return self.text[start : self.position]

    def value(self, path: Path) -> None:
        """Any value; the position is left behind it."""
        self.skip(_BLANK)
        character = self.text[self.position]
        if character in "\"'":
            self.string()
        elif character == "[":
            self.array(path)
        elif character == "{":
            self.inline_table(path)
        elif character in _ENDS:
            raise ValueError("a value is missing")
        else:
            while self.text[self.position] not in _ENDS:
                self.position += 1

    def array(self, path: Path) -> None:
        self.position += 1
        index = 0
        while True:
            self.skip_space(",")
            if self.text[self.position] == "]":
                self.position += 1
                return
            self.note((*path, index), self.position)
            self.value((*path, index))
            index += 1

    def inline_table(self, path: Path) -> None:
        self.position += 1
        while True:
            self.skip_space(",")
            if self.text[self.position] == "}":
                self.position += 1
                return
            self.pair(path)

    def string(self) -> None:
        """Any of the four kinds of strings; the position is left behind it."""
        quote = self.text[self.position]
        long = self.text.startswith(quote * 3, self.position)
        closing = quote * 3 if long else quote
        self.position += len(closing)
        while not self.text.startswith(closing, self.position):
            escaped = self.text[self.position] == "\\" and quote == '"'
            self.position += 2 if escaped else 1
        self.position += len(closing)
        while long and self.text[self.position] == quote:  # up to two quotes may stand before the closing ones
            self.position += 1

    def skip(self, characters: str) -> None:
        while self.position < len(self.text) and self.text[self.position] in characters:
            self.position += 1

    def skip_space(self, more: str = "") -> None:
        """White space, line breaks and comments."""
        while True:
            self.skip(_SPACE + more)
            if self.position >= len(self.text) or self.text[self.position] != "#":
                return
            self.position = self.text.index("\n", self.position)


def _unquoted(quoted: str) -> str:
    """The key that a quoted key stands for; escapes are read as TOML reads them."""
    inner = quoted[1:-1]
    if quoted[0] == "'" or "\\" not in inner:
        return inner
    table, _ = parse_toml(b"key = " + quoted.encode(), path="", remedy="")
    return str(table["key"])
