"""Patterns mean what docs/policy.md says, and no pattern is slow."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.policy.patterns import (
    MOST_STARS,
    explain_fault,
    is_literal,
    literal_prefix,
    matches,
    matches_any,
)

PATTERNS = st.text(alphabet="ab/*?[]!-.", max_size=10)
NAMES = st.text(alphabet="ab/-!].", max_size=8)


def slowly(pattern: str, name: str) -> bool:
    """The obvious oracle: try every way, character by character."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        stars = len(pattern) - len(pattern.lstrip("*"))
        rest = pattern[stars:]
        for taken in range(len(name) + 1):
            if stars == 1 and "/" in name[:taken]:
                return False
            if slowly(rest, name[taken:]):
                return True
        return False
    if pattern[0] == "[":
        found = re.match(r"\[(!?)(\]?[^\]]*|\][^\]]*)\]", pattern)
        if found and found.group(2):
            if not name or name[0] == "/" or (in_class(found.group(2), name[0]) == bool(found.group(1))):
                return False
            return slowly(pattern[found.end() :], name[1:])
    if not name or (name[0] == "/" if pattern[0] == "?" else name[0] != pattern[0]):
        return False
    return slowly(pattern[1:], name[1:])


def in_class(members: str, character: str) -> bool:
    while members:
        if len(members) > 2 and members[1] == "-":
            if members[0] <= character <= members[2]:
                return True
            members = members[3:]
        else:
            if members[0] == character:
                return True
            members = members[1:]
    return False


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("main", ["main"], ["Main", "main ", "xmain", "mainx", "main/x", ""]),
        ("release/*", ["release/1.4", "release/"], ["release", "release/1.4/rc", "Release/1.4"]),
        ("release/**", ["release/1.4", "release/1.4/rc"], ["release", "hotfix/x"]),
        ("**/rc", ["a/rc", "a/b/rc"], ["rc", "a/rc2"]),
        ("**", ["main", "a/b"], []),
        ("r?", ["r1"], ["r", "r/", "r12"]),
        ("v[0-9].[!0]", ["v1.1"], ["vx.1", "v1.0", "v1./"]),
        ("[]a]", ["]", "a"], ["b", "/"]),
        ("[!]]", ["a"], ["]", "/"]),
        ("[!/]", ["a"], ["/"]),
        ("a[b", ["a[b"], ["ab"]),
        ("[]", ["[]"], ["", "]"]),
        ("a-[a-]", ["a-a", "a--"], ["a-b"]),
        ("a.b+c|(d)$", ["a.b+c|(d)$"], ["aXb+c|(d)$"]),
        ("*", ["main", ""], ["a/b"]),
        ("*-*-x", ["a-b-x", "a-b-c-x"], ["a-x"]),
        ("***", ["a/b"], []),
    ],
)
def test_a_pattern_matches_whole_names(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [name for name in yes if not matches(pattern, name)] == []
    assert [name for name in no if matches(pattern, name)] == []


@pytest.mark.parametrize("name", ["main\n", "\nmain", "main\nrelease", "a\x00b", "a\x7f"])
@pytest.mark.parametrize("pattern", ["main", "*", "**", "main*", "a?b", "main\n", "[!a]*"])
def test_a_name_with_a_control_character_matches_nothing(pattern: str, name: str) -> None:
    assert not matches(pattern, name)


def test_a_name_that_is_no_utf8_or_not_printable_is_still_a_name() -> None:
    assert matches("release/*", "release/\udcff")
    assert matches("release/*", "release/a\u200bb")


@given(PATTERNS, NAMES)
def test_it_agrees_with_the_obvious_oracle(pattern: str, name: str) -> None:
    assert matches(pattern, name) == slowly(pattern, name)


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_taken(pattern: str, name: str) -> None:
    assert isinstance(matches(pattern, name), bool)
    assert isinstance(explain_fault(pattern), str)


@pytest.mark.parametrize("pattern", ["*a" * 8 + "*b", "**a" * 8 + "b", "*?" * 16 + "b", "[a-z]*" * 12 + "B"])
def test_a_hostile_pattern_is_not_slow(pattern: str) -> None:
    begin = time.perf_counter()
    assert not matches(pattern, "a" * 2000)
    assert time.perf_counter() - begin < 5


def test_literals() -> None:
    assert is_literal("release/1.4")
    assert not is_literal("release/?")
    assert literal_prefix("release/[0-9]") == "release/"
    assert matches_any(("main", "release/*"), "release/1")
    assert not matches_any((), "main")


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("", "is empty"),
        ("refs/heads/main", "short branch name"),
        ("/main", "empty path segment"),
        ("main/", "empty path segment"),
        ("a//b", "empty path segment"),
        ("a b", "' '"),
        ("a\nb", "'\\n'"),
        ("a\x7f", "'\\x7f'"),
        ("a:b", "':'"),
        ("[abc", "does not close"),
        ("[]", "does not close"),
        ("a" * 600, "longer"),
        ("*a" * (MOST_STARS + 1), "more than 16 stars"),
    ],
)
def test_a_faulty_pattern_is_explained(pattern: str, fault: str) -> None:
    assert fault in explain_fault(pattern)


@pytest.mark.parametrize("pattern", ["main", "release/**", "[!a]", "[]x]", "v[0-9]*/?"])
def test_a_sound_pattern_has_no_fault(pattern: str) -> None:
    assert explain_fault(pattern) == ""
