"""Python files as syntax: encodings as Python takes them, and what is too much for it."""

from __future__ import annotations

import ast
import time

import pytest

from rollback_guard.release.migrations.python_source import SourceError, read_source, read_text

READ = (
    (b"", ""),
    (b"x = '\xc3\xa9'", "x = 'é'"),
    (b"# coding: latin-1\nx = '\xe9'", "# coding: latin-1\nx = 'é'"),
    (b"#!/usr/bin/python\n# -*- coding: CP1252 -*-\n\x80", "#!/usr/bin/python\n# -*- coding: CP1252 -*-\n€"),
    (b"\n# vim: set fileencoding=iso_8859_15 :\n\xa4", "\n# vim: set fileencoding=iso_8859_15 :\n€"),
    (b"x = 1\n# coding: utf-7\n", "x = 1\n# coding: utf-7\n"),
    (b"\xef\xbb\xbf# coding: utf-8\nx", "# coding: utf-8\nx"),
    (b"# coding: utf-8-unix\nx", "# coding: utf-8-unix\nx"),
)
REFUSED = (b"\xff", b"# coding: utf-7\n", b"# coding: unicode_escape\n", b"# coding: utf-16\n", b"\xef\xbb\xbf\xff")


@pytest.mark.parametrize(("data", "text"), READ)
def test_characters_are_those_that_python_reads(data: bytes, text: str) -> None:
    assert read_text(data) == text


@pytest.mark.parametrize("data", REFUSED)
def test_what_people_may_see_differently_is_refused(data: bytes) -> None:
    with pytest.raises(SourceError):
        read_text(data)


def test_an_escape_of_tomorrow_makes_no_noise() -> None:
    assert isinstance(read_source(b"x = '\\d'\n"), ast.Module)


LONG = 30_000
ENDLESS = (
    "a" + ".b" * LONG,
    "a" + "()" * LONG,
    "(a" + "\n.b" * LONG + ")",
    "a" + "[0]" * LONG,
    "'x'" + " + ','" * LONG,
    'f"{a' + ".b" * LONG + '}"',
    "rf'''{a" + ".b" * LONG + "}'''",
    "1" + " or 1" * LONG,
    "a" + "+\\\n(b)" * LONG,
)
MANY = (
    "x = [" + "a.b(c + 1),\n" * LONG + "]",
    "x = '''" + ".(+" * LONG + "'''",
    'x = """' + '.(+\\"' * LONG + '"""',
    "x = '" + ".(+\\'" * LONG + "'",
    "# " + ".(+" * LONG + "\n",
    "x.y()\n" * LONG,
    "x.y()\r" * LONG,
    "x = {" + "'a' + 'b': 1,\n" * LONG + "}",
)


@pytest.mark.parametrize("text", ENDLESS, ids=range(len(ENDLESS)))
def test_an_expression_that_overflows_pythons_stack_is_refused_before(text: str) -> None:
    with pytest.raises(SourceError, match="too long"):
        read_source(text.encode())


@pytest.mark.parametrize("text", MANY, ids=range(len(MANY)))
def test_many_short_expressions_are_read(text: str) -> None:
    assert isinstance(read_source(text.encode()), ast.Module)


@pytest.mark.parametrize(
    "text", ["'''" + "a.b" * 60_000, "x = " + "'" * 200_001, "\\" * 200_000 + ".." * 9_000, ")" * 90_000]
)
def test_open_quotes_and_brackets_end_in_time(text: str) -> None:
    begun = time.monotonic()
    with pytest.raises(SourceError):
        read_source(text.encode() + b"." * 20_000)
    assert time.monotonic() - begun < 120
