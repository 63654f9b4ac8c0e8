"""Directories (the state of an application that lies in files), by the standard library alone.

A backup is a tar with an end that makes it whole. A snapshot reads the tree into a private file in `TMPDIR`, of the
size of what it backs up, until nothing moves any more (see `directory_spool`); it is dumped from there. Covered:
names, types, modes, content, targets of links, hard links, empty folders, ACLs and `user.` attributes; owners too when
root takes it. Kept, not compared: times. Left out and said: FIFOs, sockets, devices, other attributes.
"""

from __future__ import annotations

import os
import platform
from contextlib import contextmanager

from rollback_guard.backup.engines.directory_extract import extract, remove_tree
from rollback_guard.backup.engines.directory_spool import Spool, read_fingerprint
from rollback_guard.backup.engines.directory_swap import put_in_place
from rollback_guard.backup.engines.directory_walk import fault, walk
from rollback_guard.backup.engines.private import private_folder, require_space, shown
from rollback_guard.backup.engines.renames import name_beside, sync_below, sync_folder
from rollback_guard.backup.model import Fingerprint, Identity
from rollback_guard.errors import RefusedError, UndeterminedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from rollback_guard.backup.source import Source

SCHEME = "directory:"
PART = "-part"  # of the name of a folder that is not whole yet


class Snapshot:
    """What was read of a directory. `position`: none, a directory counts nothing."""

    position = ""

    concurrent = False  # both would read the same file

    def __init__(self, spool: Spool, moment: float) -> None:
        self._spool = spool
        self.moment = moment

    def dump(self, sink: BinaryIO) -> None:
        """Write it as tar."""
        self._spool.dump(sink)

    def fingerprint(self) -> Fingerprint:
        """What was read."""
        return self._spool.fingerprint()


class Target:
    """A folder that a backup is restored as. `lasting`: whether it is written through to the disk."""

    def __init__(self, path: str, lasting: bool) -> None:
        self._path = path
        self._lasting = lasting
        self._owners = os.geteuid() == 0
        self.identity = _identity(path)

    def restore(self, stream: BinaryIO) -> None:
        """Make it under another name, and give it its own when all of it is there."""
        part = self._path + PART
        _remove(self._path)
        try:
            self._owners = extract(stream, part)
            if self._lasting:
                sync_below(part)
            os.rename(part, self._path)
            sync_folder(os.path.dirname(self._path))
        except OSError as error:
            raise fault(error, self._path) from None
        finally:
            remove_tree(part)

    def fingerprint(self) -> Fingerprint:
        """What is in it; of owners as much as the backup tells."""
        return read_fingerprint(self._path, self._owners)

    def environment(self) -> Mapping[str, str]:
        """`GUARD_SCRATCH` is the folder's path."""
        return {"GUARD_SCRATCH": self._path}


class Directory:
    """The engine for one folder. The folder above it must be ours to write when it is restored."""

    name = "directory"
    suffix = ".tar"

    def __init__(self, source: Source) -> None:
        self._environ = source.environ
        text = source.text[len(SCHEME) :] if source.text.startswith(SCHEME) else source.text
        if not text or "\0" in text:
            raise UsageError("a directory backup's source names no folder", remedy="directory:/srv/uploads")
        text = "/" + text.lstrip("/") if text.startswith("//") else text
        self._path = os.path.realpath(os.path.join(source.folder, text))
        if self._path == "/":
            raise UsageError("the root folder is no application's state", remedy="directory:/srv/uploads")

    def identify(self) -> Identity:
        """Its real path. Raises: UndeterminedError unless a folder is there."""
        self._require_folder()
        return _identity(self._path)

    def tools(self) -> Sequence[tuple[str, str]]:
        """Python, whose `tarfile` it is."""
        return (("python", platform.python_version()),)

    def contains(self, path: str) -> bool:
        """Whether a path is the source or lies in it: a store there would be in its own backups."""
        return os.path.commonpath((self._path, os.path.realpath(path))) == self._path

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Read it until nothing moves. Raises: UndeterminedError, RefusedError where something goes on moving."""
        self._require_folder()
        with private_folder(self._environ) as folder:
            if self.contains(folder):
                raise RefusedError(
                    f"temporary files lie in the source, {shown(self._path)}", remedy="export TMPDIR=/var/tmp"
                )
            needed = sum(entry.state.st_blocks * 512 + 2048 for entry in walk(self._path))
            require_space(folder, needed, f"a snapshot of {shown(self._path)}")
            opened = os.open(os.path.join(folder, "spool.tar"), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            with open(opened, "r+b") as file:
                spool = Spool(self._path, file, owners=os.geteuid() == 0)
                try:
                    moment = spool.fill()
                except OSError as error:
                    raise fault(error, folder) from None
                yield Snapshot(spool, moment)

    @contextmanager
    def scratch(self, folder: str) -> Iterator[Target]:
        """A folder in that folder."""
        real = os.path.realpath(folder)
        path = os.path.join(real, "scratch")
        if os.path.commonpath((self._path, real)) in (self._path, real):
            raise RefusedError(
                "the folder for scratch and the source are in one another", remedy="export TMPDIR=/var/tmp"
            )
        try:
            yield Target(path, lasting=False)
        finally:
            _remove(path)

    def beside(self, name: str) -> Target:
        """The folder `<directory>.<name>`."""
        self.drop(name)
        return Target(name_beside(self._path, name), lasting=True)

    def swap(self, beside: str, aside: str) -> float:
        """See `directory_swap`."""
        try:
            return put_in_place(self._path, name_beside(self._path, beside), name_beside(self._path, aside))
        except OSError as error:
            raise fault(error, self._path) from None

    def drop(self, name: str) -> None:
        """Remove `<directory>.<name>`."""
        path = name_beside(self._path, name)
        try:
            _remove(path)
        except OSError as error:
            raise fault(error, path) from None

    def _require_folder(self) -> None:
        if not os.path.isdir(self._path):
            what = "is no folder" if os.path.lexists(self._path) else "is not there"
            raise UndeterminedError(
                f"the source of a directory backup, {shown(self._path)}, {what}", remedy=f"ls -ld {shown(self._path)}"
            )


def _remove(path: str) -> None:
    """Remove a folder; cut short, what is left of it does not bear its name."""
    remove_tree(path + PART)
    if os.path.lexists(path):
        os.rename(path, path + PART)
        remove_tree(path + PART)


def _identity(path: str) -> Identity:
    return Identity(engine="directory", place=SCHEME + os.fsencode(path).decode("utf-8", "backslashreplace"))
