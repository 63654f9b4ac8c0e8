"""What each operation of Django's migrations does to a database, and what undoing it does.

Fields are left to `django_fields`, SQL text to `sql`. What Python a migration runs is not read: it may change data.
Source: https://docs.djangoproject.com/en/stable/ref/migration-operations/, …/ref/contrib/postgres/operations/.
"""

from __future__ import annotations

import ast
from typing import NamedTuple, Optional

from rollback_guard.release.migrations.django_fields import add_field, alter_field, has_column, kind_of
from rollback_guard.release.migrations.django_state import State, operation_name
from rollback_guard.release.migrations.model import Effect, Step
from rollback_guard.release.migrations.python_values import Arguments, Function, Made, Ref, Value, shown
from rollback_guard.release.migrations.sql import read_steps

MOST_DEPTH = 20


class Way(NamedTuple):
    """One operation both ways. `down` is None where it cannot be undone; `refuses`: why its undoing stops."""

    up: tuple[Step, ...] = ()
    down: Optional[tuple[Step, ...]] = ()
    refuses: str = ""


# Operations whose effect is in their name: up, what it is called, down, what undoing it is called.
_PLAIN: dict[str, tuple[Effect, str, Effect, str]] = {
    "DeleteModel": ("destroy", "drops model", "expand", "creates model"),
    "RenameModel": ("change", "renames model", "change", "renames back model"),
    "AlterModelTable": ("change", "renames the table of", "change", "renames back the table of"),
    "AlterModelTableComment": ("expand", "comments on", "expand", "comments on"),
    "AlterUniqueTogether": ("change", "changes the unique fields of", "change", "changes back the unique fields of"),
    "AlterIndexTogether": ("change", "changes the indexes of", "change", "changes back the indexes of"),
    "RemoveField": ("destroy", "drops field", "change", "adds field"),
    "RenameField": ("change", "renames field", "change", "renames back field"),
    "AddIndex": ("expand", "adds an index to", "change", "drops an index of"),
    "AddIndexConcurrently": ("expand", "adds an index to", "change", "drops an index of"),
    "RemoveIndex": ("change", "drops an index of", "expand", "adds an index to"),
    "RemoveIndexConcurrently": ("change", "drops an index of", "expand", "adds an index to"),
    "RenameIndex": ("change", "renames an index of", "change", "renames back an index of"),
    "AddConstraint": ("change", "adds a constraint to", "change", "drops a constraint of"),
    "AddConstraintNotValid": ("change", "adds a constraint to", "change", "drops a constraint of"),
    "ValidateConstraint": ("change", "validates a constraint of", "change", "leaves a constraint validated of"),
    "RemoveConstraint": ("change", "drops a constraint of", "change", "adds a constraint to"),
    "CreateExtension": ("expand", "creates extension", "change", "drops extension"),
    "CreateCollation": ("expand", "creates collation", "change", "drops collation"),
    "RemoveCollation": ("change", "drops collation", "expand", "creates collation"),
}
_EXTENSIONS = frozenset(
    ("BloomExtension", "BtreeGinExtension", "BtreeGistExtension", "CITextExtension", "CryptoExtension")
    + ("HStoreExtension", "TrigramExtension", "UnaccentExtension")
)
_OF_STATE = frozenset(("AlterModelOptions", "AlterModelManagers", "AlterConstraint"))  # no SQL at all


def read_operations(operations: Value, state: State, depth: int = 0) -> tuple[Way, ...]:
    """All of a list; each is applied to the state when its turn is over."""
    if not isinstance(operations, list) or depth > MOST_DEPTH:
        return (_unread("has operations that are not written out"),)
    ways = []
    for one in operations:
        ways.append(_read(one, state, depth))
        state.apply(one)
    return tuple(ways)


def _read(operation: Value, state: State, depth: int) -> Way:
    kind = operation_name(operation)
    if kind is None or not isinstance(operation, Made):
        return _unread(f"has an operation that is not Django's: {shown(operation)}")
    given = operation.arguments
    if not given.whole:
        return _unread(f"has arguments of {kind} that are not written out")
    if kind in _OF_STATE:
        return Way()
    if kind in _EXTENSIONS:
        return _both("CreateExtension", kind)
    if kind in _PLAIN:
        return _both(kind, _named(kind, given))
    if kind in ("AddField", "AlterField"):
        return _field(kind, given, state)
    match kind:
        case "CreateModel":
            return _create_model(given)
        case "AlterOrderWithRespectTo":
            return _order(given)
        case "RunSQL":
            return Way(up=_sql(given.get(0, "sql")) or (), down=_sql(given.get(1, "reverse_sql")))
        case "RunPython":
            return _python(given)
        case "SeparateDatabaseAndState":
            inner = given.get(0, "database_operations")
            return together(read_operations([] if inner is None else inner, state.copy(), depth + 1))
        case _:
            return _unread(f"has an operation that is not read: {kind}")


def _named(kind: str, given: Arguments) -> str:
    """What an operation is about."""
    if kind in ("RemoveField", "RenameField"):
        return _where(given, "old_name" if kind == "RenameField" else "name")
    model = given.get(0, "model_name") if given.has("model_name") else given.get(0, "name")
    return shown(given.get(None, "old_name", model)) if kind == "RenameModel" else shown(model)


def _where(given: Arguments, name: str = "name") -> str:
    return f"{shown(given.get(0, 'model_name'))}.{shown(given.get(1, name))}"


def _both(kind: str, name: str) -> Way:
    effect, what, back, undone = _PLAIN[kind]
    return Way(up=(Step(effect=effect, what=f"{what} {name}"),), down=(Step(effect=back, what=f"{undone} {name}"),))


def _create_model(given: Arguments) -> Way:
    options = given.get(2, "options")
    if isinstance(options, dict) and (options.get("managed") is False or options.get("proxy") is True):
        return Way()
    name = shown(given.get(0, "name"))
    return Way(
        up=(Step(effect="expand", what=f"creates model {name}"),),
        down=(Step(effect="destroy", what=f"drops model {name}"),),
    )


def _field(kind: str, given: Arguments, state: State) -> Way:
    where = _where(given)
    field = given.get(2, "field")
    if kind == "AlterField":
        old = state.field(given.get(0, "model_name"), given.get(1, "name"))
        up = alter_field(where, old, field)
        return Way(up=up, down=alter_field(where, field, old) if old is not None else up)
    if not has_column(field):
        return Way()
    lost = "the rows of the relation" if kind_of(field) == "ManyToManyField" else "field"
    return Way(up=add_field(where, field), down=(Step(effect="destroy", what=f"drops {lost} {where}"),))


def _order(given: Arguments) -> Way:
    name = shown(given.get(0, "name"))
    adds = Step(effect="change", what=f"adds the order of {name}")
    drops = Step(effect="destroy", what=f"drops the order of {name}")
    wanted = given.get(1, "order_with_respect_to")
    if wanted is None:
        return Way(up=(drops,), down=(adds,))
    return Way(up=(adds,) if isinstance(wanted, str) else (adds, drops), down=(drops,))


def _sql(sql: Value) -> Optional[tuple[Step, ...]]:
    """The steps of RunSQL's argument: a text, or a list of texts and of pairs of text and parameters."""
    if sql is None:
        return None
    if isinstance(sql, Ref) and sql.path.endswith("RunSQL.noop"):
        return ()
    steps: list[Step] = []
    for one in sql if isinstance(sql, list) else [sql]:
        text = one[0] if isinstance(one, list) and one else one
        if isinstance(text, str):
            steps += read_steps(text)
        elif not (isinstance(text, Ref) and text.path.endswith("RunSQL.noop")):
            steps.append(Step(effect="unknown", what="runs SQL that is not written out"))
    return tuple(steps)


def _python(given: Arguments) -> Way:
    code, reverse = given.get(0, "code"), given.get(1, "reverse_code")
    stops = _refusal(reverse)
    up = (Step(effect="unknown", what="stops with an error"),) if _refusal(code) else _code(code)
    return Way(up=up, down=None if reverse is None else _code(reverse), refuses=stops)


def _code(code: Value) -> tuple[Step, ...]:
    if _does_nothing(code):
        return ()
    if isinstance(code, (Function, Ref)):
        return (Step(effect="destroy", what=f"runs Python, which may change data: {shown(code)}"),)
    return (Step(effect="unknown", what="runs Python that is not written out"),)


def _does_nothing(code: Value) -> bool:
    if isinstance(code, Ref):
        return code.path.startswith("django.db.migrations.") and code.path.endswith("RunPython.noop")
    return isinstance(code, Function) and (code.is_lazy or not _body(code))


def _refusal(code: Value) -> str:
    """Why a function stops before it does anything."""
    body = _body(code) if isinstance(code, Function) else []
    if not body or not isinstance(body[0], ast.Raise):
        return ""
    error = body[0].exc
    message = ""
    if isinstance(error, ast.Call):
        texts = [one.value for one in error.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        message = texts[0] if texts else ""
        error = error.func
    name = error.id if isinstance(error, ast.Name) else error.attr if isinstance(error, ast.Attribute) else "an error"
    return f"{name}: {shown(message)}" if message else name


def _body(function: Function) -> list[ast.stmt]:
    """The statements that do something and are reached."""
    found: list[ast.stmt] = []
    for one in function.body:
        if not _is_idle(one):
            found.append(one)
        if isinstance(one, (ast.Return, ast.Raise)):
            break
    return found


def _is_idle(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, (ast.Expr, ast.Return)):
        return statement.value is None or isinstance(statement.value, ast.Constant)
    return False


def together(ways: tuple[Way, ...]) -> Way:
    """Several operations as one, undone from the last to the first."""
    downs = [one.down for one in reversed(ways)]
    known = [steps for steps in downs if steps is not None]
    return Way(
        up=tuple(step for one in ways for step in one.up),
        down=tuple(step for steps in known for step in steps) if len(known) == len(downs) else None,
        refuses=next((one.refuses for one in reversed(ways) if one.refuses), ""),
    )


def _unread(what: str) -> Way:
    step = Step(effect="unknown", what=what)
    return Way(up=(step,), down=(step,))
