"""What is in a MariaDB or MySQL database, as items that a true copy has too, whatever it is called there.

Schema: from `information_schema` and `SHOW CREATE`, in which the database's own name is left out. Content: a table's
rows as the server sums them up, and the counters: AUTO_INCREMENT and sequences, which no snapshot holds.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rollback_guard.backup.engines.mariadb_connection import digest, identifier
from rollback_guard.backup.engines.mariadb_definitions import collect_definitions, passing
from rollback_guard.backup.engines.mariadb_tables import (
    OURS,
    PRESENT,
    SEQUENCE,
    collect_tables,
    read_content,
    unknown_columns,
)
from rollback_guard.backup.model import Fingerprint, Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rollback_guard.backup.engines.mariadb_connection import Session
    from rollback_guard.backup.engines.mariadb_definitions import Definition
    from rollback_guard.backup.engines.mariadb_tables import Table

GRANTS = "accounts and what they are granted"
_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")
_HERE = "= DATABASE()"
# Kind of item, its name's columns, and what is read of it. Dialects differ in columns: those of a list come if known.
_QUERIES: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "column",
        "COLUMNS",
        ("TABLE_NAME", "COLUMN_NAME"),
        ("ORDINAL_POSITION", "COLUMN_DEFAULT", "IS_NULLABLE", "CHARACTER_SET_NAME", "COLLATION_NAME", "COLUMN_TYPE")
        + ("EXTRA", "COLUMN_COMMENT", "GENERATION_EXPRESSION"),
        ("SRS_ID",),
    ),
    (
        "index",
        "STATISTICS",
        ("TABLE_NAME", "INDEX_NAME"),
        ("SEQ_IN_INDEX", "COLUMN_NAME", "NON_UNIQUE", "COLLATION", "SUB_PART", "INDEX_TYPE", "INDEX_COMMENT"),
        ("IGNORED", "IS_VISIBLE", "EXPRESSION"),
    ),
    (
        "key",
        "KEY_COLUMN_USAGE",
        ("TABLE_NAME", "CONSTRAINT_NAME"),
        ("ORDINAL_POSITION", "COLUMN_NAME", "NULLIF(REFERENCED_TABLE_SCHEMA, DATABASE())", "REFERENCED_TABLE_NAME")
        + ("REFERENCED_COLUMN_NAME",),
        (),
    ),
    (
        "foreign key",
        "REFERENTIAL_CONSTRAINTS",
        ("TABLE_NAME", "CONSTRAINT_NAME"),
        ("MATCH_OPTION", "UPDATE_RULE", "DELETE_RULE", "REFERENCED_TABLE_NAME"),
        (),
    ),
    ("check", "CHECK_CONSTRAINTS", ("TABLE_NAME", "CONSTRAINT_NAME"), ("CHECK_CLAUSE",), ("LEVEL",)),
    (
        "partition",
        "PARTITIONS",
        ("TABLE_NAME", "PARTITION_NAME", "SUBPARTITION_NAME"),
        ("PARTITION_ORDINAL_POSITION", "SUBPARTITION_ORDINAL_POSITION", "PARTITION_METHOD", "SUBPARTITION_METHOD")
        + ("PARTITION_EXPRESSION", "SUBPARTITION_EXPRESSION", "PARTITION_DESCRIPTION", "PARTITION_COMMENT"),
        (),
    ),
)


class Counters(NamedTuple):
    """Numbers that move whatever a transaction sees: of tables, and of sequences."""

    tables: Mapping[str, int]
    sequences: Mapping[str, int]


def collect_counters(session: Session, tables: Sequence[Table]) -> Counters:
    """What they are now."""
    sequences = {}
    for table in tables:
        if table.kind == SEQUENCE:
            sequences[table.name] = int(session.value(f"SELECT next_not_cached_value FROM {identifier(table.name)}"))
    numbered = {table.name: table.counter for table in tables if table.counter is not None}
    return Counters(numbered, sequences)


class Declared(NamedTuple):
    """How everything in a database is declared: read once, and as items."""

    tables: tuple[Table, ...]
    definitions: tuple[Definition, ...]
    items: tuple[Item, ...]


def collect_fingerprint(
    session: Session, declared: Declared | None = None, counters: Counters | None = None
) -> Fingerprint:
    """All of the session's database. `declared`, `counters`: as they were at the snapshot, where there is one."""
    declared = declared or collect_declared(session)
    counters = counters or collect_counters(session, declared.tables)
    items = [*declared.items, *collect_content(session, declared.tables), *counted(counters)]
    return Fingerprint(tuple(sorted(items, key=_order)), _uncovered(declared))


def collect_declared(session: Session) -> Declared:
    """How everything is declared now."""
    tables, definitions = collect_tables(session), collect_definitions(session)
    found = [_item("database", "", *session.rows("SELECT @@character_set_database, @@collation_database")[0])]
    for table in tables:
        kind = "sequence" if table.kind == SEQUENCE else "table"
        text = str(session.rows(f"SHOW CREATE {kind.upper()} {identifier(table.name)}")[0][1])
        found.append(_item(kind, table.name, table.kind, _COUNTER.sub("", _unnamed(text, session), count=1)))
    for query in _QUERIES:
        found += _listed(session, *query)
    found += [_item(one.kind.lower(), one.name, *one) for one in definitions if not passing(one)]
    return Declared(tables, definitions, tuple(sorted(found, key=_order)))


def collect_content(session: Session, tables: Sequence[Table]) -> list[Item]:
    """What is in each table that is one."""
    found = []
    for table in tables:
        if table.kind != SEQUENCE and not table.elsewhere:
            rows, summed = read_content(session, table)
            found.append(Item("content", "table", table.name, digest(summed), rows))
    return found


def counted(counters: Counters) -> list[Item]:
    """Counters as items."""
    found = [Item("content", "auto_increment", name, digest(number)) for name, number in counters.tables.items()]
    return found + [Item("content", "sequence", name, digest(number)) for name, number in counters.sequences.items()]


def _item(kind: str, name: str, *values: object) -> Item:
    return Item("schema", kind, name, digest(*values))


def _order(item: Item) -> tuple[str, ...]:
    return item[:4]


def _unnamed(text: str, session: Session) -> str:
    """Without the name of the database, which the server writes before a sequence that a column takes values of."""
    return text.replace(f"nextval({identifier(session.address.database)}.", "nextval(")


def _listed(
    session: Session, kind: str, view: str, names: tuple[str, ...], wanted: tuple[str, ...], perhaps: tuple[str, ...]
) -> list[Item]:
    """Rows of a view of `information_schema`, those of one name together."""
    known = {
        str(row[0])
        for row in session.rows(
            "SELECT UPPER(COLUMN_NAME) FROM information_schema.COLUMNS"
            f" WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME = '{view}'"
        )
    }
    named = [one for one in names if one in known]  # MySQL's checks are not told by table
    columns = [*named, *wanted, *(one for one in perhaps if one in known)]
    schema = "TABLE_SCHEMA" if "TABLE_SCHEMA" in known else "CONSTRAINT_SCHEMA"
    more = " AND PARTITION_NAME IS NOT NULL" if view == "PARTITIONS" else ""
    if view in ("REFERENTIAL_CONSTRAINTS", "CHECK_CONSTRAINTS"):
        schema = "CONSTRAINT_SCHEMA"
    found: dict[str, list[tuple[object, ...]]] = {}
    for row in session.rows(f"SELECT {', '.join(columns)} FROM information_schema.{view} WHERE {schema} {_HERE}{more}"):
        if row[0] in OURS:
            continue
        name = ".".join(str(one) for one in row[: len(named)] if one is not None)
        values = (_unnamed(one, session) if isinstance(one, str) else one for one in row[len(named) :])
        found.setdefault(name, []).append(tuple(values))
    return [_item(kind, name, *sorted(rows, key=str)) for name, rows in found.items()]


def _uncovered(declared: Declared) -> tuple[str, ...]:
    """In words, what no item tells."""
    found = [GRANTS]
    for table in declared.tables:
        if table.elsewhere:
            found.append(f"the rows of {table.name}, which lie elsewhere ({table.engine})")
        if table.kind == PRESENT:
            found.append(f"what was in {table.name} earlier, which no dump of this version keeps")
        found += [f"{table.name}.{one.name}, of the type {one.kind}" for one in unknown_columns(table)]
    found += [f"the event {one.name}, which removes itself" for one in declared.definitions if passing(one)]
    return tuple(found)
