"""MariaDB and MySQL as an engine of backups. What it does is in the modules `mariadb_…` beside it."""

from __future__ import annotations

import re
from contextlib import contextmanager

from rollback_guard.backup.engines import mariadb_journal, mariadb_swap
from rollback_guard.backup.engines.mariadb_address import read_address
from rollback_guard.backup.engines.mariadb_connection import identify, session
from rollback_guard.backup.engines.mariadb_programs import find_program
from rollback_guard.backup.engines.mariadb_restore import MariaDBTarget
from rollback_guard.backup.engines.mariadb_scratch import open_scratch
from rollback_guard.backup.engines.mariadb_snapshot import hold_snapshot
from rollback_guard.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from rollback_guard.backup.engines.mariadb_snapshot import MariaDBSnapshot
    from rollback_guard.backup.model import Identity
    from rollback_guard.backup.source import Source

_NAME = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)


class MariaDB:
    """One database on a MariaDB or MySQL server; see `rollback_guard.backup.engine`."""

    name = "mariadb"
    suffix = ".sql"

    def __init__(self, source: Source) -> None:
        self._environ = source.environ
        self._address = read_address(source)

    def identify(self) -> Identity:
        """Which one it is. `server`: MySQL's own UUID; of a MariaDB a digest of what tells it from its copies."""
        with session(self._address) as opened:
            return identify(opened)

    def tools(self) -> Sequence[tuple[str, str]]:
        """The dump program and the client program, each with its version."""
        found = (find_program(kind, self._address.dialect, self._environ) for kind in ("dump", "client"))
        return tuple((one.name, one.version) for one in found)

    @contextmanager
    def snapshot(self) -> Iterator[MariaDBSnapshot]:
        """Hold a moment."""
        program = find_program("dump", self._address.dialect, self._environ)
        with hold_snapshot(self._address, program, self._environ) as found:
            yield found

    def scratch(self, folder: str) -> AbstractContextManager[MariaDBTarget]:
        """A database for a try, gone afterwards."""
        return open_scratch(self._address, folder, self._environ)

    def beside(self, name: str) -> MariaDBTarget:
        """An empty database of that name on the source's server."""
        address = self._address.at(self._checked(name))
        with session(self._address) as opened:
            mariadb_journal.make_empty(opened, address.database)
        return MariaDBTarget(address, self._environ, held=True)

    def swap(self, beside: str, aside: str) -> float:
        """Put `beside` in the source's place, and the source at `aside`."""
        return mariadb_swap.swap(self._address, self._checked(beside), self._checked(aside))

    def drop(self, name: str) -> None:
        """Remove a database that was made by `beside` or left by `swap`."""
        with session(self._address, database=False) as opened:
            mariadb_journal.drop(opened, self._checked(name))

    def _checked(self, name: str) -> str:
        if not _NAME.fullmatch(name) or name.lower() == self._address.database.lower():
            raise UsageError(
                f"{name!r} cannot be the name of a database beside the source", remedy="use letters, digits and _"
            )
        return name
