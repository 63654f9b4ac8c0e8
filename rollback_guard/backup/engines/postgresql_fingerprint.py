"""What is in a PostgreSQL database: how everything is declared, and a count and a checksum of each table's rows.

The checksum of a table is the sum of a 64-bit hash of each row's text, so that the order of rows does not matter and
the server reads a table once, in parallel where it likes. It finds what is lost or changed by accident; it is no
signature.
"""

from __future__ import annotations

import hashlib
import json
from itertools import islice

from rollback_guard.backup.engines import postgresql_objects, postgresql_relations
from rollback_guard.backup.engines.postgresql_connection import explained, rows_of
from rollback_guard.backup.model import Fingerprint, Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rollback_guard.backup.engines.postgresql_connection import Connection

UNCOVERED = (
    "roles, their memberships, settings and passwords, and tablespaces: they belong to the server",
    "the database's own locale, owner, grants, settings and comment",
    "what materialized views hold: a restore computes it anew",
    "rows of foreign tables, user mappings, values of a foreign server's options",
    "versions of extensions, and rows in tables that belong to an extension",
    "subscriptions, replication slots and security labels",
    "statistics of the planner, and indexes that are not valid",
    "names of NOT NULL constraints, and of constraints that partitions inherit",
    "the order of columns in tables that inherit from tables which are not partitioned",
    "owners and grants of large objects",
)
_TOGETHER = 40  # tables or sequences that one query reads
# A large object is read in pieces, and each piece counts where it lies. Above a number of objects, they count by the
# thousand.
_LARGE = """
SELECT CASE WHEN count(*) OVER () > 10000 THEN format('%s000 and up', o.oid::bigint / 1000) ELSE o.oid::text END,
  o.size, (SELECT sum(hashtextextended(format('%s %s', i, encode(lo_get(o.oid, i * 1048576, 1048576), 'base64'))
    COLLATE "C", o.oid::bigint)) FROM generate_series(0, (o.size - 1) / 1048576) i)
FROM (SELECT l.oid, l.size, lo_close(l.fd) AS closed FROM (SELECT f.oid, f.fd, lo_lseek64(f.fd, 0, 2) AS size
  FROM (SELECT m.oid, lo_open(m.oid, 262144) AS fd FROM pg_catalog.pg_largeobject_metadata m OFFSET 0) f OFFSET 0) l
  OFFSET 0) o WHERE o.closed = 0"""
_LARGE_SUMS = (
    f"SELECT name, count(*)::text, sum(size)::text, sum(hash)::text FROM ({_LARGE}) AS o (name, size, hash) GROUP BY 1"
)


def collect_fingerprint(
    connection: Connection, sequences: Mapping[tuple[str, str], tuple[str, str]] | None = None
) -> Fingerprint:
    """What is in the database of a session with pinned settings, at the snapshot of its transaction.

    `sequences`: the state that a dump has of them, since they follow no snapshot. Raises: UndeterminedError.
    """
    with explained("reading what is in the database"):
        items = [*_declared(connection), *_rows(connection), *_states(connection, sequences), *_large(connection)]
    return Fingerprint(tuple(sorted(items, key=lambda item: item[:3])), UNCOVERED)


def _digest(values: Iterable[object]) -> str:
    text = json.dumps([None if one is None else str(one) for one in values])
    return hashlib.sha256(text.encode()).hexdigest()


def _declared(connection: Connection) -> Iterator[Item]:
    for kind, query in (*postgresql_objects.QUERIES, *postgresql_relations.QUERIES):
        for name, *definition in rows_of(connection, query):
            yield Item("schema", kind, name, _digest(definition))


def _rows(connection: Connection) -> Iterator[Item]:
    queries = (query for (query,) in rows_of(connection, postgresql_relations.CONTENTS))
    for name, count, total in _united(connection, queries):
        yield Item("content", "table", name, _digest((count, total)), int(count))


def _states(connection: Connection, sequences: Mapping[tuple[str, str], tuple[str, str]] | None) -> Iterator[Item]:
    queries = []
    for query, name, schema, sequence in rows_of(connection, postgresql_relations.STATES):
        state = None if sequences is None else sequences.get((schema, sequence))
        if state is None:
            queries.append(query)
        else:
            yield Item("content", "sequence", name, _digest(state))
    for name, *values in _united(connection, iter(queries)):
        yield Item("content", "sequence", name, _digest(values))


def _large(connection: Connection) -> Iterator[Item]:
    for name, *sums in rows_of(connection, _LARGE_SUMS):
        yield Item("content", "large object", name, _digest(sums))


def _united(connection: Connection, queries: Iterator[str]) -> Iterator[tuple[str, ...]]:
    while together := list(islice(queries, _TOGETHER)):
        with connection.transaction(force_rollback=True):  # gives the locks back: a server has a few thousand
            yield from rows_of(connection, " UNION ALL ".join(together))
