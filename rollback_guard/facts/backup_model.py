"""What is known of the backups that protect production, as values. Collecting is left to others. Pure."""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.policy.model import Engine, Level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.facts.model import Fact


class ArtefactState(NamedTuple):
    """What lies where a backup's artefact should be. `digest`: hex of SHA-256 of its bytes; None: it is gone."""

    digest: Optional[str]
    size: int = 0


class Attestation(NamedTuple):
    """What one recorded envelope says of a backup, and whose it is. Times are Unix seconds, sizes bytes."""

    name: str  # as the policy calls the backup
    person: Optional[str]  # id of the person whose key made the signature; None: nobody's whom the policy lists
    claimed: str  # the person that the statement names
    time: int  # when it says that it was signed
    digest: str  # hex of SHA-256 of the envelope, which names it in the store
    commit: str  # of production, that it protects
    snapshot: int  # when what is in it was so
    engine: Engine
    source: str  # as the policy wrote it, without secrets
    place: str  # which database or directory it was
    server: str
    level: Level
    file: str  # relative to the store
    file_digest: str
    file_size: int
    fault: str = ""  # why the signature itself does not count
    before: Optional[tuple[str, str]] = None  # place and server of the first one of that name, where it was looked for
    artefact: Optional[Fact[ArtefactState]] = None  # None: nobody looked
