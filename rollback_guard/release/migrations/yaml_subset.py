"""The part of YAML that changelogs are written in, without a dependency: mappings, sequences, scalars, block scalars.

Anchors, aliases, tags, merge keys, several documents and keys used twice are refused, so that nothing is read other
than a full reader would. Scalars stay text.
Source: https://yaml.org/spec/1.2.2/.
"""

from __future__ import annotations

import re
from typing import Optional

from rollback_guard.release.migrations.yaml_scalars import (
    MOST_DEPTH,
    NULLS,
    QUOTED,
    Flow,
    Plain,
    YamlError,
    folded,
    unquoted,
)

_HEADER = re.compile(r"([|>])([+-]?)([1-9]?)([+-]?)[ \t]*(?:#.*)?$")
_COMMENT = re.compile(r"(?:^|[ \t])#.*$")


def read_yaml(text: str) -> Plain:
    """What the one document of a text holds.

    Raises: YamlError.
    """
    reader = _Reader(text)
    found = reader.block(-1)
    if reader.peek() is not None:
        raise reader.error("is indented in a way that is not read")
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.lines = text.replace("\r\n", "\n").split("\n")
        self.at = 0
        self.depth = 0
        first = next((n for n, line in enumerate(self.lines) if line.strip() and not line.startswith("#")), 0)
        if f"{self.lines[first]} ".startswith("--- "):
            self.lines[first] = self.lines[first][3:]

    def error(self, message: str) -> YamlError:
        return YamlError(f"line {min(self.at, len(self.lines) - 1) + 1}: {message}")

    def peek(self) -> Optional[tuple[int, str]]:
        """The next line that holds something, as its indent and content; None at the end."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            content = line.lstrip(" ")
            if content.startswith("\t") and content.strip() and not content.strip().startswith("#"):
                raise self.error("is indented by a tab")
            if content.strip() and not content.startswith("#"):
                if line.startswith(("--- ", "...", "%")) or line.rstrip() == "---":
                    raise self.error("has more than one document")
                return len(line) - len(content), content.rstrip()
            self.at += 1
        return None

    def block(self, outer: int) -> Plain:
        """Whatever is indented deeper than `outer`."""
        first = self.peek()
        if first is None or first[0] <= outer:
            return None
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise self.error("is nested too deeply")
        indent, content = first
        if _is_entry(content):
            found: Plain = self.sequence(indent)
        elif _key(content) is not None:
            found = self.mapping(indent)
        else:
            self.at += 1
            found = self.scalar(content, outer)
        self.depth -= 1
        return found

    def sequence(self, indent: int) -> list[Plain]:
        found: list[Plain] = []
        while (line := self.peek()) is not None and line[0] == indent and _is_entry(line[1]):
            rest = line[1][1:].lstrip(" ")
            if not rest or rest.startswith("#"):
                self.at += 1
                found.append(self.block(indent))
            else:  # what stands behind the dash is a block of its own, indented as far as it stands
                self.lines[self.at] = " " * (indent + len(line[1]) - len(rest)) + rest
                found.append(self.block(indent))
        return found

    def mapping(self, indent: int) -> dict[str, Plain]:
        found: dict[str, Plain] = {}
        while (line := self.peek()) is not None and line[0] == indent and not _is_entry(line[1]):
            pair = _key(line[1])
            if pair is None:
                raise self.error("is no key with a value")
            key, rest = pair
            if key in found or key == "<<":
                raise self.error(f"uses the key {key} twice" if key in found else "merges another mapping")
            self.at += 1
            if rest:
                found[key] = self.scalar(rest, indent)
                continue
            following = self.peek()
            if following is not None and following[0] == indent and _is_entry(following[1]):
                found[key] = self.sequence(indent)
            else:
                found[key] = self.block(indent)
        return found

    def scalar(self, first: str, outer: int) -> Plain:
        """A value whose first line is `first`, on the line before; the lines that go on are indented deeper."""
        if (header := _HEADER.match(first)) is not None:
            return self.block_scalar(header, outer)
        if first[0] in "\"'":
            return self.quoted(first)
        if first[0] in "[{":
            return self.flow(first)
        if first[0] in "&*!%@`|>?,]}" or _is_entry(first):
            self.at -= 1
            raise self.error(f"begins with {first[0]}, which is not read")
        return self.plain(first, outer)

    def plain(self, first: str, outer: int) -> Optional[str]:
        """A value without quotes, over as many lines as it has."""
        text = _COMMENT.sub("", first).strip()
        parts = [text]
        ended = text != first.strip()
        start = self.at
        while (line := self.peek()) is not None and line[0] > outer:
            word = _COMMENT.sub("", line[1]).strip()
            if ended or any(skipped.strip() for skipped in self.lines[start : self.at]):
                raise self.error("goes on behind a comment")
            if _key(line[1]) is not None:
                raise self.error("is a key inside of a value")
            ended = word != line[1]
            parts += ["\n" * (self.at - start) or " ", word]
            self.at += 1
            start = self.at
        text = "".join(parts)
        return None if text in NULLS else text

    def block_scalar(self, header: re.Match[str], outer: int) -> str:
        style, before, digit, behind = header.groups()
        lines: list[str] = []
        indent = max(outer, 0) + int(digit) if digit else 0
        while self.at < len(self.lines):
            line = self.lines[self.at]
            width = len(line) - len(line.lstrip(" "))
            if line.strip():
                indent = indent or (width if width > outer else 0)
                if not indent or width < indent:
                    break
            lines.append(line[indent:] if line.strip() else "")
            self.at += 1
        while lines and not lines[-1]:
            lines.pop()
        text = "\n".join(lines) if style == "|" else folded(lines)
        return text if "-" in (before, behind) else text + "\n"

    def quoted(self, first: str) -> str:
        """A quoted value, over as many lines as it has."""
        quote, parts = first[0], [first]
        while not _closed(parts[-1], quote, begun=len(parts) > 1):
            if self.at >= len(self.lines):
                raise self.error("a string is not closed")
            parts.append(self.lines[self.at].strip(" "))
            self.at += 1
        text = "\n".join(parts)
        match = QUOTED.match(text)
        if match is None or _COMMENT.sub("", text[match.end() :]).strip():
            raise self.error("has something behind a string")
        return unquoted(match)

    def flow(self, first: str) -> Plain:
        """A value in brackets, over as many lines as it has."""
        parts = [first]
        level = _level(first)
        while level > 0 and self.at < len(self.lines):
            parts.append(self.lines[self.at])
            level += _level(self.lines[self.at])
            self.at += 1
        flow = Flow("\n".join(parts))
        found = flow.value(0)
        if _COMMENT.sub("", flow.text[flow.at :]).strip():
            raise self.error("has something behind its brackets")
        return found


def _is_entry(content: str) -> bool:
    return content == "-" or content.startswith("- ")


def _key(content: str) -> Optional[tuple[str, str]]:
    """A line's key, and what stands behind it without a comment that stands there alone."""
    quoted = QUOTED.match(content)
    end = content.find(":", quoted.end()) if quoted is not None else _colon(content)
    if end < 0 or (quoted is None and content[0] in "?,[]{}#&*!|>'\"%@`"):
        return None
    if quoted is not None and (content[quoted.end() : end].strip() or content[end + 1 : end + 2] not in ("", " ")):
        return None
    rest = content[end + 1 :].strip()
    key = unquoted(quoted) if quoted is not None else content[:end].rstrip()
    return key, "" if rest.startswith("#") else rest


def _colon(content: str) -> int:
    """Where the colon behind a plain key stands, or -1: white space follows it, and no comment begins before it."""
    at = content.find(":")
    while at >= 0 and content[at + 1 : at + 2] not in ("", " ", "\t"):
        at = content.find(":", at + 1)
    return at if at > 0 and " #" not in content[:at] else -1


def _closed(line: str, quote: str, *, begun: bool) -> bool:
    """Whether a line of a quoted value holds its closing quote."""
    inner = line if begun else line[1:]
    inner = inner.replace("''", "") if quote == "'" else re.sub(r"\\.", "", inner)
    return quote in inner


def _level(line: str) -> int:
    bare = QUOTED.sub("", line)
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")
