"""The fields that an application's models have at one point of its migrations, as far as the files say it.

Needed for AlterField alone, which says what a field becomes and not what it was. What operations do to a database is
left to `django_operations`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from rollback_guard.release.migrations.python_values import Made, Opaque, Ref, Value

Fields = dict[str, Value]
_PREFIXES = ("django.db.migrations.", "django.contrib.postgres.operations.")


def operation_name(operation: Value) -> Optional[str]:
    """The name of one of Django's own operations; None for anything else."""
    if not isinstance(operation, Made) or not isinstance(operation.target, Ref):
        return None
    path = operation.target.path
    return operation.target.last if path.startswith(_PREFIXES) else None


class State:
    """Fields by model, both in lower case, as Django compares them. Copies share what they do not change."""

    def __init__(self, models: Optional[dict[str, Fields]] = None) -> None:
        self._models: dict[str, Fields] = dict(models or {})

    def copy(self) -> State:
        """Another state that begins as this one is."""
        return State(self._models)

    def field(self, model: Value, name: Value) -> Optional[Value]:
        """A field as it is now."""
        return self._models.get(_key(model), {}).get(_key(name))

    def join(self, other: State) -> None:
        """Two branches meet: what they say differently is not known."""
        for model, fields in other._models.items():
            mine = self._models.get(model)
            if mine is fields:
                continue
            joined = dict(mine or {})
            for name, field in fields.items():
                known = joined.setdefault(name, field)
                if known is not field:
                    joined[name] = Opaque("two branches")
            self._models[model] = joined

    def apply(self, operation: Value) -> None:
        """What an operation makes of the models."""
        if not isinstance(operation, Made):
            return
        given = operation.arguments
        kind = operation_name(operation)
        if kind == "CreateModel":
            self._models[_key(given.get(0, "name"))] = dict(_fields(given.get(1, "fields")))
        elif kind == "DeleteModel":
            self._models.pop(_key(given.get(0, "name")), None)
        elif kind == "RenameModel":
            fields = self._models.pop(_key(given.get(0, "old_name")), {})
            self._models[_key(given.get(1, "new_name"))] = fields
        elif kind in ("AddField", "AlterField", "RemoveField", "RenameField"):
            model = _key(given.get(0, "model_name"))
            changed = dict(self._models.get(model, {}))
            name = _key(given.get(1, "old_name" if kind == "RenameField" else "name"))
            before = changed.pop(name, None)
            if kind in ("AddField", "AlterField"):
                changed[name] = given.get(2, "field")
            elif kind == "RenameField" and before is not None:
                changed[_key(given.get(2, "new_name"))] = before
            self._models[model] = changed
        elif kind == "SeparateDatabaseAndState":
            inner = given.get(1, "state_operations")
            for one in inner if isinstance(inner, list) else ():
                self.apply(one)
        elif kind in ("RunSQL", "RunPython"):
            inner = given.get(None, "state_operations")
            for one in inner if isinstance(inner, list) else ():
                self.apply(one)


def _fields(fields: Value) -> Iterator[tuple[str, Value]]:
    for one in fields if isinstance(fields, list) else ():
        if isinstance(one, list) and len(one) == 2:
            yield _key(one[0]), one[1]


def _key(name: Value) -> str:
    return name.lower() if isinstance(name, str) else "?"
