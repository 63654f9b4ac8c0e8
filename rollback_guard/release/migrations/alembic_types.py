"""Whether a column's type of SQLAlchemy becomes wider: every stored value is still there, as it was.

Operations are left to `alembic_operations`. Source: https://docs.sqlalchemy.org/en/20/core/type_basics.html.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.release.migrations.python_operators import alike
from rollback_guard.release.migrations.python_values import Arguments, Made, Ref, Value

_ENDLESS = 1 << 62
_INTEGERS = {"TINYINT": 1, "SMALLINT": 2, "SMALLINTEGER": 2, "MEDIUMINT": 3, "INTEGER": 4, "INT": 4, "BIGINTEGER": 8}
_TEXTS = {"TINYTEXT": 255, "TEXT": 65_535, "MEDIUMTEXT": 16_777_215, "LONGTEXT": _ENDLESS - 1}
_VARIABLE = frozenset(("STRING", "VARCHAR", "UNICODE", "NVARCHAR", "VARCHAR2", "AUTOSTRING"))
_ALIASES = {"UNICODETEXT": "TEXT", "CLOB": "TEXT", "BIGINT": "BIGINTEGER", "DECIMAL": "NUMERIC", "FLOAT": "REAL"}
_REALS = {"REAL": 4, "DOUBLE": 8, "DOUBLE_PRECISION": 8}


class _Kind(NamedTuple):
    """A type: its family and how much it holds; `rest` is all else that it is given."""

    family: str
    sizes: tuple[int, ...]
    rest: tuple[tuple[str, Value], ...]


def widens(old: Value, new: Value) -> bool:
    """Whether everything that a column of the old type holds fits into the new one unchanged."""
    before, after = _kind(old), _kind(new)
    if before is None or after is None or len(before.rest) != len(after.rest):
        return False
    if not all(alike(list(one), list(other)) for one, other in zip(before.rest, after.rest, strict=True)):
        return False
    if before.family == "enum":
        return after.family == "enum" and _values(old) <= _values(new)
    return before.family == after.family and all(
        size >= least for size, least in zip(after.sizes, before.sizes, strict=True)
    )


def _kind(value: Value) -> Optional[_Kind]:
    arguments = Arguments()
    if isinstance(value, Made):
        arguments = value.arguments
        value = value.target
    if not isinstance(value, Ref) or not arguments.whole:
        return None
    name = value.last.upper()
    name = _ALIASES.get(name, name)
    rest = arguments.named
    if name in _INTEGERS:
        return _Kind("integer", (_INTEGERS[name],), _without(rest, "display_width"))
    if name in _REALS:
        return None if arguments.values else _Kind("real", (_REALS[name],), rest)
    if name in _VARIABLE or name in _TEXTS:
        length = arguments.get(0, "length")
        length = _TEXTS.get(name, _ENDLESS) if length is None else length
        return _Kind("text", (length,), _without(rest, "length")) if isinstance(length, int) else None
    if name == "NUMERIC":
        precision = arguments.get(0, "precision")
        scale = arguments.get(1, "scale", 0)
        if precision is None:
            return _Kind("numeric", (_ENDLESS, _ENDLESS), _without(rest, "scale", "precision"))
        if isinstance(precision, int) and isinstance(scale, int):
            return _Kind("numeric", (precision - scale, scale), _without(rest, "scale", "precision"))
    if name == "ENUM" and all(isinstance(one, str) for one in arguments.positional) and arguments.positional:
        return _Kind("enum", (), rest)
    return None


def _values(enum: Value) -> set[Value]:
    return set(enum.arguments.positional) if isinstance(enum, Made) else set()


def _without(named: tuple[tuple[str, Value], ...], *names: str) -> tuple[tuple[str, Value], ...]:
    return tuple((name, value) for name, value in named if name not in names)
