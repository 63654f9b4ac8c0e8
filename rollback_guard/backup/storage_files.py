"""A store that is a folder, with the standard library alone.

A file is written under a temporary name, synced, linked to its own, which must be free, and the folder is synced.
Nothing is followed out of the folder: links in it are none of its files.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import shlex
from contextlib import contextmanager

from rollback_guard.backup.storage_writers import is_left_over, temporary_name
from rollback_guard.backup.store import GoneError, Passed, Stored
from rollback_guard.backup.stored import is_stored_name, open_folder, open_stored, split_name
from rollback_guard.errors import RefusedError, UndeterminedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO, Literal

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)  # a file system that has none
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class FileStore:
    """The store in this folder. It is made, for its owner alone, by the first write."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.shown = f"file:{root}"

    @contextmanager
    def write(self, name: str, *, replace: bool = False, retain_until: float | None = None) -> Iterator[BinaryIO]:
        """As `Store.write`. It cannot lock."""
        folder, file = split_name(name)
        if retain_until is not None:
            raise UsageError(
                f"{self.shown} cannot lock what is in it", remedy='store = "s3://…", a bucket made with object lock'
            )
        with self._telling("written"):
            holder = self._made(folder)
        temporary = temporary_name()
        try:
            with self._telling("written"):
                sink = _Sink(self, os.open(temporary, _NEW, 0o600, dir_fd=holder))
            try:
                yield sink  # type: ignore[misc]  # as a BinaryIO it is only written to
                with self._telling("written", taken=name):
                    os.fsync(sink.fileno())
                    _put(temporary, file, holder, replace)
                    os.fsync(holder)
            finally:
                os.close(sink.fileno())
                _remove(temporary, holder)
        finally:
            os.close(holder)

    def read(self, name: str) -> BinaryIO:
        """As `Store.read`."""
        with self._telling("read", name):
            source = open(open_stored(self.root, name), "rb", buffering=0)  # noqa: SIM115  # the caller closes it
        return io.BufferedReader(Passed(source, lambda: self._telling("read", name)), 1024 * 1024)

    def heads(self, names: Iterable[str], most: int) -> Iterator[tuple[str, bytes | None]]:
        """As `Store.heads`."""
        for name in names:
            head = None
            try:
                with self._telling("read", name), open(open_stored(self.root, name), "rb", buffering=0) as stream:
                    head = stream.read(most)
            except GoneError:
                pass
            yield name, head

    def size(self, name: str) -> int | None:
        """As `Store.size`."""
        try:
            with self._telling("read", name):
                found = open_stored(self.root, name)
        except GoneError:
            return None
        try:
            return os.fstat(found).st_size
        finally:
            os.close(found)

    def list_files(self, folder: str = "") -> Iterator[Stored]:
        """As `Store.list_files`. Raises: UndeterminedError also when the store's folder is not there."""
        for found in self._folders():
            if folder in ("", found):
                every = (Stored(f"{found}/{name}", *about) for name, about in self._files(found))
                yield from (one for one in every if is_stored_name(one.name))

    def locked_until(self, name: str) -> float | None:
        """Never: a folder locks nothing."""
        return None

    def delete(self, name: str) -> None:
        """As `Store.delete`."""
        folder, file = split_name(name)
        try:
            with self._telling("written", name):
                holder = open_folder(self.root, folder)
        except GoneError:
            return
        try:
            with self._telling("written"):
                _remove(file, holder)
                os.fsync(holder)
        finally:
            os.close(holder)

    def sweep(self, now: float) -> tuple[str, ...]:
        """As `Store.sweep`. What another process still holds open to write, wherever that runs, stays."""
        if not os.path.isdir(self.root):
            return ()
        gone = []
        for folder in self._folders():
            left = [name for name, about in self._files(folder) if is_left_over(name, about[1], now)]
            if not left:
                continue
            with self._telling("written"):
                holder = open_folder(self.root, folder)
                try:
                    gone += [f"{folder}/{name}" for name in left if _remove_abandoned(name, holder)]
                finally:
                    os.close(holder)
        return tuple(sorted(gone))

    def _made(self, folder: str) -> int:
        """A descriptor of a backup's folder, which is there afterwards, and stays after a power cut."""
        inside = os.path.join(self.root, folder)
        if not os.path.isdir(inside):
            os.makedirs(self.root, mode=0o700, exist_ok=True)
            try:
                os.mkdir(inside, 0o700)
            except FileExistsError:
                pass  # another writer was faster, or it is a link: `open_folder` tells
            for path in (self.root, os.path.dirname(self.root)):
                _sync(path)
        return open_folder(self.root, folder)

    def _folders(self) -> list[str]:
        with self._telling("read"):
            try:
                with os.scandir(self.root) as found:
                    return sorted(one.name for one in found if one.is_dir(follow_symlinks=False))
            except FileNotFoundError:
                raise UndeterminedError(
                    f"{self.shown} is not there: nothing was backed up to it from this machine, or it is not mounted",
                    remedy=f"ls -ld {shlex.quote(self.root)}",
                ) from None

    def _files(self, folder: str) -> Iterator[tuple[str, tuple[int, float]]]:
        with self._telling("read"), os.scandir(os.path.join(self.root, folder)) as found:
            for one in found:
                if one.is_file(follow_symlinks=False):
                    try:
                        about = one.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue  # removed meanwhile
                    yield one.name, (about.st_size, about.st_mtime)

    @contextmanager
    def _telling(self, what: Literal["read", "written"], name: str = "", taken: str = "") -> Iterator[None]:
        """What the system says, in our words."""
        try:
            yield
        except OSError as error:
            if taken and isinstance(error, FileExistsError):
                raise RefusedError(f"{self.shown} has a file {taken} already", remedy="guard backup list") from None
            self.fail(error, what, name)

    def fail(self, error: OSError, what: str, name: str = "") -> None:
        """Raises: what an error of the system means here."""
        root, shown = shlex.quote(self.root), f"{self.shown}/{name}" if name else self.shown
        if isinstance(error, FileNotFoundError) and name:
            raise GoneError(f"{shown} is gone", remedy="guard backup list") from None
        if error.errno in _FULL:
            raise UndeterminedError(
                f"no space is left for the backup in {self.shown}: {error.strerror}", remedy=f"df -h {root}"
            ) from None
        why = error.strerror or str(error)
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            why = "a link or a file where a folder of the store should be"
        raise UndeterminedError(f"{shown} cannot be {what}: {why}", remedy=f"ls -la {root}") from None


class _Sink(io.RawIOBase):
    """What is written to a temporary file; whoever sweeps sees that somebody holds it.

    To close it is nothing: what wraps it does so, and it counts only when its block ends.
    """

    def __init__(self, store: FileStore, descriptor: int) -> None:
        super().__init__()
        self._store = store
        self._descriptor = descriptor
        _hold(descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            self._store.fail(error, "written")
        return size


def _hold(descriptor: int) -> bool:
    """Whether nobody else holds the file; then we do, until we close it or end."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)  # some file systems lock nothing
    return True


def _put(temporary: str, file: str, holder: int, replace: bool) -> None:
    """Give a finished file its name. Raises: FileExistsError."""
    if replace:
        os.replace(temporary, file, src_dir_fd=holder, dst_dir_fd=holder)
        return
    try:
        os.link(temporary, file, src_dir_fd=holder, dst_dir_fd=holder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(file, _NEW, 0o600, dir_fd=holder))  # the name is ours now
        os.replace(temporary, file, src_dir_fd=holder, dst_dir_fd=holder)


def _remove(file: str, holder: int) -> None:
    try:
        os.unlink(file, dir_fd=holder)
    except FileNotFoundError:
        pass


def _remove_abandoned(file: str, holder: int) -> bool:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=holder)
    except FileNotFoundError:
        return False  # its writer was not gone, and is done
    try:
        free = _hold(descriptor)
        if free:
            _remove(file, holder)
        return free
    finally:
        os.close(descriptor)


def _sync(path: str) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    except PermissionError:
        return  # a folder above the store that may be passed, not read: nothing of ours is new in it
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
