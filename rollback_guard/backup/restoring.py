"""Putting a backup back: beside what runs, compared, then swapped; what failed stays under a dated name.

Each step is written down before it is begun, so that whoever finds a restore cut short can finish it: until the swap
production is as it was, afterwards it is the backup. Asking is left to the command.
"""

from __future__ import annotations

import secrets
import time

from rollback_guard.backup.model import Loss, Restore, compare
from rollback_guard.backup.proving import told
from rollback_guard.errors import GuardError, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from rollback_guard.backup.engine import Engine
    from rollback_guard.backup.model import Fingerprint, Record

    Note = Callable[[Restore], None]
    Content = Callable[[], AbstractContextManager[BinaryIO]]


def begin(record: Record, *, now: float) -> Restore:
    """A restore that was not begun. The names hold the moment, so that two of them never meet."""
    stamp = f"{time.strftime('%Y%m%d_%H%M%S', time.gmtime(now))}_{secrets.token_hex(2)}"
    return Restore(
        id=f"{record.name}-{stamp}",
        record=record.id,
        name=record.name,
        beside=f"restored_{stamp}",
        aside=f"failed_{stamp}",
        state="filling",
        begun=now,
    )


def loss_of(record: Record, present: Fingerprint, *, now: float) -> Loss:
    """What would be lost, by what is there now."""
    return Loss(seconds=now - record.snapshot, differences=compare(record.fingerprint, present))


def prepare(restore: Restore, record: Record, engine: Engine, content: Content, note: Note) -> Restore:
    """Have the backup beside production, compared. `note` writes down, on the disk, where a restore stands.

    Raises: RefusedError where what was put beside is not the backup; GuardError as the engine does. Production is
    untouched, and what was put beside is gone again.
    """
    note(restore)
    if restore.state != "filling":
        return restore
    _fill(restore, record, engine, content)
    restore = restore._replace(state="compared")
    note(restore)
    return restore


def finish(restore: Restore, engine: Engine, note: Note) -> Restore:
    """Have it take production's place. Cut short, this is called once more and ends the same. Raises: GuardError."""
    if restore.state == "compared":
        restore = restore._replace(state="swapping")
        note(restore)
    if restore.state == "swapping":
        downtime = engine.swap(restore.beside, restore.aside)
        restore = restore._replace(state="done", downtime=downtime)
        note(restore)
    return restore


def give_up(restore: Restore, engine: Engine) -> None:
    """Remove what was put beside. Raises: RefusedError once it may have taken production's place."""
    if restore.state in ("swapping", "done"):
        raise RefusedError(
            f"the restore {restore.id} may have taken production's place already",
            remedy="guard backup restore --resume   # which finishes it; what failed is kept",
        )
    engine.drop(restore.beside)


def _fill(restore: Restore, record: Record, engine: Engine, content: Content) -> None:
    target = engine.beside(restore.beside)
    try:
        with content() as stream:  # which is read to its end, whatever the engine reads
            target.restore(stream)
        differences = compare(record.fingerprint, target.fingerprint())
        if differences:
            raise RefusedError(
                f"{record.id} was not put back: {told(differences)}",
                remedy="guard backup list   # and take another one: guard backup restore NAME/ID",
            )
    except GuardError:
        engine.drop(restore.beside)
        raise
