"""Reads the statements of a Python file as if they were run, on values that may not be known.

Where a condition is not known both ways are read, one after the other, and what they left different is known no
more. What calls do is left to the framework, definitions to
`python_definitions`, expressions to `python_expressions`.
"""

from __future__ import annotations

import ast

from rollback_guard.release.migrations.python_calls import TooMuchError
from rollback_guard.release.migrations.python_definitions import Definitions
from rollback_guard.release.migrations.python_operators import same
from rollback_guard.release.migrations.python_reading import Host, Way
from rollback_guard.release.migrations.python_values import (
    Arguments,
    Class,
    Function,
    Made,
    Opaque,
    Ref,
    Scope,
    Value,
    is_truth,
    shown,
)

MOST_DEPTH = 20
_CONDITION = "under a condition"


class Run(Definitions):
    """One reading of one file. `refuses`: why it stops with an error, whatever happens."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.refuses = ""
        self._returned: list[list[Value]] = []

    def load(self, tree: ast.Module) -> None:
        """What happens when the file is loaded."""
        self.module.names["__name__"] = "migration"
        self.module.names["__file__"] = Opaque("where the file is")
        self.block(tree.body, self.module)

    def call_function(self, function: Function, arguments: Arguments) -> Value:
        """What calling a function of the file gives."""
        if self.depth >= MOST_DEPTH:
            raise TooMuchError
        if function.is_lazy:
            self.add("unknown", f"calls {function.name}, which does not run at once")
        scope = Scope(function.scope)
        self._bind_arguments(function, arguments, scope)
        self.depth += 1
        self._returned.append([])
        left = self.block(function.body, scope)
        self.depth -= 1
        returned = self._returned.pop()
        if not returned:
            return None
        alike = all(same(one, returned[0]) for one in returned)
        return returned[0] if left and alike else Opaque(f"what {function.name} gives")

    def _bind_arguments(self, function: Function, arguments: Arguments, scope: Scope) -> None:
        wanted = function.node.args
        names = [one.arg for one in (*wanted.posonlyargs, *wanted.args)]
        for name in (*names, *(one.arg for one in wanted.kwonlyargs)):
            scope.names[name] = function.defaults.get(name, Opaque(f"the argument {name}"))
        if not arguments.whole:
            scope.names.update({name: Opaque(f"the argument {name}") for name in scope.names})
        given = list(arguments.positional)
        scope.names.update(zip(names, given, strict=False))
        rest: dict[Value, Value] = {}
        for name, value in arguments.named:
            known = scope.names if name in scope.names else rest
            known[name] = value
        if wanted.vararg is not None:
            more = given[len(names) :]
            scope.names[wanted.vararg.arg] = more if arguments.whole else Opaque("arguments")
        if wanted.kwarg is not None:
            scope.names[wanted.kwarg.arg] = rest if arguments.whole else Opaque("arguments")

    def block(self, statements: list[ast.stmt], scope: Scope) -> Way:
        """Statements one after the other; what follows a way out is not reached."""
        for one in statements:
            self.spend()
            way = self._statement(one, scope)
            if way:
                return way
        return ""

    def _statement(self, node: ast.stmt, scope: Scope) -> Way:
        match node:
            case ast.Expr():
                self.host.dropped(self.value(node.value, scope), self)
            case ast.Return():
                value = None if node.value is None else self.value(node.value, scope)
                if self._returned:
                    self._returned[-1].append(value)
                return "return"
            case ast.Raise():
                error = None if node.exc is None else self.value(node.exc, scope)
                self._stop(_error(error))
                return "return"
            case ast.Assert():
                truth = is_truth(self.value(node.test, scope))
                if truth is not True and (self.strict or truth is False):
                    self._stop("AssertionError", surely=truth is False)
            case ast.Break():
                return "break"
            case ast.Continue():
                return "continue"
            case ast.If():
                return self._if(node, scope)
            case ast.For() | ast.AsyncFor():
                return self._for(node, scope)
            case ast.While():
                return self._while(node, scope)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    value = self.value(item.context_expr, scope)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, value, scope)
                return self.block(node.body, scope)
            case ast.Try():
                return self._try(node, scope)
            case ast.Match():
                self.value(node.subject, scope)
                return self._either([case.body for case in node.cases] + [[]], scope)
            case _:
                self.define(node, scope)
        return ""

    def _either(self, ways: list[list[ast.stmt]], scope: Scope, *, settled: bool = False) -> Way:
        """Read blocks of which one is run. What they leave different in the scope is not known afterwards."""
        before = dict(scope.names)
        after: list[dict[str, Value]] = []
        taken: set[Way] = set()
        for statements in ways:
            scope.names = dict(before)
            mark = self.enter()
            way = self.block(statements, scope)
            self.leave(mark, _CONDITION, settled=settled, left=bool(way))
            taken.add(way)
            if way != "return":  # after a return nothing sees its names
                after.append(scope.names)
        scope.names = _agreed(after or [before])
        return taken.pop() if len(taken) == 1 else ""

    def _if(self, node: ast.If, scope: Scope) -> Way:
        test = self.value(node.test, scope)
        truth = is_truth(test)
        if isinstance(test, Ref) and test.path == "typing.TYPE_CHECKING":
            truth = False
        if truth is not None:
            return self.block(node.body if truth else node.orelse, scope)
        settled = self.host.settles(test, strict=self.strict)
        return self._either([node.body, node.orelse], scope, settled=settled)

    def _for(self, node: ast.For | ast.AsyncFor, scope: Scope) -> Way:
        source = self.value(node.iter, scope)
        if not isinstance(source, (list, dict)):
            return self._repeated(node, scope, Opaque("what a loop finds"))
        for one in source if isinstance(source, list) else list(source):
            self.bind(node.target, one, scope)
            way = self.block(node.body, scope)
            if way == "return":
                return way
            if way == "break":
                return ""
        return self.block(node.orelse, scope)

    def _while(self, node: ast.While, scope: Scope) -> Way:
        if is_truth(self.value(node.test, scope)) is False:
            return self.block(node.orelse, scope)
        return self._repeated(node, scope, None)

    def _repeated(self, node: ast.For | ast.AsyncFor | ast.While, scope: Scope, each: Value) -> Way:
        """A loop of which nobody knows how often: its body once, with every name that it changes unknown."""
        for name in _assigned(node.body):
            scope.names[name] = Opaque("a loop")
        if not isinstance(node, ast.While):
            self.bind(node.target, each, scope)
        self._either([node.body, []], scope)
        self._either([node.orelse, []], scope)
        return ""

    def _try(self, node: ast.Try, scope: Scope) -> Way:
        if not node.handlers:
            way = self.block(node.body, scope)
            return self.block(node.finalbody, scope) or way
        for name in filter(None, (handler.name for handler in node.handlers)):
            scope.names[name] = Opaque("an error")
        handlers = [handler.body for handler in node.handlers]
        if len(node.body) == 1:  # it was done, or not at all
            self._either([node.body + node.orelse, *handlers], scope)
        else:
            self._either([node.body + node.orelse, []], scope)
            for body in handlers:
                self._either([body, []], scope)
        return self.block(node.finalbody, scope)

    def _stop(self, error: str, *, surely: bool = True) -> None:
        """An error is raised."""
        if surely and not self.unsure:
            if not self.strict:
                self.add("unknown", f"stops with {error}")
            self.refuses = self.refuses or error
        elif self.strict:
            self.add("unknown", f"may stop with {error}")


def _error(error: Value) -> str:
    """An exception in words."""
    if isinstance(error, Made):
        message = next((one for one in error.arguments.positional if isinstance(one, str)), "")
        return f"{shown(error.target)}: {shown(message)}" if message else shown(error.target)
    return shown(error) if isinstance(error, (Ref, Class)) else "an error"


def _agreed(ways: list[dict[str, Value]]) -> dict[str, Value]:
    """The names that several ways through leave; what differs is not known."""
    names = {name: None for way in ways for name in way}
    missing = Opaque("a condition")
    agreed: dict[str, Value] = {}
    for name in names:
        values = [way.get(name, missing) for way in ways]
        agreed[name] = values[0] if all(_as_good_as(one, values[0]) for one in values) else missing
    return agreed


def _as_good_as(one: Value, other: Value) -> bool:
    """Whether two values are the same, or one thing that a library moved."""
    if isinstance(one, Ref) and isinstance(other, Ref):
        return one.last == other.last and one.path.partition(".")[0] == other.path.partition(".")[0]
    return same(one, other)


def _assigned(statements: list[ast.stmt]) -> frozenset[str]:
    """The names that statements may bind."""
    found = set()
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found.add(node.id)
    return frozenset(found)
