"""The content of one SQLite table as a row count and a digest.

Rows are read in the table's own order: by row number, or by primary key in a table WITHOUT ROWID. That order is a
function of the rows, so a digest over the sequence tells the same rows as equal, however they were written. A row is
what `marshal` (version 2, which is fixed) makes of its integers, reals, bytes and NULLs, plus one letter a value for
its type: `1`, `1.0`, `'1'` and `x'31'` all differ. Its row number counts too wherever a name for it is left.
"""

from __future__ import annotations

import hashlib
import marshal
import re
import sqlite3
from itertools import chain
from typing import NamedTuple

from rollback_guard.backup.engines.sqlite_open import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BATCH = 256  # rows at once
AT_ONCE = 8 << 20  # bytes of rows at once, about
LARGE = 1 << 20  # bytes of a value that is digested by itself, in pieces where Python can (3.11 and later)
_LETTER = {type(None): "n", int: "i", float: "r", bytearray: "t", bytes: "b", tuple: "l"}
_LIST_HEADER = 5  # bytes in which marshal tells a list and its length


class Table(NamedTuple):
    """What is read of a table. `columns`: the stored ones; `number`: a name for its row number, or ""."""

    name: str
    columns: tuple[str, ...]
    number: str
    numbered: bool  # whether it has row numbers at all


class Content(NamedTuple):
    """What is in a table."""

    rows: int
    digest: str


def text_of(value: Any) -> str:
    """A text as Python has it, bytes that are no UTF-8 as surrogates."""
    return bytes(value).decode("utf-8", "surrogateescape")


def read_table(connection: sqlite3.Connection, name: str) -> Table:
    """What columns a table stores, and by which name its row number can be had."""
    found = connection.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
    every = [text_of(one[1]) for one in found]
    stored = tuple(column for column, one in zip(every, found, strict=True) if one[6] in (0, 3))
    taken = {re.sub("[A-Z]", lambda m: m[0].lower(), one) for one in every}
    number = next((one for one in ("rowid", "_rowid_", "oid") if one not in taken), "")
    numbered = True
    if number:
        try:
            connection.execute(f"SELECT {number} FROM {quoted(name)} LIMIT 0")
        except sqlite3.OperationalError as error:
            if not str(error).startswith("no such column"):
                raise
            number, numbered = "", False  # WITHOUT ROWID
    return Table(name, stored, number, numbered)


def read_content(connection: sqlite3.Connection, table: Table) -> Content:
    """Count and digest of a table's rows. Memory: some MB; a large text, or a large BLOB before 3.11, twice whole."""
    values, types = hashlib.sha256(b"%d" % len(table.columns)), hashlib.sha256()
    rows = 0
    largest = _largest(connection, table)
    if largest > LARGE:
        batches: Any = _wide(connection, table)
    else:
        chosen = ", ".join([table.number] * bool(table.number) + [quoted(one) for one in table.columns])
        cursor = connection.execute(f"SELECT {chosen} FROM {quoted(table.name)} NOT INDEXED")
        size = max(1, min(BATCH, AT_ONCE // max(largest, 1)))
        batches = iter(lambda: cursor.fetchmany(size), [])
    letter = _LETTER.__getitem__
    for batch in batches:
        rows += len(batch)
        values.update(memoryview(marshal.dumps(batch, 2))[_LIST_HEADER:])
        types.update("".join(map(letter, map(type, chain.from_iterable(batch)))).encode("ascii"))
    return Content(rows, hashlib.sha256(values.digest() + types.digest()).hexdigest())


def _largest(connection: sqlite3.Connection, table: Table) -> int:
    """About how many bytes the largest row has. SQLite's own table of pages knows, where it was built in."""
    try:
        found = connection.execute("SELECT max(mx_payload) FROM dbstat WHERE name = ?", (table.name,)).fetchone()
    except sqlite3.OperationalError:
        lengths = "+".join(f"ifnull(length(CAST({quoted(one)} AS BLOB)), 0)" for one in table.columns)
        found = connection.execute(f"SELECT max({lengths}) FROM {quoted(table.name)} NOT INDEXED").fetchone()
    return int(found[0] or 0)


def _wide(connection: sqlite3.Connection, table: Table) -> Any:
    """Rows of a table with large values, one a batch; a large value is a tuple of type, length and digest."""
    names = [quoted(one) for one in table.columns]
    apart = bool(table.number) and hasattr(connection, "blobopen")
    large = [f"(typeof({one}) = 'blob' AND length({one}) > {LARGE})" if apart else "0" for one in names]
    kept = [f"CASE WHEN {test} THEN NULL ELSE {one} END" for one, test in zip(names, large, strict=True)]
    first = [table.number] * bool(table.number)
    cursor = connection.execute(f"SELECT {', '.join(first + kept + large)} FROM {quoted(table.name)} NOT INDEXED")
    width = len(first) + len(kept)
    for row in cursor:
        shortened = [_short(value) for value in row[:width]]
        for index, is_large in enumerate(row[width:]):
            if is_large:
                shortened[len(first) + index] = _in_pieces(connection, table, table.columns[index], row[0])
        yield [tuple(shortened)]


def _short(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)) and len(value) > LARGE:
        return (_LETTER[type(value)].encode("ascii"), len(value), hashlib.sha256(value).digest())
    return value


def _in_pieces(connection: sqlite3.Connection, table: Table, column: str, number: int) -> Any:
    opened: Any = getattr(connection, "blobopen")  # noqa: B009 - Python 3.10 has none
    digest = hashlib.sha256()
    with opened(table.name, column, number, readonly=True) as blob:
        size = len(blob)
        while piece := blob.read(LARGE):
            digest.update(piece)
    return (b"b", size, digest.digest())
