"""Where a MariaDB or MySQL server is, as the policy's source says it, and how its programs are told without a trace.

`mariadb://user:password@host:3306/shop`, or `mysql://…` for the other dialect. After `?`: `socket=/path`,
`defaults-file=/path` (an option file, whose groups `client`, `client-server` and `client-mariadb` are read), `ssl-ca=`,
`ssl-cert=`, `ssl-key=` (files). What the URL leaves out comes from that option file, else from `~/.my.cnf`; a password
at last from `MYSQL_PWD`.
"""

from __future__ import annotations

import configparser
import os
import tempfile
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from rollback_guard.errors import UndeterminedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.backup.source import Source

DIALECTS = ("mariadb", "mysql")
EXAMPLE = "mariadb://backup@db.acme.example:3306/shop?defaults-file=/etc/guard/backup.cnf"
_FILES = ("ssl-ca", "ssl-cert", "ssl-key")
_PARAMETERS = ("socket", "defaults-file", *_FILES)
_GROUPS = ("client", "client-server", "client-mariadb")
_PORT = 3306


class Address(NamedTuple):
    """A server, who one is there, and a database. `files`: paths of TLS, by the names of the options."""

    dialect: str
    user: str
    password: str
    host: str
    port: int
    socket: str
    database: str
    files: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Address({self.place!r})"

    @property
    def place(self) -> str:
        """A URL that tells no user and no password."""
        if self.socket:
            return f"{self.dialect}://localhost/{quote(self.database)}?{urlencode({'socket': self.socket}, safe='/')}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.dialect}://{host}:{self.port}/{quote(self.database)}"

    @property
    def url(self) -> str:
        """A URL by which it can be reached, with user and password: for the environment of a check alone."""
        whole = quote(self.user, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
        return self.place.replace("://", f"://{whole}@", 1)

    def at(self, database: str) -> Address:
        """The same server, another database."""
        return self._replace(database=database)


def read_address(source: Source) -> Address:
    """Understand a source. Raises: UsageError where it cannot be meant, UndeterminedError for a missing file."""
    try:
        parts = urlsplit(source.text)
        port = parts.port
    except ValueError:
        raise _unreadable("is no URL") from None
    if parts.scheme not in DIALECTS:
        raise _unreadable(f"does not begin with {' or '.join(f'{one}://' for one in DIALECTS)}")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(given.keys() - set(_PARAMETERS))
    if unknown:
        raise _unreadable(f"has a parameter {unknown[0]!r}; it may have {', '.join(_PARAMETERS)}")
    database = unquote(parts.path.lstrip("/"))
    if not database:
        raise _unreadable("names no database")
    options = _options(source, given.get("defaults-file", ""), needed=parts.password is None)
    files = tuple((one, _path(given.get(one) or options.get(one, ""), source)) for one in _FILES)
    try:
        chosen = port or int(options.get("port") or _PORT)
    except ValueError:
        raise _unreadable("leaves the port to an option file, where it is no number") from None
    socket = given.get("socket") or ("" if parts.hostname else options.get("socket", ""))
    return Address(
        dialect=parts.scheme,
        user=unquote(parts.username or "") or options.get("user", "") or source.environ.get("USER", "") or "root",
        password=unquote(parts.password) if parts.password is not None else options.get("password", ""),
        host=parts.hostname or options.get("host", "") or "localhost",
        port=chosen,
        socket=socket and _path(socket, source),
        database=database,
        files=tuple((name, path) for name, path in files if path),
    )


def _unreadable(why: str) -> UsageError:
    return UsageError(f"the source of a MariaDB backup {why}", remedy=f'source = "{EXAMPLE}"')


def _path(written: str, source: Source) -> str:
    return os.path.join(source.folder, written) if written else ""


def _options(source: Source, written: str, *, needed: bool) -> dict[str, str]:
    """What option files say: the one that is named, or the user's own where the URL has no password."""
    home = source.environ.get("HOME", "")
    path = _path(written, source) or (os.path.join(home, ".my.cnf") if needed and home else "")
    found: dict[str, str] = {}
    try:
        if path:
            with open(path, encoding="utf-8") as stream:
                found = _read_options(stream.read())
    except (OSError, UnicodeDecodeError, configparser.Error):
        if written:  # what it holds is not told
            raise UndeterminedError(
                "the option file that a backup's source names cannot be read", remedy=f"ls -l {path}"
            ) from None
    if needed and "password" not in found and source.environ.get("MYSQL_PWD"):
        found["password"] = source.environ["MYSQL_PWD"]
    return found


def _read_options(text: str) -> dict[str, str]:
    """The client's options: later groups win, as for the programs; names with `-`."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("!")]
    reader = configparser.ConfigParser(
        allow_no_value=True, strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#", ";")
    )
    reader.read_string("\n".join(line.strip() for line in lines))
    found: dict[str, str] = {}
    for group in _GROUPS:
        if reader.has_section(group):
            found.update({key.replace("_", "-"): _unquoted(value or "") for key, value in reader.items(group)})
    return found


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


@contextmanager
def option_file(address: Address) -> Iterator[int]:
    """A descriptor of a file without a name that tells the server's programs who they are: `/dev/fd/N` for them.

    Its mode is 0600, nobody finds it by a path, and it is gone with the last process that holds it, killed or not.
    """
    told = {"user": address.user, "password": address.password}
    if address.socket:
        told.update({"socket": address.socket, "protocol": "socket"})
    else:
        told.update({"host": address.host, "port": str(address.port), "protocol": "tcp"})
    told.update(address.files)
    with tempfile.TemporaryFile() as stream:
        stream.write(b"[client]\n")
        for key, value in told.items():
            stream.write(f'{key}="{_escaped(value)}"\n'.encode("utf-8", "surrogateescape"))
        stream.flush()
        stream.seek(0)
        yield stream.fileno()


def _escaped(value: str) -> str:
    for plain, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        value = value.replace(plain, written)
    return value
