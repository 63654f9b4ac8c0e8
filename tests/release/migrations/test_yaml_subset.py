"""The part of YAML that is read says what a full reader says, and everything else is refused."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.release.migrations.yaml_scalars import Plain, YamlError
from rollback_guard.release.migrations.yaml_subset import read_yaml


def full(text: str) -> object:
    """What PyYAML says, with its scalars as text."""
    return yaml.load(text, Loader=yaml.BaseLoader)


def nulls(value: object) -> object:
    """Empty and null scalars alike: nobody asks for the difference."""
    if isinstance(value, dict):
        return {key: nulls(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [nulls(inner) for inner in value]
    return None if value in (None, "", "~", "null", "Null", "NULL") else value


SAME = [
    "a:b: c\n",
    "a: 1",
    "---\na: 1\n",
    "# x\n--- # y\na: b # c\n",
    "a:\n  b: 1\n  c:\n    - x\n    - y: z\n      w: v\n",
    "a:\n- x\n- y\n",
    "- - a\n  - b\n- - c\n",
    "-\n  a: b\n- \n  - c\n",
    "- # x\n  a: b\n",
    "a: 'it''s'\nb: \"x\\ty\\u00e9\\x41\\U0001F600 \\/ \\q\"\n".replace(" \\q", ""),
    "'a b': c\n\"d\": e\n",
    "a: x\n  y\n  z\nb: c\n",
    "a: \"x\n  y\"\nb: 'x\n\n  y'\n".replace("\n\n", "\n"),
    'a: "x \\\n  y"\n',
    "a: |\n  x\n   y\n\n  z\nb: c\n",
    "a: |-\n  x\n  y\n\n\nb: c\n",
    "a: >\n  x\n  y\n    z\n  w\n",
    "a: >-\n  x\n\n  y\nb: c",
    "a: b\n\n\n  c\n",
    'a: "-- x\n\n  y\\n  z\\\\\n w"\n',
    "a: '-- x\n\n\n  y'\n",
    "a: >\n\n\n  x\n\n    y\n\n  z\n",
    "a: |2\n    x\n  y\n",
    "- |\n  x\n- >-\n  y\n  z\n",
    "a: [b, 'c d', \"e\", [f], {g: h}]\n",
    "a: {b: c, d: , e: [f, g]}\n",
    "a: [\n  b,\n  c # x\n]\n".replace(" # x", ""),
    "a: {}\nb: []\n",
    "a:\nb: ~\nc: null\n",
    "url: http://x.y/z#a\ntime: 10:20\nc: a:b\n",
    "a: - b\n".replace("- b", "-b"),
    "a: b: c".replace("b: c", "b:c"),
    "x",
    "",
    "\n\n# nothing\n",
    "'quoted' # x",
    "a: [b] # c",
    "a: 'b' # c",
    "- 'a': b\n  c: d\n",
]


@pytest.mark.parametrize("text", SAME)
def test_the_same_as_a_full_reader(text: str) -> None:
    found: object = read_yaml(text)
    assert nulls(_stripped(found)) == nulls(_stripped(full(text)))


def _stripped(value: object) -> object:
    """How many lines end a block scalar is of no interest."""
    if isinstance(value, dict):
        return {key: _stripped(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_stripped(inner) for inner in value]
    return value.rstrip("\n") if isinstance(value, str) else value


REFUSED = [
    "a: &x 1\nb: *x\n",
    "a: *x\n",
    "a: !!binary x\n",
    "<<: {a: b}\n",
    "a: 1\na: 2\n",
    "a: {b: 1, b: 2}\n",
    "a: {<<: b}\n",
    "a: 1\n---\nb: 2\n",
    "a: 1\n--- x\n",
    "%YAML 1.2\n",
    "? a\n: b\n",
    "a:\n\tb: c\n",
    "a: 'x\n",
    'a: "x',
    "a: 'x' y\n",
    "a: [b\n",
    "a: [b] c\n",
    "a: [&x b]\n",
    "a: [b c: d}\n",
    "a: {b}\n",
    "a: [,]\n",
    "a: b\n  c: d\n",
    "a: b\nc\n",
    "a: b # c\n  d\n",
    "a: b\n  c # d\n  e\n",
    "a: b\n # d\n  e\n",
    "  a: b\nc: d\n",
    "a: @x\n",
    "a: - b\n",
    "a: |x\n  y\n",
    "- a\nb: c\n",
    "a: " + "[" * 100 + "]" * 100,
    "- " * 100 + "a",
    "".join(" " * n + f"a{n}:\n" for n in range(100)),
    "a" * 100_000 + " " * 100_000,
    "'a' x: b",
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_read_is_refused(text: str) -> None:
    try:
        found: Plain = read_yaml(text)
    except YamlError:
        return
    assert isinstance(found, str), found  # one plain scalar: no changelog


def test_an_escape_of_no_character() -> None:
    assert read_yaml('a: "\\UFFFFFFFF"') == {"a": "\ufffd"}


PIECES = st.sampled_from(
    [
        "a",
        "b: ",
        "- ",
        "\n",
        "  ",
        "'",
        '"',
        "[",
        "]",
        "{",
        "}",
        ": ",
        ", ",
        "#",
        " |\n",
        " >-\n",
        "x y",
        "&a",
        "*a",
        "---",
    ]
)


@given(st.lists(PIECES, max_size=20).map("".join))
def test_it_never_says_other_than_a_full_reader(text: str) -> None:
    try:
        found: object = read_yaml(text)
    except YamlError:
        return
    try:
        expected = full(text)
    except yaml.YAMLError:
        return  # Liquibase would refuse it
    if isinstance(expected, (dict, list)) or isinstance(found, (dict, list)):
        assert nulls(_stripped(found)) == nulls(_stripped(expected))
