"""Pages that are run: what differs is found, and what may differ stands for one thing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.pages import Reader, sections_of

PAGE = """# Top
```sh
$ not run
```
## First
```console
$ echo one
one
$ printf 'at deadbeef12 and deadbeef12\\n'
at 0123456789 and 0123456789
```
## Second
```console
$ exit 3    # exit 3
$ echo 0123456
deadbee
```
"""


def wrong(tmp_path: Path, page: str) -> list[str]:
    reader = Reader(tmp_path, os.environ)
    return [one for section in sections_of(page) for command in section.commands for one in reader.follow(command)]


def block(command: str, *shown: str) -> str:
    return "\n".join(["```console", f"$ {command}", *shown, "```"])


def test_a_page_that_is_right(tmp_path: Path) -> None:
    assert [(one.title, len(one.commands)) for one in sections_of(PAGE)] == [("First", 2), ("Second", 2)]
    assert wrong(tmp_path, PAGE) == []


@pytest.mark.parametrize(
    ("command", "shown", "right"),
    [
        ("printf 'a\\nb\\nc\\n'", ("a", "…"), True),
        ("printf 'a\\nb\\nc\\n'", ("…", "c"), True),
        ("printf 'a\\nb\\nc\\n'", ("a", "…", "d"), False),
        ("printf 'a\\nb\\nc\\n'", ("a", "c"), False),
        ("echo abcdef", ("abc…",), True),
        ("echo abcdef", ("abd…",), False),
        ("echo a", (), False),
        ("true", ("a",), False),
        ("true", ("…",), True),
        ("true", (), True),
        ("false", (), False),
        ("true    # exit 1", (), False),
        ("echo 1111111aaa 2222222bbb", ("3333333ccc 3333333ccc",), False),  # one id is not two
        ("echo 1111111aaa 1111111", ("3333333ccc 3333333",), True),
        ("echo 1111111aaa 2222222", ("3333333ccc 3333333",), False),
        ("echo 1111111 2222222aaa", ("3333333 3333333ccc",), False),
        ("echo stable/2026.1.2.3 in 0.5 s", ("stable/2026.4.5.6 in 1.2 s",), True),
        ("echo at 2026-01-02T03:04:05Z", ("at 2026-07-08T09:10:11Z",), True),
        ("echo 31 s old, 13.2 KiB", ("1 min 5 s old, 271 bytes",), True),
        ("echo 31 s ago", ("31 s old",), False),
        (
            "echo 20261127T200136Z-d6e340 failed_20261127_200243_d14b",
            ("20270101T000000Z-aaaaaa failed_20270101_000000_bbbb",),
            True,
        ),
        (
            "echo 20261127T200136Z-d6e340 20261127T200136Z-d6e341",
            ("20270101T000000Z-aaaaaa 20270101T000000Z-aaaaaa",),
            False,
        ),
        ("echo 'a   b'", ("a  b",), True),
        ("echo 1111111", ("none",), False),
    ],
)
def test_what_may_differ(tmp_path: Path, command: str, shown: tuple[str, ...], right: bool) -> None:
    assert (wrong(tmp_path, block(command, *shown)) == []) is right


def test_what_stood_for_something_is_run_as_that(tmp_path: Path) -> None:
    page = block("echo 1111111aaa222", "3333333ccc444") + "\n" + block("test 3333333ccc = 1111111aaa")
    assert wrong(tmp_path, page) == []


def test_a_question_is_answered_as_the_page_shows(tmp_path: Path) -> None:
    ask = "printf 'Sure? [y/N]: '; read answer; echo got $answer"
    assert wrong(tmp_path, block(ask, "Sure? [y/N]: y", "got y")) == []
    assert len(wrong(tmp_path, block(ask, "Sure? [y/N]: n", "got n"))) == 1


def test_places_of_the_page_are_places_here(tmp_path: Path) -> None:
    reader = Reader(tmp_path, os.environ, {"/srv/shop": str(tmp_path)})
    page = block("touch /srv/shop/one; ls -d /srv/shop/one", "/srv/shop/one") + "\n" + block("stty size <&1", "24 80")
    commands = [command for section in sections_of(page) for command in section.commands]
    assert [one for command in commands for one in reader.follow(command)] == []
    assert (tmp_path / "one").exists()
