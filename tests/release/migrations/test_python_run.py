"""Python files read as if they were run: what their expressions give, and what is left unknown.

`look(…)` in a file hands a value to the test. Everything else that is called outside the file is a step "unknown".
"""

from __future__ import annotations

import ast

import pytest

from rollback_guard.release.migrations.python_calls import TooMuchError
from rollback_guard.release.migrations.python_reading import Reading
from rollback_guard.release.migrations.python_run import Run
from rollback_guard.release.migrations.python_source import read_source
from rollback_guard.release.migrations.python_values import (
    Arguments,
    Attribute,
    Class,
    Made,
    Opaque,
    Ref,
    Scope,
    Template,
    Value,
    shown,
)


class Looking:
    """A framework that knows one function, `look`, and settles no condition."""

    def __init__(self) -> None:
        self.seen: list[Value] = []

    def call(self, target: Value, arguments: Arguments, run: Reading) -> Value:
        """Keep what is looked at."""
        if target == Opaque("the name look"):
            self.seen += arguments.positional
        else:
            run.add("unknown", f"calls {shown(target)}")
        return Made(target, arguments)

    def assign(self, of: Value, name: str, value: Value, run: Reading) -> None:
        """No attribute is known."""
        run.add("unknown", f"sets {name}")

    def dropped(self, value: Value, run: Reading) -> None:
        """Nothing is made for its own sake."""

    def settles(self, test: Value, *, strict: bool) -> bool:
        """No condition is known."""
        return False


def loaded(text: str, *, strict: bool = False) -> tuple[list[Value], list[str], str]:
    """What a file looks at, the steps that loading it takes, and why it stops."""
    host = Looking()
    run = Run(host)
    run.strict = strict
    run.load(read_source(text.encode()))
    return host.seen, [step.what for step in run.steps], run.refuses


def looked(text: str) -> list[Value]:
    """What a file looks at, where it does nothing else."""
    seen, steps, _ = loaded(text)
    assert steps == []
    return seen


KNOWN: tuple[tuple[str, Value], ...] = (
    ("'a' 'b' + 'c'", "abc"),
    ("['a'] + ['b']", ["a", "b"]),
    ("(1, *[2, 3])", [1, 2, 3]),
    ("{'a': 1, **{'b': 2}}", {"a": 1, "b": 2}),
    ("{'a': 1}['a']", 1),
    ("['a', 'b'][-1]", "b"),
    ("-1", -1),
    ("not ''", True),
    ("'a' and 'b'", "b"),
    ("'' and 'b'", ""),
    ("'' or 'b'", "b"),
    ("1 if 'a' else 2", 1),
    ("'a' == 'a'", True),
    ("None is not None", False),
    ("None == 0", False),
    ("1 != 2", True),
    ("'a' in 'abc'", True),
    ("'a' not in ['a']", False),
    ("f'x{1}{\"y\"}'", "x1y"),
    ("'%s-%d%%' % ('a', 1)", "a-1%"),
    ("'%s' % 'a'", "a"),
    ("'%(k)s' % {'k': 'v'}", "v"),
    ("'{}{1}{k}{{}}'.format('a', 'b', k='c')", "abc{}"),
    ("', '.join(['a', 'b'])", "a, b"),
    ("''.join([])", ""),
    ("' a '.strip()", "a"),
    ("'a b'.split()", ["a", "b"]),
    ("'a,b'.split(',')", ["a", "b"]),
    ("'a\\nb'.splitlines()", ["a", "b"]),
    ("'a-b'.replace('-', '_')", "a_b"),
    ("list(('a',))", ["a"]),
    ("set()", []),
    ("list(reversed(['a', 'b']))", ["b", "a"]),
    ("list(enumerate(['a']))", [[0, "a"]]),
    ("list(zip(['a'], ['b']))", [["a", "b"]]),
    ("list(range(1, 6, 2))", [1, 3, 5]),
    ("dict(a=1)", {"a": 1}),
    ("str(1)", "1"),
    ("len('abc')", 3),
    ("{'a': 1}.get('a')", 1),
    ("{'a': 1}.get('b', 2)", 2),
    ("list({'a': 1}.items())", [["a", 1]]),
    ("list({'a': 1}.keys())", ["a"]),
    ("{'a': 1}.values()", [1]),
    ("[x + y for x in 'ab'.split() for y in ('c', 'd') if y != 'c']", ["abd"]),
    ("{k: v for k, v in [('a', 1)]}", {"a": 1}),
    ("{x for x in {'a': 1}}", ["a"]),
    ("(lambda a, *b, c='c', **d: [a, b, c, d])(1, 2, e=3)", [1, [2], "c", {"e": 3}]),
    ("(lambda a, b=2: [a, b])(*[1], **{'b': 3})", [1, 3]),
    ("(y := 'a')", "a"),
    ("getattr(re, 'compile')", Ref("re.compile")),
    ("ValueError('x').args", Attribute(Made(Ref("builtins.ValueError"), Arguments(("x",))), "args")),
    ("globals()['NAME']", "name"),
    ("re.a.b", Ref("re.a.b")),
    ("x", Opaque("the name x")),
    ("'%s' % x", Opaque("a text that is put together")),
    ("'a%s' % x", Template("a")),
    ("f'a{x}b'", Template("a")),
    ("f'a{x}' + 'c'", Template("a")),
    ("'a' + x", Template("a")),
)


@pytest.mark.parametrize(("text", "value"), KNOWN, ids=[text for text, _ in KNOWN])
def test_a_value_that_is_written_out_is_known(text: str, value: Value) -> None:
    assert looked(f"import re\nNAME = 'name'\nlook({text})\n") == [value]


UNKNOWN = (
    *("...", "1j", f"0x{'f' * 40}", "1 + 1", "'a' * 3", "~1", "+1", "-'a'", "1 + 'a'", "'a' + 1"),
    *("[*x]", "{**x}", "{x: 1}", "x[1:2]", "x + ['a']", "{'a': 1}['b']", "['a'][7]", "x['a']", "1 if x else 2"),
    *("'%(a)s' % 1", "'%s %s' % 'a'", "'%f' % 1", "'{:>3}'.format(1)", "'{}'.format()", "'{a.b}'.format(a=1)"),
    *("'a'.join(x)", "'a'.center(3)", "f'{1:>3}'", "f'{1!r}'", "'a'.replace('b', x)", "'a'.join(['b', x])"),
    *("list(x)", "range(x)", "range(0)[3]", "range(1, 2, 0)", "range(10 ** 3)", "range(5000)", "len(x)", "str(x)"),
    *("{'a': 1}.get(x)", "['a'].index('a')", "sorted(['b', 'a'], reverse=True)", "isinstance(1, int)", "dict(['a'])"),
    *("[y for y in x]", "[y for y in ('a', 'b') if x]", "{y: 1 for y in x}", "{y: 1 for y in [x]}", "re[1]"),
    *("(lambda a: a)(*x)", "(lambda *a: a)(*x)", "(lambda **a: a)(**x)", "(lambda a: a)()", "max(1, 2)"),
)


@pytest.mark.parametrize("text", UNKNOWN)
def test_a_value_that_is_not_written_out_is_not_known(text: str) -> None:
    (value,) = looked(f"import re\nlook({text})\n")
    assert isinstance(value, (Opaque, Template, Attribute))


TESTED = ("x == 1", "1 < 2", "1 < 2 < 3", "x in ['a']", "'b' in ['a']", "x in 'a'", "1 in 'a'", "not x", "x and 1")


@pytest.mark.parametrize("text", TESTED)
def test_a_condition_that_is_not_known_lets_both_ways_be_read(text: str) -> None:
    assert looked(f"if {text}:\n    look('a')\nelse:\n    look('b')\n") == ["a", "b"]


FLOW: tuple[tuple[str, list[Value]], ...] = (
    ("if False:\n    look('a')\nelif True:\n    look('b')\n", ["b"]),
    ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    look('a')\n", []),
    ("if f'a{x}':\n    look('a')\nelse:\n    look('b')\n", ["a"]),
    ("def f(): pass\nif f:\n    look('a')\nelse:\n    look('b')\n", ["a"]),
    (
        "for a, (b, *c) in [('1', ('2', '3'))]:\n    look(a, b, c)\n",
        ["1", Opaque("a part"), Opaque("a part of a list")],
    ),
    ("for a in ['1', '2', '3']:\n    if a == '2':\n        continue\n    look(a)\n", ["1", "3"]),
    ("for a in ['1', '2']:\n    look(a)\n    break\nelse:\n    look('no')\n", ["1"]),
    ("for a in ['1']:\n    pass\nelse:\n    look('yes')\n", ["yes"]),
    ("for a in {'k': 1}:\n    look(a)\n", ["k"]),
    ("a = 'x'\nfor b in look:\n    a = b\nlook(a)\n", [Opaque("a condition")]),
    ("if ['a']:\n    look('a')\nelse:\n    look('b')\n", ["a"]),
    ("if []:\n    look('a')\nelse:\n    look('b')\n", ["a", "b"]),
    ("look(1)\nreturn 1\nlook(2)\n", [1]),
    ("while False:\n    look('a')\nelse:\n    look('b')\n", ["b"]),
    ("a = 1\nwhile x:\n    look(a)\n    a = 2\n", [Opaque("a loop")]),
    ("def f():\n    for a in ['1']:\n        return a\n    look('no')\nlook(f())\n", ["1"]),
    ("def f():\n    if x:\n        return 1\n    return 2\nlook(f())\n", [Opaque("what f gives")]),
    ("def f():\n    if x:\n        return 1\n    else:\n        return 1\n    look('no')\nlook(f())\n", [1]),
    ("def f():\n    return\nlook(f())\n", [None]),
    ("def f():\n    pass\nlook(f())\n", [None]),
    ("def f(a, /, b, *, c, d=4):\n    look(a, b, c, d)\nf(1, b=2, c=3)\n", [1, 2, 3, 4]),
    ("def f(b, **kw):\n    look(b)\nf(**x)\n", [Opaque("the argument b")]),
    ("if x:\n    a = 1\nelse:\n    a = 1\nlook(a)\n", [1]),
    ("if x:\n    a = 1\nlook(a)\n", [Opaque("a condition")]),
    ("def f():\n    a = 1\n    if x:\n        a = 2\n        return\n    look(a)\nf()\n", [1]),
    (
        "try:\n    a = 1\nexcept E as e:\n    look(e)\nelse:\n    look(a)\nfinally:\n    look('f')\n",
        [1, Opaque("an error"), "f"],
    ),
    ("try:\n    from a.b import c\nexcept E:\n    from a.d import c\nlook(c)\n", [Ref("a.b.c")]),
    ("try:\n    from a import c\nexcept E:\n    from b import c\nlook(c)\n", [Opaque("a condition")]),
    ("try:\n    a = 1\n    b = 2\nexcept E:\n    look(3)\nlook(b)\n", [3, Opaque("a condition")]),
    ("try:\n    look(1)\nfinally:\n    look(2)\n", [1, 2]),
    ("with x as y, z:\n    look(y)\n", [Opaque("the name x")]),
    ("match x:\n    case 1:\n        look('a')\n    case _:\n        look('b')\n", ["a", "b"]),
    ("a: int\nb: int = 1\nlook(b)\n", [1]),
    ("a = ['1']\nb = a\na += ['2']\nlook(b)\n", [["1", "2"]]),
    ("a = 'x'\na += 'y'\nlook(a)\n", ["xy"]),
    ("a = []\na.append('1')\na.extend(['2'])\nlook(a)\n", [["1", "2"]]),
    ("d = {}\nd['k'] = 1\nlook(d)\n", [{"k": 1}]),
    ("d = {'k': 1}\nif x:\n    d['k'] = 1\nlook(d)\n", [{"k": 1}]),
    ("for row in x:\n    row['k'] = 1\n", []),
    ("a = 1\ndel a\nlook(a)\n", [Opaque("what was deleted")]),
    ("class A:\n    b = 1\n    def f(): look('f')\nA.f()\nA.b = 2\nlook(A.b)\n", ["f", 2]),
    ("class A:\n    def __str__(self): pass\n    @staticmethod\n    def f(): look('f')\nA.f()\n", ["f"]),
    (
        "import a.b as c, d.e\nfrom . import f\nfrom ..g import h as i\nlook(c, d, f, i)\n",
        [Ref("a.b"), Ref("d"), Ref(".f"), Ref("..g.h")],
    ),
    ("assert x\nlook(1)\n", [1]),
    ("async def f(): pass\nasync def g():\n    await f\n", []),
    ("y = [z := 'a' for _ in [1]]\nlook(z)\n", [Opaque("a condition")]),
    ("globals()[f'run_{x}']\n", []),
)


@pytest.mark.parametrize(("text", "seen"), FLOW, ids=[text for text, _ in FLOW])
def test_statements_are_followed(text: str, seen: list[Value]) -> None:
    assert looked(text) == seen


STEPS = (
    ("for a in ['1']:\n    a.x = 1\n", "sets x"),
    ("x.y += 1\n", "changes something by a way that is not read"),
    ("x[1] += 1\n", "changes something by a way that is not read"),
    ("a = [1]\na[0] = 2\n", "changes something by a way that is not read"),
    ("d = {}\nif x:\n    d['k'] = 1\n    d['k'] = 2\n", "changes something by a way that is not read"),
    ("class A: pass\nif x:\n    A.b = 1\n", "changes something by a way that is not read"),
    ("a = [1]\na.sort()\n", "changes something by a way that is not read"),
    ("def f():\n    global a\nf()\n", "changes something by a way that is not read"),
    ("a = {}\na.pop('x')\n", "changes something by a way that is not read"),
    ("from x import *\n", "takes names from x that are not written out"),
    ("class A(metaclass=B): pass\n", "makes the class A in a way that is not read"),
    ("class A:\n    def __new__(cls): pass\n", "defines __new__ of the class A, which Python calls by itself"),
    ("class A: pass\nA()\n", "calls A"),
    ("@x\ndef f(): pass\n", "calls ?"),
    ("globals()['nothing']()\n", "calls a function by a name that is not written out"),
    ("globals()[x]()\n", "calls a function by a name that is not written out"),
    ("def f():\n    yield 1\nf()\n", "calls f, which does not run at once"),
    ("sorted([1], key=lambda a: a)\n", "calls sorted"),
    ("max(['a'], key=x.y)\n", "calls max"),
    ("iter(x.y, 1)\n", "calls iter"),
    ("open('x')\n", "calls open"),
    ("x()()\n", "calls ?"),
    ("'a'.join(x())\n", "calls ?"),
    ("raise ValueError('no')\n", "stops with ValueError: no"),
    ("raise ValueError\n", "stops with ValueError"),
    ("raise x\n", "stops with an error"),
    ("raise\n", "stops with an error"),
    ("class E(Exception): pass\nraise E\n", "stops with E"),
    ("assert False\n", "stops with AssertionError"),
)


@pytest.mark.parametrize(("text", "step"), STEPS)
def test_what_cannot_be_followed_is_a_step(text: str, step: str) -> None:
    assert step in loaded(text)[1]


def test_functions_by_the_beginning_of_their_name_are_all_called() -> None:
    text = "def run_a(): look('a')\ndef run_b(): look('b')\ndef other(): look('c')\nglobals()[f'run_{x}']()\n"
    assert looked(text) == ["a", "b"]


STRICT = (
    ("if x:\n    y()\n", "does part of it only under a condition"),
    ("1 if x else y()\n", "does part of it only under a condition"),
    ("x or y()\n", "does part of it only under a condition"),
    ("[y() for z in x]\n", "does part of it only for what it finds there"),
    ("(y() for z in [1])\n", "does part of it only when something asks for it"),
    ("if x:\n    raise ValueError\n", "may stop with ValueError"),
    ("assert x\n", "may stop with AssertionError"),
)


@pytest.mark.parametrize(("text", "step"), STRICT)
def test_a_maybe_is_told_where_it_matters(text: str, step: str) -> None:
    assert step in loaded(text, strict=True)[1]
    assert step not in loaded(text)[1]


def test_the_first_reason_to_stop_is_kept() -> None:
    assert loaded("raise ValueError('no')\n", strict=True) == ([], [], "ValueError: no")
    assert loaded("def f():\n    raise ValueError\nf()\nassert 0\n", strict=True)[2] == "ValueError"


TOO_MUCH = (
    "def f():\n    f()\nf()\n",
    "for i in range(1000):\n    for j in range(1000):\n        i\n",
    "s = 'abcdefgh'\nfor i in range(30):\n    s = s + s\n",
    "s = 'abcdefgh'\nfor i in range(30):\n    s = ''.join([s, s])\n",
    "s = 'abcdefgh'\nfor i in range(30):\n    s = '%s%s' % (s, s)\n",
    "s = [1]\nfor i in range(30):\n    s.extend(s)\n",
    "s = [1]\nfor i in range(30):\n    s = [*s, *s]\n",
    "s = [1]\nfor i in s:\n    s.append(i)\n",
    "for i in range(1000):\n    for j in range(1000):\n        y(f'{i}{j}').x = 1\n",
)


@pytest.mark.parametrize("text", TOO_MUCH)
def test_work_without_end_is_given_up(text: str) -> None:
    with pytest.raises((TooMuchError, RecursionError)):
        loaded(text)


def test_steps_without_end_are_given_up() -> None:
    text = "".join(f"n{number}.a{number} = 1\n" for number in range(6000))
    with pytest.raises(TooMuchError):
        loaded(text)


SHOWN = (
    ("a" * 100, "a" * 59 + "…"),
    (Ref("a.b"), "b"),
    (["a", ["b"]], "a, ?"),
    (Template("a"), "a…"),
    (Made(Attribute(Ref("a"), "b"), Arguments()), "b"),
    (None, "?"),
)


@pytest.mark.parametrize(("value", "text"), SHOWN)
def test_values_are_shown_briefly(value: Value, text: str) -> None:
    assert shown(value) == text


def test_a_class_is_a_value_of_its_own() -> None:
    (value,) = looked("class A(B):\n    c = 1\nlook(A)\n")
    assert isinstance(value, Class)
    assert (value.name, value.members) == ("A", {"c": 1})
    assert shown(value) == "A"


def test_what_no_grammar_binds_to_is_too_much() -> None:
    with pytest.raises(TooMuchError):
        Run(Looking()).bind(ast.Constant(1), None, Scope())
