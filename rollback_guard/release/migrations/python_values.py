"""What reading a Python file without running it knows of a value.

Texts, numbers, None, lists and dictionaries stand for themselves; tuples and sets are lists here. What the file takes
from elsewhere is a `Ref`, what calling that would give a `Made`. How values come about is left to `python_run`.
"""

from __future__ import annotations

import ast
from typing import NamedTuple, Optional

Value = object
MOST_SHOWN = 60


def words(text: str) -> frozenset[str]:
    """A table of names, written as one text."""
    return frozenset(text.split())


class Ref(NamedTuple):
    """Something imported, by its full name: `sqlalchemy.Column`; a built-in function is `builtins.len`."""

    path: str

    @property
    def last(self) -> str:
        """Its own name."""
        return self.path.rpartition(".")[2]


class Arguments(NamedTuple):
    """What a call is given. `whole`: whether all of it is known; not where something unreadable is spread into it."""

    positional: tuple[Value, ...] = ()
    named: tuple[tuple[str, Value], ...] = ()
    whole: bool = True

    def get(self, position: Optional[int], name: str, default: Value = None) -> Value:
        """One argument by place or name; Opaque where it may be among what could not be read."""
        if position is not None and 0 <= position < len(self.positional):
            return self.positional[position]
        for key, value in self.named:
            if key == name:
                return value
        return default if self.whole else Opaque("an argument that is not written out")

    def has(self, name: str) -> bool:
        """Whether a named argument is given."""
        return any(key == name for key, _ in self.named)

    @property
    def values(self) -> tuple[Value, ...]:
        """All of them."""
        return self.positional + tuple(value for _, value in self.named)


class Made(NamedTuple):
    """What calling `target` would give."""

    target: Value
    arguments: Arguments


class Attribute(NamedTuple):
    """`name` of a value that is not known itself."""

    of: Value
    name: str


class Opaque(NamedTuple):
    """A value that cannot be known; `why` completes "depends on"."""

    why: str


class Template(NamedTuple):
    """A text of which only the beginning is known."""

    prefix: str


class Scope:
    """Names of a module, a function or a class, and the scope around it. Mutable, as Python's own are."""

    def __init__(
        self, parent: Optional[Scope] = None, *, of_class: bool = False, of_comprehension: bool = False
    ) -> None:
        self.names: dict[str, Value] = {}
        self.parent = parent
        self.of_class = of_class
        self.of_comprehension = of_comprehension

    @property
    def around_functions(self) -> Scope:
        """What functions that are defined here see: not the names of their class."""
        return self.parent if self.of_class and self.parent is not None else self

    def find(self, name: str) -> Optional[Scope]:
        """The scope that knows a name."""
        scope: Optional[Scope] = self
        while scope is not None and name not in scope.names:
            scope = scope.parent
        return scope


class Function:
    """A function or lambda of the file, which can be read when it is called."""

    def __init__(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope, defaults: dict[str, Value]
    ) -> None:
        self.node = node
        self.scope = scope
        self.defaults = defaults
        self.name = "a lambda" if isinstance(node, ast.Lambda) else node.name

    @property
    def is_lazy(self) -> bool:
        """Whether calling it does nothing yet: a generator, or a coroutine that nobody may wait for."""
        if isinstance(self.node, ast.AsyncFunctionDef):
            return True
        return any(isinstance(one, (ast.Yield, ast.YieldFrom)) for part in self.body for one in ast.walk(part))

    @property
    def body(self) -> list[ast.stmt]:
        """Its statements; what a lambda gives is returned."""
        if isinstance(self.node, ast.Lambda):
            return [ast.copy_location(ast.Return(value=self.node.body), self.node.body)]
        return self.node.body


class Class:
    """A class of the file."""

    def __init__(self, node: ast.ClassDef, bases: tuple[Value, ...], members: dict[str, Value]) -> None:
        self.node = node
        self.name = node.name
        self.bases = bases
        self.members = members


def shown(value: Value) -> str:
    """A value in a sentence for people, cut where it is long."""
    while isinstance(value, Made):
        value = value.target
    if isinstance(value, str):
        text = value
    elif isinstance(value, Ref):
        text = value.last
    elif isinstance(value, (Attribute, Function, Class)):
        text = value.name
    elif isinstance(value, list):
        text = ", ".join(one if isinstance(one, str) else "?" for one in value[:5])
    elif isinstance(value, Template):
        text = value.prefix + "…"
    else:
        text = "?"
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def root_of(value: Value) -> Value:
    """What a chain of calls and attributes begins with."""
    while isinstance(value, (Made, Attribute)):
        value = value.target if isinstance(value, Made) else value.of
    return value


def is_truth(value: Value) -> Optional[bool]:
    """Whether a value counts as true; None where that is not known."""
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return bool(value)
    if isinstance(value, (list, dict)):
        return bool(value) or None  # an empty one may have been filled in a way that was not followed
    if isinstance(value, (Function, Class)):
        return True
    return True if isinstance(value, Template) and value.prefix else None
