"""Sessions with a PostgreSQL server, and what their errors mean, without a row of data or a password in them."""

from __future__ import annotations

from contextlib import contextmanager

from rollback_guard.backup.engines.postgresql_parameters import place_of
from rollback_guard.backup.model import Identity
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

# Whatever a session, a role or a database can set that changes how a value or a definition looks as text, or what is
# seen of a table; and every limit in time, since a backup may take hours.
_PINNED = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "xmloption": "content",
    "xmlbinary": "base64",
    "search_path": "",
    "default_text_search_config": "pg_catalog.simple",
    "row_security": "off",  # rows that a policy would hide make an error, not a smaller backup
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "array_nulls": "on",
    "jit": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
}
# By SQLSTATE or its class: what it means, and what to do; then whether the server's own words name objects only.
_MEANINGS = {
    "42501": (
        "the role may not do it",
        "GRANT pg_read_all_data TO …; for row security: ALTER ROLE … BYPASSRLS",
        True,
    ),
    "55P03": ("a lock was not had in time", "wait until whoever holds it is done: SELECT * FROM pg_locks", True),
    "55006": ("it is in use", "end the sessions, and prepared transactions, that use it", True),
    "57014": ("it was cancelled", "do it again", False),
    "57P": ("the server ended the session", "look into the server's log, then do it again", False),
    "08": ("the connection was lost", "look into the server's log, then do it again", False),
    "3D000": ("there is no such database", "psql --list", True),
    "28": ("the server refused the role or its password", "psql, with the same connection string", False),
    "53100": ("its disk is full", "make room on it, then do it again", False),
    "53200": ("the server is out of memory", "raise max_locks_per_transaction, or memory, on the server", True),
    "53300": ("it takes no more sessions", "raise max_connections, or end some", True),
    "42704": ("it lacks something that the backup needs", "create it there, then do it again", True),
    "42P0": ("the schema is being changed", "do it again when the migration is done", True),
    "58P01": ("it lacks a file that the backup needs", "install the extension's package on that server", True),
    "0A000": ("it cannot do that", "look at the extensions that are installed on that server", True),
}
_REFUSALS = (  # of a connection: PostgreSQL tells no SQLSTATE of these
    ("password", "the server refused the password", "psql, with the same connection string, tells the same"),
    ("does not exist", "there is no such database or role", "psql --list, with the same connection string"),
    ("pg_hba.conf", "the server lets nobody in from here", "add a line for it to the server's pg_hba.conf"),
    ("SSL", "no encrypted connection came about", "look at sslmode and sslrootcert in the connection string"),
    ("certificate", "no encrypted connection came about", "look at sslmode and sslrootcert in the connection string"),
    ("too many", "the server takes no more sessions", "raise max_connections, or end some"),
    (
        "not currently accepting connections",
        "the database accepts no connections",
        "ALTER DATABASE … ALLOW_CONNECTIONS true",
    ),
    ("permission denied", "the role may not connect to the database", "GRANT CONNECT ON DATABASE … TO …"),
)


def connect(parameters: Mapping[str, str], where: str = "the source") -> Connection:
    """A session in which every statement is for itself. Raises: UndeterminedError."""
    import psycopg

    try:
        connection = psycopg.connect(**parameters, autocommit=True, prepare_threshold=None)  # type: ignore[arg-type]
    except psycopg.Error as error:
        said = str(error)
        for part, meaning, remedy in _REFUSALS:
            if part in said:
                raise UndeterminedError(f"{where} cannot be reached: {meaning}", remedy=remedy) from None
        raise UndeterminedError(
            f"{where} cannot be reached: no server answers there", remedy="pg_isready, with the same host and port"
        ) from None
    connection.add_notice_handler(_silent)
    return connection


def _silent(_: object) -> None:
    """What a server remarks may quote data."""


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn the driver's errors into ours. `doing`: what was being done, such as "reading the source"."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise meaning_of(error, doing) from None


def meaning_of(error: psycopg.Error, doing: str) -> UndeterminedError:
    """What the driver's error means, in words that hold no data."""
    state = error.sqlstate or "08006"
    for length in (5, 4, 3, 2):
        if state[:length] in _MEANINGS:
            meaning, remedy, harmless = _MEANINGS[state[:length]]
            said = error.diag.message_primary if harmless else None
            return UndeterminedError(f"{doing} failed: {meaning}" + (f" ({said})" if said else ""), remedy=remedy)
    return UndeterminedError(
        f"{doing} failed: {type(error).__name__} ({state})", remedy="look up what the server's log says of it"
    )


def pin(connection: Connection) -> None:
    """Set what changes how things look as text, for the whole session. The encoding of what is sent is UTF-8."""
    encoding = connection.info.parameter_status("server_encoding")
    wanted = {**_PINNED, "client_encoding": "SQL_ASCII" if encoding == "SQL_ASCII" else "UTF8"}
    values = ", ".join(f"({literal(name)}, {literal(value)})" for name, value in wanted.items())
    run(
        connection,
        "SELECT pg_catalog.set_config(s.name, v.value, false) FROM (VALUES "
        + values
        + ") AS v (name, value) JOIN pg_catalog.pg_settings AS s ON s.name OPERATOR(pg_catalog.=) v.name",
    )


def rows_of(connection: Connection, statement: str) -> Iterator[tuple[Any, ...]]:
    """What a statement gives. Text that a database without an encoding has comes as UTF-8, the rest as surrogates."""
    cursor = connection.execute(statement.encode("utf-8", "surrogateescape"))
    for row in cursor.fetchall() if cursor.description else ():
        yield tuple(one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one for one in row)


def value_of(connection: Connection, statement: str) -> Any:
    """The first value of the first row, None where there is none."""
    return next(iter(rows_of(connection, statement)), (None,))[0]


def run(connection: Connection, statement: str) -> None:
    """Carry a statement out."""
    connection.execute(statement.encode("utf-8", "surrogateescape"))


def identifier(name: str) -> str:
    """A name as SQL writes it.

    >>> identifier('a "b" c')
    '"a ""b"" c"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it, whatever the session thinks of backslashes.

    >>> literal("it's")
    "'it''s'"
    """
    plain = "'" + text.replace("'", "''") + "'"
    return " E" + plain.replace("\\", "\\\\") if "\\" in text else plain


def fixed(parameters: Mapping[str, str], connection: Connection) -> dict[str, str]:
    """The parameters by which exactly the server that a session is with is reached again, whatever names mean later."""
    info = connection.info
    found = {**parameters, "host": info.host, "port": str(info.port), "user": info.user, "dbname": info.dbname}
    found.pop("hostaddr", None)
    if info.hostaddr and not info.host.startswith("/"):
        found["hostaddr"] = info.hostaddr
    if info.password:
        found["password"] = info.password
    return found


def identity_of(connection: Connection) -> Identity:
    """Which database a session is with."""
    import psycopg

    info = connection.info
    try:
        server = str(value_of(connection, "SELECT system_identifier FROM pg_catalog.pg_control_system()"))
    except psycopg.errors.InsufficientPrivilege:  # some hosts keep it to themselves
        server = ""
    version = info.parameter_status("server_version") or ""
    return Identity("postgresql", place_of(info.host, info.port, info.dbname), server, version.split(" ")[0])
