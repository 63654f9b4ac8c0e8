"""Connections to SQLite files, what their errors mean, and whether a file is a whole, sound database."""

from __future__ import annotations

import os
import sqlite3
import urllib.parse
from contextlib import closing, contextmanager

from rollback_guard.backup.engines.private import shown
from rollback_guard.errors import UndeterminedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.errors import GuardError

BUSY = 30.0  # seconds that a locked database is waited for
MAGIC = b"SQLite format 3\0"
SIDECARS = ("-wal", "-journal", "-shm")  # files that belong to a database by their name alone
# What a schema needs that only the application brings; SQLite's own words, which are not translated.
FOREIGN = (
    *("no such function", "no such collation sequence", "no such module", "unknown function", "unsafe use of"),
    "no query solution",  # where the order of a table is by such a collation
)


def read_path(text: str, folder: str) -> str:
    """The file that a source means: a path, `sqlite:PATH`, `sqlite:///PATH` or a `file:` URL; links are followed.

    >>> read_path("sqlite:data/shop.db", "/srv")
    '/srv/data/shop.db'
    """
    path = text
    for scheme in ("sqlite:", "file:"):
        if text.startswith(scheme):
            path, _, query = text[len(scheme) :].partition("?")
            options = urllib.parse.parse_qsl(query)
            if set(options) - {("mode", "ro"), ("mode", "rw"), ("mode", "rwc"), ("cache", "private")}:
                raise UsageError("the URL of an SQLite backup's source has options", remedy="sqlite:/srv/shop.db")
            path = urllib.parse.unquote(path, errors="surrogateescape") if scheme == "file:" else path
            path = "/" + path.lstrip("/") if path.startswith("//") else path
    if not path or path == ":memory:" or path.endswith("/") or "\0" in path:
        raise UsageError("an SQLite backup's source names no file", remedy="sqlite:/srv/shop.db")
    return os.path.realpath(os.path.join(folder, path))


def connect(path: str, *, writes: bool = False, alone: bool = False, waits: bool = True) -> sqlite3.Connection:
    """Open a database that exists. Text comes as bytearray, so that it differs from a BLOB of equal bytes.

    A connection that only reads is opened so that it may write all the same: only thus is what a crash left in a
    journal read as it must be. `alone`: nobody else knows the file, so it is neither locked nor recovered.
    """
    options = "mode=ro&immutable=1" if alone else "mode=rw"
    url = f"file:{urllib.parse.quote(os.fsencode(path))}?{options}"
    connection = sqlite3.connect(url, uri=True, timeout=BUSY if waits else 0.0, isolation_level=None)
    try:
        connection.text_factory = bytearray
        connection.execute("PRAGMA trusted_schema=OFF")  # a backup from elsewhere runs nothing
        connection.execute("PRAGMA cell_size_check=ON")
        connection.execute(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Whatever SQLite and the file system say in here becomes a sentence with a remedy."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, path) from None
    except OSError as error:
        raise UndeterminedError(
            f"{shown(path)}: {error.strerror or 'it cannot be read or written'}", remedy=f"ls -ld {shown(path)}"
        ) from None


def explain(error: sqlite3.Error, path: str) -> GuardError:
    """What an error of SQLite means for a person. Its own words hold names of the schema at most, never a row."""
    said, here = str(error), shown(path)
    if "locked" in said or "busy" in said:
        return UndeterminedError(f"the database {here} is locked by another program", remedy=f"fuser -v {here}")
    if "not a database" in said:
        return UndeterminedError(f"{here} is no SQLite database, or an encrypted one", remedy=f"file {here}")
    if "unable to open" in said or "readonly" in said:
        why = "there is no such file" if not os.path.lexists(path) else "it or its folder is not readable and writable"
        return UndeterminedError(
            f"the database {here} cannot be opened: {why}", remedy=f"ls -ld {shown(os.path.dirname(path))} {here}"
        )
    if "is full" in said:
        return UndeterminedError(f"there is no space left for {here}", remedy=f"df -h {shown(os.path.dirname(path))}")
    if "malformed" in said or "disk I/O" in said:
        return UndeterminedError(
            f"the database {here} is damaged: {said}", remedy=f"sqlite3 {here} 'PRAGMA integrity_check'"
        )
    return UndeterminedError(
        f"SQLite {sqlite3.sqlite_version} cannot read {here}: {said}", remedy=f"sqlite3 {here} .schema"
    )


def require_whole(path: str) -> None:
    """Raise UndeterminedError unless a file that nobody else knows is a whole database that SQLite finds sound."""
    with open(path, "rb") as file:
        header = file.read(100)
    size = os.path.getsize(path)
    if not header.startswith(MAGIC) or len(header) < 100:
        raise UndeterminedError(
            "the backup is no SQLite database, or not even the beginning of one", remedy="guard backup list"
        )
    page = int.from_bytes(header[16:18], "big")
    expected = int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page)
    if size != expected:
        raise UndeterminedError(
            f"the backup has {size:,} bytes where its first page tells of {expected:,}", remedy="guard backup list"
        )
    fault = find_fault(path)
    if fault:
        raise UndeterminedError(f"the backup is a damaged database: {fault}", remedy="guard backup list")


def find_fault(path: str) -> str:
    """What SQLite's own check finds wrong with a file that nobody else knows; "" where it is sound.

    A table that needs a function or a collation of the application's is left out: its rows are read, and thereby
    checked, for the fingerprint.
    """
    with explained(path), closing(connect(path, alone=True)) as connection:
        try:
            return _checked(connection, "1")
        except sqlite3.OperationalError as error:
            if not str(error).startswith(FOREIGN):
                return str(error)
            tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"
            found = connection.execute(tables).fetchall()
        except sqlite3.DatabaseError as error:
            return str(error)
        for (name,) in found:
            try:
                fault = _checked(connection, quoted(bytes(name).decode("utf-8", "replace")))
            except sqlite3.OperationalError as error:
                fault = "" if str(error).startswith(FOREIGN) else str(error)
            if fault:
                return fault
    return ""


def _checked(connection: sqlite3.Connection, what: str) -> str:
    found = connection.execute(f"PRAGMA integrity_check({what})").fetchall()
    words = [bytes(one).decode("utf-8", "backslashreplace") for (one,) in found]
    return "" if words == ["ok"] else "; ".join(words[:3])


def quoted(name: str) -> str:
    """A name as SQL has it.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'
