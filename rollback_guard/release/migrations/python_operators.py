"""Operators, comparisons and attributes of values that are known, and of those that are not."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from rollback_guard.release.migrations.python_calls import concatenated, extend, percent
from rollback_guard.release.migrations.python_values import (
    Arguments,
    Attribute,
    Class,
    Made,
    Opaque,
    Ref,
    Template,
    Value,
    is_truth,
)

TEST = Ref("python.test")  # what a condition that cannot be decided was made of
MOST_COMPARED = 10_000
_PLAIN = (str, int, float, bytes)


def constant(value: object) -> Value:
    """A constant; a huge number is not worth its digits."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 64:
        return Opaque("a huge number")
    return value if value is None or isinstance(value, _PLAIN) else Opaque("a constant")


def attribute(of: Value, name: str) -> Value:
    """`of.name`."""
    if isinstance(of, Ref):
        return Ref(f"{of.path}.{name}")
    if isinstance(of, Class) and name in of.members:
        return of.members[name]
    return Attribute(of, name)


def same(one: Value, other: Value) -> bool:
    """Whether two values are surely the same; deep values are only where they are one."""
    if one is other:
        return True
    plain = (*_PLAIN, Ref)
    return isinstance(one, plain) and isinstance(other, plain) and type(one) is type(other) and one == other


def alike(one: Value, other: Value) -> bool:
    """Whether two values are made alike. Values share their parts: what would take too long to compare is not."""
    waiting = [(one, other)]
    for _ in range(MOST_COMPARED):
        if not waiting:
            return True
        left, right = waiting.pop()
        if left is right:
            continue
        if type(left) is not type(right) or isinstance(left, (Opaque, Template)):
            return False
        if isinstance(left, Made) and isinstance(right, Made):
            ours, theirs = left.arguments, right.arguments
            names = [name for name, _ in ours.named]
            if not (ours.whole and theirs.whole) or names != [name for name, _ in theirs.named]:
                return False
            waiting += [(left.target, right.target), ([*ours.values], [*theirs.values])]
        elif isinstance(left, Attribute) and isinstance(right, Attribute):
            waiting += [(left.of, right.of), (left.name, right.name)]
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            waiting += zip(left, right, strict=True)
        elif isinstance(left, dict) and isinstance(right, dict):
            waiting += [(list(left), list(right)), (list(left.values()), list(right.values()))]
        elif not same(left, right):
            return False
    return False


def operated(operator: ast.operator, left: Value, right: Value) -> Value:
    """`left + right` and `left % right`; the rest is not needed in migrations."""
    if isinstance(operator, ast.Add):
        if isinstance(left, list) and isinstance(right, list):
            both = list(left)
            extend(both, right)
            return both
        if isinstance(left, Template):
            return left
        if isinstance(left, str) and not isinstance(right, int):
            return concatenated([left, right])
    if isinstance(operator, ast.Mod) and isinstance(left, str):
        return percent(left, right)
    return Opaque("a calculation")


def unary(operator: ast.unaryop, value: Value) -> Value:
    """`not value` and `-value`."""
    if isinstance(operator, ast.Not):
        truth = is_truth(value)
        return Made(TEST, Arguments(positional=(value,))) if truth is None else not truth
    if isinstance(operator, ast.USub) and isinstance(value, (int, float)):
        return -value
    return Opaque("a calculation")


def compared(operators: Sequence[ast.cmpop], given: list[Value]) -> Value:
    """A comparison, decided where both sides are known."""
    undecided = Made(TEST, Arguments(positional=tuple(given)))
    if len(given) != 2:
        return undecided
    left, right = given
    operator = operators[0]
    if isinstance(operator, (ast.In, ast.NotIn)):
        within = _within(left, right)
        return undecided if within is None else within is isinstance(operator, ast.In)
    known = all(one is None or isinstance(one, _PLAIN) for one in given)
    if known and isinstance(operator, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)):
        equal = left == right and (left is None) == (right is None)
        return equal is isinstance(operator, (ast.Eq, ast.Is))
    return undecided


def _within(left: Value, right: Value) -> bool | None:
    if not isinstance(left, (str, int)):
        return None
    if isinstance(right, str) and isinstance(left, str):
        return left in right
    if isinstance(right, (list, dict)) and all(isinstance(one, (str, int)) for one in right):
        return left in right or None  # more may have been put into it in a way that was not followed
    return None
