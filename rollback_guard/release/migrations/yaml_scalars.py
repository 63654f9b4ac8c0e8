"""The scalars of YAML, and its values in brackets. Where on which line they stand is left to `yaml_subset`."""

from __future__ import annotations

import re
from typing import Optional, Union

MOST_DEPTH = 60
Plain = Union[str, None, list["Plain"], dict[str, "Plain"]]
QUOTED = re.compile(r"\"((?:[^\"\\]|\\[\s\S])*)\"|'((?:[^']|'')*)'")
_FLOW_WORD = re.compile(r"[^,\[\]{}\"'\s#:](?:[^,\[\]{}\n:]|:(?![\s,\]}]))*")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b", "b": "\b", "a": "\a", "/": "/", " ": " "}
NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class YamlError(ValueError):
    """Text that is no YAML, or YAML that is not read here. The message is "line 3: …"."""


class Flow:
    """A value in brackets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def skip(self) -> str:
        """White space; returns what comes."""
        while self.text[self.at : self.at + 1] in (" ", "\t", "\n") and self.at < len(self.text):
            self.at += 1
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Plain:
        if depth > MOST_DEPTH:
            raise YamlError("is nested too deeply")
        character = self.skip()
        if character == "[":
            return self.items(depth)
        if character == "{":
            return self.pairs(depth)
        return self.word()

    def word(self) -> Optional[str]:
        match = QUOTED.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
            return unquoted(match)
        match = _FLOW_WORD.match(self.text, self.at)
        if match is None or match.group()[0] in "&*!|>%@`":
            raise YamlError(f"{self.text[self.at : self.at + 1]!r} is not read inside of brackets")
        self.at = match.end()
        text = match.group().strip()
        return None if text in NULLS else text

    def items(self, depth: int) -> list[Plain]:
        found: list[Plain] = []
        self.at += 1
        while self.skip() != "]":
            found.append(self.value(depth + 1))
            self.separator("]")
        self.at += 1
        return found

    def pairs(self, depth: int) -> dict[str, Plain]:
        found: dict[str, Plain] = {}
        self.at += 1
        while self.skip() != "}":
            key = self.word() or ""
            if key in found or key == "<<" or self.skip() != ":":
                raise YamlError(f"the key {key} is used twice, or has no value")
            self.at += 1
            found[key] = None if self.skip() in (",", "}") else self.value(depth + 1)
            self.separator("}")
        self.at += 1
        return found

    def separator(self, closing: str) -> None:
        following = self.skip()
        if following == ",":
            self.at += 1
        elif following != closing:
            raise YamlError(f"{closing} is missing")


def folded(lines: list[str]) -> str:
    """Lines as a folded scalar joins them: those that are indented more, and empty ones, stay lines."""
    parts: list[str] = []
    empty = 0
    before = ""
    for line in lines:
        if not line:
            empty += 1
            continue
        plain = not line.startswith((" ", "\t")) and not before.startswith((" ", "\t"))
        if not before:
            parts.append("\n" * empty)
        else:
            parts.append(("\n" * empty or " ") if plain else "\n" * (empty + 1))
        parts.append(line)
        before, empty = line, 0
    return "".join(parts)


def _flowed(text: str, *, escapes: bool) -> str:
    """A quoted text's lines as one: an empty line between them stays a line's end."""
    first, *others = text.split("\n")
    if not others:
        return text
    parts = [first.rstrip(" \t")]
    empty = 0
    for number, line in enumerate(others, start=1):
        last = number == len(others)
        line = line.lstrip(" \t") if last else line.strip(" \t")
        if not line and not last:
            empty += 1
            continue
        before = parts[-1]
        joined = escapes and (len(before) - len(before.rstrip("\\"))) % 2 == 1
        if joined:
            parts[-1] = before[:-1]
        parts += ["\n" * empty or ("" if joined else " "), line]
        empty = 0
    return "".join(parts)


def unquoted(match: re.Match[str]) -> str:
    """What a quoted scalar says."""
    double, single = match.groups()
    if double is None:
        return _flowed(single, escapes=False).replace("''", "'")
    return _ESCAPE.sub(_escaped, _flowed(double, escapes=True))


def _escaped(match: re.Match[str]) -> str:
    spelled = match.group(1)
    if len(spelled) > 1 and spelled[0] in "xuU":
        number = int(spelled[1:], 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    return _ESCAPES.get(spelled, spelled)
