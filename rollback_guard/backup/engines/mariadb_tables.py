"""The tables of a database and their columns, and how the server itself sums up what is in them.

Each row is one text in which nothing can be taken for something else: for each column `N` for NULL, else its length,
a colon and its bytes. Of each the server takes the MD5; half of it, 64 bits, is summed up over the table, so that no
order matters. (Both halves would have every row digested twice.) What is read is bytes and numbers, never what a
session shows of them.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.backup.engines.mariadb_connection import LARGER, identifier, version_of
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.backup.engines.mariadb_connection import Session

KEEPS_HISTORY = (10, 11)  # from here on the dump program keeps what a system-versioned table was
OURS = ("_rollback_guard", "_rollback_guard_swap")  # tables of our own beside a source; never in one
HISTORY = "SYSTEM VERSIONED"
PRESENT = "SYSTEM VERSIONED, PRESENT ROWS"  # of a server whose dump program leaves out what was
SEQUENCE = "SEQUENCE"
# Their rows are elsewhere, or nowhere: no dump of this database has them.
ELSEWHERE = ("FEDERATED", "MRG_MYISAM", "CONNECT", "SPIDER", "OQGRAPH", "SPHINX", "BLACKHOLE", "S3", "NDBCLUSTER")

_PACKET = 1 << 20  # bytes that a server must let through at least

_NUMBERS = ("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year")
_TIMES = ("date", "time", "datetime", "timestamp", "uuid", "inet4", "inet6", "double")
_INDEXED = ("enum", "set", "bit")  # an index, or bits: as text, two of them can look the same
_BYTES = ("binary", "varbinary", "char", "varchar")
_LARGE = ("tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob")
_SHAPES = ("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon")
_COLLECTIONS = ("geometrycollection", "geomcollection", "vector")


class Column(NamedTuple):
    """A column, and in which way its value comes about."""

    name: str
    kind: str  # DATA_TYPE, such as "varchar"
    derived: str  # "", "VIRTUAL" or "STORED"
    default: str = ""


class Table(NamedTuple):
    """A table, or a sequence."""

    name: str
    kind: str  # TABLE_TYPE
    engine: str
    transactional: bool
    counter: int | None  # AUTO_INCREMENT
    columns: tuple[Column, ...]

    @property
    def stored(self) -> tuple[Column, ...]:
        """Columns that hold something of their own; a versioned table's own two when nobody named them."""
        found = tuple(one for one in self.columns if one.derived != "VIRTUAL")
        hidden = self.kind == HISTORY and not any(one.derived == "ROW" for one in self.columns)
        return found + (_HIDDEN if hidden else ())

    @property
    def source(self) -> str:
        """What stands after FROM for all of it, history too."""
        return identifier(self.name) + (" FOR SYSTEM_TIME ALL" if self.kind == HISTORY else "")

    @property
    def elsewhere(self) -> bool:
        """Whether its rows lie where no backup of this database reaches."""
        return self.engine.upper() in ELSEWHERE


_HIDDEN = (Column("row_start", "timestamp", "ROW"), Column("row_end", "timestamp", "ROW"))


def collect_tables(session: Session) -> tuple[Table, ...]:
    """All of the session's database, by name."""
    engines = {
        str(row[0])
        for row in session.rows("SELECT ENGINE, TRANSACTIONS FROM information_schema.ENGINES")
        if str(row[1]).upper() == "YES"
    }
    version = version_of(str(session.value("SELECT VERSION()")))
    columns: dict[str, list[Column]] = {}
    for table, name, kind, extra, expression, default in session.rows(
        "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, EXTRA, GENERATION_EXPRESSION, COLUMN_DEFAULT"
        " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION"
    ):
        columns.setdefault(str(table), []).append(
            Column(str(name), str(kind).lower(), _derived(str(extra), str(expression or "")), str(default or ""))
        )
    found = []
    for name, kind, engine, counter in session.rows(
        "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, AUTO_INCREMENT FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE NOT LIKE '%VIEW' ORDER BY TABLE_NAME"
    ):
        if name not in OURS:
            own = tuple(columns.get(str(name), ()))
            told = PRESENT if kind == HISTORY and version < KEEPS_HISTORY else str(kind)
            found.append(Table(str(name), told, str(engine or ""), str(engine) in engines, counter, own))
    return tuple(sorted(found))


def _derived(extra: str, expression: str) -> str:
    """In the words of EXTRA: a versioned table's own columns are told as STORED GENERATED, by ROW START."""
    if expression.upper() in ("ROW START", "ROW END"):
        return "ROW"
    return "VIRTUAL" if "VIRTUAL GENERATED" in extra else "STORED" if "STORED GENERATED" in extra else ""


def unknown_columns(table: Table) -> tuple[Column, ...]:
    """Columns of a type of which we do not know how to see every change."""
    return tuple(one for one in table.stored if _encoded(one) is None)


def read_content(session: Session, table: Table) -> tuple[int, str]:
    """How many rows there are, and the sum of what is in them, as the server counts it.

    A row without its large columns, of which the MD5 is taken first, has at most 64 KiB, so nothing is ever cut off.
    """
    known = [text for one in table.stored if (text := _encoded(one)) is not None]
    row = ", ".join(f"IFNULL(CONCAT(LENGTH({one}), ':', {one}), 'N')" for one in known)
    summed = f"SUM(CAST(CONV(LEFT(MD5(CONCAT({row})), 16), 16, 10) AS UNSIGNED))" if known else "0"
    rows, total, packet = session.rows(f"SELECT COUNT(*), {summed}, @@max_allowed_packet FROM {table.source}")[0]
    if packet < _PACKET:
        raise too_large(table)
    return int(rows), f"{rows} {total or 0}"


def _encoded(column: Column) -> str | None:
    """An expression of bytes or digits that differs whenever the value does; None for a type that we do not know."""
    name = identifier(column.name)
    if column.kind in _NUMBERS or column.kind in _TIMES:
        return f"CAST({name} AS CHAR)"
    if column.kind == "float":  # as text it shows six digits of nine
        return f"CAST(CAST({name} AS DOUBLE) AS CHAR)"
    if column.kind in _INDEXED:
        return f"CAST({name} AS UNSIGNED)"
    if column.kind in _BYTES:
        return f"CAST({name} AS BINARY)"
    if column.kind in _LARGE or column.kind in _SHAPES or column.kind in _COLLECTIONS:
        return f"MD5({name})"
    if column.kind == "json":  # MySQL's own type
        return f"MD5(CAST({name} AS CHAR))"
    return None


def inexact(table: Table) -> bool:
    """Whether the dump program would round what is in it: it writes six digits of a FLOAT."""
    return any(one.kind == "float" and not one.derived for one in table.columns)


def render_rows(session: Session, table: Table, size: int = 1 << 19) -> Iterator[bytes]:
    """INSERT statements of about so many bytes for all rows, each value to the last bit; the server writes them."""
    columns = [one for one in table.stored if one.derived in ("", "ROW")]
    names = ", ".join(identifier(one.name) for one in columns)
    values = ", ',', ".join(_literal(one) for one in columns)
    head = f"INSERT INTO {identifier(table.name)} ({names}) VALUES\n".encode()
    waiting: list[bytes] = []
    length = 0
    for (row,) in session.stream(f"SELECT CAST(CONCAT('(', {values}, ')') AS BINARY) FROM {table.source}"):
        if row is None:
            raise too_large(table)
        waiting.append(row)
        length += len(row)
        if length > size:
            yield head + b",\n".join(waiting) + b";\n"
            waiting, length = [], 0
    if waiting:
        yield head + b",\n".join(waiting) + b";\n"


def too_large(table: Table) -> UndeterminedError:
    """What is said of a row that does not fit into the server's answers."""
    return UndeterminedError(
        f"{table.name} has a row that is larger than the server lets through",
        remedy=LARGER,
    )


def _literal(column: Column) -> str:
    name = identifier(column.name)
    if column.kind in _NUMBERS or column.kind == "double":
        text = f"CAST({name} AS CHAR)"
    elif column.kind == "float":
        text = f"CAST(CAST({name} AS DOUBLE) AS CHAR)"
    elif column.kind == "bit":
        text = f"CAST({name} AS UNSIGNED)"
    elif column.kind in (*_BYTES, *_LARGE, *_SHAPES, *_COLLECTIONS):
        text = f"IF(LENGTH({name}) = 0, '\\'\\'', CONCAT('0x', HEX({name})))"
    else:
        text = f"QUOTE({name})"
    return f"IF({name} IS NULL, 'NULL', {text})"  # a text that is NULL by itself is too large, and must not pass
