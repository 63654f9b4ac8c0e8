"""Which backups go, decided before any does, and then carried out so that none is ever listed that is half gone.

Never the newest of a name that was proven, nor, where none was, the newest that is sound. What the store has locked
stays, and is told.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.backup.catalogue import Entry, Listing, record_files
from rollback_guard.backup.model import reaches
from rollback_guard.errors import RefusedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rollback_guard.backup.model import Record
    from rollback_guard.backup.store import Store
    from rollback_guard.policy.model import Level

    Needed = Callable[[Record], str]  # why a backup is needed, in words; "" where it is not


class Kept(NamedTuple):
    """A backup that stays, and why."""

    entry: Entry
    why: str


class Locked(NamedTuple):
    """A backup, or a leftover file, that the store does not let go before a moment (Unix seconds; 0.0: not told)."""

    label: str
    until: float


class PrunePlan(NamedTuple):
    """What would go; nothing is done yet. `leftovers`: files of runs that are gone, which are no backups."""

    remove: tuple[Entry, ...]
    kept: tuple[Kept, ...]
    locked: tuple[Locked, ...] = ()
    leftovers: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of artefacts that would be free, leftovers not counted."""
        return sum(one.stored or 0 for one in self.remove)


class Pruned(NamedTuple):
    """What went, by label or file, and what was found locked only then."""

    removed: tuple[str, ...]
    locked: tuple[Locked, ...] = ()


def plan_prune(
    listing: Listing,
    store: Store,
    now: float,
    *,
    newest: int | None = None,
    within: float | None = None,
    needed: Needed | None = None,
    levels: Mapping[str, Level] | None = None,
) -> PrunePlan:
    """What goes of a store's backups: all but the `newest` sound ones of each name and those `within` so many seconds.

    Where neither is given, none. `needed`: why the caller needs one. `levels`: from which level on a backup of a name
    counts as proven; `restored` otherwise. Raises: UsageError for a negative number.
    """
    if (newest or 0) < 0 or (within or 0) < 0:
        raise UsageError("a negative number of backups cannot be kept", remedy="guard backup prune --help")
    remove: list[Entry] = []
    kept: list[Kept] = []
    locked: list[Locked] = []
    counted: dict[str, int] = {}
    best = _best(listing, levels or {})
    for one in listing.entries:
        name = one.record.name
        counted[name] = counted.get(name, 0) + one.sound
        why = needed(one.record) if needed is not None else ""
        if not why and newest is None and within is None:
            why = "nothing says how many to keep"
        if not why and one.sound and newest is not None and counted[name] <= newest:
            why = f"one of the newest {newest}"
        if not why and within is not None and now - one.record.snapshot <= within:
            why = "young enough"
        if not why:
            why = best.get(one.label, "")
        if why:
            kept.append(Kept(one, why))
            continue
        until = _locked_until(store, one, now)
        if until is None:
            remove.append(one)
        else:
            locked.append(Locked(one.label, until))
    leftovers = tuple(one.file for one in listing.problems if one.leftover)
    return PrunePlan(tuple(remove), tuple(kept), tuple(locked), leftovers)


def carry_out_prune(store: Store, plan: PrunePlan, now: float) -> Pruned:
    """Remove what a plan says: of each backup the record first, then its proof, then the artefact.

    Cut short anywhere, what is left is a leftover of the next plan. Raises: UndeterminedError.
    """
    removed: list[str] = []
    locked: list[Locked] = []
    for one in plan.remove:
        until = _locked_until(store, one, now)
        if until is not None:
            locked.append(Locked(one.label, until))
            continue
        try:
            for file in one.files:
                store.delete(file)
        except RefusedError:
            locked.append(Locked(one.label, 0.0))
        else:
            removed.append(one.label)
    for left in plan.leftovers:
        if _has_record(store, left):
            continue  # its run was only slow
        try:
            store.delete(left)
        except RefusedError:
            locked.append(Locked(left, 0.0))
        else:
            removed.append(left)
    return Pruned(tuple(removed), tuple(locked))


def _has_record(store: Store, file: str) -> bool:
    """Whether a file belongs to what is a backup by now."""
    return any(store.size(record) is not None for record in record_files(file))


def _best(listing: Listing, levels: Mapping[str, Level]) -> dict[str, str]:
    """By label, why a backup is the last that its name has."""
    proven: dict[str, str] = {}
    sound: dict[str, str] = {}
    for one in listing.entries:
        name = one.record.name
        if one.sound:
            sound.setdefault(name, one.label)
        if one.proof is not None and reaches(one.level, levels.get(name, "restored")):
            proven.setdefault(name, one.label)
    found = {label: "the newest that is sound" for name, label in sound.items() if name not in proven}
    return {**found, **dict.fromkeys(proven.values(), "the newest that was proven")}


def _locked_until(store: Store, entry: Entry, now: float) -> float | None:
    """Until when one of its files is locked; None where none is."""
    moments = [store.locked_until(file) for file in entry.files]
    return max((one for one in moments if one is not None and one > now), default=None)
