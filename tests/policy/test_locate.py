"""Lines are found in every form that TOML has."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.policy.locate import find_lines, line_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT = """\
# a comment = 1
top = 1  # one
"quoted key" = 'x'
'lit"eral' = "a # no comment \\" still"
"\\u0061bc" = 1
a.b . c = [ 1,
  # between
  [2, 3],
  {x = 1, y.z = "]}"},
]
long = \"\"\"
[not.a.table]
key = 1
""\"""
after = '''
no = 2''''
[table]
one = 1979-05-27T07:32:00Z
[table.sub."x.y"]
two = +1_000.0e-2
[[list]]
three = 3
[[list]]
four = {}
[list.inner]
five = []
[[list.deep]]
six = true
[[list.deep]]
seven = inf"""


def test_every_form() -> None:
    lines = find_lines(TEXT)
    tomllib.loads(TEXT)
    expected: dict[tuple[str | int, ...], int] = {
        ("top",): 2,
        ("quoted key",): 3,
        ('lit"eral',): 4,
        ("abc",): 5,
        ("a",): 6,
        ("a", "b", "c"): 6,
        ("a", "b", "c", 0): 6,
        ("a", "b", "c", 1): 8,
        ("a", "b", "c", 1, 1): 8,
        ("a", "b", "c", 2, "x"): 9,
        ("a", "b", "c", 2, "y", "z"): 9,
        ("long",): 11,
        ("after",): 15,
        ("table",): 17,
        ("table", "one"): 18,
        ("table", "sub", "x.y"): 19,
        ("table", "sub", "x.y", "two"): 20,
        ("list", 0): 21,
        ("list", 0, "three"): 22,
        ("list", 1): 23,
        ("list", 1, "four"): 24,
        ("list", 1, "inner", "five"): 26,
        ("list", 1, "deep", 0, "six"): 28,
        ("list", 1, "deep", 1): 29,
        ("list", 1, "deep", 1, "seven"): 30,
    }
    assert {path: lines.get(path) for path in expected} == expected
    assert ("not",) not in lines
    assert ("no",) not in lines


def test_what_is_not_written_is_where_its_table_is() -> None:
    lines = find_lines(TEXT)
    assert line_of(lines, ("table", "missing", 0, "x")) == 17
    assert line_of(lines, ("missing",)) is None


NO_TOML = [
    "a = [1, 2",
    "a = [}",
    "a = {]",
    "a =",
    "a",
    'a = "x',
    'a = "\\',
    "[a",
    "a = {b = 1",
    "'",
    "a = " + "[" * 5000,
]


@pytest.mark.parametrize("text", NO_TOML)
def test_what_is_no_toml_is_followed_as_far_as_it_goes(text: str) -> None:
    assert isinstance(find_lines(text), dict)


def paths_in(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [below for key, one in inner for below in paths_in(one, (*path, key))]


PIECES = st.sampled_from(
    ["k = 1", "[t]", "[[l]]", "[t.u]", "[[l.m]]", "a.b = [1, [2], {c = 3}]", '"q.r" = "#"', "'s' = '''\n]'''", "# [x]"]
    + ['[t."v"]', "e = {f.g = [\n{}, # ]\n]}", 'h = """\\"""" ', "i = []", "[n.o.p]", "", "\t j\t=\t-1 # = "]
)


@given(st.lists(PIECES, max_size=12))
def test_everything_that_the_parser_sees_has_a_line(pieces: list[str]) -> None:
    text = "\n".join(pieces)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = find_lines(text)
    assert [path for path in paths_in(table) if path not in lines] == []
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())
