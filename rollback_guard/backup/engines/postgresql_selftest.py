"""Whether a fingerprint notices what it claims to: a restored database is changed in one way after another.

Each change is made in a transaction, the fingerprint taken inside it, and the transaction rolled back. A sequence
follows no transaction and is set back.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import NamedTuple

from rollback_guard.backup.engines.postgresql_connection import (
    connect,
    explained,
    identifier,
    literal,
    pin,
    rows_of,
    run,
)
from rollback_guard.backup.engines.postgresql_fingerprint import collect_fingerprint
from rollback_guard.backup.engines.postgresql_relations import OURS, own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rollback_guard.backup.engines.postgresql_connection import Connection
    from rollback_guard.backup.engines.postgresql_restore import Made
    from rollback_guard.backup.model import Fingerprint

MOST = 20  # changes of one kind
_COLUMNS = 5  # columns of one type that are tried, since a table may be empty or a constraint in the way


class Change(NamedTuple):
    """One thing to change. `ways`: statements of which the first that the database takes is the one."""

    name: str
    ways: tuple[str, ...]
    undo: str = ""


_IN = f"{OURS} AND {own('pg_class', 'c.oid')}"
_OF = "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
# By kind: a query that gives a name, and what can be done about it. `%1$s` and so on are written by the server.
_DECLARED = {
    "view": f"""SELECT format('%I.%I', n.nspname, c.relname),
      format('CREATE OR REPLACE VIEW %I.%I AS %s LIMIT 4242', n.nspname, c.relname, rtrim(pg_get_viewdef(c.oid), ';')),
      format('DROP VIEW %I.%I CASCADE', n.nspname, c.relname)
      FROM pg_catalog.pg_class c {_OF} WHERE c.relkind = 'v' AND {_IN} ORDER BY c.oid""",
    "materialized view": f"""SELECT format('%I.%I', n.nspname, c.relname),
      format('DROP MATERIALIZED VIEW %I.%I CASCADE', n.nspname, c.relname)
      FROM pg_catalog.pg_class c {_OF} WHERE c.relkind = 'm' AND {_IN} ORDER BY c.oid""",
    "routine": f"""SELECT p.oid::regprocedure::text,
      format('ALTER ROUTINE %s SET work_mem TO %L', p.oid::regprocedure, '4242kB'),
      format('DROP ROUTINE %s CASCADE', p.oid::regprocedure)
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      WHERE {OURS} AND {own("pg_proc", "p.oid")} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i') ORDER BY p.oid""",
    "trigger": f"""SELECT format('%I.%I.%I', n.nspname, c.relname, g.tgname),
      format('ALTER TABLE %I.%I %s TRIGGER %I', n.nspname, c.relname,
        CASE g.tgenabled WHEN 'D' THEN 'ENABLE' ELSE 'DISABLE' END, g.tgname),
      format('DROP TRIGGER %I ON %I.%I', g.tgname, n.nspname, c.relname)
      FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid {_OF}
      WHERE NOT g.tgisinternal AND {_IN} ORDER BY g.oid""",
    "event trigger": f"""SELECT evtname,
      format('ALTER EVENT TRIGGER %I %s', evtname, CASE evtenabled WHEN 'D' THEN 'ENABLE' ELSE 'DISABLE' END)
      FROM pg_catalog.pg_event_trigger g WHERE {own("pg_event_trigger", "g.oid")} ORDER BY g.oid""",
    "index": f"""SELECT format('%I.%I', n.nspname, c.relname), format('DROP INDEX %I.%I', n.nspname, c.relname),
      format('ALTER INDEX %I.%I SET (fillfactor = 42)', n.nspname, c.relname),
      format('ALTER INDEX %I.%I RENAME TO %I', n.nspname, c.relname, 'guard_renamed')
      FROM pg_catalog.pg_class c {_OF} WHERE c.relkind IN ('i', 'I') AND {_IN} ORDER BY c.oid""",
    "constraint": f"""SELECT format('%I.%I', n.nspname, o.conname),
      CASE WHEN o.conrelid <> 0
        THEN format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', o.conrelid::regclass, o.conname)
        ELSE format('ALTER DOMAIN %s DROP CONSTRAINT %I', o.contypid::regtype, o.conname) END,
      format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', nullif(o.conrelid, 0)::regclass, o.conname, 'guard_renamed')
      FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_namespace n ON n.oid = o.connamespace
      WHERE {OURS} AND o.contype <> 'n' AND NOT (o.contype = 'f' AND o.conparentid <> 0)
        AND {own("pg_class", "o.conrelid")} AND {own("pg_type", "o.contypid")} ORDER BY o.oid""",
    "policy": f"""SELECT format('%I.%I.%I', n.nspname, c.relname, p.polname),
      format('DROP POLICY %I ON %I.%I', p.polname, n.nspname, c.relname)
      FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid {_OF} WHERE {_IN} ORDER BY p.oid""",
    "type": f"""SELECT t.oid::regtype::text, CASE t.typtype
        WHEN 'e' THEN format('ALTER TYPE %s ADD VALUE %L', t.oid::regtype, 'guard value')
        WHEN 'd' THEN format('ALTER DOMAIN %s SET DEFAULT NULL', t.oid::regtype) END,
      format('DROP TYPE %s CASCADE', t.oid::regtype)
      FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
      WHERE {OURS} AND {own("pg_type", "t.oid")} AND t.typtype <> 'm' AND coalesce(c.relkind, 'c') = 'c'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_type o WHERE o.typarray = t.oid) ORDER BY t.oid""",
    "extension": """SELECT extname, format('DROP EXTENSION %I CASCADE', extname)
      FROM pg_catalog.pg_extension WHERE oid >= 16384 ORDER BY oid""",
    "grant": f"""SELECT format('%I.%I', n.nspname, c.relname),
      format('CREATE ROLE guard_grantee; GRANT SELECT ON %I.%I TO guard_grantee', n.nspname, c.relname)
      FROM pg_catalog.pg_class c {_OF} WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND {_IN} ORDER BY c.oid""",
    "table": f"""SELECT format('%I.%I', n.nspname, c.relname),
      format('ALTER TABLE %I.%I ADD COLUMN guard_column integer', n.nspname, c.relname)
      FROM pg_catalog.pg_class c {_OF} WHERE c.relkind IN ('r', 'p', 'f') AND {_IN} ORDER BY c.oid""",
    "row that is gone": f"""SELECT format('%I.%I', n.nspname, c.relname), format(
        'DELETE FROM ONLY %1$I.%2$I AS t WHERE t.ctid = (SELECT u.ctid FROM ONLY %1$I.%2$I AS u LIMIT 1)',
        n.nspname, c.relname)
      FROM pg_catalog.pg_class c {_OF} WHERE c.relkind = 'r' AND {_IN} ORDER BY c.relpages DESC, c.oid""",
    "large object": """SELECT m.oid::text, format('SELECT lo_put(%s, 0, set_byte(lo_get(%s, 0, 1), 0,
        255 - get_byte(lo_get(%s, 0, 1), 0)))', m.oid, m.oid, m.oid), format('SELECT lo_put(%s, 0, %L)', m.oid, 'x')
      FROM pg_catalog.pg_largeobject_metadata m ORDER BY m.oid""",
}
# Columns that can be written to, of every type: by its category how a value becomes another one.
_TYPES = f"""
SELECT format_type(a.atttypid, NULL), t.typcategory::text, format('%I.%I', n.nspname, c.relname), a.attname,
  (SELECT string_agg(quote_literal(v.enumlabel), ';' ORDER BY v.enumsortorder)
   FROM pg_catalog.pg_enum v WHERE v.enumtypid = t.oid)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid {_OF}
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a' AND {_IN}
ORDER BY format_type(a.atttypid, NULL), c.relpages DESC, c.oid, a.attnum"""
_BY_CATEGORY = {
    "N": ("{} + 1", "'0'", "'1'"),
    "S": ("{} || 'x'", "left({}::text, -1)", "'y'"),
    "B": ("NOT {}",),
    "D": ("{} + interval '1 day'", "{} + interval '1 second'", "'epoch'"),
    "T": ("{} + interval '1 second'",),
    "A": ("array_append({}, NULL)",),
}
_ANY = (
    "{0} || '\\x00'::bytea",
    "'{{\"guard\": true}}'",
    "NULL",
    "(SELECT u.{1} FROM ONLY {2} AS u WHERE u.{1}::text IS DISTINCT FROM t.{1}::text LIMIT 1)",
)


def mutations(target: Made, most: int = MOST) -> tuple[tuple[str, Callable[[], Fingerprint]], ...]:
    """What can be changed in a restored database, at most so much of a kind: a name, and what makes the change, takes
    the fingerprint and undoes it. What the database itself does not let be changed is left out.

    Its role must be a superuser. Raises, and so do the changes: UndeterminedError.
    """
    found = []
    with _session(target) as session:
        for change in _changes(session, most):
            way = _possible(session, change)
            if way:
                found.append((change.name, functools.partial(_carried_out, target, way, change.undo)))
    return tuple(found)


@contextmanager
def _session(target: Made) -> Iterator[Connection]:
    """A session in which no trigger and no foreign key answers to a change."""
    session = connect(target.parameters(), "the restored database")
    try:
        with explained("changing the restored database"):
            pin(session)
            run(session, "SET session_replication_role = replica")
            yield session
    finally:
        session.close()


def _changes(session: Connection, most: int) -> Iterator[Change]:
    for kind, query in _DECLARED.items():
        for name, *ways in list(rows_of(session, f"{query} LIMIT {most}")):
            yield Change(f"{kind} {name}", tuple(way for way in ways if way))
    tried: dict[str, list[str]] = {}
    for kind, category, table, column, labels in rows_of(session, _TYPES):
        ways = tried.setdefault(kind, [])
        if len(ways) < _COLUMNS * 10:
            ways += _edits(category, table, column, labels)
    yield from (Change(f"value of type {kind}", tuple(ways)) for kind, ways in tried.items())
    query = f"""SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c {_OF}
      WHERE c.relkind = 'S' AND {_IN} ORDER BY c.oid LIMIT {most}"""
    for (name,) in list(rows_of(session, query)):
        last, called = next(rows_of(session, f"SELECT last_value, is_called FROM {name}"))
        moved = f"SELECT setval({literal(name)}, {last}, {not called})"
        yield Change(f"sequence {name}", (moved,), f"SELECT setval({literal(name)}, {last}, {called})")


def _edits(category: str, table: str, column: str, labels: str | None) -> Iterator[str]:
    own_column = f"t.{identifier(column)}"
    ways = labels.split(";") if labels else _BY_CATEGORY.get(category, ())
    for way in (*(one.replace("{}", own_column) for one in ways), *_ANY):
        if way in _ANY:
            way = way.format(own_column, identifier(column), table)
        yield (
            f"UPDATE ONLY {table} AS t SET {identifier(column)} = {way} WHERE t.ctid = (SELECT t.ctid FROM ONLY {table}"
            f" AS t WHERE {own_column} IS NOT NULL AND ({way})::text IS DISTINCT FROM {own_column}::text LIMIT 1)"
        )


def _possible(session: Connection, change: Change) -> str:
    """The first way that works, "" where none does; nothing is changed."""
    import psycopg

    for way in change.ways:
        if change.undo:
            return way
        try:
            with session.transaction(force_rollback=True):
                if session.execute(way.encode("utf-8", "surrogateescape")).rowcount:  # -1 where nothing is counted
                    return way
        except psycopg.errors.DatabaseError:
            continue
    return ""


def _carried_out(target: Made, way: str, undo: str) -> Fingerprint:
    with _session(target) as session:
        try:
            with session.transaction(force_rollback=True):
                run(session, way)
                return collect_fingerprint(session)
        finally:
            if undo:
                run(session, undo)
