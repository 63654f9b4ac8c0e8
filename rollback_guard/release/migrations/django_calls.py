"""What calls mean that a Django migration makes while it is loaded: it makes values, and should do nothing else.

Operations are read later, by `django_operations`, from what is found in the class `Migration`.
"""

from __future__ import annotations

from rollback_guard.release.migrations.python_reading import UNWRITTEN, Reading
from rollback_guard.release.migrations.python_values import (
    Arguments,
    Attribute,
    Class,
    Function,
    Made,
    Ref,
    Value,
    root_of,
    shown,
    words,
)

# What acts at once, by the beginning of its name.
_ACTS = (
    *("django.db.connection", "django.db.transaction", "django.db.router", "django.core.management", "django.apps"),
    *("django.setup", "os.system", "os.popen", "os.exec", "os.spawn", "os.remove", "os.unlink", "os.rename", "os.kill"),
    *("os.rmdir", "shutil.", "subprocess", "importlib", "sys.modules", "alembic", "sqlalchemy", "psycopg", "sqlite3"),
    *("MySQLdb", "pymysql", "atexit", "threading", "multiprocessing", "requests.", "urllib.", "ctypes", "runpy"),
)
_ACTING_METHODS = words(
    """
    aggregate bulk_create bulk_update callproc create cursor delete execute executemany get_or_create save
    schema_editor update update_or_create clear insert pop remove reverse sort discard write write_text
    write_bytes
    """
)
_LOGS = words("critical debug error exception info log warn warning filterwarnings simplefilter")


class Calls:
    """The meaning of calls in one file."""

    def call(self, target: Value, arguments: Arguments, run: Reading) -> Value:
        """What calling something gives; what acts by that is recorded."""
        if isinstance(target, Ref):
            name = target.last
            builtin = target.path.startswith("builtins.") and name not in (
                "open",
                "property",
                "super",
                "locals",
                "vars",
            )
            if builtin or target.path.startswith(_ACTS) or (name in _ACTING_METHODS and name != "create"):
                run.add("unknown", f"calls {shown(target)}")
        elif isinstance(target, Attribute):
            if target.name in _ACTING_METHODS or self._is_own(target):
                run.add("unknown", f"calls {target.name}()")
        elif not isinstance(target, Class):
            run.add("unknown", f"calls {shown(target)}")
        return Made(target, arguments)

    def _is_own(self, target: Attribute) -> bool:
        """Whether it is a method of a class of the file, which is not read."""
        begins = root_of(target.of)
        return isinstance(begins, Class) and isinstance(begins.members.get(target.name), Function)

    def assign(self, of: Value, name: str, value: Value, run: Reading) -> None:
        """An attribute is set on what is no class of the file: other code finds it different."""
        run.add("unknown", UNWRITTEN)

    def dropped(self, value: Value, run: Reading) -> None:
        """Something is called and nobody takes what it gives: it was called for what it does."""
        if isinstance(value, Made) and not (
            isinstance(value.target, (Ref, Attribute)) and shown(value.target) in _LOGS
        ):
            run.add("unknown", f"calls {shown(value.target)}")

    def settles(self, test: Value, *, strict: bool) -> bool:
        """No condition is known."""
        return False
