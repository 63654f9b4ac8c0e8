"""What a call in an Alembic migration means: which thing is called, and which module knows what that does.

A call that none knows is a step of effect "unknown"; so is handing an operation to something else that may call it.
"""

from __future__ import annotations

from rollback_guard.release.migrations.alembic_database import EXECUTES, method_steps, statement_steps
from rollback_guard.release.migrations.alembic_operations import operation
from rollback_guard.release.migrations.model import Step
from rollback_guard.release.migrations.python_operators import TEST
from rollback_guard.release.migrations.python_reading import UNWRITTEN, Reading
from rollback_guard.release.migrations.python_values import (
    Arguments,
    Attribute,
    Class,
    Function,
    Made,
    Opaque,
    Ref,
    Value,
    root_of,
    shown,
    words,
)
from rollback_guard.release.migrations.sql import read_steps

_OP = "alembic.op."
_BATCH = Ref("alembic.op.batch_alter_table")
_OFFLINE = Ref("alembic.context.is_offline_mode")
_CONTEXT = frozenset(
    ["begin_transaction", "config", "get_bind", "get_context", "get_tag_argument", "get_x_argument", "is_offline_mode"]
)
# Libraries that touch no database, by the beginning of their names.
_HARMLESS = (
    *("sqlalchemy.", "sqlmodel.", "sqlalchemy_utils.", "geoalchemy2.", "pgvector.", "logging.", "datetime.", "uuid."),
    *("json.", "decimal.", "re.", "typing.", "collections.", "itertools.", "time.", "textwrap.", "enum.", "string."),
    *("hashlib.", "secrets.", "random.", "math.", "os.path.", "os.environ.get", "os.getenv", "warnings.", "copy."),
    *("pathlib.", "base64.", "sys.stdout.", "sys.stderr.", "operator.", "urllib.parse."),
)
_MODULES = ("alembic.op.", "alembic.context.", "alembic.command.", "alembic.operations.")
_ACTS = words("create create_all delete drop drop_all")
_LOGS = words("critical debug error exception info log warn warning")


class Calls:
    """The meaning of calls in one migration. `dialects`: the databases that the way forward asks for by name."""

    def __init__(self) -> None:
        self.dialects: set[str] = set()
        self._sql: dict[str, tuple[Step, ...]] = {}  # a loop may execute one text many times
        self._created: set[str] = set()  # tables that this migration made, in which there can be no old rows

    def begin(self) -> None:
        """Another way is read."""
        self._created.clear()

    def call(self, target: Value, arguments: Arguments, run: Reading) -> Value:
        """What calling something gives; what it does is recorded."""
        result = Made(target, arguments)
        if isinstance(target, (Ref, Attribute)) and shown(target) == "f" and len(arguments.positional) == 1:
            return arguments.positional[0]  # a name that needs no convention
        if isinstance(target, Ref) and target.path.startswith(_OP):
            self._operation(target.path[len(_OP) :], arguments, None, run)
        elif isinstance(target, Attribute) and isinstance(target.of, Made) and target.of.target == _BATCH:
            self._operation(target.name, arguments, target.of.arguments.get(0, "table_name"), run)
        elif isinstance(target, Attribute):
            self._method(target, arguments, run)
        elif isinstance(target, Ref):
            self._imported(target, arguments, run)
        elif not isinstance(target, Class) and not _is_harmless(root_of(target)):
            run.add("unknown", f"calls {shown(target)}, which is not read")
        return result

    def _operation(self, name: str, arguments: Arguments, batch: Value, run: Reading) -> None:
        first = arguments.positional[0] if arguments.positional else arguments.get(None, "sqltext")
        if name == "execute":
            self._created.clear()  # it may have renamed something
            self._record(statement_steps(first, self._read_sql), run)
            return
        if name == "bulk_insert":
            table = shown(_table(first))
            new = table in self._created
            run.add("expand" if new else "change", f"inserts rows into {table}")
            return
        steps = operation(name, arguments, batch)
        if steps is None:
            run.add("unknown", f"calls op.{name}, which is not read")
            return
        if name == "create_table" and isinstance(first, str) and not run.unsure:
            self._created.add(first)
        elif name == "rename_table":
            self._created.clear()
        self._record(steps, run)

    def _method(self, target: Attribute, arguments: Arguments, run: Reading) -> None:
        if target.name in EXECUTES:
            self._created.clear()
        steps = method_steps(target.of, target.name, arguments, self._read_sql)
        if steps is None:
            run.add("unknown", f"calls {shown(target)}(), which is not read")
        else:
            self._record(steps, run)
        _refuse_handing(target, arguments, run)

    def _imported(self, target: Ref, arguments: Arguments, run: Reading) -> None:
        path = target.path
        if path.startswith("alembic.context."):
            name = path.rpartition(".")[2]
            if name == "execute":
                self._record(statement_steps(arguments.get(0, "sql"), self._read_sql), run)
            elif name not in _CONTEXT:
                run.add("unknown", f"calls context.{name}, which is not read")
        elif path == "builtins.print" or _is_harmless(target):
            if not path.startswith("sqlalchemy."):
                _refuse_handing(target, arguments, run)
        elif target.last[:1].isupper() and not path.startswith(("alembic.", "builtins.")):
            _refuse_handing(target, arguments, run)  # a type, mostly; `dropped` sees where it is made for itself
        elif target.last in _LOGS:
            _refuse_handing(target, arguments, run)
        else:
            run.add("unknown", f"calls {path if len(path) <= 60 else target.last}, which is not read")

    def _read_sql(self, text: str) -> tuple[Step, ...]:
        if text not in self._sql:
            self._sql[text] = read_steps(text)
        return self._sql[text]

    def _record(self, steps: tuple[Step, ...], run: Reading) -> None:
        for step in steps:
            run.add(step.effect, step.what)

    def assign(self, of: Value, name: str, value: Value, run: Reading) -> None:
        """An attribute is set: a row's, or something that other code then finds different."""
        if isinstance(root_of(of), (Opaque, Class)):
            run.add("destroy", f"sets {name} of what it found")
        else:
            run.add("unknown", UNWRITTEN)

    def dropped(self, value: Value, run: Reading) -> None:
        """Something of another library is made and nobody takes it: it was made for what making it does."""
        if isinstance(value, Made) and isinstance(value.target, Ref):
            path = value.target.path
            known = path.startswith(("alembic.", "builtins.")) or _is_harmless(value.target)
            if not known and value.target.last[:1].isupper():
                run.add("unknown", f"makes {value.target.last}, which is not read")

    def settles(self, test: Value, *, strict: bool) -> bool:
        """Whether a condition asks for the database's kind, as the way forward did."""
        if test == Made(_OFFLINE, Arguments()):
            return True
        names: set[str] = set()
        if not _asks_dialect(test, names):
            return False
        if not strict:
            self.dialects |= names
        return bool(names) and names <= self.dialects


def _is_harmless(value: Value) -> bool:
    return isinstance(value, Ref) and value.path.startswith(_HARMLESS)


def _refuse_handing(target: Value, arguments: Arguments, run: Reading) -> None:
    """Whoever is handed a function may call it."""
    for one in arguments.values:
        acts = isinstance(one, Ref) and f"{one.path}.".startswith(_MODULES)
        if isinstance(one, Attribute):
            of_batch = isinstance(one.of, Made) and one.of.target == _BATCH
            acts = of_batch or one.name in EXECUTES or one.name in _ACTS
        if isinstance(one, Function) or acts:
            run.add("unknown", f"hands {shown(one)} to {shown(target)}")


def _table(value: Value) -> Value:
    """The name of a table that is given as a name or as what `sa.table("name", …)` makes."""
    if isinstance(value, Made) and value.arguments.positional:
        return value.arguments.positional[0]
    return value.name if isinstance(value, Class) else value


def _asks_dialect(test: Value, names: set[str]) -> bool:
    """Whether all that a condition looks at are names and the present database's kind; the names are gathered."""
    waiting = [test]
    seen: set[int] = set()  # parts may be shared many times over
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        kind = one.of if isinstance(one, Attribute) and one.name == "name" else None
        if isinstance(one, str):
            names.add(one)
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, Made) and one.target == TEST:
            waiting += one.arguments.positional
        elif not isinstance(kind, Attribute) or kind.name not in ("dialect", "engine"):
            return False
    return True
