"""Nothing that a stranger wrote steers a terminal or speaks to a build runner."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given

from rollback_guard.report import visible as module
from rollback_guard.report.visible import inert, listed, short, visible
from tests.report.values import HOSTILE, hostile_text, obeyed, steers


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("release/1.4", "release/1.4"),
        ("Zoë 語 →", "Zoë 語 →"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\nb\tc\rd", r"a\x0ab\x09c\x0dd"),
        ("\x7f\x9b", r"\x7f\x9b"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud800", r"\ud800"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("pay\u200bpal", r"pay\u200bpal"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\u3164\uffa0\ufff9", r"\u3164\uffa0\ufff9"),
        ("\U000e0041\U0001d173", r"\U000e0041\U0001d173"),
    ],
)
def test_what_steers_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_what_the_caller_keeps_stays() -> None:
    assert visible("a\nb\x1b", keep="\n") == "a\nb\\x1b"


@given(hostile_text)
@HOSTILE
def test_visible_text_steers_nothing_and_is_stable(text: str) -> None:
    shown = visible(text)
    assert steers(shown) == []
    assert "\n" not in shown
    assert visible(shown) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("::error::x", r"\x3a:error::x"),
        ("  ::error::x", r"  \x3a:error::x"),
        ("\u3000::error::x", "\u3000\\x3a:error::x"),
        ("std::vector", "std::vector"),
        ("a ##[add-mask]b", r"a #\x23[add-mask]b"),
        ("####vso[x]", r"#\x23#\x23vso[x]"),
    ],
)
def test_a_line_speaks_to_no_runner(line: str, shown: str) -> None:
    assert inert(line) == shown


@given(hostile_text)
@HOSTILE
def test_no_line_is_obeyed(text: str) -> None:
    assert obeyed(inert(visible(text))) == []


def test_lists_and_oids_are_cut() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
    assert listed("abc", most=1) == "a and 2 more"
    assert short("0123456789abcdef") == "0123456789ab"
    assert short(None) == "-"


def test_the_examples_are_true() -> None:
    assert doctest.testmod(module).failed == 0
