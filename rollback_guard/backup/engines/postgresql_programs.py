"""The programs that PostgreSQL brings: found in a version that fits, run without a secret in sight, their words read.

A program is told of a server by a password file and a service file that have no name any more when it is started: they
are open files, and nothing of them stays when anything dies.
"""

from __future__ import annotations

import functools
import glob
import os
import re
import subprocess
import tempfile
from contextlib import contextmanager
from typing import NamedTuple

from rollback_guard.backup.engines.postgresql_parameters import quoted_value
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

# Where packages put the programs of one version, beside the PATH.
PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
_VERSION = re.compile(r"\(PostgreSQL\) ((\d+)\S*)")


class Program(NamedTuple):
    """One program of one version."""

    path: str
    version: str
    major: int


class Reached(NamedTuple):
    """How a program reaches a server: what stands in its arguments and its environment, and which files it inherits."""

    connection: str
    environ: dict[str, str]
    files: tuple[int, ...]


def find_programs(name: str, environ: Mapping[str, str]) -> tuple[Program, ...]:
    """All versions of a program here, those of the PATH first."""
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    for place in PLACES:
        folders += sorted(glob.glob(place))
    found: dict[str, Program] = {}
    for folder in folders:
        path = os.path.realpath(os.path.join(folder, name))
        # Debian's wrapper chooses a version by rules of its own; what it chooses from is among the places.
        if not folder or path in found or not os.access(path, os.X_OK) or path.endswith("pg_wrapper"):
            continue
        said = _version(path, os.stat(path).st_mtime)
        if said:
            found[path] = Program(path, *said)
    return tuple(found.values())


@functools.cache
def _version(path: str, _: float) -> tuple[str, int] | None:
    try:
        done = subprocess.run(
            [path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, env={}, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = _VERSION.search(done.stdout.decode(errors="replace"))
    return None if said is None else (said[1], int(said[2]))


def fitting(name: str, least: int, environ: Mapping[str, str], exact: bool = False) -> Program:
    """The program of a major version, else of the next newer one that is here. Raises: UndeterminedError."""
    every = find_programs(name, environ)
    fit = [one for one in every if one.major == least or (one.major > least and not exact)]
    if fit:
        return min(fit, key=lambda one: one.major)
    here = ", ".join(sorted({one.version for one in every}))
    package = f"postgresql-{least}" if name == "initdb" else f"postgresql-client-{least}"
    wanted = f"PostgreSQL {least}" + ("" if exact else " or newer")
    raise UndeterminedError(
        f"{name} of {wanted} is needed, and " + (f"only {here} is here" if here else "none is here"),
        remedy=f"sudo apt-get install {package}",
    )


@contextmanager
def reaching(parameters: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[Reached]:
    """Make files that tell a program of a server, for as long as it runs."""
    others = {key: value for key, value in parameters.items() if key not in ("dbname", "password", "servicefile")}
    with tempfile.TemporaryFile() as passwords, tempfile.TemporaryFile() as service:
        password = parameters.get("password", "")
        if password:
            others["passfile"] = filled(passwords, password_line(password))
        lines = "".join(f"{key}={value}\n" for key, value in others.items())
        variables = {
            **{key: environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in environ},
            "LC_ALL": "C",
            "PGSERVICEFILE": filled(service, f"[guard]\n{lines}"),
        }
        connection = f"service=guard dbname={quoted_value(parameters['dbname'])}"
        yield Reached(connection, variables, (passwords.fileno(), service.fileno()))


def password_line(password: str) -> str:
    """What a password file says of every server.

    >>> password_line("a:b")
    '*:*:*:*:a\\\\:b\\n'
    """
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:*:{escaped}\n"


def filled(file: IO[bytes], text: str) -> str:
    """Write a file that only we may read; the path by which a process that inherits it opens it."""
    os.fchmod(file.fileno(), 0o600)
    file.write(text.encode("utf-8", "surrogateescape"))
    file.flush()
    file.seek(0)  # where opening it again shares its offset
    return f"/dev/fd/{file.fileno()}"
