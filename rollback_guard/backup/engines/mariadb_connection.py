"""Sessions with a MariaDB or MySQL server: what could change how they read is pinned, and errors tell no data."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import socket
from contextlib import contextmanager

from rollback_guard.backup.model import Identity
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from rollback_guard.backup.engines.mariadb_address import Address

Row = tuple["Any", ...]
# What a server, role or session may have set to anything, and what reading and writing needs it to be.
_PINS = {
    "time_zone": "'+00:00'",
    "sql_big_selects": "1",
    "sql_quote_show_create": "1",
    "sql_auto_is_null": "0",
    "max_statement_time": "0",
    "max_execution_time": "0",
    "wait_timeout": "86400",
    "net_read_timeout": "3600",
    "net_write_timeout": "3600",
    "idle_transaction_timeout": "0",
    "idle_readonly_transaction_timeout": "0",
    "information_schema_stats_expiry": "0",
    "show_create_table_verbosity": "0",
    "autocommit": "1",
    "completion_type": "0",
    "old_mode": "''",
    "lc_time_names": "'en_US'",
    "system_versioning_asof": "DEFAULT",
    "sql_if_exists": "0",
    "explicit_defaults_for_timestamp": "1",
}
_READ_ONLY = frozenset({"explicit_defaults_for_timestamp", "show_create_table_verbosity"})
NO_LIMIT = "18446744073709551615"
LARGER = "SET GLOBAL max_allowed_packet = 1073741824"
TIMEOUT = 10  # seconds to connect
_LOST = (2006, 2013, 1927, 1317, 1053, 4031, 3024)
DENIED = (1044, 1142, 1143, 1227, 1370, 1449, 1698)


class ServerError(UndeterminedError):
    """What a server refused, by its number."""

    def __init__(self, message: str, *, remedy: str, code: int) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


class Session:
    """One connection. `number` is what the server calls it."""

    def __init__(self, connection: Any, address: Address) -> None:
        self._connection = connection
        self.address = address
        self.number = int(connection.thread_id())
        self.limit = ""  # sql_select_limit, as sessions of this user begin

    def rows(self, statement: str | bytes) -> list[Row]:
        """All rows of an answer that is small."""
        with _told(self.address), self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def value(self, statement: str) -> Any:
        """The first column of the first row."""
        return self.rows(statement)[0][0]

    def run(self, statement: str | bytes) -> None:
        """A statement whose answer, if any, does not matter."""
        with _told(self.address):
            self._connection.query(statement)

    def stream(self, statement: str) -> Iterator[Row]:
        """The rows of an answer, as they come."""
        from pymysql.cursors import SSCursor

        with _told(self.address), self._connection.cursor(SSCursor) as cursor:
            cursor.execute(statement)
            yield from cursor.fetchall_unbuffered()

    def quote(self, text: str) -> str:
        """A string literal, as our own sql_mode has it."""
        return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

    @contextmanager
    def raw(self) -> Iterator[None]:
        """Answers are bytes, in no character set but their own."""
        self.run("SET character_set_results = binary")
        try:
            yield
        finally:
            self.run("SET character_set_results = utf8mb4")

    def close(self) -> None:
        """End it, whatever state it is in."""
        from pymysql import MySQLError

        try:
            self._connection.close()
        except (MySQLError, OSError):
            pass  # it was cut already


@contextmanager
def session(address: Address, *, database: bool = True) -> Iterator[Session]:
    """A session in the address' database, or in none. Raises: UndeterminedError, saying what is wrong with it."""
    opened = connect(address, database=database)
    try:
        yield opened
    finally:
        opened.close()


def connect(address: Address, *, database: bool = True) -> Session:
    """A session that the caller closes."""
    try:
        import pymysql
    except ImportError:
        raise UndeterminedError(
            "a MariaDB backup needs PyMySQL", remedy="pip install 'rollback-guard[mariadb]'"
        ) from None
    files: dict[str, Any] = {name.replace("-", "_"): path for name, path in address.files}
    with _told(address):
        connection: Any = pymysql.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password.encode("utf-8", "surrogateescape"),
            database=address.database if database else None,
            charset="utf8mb4",
            connect_timeout=TIMEOUT,
            autocommit=None,
            defer_connect=True,
            **files,
        )
        connection._secure = bool(address.socket)  # for ways to log in that want TLS elsewhere
        connection.connect(_socket(address) if address.socket else None)
    opened = Session(connection, address)
    try:
        _pin(opened)
    except UndeterminedError:
        opened.close()
        raise
    return opened


def _socket(address: Address) -> socket.socket:
    """The driver leaves one open that nobody listens at."""
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        found.settimeout(TIMEOUT)
        found.connect(address.socket)
        found.settimeout(None)
    except OSError:
        found.close()
        raise explain(2002, address) from None
    return found


def _pin(opened: Session) -> None:
    """Only what this server knows; a session may not set what it does not know."""
    opened.limit = str(opened.value("SELECT @@sql_select_limit"))
    opened.run(f"SET SESSION sql_mode = '', sql_select_limit = {NO_LIMIT}")  # the next answer has many rows
    names = ", ".join(f"'{name}'" for name in _PINS)
    known = [str(row[0]).lower() for row in opened.rows(f"SHOW SESSION VARIABLES WHERE Variable_name IN ({names})")]
    settable = [name for name in known if name not in _READ_ONLY]
    opened.run("SET " + ", ".join(f"SESSION {name} = {_PINS[name]}" for name in settable))


def identifier(name: str) -> str:
    """A name as SQL has it."""
    return "`" + name.replace("`", "``") + "`"


def digest(*values: object) -> str:
    """Of values that JSON can hold, and bytes: SHA-256 in hex."""
    text = json.dumps(values, ensure_ascii=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def version_of(text: str) -> tuple[int, int]:
    """Major and minor of a version such as `10.11.18-MariaDB-log`."""
    found = re.match(r"(?:5\.5\.5-)?(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def read_pairs(rows: Sequence[Row]) -> dict[str, str]:
    """Names and values, as SHOW tells them."""
    return {str(row[0]): str(row[1]) for row in rows}


def identify(opened: Session) -> Identity:
    """Who the server is. A MariaDB's own `server_uid` is of its machine, so its folder belongs to it."""
    wanted = ("server_uuid", "server_uid", "hostname", "datadir", "server_id")
    names = ", ".join(f"'{name}'" for name in wanted)
    found = read_pairs(opened.rows(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})"))
    own = found.get("server_uuid") or digest(*(found.get(name, "") for name in wanted[1:]))[:32]
    return Identity("mariadb", opened.address.place, own, str(opened.value("SELECT VERSION()")))


@contextmanager
def _told(address: Address) -> Iterator[None]:
    """Whatever the driver raises, in our words: the server's own may hold a row."""
    from pymysql import MySQLError

    try:
        yield
    except MySQLError as error:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        raise explain(code, address) from None
    except OSError:
        raise explain(2013, address) from None


def explain(code: int, address: Address, *, doing: str = "") -> ServerError:
    """An error of the server, by its number."""
    where = _command(address)
    name = identifier(address.database)
    found: dict[int, tuple[str, str]] = {
        2002: (f"{address.place} cannot be reached", where),
        2003: (f"{address.place} cannot be reached", where),
        1040: (f"{address.place} has no connection left", "SET GLOBAL max_connections = 500"),
        1045: (f"{address.place} refuses this user or password", where),
        1049: (f"{address.place} has no database of that name", f"{where} --execute 'SHOW DATABASES'"),
        1205: (f"a table of {address.place} stayed locked by somebody else", f"{where} --execute 'SHOW PROCESSLIST'"),
        1213: (f"a table of {address.place} is locked by somebody else", f"{where} --execute 'SHOW PROCESSLIST'"),
        1412: (f"a table of {address.place} was altered meanwhile", "guard backup create"),
        1146: (f"{address.place} lacks a table that something in it refers to", f"{where} --execute 'SHOW TABLES'"),
        1356: (f"a view of {address.place} refers to something that is not there", "CHECK TABLE … for each view"),
        1021: (f"the disk of {address.place} is full", "df -h"),
        1114: (f"the disk of {address.place} is full", "df -h"),
        1153: (f"a row of {address.place} is larger than it lets through", LARGER),
        1301: (f"a row of {address.place} is larger than it lets through", LARGER),
    }
    for known in _LOST:
        found[known] = (f"the connection to {address.place} was cut", where)
    for known in DENIED:
        found[known] = (f"{address.place} does not let this user do that", grant(address))
    told, remedy = found.get(code, (f"{address.place} answered with error {code}", f"perror {code}"))
    return ServerError(f"{told}{f', {doing}' if doing else ''} (error {code}, {name})", remedy=remedy, code=code)


def grant(address: Address, privileges: Sequence[str] = ("SELECT", "SHOW VIEW", "TRIGGER", "EVENT")) -> str:
    """The statement that gives a backup's user what it lacks; who it is stays open, because it may be a secret."""
    return f"GRANT {', '.join(privileges)} ON {identifier(address.database)}.* TO the backup's user"


def _command(address: Address) -> str:
    """How a person looks at it, with a password that is asked for."""
    reach = ["--socket", address.socket] if address.socket else ["--host", address.host, "--port", str(address.port)]
    return shlex.join([address.dialect, *reach, "--user", "…", "--password"])
