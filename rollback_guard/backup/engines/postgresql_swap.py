"""Databases beside the source, on its own server, and the exchange of two names in one transaction.

`ALTER DATABASE … RENAME` keeps everybody out of a database from its first moment to the commit, and waits for those who
are in. They are ended meanwhile from a second session. So there is no moment at which a crash would leave anything but
the old names or the new ones, and nothing to be set back.
"""

from __future__ import annotations

import re
import threading
import time

from rollback_guard.backup.engines.postgresql_connection import connect, explained, identifier, literal, rows_of, run
from rollback_guard.errors import RefusedError, UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollback_guard.backup.engines.postgresql_connection import Connection

MAINTENANCE = ("postgres", "template1")  # databases from which others are renamed
_TRIES = 3
_PAUSE = 0.02  # seconds between two rounds of ending sessions
_OPTIONS = """
SELECT format('TEMPLATE = template0 ENCODING = %L OWNER = %I TABLESPACE = %I CONNECTION LIMIT = %s',
    pg_encoding_to_char(d.encoding), pg_get_userbyid(d.datdba), t.spcname, d.datconnlimit),
  to_jsonb(d) ->> 'datlocprovider', d.datcollate, d.datctype,
  coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'), to_jsonb(d) ->> 'daticurules'
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = {source}"""
_PROVIDERS = {"i": "icu", "b": "builtin"}
_PROPERTIES = """
SELECT format('ALTER DATABASE %I IS_TEMPLATE true', {beside}), 1
  FROM pg_catalog.pg_database d WHERE d.datname = {source} AND d.datistemplate
UNION ALL
SELECT format('COMMENT ON DATABASE %I IS %L', {beside}, s.description), 1
  FROM pg_catalog.pg_database d JOIN pg_catalog.pg_shdescription s
    ON s.objoid = d.oid AND s.classoid = 'pg_catalog.pg_database'::regclass WHERE d.datname = {source}
UNION ALL
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I', {beside}, pg_get_userbyid(d.datdba)), 2
  FROM pg_catalog.pg_database d WHERE d.datname = {source} AND d.datacl IS NOT NULL
UNION ALL
SELECT format('GRANT %s ON DATABASE %I TO %s%s', x.privilege_type, {beside},
    CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
    CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), 3
  FROM pg_catalog.pg_database d, aclexplode(d.datacl) x WHERE d.datname = {source}
ORDER BY 2"""
_SETTINGS = """
SELECT CASE WHEN s.setrole <> 0 THEN quote_ident(pg_get_userbyid(s.setrole)) END,
  split_part(c, '=', 1), substr(c, position('=' in c) + 1)
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_db_role_setting s ON s.setdatabase = d.oid, unnest(s.setconfig) c
WHERE d.datname = {source}"""
# Settings whose value is a list of names: quoted once more it would be one name.
_LISTS = ("search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries")
_ELEMENT = re.compile(r'"((?:[^"]|"")*)"|([^\s,"]+)')
_THERE = "SELECT datname FROM pg_catalog.pg_database WHERE datname IN ({})"
_OTHERS = """SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
WHERE datname IN ({}) AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'"""


def maintenance(parameters: Mapping[str, str], *avoid: str) -> Connection:
    """A session on the same server that is in none of some databases. Raises: UndeterminedError."""
    fault: UndeterminedError | None = None
    for name in MAINTENANCE:
        if name in avoid:
            continue
        try:
            return connect({**parameters, "dbname": name}, f"the database {name}, from which others are renamed,")
        except UndeterminedError as error:
            fault = error
    assert fault is not None
    raise fault


def read_properties(session: Connection, source: str, beside: str) -> tuple[str, list[str]]:
    """How a database like the source is made: options of `CREATE DATABASE`, and statements for when it is filled."""
    for options, provider, collate, ctype, locale, rules in rows_of(session, _OPTIONS.format(source=literal(source))):
        options += f" LC_COLLATE = {literal(collate)} LC_CTYPE = {literal(ctype)}"
        if provider in _PROVIDERS:
            kind = _PROVIDERS[provider]
            options += f" LOCALE_PROVIDER = {kind} {kind.upper()}_LOCALE = {literal(locale)}"
        if rules:
            options += f" ICU_RULES = {literal(rules)}"
        query = _PROPERTIES.format(source=literal(source), beside=literal(beside))
        statements = [statement for statement, _ in rows_of(session, query)]
        for role, setting, value in rows_of(session, _SETTINGS.format(source=literal(source))):
            whose = f"ROLE {role} IN DATABASE" if role else "DATABASE"
            statements.append(f"ALTER {whose} {identifier(beside)} SET {setting} TO {_setting(setting, value)}")
        return options, statements
    raise UndeterminedError("the source is not on its server any more", remedy="psql --list")


def _setting(name: str, value: str) -> str:
    """
    >>> _setting("search_path", '"$user", public'), _setting("DateStyle", "ISO, DMY"), _setting("search_path", '""')
    ("'$user', 'public'", "'ISO, DMY'", "''")
    """
    if name.lower() not in _LISTS:
        return literal(value)
    return ", ".join(literal(bare or quoted.replace('""', '"')) for quoted, bare in _ELEMENT.findall(value)) or "''"


def exchange(parameters: Mapping[str, str], source: str, beside: str, aside: str) -> float:
    """Give `source`'s name to `beside`, and `aside` to the source: the seconds in which nobody could reach it."""
    session = maintenance(parameters, source, beside, aside)
    other = maintenance(parameters, source, beside, aside)
    try:
        with explained("swapping the databases"):
            names = ", ".join(literal(name) for name in (source, beside, aside))
            there = {name for (name,) in rows_of(session, _THERE.format(names))}
            if beside not in there and {source, aside} <= there:
                return 0.0  # it was done before
            if beside not in there:
                raise UndeterminedError(f"there is no database {beside} to put in place", remedy="psql --list")
            if aside in there and source in there:
                raise RefusedError(
                    f"there is a database {aside} already, which would be lost", remedy=f"dropdb {aside}"
                )
            return _exchanged(session, other, [(source, aside)] * (source in there) + [(beside, source)])
    finally:
        session.close()
        other.close()


def _exchanged(session: Connection, other: Connection, renames: list[tuple[str, str]]) -> float:
    import psycopg

    names, done = [before for before, _ in renames], threading.Event()
    ending = threading.Thread(target=_end_sessions, args=(other, names, done))
    begun = time.monotonic()
    ending.start()
    try:
        tries = 1
        while True:
            try:
                with session.transaction():
                    for before, after in renames:
                        run(session, f"ALTER DATABASE {identifier(before)} RENAME TO {identifier(after)}")
                return time.monotonic() - begun
            except psycopg.errors.ObjectInUse:
                if tries == _TRIES:
                    raise
                tries += 1
    finally:
        done.set()
        ending.join()


def _end_sessions(other: Connection, names: list[str], done: threading.Event) -> None:
    import psycopg

    query = _OTHERS.format(", ".join(literal(name) for name in names))
    while not done.is_set():
        try:
            list(rows_of(other, query))
        except psycopg.Error:  # those that may not be ended by us are waited for
            pass
        done.wait(_PAUSE)
