"""Stores that are no folder: S3, and whatever else fsspec has a driver for.

An object store shows a file when its upload is completed; anywhere else it is written under a temporary name and moved.
Keys and endpoints are where the drivers look for them (`AWS_PROFILE`, `AWS_ENDPOINT_URL`, …). What a driver says in an
error may hold them, so only its code or kind is told. Locks are S3's object lock, in compliance mode.
"""

from __future__ import annotations

import io
import os
import posixpath
import shlex
from contextlib import contextmanager
from datetime import datetime, timezone

from rollback_guard.backup.source import without_secrets
from rollback_guard.backup.storage_s3 import Bucket, code_of
from rollback_guard.backup.storage_writers import is_left_over, is_temporary, temporary_name
from rollback_guard.backup.store import GoneError, Passed, Stored
from rollback_guard.backup.stored import is_stored_name, split_name
from rollback_guard.errors import GuardError, RefusedError, UndeterminedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, BinaryIO

    from rollback_guard.backup.stored import Place

_S3 = ("s3", "s3a")
# Where a file shows only when it is whole. What fsspec has besides is not known to do so.
_WHOLE = (*_S3, "gs", "gcs", "abfs", "abfss", "az", "oci", "oss")
_PIECE = 8 * 1024 * 1024  # bytes of one part of an upload; about four times that are in memory
_PARTS = 2000  # of an upload, before parts grow: S3 takes 10,000
_AT_ONCE = 128  # heads that are asked for together
_MODIFIED = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")


def open_remote(place: Place) -> RemoteStore:
    """The store at a URL. Raises: UsageError for one that no driver understands; UndeterminedError for want of one."""
    shown = without_secrets(place.where).rstrip("/")
    if "::" in place.where or "://" not in place.where:
        raise UsageError(f"{shown} is no URL of one place", remedy='store = "s3://bucket/folder"')
    try:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(place.where, skip_instance_cache=True, use_listings_cache=False)
    except ImportError:
        part = "rollback-guard[s3]" if place.scheme in _S3 else f"fsspec[{place.scheme}]"
        raise UndeterminedError(
            f"what reaches {shown} is not installed", remedy=f"pip install {shlex.quote(part)}"
        ) from None
    except ValueError:
        raise UsageError(f"{shown} is no URL that a driver understands", remedy="guard policy check") from None
    except Exception as error:  # some drivers connect at once
        raise UndeterminedError(
            f"{shown} cannot be reached: {kind_of(error)}", remedy=f"look whether {shown} is there"
        ) from None
    return RemoteStore(system, root.rstrip("/"), shown, place.scheme)


def kind_of(error: Exception) -> str:
    """What kind of error it is, in a word or two that hold nothing of what was sent."""
    told = code_of(error)
    if told:
        return told
    kind = type(error).__name__
    return f"{kind}, {os.strerror(error.errno)}" if isinstance(error, OSError) and error.errno else kind


class RemoteStore:
    """A store behind a driver of fsspec. `root`: as the driver writes it, without a slash at its end."""

    def __init__(self, system: Any, root: str, shown: str, scheme: str) -> None:
        self._system = system
        self._root = root
        self._whole = scheme in _WHOLE
        self._bucket = Bucket(system) if scheme in _S3 else None
        self.shown = shown

    @contextmanager
    def write(self, name: str, *, replace: bool = False, retain_until: float | None = None) -> Iterator[BinaryIO]:
        """As `Store.write`. That a name is free is looked at before: ids are made so that no two are alike."""
        folder, _ = split_name(name)
        if retain_until is not None and self._bucket is None:
            raise UsageError(f"{self.shown} cannot lock what is in it", remedy='store = "s3://…"')
        if not replace and self.size(name) is not None:
            raise RefusedError(f"{self.shown} has a file {name} already", remedy="guard backup list")
        path = self._path(name)
        target = path if self._whole else self._path(f"{folder}/{temporary_name()}")
        options = {} if self._bucket is None or retain_until is None else self._bucket.lock(retain_until)
        with self._telling("written"):
            if not self._whole:
                self._system.makedirs(posixpath.dirname(target), exist_ok=True)
            handle = self._system.open(target, "wb", block_size=_PIECE, **options)
        try:
            yield _Sink(self, handle)  # type: ignore[misc]  # as a BinaryIO it is only written to
            with self._telling("written"):
                handle.close()
                if target != path:
                    self._system.mv(target, path)
        except BaseException:
            self._give_up(handle, target)
            raise
        if self._bucket is not None and retain_until is not None:
            try:
                with self._telling("locked"):
                    self._bucket.make_locked(path, retain_until)
            except GuardError:
                self.delete(name)
                raise

    def read(self, name: str) -> BinaryIO:
        """As `Store.read`."""
        with self._telling("read", name):
            source = self._system.open(self._path(name), "rb", block_size=_PIECE, cache_type="readahead")
        return io.BufferedReader(Passed(source, lambda: self._telling("read", name)), 1024 * 1024)

    def heads(self, names: Iterable[str], most: int) -> Iterator[tuple[str, bytes | None]]:
        """As `Store.heads`. Many are asked for at once."""
        every = list(names)
        for first in range(0, len(every), _AT_ONCE):
            some = every[first : first + _AT_ONCE]
            paths = [self._path(name) for name in some]
            with self._telling("read"):
                got = self._system.cat_ranges(paths, 0, most, on_error="return")
                for head in got:
                    if isinstance(head, Exception) and not isinstance(head, FileNotFoundError):
                        raise head
            yield from (
                (name, None if isinstance(head, Exception) else head) for name, head in zip(some, got, strict=True)
            )

    def size(self, name: str) -> int | None:
        """As `Store.size`."""
        try:
            with self._telling("read", name):
                return int(self._system.info(self._path(name))["size"])
        except GoneError:
            return None

    def list_files(self, folder: str = "") -> Iterator[Stored]:
        """As `Store.list_files`."""
        yield from (one for one in self._every(folder) if is_stored_name(one.name))

    def locked_until(self, name: str) -> float | None:
        """As `Store.locked_until`."""
        if self._bucket is None:
            return None
        with self._telling("read", name):
            return self._bucket.locked_until(self._path(name))

    def delete(self, name: str) -> None:
        """As `Store.delete`."""
        split_name(name)
        with self._telling("written"):
            if self._bucket is not None:
                locked = self._bucket.delete(self._path(name))
                if locked:
                    raise RefusedError(f"{self.shown}/{name} is locked by the store", remedy="guard backup list")
                return
            try:
                self._system.rm_file(self._path(name))
            except FileNotFoundError:
                pass

    def sweep(self, now: float) -> tuple[str, ...]:
        """As `Store.sweep`. Uploads that were never completed do not tell whose they are: after a day they go."""
        if self._bucket is not None:
            with self._telling("written"):
                gone = self._bucket.sweep(self._root, now)
            return tuple(sorted(name[len(self._root) + 1 :] for name in gone))
        left = [one for one in self._every("") if is_left_over(posixpath.basename(one.name), one.modified, now)]
        with self._telling("written"):
            for one in left:
                self._system.rm_file(self._path(one.name))
        return tuple(sorted(one.name for one in left))

    def _every(self, folder: str) -> Iterator[Stored]:
        top = f"{self._root}/{folder}" if folder else self._root
        with self._telling("read"):
            found = self._system.find(top, detail=True)
            if not found and self._bucket is not None:
                self._bucket.ask(self._root)
        for path, about in found.items():
            name = path[len(self._root) + 1 :]
            if is_stored_name(name) or is_temporary(posixpath.basename(name)):
                yield Stored(name, int(about.get("size") or 0), _modified(about))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _give_up(self, handle: Any, target: str) -> None:
        """Leave nothing of a file that was not finished; that it could not be is what has to be told, not this."""
        try:
            if hasattr(handle, "discard"):
                handle.discard()
            handle.forced = True  # or it would be completed when it is forgotten
            handle.closed = True
        except Exception:
            pass
        if not self._whole:
            try:
                self._system.rm_file(target)
            except Exception:
                pass

    @contextmanager
    def _telling(self, what: str, name: str = "") -> Iterator[None]:
        """What a driver says, in our words."""
        shown = f"{self.shown}/{name}" if name else self.shown
        try:
            yield
        except GuardError:
            raise
        except Exception as error:
            if name and isinstance(error, FileNotFoundError):
                raise GoneError(f"{shown} is gone", remedy="guard backup list") from None
            remedy = f"aws s3 ls {self.shown}/" if self._bucket is not None else f"look whether {self.shown} is there"
            raise UndeterminedError(f"{shown} cannot be {what}: {kind_of(error)}", remedy=remedy) from None


class _Sink(io.RawIOBase):
    """What is written to an upload; its parts grow with it, since their number is bounded."""

    def __init__(self, store: RemoteStore, handle: Any) -> None:
        super().__init__()
        self._store = store
        self._handle = handle
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        with self._store._telling("written"):
            self._handle.write(data)
        self._written += len(data)
        if hasattr(self._handle, "blocksize"):
            self._handle.blocksize = max(_PIECE, self._written // _PARTS)
        return len(data)


def _modified(about: dict[str, Any]) -> float:
    """When, of what a driver tells of a file; drivers differ in key and kind."""
    for key in _MODIFIED:
        value = about.get(key)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value.replace("Z", "+00:00"))
            except ValueError:
                continue
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp()
        if isinstance(value, (int, float)):
            return float(value)
    return 0.0
