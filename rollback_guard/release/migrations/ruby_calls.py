"""Ruby's calls with their arguments and blocks, and the words that steer: if, case, def, class.

Values and operators are left to `ruby_syntax`, which this is a part of.
"""

from __future__ import annotations

from typing import Optional

from rollback_guard.release.migrations.ruby_lexer import RubyError, Token
from rollback_guard.release.migrations.ruby_nodes import BLOCK_ENDS, MODIFIERS, Cursor, Node, control

NO_VALUE = (BLOCK_ENDS | MODIFIERS | {"do", "then", "and", "or"}) - {"if", "unless", "while", "until"}
_VALUE_KINDS = frozenset(
    {"name", "const", "number", "symbol", "string", "words", "names", "label", "variable", "shell", "regex"}
)
_JUMPS = frozenset({"return", "next", "break", "redo", "retry"})
UNREAD = "?"  # among parameters: there is more than names, so that they cannot be bound


class Calls(Cursor):
    """Calls and the words that steer."""

    def call(self, name: str, line: int, receiver: Optional[Node]) -> Node:
        """A call from behind its name on."""
        parts: tuple[Node, ...] = ()
        if self.is_op("(") and not self.token.spaced:
            self.take()
            outer, self.no_do = self.no_do, False
            parts = self.items(")")
            self.no_do = outer
        elif self.begins_argument():
            outer, self.no_do = self.no_do, True
            parts = self.items("")
            self.no_do = outer
        block = None
        if self.is_op("{"):
            self.take()
            block = self.block("}")
        elif self.is_word("do") and not self.no_do:
            self.take()
            block = self.block("end")
        return Node(kind="call", name=name, parts=parts, receiver=receiver, block=block, line=line)

    def begins_argument(self) -> bool:
        """Whether an argument without brackets comes."""
        token, after = self.token, self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if not token.spaced:
            return False
        if token.kind == "op":
            if token.text in ("*", "**", "&", "-", "::", "!"):
                return not after.spaced
            return token.text in ("[", "(", "->")
        return token.kind in _VALUE_KINDS and not (token.kind == "name" and token.text in NO_VALUE | MODIFIERS)

    def items(self, closing: str) -> tuple[Node, ...]:
        """Arguments, or what an array or hash holds, past the closing bracket; its pairs as one hash at the end."""
        self.deeper()
        found, pairs = [], []
        while True:
            if closing:
                self.skip_lines()
                if self.taken(closing):
                    break
            one = self.item()
            if one.kind == "pair" or (one.kind == "splat" and one.name == "**"):
                pairs.append(one)
            else:
                found.append(one)
            if closing:
                self.skip_lines()
            if not self.taken(","):
                if closing:
                    self.expect(closing)
                break
        if pairs:
            found.append(Node(kind="hash", parts=tuple(pairs), line=pairs[0].line))
        self.depth -= 1
        return tuple(found)

    def item(self) -> Node:
        token = self.token
        if token.kind == "label":
            self.take()
            if self.is_op(",", ")", "}", "]"):  # `name:` alone stands for `name: name`
                value = Node(kind="call", name=token.text, line=token.line)
            else:
                while self.token.kind == "newline":
                    self.take()
                value = self.expression()
            name = "" if token.pieces else token.text
            return Node(kind="pair", name=name, parts=(value,), line=token.line)
        found = self.expression()
        if not self.taken("=>"):
            return found
        value = self.expression()
        if found.kind in ("symbol", "string", "number") and not found.parts:
            return Node(kind="pair", name=found.name, parts=(value,), line=found.line)
        return Node(kind="pair", parts=(found, value), line=found.line)

    def block(self, closing: str) -> Node:
        """A block from behind its opening on."""
        line = self.token.line
        params: tuple[str, ...] = ()
        if self.taken("|"):
            params = self.params("|")
        else:
            self.taken("||")
        outer, self.no_do = self.no_do, False
        if closing == "end":
            parts = self.body()
        else:
            parts = self.statements()
            self.expect("}")
        self.no_do = outer
        return Node(kind="block", params=params, parts=parts, line=line)

    def params(self, closing: str) -> tuple[str, ...]:
        """Names up to the closing sign. Anything but names may run code of its own, and is marked."""
        found = []
        while not self.taken(closing):
            token = self.take()
            if token.kind == "newline" and closing == "\n":
                break
            if token.kind == "name":
                found.append(token.text)
            elif token.kind == "newline" or token.text == ",":
                continue
            elif token.text in ("(", ")", "*", "**", "&"):
                found.append(UNREAD)
            else:
                raise RubyError(f"line {token.line}: parameters with values are not read")
        return tuple(found)

    def lambda_literal(self) -> Node:
        """What stands behind `->`."""
        params: tuple[str, ...] = ()
        if self.taken("("):
            params = self.params(")")
        else:
            while self.token.kind == "name" and self.token.text != "do":
                params = (*params, self.take().text)
                self.taken(",")
        if self.taken("{"):
            found = self.block("}")
        else:
            self.expect("do")
            found = self.block("end")
        return found._replace(kind="lambda", params=params)

    def keyword(self, token: Token) -> Optional[Node]:
        """What a word that steers begins, from behind it on; None for any other name."""
        word = token.text
        if word in ("if", "unless"):
            return self.conditional(token)
        if word in ("while", "until", "for"):
            return self.loop(token)
        if word == "case":
            return self.case(token)
        if word == "begin":
            return control(token, None, self.body())
        if word == "def":
            return self.definition(token)
        if word in ("class", "module"):
            return self.type_definition(token)
        if word in _JUMPS:
            ends = self.token.kind == "newline" or self.is_op(";", "}") or self.is_word(*MODIFIERS, "end")
            return control(token, None if ends else self.expression())
        if word in ("alias", "undef", "BEGIN", "END", "yield", "super", "binding"):
            return Node(kind="opaque", name=word, parts=self.rest_of_line(), line=token.line)
        return None

    def rest_of_line(self) -> tuple[Node, ...]:
        while self.token.kind != "newline" and not self.is_op(";"):
            self.take()
        return ()

    def condition(self) -> Node:
        """What stands between `if` and `then`."""
        outer, self.no_do = self.no_do, True
        found = self.expression()
        while self.is_word("and", "or"):
            word = self.take()
            found = Node(kind="group", name=word.text, parts=(found, self.expression()), line=word.line)
        self.no_do = outer
        return found

    def conditional(self, token: Token) -> Node:
        condition = self.condition()
        self.taken("then")
        branches = [self.statements()]
        if self.is_word("elsif"):
            self.deeper()
            branches.append((self.conditional(self.take()._replace(text="if")),))
            self.depth -= 1
            return control(token, condition, *branches)
        if self.taken("else"):
            branches.append(self.statements())
        self.expect("end")
        return control(token, condition, *branches)

    def loop(self, token: Token) -> Node:
        if token.text == "for":
            while not self.taken("in"):
                self.take()
        condition = self.condition()
        self.taken("do")
        found = control(token, condition, self.statements())
        self.expect("end")
        return found

    def case(self, token: Token) -> Node:
        asked = [] if self.token.kind == "newline" else [self.condition()]
        self.skip_lines()
        branches = []
        while self.taken("when"):
            asked += self.items("")
            self.taken("then")
            branches.append(self.statements())
        if self.taken("else"):
            branches.append(self.statements())
        self.expect("end")
        return control(token, Node(kind="group", name="when", parts=tuple(asked), line=token.line), *branches)

    def definition(self, token: Token) -> Node:
        name = self.take()
        owner = ""
        if self.taken("."):
            owner, name = name.text, self.take()
        if owner not in ("", "self") or name.kind not in ("name", "const"):
            raise RubyError(f"line {name.line}: a method of this form is not read")
        spelled = name.text
        if self.is_op("=") and not self.token.spaced:  # `def name=(value)`
            self.take()
            spelled += "="
        params: tuple[str, ...] = ()
        if self.taken("("):
            params = self.params(")")
        elif self.token.kind == "name":
            params = self.params("\n")
        outer, self.no_do = self.no_do, False
        parts = (self.statement(),) if self.taken("=") else self.body()
        self.no_do = outer
        return Node(kind="def", name=spelled, params=params, parts=parts, line=token.line)

    def type_definition(self, token: Token) -> Node:
        above = None
        if self.taken("<<"):
            self.expect("self")
            name = "self"
        else:
            self.taken("::")
            name = self.take().text
            while self.taken("::"):
                name = f"{name}::{self.take().text}"
            above = self.expression() if self.taken("<") else None
        return Node(kind="class", name=name, receiver=above, parts=self.body(), line=token.line)
