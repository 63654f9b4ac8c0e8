"""Ruby's tokens put together: calls with their arguments and blocks, and the words that steer.

Operators are kept as groups without precedence, because only what stands in them matters. What a call does to a
database is left to `rails_commands`, the order in which calls run to `rails_run`.
"""

from __future__ import annotations

from rollback_guard.release.migrations.ruby_calls import NO_VALUE, Calls
from rollback_guard.release.migrations.ruby_lexer import RubyError, Token, read_tokens
from rollback_guard.release.migrations.ruby_nodes import BLOCK_ENDS, MODIFIERS, Node, control

LITERAL_WORDS = frozenset({"true", "false", "nil", "self", "__FILE__", "__LINE__", "__method__", "__dir__"})
_BINARY = frozenset(
    ("&&", "||", "==", "!=", ">=", "<=", ">", "<", "<=>", "===", "=~", "!~", "+", "-", "*", "/", "%", "**", "<<", ">>")
    + ("&", "|", "^", "..", "...", "?", ":")
)
_ASSIGNMENTS = frozenset({"=", "||=", "&&=", "+=", "-=", "*=", "/=", "<<=", "|=", "&=", "%=", "**=", ">>=", "^="})

MOST_LINKS = 100  # calls in one chain


def read_ruby(text: str, line: int = 1, depth: int = 0) -> tuple[Node, ...]:
    """The statements of a text.

    Raises: RubyError.
    """
    parser = _Parser(read_tokens(text, line, depth), depth)
    found = parser.statements()
    if parser.token.kind != "end":
        raise RubyError(f"line {parser.token.line}: {parser.token.text!r} is not expected")
    return found


class _Parser(Calls):
    """Statements and values. Calls and words that steer come from above."""

    def statements(self) -> tuple[Node, ...]:
        """Up to a word that ends a block, which is left."""
        self.deeper()
        outer, self.no_do = self.no_do, False
        found = []
        self.skip_lines()
        while self.token.kind != "end" and not (self.token.text in BLOCK_ENDS and self.token.kind in ("op", "name")):
            found.append(self.statement())
            if not (self.token.kind in ("newline", "end") or self.is_op(";", "}") or self.is_word(*BLOCK_ENDS)):
                raise RubyError(f"line {self.token.line}: {self.token.text!r} is not expected")
            self.skip_lines()
        self.no_do = outer
        self.depth -= 1
        return tuple(found)

    def statement(self) -> Node:
        found = self.expression()
        if self.is_op(",") and found.kind in ("call", "variable", "const", "splat"):
            found = self.assignments(found)
        depth = self.depth
        while self.token.kind == "name" and self.token.text in (*MODIFIERS, "and", "or"):
            self.deeper()  # each goes around what stands before it
            word = self.take()
            self.at += self.token.kind == "newline" and word.text in ("and", "or")
            other = self.expression()
            if word.text in ("and", "or"):
                found = Node(kind="group", name=word.text, parts=(found, other), line=word.line)
            elif word.text == "rescue":
                found = control(word, None, (found,), (other,))
            else:
                found = control(word, other, (found,))
        self.depth = depth
        return found

    def assignments(self, first: Node) -> Node:
        """`a, *b = …`: several variables at once."""
        targets = [first]
        while self.taken(","):
            targets.append(self.unary())
        line = self.token.line
        self.expect("=")
        names = [(one.parts or (one,))[0] if one.kind == "splat" else one for one in targets]
        if any(one != Node(kind=one.kind, name=one.name, line=one.line) for one in names):
            raise RubyError(f"line {line}: sets several things in a way that is not read")
        return Node(kind="assigns", params=tuple(one.name for one in names), parts=self.items(""), line=line)

    def body(self) -> tuple[Node, ...]:
        """Statements with their `rescue`, `else` and `ensure`, up to and past `end`."""
        found = self.statements()
        branches = [found]
        line = self.token.line
        while self.is_word("rescue", "ensure", "else"):
            word = self.take()
            caught: tuple[Node, ...] = ()
            while word.text == "rescue" and self.token.kind != "newline" and not self.is_word("then"):
                if self.take().text == "=>":
                    caught = (Node(kind="assign", name=self.token.text, parts=(Node(kind="value"),)),)
            self.taken("then")
            branches.append((*caught, *self.statements()))
        self.expect("end")
        if len(branches) == 1:
            return found
        return (control(Token(kind="name", text="begin", line=line), None, *branches),)

    def expression(self) -> Node:
        """A value with all operators that follow."""
        self.deeper()
        found = self.unary()
        if self.token.kind == "op" and self.token.text in _ASSIGNMENTS:
            found = self.assignment(found)
        parts = [found]
        operators = []
        while self.token.kind == "op" and self.token.text in _BINARY:
            operators.append(self.take().text)
            while self.token.kind == "newline":
                self.take()
            parts.append(self.unary())
            if self.token.kind == "op" and self.token.text in _ASSIGNMENTS:
                parts[-1] = self.assignment(parts[-1])
        self.depth -= 1
        if not operators:
            return found
        return Node(kind="group", name=" ".join(sorted(set(operators))), parts=tuple(parts), line=found.line)

    def assignment(self, target: Node) -> Node:
        operator = self.take()
        while self.token.kind == "newline":
            self.take()
        value = self.statement() if self.is_word("if", "case", "begin") else self.expression()
        plain = target.kind in ("const", "variable") or target == Node(kind="call", name=target.name, line=target.line)
        if operator.text != "=":
            value = Node(kind="group", name=operator.text, parts=(target, value), line=operator.line)
        if plain:
            return Node(kind="assign", name=target.name, parts=(value,), line=operator.line)
        return Node(kind="assign", parts=(value,), receiver=target, line=operator.line)

    def unary(self) -> Node:
        if self.is_op("!", "-", "+", "~", "&", "*", "**", "::") or self.is_word("not", "defined?"):
            operator = self.take()
            if operator.text == "::":
                return self.chain(self.primary())
            if operator.text == "&" and self.is_op(")"):  # the block that the method itself was given
                return Node(kind="splat", name="&", line=operator.line)
            self.deeper()
            found = self.unary()
            self.depth -= 1
            if operator.text == "-" and found.kind == "number":
                return found._replace(name="-" + found.name)
            kind = "splat" if operator.text in ("&", "*", "**") else "group"
            return Node(kind=kind, name=operator.text, parts=(found,), line=operator.line)
        return self.chain(self.primary())

    def chain(self, found: Node) -> Node:
        """The calls that are made on a value."""
        for _ in range(MOST_LINKS):
            if self.is_op(".", "&."):
                self.take()
                name = self.take()
                if name.kind not in ("name", "const") and not (name.kind == "op" and name.text == "("):
                    raise RubyError(f"line {name.line}: a method's name is expected, not {name.text!r}")
                self.at -= name.text == "("
                found = self.call("call" if name.text == "(" else name.text, name.line, found)
            elif self.is_op("::"):
                self.take()
                name = self.take()
                if name.kind == "const" and not (self.is_op("(") and not self.token.spaced) and found.kind == "const":
                    found = found._replace(name=f"{found.name}::{name.text}")
                else:
                    found = self.call(name.text, name.line, found)
            elif self.is_op("[") and not self.token.spaced:
                line = self.take().line
                found = Node(kind="call", name="[]", parts=self.items("]"), receiver=found, line=line)
            else:
                return found
        raise RubyError(f"line {self.token.line}: has too many calls in one chain")

    def primary(self) -> Node:
        token = self.take()
        if token.kind in ("string", "symbol", "shell", "regex", "words", "names"):
            return self.text(token)
        if token.kind in ("number", "variable"):
            return Node(kind=token.kind, name=token.text, line=token.line)
        if token.kind == "const":
            if self.is_op("(") and not self.token.spaced:
                return self.call(token.text, token.line, None)
            return Node(kind="const", name=token.text, line=token.line)
        if token.kind == "op":
            return self.bracketed(token)
        if token.kind != "name" or token.text in NO_VALUE:
            raise RubyError(f"line {token.line}: {token.text!r} is not expected")
        if token.text in LITERAL_WORDS:
            return Node(kind="word", name=token.text, line=token.line)
        return self.keyword(token) or self.call(token.text, token.line, None)

    def text(self, token: Token) -> Node:
        if token.kind in ("words", "names"):
            if token.pieces:
                return Node(kind="opaque", name="a list with interpolations", line=token.line)
            kind = "string" if token.kind == "words" else "symbol"
            return Node(kind="array", parts=tuple(Node(kind=kind, name=word) for word in token.text.split()))
        if token.kind in ("shell", "regex"):
            return Node(kind="opaque" if token.kind == "shell" else "regex", name=token.text, line=token.line)
        parts = [
            Node(kind="group", name="#", parts=read_ruby(piece, token.line, self.depth + 1))
            if index % 2
            else Node(kind="string", name=piece)
            for index, piece in enumerate(token.pieces)
        ]
        text = token.text
        while self.token.kind == "string":  # strings beside each other are one
            self.deeper()
            other = self.text(self.take())
            self.depth -= 1
            parts = [*(parts or [Node(kind="string", name=text)]), other] if parts or other.parts else []
            text += other.name
        return Node(kind=token.kind, name=text, parts=tuple(parts), line=token.line)

    def bracketed(self, token: Token) -> Node:
        if token.text == "(":
            outer, self.no_do = self.no_do, False
            found = []
            self.skip_lines()
            while not self.taken(")"):
                found.append(self.statement())
                self.skip_lines()
            self.no_do = outer
            return found[0] if len(found) == 1 else Node(kind="group", name="()", parts=tuple(found), line=token.line)
        if token.text == "[":
            return Node(kind="array", parts=self.items("]"), line=token.line)
        if token.text == "{":
            pairs = self.items("}")
            return Node(kind="hash", parts=pairs[0].parts if pairs else (), line=token.line)
        if token.text == "->":
            return self.lambda_literal()
        raise RubyError(f"line {token.line}: {token.text!r} is not expected")
