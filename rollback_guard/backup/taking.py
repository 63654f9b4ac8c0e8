"""Taking backups: what a policy names as one set, at moments as near to one another as its sources allow.

Every source's moment is held before the first byte is written. The records, which make the backups count, are written
when all artefacts are whole, so that a set that broke off is nowhere listed.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple, Optional

from rollback_guard.backup.catalogue import keep_record
from rollback_guard.backup.model import Record
from rollback_guard.backup.pipeline import artefact_name, store_dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rollback_guard.backup.engine import Engine, Snapshot
    from rollback_guard.backup.sealing import Recipients
    from rollback_guard.backup.store import Store


class Wanted(NamedTuple):
    """One backup that is to be taken."""

    name: str
    source: str  # as it may be told
    engine: Engine
    store: Store
    recipients: Optional[Recipients] = None  # age: who can read it; None for everybody who has the file
    lock: Optional[int] = None  # seconds for which nobody can remove it


class Taking(NamedTuple):
    """What all backups of a set have in common. `tell` hears name, bytes so far, and how many a second."""

    set: str
    commit: str  # of production; "" where it is not known
    tell: Callable[[str, int, float], None]


def take(wanted: Sequence[Wanted], taking: Taking) -> tuple[Record, ...]:
    """Take them all, or none. Raises: GuardError; nothing is listed then."""
    with ExitStack() as held:
        begun = time.time()
        snapshots = [held.enter_context(one.engine.snapshot()) for one in wanted]
        skew = max(one.moment for one in snapshots) - min(one.moment for one in snapshots)
        records = [
            _take(one, snapshot, taking, begun)._replace(skew=skew)
            for one, snapshot in zip(wanted, snapshots, strict=True)
        ]
    for one, record in zip(wanted, records, strict=True):
        keep_record(one.store, record, retain_until=_until(one, begun))
    return tuple(records)


def _until(wanted: Wanted, begun: float) -> float | None:
    return None if wanted.lock is None else begun + wanted.lock


def _take(wanted: Wanted, snapshot: Snapshot, taking: Taking, begun: float) -> Record:
    sealed = wanted.recipients is not None
    with ThreadPoolExecutor(1) as beside:
        # A server that does both at once is done in little more than the time of the longer.
        found = beside.submit(snapshot.fingerprint) if snapshot.concurrent else None
        artefact = store_dump(
            snapshot.dump,
            wanted.store,
            artefact_name(wanted.name, taking.set, wanted.engine.suffix, sealed=sealed),
            recipients=wanted.recipients,
            retain_until=_until(wanted, begun),
            progress=lambda count, rate: taking.tell(wanted.name, count, rate),
        )
        fingerprint = snapshot.fingerprint() if found is None else found.result()
    return Record(
        id=taking.set,
        set=taking.set,
        name=wanted.name,
        identity=wanted.engine.identify(),
        source=wanted.source,
        commit=taking.commit,
        begun=begun,
        snapshot=snapshot.moment,
        ended=time.time(),
        position=snapshot.position,
        artefact=artefact,
        fingerprint=fingerprint,
        tools=tuple(wanted.engine.tools()),
    )
