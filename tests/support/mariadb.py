"""A real MariaDB, reached by a socket alone, for as long as the tests run; and databases on it with everything in them.

A server is started once in a process. It ends with it, however that ends: a shell waits for its end of a pipe.
"""

from __future__ import annotations

import atexit
import itertools
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

import pymysql

from rollback_guard.backup.engines.mariadb import MariaDB
from rollback_guard.backup.engines.mariadb_address import Address
from rollback_guard.backup.engines.mariadb_connection import connect
from rollback_guard.backup.source import Source
from rollback_guard.errors import UndeterminedError
from tests.support.requirements import require

INSTALL = "sudo apt-get install mariadb-server"
CANARY = "canary-p4ssw0rd \\\"'#;%é"
_WATCH = 'folder=$1; shift; "$@" </dev/null & server=$!; cat >/dev/null; kill $server; wait $server; rm -rf "$folder"'
_NUMBERS = itertools.count(1)
_OPTIONS = (
    *("--no-defaults", "--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"),
    *(
        "--sync-frm=OFF",
        "--loose-innodb-flush-method=nosync",
        "--sync-binlog=0",
        "--log-bin=binlog",
        "--server-id=1",
        "--log-bin-trust-function-creators=1",
    ),
    *("--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M", "--performance-schema=OFF"),
)


class Server(NamedTuple):
    """Where it is, and its administrator."""

    folder: str
    address: Address

    def run(self, *statements: str | bytes, database: str = "") -> None:
        """As the administrator, in one ordinary session."""
        with opened(self, database) as connection:
            for one in statements:
                connection.query(one)

    def environ(self) -> dict[str, str]:
        """What an engine sees of the environment."""
        return {"PATH": os.environ.get("PATH", os.defpath)}


@lru_cache
def server(name: str = "source") -> Server:
    """The server of that name, started if it is not."""
    daemon = require("mariadbd", install=INSTALL) if os.path.exists("/usr/sbin/mariadbd") else ""
    install = require("mariadb-install-db", install=INSTALL)
    daemon = daemon or require("mariadbd", install=INSTALL)
    folder = tempfile.mkdtemp(prefix=f"guard-{name}-", dir="/tmp")
    # In a shared folder for temporary tables, one server that starts removes those of all others.
    paths = [f"--datadir={folder}/data", f"--tmpdir={folder}", *(["--user=root"] if os.geteuid() == 0 else [])]
    subprocess.run(
        [install, "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", *paths],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    socket = f"{folder}/s"
    with open(f"{folder}/log", "wb") as log:
        _CHILDREN.append(
            subprocess.Popen(
                ["/bin/sh", "-c", _WATCH, "guard", folder, daemon, *_OPTIONS, *paths, f"--socket={socket}"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        )
    address = Address("mariadb", "root", "", "localhost", 0, socket, "")
    for _ in range(1000):
        try:
            connect(address, database=False).close()
        except UndeterminedError:
            time.sleep(0.03)
        else:
            return Server(folder, address)
    raise AssertionError(f"the server in {folder} does not start")


_CHILDREN: list[subprocess.Popen[bytes]] = []


@atexit.register
def _stop() -> None:
    for child in _CHILDREN:
        with child:  # closes the pipe, and waits for the shell to stop the server
            pass


def new_name() -> str:
    """Of a database that no other test has."""
    return f"shop_{next(_NUMBERS)}"


def url_of(where: Server, database: str, user: str = "root", password: str = "") -> str:
    """A source's text."""
    whole = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    return f"mariadb://{whole}@/{quote(database, safe='')}?socket={quote(where.address.socket, safe='')}"


def engine_of(text: str, **environ: str) -> MariaDB:
    """An engine, as a policy's source makes it."""
    return MariaDB(Source(text, "$SHOP", {"PATH": os.environ.get("PATH", os.defpath), **environ}, "/"))


def rows_of(where: Server, database: str, statement: str) -> list[tuple[object, ...]]:
    """What a statement answers, to the administrator."""
    with opened(where, database) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@contextmanager
def opened(where: Server, database: str = "", user: str = "root", password: str = "") -> Iterator[Any]:
    """A session of the driver itself, as an application has it."""
    connection = pymysql.connect(
        unix_socket=where.address.socket, user=user, password=password, database=database or None, autocommit=True
    )
    try:
        yield connection
    finally:
        if connection.open:
            connection.close()
