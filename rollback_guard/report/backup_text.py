"""Backups as text for people: what was taken and proven, what there is, what a restore would take away."""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.backup.model import reaches
from rollback_guard.report.visible import short, visible
from rollback_guard.report.wording import counted, moment, seconds_in_words, size_in_words, span_in_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.backup.model import Difference, Fingerprint, Loss, Proof, Record, Restore
    from rollback_guard.policy.model import Level


class Row(NamedTuple):
    """One backup of a list. `faults`: why it does not stand up, in words."""

    record: Record
    store: str
    level: Optional[Level]
    faults: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether it can be gone back to."""
        return not self.faults


_MOST = 10  # tables that are named
_PLAIN = ("table", "file")  # kinds that go without saying
_FEW = 3  # things that are not covered, before only the first is named


def render_taken(record: Record, proof: Proof | None, wanted: Level, attested: str) -> str:
    """One backup that was taken, in lines."""
    found, artefact = record.fingerprint, record.artefact
    lines = [
        f"{visible(record.name)}  {visible(record.id)}  {size_in_words(artefact.size)} of "
        f"{size_in_words(artefact.content)}, {_amount(found)}",
        f"  of {visible(record.identity.place)}, as it was at {moment(int(record.snapshot))}",
    ]
    if proof is not None:
        lines.append(f"  {proven_in_words(proof, wanted)}")
    if attested:
        lines.append(f"  signed for, as evidence {short(attested)}")
    lines += [f"  not covered: {one}" for one in _uncovered(found.uncovered, attested)]
    return "\n".join(lines)


def _uncovered(found: tuple[str, ...], attested: str) -> list[str]:
    """What no fingerprint tells, in few lines: an engine may name a dozen things each time."""
    if len(found) <= _FEW:
        return [visible(one) for one in found]
    every = f"guard evidence show {short(attested)}" if attested else "--format json"
    return [f"{visible(found[0])}, and {len(found) - 1:,} more: {every}"]


def _amount(found: Fingerprint) -> str:
    """How much is in a backup: rows where there are tables, else files and the like."""
    content = [one for one in found.items if one.part == "content"]
    if any(one.rows is not None for one in content):
        return counted(found.rows, "row", "rows")
    return counted(len(content), "entry", "entries")


def proven_in_words(proof: Proof, wanted: Level) -> str:
    """How far a backup is proven, and why not further."""
    reached = proof.level or "not at all"
    if reaches(proof.level, wanted):
        took = f": restored in {seconds_in_words(proof.seconds)}" if reaches(proof.level, "restored") else ""
        same = " and the same" if reaches(proof.level, "compared") else ""
        return f"proven {reached}{took}{same}"
    return f"PROVEN {reached}, and {wanted} is asked for: {visible(proof.fault)}"


def render_list(rows: tuple[Row, ...], problems: tuple[str, ...], now: float) -> str:
    """Backups in lines, the newest first; then what lies in the stores and is none."""
    lines = [] if rows else ["There is no backup\n→ guard backup create"]
    width = max((len(visible(row.record.name)) for row in rows), default=0)
    ages = [f"{span_in_words(now - row.record.snapshot)} old" for row in rows]
    sizes = [size_in_words(row.record.artefact.size) for row in rows]
    levels = [row.level or "unsound" for row in rows]
    old, large, far = (max(map(len, column), default=0) for column in (ages, sizes, levels))
    for row, age, size, level in zip(rows, ages, sizes, levels, strict=True):
        state = "good" if row.good else "NOT GOOD"
        lines.append(
            f"{visible(row.record.name):<{width}}  {visible(row.record.id)}  {age:<{old}}  {size:<{large}}  "
            f"{level:<{far}}  {state}  {_at(row.record)}{visible(row.store)}"
        )
        lines += [f"    {visible(one)}" for one in row.faults]
    lines += [f"in the store, and no backup: {visible(one)}" for one in problems]
    return "\n".join(lines)


def _at(record: Record) -> str:
    """Which commit of production a backup protects."""
    return f"at {short(record.commit)}  " if record.commit else ""


def render_loss(record: Record, loss: Loss, place: str, *, known: bool = True) -> str:
    """What a restore would take away, before anybody is asked; `known`: whether what is there now could be read."""
    lines = [
        f"{visible(record.name)} goes back to {moment(int(record.snapshot))}, {span_in_words(loss.seconds)} ago, in "
        f"{visible(place)}",
    ]
    if record.commit:
        lines.append(f"  taken while production was at {short(record.commit)}")
    if not known:
        lines.append("  what is there now cannot be read, so what would be lost is not known")
    elif not loss.differences:
        lines.append("nothing has changed since, so nothing would be lost")
    lines += [f"  since then: {_changed(one)}" for one in loss.content[:_MOST]]
    if len(loss.content) > _MOST:
        lines.append(f"  and {len(loss.content) - _MOST:,} more")
    if loss.declared:
        first = loss.declared[0]
        lines.append(
            f"  its structure was changed since, in {counted(len(loss.declared), 'place', 'places')}: "
            f"{visible(first.kind)} {visible(first.name)}" + (" and others" if len(loss.declared) > 1 else "")
        )
    return "\n".join(lines)


def _changed(one: Difference) -> str:
    """What happened to a table or a file since, in words."""
    name, (before, after) = visible(one.name), one.rows
    name = name if one.kind in _PLAIN else f"{visible(one.kind)} {name}"
    if one.what == "added":
        return f"{name} is new" + (f", with {counted(after, 'row', 'rows')}" if after is not None else "")
    if one.what == "missing":
        return f"{name} is gone" + (f", it had {counted(before, 'row', 'rows')}" if before is not None else "")
    if before is None or after is None or before == after:
        return f"{name} was changed"
    more = after - before
    return f"{name} has {counted(abs(more), 'row', 'rows')} {'more' if more > 0 else 'less'}"


def render_restored(restore: Restore, place: str) -> str:
    """What was restored, and where what failed is now."""
    took = "" if not restore.downtime else f"; nobody could reach it for {seconds_in_words(restore.downtime)}"
    return "\n".join(
        [
            f"{visible(restore.name)} is restored from {visible(restore.record)}: {visible(place)}{took}",
            f"  what was there before is kept: {visible(_kept(place, restore.aside))}",
        ]
    )


def _kept(place: str, aside: str) -> str:
    """Where what failed is now: a file or folder beside the place, or a database on the same server."""
    scheme, _, path = place.partition(":")
    if path.startswith("//"):
        return f"the database {aside} on the same server"
    return f"{path}.{aside}" if scheme else aside
