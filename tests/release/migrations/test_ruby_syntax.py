"""Ruby is put together as Ruby does it, in every form that a migration may have."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations.ruby_lexer import RubyError
from rollback_guard.release.migrations.ruby_nodes import Node
from rollback_guard.release.migrations.ruby_syntax import read_ruby


def shown(node: Node | None) -> str:
    """A node as one line: calls as `receiver.name(arguments){|params| statements}`."""
    if node is None:
        return ""
    parts = ", ".join(shown(part) for part in node.parts)
    if node.kind == "call":
        before = f"{shown(node.receiver)}." if node.receiver else ""
        block = f"{{{shown(node.block)}}}" if node.block else ""
        return f"{before}{node.name}({parts}){block}"
    if node.kind in ("block", "lambda"):
        return f"|{','.join(node.params)}| {parts}"
    if node.kind in ("string", "symbol"):
        return ("'" if node.kind == "string" else ":") + (f"<{parts}>" if node.parts else node.name)
    if node.kind == "control":
        return f"{node.name}[{shown(node.receiver)}]" + "".join(f"<{shown(part)}>" for part in node.parts)
    if node.kind == "branch":
        return parts
    if node.kind in ("assign", "assigns"):
        return f"{shown(node.receiver)}{node.name}{','.join(node.params)}={parts}"
    if node.kind in ("def", "class"):
        return f"{node.kind} {node.name}({','.join(node.params)}{shown(node.receiver)})[{parts}]"
    if node.kind in ("array", "hash", "pair", "group", "splat"):
        return f"{node.kind[0]}{node.name}({parts})"
    return node.name


SHAPES = {
    "foo 1, :a, 'b', c: 2": "foo(1, :a, 'b, h(pc(2)))",
    "foo(1, a: 1, **b, &c)": "foo(1, s&(c()), h(pa(1), s**(b())))",
    "foo :a => 1, 'b' => 2, c => 3": "foo(h(pa(1), pb(2), p(c(), 3)))",
    "foo :a =>\n  1": "foo(h(pa(1)))",
    "foo a:\n  1": "foo(h(pa(1)))",
    "foo 1,\n  2": "foo(1, 2)",
    "foo c =>\n  1": "foo(h(p(c(), 1)))",
    "a ==\n b": "g==(a(), b())",
    "a <=\n b": "g<=(a(), b())",
    "a ||=\n b": "a=g||=(a(), b())",
    "a -=\n b": "a=g-=(a(), b())",
    "foo(a:, b:)": "foo(h(pa(a()), pb(b())))",
    'foo "a": 1, "b#{c}": 2': "foo(h(pa(1), p(2)))",
    "foo -1, *a, !b": "foo(-1, s*(a()), g!(b()))",
    "foo - 1": "g-(foo(), 1)",
    "foo [1]": "foo(a(1))",
    "foo[1]": "foo().[](1)",
    "foo (1), 2": "foo(1, 2)",
    "foo ::A::B": "foo(A::B)",
    "foo -> { 1 }, ->(a) { a }, -> a, b do a end": "foo(| | 1, |a| a(), |a,b| a())".replace("| |", "||"),
    "foo do |a, (b, c), *d, &e| a end": "foo(){|a,?,b,c,?,?,d,?,e| a()}",
    "foo { || 1 }": "foo(){|| 1}",
    "foo bar do 1 end": "foo(bar()){|| 1}",
    "foo bar { 1 }": "foo(bar(){|| 1})",
    "foo(&)": "foo(s&())",
    "foo.(1)": "foo().call(1)",
    "a.b&.c.if": "a().b().c().if()",
    "a\n  .b\n  # c\n  .d": "a().b().d()",
    "A::b(1)": "A.b(1)",
    "A::B(1)": "A.B(1)",
    "Integer('1')": "Integer('1)",
    "x = y = 1": "x=y=1",
    "x =\n 1": "x=1",
    "x ||= 1": "x=g||=(x(), 1)",
    "a.b = 1": "a().b()=1",
    "a, *b, @c = 1, 2": "a,b,@c=1, 2",
    "x = if a then b else c end": "x=if[a()]<b()><c()>",
    "a && b = 1": "g&&(a(), b=1)",
    "a &&\n b": "g&&(a(), b())",
    "a and\n b or c": "gor(gand(a(), b()), c())",
    "a ? b : c": "g: ?(a(), b(), c())",
    "not a": "gnot(a())",
    "defined?(a)": "gdefined?(a())",
    "a if b unless c": "unless[c()]<if[b()]<a()>>",
    "a rescue b": "rescue[]<a()><b()>",
    "if a and b then c end": "if[gand(a(), b())]<c()>",
    "if a\n b\nelsif c\n d\nelse\n e\nend": "if[a()]<b()><if[c()]<d()><e()>>",
    "unless a then b end": "unless[a()]<b()>",
    "while a do b end": "while[a()]<b()>",
    "until a\nb\nend": "until[a()]<b()>",
    "for a in b do c end": "for[b()]<c()>",
    "case a\nwhen 1, 2 then b\nelse c\nend": "case[gwhen(a(), 1, 2)]<b()><c()>",
    "case\nwhen a\n b\nend": "case[gwhen(a())]<b()>",
    "begin\n a\nrescue B, C => e\n d\nelse\n e\nensure\n f\nend": "begin[]<begin[]<a()><e=, d()><e()><f()>>",
    "begin\n a\nend": "begin[]<a()>",
    "return 1 if a": "if[a()]<return[1]>",
    "return": "return[]",
    "def a; end": "def a()[]",
    "def a(b, c)\n d\nend": "def a(b,c)[d()]",
    "def a b, *c\n d\nend": "def a(b,?,c)[d()]",
    "def self.a = 1": "def a()[1]",
    "def a=(b); end": "def a=(b)[]",
    "private def a; end": "private(def a()[])",
    "class A::B < C[7.0]; end": "class A::B(C.[](7.0))[]",
    "class ::A; end": "class A()[]",
    "class << self; a; end": "class self()[a()]",
    "module A; b; end": "class A()[b()]",
    "alias a b": "alias",
    "'a' \"b\" 'c'": "'abc",
    "'a' \"b#{c}\" 'd'": "'<'a, '<'b, g#(c()), ', 'd>>",
    "'it\\'s \\n \\\\'": "'it's \\n \\",
    '"a\\tb\\s\\u0041\\x42\\\nc"': "'a\tb ABc",
    '"#a #{b} #"': "'<'#a , g#(b()), ' #>",
    '"#{"}"}"': "'<', g#('}), '>",
    '"#{a { |b| "#{b}" }}"': "'<', g#(a(){|b| '<', g#(b()), '>}), '>",
    "%w[a b] + %i(c d)": "g+(a('a, 'b), a(:c, :d))",
    "%q(a (b) c)": "'a (b) c",
    "%Q|a #{b}|": "'<'a , g#(b()), '>",
    "%s(a)": ":a",
    ":'a b'": ":a b",
    ':"a#{b}"': ":<'a, g#(b()), '>",
    ":a?": ":a?",
    ":[]": ":[]",
    "/a#{b}\\//imx": "a#{b}/",
    "a / b": "g/(a(), b())",
    "a /b/": "a(b)",
    "split(/,/)": "split(,)",
    "a % b": "g%(a(), b())",
    "1_000.5e3": "1_000.5e3",
    "0x1F": "0x1F",
    "@a + @@b + $c": "g+(@a, @@b, $c)",
    "nil; true; self": "nil|true|self",
    "[1,\n 2, # x\n]": "a(1, 2)",
    "{ a: 1, 'b' => 2, }": "h(pa(1), pb(2))",
    "{}": "h()",
    "()": "g()()",
    "(a; b)": "g()(a(), b())",
    "(a)": "a()",
    "a <<~X.b, <<-'Y', <<Z\n  x #{c}\nX\n  #{y}\n  Y\nz\nZ\nd": "a('<'  x , g#(c()), '\n>.b(), '  #{y}\n, 'z\n)|d()",
    "a << b": "g<<(a(), b())",
    "=begin\nx\n=end\na": "a()",
    "=begin\nx": "",
    "a\n__END__\n)(": "a()",
    "a \\\n  b": "a(b())",
    "a # b\n": "a()",
}


@pytest.mark.parametrize(("text", "expected"), SHAPES.items())
def test_shapes(text: str, expected: str) -> None:
    assert "|".join(shown(node) for node in read_ruby(text)) == expected


WRONG = [
    ("a)", "line 1: ')' is not expected"),
    ("a b c: (", "the text ends too early"),
    ("a.1", "a method's name is expected, not '1'"),
    ("end", "'end' is not expected"),
    ("x = then", "'then' is not expected"),
    ("= 1", "'=' is not expected"),
    ("a.b, c[0] = 1, 2", "sets several things in a way that is not read"),
    ("def a.b; end", "a method of this form is not read"),
    ("def a(b = 1); end", "parameters with values are not read"),
    ("def a(b\n", "ends too early"),
    ("class << a; end", "self is expected, not 'a'"),
    ("a \x01", "'\\x01' is not understood"),
    ("a <<~X", "heredoc is not closed"),
    ("\n\n'", "line 3: a string is not closed"),
    ("foo {", "ends too early"),
    ("case a\nin b\nend", "end is expected"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_no_ruby_says_where(text: str, message: str) -> None:
    with pytest.raises(RubyError) as caught:
        read_ruby(text)
    assert message in str(caught.value)
