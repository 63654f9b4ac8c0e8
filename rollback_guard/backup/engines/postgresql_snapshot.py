"""A moment of a PostgreSQL database, held by one session: what is dumped and what is fingerprinted are the same.

All tables are locked against changes of the schema before the snapshot is taken, in the mode in which pg_dump itself
locks them: `TRUNCATE` and some forms of `ALTER TABLE` empty a table for older snapshots too.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from contextlib import contextmanager

from rollback_guard.backup.engines.postgresql_archive import read_head, read_sequences
from rollback_guard.backup.engines.postgresql_connection import (
    connect,
    explained,
    fixed,
    meaning_of,
    pin,
    rows_of,
    run,
    value_of,
)
from rollback_guard.backup.engines.postgresql_failures import failure
from rollback_guard.backup.engines.postgresql_fingerprint import collect_fingerprint
from rollback_guard.backup.engines.postgresql_programs import fitting, reaching
from rollback_guard.backup.engines.postgresql_relations import LOCKED
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO, BinaryIO

    from rollback_guard.backup.engines.postgresql_archive import Head
    from rollback_guard.backup.engines.postgresql_connection import Connection
    from rollback_guard.backup.model import Fingerprint

LOCK_WAIT = 30_000  # milliseconds for which a lock is waited for
SAFE_WAIT = 10_000  # milliseconds for which a moment is waited for in which nobody's serializable transaction runs
OLDEST = 14  # major version whose catalogs are understood
_TRIES = 5  # to lock what there is, while tables come and go
_CHUNK = 1 << 20
_STRICT = "SERIALIZABLE READ ONLY DEFERRABLE"
_PLAIN = "REPEATABLE READ READ ONLY"
# Both on a primary and on a standby.
_POSITION = """SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
  ELSE pg_catalog.pg_current_wal_lsn() END::text"""
_TIMELINE = "SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()"
_HOLDERS = """SELECT DISTINCT format('%s is locked by process %s', c.oid::regclass, l.pid)
  FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid()
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) LIMIT 3"""


class HeldSnapshot:
    """The engine's `Snapshot`: a keeper session, and a pg_dump that has told what it is about to write."""

    concurrent = True  # pg_dump has a session of its own

    def __init__(self, keeper: Connection, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        self._keeper = keeper
        self._process = process
        self._said = said
        self._head: Head | None = None
        self.position = ""
        self.moment = 0.0

    def begin(self, moment: float, position: str) -> None:
        """Have pg_dump come to where the data begins; sequences are as it saw them from then on."""
        self.moment, self.position = moment, position
        assert self._process.stdout is not None
        try:
            self._head = read_head(self._process.stdout)  # type: ignore[arg-type]
        except UndeterminedError:
            self._end()  # says why, if it is pg_dump that has failed
            raise

    def dump(self, sink: BinaryIO) -> None:
        """Write the archive. Raises: UndeterminedError."""
        assert self._process.stdout is not None
        assert self._head is not None
        sink.write(self._head.raw)
        while chunk := self._process.stdout.read(_CHUNK):
            sink.write(chunk)
        self._end()

    def fingerprint(self) -> Fingerprint:
        """What is in it. Raises: UndeterminedError."""
        assert self._head is not None
        return collect_fingerprint(self._keeper, read_sequences(self._head))

    def _end(self) -> None:
        status = self._process.wait()
        if status:
            self._said.seek(0)
            raise failure("pg_dump", status, self._said.read())


@contextmanager
def held_snapshot(parameters: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[HeldSnapshot]:
    """Hold a moment until the context ends; the session goes, and pg_dump with it, however that happens."""
    keeper = connect(parameters)
    try:
        major = keeper.info.server_version // 10000
        if major < OLDEST:
            raise UndeterminedError(
                f"the server is PostgreSQL {major}; {OLDEST} is the oldest that can be backed up",
                remedy=f"upgrade the server to PostgreSQL {OLDEST} or newer",
            )
        program = fitting("pg_dump", major, environ)
        with explained("taking a snapshot"):
            pin(keeper)
            moment, name = _exported(keeper)
            position = _position(keeper)
        command = [program.path, "--format=custom", "--compress=0", "--create", "--no-password"]
        command += [f"--snapshot={name}", f"--lock-wait-timeout={LOCK_WAIT}"]
        # else a session's own encoding counts, which may not hold what is in the database
        command.append(f"--encoding={keeper.info.parameter_status('server_encoding')}")
        with (
            reaching(fixed(parameters, keeper), environ) as reached,
            tempfile.TemporaryFile() as said,
            subprocess.Popen(
                [*command, f"--dbname={reached.connection}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                env=reached.environ,
                pass_fds=reached.files,
            ) as process,
        ):
            try:
                snapshot = HeldSnapshot(keeper, process, said)
                snapshot.begin(moment, position)
                yield snapshot
            finally:
                process.kill()
    finally:
        keeper.close()


def _exported(keeper: Connection) -> tuple[float, str]:
    """Begin a transaction whose snapshot other sessions can see: when it was, by our clock, and its name."""
    import psycopg

    isolation, before = _STRICT, list(rows_of(keeper, LOCKED))
    for _ in range(_TRIES):
        run(keeper, f"BEGIN ISOLATION LEVEL {isolation}")
        try:
            _lock(keeper, [name for name, _ in before])
            run(keeper, f"SET LOCAL statement_timeout = {SAFE_WAIT if isolation is _STRICT else 0}")
            moment = time.time()
            name = str(value_of(keeper, "SELECT pg_catalog.pg_export_snapshot()"))
            run(keeper, "SET LOCAL statement_timeout = 0")
            after = list(rows_of(keeper, LOCKED))
            if after == before:
                return moment, name
            run(keeper, "ROLLBACK")
        except (psycopg.errors.QueryCanceled, psycopg.errors.FeatureNotSupported):
            run(keeper, "ROLLBACK")  # no such moment came, or a standby has none: the ordinary kind is consistent too
            isolation = _PLAIN
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            run(keeper, "ROLLBACK")
        except psycopg.errors.LockNotAvailable as error:
            run(keeper, "ROLLBACK")
            holders = "; ".join(text for (text,) in rows_of(keeper, _HOLDERS))
            found = meaning_of(error, "taking a snapshot")
            raise UndeterminedError(
                f"{found.message}: {holders}" if holders else found.message, remedy=found.remedy
            ) from None
        before = list(rows_of(keeper, LOCKED))
    raise UndeterminedError(
        "the schema of the source keeps changing: no snapshot could be taken", remedy="do it again after the migration"
    )


def _lock(keeper: Connection, tables: list[str]) -> None:
    if tables:  # before the snapshot, which the first query takes
        run(keeper, f"SET LOCAL lock_timeout = {LOCK_WAIT}")
        run(keeper, f"LOCK TABLE {', '.join(tables)} IN ACCESS SHARE MODE")


def _position(keeper: Connection) -> str:
    import psycopg

    lsn = value_of(keeper, _POSITION)
    try:
        with keeper.transaction():
            return f"LSN {lsn}, timeline {value_of(keeper, _TIMELINE)}"
    except psycopg.errors.InsufficientPrivilege:
        return f"LSN {lsn}"
