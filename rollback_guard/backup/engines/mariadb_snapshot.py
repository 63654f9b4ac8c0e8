"""One moment of a MariaDB or MySQL database, of which a dump and a fingerprint are both taken.

A keeper locks the database's tables for reading, so that nobody commits to them. Meanwhile two transactions begin with
a consistent snapshot: that of the fingerprint, and that of the dump program, which says on stderr when it has begun to
read. Then the keeper lets go, after tens of milliseconds. The lock reaches no other database and needs no privilege
over the server. Tables of an engine without snapshots (MyISAM, Aria, MEMORY) stay locked until the backup is done.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

from rollback_guard.backup.engines.mariadb_connection import (
    DENIED,
    NO_LIMIT,
    ServerError,
    explain,
    grant,
    identifier,
    read_pairs,
    session,
)
from rollback_guard.backup.engines.mariadb_definitions import render_script
from rollback_guard.backup.engines.mariadb_dump import TRAILER, Dump, dumping, rounded
from rollback_guard.backup.engines.mariadb_fingerprint import (
    collect_counters,
    collect_declared,
    collect_fingerprint,
)
from rollback_guard.backup.engines.mariadb_privileges import check_sight
from rollback_guard.backup.engines.mariadb_programs import fitting
from rollback_guard.backup.engines.mariadb_tables import collect_tables, render_rows
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

    from rollback_guard.backup.engines.mariadb_address import Address
    from rollback_guard.backup.engines.mariadb_connection import Session
    from rollback_guard.backup.engines.mariadb_fingerprint import Counters, Declared
    from rollback_guard.backup.engines.mariadb_programs import Program
    from rollback_guard.backup.engines.mariadb_tables import Table
    from rollback_guard.backup.model import Fingerprint

LOCK_WAIT = 10  # seconds for which writers may wait for the keeper, and the keeper for them
_SETTINGS = b"""
SET NAMES utf8mb4;
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', foreign_key_checks = 0, unique_checks = 0;
/*M!100300 SET SESSION system_versioning_alter_history = KEEP */;
/*M!101100 SET SESSION system_versioning_insert_history = 1 */;
"""


class MariaDBSnapshot:
    """A moment that is held. `position`: of the binary log, or that there is none."""

    concurrent = False  # the end of a dump is read in the session of the fingerprint

    def __init__(self, reader: Session, child: Dump, declared: Declared, counters: Counters) -> None:
        self.moment = child.moment
        self.position = _position(reader)
        self._reader = reader
        self._child = child
        self._declared = declared
        self._counters = counters

    def dump(self, sink: BinaryIO) -> None:
        """Write what the dump program says, and after it what it does not keep; its last line is the last one."""
        self._child.copy(sink)
        for part in self._rest():
            sink.write(part)
        sink.write(TRAILER)

    def fingerprint(self) -> Fingerprint:
        """What was in it then. Raises: UndeterminedError where something was declared anew since."""
        found = collect_fingerprint(self._reader, self._declared, self._counters)
        if collect_declared(self._reader).items != self._declared.items:
            raise explain(1412, self._reader.address)
        return found

    def _rest(self) -> Iterator[bytes]:
        """The database's own settings, rows that the program would round, counters of that moment, and code."""
        reader, declared = self._reader, self._declared
        collation = str(reader.value("SELECT @@collation_database"))
        yield _SETTINGS + f"ALTER DATABASE COLLATE {collation};\n".encode()
        for table in declared.tables:
            if rounded(table, reader.address):
                yield from render_rows(reader, table)
            if table.transactional and table.name in self._counters.tables:
                number = self._counters.tables[table.name]
                yield f"ALTER TABLE {identifier(table.name)} AUTO_INCREMENT = {number};\n".encode()
        for name, number in self._counters.sequences.items():
            yield f"ALTER SEQUENCE {identifier(name)} RESTART {number};\n".encode()
        yield from render_script(declared.definitions, reader.address.dialect, collation)


@contextmanager
def hold_snapshot(address: Address, program: Program, environ: Mapping[str, str]) -> Iterator[MariaDBSnapshot]:
    """Hold a moment of the database. Raises: UndeterminedError where this user cannot see or lock all of it."""
    with ExitStack() as stack:
        reader = stack.enter_context(session(address))
        fitting(program, str(reader.value("SELECT VERSION()")))
        check_sight(reader)
        if reader.limit != NO_LIMIT:  # which the dump program does not lift
            raise UndeterminedError(
                f"sessions of {address.place} begin with sql_select_limit = {reader.limit}, which cuts off any dump",
                remedy=f"SET GLOBAL sql_select_limit = {NO_LIMIT}",
            )
        kept, keeper = stack.enter_context(session(address)), stack.enter_context(session(address))
        tables = _lock(reader, kept, keeper)
        reader.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.run("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        child = stack.enter_context(dumping(address, tables, _views(reader), program, environ))
        child.begun()
        counters = collect_counters(reader, tables)
        keeper.run("UNLOCK TABLES")
        yield MariaDBSnapshot(reader, child, collect_declared(reader), counters)


def _views(reader: Session) -> list[str]:
    found = reader.rows("SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()")
    return [str(row[0]) for row in found]


def _lock(reader: Session, kept: Session, keeper: Session) -> tuple[Table, ...]:
    """The tables, locked: by `kept` those that have no snapshots, by `keeper` all others."""
    while True:
        tables = collect_tables(reader)
        for one, snapshots in ((kept, False), (keeper, True)):
            one.run(f"SET SESSION lock_wait_timeout = {LOCK_WAIT}")
            names = [identifier(table.name) for table in tables if table.transactional == snapshots]
            if names:
                try:
                    one.run("LOCK TABLES " + ", ".join(f"{name} READ" for name in names))
                except ServerError as error:
                    raise _unlocked(error, reader.address) from None
        if [one[:3] for one in collect_tables(reader)] == [one[:3] for one in tables]:
            return collect_tables(reader)
        kept.run("UNLOCK TABLES")
        keeper.run("UNLOCK TABLES")


def _unlocked(error: ServerError, address: Address) -> UndeterminedError:
    if error.code not in DENIED:
        return error
    return UndeterminedError(
        f"{address.place} does not let this user lock its tables, without which a backup is not of one moment",
        remedy=grant(address, ("LOCK TABLES", "SELECT")),
    )


def _position(reader: Session) -> str:
    """Where the binary log was at the reader's snapshot."""
    found = read_pairs(reader.rows("SHOW STATUS LIKE 'binlog_snapshot_%'"))
    file = found.get("Binlog_snapshot_file", "")
    if not file:
        return "no binary log"
    place = f"{file}:{found['Binlog_snapshot_position']}"
    gtid = reader.value(f"SELECT BINLOG_GTID_POS({reader.quote(file)}, {int(found['Binlog_snapshot_position'])})")
    return f"{place}, GTID {gtid}" if gtid else place
