"""What the policy's words for a backup's source say: as they may be told, and which database or directory they mean.

A place is what a backup's identity is called: `postgresql://db.acme.example:5432/shop`, `sqlite:/srv/shop.db`,
`directory:/srv/uploads`, with no user and no password. Resolving a source is left to `backup.source`. Pure.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

PORTS = {"postgresql": "5432", "mariadb": "3306"}
# Parameters of a connection that say where it leads; then the rest of the URL does not.
_ELSEWHERE = ("host=", "hostaddr=", "service=", "unix_socket=", "port=", "dbname=")


def named_source(written: str) -> str:
    """A source as it may be told: `$NAME` and `$(command)` as they are, all else without secrets."""
    return written if written.startswith("$") else without_secrets(written)


def without_secrets(text: str) -> str:
    """A source as it may be told: user, password and parameters of a URL are left out.

    >>> without_secrets("postgresql://jane:s3cret@db.acme.example:5432/shop?sslpassword=x")
    'postgresql://db.acme.example:5432/shop'
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        return "" if "=" in text else text  # a connection string of `key=value` may hold anything
    place = rest.partition("?")[0].partition("#")[0]
    authority, slash, path = place.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def is_place(engine: str, text: str) -> bool:
    """Whether a text is a place of that engine, complete enough to be compared with.

    >>> is_place("postgresql", "postgresql://db.acme.example/shop"), is_place("sqlite", "shop.db")
    (True, False)
    """
    if not text.startswith(f"{engine}:") or not text.isprintable():
        return False
    if engine not in PORTS:
        return text.startswith(f"{engine}:/") and len(text) > len(engine) + 2
    return without_secrets(text) == text and fits_place(text, engine, text) is True


def fits_place(place: str, engine: str, written: str) -> bool | None:
    """Whether a place can be what a source means; None where the source says nothing of it (`$NAME`, a service).

    A relative path fits every place that ends so: it is relative to a folder of another machine.

    >>> fits_place("postgresql://db.acme.example:5432/shop", "postgresql", "postgresql://jane:x@db.acme.example/shop")
    True
    """
    if written.startswith("$"):
        return None
    return _fits_server(place, engine, written) if engine in PORTS else _fits_path(place, engine, written)


class _Server(NamedTuple):
    """What a URL says: "host:port" for each host, and the database; empty and None for what it does not say."""

    hosts: tuple[str, ...]
    database: Optional[str]


def _fits_server(place: str, engine: str, written: str) -> bool | None:
    said, there = _read_server(written, engine), _read_server(place, engine)
    if said is None or not (said.hosts or said.database):
        return None
    if there is None or not place.startswith(f"{engine}://"):
        return False
    right = said.database in (None, there.database)
    return right and (not said.hosts or bool(frozenset(said.hosts) & frozenset(there.hosts)))


def _read_server(text: str, engine: str) -> _Server | None:
    from urllib.parse import unquote

    _, separator, rest = text.partition("://")
    address, _, parameters = rest.partition("#")[0].partition("?")
    if not separator or any(one.startswith(_ELSEWHERE) for one in parameters.split("&")):
        return None
    authority, _, path = address.partition("/")
    hosts = authority.rpartition("@")[2].split(",")
    return _Server(
        hosts=tuple(_with_port(unquote(host).lower(), PORTS[engine]) for host in hosts if host),
        database=unquote(path) or None,
    )


def _with_port(host: str, port: str) -> str:
    name, colon, number = host.rpartition(":")
    return host if colon and number.isdigit() and not name.endswith(":") else f"{host.rstrip(':')}:{port}"


def _fits_path(place: str, engine: str, written: str) -> bool | None:
    path, there = _path_of(written, engine), _path_of(place, engine)
    while path.startswith("../"):
        path = path[3:]
    if path in ("", ".", ".."):
        return None
    if not place.startswith(f"{engine}:"):
        return False
    return there == path if path.startswith("/") else there.endswith(f"/{path}")


def _path_of(text: str, engine: str) -> str:
    from posixpath import normpath

    path = text.removeprefix(f"{engine}:")
    if path.startswith("//"):  # a URL with no authority, or normpath would keep two slashes
        path = f"/{path.lstrip('/')}"
    return normpath(path)
