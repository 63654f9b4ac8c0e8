"""A PostgreSQL server of our own that lives while it is used, on a Unix socket in a folder that nobody else enters.

A shell watches over it: when this process is gone, however it went, the shell's input ends, and it stops the server and
removes its data.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from contextlib import contextmanager

from rollback_guard.backup.engines.postgresql_connection import connect
from rollback_guard.backup.engines.postgresql_programs import fitting
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SUPERUSER = "guard_scratch"
START_WAIT = 60  # seconds until a server must answer
ACCOUNTS = ("postgres", "nobody")  # whom it runs as where we are root, which PostgreSQL refuses
LONGEST_SOCKET = 90  # bytes of a folder's path that leave room for a socket's name
_WATCH = """
"$@" </dev/null >"$LOG" 2>&1 &
server=$!
read -r _
kill -QUIT $server
wait $server
rm -rf "$PLACE" "$SOCKETS" 2>/dev/null
"""
# Nothing in it must outlive a crash of the machine, and nobody but us may come in.
_SETTINGS = {
    "log_line_prefix": "",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "20",
    "max_locks_per_transaction": "2048",
    "autovacuum": "off",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "logging_collector": "off",
    "log_min_error_statement": "panic",  # statements that fail quote rows
    "log_error_verbosity": "terse",
    "lc_messages": "C",
}


@contextmanager
def throwaway_cluster(folder: str, major: int, environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Start a server of a major version; the parameters by which its superuser reaches it.

    `folder` holds its data, unless the account that it runs as cannot come there: then the system's folder for
    temporary files does. Raises: UndeterminedError.
    """
    initdb = fitting("initdb", major, environ, exact=True)
    account = _account() if os.geteuid() == 0 else None
    home = _home(folder, account)
    try:
        sockets = home if len(home) <= LONGEST_SOCKET else _made(tempfile.gettempdir(), account)
        try:
            data = os.path.join(home, "data")
            _initialise(initdb.path, data, account)
            with _running(os.path.join(os.path.dirname(initdb.path), "postgres"), data, sockets, account) as parameters:
                yield parameters
        finally:
            shutil.rmtree(sockets, ignore_errors=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _account() -> pwd.struct_passwd:
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise UndeterminedError(
        "PostgreSQL does not run as root, and there is no other account here to run it as",
        remedy="run guard as another user, or: useradd --system postgres",
    )


def _home(folder: str, account: pwd.struct_passwd | None) -> str:
    if account is None:
        return _made(folder, None)
    above = os.path.dirname(os.path.realpath(folder))
    while os.stat(above).st_mode & stat.S_IXOTH:
        if above == os.path.dirname(above):
            os.chmod(folder, 0o711)  # what is made in it is closed to all but the account
            return _made(folder, account)
        above = os.path.dirname(above)
    return _made(tempfile.gettempdir(), account)


def _made(folder: str, account: pwd.struct_passwd | None) -> str:
    home = tempfile.mkdtemp(prefix="guard-pg-", dir=folder)
    if account is not None:
        os.chown(home, account.pw_uid, account.pw_gid)
    return home


def _as(account: pwd.struct_passwd | None) -> dict[str, object]:
    """How a process is started so that it is the account's."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _initialise(program: str, data: str, account: pwd.struct_passwd | None) -> None:
    command = [program, f"--pgdata={data}", f"--username={SUPERUSER}", "--auth=trust", "--no-sync"]
    command += ["--encoding=UTF8", "--locale=C"]
    try:
        done = subprocess.run(
            command,
            cwd=os.path.dirname(data),
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            **_as(account),  # type: ignore[call-overload]
        )
    except OSError as error:
        raise UndeterminedError(
            f"{program} cannot be run: {error.strerror}", remedy="let the account that PostgreSQL runs as reach it"
        ) from None
    if done.returncode:
        raise _unstarted(done.stderr)


def _unstarted(said: bytes) -> UndeterminedError:
    if b"No space left on device" in said or b"File too large" in said:
        return UndeterminedError(
            "no scratch server could be made: the disk is full", remedy="make room, or set TMPDIR to where there is"
        )
    lines = [line for line in said.decode(errors="replace").splitlines() if "error:" in line or "FATAL" in line]
    return UndeterminedError(
        "no scratch server could be started" + (f": {lines[0].strip()}" if lines else ""),
        remedy="export GUARD_SCRATCH_POSTGRESQL=postgresql://…, a server where a database may be made and dropped",
    )


@contextmanager
def _running(program: str, data: str, sockets: str, account: pwd.struct_passwd | None) -> Iterator[dict[str, str]]:
    settings = {**_SETTINGS, "unix_socket_directories": f'"{sockets}"'}
    command = [program, "-D", data, *(f"--{name}={value}" for name, value in settings.items())]
    log = os.path.join(os.path.dirname(data), "log")
    process = subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "sh", *command],
        cwd=os.path.dirname(data),
        env={"PATH": os.defpath, "LC_ALL": "C", "LOG": log, "PLACE": os.path.dirname(data), "SOCKETS": sockets},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # an interrupt at the terminal is for us: we stop it
        **_as(account),  # type: ignore[call-overload]
    )
    try:
        parameters = {"host": sockets, "port": "5432", "user": SUPERUSER, "dbname": "postgres", "connect_timeout": "10"}
        _answering(parameters, log)
        yield parameters
    finally:
        process.stdin.close()
        process.wait()


def _answering(parameters: dict[str, str], log: str) -> None:
    until = time.monotonic() + START_WAIT
    while True:
        try:
            connect(parameters, "the scratch server").close()
            return
        except UndeterminedError:
            said = _contents(log)
            if b"FATAL" in said.replace(b"FATAL:  the database system is starting up", b"") or time.monotonic() > until:
                raise _unstarted(said) from None
        time.sleep(0.02)


def _contents(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16)
    except OSError:
        return b""
