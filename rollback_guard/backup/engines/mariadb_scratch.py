"""Where a backup is restored for a try: on a server that is named for it, or on one that is started and thrown away.

`GUARD_SCRATCH_MARIADB` in the environment is a URL of a server on which databases may be made; each try has one of a
random name there, and those whose try was killed are found by the lock that it held, and removed. Else `mariadbd` runs
in the given folder, reached by a socket alone; a shell stops it when this process ends, however it ends.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager

from rollback_guard.backup.engines.mariadb_address import Address, read_address
from rollback_guard.backup.engines.mariadb_connection import connect, identifier, identify, session
from rollback_guard.backup.engines.mariadb_programs import clean, find_server
from rollback_guard.backup.engines.mariadb_restore import MariaDBTarget
from rollback_guard.backup.source import Source
from rollback_guard.errors import RefusedError, UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rollback_guard.backup.engines.mariadb_connection import Session

VARIABLE = "GUARD_SCRATCH_MARIADB"
PREFIX = "guard_scratch_"
_PATIENCE = 60  # seconds that a server has to start
_SOCKET = 100  # bytes that the path of a socket can have
# Runs the server until its own input ends, which it does with the process that holds the other end.
_WATCH = 'folder=$1; shift; "$@" </dev/null & server=$!; cat >/dev/null; kill $server; wait $server; rm -rf "$folder"'
_SETTINGS = (
    *("--skip-networking", "--event-scheduler=OFF", "--skip-log-bin", "--max-allowed-packet=1G", "--skip-name-resolve"),
    *("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-log-file-size=64M"),
    *("--loose-innodb-flush-method=nosync", "--loose-sync-frm=OFF"),  # nothing here outlives a crash anyway
    *("--local-infile=0", "--character-set-server=utf8mb4", "--innodb-strict-mode=0"),
)


@contextmanager
def open_scratch(source: Address, folder: str, environ: Mapping[str, str]) -> Iterator[MariaDBTarget]:
    """An empty database that is gone afterwards. Raises: RefusedError where it would lie on the source's own server."""
    named = environ.get(VARIABLE, "")
    if named:
        with _on_server(source, _read(named, environ, folder), environ) as target:
            yield target
    elif source.dialect != "mariadb":
        raise UndeterminedError(
            "there is nowhere to restore a MySQL backup for a try", remedy=f"export {VARIABLE}=mysql://user@host/"
        )
    else:
        with _throwaway(folder, environ) as address, session(address, database=False) as opened:
            yield _made(opened, address, environ)


def _read(named: str, environ: Mapping[str, str], folder: str) -> Address:
    head, mark, query = named.partition("?")
    path = head.partition("://")[2].partition("/")[2]
    whole = head if path else head.rstrip("/") + "/mysql"  # a server is meant, and no database
    return read_address(Source(whole + mark + query, f"${VARIABLE}", environ, folder))


@contextmanager
def _on_server(source: Address, scratch: Address, environ: Mapping[str, str]) -> Iterator[MariaDBTarget]:
    address = scratch.at(PREFIX + secrets.token_hex(8))
    with session(scratch, database=False) as opened, session(source, database=False) as asked:
        if identify(opened).server == identify(asked).server:
            raise RefusedError(
                f"{VARIABLE} is the source's own server, and a restored copy may reach into production there",
                remedy=f"unset {VARIABLE}",
            )
        _sweep(opened)
        opened.value(f"SELECT GET_LOCK('{address.database}', 0)")
        try:
            yield _made(opened, address, environ)
        finally:
            with session(scratch, database=False) as closing:  # the other may have been cut
                closing.run(f"DROP DATABASE IF EXISTS {identifier(address.database)}")


def _made(opened: Session, address: Address, environ: Mapping[str, str]) -> MariaDBTarget:
    opened.run(f"CREATE DATABASE {identifier(address.database)} CHARACTER SET utf8mb4")
    return MariaDBTarget(address, environ)


def _sweep(opened: Session) -> None:
    """Remove what is left of tries that were killed: nobody holds their lock."""
    for (name,) in opened.rows(f"SHOW DATABASES LIKE '{PREFIX.replace('_', chr(92) + '_')}%'"):
        if opened.value(f"SELECT GET_LOCK({opened.quote(str(name))}, 0)") == 1:
            opened.run(f"DROP DATABASE IF EXISTS {identifier(str(name))}")
            opened.value(f"SELECT RELEASE_LOCK({opened.quote(str(name))})")


@contextmanager
def _throwaway(folder: str, environ: Mapping[str, str]) -> Iterator[Address]:
    """A server of our own, which only this user can reach, by a socket in a private folder."""
    server, install = find_server(environ)
    own = os.path.join(folder, "mariadb")
    os.mkdir(own, 0o700)
    short = own if len(os.fsencode(own)) < _SOCKET - 8 else _short(own)
    try:
        yield from _served(server, install, own, short, environ)
    finally:
        shutil.rmtree(own, ignore_errors=True)
        if short != own:
            os.unlink(short)


def _short(own: str) -> str:
    """A link to a folder whose path is too long for a socket; it holds nothing, and only its name can be seen."""
    name = os.path.join(tempfile.gettempdir(), f"guard-{secrets.token_hex(8)}")
    os.symlink(own, name)
    return name


def _served(server: str, install: str, own: str, short: str, environ: Mapping[str, str]) -> Iterator[Address]:
    data, log = os.path.join(own, "data"), os.path.join(own, "log")
    socket = os.path.join(short, "s")
    # In a shared folder for temporary tables, one server that starts removes those of all others.
    paths = [f"--datadir={data}", f"--tmpdir={own}", *(["--user=root"] if os.geteuid() == 0 else [])]
    with open(log, "ab") as stream:
        done = subprocess.run(
            [install, "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", *paths],
            env=clean(environ),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            check=False,
        )
        if done.returncode:
            raise _failed(own)
        child = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "guard", own, server, "--no-defaults", *paths, *_SETTINGS]
            + [f"--socket={socket}", f"--pid-file={own}/pid", f"--secure-file-priv={own}"],
            env=clean(environ),
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    address = Address("mariadb", "root", "", "localhost", 0, socket, "guard_" + secrets.token_hex(8))
    with child:  # closes its input, and waits until the server has ended
        connect_when_up(address, child, own).close()
        yield address


def connect_when_up(address: Address, child: subprocess.Popen[bytes], own: str) -> Session:
    """Wait for the server to take connections."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return connect(address, database=False)
        except UndeterminedError:
            if time.monotonic() > until or not os.path.exists(os.path.join(own, "data")):
                raise _failed(own) from None
        time.sleep(0.02)


def _failed(own: str) -> UndeterminedError:
    """Of a full disk most often: the server's own words would tell paths, and go with the folder."""
    return UndeterminedError(
        "the server for restoring a backup for a try does not start", remedy=f"df -h {os.path.dirname(own)}"
    )
