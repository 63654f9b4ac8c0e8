"""Reads what binds names in a Python file: assignments, functions, classes and imports.

Control flow is left to `python_run`, expressions to `python_expressions`.
"""

from __future__ import annotations

import ast

from rollback_guard.release.migrations.python_calls import extend
from rollback_guard.release.migrations.python_expressions import Expressions
from rollback_guard.release.migrations.python_operators import operated
from rollback_guard.release.migrations.python_reading import UNWRITTEN
from rollback_guard.release.migrations.python_values import Arguments, Class, Function, Opaque, Ref, Scope, Value

# What Python calls by itself: a class that has others may do anything when it is made, used or inherited from.
_QUIET_METHODS = frozenset(("__str__", "__repr__", "__eq__", "__hash__", "__unicode__"))
_QUIET_DECORATORS = frozenset(
    ("builtins.staticmethod", "builtins.classmethod", "dataclasses.dataclass", "typing.no_type_check")
)


class Definitions(Expressions):
    """Reads statements that bind names."""

    def define(self, node: ast.stmt, scope: Scope) -> None:
        """One statement that is no control flow."""
        match node:
            case ast.Assign():
                value = self.value(node.value, scope)
                for target in node.targets:
                    self.bind(target, value, scope)
            case ast.AnnAssign():
                self.value(node.annotation, scope)
                if node.value is not None:
                    self.bind(node.target, self.value(node.value, scope), scope)
            case ast.AugAssign():
                self._augmented(node, scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                function = self.function(node, scope)
                scope.names[node.name] = self._decorated(node.decorator_list, function, scope)
            case ast.ClassDef():
                scope.names[node.name] = self._class(node, scope)
            case ast.Import() | ast.ImportFrom():
                self._import(node, scope)
            case ast.Delete():
                for target in node.targets:
                    self.bind(target, Opaque("what was deleted"), scope)
            case ast.Pass():
                pass
            case _:  # global, nonlocal, and what newer Pythons know
                self.add("unknown", UNWRITTEN)

    def _augmented(self, node: ast.AugAssign, scope: Scope) -> None:
        value = self.value(node.value, scope)
        if not isinstance(node.target, ast.Name):
            self.value(node.target.value, scope)
            self.add("unknown", UNWRITTEN)
            return
        before = self.value(node.target, scope)
        if isinstance(node.op, ast.Add) and isinstance(before, list) and isinstance(value, list):
            extend(before, value)  # other names for the same list see it
        else:
            scope.names[node.target.id] = operated(node.op, before, value)

    def _decorated(self, decorators: list[ast.expr], defined: Function | Class, scope: Scope) -> Value:
        result: Value = defined
        for node in reversed(decorators):
            decorator = self.value(node, scope)
            if not isinstance(decorator, Ref) or decorator.path not in _QUIET_DECORATORS:
                result = self.call(decorator, Arguments(positional=(result,)))
        return result

    def _class(self, node: ast.ClassDef, scope: Scope) -> Value:
        bases = tuple(self.value(one, scope) for one in node.bases)
        inner = Scope(scope, of_class=True)
        for keyword in node.keywords:
            self.value(keyword.value, scope)
            self.add("unknown", f"makes the class {node.name} in a way that is not read")
        for statement in node.body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                name = statement.name
                if name.startswith("__") and name not in _QUIET_METHODS:
                    self.add("unknown", f"defines {name} of the class {node.name}, which Python calls by itself")
        self.block(node.body, inner)
        return self._decorated(node.decorator_list, Class(node, bases, inner.names), scope)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                scope.names[alias.asname or first] = Ref(alias.name if alias.asname else first)
            return
        source = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.add("unknown", f"takes names from {source} that are not written out")
            else:
                between = "" if source.endswith(".") else "."
                scope.names[alias.asname or alias.name] = Ref(f"{source}{between}{alias.name}")
