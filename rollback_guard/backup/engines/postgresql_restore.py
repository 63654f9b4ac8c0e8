"""Databases that are made for a backup: like the one that it is of, empty, filled by pg_restore, swapped by rename."""

from __future__ import annotations

import re
import subprocess
import tempfile
from typing import Callable, NamedTuple, Optional

from rollback_guard.backup.engines.postgresql_archive import read_head, read_options, read_roles
from rollback_guard.backup.engines.postgresql_connection import (
    connect,
    explained,
    identifier,
    identity_of,
    literal,
    pin,
    rows_of,
    run,
)
from rollback_guard.backup.engines.postgresql_failures import failure
from rollback_guard.backup.engines.postgresql_fingerprint import collect_fingerprint
from rollback_guard.backup.engines.postgresql_parameters import place_of
from rollback_guard.backup.engines.postgresql_programs import fitting, reaching
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO, BinaryIO

    from rollback_guard.backup.engines.postgresql_archive import Head
    from rollback_guard.backup.engines.postgresql_connection import Connection
    from rollback_guard.backup.engines.postgresql_programs import Reached
    from rollback_guard.backup.model import Fingerprint, Identity

_CHUNK = 1 << 20
_MAJOR = re.compile(r"\d+")
_ENCODING = re.compile(r"ENCODING = ('[^']*')")


class Place(NamedTuple):
    """Where a database is made, and how.

    `parameters`: as libpq has them, `dbname` the new one. `through`: the database of that server from which it is made.
    `renew`: for a server of our own, on which anything may be done: starts one of another version instead. `passfile`:
    for checks, where they need one.
    """

    parameters: dict[str, str]
    through: str
    environ: Mapping[str, str]
    scratch: bool = False
    renew: Optional[Callable[[int], Place]] = None
    passfile: str = ""


class Made:
    """The engine's `Target`."""

    def __init__(self, place: Place, options: str, properties: Sequence[str] = ()) -> None:
        self._options = options
        self._properties = properties  # statements that make it like the source, once it is filled
        self.name = place.parameters["dbname"]
        self._make(place)

    def _make(self, place: Place) -> None:
        self._place = place
        create_database(place, self._options)
        session = connect(place.parameters, "the new database")
        with explained("looking at the new database"):
            self.identity: Identity = identity_of(session)
        session.close()

    def restore(self, stream: BinaryIO) -> None:
        """Fill it. Whatever goes wrong, it is empty again. Raises: UndeterminedError."""
        head = read_head(stream)
        try:
            self._prepare(head)
            self._fill(head, stream)
            for statement in self._properties:
                self._maintain(statement)
        except UndeterminedError as error:
            try:
                create_database(self._place, self._options)
            except UndeterminedError:  # the server is gone, and what went wrong first is the reason
                pass
            raise error from None

    def _prepare(self, head: Head) -> None:
        if not self._place.scratch:
            return
        major = _major(head.server)
        if major != _major(self.identity.version):  # which writes a definition in other words
            if self._place.renew is None:
                raise UndeterminedError(
                    f"the backup is of PostgreSQL {major}, the scratch server is {self.identity.version}",
                    remedy=f"name a server of PostgreSQL {major} as scratch, or none: one is started then",
                )
            self._make(self._place.renew(major))
        create_database(self._place, read_options(head))
        session = connect({**self._place.parameters, "dbname": self._place.through}, "the scratch server")
        try:
            with explained("looking at the scratch server"):
                here = {name for (name,) in rows_of(session, "SELECT rolname FROM pg_catalog.pg_roles")}
                missing = sorted(read_roles(head) - here)
                if missing and self._place.renew is None:
                    raise UndeterminedError(
                        f"the scratch server lacks roles that the backup speaks of: {', '.join(missing)}",
                        remedy="; ".join(f"CREATE ROLE {identifier(one)} NOLOGIN" for one in missing),
                    )
                for one in missing:  # of a server that is thrown away: an owner of anything must be able to own it
                    run(session, f"CREATE ROLE {identifier(one)} NOLOGIN SUPERUSER")
        finally:
            session.close()

    def _fill(self, head: Head, stream: BinaryIO) -> None:
        program = fitting("pg_restore", _major(head.program), self._place.environ)
        command = [program.path, "--exit-on-error", "--no-password", "--format=custom"]
        # A server has a few thousand locks for one transaction, ours has more.
        if self._place.renew is not None or len(head.entries) < 1000:
            command.append("--single-transaction")
        if self._place.scratch:
            command += ["--no-tablespaces", "--no-subscriptions"]
        with reaching(self._place.parameters, self._place.environ) as reached, tempfile.TemporaryFile() as said:
            status, whole = _piped(command, reached, head.raw, stream, said)
            if status or not whole:
                said.seek(0)
                raise failure("pg_restore", status, said.read())

    def _maintain(self, statement: str) -> None:
        session = connect({**self._place.parameters, "dbname": self._place.through}, "the server")
        try:
            with explained("giving the new database the properties of the source"):
                run(session, statement)
        finally:
            session.close()

    def fingerprint(self) -> Fingerprint:
        """What is in it now. Raises: UndeterminedError."""
        session = connect(self._place.parameters, "the restored database")
        try:
            with explained("reading the restored database"):
                pin(session)
                run(session, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return collect_fingerprint(session)
        finally:
            session.close()

    def parameters(self) -> dict[str, str]:
        """How it is reached; a password may be in it."""
        return dict(self._place.parameters)

    def environment(self) -> dict[str, str]:
        """What a check needs to reach it: a URL, and libpq's own variables. A password stands in a file alone."""
        own = self._place.parameters
        found = {
            "GUARD_SCRATCH": place_of(own["host"], own["port"], self.name, own["user"]),
            "PGHOST": own["host"],
            "PGPORT": own["port"],
            "PGUSER": own["user"],
            "PGDATABASE": self.name,
        }
        return {**found, "PGPASSFILE": self._place.passfile} if self._place.passfile else found


def _major(version: str) -> int:
    found = _MAJOR.match(version)
    return 0 if found is None else int(found[0])


def _piped(command: list[str], reached: Reached, head: bytes, stream: BinaryIO, said: IO[bytes]) -> tuple[int, bool]:
    """Give a program all of a stream: its status, and whether it took all of it."""
    with subprocess.Popen(
        [*command, f"--dbname={reached.connection}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=said,
        env={**reached.environ, "PGOPTIONS": "-c default_transaction_read_only=off -c row_security=off"},
        pass_fds=reached.files,
    ) as process:
        assert process.stdin is not None
        whole = True
        try:
            process.stdin.write(head)
            while chunk := stream.read(_CHUNK):
                process.stdin.write(chunk)
            process.stdin.close()
        except BrokenPipeError:
            whole = False
        except BaseException:
            process.kill()
            raise
        return process.wait(), whole


def create_database(place: Place, options: str) -> None:
    """Make a database anew, by `CREATE DATABASE … WITH` these options. Raises: UndeterminedError."""
    import psycopg

    name = place.parameters["dbname"]
    session = connect({**place.parameters, "dbname": place.through}, "the server")
    try:
        with explained("making a database"):
            drop_database(session, name)
            try:
                run(session, f"CREATE DATABASE {identifier(name)} WITH {options or 'TEMPLATE = template0'}")
            except (psycopg.errors.WrongObjectType, psycopg.errors.FeatureNotSupported):
                encoding = _ENCODING.search(options)
                if not place.scratch or encoding is None:
                    raise
                # A locale that is not here: the order of text is another one, and no value is.
                plain = f"TEMPLATE = template0 ENCODING = {encoding[1]} LOCALE = 'C'"
                run(session, f"CREATE DATABASE {identifier(name)} WITH {plain}")
    finally:
        session.close()


def drop_database(session: Connection, name: str) -> None:
    """Remove a database of that name, whoever is in it, if there is one."""
    query = f"SELECT datistemplate FROM pg_catalog.pg_database WHERE datname = {literal(name)}"
    for (template,) in rows_of(session, query):
        if template:
            run(session, f"ALTER DATABASE {identifier(name)} IS_TEMPLATE false")
        run(session, f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)")
