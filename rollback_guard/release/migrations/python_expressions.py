"""What the expressions of a Python file give, as far as that can be told without running it.

Every part of an expression is looked at, so that no call in it goes unseen. What a call leads to is left to
`python_reading`, statements to `python_run`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from rollback_guard.release.migrations.python_calls import concatenated, extend, is_builtin
from rollback_guard.release.migrations.python_operators import (
    TEST,
    attribute,
    compared,
    constant,
    operated,
    same,
    unary,
)
from rollback_guard.release.migrations.python_reading import GLOBALS, Reading
from rollback_guard.release.migrations.python_values import (
    Arguments,
    Attribute,
    Function,
    Made,
    Opaque,
    Ref,
    Scope,
    Value,
    is_truth,
)

_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


class Expressions(Reading):
    """Reads expressions."""

    def value(self, node: ast.expr, scope: Scope) -> Value:
        """What an expression gives. Long texts and lists are as much work as many short ones."""
        self.spend()
        value = self._valued(node, scope)
        if isinstance(value, (str, bytes, list)):
            self.work += len(value) >> 4
        return value

    def _valued(self, node: ast.expr, scope: Scope) -> Value:
        match node:
            case ast.Constant():
                return constant(node.value)
            case ast.Name():
                return self._named(node.id, scope)
            case ast.Attribute():
                return attribute(self.value(node.value, scope), node.attr)
            case ast.Call():
                target = self.value(node.func, scope)
                return self.call(target, self._arguments(node, scope))
            case ast.List() | ast.Tuple() | ast.Set():
                return self._sequence(node.elts, scope)
            case ast.Lambda():
                return self.function(node, scope)
            case ast.Await() | ast.Starred() | ast.FormattedValue(conversion=-1, format_spec=None):
                return self.value(node.value, scope)
            case ast.NamedExpr():
                value = self.value(node.value, scope)
                self._name_within(node.target.id, value, scope)
                return value
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node, scope)
            case _:
                return self._computed(node, scope)

    def _computed(self, node: ast.expr, scope: Scope) -> Value:
        match node:
            case ast.JoinedStr():
                return concatenated([self.value(one, scope) for one in node.values])
            case ast.Dict():
                return self._dictionary(node, scope)
            case ast.BinOp():
                return operated(node.op, self.value(node.left, scope), self.value(node.right, scope))
            case ast.UnaryOp():
                return unary(node.op, self.value(node.operand, scope))
            case ast.BoolOp():
                return self._boolean(node, scope)
            case ast.Compare():
                given = [self.value(one, scope) for one in (node.left, *node.comparators)]
                return compared(node.ops, given)
            case ast.IfExp():
                return self._conditional(node, scope)
            case ast.Subscript():
                return self._item(self.value(node.value, scope), self.value(node.slice, scope))
            case _:  # a slice, yield, an f-string's format: what it is made of is looked at
                for child in (one for one in ast.iter_child_nodes(node) if isinstance(one, ast.expr)):
                    self.value(child, scope)
                return Opaque("an expression that is not read")

    def _named(self, name: str, scope: Scope) -> Value:
        found = scope.find(name)
        if found is not None:
            return found.names[name]
        return Ref(f"builtins.{name}") if is_builtin(name) else Opaque(f"the name {name}")

    def _arguments(self, node: ast.Call, scope: Scope) -> Arguments:
        positional: list[Value] = []
        named: list[tuple[str, Value]] = []
        whole = True
        for one in node.args:
            value = self.value(one, scope)
            if not isinstance(one, ast.Starred):
                positional.append(value)
            elif isinstance(value, list):
                extend(positional, value)
            else:
                whole = False
        for keyword in node.keywords:
            value = self.value(keyword.value, scope)
            if keyword.arg is not None:
                named.append((keyword.arg, value))
            elif isinstance(value, dict) and all(isinstance(key, str) for key in value):
                named += [(str(key), one) for key, one in value.items()]
            else:
                whole = False
        return Arguments(positional=tuple(positional), named=tuple(named), whole=whole)

    def _sequence(self, nodes: Sequence[ast.expr], scope: Scope) -> Value:
        items: list[Value] = []
        whole = True
        for node in nodes:
            value = self.value(node, scope)
            if not isinstance(node, ast.Starred):
                items.append(value)
            elif isinstance(value, list):
                extend(items, value)
            else:
                whole = False
        return items if whole else Opaque("a list that is not written out")

    def _dictionary(self, node: ast.Dict, scope: Scope) -> Value:
        known: dict[Value, Value] = {}
        whole = True
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            key = None if key_node is None else self.value(key_node, scope)
            value = self.value(value_node, scope)
            if key_node is None and isinstance(value, dict):
                known.update(value)
            elif key_node is not None and (key is None or isinstance(key, (str, int))):
                known[key] = value
            else:
                whole = False
        return known if whole else Opaque("a dictionary that is not written out")

    def _boolean(self, node: ast.BoolOp, scope: Scope) -> Value:
        wanted = isinstance(node.op, ast.And)  # what lets the next operand be looked at
        met: list[Value] = []
        marks: list[int] = []
        value: Value = None
        for operand in node.values:
            value = self.value(operand, scope)
            met.append(value)
            truth = is_truth(value)
            if truth is not None and truth is not wanted:
                break
            if truth is None:
                marks.append(self.enter())
        for mark in reversed(marks):
            self.leave(mark, "under a condition")
        return Made(TEST, Arguments(positional=tuple(met))) if marks else value

    def _conditional(self, node: ast.IfExp, scope: Scope) -> Value:
        test = self.value(node.test, scope)
        truth = is_truth(test)
        if truth is not None:
            return self.value(node.body if truth else node.orelse, scope)
        mark = self.enter()
        body = self.value(node.body, scope)
        other = self.value(node.orelse, scope)
        self.leave(mark, "under a condition", settled=self.host.settles(test, strict=self.strict))
        return body if same(body, other) else Opaque("a condition")

    def _item(self, of: Value, key: Value) -> Value:
        if isinstance(of, dict) and isinstance(key, (str, int)) and key in of:
            return of[key]
        if isinstance(of, list) and isinstance(key, int) and -len(of) <= key < len(of):
            return of[key]
        if isinstance(of, Made) and of.target == GLOBALS:
            known = self.module.names.get(key) if isinstance(key, str) else None
            return known if known is not None else Made(GLOBALS, Arguments(positional=(key,)))
        if isinstance(of, (Ref, Made, Attribute)):
            return Attribute(of, "[]")
        return Opaque("an item")

    def _name_within(self, name: str, value: Value, scope: Scope) -> None:
        """`:=` gives the name to the function around, not to the comprehension; under a condition it may not."""
        while scope.of_comprehension and scope.parent is not None:
            scope.names[name] = value
            scope = scope.parent
        scope.names[name] = Opaque("a condition") if self.unsure else value

    def _comprehension(self, node: _Comprehension, scope: Scope) -> Value:
        inner = Scope(scope, of_comprehension=True)
        items: list[Value] = []

        def produce() -> None:
            if isinstance(node, ast.DictComp):
                items.append([self.value(node.key, inner), self.value(node.value, inner)])
            else:
                items.append(self.value(node.elt, inner))

        mark = len(self.steps)
        whole = self._each(node.generators, inner, produce)
        if self.strict and isinstance(node, ast.GeneratorExp) and len(self.steps) > mark:
            self.add("unknown", "does part of it only when something asks for it")
        if isinstance(node, ast.DictComp):
            pairs = [one for one in items if isinstance(one, list)]
            whole = whole and all(isinstance(key, (str, int)) for key, _ in pairs)
            return dict(pairs) if whole else Opaque("a dictionary that is not written out")
        return items if whole else Opaque("a list that is not written out")

    def _each(self, generators: list[ast.comprehension], scope: Scope, produce: Callable[[], None]) -> bool:
        """Run through the generators of a comprehension; gives whether all of it is known."""
        if not generators:
            produce()
            return True
        first, rest = generators[0], generators[1:]
        source = self.value(first.iter, scope)
        known = isinstance(source, (list, dict))
        mark = self.enter()
        whole = known
        for one in list(source) if isinstance(source, (list, dict)) else [Opaque("what a loop finds")]:
            self.bind(first.target, one, scope)
            truths = [is_truth(self.value(test, scope)) for test in first.ifs]
            if False not in truths:
                whole = self._each(rest, scope, produce) and whole and None not in truths
        self.leave(mark, "for what it finds there", settled=whole)
        return whole

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope) -> Function:
        """A function, with its annotations and defaults looked at where it is defined."""
        given = node.args
        told = [one.annotation for one in ast.walk(given) if isinstance(one, ast.arg)]
        for annotation in (*told, None if isinstance(node, ast.Lambda) else node.returns):
            if annotation is not None:
                self.value(annotation, scope)  # unless the file puts that off, Python does so
        names = [one.arg for one in (*given.posonlyargs, *given.args)]
        late = names[len(names) - len(given.defaults) :]
        defaults = {name: self.value(one, scope) for name, one in zip(late, given.defaults, strict=True)}
        for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
            if default is not None:
                defaults[one.arg] = self.value(default, scope)
        return Function(node, scope.around_functions, defaults)
