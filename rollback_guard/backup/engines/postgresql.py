"""PostgreSQL 14 and newer, backed up with its own programs and looked into through psycopg.

Scratch is a server of our own that nobody else can reach, or one that `GUARD_SCRATCH_POSTGRESQL` names, where a
database of a random name is made and dropped: a superuser of it is needed, since owners and grants are restored too.
"""

from __future__ import annotations

import getpass
import os
import secrets
import tempfile
from contextlib import ExitStack, contextmanager

from rollback_guard.backup.engines.postgresql_cluster import throwaway_cluster
from rollback_guard.backup.engines.postgresql_connection import (
    connect,
    explained,
    fixed,
    identity_of,
    literal,
    pin,
    rows_of,
    run,
    value_of,
)
from rollback_guard.backup.engines.postgresql_parameters import read_parameters
from rollback_guard.backup.engines.postgresql_programs import filled, find_programs, fitting, password_line
from rollback_guard.backup.engines.postgresql_restore import Made, Place, drop_database
from rollback_guard.backup.engines.postgresql_snapshot import HeldSnapshot, held_snapshot
from rollback_guard.backup.engines.postgresql_swap import exchange, maintenance, read_properties
from rollback_guard.errors import RefusedError, UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from typing import IO

    from rollback_guard.backup.engines.postgresql_connection import Connection
    from rollback_guard.backup.model import Identity
    from rollback_guard.backup.source import Source

SCRATCH = "GUARD_SCRATCH_POSTGRESQL"
_PREFIX = "guard_scratch_"


class PostgreSQL:
    """The engine `postgresql`."""

    name = "postgresql"
    suffix = ".dump"

    def __init__(self, source: Source) -> None:
        self._environ = source.environ
        self._text = source.text

    def _parameters(self) -> dict[str, str]:
        return read_parameters(self._text, self._environ)

    def identify(self) -> Identity:
        """Which one it is; asks it."""
        session = connect(self._parameters())
        try:
            with explained("asking the source who it is"):
                return identity_of(session)
        finally:
            session.close()

    def tools(self) -> tuple[tuple[str, str], ...]:
        """The pg_dump that takes a backup of this server, and the pg_restore that reads it."""
        major = int(self.identify().version.partition(".")[0])
        dump = fitting("pg_dump", major, self._environ)
        return (("pg_dump", dump.version), ("pg_restore", fitting("pg_restore", dump.major, self._environ).version))

    def snapshot(self) -> AbstractContextManager[HeldSnapshot]:
        """Hold a moment, by a session and a pg_dump that end with us."""
        return held_snapshot(self._parameters(), self._environ)

    @contextmanager
    def scratch(self, folder: str) -> Iterator[Made]:
        """A database for one restore. The source need not be there, unless scratch is a server that others use."""
        elsewhere = self._environ.get(SCRATCH, "")
        if elsewhere:
            with self._borrowed(elsewhere) as made:
                yield made
            return
        with ExitStack() as running:

            def start(major: int) -> Place:
                running.close()  # a server of another version
                cluster = running.enter_context(throwaway_cluster(folder, major, self._environ))
                return Place({**cluster, "dbname": "scratch"}, "postgres", self._environ, scratch=True, renew=start)

            yield Made(start(self._major()), "")

    def _major(self) -> int:
        """Which version scratch should have: the source's own, else, where nobody answers, the newest that is here."""
        every = [one.major for one in find_programs("initdb", self._environ)]
        try:
            return int(self.identify().version.partition(".")[0])
        except UndeterminedError:
            if not every:
                raise
            return max(every)

    @contextmanager
    def _borrowed(self, text: str) -> Iterator[Made]:
        source = self.identify()
        session = connect(read_parameters(text, self._environ), "the scratch server")
        try:
            with explained("looking at the scratch server"):
                scratch = identity_of(session)
                same = scratch.server == source.server and session.info.dbname == _name(self._parameters())
                if same or scratch.place == source.place:
                    raise RefusedError(
                        f"{SCRATCH} names the source itself",
                        remedy=f"unset {SCRATCH}, or have it name another server or database",
                    )
                name = _claimed(session)
            parameters = {**fixed(read_parameters(text, self._environ), session), "dbname": name}
            with tempfile.TemporaryFile() as passwords:
                passfile = _for_checks(passwords, parameters.get("password", ""))
                place = Place(parameters, session.info.dbname, self._environ, scratch=True, passfile=passfile)
                try:
                    yield Made(place, "")
                finally:
                    with explained("dropping the scratch database"):
                        drop_database(session, name)
        finally:
            session.close()

    def beside(self, name: str) -> Made:
        """An empty database like the source, on its server."""
        session = connect(self._parameters())
        try:
            source = session.info.dbname
            if name == source:
                raise RefusedError("the place beside the source is the source itself", remedy="choose another name")
            with explained("looking at the source"):
                options, properties = read_properties(session, source, name)
            place = Place({**fixed(self._parameters(), session), "dbname": name}, source, self._environ)
            return Made(place, options, properties)
        finally:
            session.close()

    def swap(self, beside: str, aside: str) -> float:
        """Exchange the names of databases."""
        parameters = self._parameters()
        return exchange(parameters, _name(parameters), beside, aside)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is in it."""
        parameters = self._parameters()
        if name == _name(parameters):
            raise RefusedError("what lies beside the source is the source itself", remedy="choose another name")
        session = maintenance(parameters, name)
        try:
            with explained("dropping a database"):
                drop_database(session, name)
        finally:
            session.close()


def _name(parameters: Mapping[str, str]) -> str:
    """Which database libpq takes, where nothing says it."""
    return parameters.get("dbname") or parameters.get("user") or getpass.getuser()


def _claimed(session: Connection) -> str:
    """A name for a scratch database, held by a lock of the session; what others left when they died goes.

    Locks are seen within one database, so the name says in which one.
    """
    pin(session)
    prefix = f"{_PREFIX}{value_of(session, 'SELECT oid FROM pg_database WHERE datname = current_database()')}_"
    query = f"SELECT datname FROM pg_database WHERE starts_with(datname, {literal(prefix)})"
    for (left,) in rows_of(session, query):
        key = _key(left, prefix)
        if key is not None and value_of(session, f"SELECT pg_try_advisory_lock({key})"):
            drop_database(session, left)
            run(session, f"SELECT pg_advisory_unlock({key})")
    name = prefix + secrets.token_hex(7)
    run(session, f"SELECT pg_advisory_lock({_key(name, prefix)})")
    return name


def _key(name: str, prefix: str) -> int | None:
    try:
        return int(name[len(prefix) :], 16)
    except ValueError:
        return None


def _for_checks(file: IO[bytes], password: str) -> str:
    """A password file without a name, as another process of ours can open it; "" where it needs none."""
    if not password or not os.path.isdir("/proc/self/fd"):
        return ""
    filled(file, password_line(password))
    return f"/proc/{os.getpid()}/fd/{file.fileno()}"
