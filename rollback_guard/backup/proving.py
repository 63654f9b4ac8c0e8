"""Proving a backup: by restoring it where nobody else is, and comparing what came of it with what was backed up.

A proof climbs from level to level and says at which one it ended, and why. Only restoring proves anything: a list of
half a dump reads well, a dump that was cut between two statements loads without an error.
"""

from __future__ import annotations

import signal
import threading
import time
from contextlib import closing, contextmanager
from typing import NamedTuple

from rollback_guard.backup.artefact_stream import ArtefactError
from rollback_guard.backup.model import Difference, Proof, compare, reaches
from rollback_guard.backup.pipeline import check_readable, check_stored, look_at, open_artefact
from rollback_guard.errors import GuardError, UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from rollback_guard.backup.engine import Engine, Target
    from rollback_guard.backup.model import Record
    from rollback_guard.backup.sealing import Keys
    from rollback_guard.backup.store import Store
    from rollback_guard.policy.model import Level

    # Tries a restored copy that is reached by these variables: why it does not pass, or "".
    Exercise = Callable[[Mapping[str, str]], str]

TIMEOUT = 6 * 3600  # seconds that a proof has, unless somebody says otherwise


class Step(NamedTuple):
    """What came of one level: why it does not hold, or ""."""

    level: Level
    fault: str = ""
    seconds: float = 0.0
    differences: tuple[Difference, ...] = ()
    checks: tuple[tuple[str, bool], ...] = ()


def prove(
    record: Record,
    store: Store,
    engine: Engine,
    *,
    wanted: Level,
    folder: str,
    keys: Keys | None = None,
    exercise: Exercise | None = None,
    timeout: float = TIMEOUT,
    tell: Callable[[str], object] | None = None,
) -> Proof:
    """What holds of a backup, up to the level that is wanted. `folder`: private and empty, for a scratch place.

    What is wrong with the backup is in the proof; what keeps it from being proven is raised: a scratch place that
    cannot be made, a time that is over. Raises: GuardError.
    """
    proof = Proof(level=None, when=time.time())
    with _within(timeout), closing(_climb(record, store, engine, wanted, folder, keys, exercise)) as climb:
        for step in climb:
            if tell is not None:
                tell(step.level)
            proof = proof._replace(
                level=proof.level if step.fault else step.level,
                seconds=step.seconds or proof.seconds,
                differences=step.differences,
                fault=step.fault,
                checks=step.checks,
            )
            if step.fault or step.level == wanted:
                break
    return proof


def _climb(
    record: Record,
    store: Store,
    engine: Engine,
    wanted: Level,
    folder: str,
    keys: Keys | None,
    exercise: Exercise | None,
) -> Generator[Step, None, None]:
    """Level by level; whoever has seen enough closes it, and the scratch place goes."""
    artefact = record.artefact
    yield Step("stored", _fault(lambda: look_at(store, artefact)))
    if not reaches(wanted, "restored"):
        yield Step("digest", _fault(lambda: check_stored(store, artefact)))
        yield Step("readable", _fault(lambda: check_readable(store, artefact, keys)))
        return
    with engine.scratch(folder) as target:
        begun = time.monotonic()
        fault = _restore(target, store, record, keys)
        # What was restored was read to its end, and compared; only what was not is looked at for itself.
        yield Step("digest", _fault(lambda: check_stored(store, artefact)) if fault else "")
        yield Step("readable", _fault(lambda: check_readable(store, artefact, keys)) if fault else "")
        yield Step("restored", fault, seconds=time.monotonic() - begun)
        differences = compare(record.fingerprint, target.fingerprint())
        declared = tuple(one for one in differences if one.part == "schema")
        yield Step("schema", told(declared), differences=declared)
        yield Step("compared", told(differences), differences=differences)
        if exercise is None:
            yield Step("exercised", "the policy names no `exercise` to run on the restored copy")
            return
        fault = exercise(target.environment())
        yield Step("exercised", fault, checks=(("exercise", not fault),))


def _fault(check: Callable[[], None]) -> str:
    """What is wrong with the artefact, or "". Raises: ArtefactError for a key that is missing, or does not fit."""
    try:
        check()
    except ArtefactError as error:
        if error.fault == "sealed":
            raise
        return error.message
    return ""


def _restore(target: Target, store: Store, record: Record, keys: Keys | None) -> str:
    try:
        with open_artefact(store, record.artefact, keys) as stream:  # its end reads what the engine left
            target.restore(stream)
    except GuardError as error:
        return f"it cannot be restored: {error.message}"
    return ""


MOST_TOLD = 3


def told(differences: tuple[Difference, ...]) -> str:
    """Differences in a sentence, "" for none."""
    if not differences:
        return ""
    first = ", ".join(_difference(one) for one in differences[:MOST_TOLD])
    more = len(differences) - MOST_TOLD
    return f"the restored copy is another one: {first}" + (f" and {more:,} more" if more > 0 else "")


def _difference(one: Difference) -> str:
    rows = ""
    if one.rows[0] != one.rows[1] and None not in one.rows:
        rows = f" ({one.rows[0]:,} rows, now {one.rows[1]:,})"
    elif one.part == "content" and one.rows[0] is not None and one.what == "changed":
        rows = " (other content)"
    return f"{one.kind} {one.name} is {one.what}{rows}"


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise when the time is over, wherever the work stands. Only the main thread can be told so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(*_: object) -> None:
        raise UndeterminedError(
            f"the backup could not be proven within {seconds:,.0f} seconds",
            remedy="guard backup prove --timeout 12h   # or give the scratch place more room",
        )

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
