"""Which engine a policy's word means; each is imported when one of its kind is backed up."""

from __future__ import annotations

import importlib

from rollback_guard.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.backup.engine import Engine
    from rollback_guard.backup.source import Source

ENGINES = {
    "directory": "Directory",
    "mariadb": "MariaDB",
    "postgresql": "PostgreSQL",
    "sqlite": "SQLite",
}


def open_engine(name: str, source: Source) -> Engine:
    """The engine of a source. Raises: UsageError for a word that no policy can hold, or a source that it cannot be."""
    if name not in ENGINES:
        raise UsageError(f"there is no engine {name}", remedy=f"engine is one of {', '.join(sorted(ENGINES))}")
    module = importlib.import_module(f"rollback_guard.backup.engines.{name}")
    engine: Engine = getattr(module, ENGINES[name])(source)
    return engine
