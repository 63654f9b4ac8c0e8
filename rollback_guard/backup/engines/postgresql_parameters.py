"""How a PostgreSQL server is reached: libpq's own rules, followed for an environment that is not this process's.

A source is a URL, `key=value` words, or a bare database name; then a service file, then the environment's `PG…`
variables fill in what it leaves open. The result holds a password: it is never printed.
"""

from __future__ import annotations

import configparser
import os
import urllib.parse

from rollback_guard.errors import UndeterminedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

INSTALL = "pip install 'rollback-guard[postgresql]'"
CONNECT_TIMEOUT = "10"  # seconds, for each address
_SERVICE_PLACES = ("/etc/postgresql-common", "/etc", "/usr/local/etc", "/usr/local/pgsql/etc")


def read_parameters(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    """libpq's parameters by keyword. Raises: UsageError for what is no connection string, UndeterminedError."""
    try:
        from psycopg import Error
        from psycopg.pq import Conninfo
    except ImportError:
        raise UndeterminedError("backups of PostgreSQL need psycopg, and a libpq", remedy=INSTALL) from None

    text = text.strip()
    if text and "=" not in text and "://" not in text:
        text = f"dbname={quoted_value(text)}"
    try:
        given = {one.keyword.decode(): one.val.decode() for one in Conninfo.parse(text.encode()) if one.val is not None}
    except (Error, UnicodeError):  # what libpq says quotes the string, and so perhaps the password
        raise UsageError(
            "the backup's source is no connection string of PostgreSQL",
            remedy="write it as postgresql://HOST:PORT/DATABASE, as host=HOST dbname=DATABASE, or as service=NAME",
        ) from None
    found = {**_from_environment(environ), **_from_service(given, environ), **given}
    found.pop("service", None)
    found.setdefault("connect_timeout", CONNECT_TIMEOUT)
    found.setdefault("application_name", "guard")
    home = environ.get("HOME", "")
    if "passfile" not in found and home and os.path.isfile(os.path.join(home, ".pgpass")):
        found["passfile"] = os.path.join(home, ".pgpass")
    if "\n" in found.get("password", ""):
        raise UsageError(
            "the password in the backup's source has a line break, which no password file of PostgreSQL can hold",
            remedy="ALTER ROLE … PASSWORD …, to one without a line break",
        )
    return found


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    from psycopg.pq import Conninfo

    found = {}
    for one in Conninfo.get_defaults():
        if one.envvar is not None and environ.get(one.envvar.decode()):
            found[one.keyword.decode()] = environ[one.envvar.decode()]
    return found


def _from_service(given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    name = given.get("service") or environ.get("PGSERVICE", "")
    if not name:
        return {}
    own = given.get("servicefile") or environ.get("PGSERVICEFILE", "")
    home, system = environ.get("HOME", ""), environ.get("PGSYSCONFDIR", "")
    places = [own] if own else [os.path.join(home, ".pg_service.conf")] if home else []
    places += [os.path.join(folder, "pg_service.conf") for folder in ((system,) if system else _SERVICE_PLACES)]
    for place in places:
        reader = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), strict=False)
        try:
            reader.read(place, encoding="utf-8")
        except (configparser.Error, UnicodeError):
            raise UndeterminedError(
                f"the service file {place} cannot be read", remedy=f"psql service={name}, and look at {place}"
            ) from None
        if reader.has_section(name):
            return dict(reader.items(name))
    raise UndeterminedError(
        f"no service file of PostgreSQL has a service {name}",
        remedy=f"add [{name}] to ~/.pg_service.conf, or say where it is: export PGSERVICEFILE=…",
    )


def quoted_value(value: str) -> str:
    """A value as it is written in a connection string of `key=value` words.

    >>> quoted_value("it's")
    "'it\\\\'s'"
    """
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def place_of(host: str, port: object, database: str, user: str = "") -> str:
    """A URL of a database without password. A host that is a folder, where the server has its socket, stands behind.

    >>> place_of("db.acme.example", 5432, "shop"), place_of("/run/postgresql", 5432, "a shop")
    ('postgresql://db.acme.example:5432/shop', 'postgresql:///a%20shop?host=/run/postgresql&port=5432')
    """
    who = f"{urllib.parse.quote(user, safe='')}@" if user else ""
    name = urllib.parse.quote(database, safe="", errors="surrogateescape")
    if host.startswith("/") or not host:
        return f"postgresql://{who}/{name}?host={urllib.parse.quote(host, safe='/')}&port={port}"
    shown = f"[{host}]" if ":" in host else host
    return f"postgresql://{who}{shown}:{port}/{name}"
