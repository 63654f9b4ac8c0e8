"""What is kept while a Python file is read, and what a call in it leads to.

Expressions are left to `python_expressions`, statements to `python_run`, and what a call does that leaves the file to
the framework (`Host`).
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import Literal, Protocol

from rollback_guard.release.migrations.model import Effect, Step
from rollback_guard.release.migrations.python_calls import UNREAD, TooMuchError, builtin, method
from rollback_guard.release.migrations.python_operators import attribute, same
from rollback_guard.release.migrations.python_values import (
    Arguments,
    Attribute,
    Class,
    Function,
    Made,
    Opaque,
    Ref,
    Scope,
    Template,
    Value,
)

MOST_WORK = 300_000
MOST_STEPS = 5_000
Way = Literal["", "return", "break", "continue"]  # how a block is left before its end
GLOBALS = Ref("builtins.globals")
UNWRITTEN = "changes something by a way that is not read"


class Host(Protocol):
    """What a framework knows: the meaning of calls. Each records steps by `run.add`."""

    def call(self, target: Value, arguments: Arguments, run: Reading) -> Value:
        """What calling something gives that is no function of the file."""

    def assign(self, of: Value, name: str, value: Value, run: Reading) -> None:
        """An attribute is set on something that is no class of the file."""

    def dropped(self, value: Value, run: Reading) -> None:
        """A value that nobody takes: what was called for what it does."""

    def settles(self, test: Value, *, strict: bool) -> bool:
        """Whether a condition that is not known may be taken to hold where the way back needs it to."""


class Reading(ABC):
    """Reads expressions and gathers steps. `strict`: the way back is read, where a maybe is not enough."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.steps: dict[Step, None] = {}
        self.module = Scope()
        self.strict = False
        self.unsure = 0  # how many undecided conditions are open
        self.work = 0
        self.depth = 0

    def add(self, effect: Effect, what: str) -> None:
        """Record a step. Raises: TooMuchError."""
        self.steps[Step(effect=effect, what=what)] = None
        if len(self.steps) > MOST_STEPS:
            raise TooMuchError

    def spend(self) -> None:
        """Count one unit of work. Raises: TooMuchError."""
        self.work += 1
        if self.work > MOST_WORK:
            raise TooMuchError

    def enter(self) -> int:
        """Begin what may or may not be run."""
        self.unsure += 1
        return len(self.steps)

    def leave(self, mark: int, why: str, *, settled: bool = False, left: bool = False) -> None:
        """End it. A way back that is only taken under a condition is none that can be relied on."""
        self.unsure -= 1
        if self.strict and not settled and (left or len(self.steps) > mark):
            self.add("unknown", f"does part of it only {why}")

    @abstractmethod
    def call_function(self, function: Function, arguments: Arguments) -> Value:
        """What calling a function of the file gives."""

    @abstractmethod
    def block(self, statements: list[ast.stmt], scope: Scope) -> Way:
        """Read statements one after the other."""

    @abstractmethod
    def value(self, node: ast.expr, scope: Scope) -> Value:
        """What an expression gives."""

    def call(self, target: Value, arguments: Arguments) -> Value:
        """What calling something gives, with whatever it does recorded."""
        self.spend()
        if isinstance(target, Function):
            return self.call_function(target, arguments)
        if isinstance(target, Attribute) and isinstance(target.of, (str, list, dict)):
            result = method(target.of, target.name, arguments)
            if result is UNREAD:
                self.add("unknown", UNWRITTEN)
                return Opaque(f"what {target.name}() gives")
        elif isinstance(target, Ref) and target.path.startswith("builtins."):
            result = self._builtin(target, arguments)
        elif isinstance(target, Made) and target.target == GLOBALS and target.arguments.positional:
            return self._by_name(target.arguments.positional[0], arguments)
        else:
            return self.host.call(target, arguments, self)
        return self.host.call(target, arguments, self) if result is UNREAD else result

    def _builtin(self, target: Ref, arguments: Arguments) -> Value:
        given = arguments.positional
        if target.last == "getattr" and len(given) >= 2 and isinstance(given[1], str):
            return attribute(given[0], given[1])
        if target == GLOBALS:
            return Made(target, Arguments())
        keys = (value for _, value in arguments.named)
        if any(isinstance(one, (Attribute, Ref)) for one in keys) or (target.last == "iter" and len(given) > 1):
            return UNREAD  # it calls them
        if any(isinstance(one, Function) for one in arguments.values):
            return UNREAD
        return builtin(target.last, arguments)

    def _by_name(self, name: Value, arguments: Arguments) -> Value:
        """`globals()["upgrade_%s" % engine]()`: every function that it may be is called."""
        begins = name.prefix if isinstance(name, Template) else None
        functions = [
            one
            for key, one in self.module.names.items()
            if isinstance(one, Function) and (key == name or (begins is not None and key.startswith(begins)))
        ]
        if not functions:
            self.add("unknown", "calls a function by a name that is not written out")
        for function in functions:
            self.call(function, arguments)
        return Opaque("a function's result")

    def bind(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """Give a value to a name, names, an attribute or an item."""
        match target:
            case ast.Name():
                scope.names[target.id] = value
            case ast.Starred():
                self.bind(target.value, Opaque("a part of a list"), scope)
            case ast.Tuple() | ast.List():
                fits = isinstance(value, list) and len(value) == len(target.elts)
                fits = fits and not any(isinstance(one, ast.Starred) for one in target.elts)
                for number, one in enumerate(target.elts):
                    self.bind(one, value[number] if fits and isinstance(value, list) else Opaque("a part"), scope)
            case ast.Attribute():
                self._set_attribute(self.value(target.value, scope), target.attr, value)
            case ast.Subscript():
                self._set_item(self.value(target.value, scope), self.value(target.slice, scope), value)
            case _:  # Python's grammar knows no other
                raise TooMuchError

    def _set_attribute(self, of: Value, name: str, value: Value) -> None:
        if isinstance(of, Class) and not self.unsure:
            of.members[name] = value
        elif isinstance(of, Class):
            self.add("unknown", UNWRITTEN)
        else:
            self.host.assign(of, name, value, self)

    def _set_item(self, of: Value, key: Value, value: Value) -> None:
        if isinstance(of, dict) and (key is None or isinstance(key, (str, int))):
            if not self.unsure or same(of.get(key, value), value):
                of[key] = value
                return
        elif isinstance(of, Opaque):
            return  # a row, or what a library gave: nothing that is read here
        self.add("unknown", UNWRITTEN)
