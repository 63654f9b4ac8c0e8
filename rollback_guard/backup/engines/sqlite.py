"""SQLite databases, by the standard library alone.

A backup is the database file as SQLite's online backup makes it: one moment, what still lies in a write-ahead log
included, while others go on writing (with a rollback journal they wait, at most for as long as the copy takes). The
copy lies in `TMPDIR` until it was dumped, and its fingerprint is what is told. A file has no identity but its path.
"""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import stat
import time
from contextlib import closing, contextmanager

from rollback_guard.backup.engines.private import private_folder, require_space, shown
from rollback_guard.backup.engines.renames import name_beside, sync_folder
from rollback_guard.backup.engines.sqlite_fingerprint import read_fingerprint
from rollback_guard.backup.engines.sqlite_open import (
    SIDECARS,
    connect,
    explained,
    find_fault,
    read_path,
    require_whole,
)
from rollback_guard.backup.engines.sqlite_swap import put_in_place
from rollback_guard.backup.model import Fingerprint, Identity
from rollback_guard.errors import RefusedError, UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from rollback_guard.backup.source import Source

CHUNK = 1 << 20
PART = "-part"  # of the name of a file that is not whole yet


class Snapshot:
    """A private copy of a database. `position`: the file's change counter and size in pages."""

    concurrent = False  # both would read the same file

    def __init__(self, path: str, moment: float) -> None:
        self._path = path
        self.moment = moment
        with open(path, "rb") as file:
            header = file.read(100)
        change, pages = (int.from_bytes(header[at : at + 4], "big") for at in (24, 28))
        self.position = f"change {change}, {pages} pages"

    def dump(self, sink: BinaryIO) -> None:
        """Write the copy's bytes."""
        with explained(self._path), open(self._path, "rb") as file:
            shutil.copyfileobj(file, sink, CHUNK)

    def fingerprint(self) -> Fingerprint:
        """What is in the copy."""
        return read_fingerprint(self._path)


class Target:
    """A file into which a backup is restored, byte for byte. `like`: whose owner, mode and attributes it is to have."""

    def __init__(self, path: str, like: str = "") -> None:
        self._path = path
        self._like = like
        self.identity = _identity(path)

    def restore(self, stream: BinaryIO) -> None:
        """Write the bytes under another name, have SQLite check all of them, and only then give them theirs."""
        part = self._path + PART
        with explained(self._path):
            remove(self._path)
            try:
                with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    shutil.copyfileobj(stream, file, CHUNK)
                    file.flush()
                    os.fsync(file.fileno())
                require_whole(part)
                if self._like and os.path.exists(self._like):
                    take_after(part, self._like)
                os.rename(part, self._path)
                sync_folder(os.path.dirname(self._path))
            finally:
                if os.path.lexists(part):
                    os.unlink(part)

    def fingerprint(self) -> Fingerprint:
        """What is in the file."""
        return read_fingerprint(self._path)

    def environment(self) -> Mapping[str, str]:
        """`GUARD_SCRATCH` is the file's path."""
        return {"GUARD_SCRATCH": self._path}


class SQLite:
    """The engine for one database file. The folder it lies in must be ours to write when it is restored."""

    name = "sqlite"
    suffix = ".sqlite"

    def __init__(self, source: Source) -> None:
        self._environ = source.environ
        self._path = read_path(source.text, source.folder)

    def identify(self) -> Identity:
        """Its real path. Raises: UndeterminedError unless a database that can be read is there."""
        self._require_file()
        with explained(self._path), closing(connect(self._path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return _identity(self._path)

    def tools(self) -> Sequence[tuple[str, str]]:
        """The library, and Python, whose module it is reached by."""
        return (("sqlite", sqlite3.sqlite_version), ("python", platform.python_version()))

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Copy the database as it is at one moment. Raises: UndeterminedError, also where it is damaged."""
        self._require_file()
        with private_folder(self._environ) as folder:
            copy = os.path.join(folder, "copy.sqlite")
            os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with explained(self._path), closing(connect(self._path)) as connection:
                connection.execute("BEGIN")  # what is read from here on is of one moment, and that is never "locked"
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                moment = time.time()
                pages, size = (connection.execute(f"PRAGMA {one}").fetchone()[0] for one in ("page_count", "page_size"))
                require_space(folder, pages * size, f"a snapshot of {shown(self._path)}")
                with explained(copy):
                    _copy(connection, copy)
            fault = find_fault(copy)
            if fault:
                raise UndeterminedError(
                    f"the database {shown(self._path)} is damaged, so no backup of it is taken: {fault}",
                    remedy=f"sqlite3 {shown(self._path)} 'PRAGMA integrity_check'",
                )
            yield Snapshot(copy, moment)

    @contextmanager
    def scratch(self, folder: str) -> Iterator[Target]:
        """A file in that folder."""
        path = os.path.join(os.path.realpath(folder), "scratch.sqlite")
        if os.path.dirname(self._path) == os.path.dirname(path):
            raise RefusedError("the folder for scratch is the one in which the source lies", remedy="export TMPDIR=…")
        try:
            yield Target(path)
        finally:
            remove(path)

    def beside(self, name: str) -> Target:
        """The file `<database>.<name>`, with the database's owner and mode as soon as it is whole."""
        path = name_beside(self._path, name)
        remove(path)
        return Target(path, like=self._path)

    def swap(self, beside: str, aside: str) -> float:
        """See `sqlite_swap`."""
        with explained(self._path):
            return put_in_place(self._path, name_beside(self._path, beside), name_beside(self._path, aside))

    def drop(self, name: str) -> None:
        """Remove `<database>.<name>` and what belongs to it."""
        with explained(self._path):
            remove(name_beside(self._path, name))

    def _require_file(self) -> None:
        try:
            mode = os.stat(self._path).st_mode
        except OSError as error:
            raise UndeterminedError(
                f"there is no database at {shown(self._path)}: {error.strerror}",
                remedy=f"ls -ld {shown(os.path.dirname(self._path))}",
            ) from None
        if not stat.S_ISREG(mode):
            raise UndeterminedError(f"{shown(self._path)} is no file", remedy=f"ls -ld {shown(self._path)}")


def remove(path: str) -> None:
    """Remove a database that nobody uses, whole or in part, and all that belongs to it by name."""
    for one in (path, path + PART, *(path + suffix for suffix in SIDECARS)):
        if os.path.lexists(one):
            os.unlink(one)


def take_after(path: str, like: str) -> None:
    """Give a file the owner, group, mode and extended attributes (ACLs, labels) of another one."""
    wanted, present = os.stat(like), os.stat(path)
    if (wanted.st_uid, wanted.st_gid) != (present.st_uid, present.st_gid):
        os.chown(path, wanted.st_uid, wanted.st_gid)
    os.chmod(path, stat.S_IMODE(wanted.st_mode))
    if hasattr(os, "listxattr"):
        for name in os.listxattr(like):
            value = os.getxattr(like, name)
            if name not in os.listxattr(path) or os.getxattr(path, name) != value:
                os.setxattr(path, name, value)


def _copy(connection: sqlite3.Connection, path: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous=OFF")
        connection.backup(copy)
        if os.path.getsize(path) == 0:  # an empty database may be an empty file, and half a backup is one too
            copy.execute("PRAGMA user_version=0")


def _identity(path: str) -> Identity:
    place = "sqlite:" + os.fsencode(path).decode("utf-8", "backslashreplace")
    return Identity(engine="sqlite", place=place, version=sqlite3.sqlite_version)
