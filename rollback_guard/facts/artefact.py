"""Looks at a backup's artefact again: whether it lies in its store, and which bytes it has now.

Stores that are folders (`file:…`) are read here; for any other one somebody has to be given who can.
"""

from __future__ import annotations

import os
import stat

from rollback_guard.facts.backup_model import ArtefactState
from rollback_guard.facts.model import Fact, Known, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    # Given a store as the policy writes it and a file in it: what lies there now.
    Look = Callable[[str, str], Fact[ArtefactState]]

BLOCK = 1 << 20  # bytes that are read at once
_GONE = ArtefactState(digest=None)


def collect_artefact(store: str, file: str, folder: str, look: Look | None = None) -> Fact[ArtefactState]:
    """What lies where an artefact should be.

    `store` is as the policy writes it; where it is relative (`file:backups`), it is so to `folder`. `file` is relative
    to the store, its parts joined by "/"; one that leads out of it is not there. Unknown where the store itself is not
    on this machine, cannot be read, or is none that `look` (for all but `file:`) can read.
    """
    if not store.startswith("file:"):
        if look is not None:
            return look(store, file)
        scheme = store.partition(":")[0]
        return Unknown(f"a store of the kind {scheme} is not read here", "guard check   # where the store can be read")
    root = os.path.realpath(os.path.join(folder, _path_of(store)))
    if not os.path.isdir(root):
        return Unknown(f"the folder of the store {store} is not on this machine", "guard check   # on one that has it")
    path = os.path.realpath(os.path.join(root, *file.split("/"))) if _is_inside(file) else root
    if not path.startswith(os.path.join(root, "")):
        return Known(_GONE, store)
    try:
        return Known(_read(path), store)
    except OSError as error:
        return Unknown(f"{file} in the store {store} cannot be read: {error.strerror}", f"ls -l {root}")


def _path_of(store: str) -> str:
    path = store[len("file:") :]
    return f"/{path.lstrip('/')}" if path.startswith("//") else path


def _is_inside(file: str) -> bool:
    return "\0" not in file and not any(part in ("", ".", "..") for part in file.split("/"))


def _read(path: str) -> ArtefactState:
    """The digest of a file's bytes; nothing but an ordinary file is one. Raises: OSError."""
    import hashlib

    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return _GONE
    digest = hashlib.sha256()
    size = 0
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return _GONE
        while block := os.read(handle, BLOCK):
            digest.update(block)
            size += len(block)
    finally:
        os.close(handle)
    return ArtefactState(digest=digest.hexdigest(), size=size)
