"""Changelogs as tags, however they are written: XML, YAML or JSON. What tags mean is left to `liquibase_changes`.

XML is read without entities, so that nothing is fetched and nothing grows. In YAML and JSON a text is an attribute,
and a list of single-key mappings is the tags inside.
"""

from __future__ import annotations

import json
from typing import NamedTuple, Optional
from xml.parsers import expat

from rollback_guard.release.migrations.yaml_scalars import MOST_DEPTH, Plain, YamlError
from rollback_guard.release.migrations.yaml_subset import read_yaml

LIMIT = 4 * 1024 * 1024  # bytes of a changelog; one that was generated from a whole database has a quarter of it


class TagError(ValueError):
    """Bytes that are no XML, YAML or JSON that is read here."""


class Tag(NamedTuple):
    """One element. `text`: what stands in it beside its tags."""

    name: str
    attributes: dict[str, str]
    inside: tuple[Tag, ...] = ()
    text: str = ""

    def get(self, name: str) -> str:
        """An attribute, or the text of the one tag of this name: YAML and XML differ in what is which."""
        if name in self.attributes:
            return self.attributes[name]
        return next((tag.text for tag in self.inside if tag.name == name and not tag.inside), "")

    def all(self, name: str) -> tuple[Tag, ...]:
        return tuple(tag for tag in self.inside if tag.name == name)

    def is_on(self, name: str) -> bool:
        """Whether a switch may be on: it is there, and not literally off."""
        return self.get(name).strip().lower() not in ("", "false", "no", "0")

    def is_off(self, name: str) -> bool:
        """Whether a switch may be off: it is there, and not literally on."""
        value = self.get(name).strip().lower()
        return value not in ("", "true", "yes", "1")


def read_xml(data: bytes) -> Tag:
    """The outermost element; names are without their namespaces.

    Raises: TagError.
    """
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.EntityDeclHandler = builder.entity
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise TagError(f"is no XML that is read: {error}") from None
    return builder.root[0]


class _Builder:
    """Puts together what the parser tells."""

    def __init__(self) -> None:
        self.root: list[Tag] = []
        self.open: list[tuple[str, dict[str, str], list[Tag], list[str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.open) >= MOST_DEPTH:
            raise ValueError("it is nested too deeply")
        plain = {_local(key): value for key, value in sorted(attributes.items(), key=lambda one: ":" not in one[0])}
        self.open.append((_local(name), plain, [], []))

    def end(self, _: str) -> None:
        name, attributes, inside, text = self.open.pop()
        tag = Tag(name=name, attributes=attributes, inside=tuple(inside), text="".join(text))
        (self.open[-1][2] if self.open else self.root).append(tag)

    def text(self, text: str) -> None:
        self.open[-1][3].append(text)

    def entity(self, *_: object) -> None:
        raise ValueError("it defines entities")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def read_plain_yaml(data: bytes) -> Tag:
    """A YAML changelog as one tag without a name.

    Raises: TagError.
    """
    try:
        return _tag("", read_yaml(decoded(data)), 0)
    except YamlError as error:
        raise TagError(f"is no YAML that is read: {error}") from None


def read_json(data: bytes) -> Tag:
    """A JSON changelog as one tag without a name.

    Raises: TagError.
    """
    try:
        return _tag("", json.loads(decoded(data), object_pairs_hook=_unique, parse_int=str, parse_float=str), 0)
    except RecursionError:
        raise TagError("is nested too deeply") from None
    except TagError:
        raise
    except ValueError as error:
        raise TagError(f"is no JSON: {error}") from None


def decoded(data: bytes) -> str:
    """A file's text.

    Raises: TagError.
    """
    if b"\0" in data:
        raise TagError("is no text in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TagError("is no text in UTF-8") from None


def _unique(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise TagError("uses a key twice")
    return found


def _tag(name: str, value: object, depth: int) -> Tag:
    if depth > MOST_DEPTH:
        raise TagError("is nested too deeply")
    attributes: dict[str, str] = {}
    inside: list[Tag] = []
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, (dict, list)):
                inside.append(_tag(key, inner, depth + 1))
            else:
                attributes[key] = _text(inner)
                inside.append(Tag(name=key, attributes={}, text=_text(inner)))
    elif isinstance(value, list):
        for item in value:
            inside += _tag("", item, depth + 1).inside if isinstance(item, dict) else [_tag("", item, depth + 1)]
    else:
        return Tag(name=name, attributes={}, text=_text(value))
    return Tag(name=name, attributes=attributes, inside=tuple(inside))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def columns(tag: Tag) -> tuple[Tag, ...]:
    """The columns of a change: beside one another in XML, in a list of their own in YAML."""
    lists = tag.all("columns")
    return tag.all("column") + tuple(column for one in lists for column in one.all("column"))


def constraints(tag: Tag) -> Optional[Tag]:
    """What limits the values of a column."""
    return next(iter(tag.all("constraints")), None)
