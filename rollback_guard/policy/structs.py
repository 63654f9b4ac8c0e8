"""Reads a TOML table into a NamedTuple, driven by the class's own annotations.

A field's name is its key with `-` for `_`; `Optional[Kind]`, `tuple[Struct, ...]` and `Struct` are
understood besides the names of kinds. Which kinds there are is left to whoever asks.
"""

from __future__ import annotations

from typing import Any

from rollback_guard.policy.kinds import NAME_PATTERN, Kind
from rollback_guard.policy.problems import Place, Problems
from rollback_guard.policy.scalars import is_name, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Declaration:
    """The classes and kinds that annotations may name."""

    __slots__ = ("classes", "kinds")

    def __init__(self, classes: Mapping[str, Any], kinds: Mapping[str, Kind]) -> None:
        self.classes = classes
        self.kinds = kinds


class Field:
    """One key of a table: `shape` says whether `kind` stands there once, or as a list of tables."""

    __slots__ = ("key", "kind", "name", "required", "shape")

    def __init__(self, name: str, annotation: Any, required: bool) -> None:
        kind = getattr(annotation, "__forward_arg__", annotation)
        shape = "one"
        if kind.startswith("Optional["):
            kind = kind[9:-1]
        elif kind.startswith("tuple["):
            kind, shape = kind[6:-6], "many"
        self.name = name
        self.key = name.rstrip("_").replace("_", "-")
        self.kind = kind
        self.shape = shape
        self.required = required


def fields_of(cls: Any) -> tuple[Field, ...]:
    """The keys of a class, in the order of its fields.

    A field `id` is no key: it is what the table is called, as in [people.jane].
    """
    defaults = cls._field_defaults
    annotations = cls.__annotations__.items()
    return tuple(Field(name, annotation, name not in defaults) for name, annotation in annotations if name != "id")


def read_struct(cls: Any, table: Any, place: Place, declaration: Declaration, **given: Any) -> Any:
    """A value of the class from a table; `given` are the fields that come from elsewhere.

    Notes unknown keys, missing keys and everything that is wrong below; always returns a value.
    """
    if not isinstance(table, dict):
        place.fail(None, f"must be a table, not {type_name(table)}")
        return _harmless(cls, declaration, given)
    fields = fields_of(cls)
    keys = [field.key for field in fields]
    known = frozenset(keys)
    for key in table:
        if key not in known:
            place.at(key).fail(None, "is not a key that is known here", wrong=key, names=keys)
    values = dict(given)
    for field in fields:
        if field.key in table:
            values[field.name] = _read_field(field, table[field.key], place.at(field.key), declaration)
        elif field.required:
            place.at(field.key).fail(None, "is missing")
            values[field.name] = _harmless_field(field, declaration)
    return cls(**values)


def _read_field(field: Field, value: Any, place: Place, declaration: Declaration) -> Any:
    if field.kind in declaration.kinds:
        return declaration.kinds[field.kind].read(value, place)
    cls = declaration.classes[field.kind]
    if field.shape == "one":
        return read_struct(cls, value, place, declaration)
    if "id" in cls._fields:
        return _read_by_id(cls, value, place, declaration)
    if not isinstance(value, list):
        return place.fail((), f"must be a list of tables, [[{field.key}]], not {type_name(value)}")
    return tuple(read_struct(cls, entry, place.at(index), declaration) for index, entry in enumerate(value))


def _read_by_id(cls: Any, value: Any, place: Place, declaration: Declaration) -> tuple[Any, ...]:
    """Tables by id, such as [people.jane], sorted by id."""
    if not isinstance(value, dict):
        return place.fail((), f"must be a table, not {type_name(value)}")
    found = []
    for name in sorted(value):
        here = place.at(name)
        if not is_name(name):
            here.fail(None, "may only hold letters, digits, -, _ and ., and begins with a letter or digit")
        found.append(read_struct(cls, value[name], here, declaration, id=name))
    return tuple(found)


def _harmless(cls: Any, declaration: Declaration, given: Mapping[str, Any]) -> Any:
    """A value of the class of which nothing was read."""
    values = dict(given)
    for field in fields_of(cls):
        if field.required:
            values[field.name] = _harmless_field(field, declaration)
    return cls(**values)


def _harmless_field(field: Field, declaration: Declaration) -> Any:
    """What stands for a required field that could not be read, while the rest is looked at."""
    if field.kind in declaration.kinds:
        # Every reader returns something harmless for what it does not understand; nobody hears of these problems.
        return declaration.kinds[field.kind].read(None, Place(Problems()))
    return () if field.shape == "many" else _harmless(declaration.classes[field.kind], declaration, {})


def schema_of(cls: Any, declaration: Declaration, docs: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The JSON Schema of a class and everything below it, with `docs` (by class, then key) as descriptions."""
    properties = {}
    for field in fields_of(cls):
        schema = _field_schema(field, declaration, docs)
        about = docs.get(cls.__name__, {}).get(field.key)
        properties[field.key] = {"description": about, **schema} if about else schema
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.key for field in fields_of(cls) if field.required],
        "properties": properties,
    }


def _field_schema(field: Field, declaration: Declaration, docs: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    if field.kind in declaration.kinds:
        return declaration.kinds[field.kind].schema
    inner = schema_of(declaration.classes[field.kind], declaration, docs)
    if field.shape == "one":
        return inner
    if "id" in declaration.classes[field.kind]._fields:
        return {"type": "object", "propertyNames": {"pattern": NAME_PATTERN}, "additionalProperties": inner}
    return {"type": "array", "items": inner}
