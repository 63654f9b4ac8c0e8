"""A look into stores of backups that are no folder, for what people run; hooks and servers look into folders alone."""

from __future__ import annotations

import hashlib

from rollback_guard.errors import GuardError
from rollback_guard.facts.backup_model import ArtefactState
from rollback_guard.facts.model import Known, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.facts.model import Fact

PIECE = 1 << 20  # bytes that are read at once


def look_into(url: str, file: str) -> Fact[ArtefactState]:
    """What lies at `file` of a store, all of it read; Unknown where that cannot be found out."""
    from rollback_guard.backup.storage import open_store  # drivers are loaded where such a store is named alone
    from rollback_guard.backup.store import GoneError

    digest, size = hashlib.sha256(), 0
    try:
        with open_store(url, "/").read(file) as stream:
            while piece := stream.read(PIECE):
                digest.update(piece)
                size += len(piece)
    except GoneError:
        return Known(ArtefactState(digest=None), url)
    except GuardError as error:
        return Unknown(error.message, error.remedy)
    return Known(ArtefactState(digest=digest.hexdigest(), size=size), url)
