"""Opens the store that a policy's `store` names: a folder, or whatever fsspec has a driver for."""

from __future__ import annotations

from rollback_guard.backup.storage_files import FileStore
from rollback_guard.backup.stored import read_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.backup.store import Store


def open_store(url: str, folder: str) -> Store:
    """The store that a policy's `store` means; nothing of it is touched yet, but its driver is loaded.

    `folder`: a relative `file:` URL is relative to it. Raises: UsageError for a URL that cannot be meant;
    UndeterminedError for a driver that is not installed.
    """
    place = read_place(url, folder)
    if place.scheme == "file":
        return FileStore(place.where)
    from rollback_guard.backup.storage_remote import open_remote

    return open_remote(place)
