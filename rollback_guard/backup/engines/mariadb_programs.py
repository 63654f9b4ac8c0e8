"""The programs of MariaDB and MySQL: found, asked for their version, and never given a secret that others can see."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import NamedTuple

from rollback_guard.backup.engines.mariadb_connection import version_of
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = {"dump": ("mariadb-dump", "mysqldump"), "client": ("mariadb", "mysql")}
_SERVER = ("mariadbd", "mysqld")
_INSTALL = ("mariadb-install-db", "mysql_install_db")
_SYSTEM = ("/usr/sbin", "/usr/local/sbin")  # where servers are, and no user's PATH leads
_PACKAGES = {"mariadb": "mariadb-client", "mysql": "mysql-client"}
_VERSIONS = (r"Distrib ([\d.]+)", r"from ([\d.]+)", r"Ver ([\d.]+)")
_ERROR = re.compile(rb"(?:ERROR|error:?) (\d{4})\b")


class Program(NamedTuple):
    """One program: its path, its name, its version and whose it is."""

    path: str
    name: str
    version: str
    dialect: str


def find_program(kind: str, dialect: str, environ: Mapping[str, str]) -> Program:
    """`dump` or `client` of a dialect. Raises: UndeterminedError, with the package that has it."""
    wanted = None
    for name in _NAMES[kind]:
        path = _which(name, environ)
        found = _asked(path, name, environ) if path else None
        if found is not None and found.dialect == dialect:
            return found
        wanted = wanted or found
    if wanted is not None and wanted.version:
        told = f"{wanted.name} {wanted.version} is {wanted.dialect}'s, and the server is {dialect}'s"
    elif wanted is not None:
        told = f"{wanted.name} does not tell its version"
    else:
        told = f"{' and '.join(_NAMES[kind])} are not installed here"
    raise UndeterminedError(told, remedy=f"sudo apt-get install {_PACKAGES[dialect]}")


def fitting(program: Program, server: str) -> Program:
    """The program, if it is no older than the server, of which it may not know everything."""
    if version_of(program.version) < version_of(server):
        major = ".".join(str(one) for one in version_of(server))
        raise UndeterminedError(
            f"{program.name} {program.version} is older than the server, {server}",
            remedy=f"install {_PACKAGES[program.dialect]} {major} or newer",
        )
    return program


def find_server(environ: Mapping[str, str]) -> tuple[str, str]:
    """`mariadbd` and `mariadb-install-db`. Raises: UndeterminedError."""
    server, install = (
        next((path for name in names if (path := _which(name, environ, *_SYSTEM))), "") for names in (_SERVER, _INSTALL)
    )
    if not server or not install:
        raise UndeterminedError(
            "there is nowhere to restore a backup for a try: no MariaDB server is installed here",
            remedy="sudo apt-get install mariadb-server, or export GUARD_SCRATCH_MARIADB=mariadb://user@host/",
        )
    return server, install


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """What such a program may see of the environment: nothing that it would take options from."""
    return {"PATH": environ.get("PATH", os.defpath), "LC_ALL": "C"}


def code_of(said: bytes) -> int:
    """The number of the last error that a program told on stderr; all else there may be somebody's data."""
    found = _ERROR.findall(said)
    return int(found[-1]) if found else 0


def _which(name: str, environ: Mapping[str, str], *more: str) -> str:
    path = os.pathsep.join([environ.get("PATH", os.defpath), *more])
    return shutil.which(name, path=path) or ""


def _asked(path: str, name: str, environ: Mapping[str, str]) -> Program | None:
    try:
        said = subprocess.run(
            [path, "--no-defaults", "--version"],
            env=clean(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = said.stdout.decode("utf-8", "replace")
    found = next((match[1] for pattern in _VERSIONS if (match := re.search(pattern, text))), "")
    return Program(path, name, found, "mariadb" if "mariadb" in text.lower().replace(path.lower(), "") else "mysql")
