"""Looks at a backup's artefact again, where it lies: an attestation is not believed.

Standard library alone. A store that is a folder is read here; any other is left to whoever can reach it.
"""

from __future__ import annotations

import errno
import hashlib
import os

from rollback_guard.backup.stored import is_stored_name, open_stored, read_place
from rollback_guard.errors import UsageError
from rollback_guard.facts.backup_model import ArtefactState
from rollback_guard.facts.model import Known, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rollback_guard.facts.model import Fact

    # Given a store's URL and a file in it: what lies there now.
    Look = Callable[[str, str], Fact[ArtefactState]]

BLOCK = 1024 * 1024  # bytes that are read at once


GONE = ArtefactState(digest=None)


def collect_artefact(store: str, file: str, folder: str, look: Look | None = None) -> Fact[ArtefactState]:
    """What lies at `file` of the store with this URL, all of it read; nothing does where it leads out of the store.

    `folder`: relative `file:` URLs are relative to it. `look` is asked, with the URL and the file, about stores that
    are no folder.
    """
    if not is_stored_name(file):
        return Known(GONE, store)  # nor could it be: it leads out of the store
    try:
        place = read_place(store, folder)
    except UsageError as error:
        return Unknown(error.message, error.remedy)
    if place.scheme != "file":
        if look is None:
            return Unknown(
                f"{file} lies in a store of the kind {place.scheme}, which is not read here", "guard backup list"
            )
        return look(store, file)
    if not os.path.isdir(place.where):
        return Unknown(f"the folder of the store that holds {file} is not on this machine", "guard backup list")
    return _read(place.where, file, store)


def _read(root: str, file: str, store: str) -> Fact[ArtefactState]:
    try:
        with open(open_stored(root, file), "rb", buffering=0) as stream:
            digest, size = hashlib.sha256(), 0
            while piece := stream.read(BLOCK):
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        # A link, or a folder that is one, was put there by somebody else: what was stored is there no more.
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR):
            return Known(GONE, store)
        why = error.strerror or "it is no regular file"
        return Unknown(f"{file} cannot be read in the store: {why}", "guard backup list")
    return Known(ArtefactState(digest=digest.hexdigest(), size=size), store)
