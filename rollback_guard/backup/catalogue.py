"""Which backups a store holds, how far each was proven, and what in it is none.

A backup is listed when its record is there and can be read: that is written last, and removed first. Listing reads no
artefact, only whether there is one of the recorded size; `facts.artefact` and `backup.pipeline` look closer.
"""

from __future__ import annotations

import calendar
import secrets
import time
from typing import NamedTuple, Optional

from rollback_guard.backup.model import Proof, Record
from rollback_guard.backup.record_fields import is_id
from rollback_guard.backup.record_lines import BEGINNING, HEAD_MOST, first_line
from rollback_guard.backup.records import (
    proof_lines,
    read_proof,
    read_proof_summary,
    read_record,
    read_summary,
    record_lines,
)
from rollback_guard.backup.storage_writers import DAY
from rollback_guard.errors import UndeterminedError, UsageError
from rollback_guard.evidence.canonical import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeVar

    from rollback_guard.backup.records import ProofSummary
    from rollback_guard.backup.store import Store, Stored
    from rollback_guard.policy.model import Level

    T = TypeVar("T")

_RECORD = (".json", ".json.zst")
_PROOF = (".proof.json", ".proof.json.zst")
_LEAST = 4  # characters of an id by which a backup may be meant


class Entry(NamedTuple):
    """A backup in a store. Its `record` has no fingerprint and its `proof` no differences: `load_…` reads them.

    `files`: the record first, then proofs, then the artefact if it is there. `stored`: bytes of that.
    """

    record: Record
    rows: int
    items: int
    proof: Optional[Proof]
    differences: int
    stored: Optional[int]
    files: tuple[str, ...]
    problems: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether the artefact is there, of the size that was recorded."""
        return self.stored == self.record.artefact.size

    @property
    def level(self) -> Level | None:
        """How far it was proven; `stored` is all that is known without a proof."""
        if not self.sound:
            return None
        return "stored" if self.proof is None else self.proof.level

    @property
    def label(self) -> str:
        """How it is told from all others: `shop-db/20261127T183000Z-3f9a1c`."""
        return f"{self.record.name}/{self.record.id}"


class Problem(NamedTuple):
    """A file in a store that is no backup; `leftover` when it was left by a run that is gone, and may be removed."""

    file: str
    what: str
    leftover: bool = False


class Listing(NamedTuple):
    """What is in a store, the newest snapshot first."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...] = ()


def new_id(now: float) -> str:
    """An id that no other backup has, sorted by time."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}-{secrets.token_hex(3)}"


def record_files(file: str) -> tuple[str, ...]:
    """Where the record of the backup that a file belongs to can lie.

    >>> record_files("shop-db/20261127T183000Z-3f9a1c.dump.zst")[0]
    'shop-db/20261127T183000Z-3f9a1c.json'
    """
    name, _, rest = file.partition("/")
    return tuple(f"{name}/{rest.partition('.')[0]}{kind}" for kind in _RECORD)


def keep_record(store: Store, record: Record, *, retain_until: float | None = None) -> str:
    """Make a backup count, its artefact being stored. The record's file. Raises: as `Store.write`."""
    lines = _rendered(lambda: record_lines(record))
    file = f"{record.name}/{record.id}.json{lines.suffix}"
    with store.write(file, retain_until=retain_until) as sink:
        lines.write(sink)
    return file


def keep_proof(store: Store, name: str, id: str, proof: Proof) -> str:
    """Keep what became of proving a backup, in the place of what was known before. The proof's file."""
    lines = _rendered(lambda: proof_lines(id, proof))
    file, other = (f"{name}/{id}.proof.json{suffix}" for suffix in (lines.suffix, "" if lines.suffix else ".zst"))
    with store.write(file, replace=True) as sink:
        lines.write(sink)
    store.delete(other)
    return file


def load_record(store: Store, entry: Entry) -> Record:
    """A backup's record with its fingerprint. Raises: UndeterminedError."""
    with store.read(entry.files[0]) as stream:
        return _understood(entry.files[0], lambda: read_record(stream))


def load_proof(store: Store, entry: Entry) -> Proof | None:
    """The last proof of a backup with all differences. Raises: UndeterminedError."""
    found = []
    for file in (one for one in entry.files if one.endswith(_PROOF)):
        with store.read(file) as stream:
            found.append(_understood(file, lambda: read_proof(stream))[1])  # called at once
    return max(found, key=lambda one: one.when, default=None)


def list_backups(store: Store, now: float, names: Sequence[str] = ()) -> Listing:
    """The backups of these names, or of all. Raises: UndeterminedError when the store cannot be reached.

    `now` (Unix seconds) tells what a run may still be writing: an artefact without a record is a problem after a day.
    """
    groups: dict[tuple[str, str], dict[str, Stored]] = {}
    for folder in names or ("",):
        for one in store.list_files(folder):
            name, _, file = one.name.partition("/")
            id, dot, rest = file.partition(".")
            if is_id(id):
                groups.setdefault((name, id), {})[dot + rest] = one
    wanted = [one.name for group in groups.values() for rest, one in group.items() if rest in _RECORD + _PROOF]
    lines = dict(_first_lines(store, wanted))
    entries: list[Entry] = []
    problems: list[Problem] = []
    for (name, id), group in sorted(groups.items()):
        try:
            entry = _entry(name, id, group, lines)
        except FormatError as error:
            records = [group[rest].name for rest in _RECORD if rest in group]
            problems.append(Problem(records[0], f"the record {error.reason}"))
            continue
        if entry is not None:
            entries.append(entry)
        elif now - max(_time_of(id), *(one.modified for one in group.values())) > DAY:
            problems += [Problem(one.name, "there is no record of it", leftover=True) for one in group.values()]
    entries.sort(key=lambda one: (one.record.snapshot, one.record.id, one.record.name), reverse=True)
    return Listing(tuple(entries), tuple(problems))


def find(listing: Listing, wanted: str) -> Entry:
    """The backup of this id, or of an id that begins so; for a name, its newest that is sound, or else its newest.

    An id may have the name before it, as in `shop-db/20261127T183000Z`. Raises: UsageError for none, or for several.
    """
    of_name = [one for one in listing.entries if one.record.name == wanted]
    if of_name:
        return next((one for one in of_name if one.sound), of_name[0])
    name, slash, start = wanted.rpartition("/")
    found = [one for one in listing.entries if _begins(one.record.id, start) and (not slash or one.record.name == name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"no backup is called {wanted[:80]!r}", remedy="guard backup list")
    some = ", ".join(one.label for one in found[:4])
    raise UsageError(f"{len(found)} backups may be meant by {wanted[:80]!r}: {some}", remedy="guard backup list")


def find_set(listing: Listing, wanted: str) -> tuple[Entry, ...]:
    """What was taken together under the set's id, or one that begins so. Raises: UsageError for none, or several."""
    found = [one for one in listing.entries if _begins(one.record.set, wanted)]
    sets = sorted({one.record.set for one in found})
    if len(sets) != 1:
        how = "no set of backups is" if not sets else f"{len(sets)} sets of backups may be"
        raise UsageError(f"{how} meant by {wanted[:80]!r}", remedy="guard backup list")
    return tuple(found)


def _entry(name: str, id: str, group: dict[str, Stored], lines: dict[str, bytes]) -> Entry | None:
    """The backup of an id, None where there is no record. Raises: FormatError for a record that is none."""
    found = [group[rest] for rest in _RECORD if rest in group and group[rest].name in lines]
    if not found:
        return None
    if len(found) > 1:
        raise FormatError("is there twice")
    line = lines[found[0].name]
    summary = read_summary(line)
    record = summary.record
    if found[0].name.endswith(".json") and found[0].size != len(line) + 1 + summary.body.size:
        raise FormatError("is shorter or longer than it says")
    if (record.name, record.id) != (name, id):
        raise FormatError(f"is that of another backup, {record.name}/{record.id}")
    problems = []
    proofs: list[ProofSummary] = []
    files = [found[0].name]
    for file in (group[rest].name for rest in _PROOF if rest in group and group[rest].name in lines):
        files.append(file)
        try:
            proofs.append(_proof_of(id, lines[file]))
        except FormatError as error:
            problems.append(f"the proof {error.reason}")
    artefact = group.get(record.artefact.file[len(f"{name}/{id}") :])
    if artefact is None:
        problems.append("the artefact is gone")
    else:
        files.append(artefact.name)
        if artefact.size != record.artefact.size:
            problems.append(f"the artefact has {artefact.size:,} bytes instead of {record.artefact.size:,}")
    proof = max(proofs, key=lambda one: one.proof.when, default=None)
    return Entry(
        record=record,
        rows=summary.rows,
        items=summary.body.lines,
        proof=None if proof is None else proof.proof,
        differences=0 if proof is None else proof.body.lines,
        stored=None if artefact is None else artefact.size,
        files=tuple(files),
        problems=tuple(problems),
    )


def _proof_of(id: str, line: bytes) -> ProofSummary:
    found = read_proof_summary(line)
    if found.backup != id:
        raise FormatError(f"is that of another backup, {found.backup}")
    return found


def _first_lines(store: Store, files: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The first line of each that is still there; what has none tells so by being no JSON."""
    longer = []
    for file, head in store.heads(files, BEGINNING):
        line = None if head is None else _safe_line(head)
        if line is not None:
            yield file, line
        elif head is not None and len(head) == BEGINNING:
            longer.append(file)
        elif head is not None:
            yield file, b""
    for file, head in store.heads(longer, 2 * HEAD_MOST):
        if head is not None:
            yield file, _safe_line(head) or b""


def _safe_line(head: bytes) -> bytes | None:
    try:
        return first_line(head)
    except FormatError:
        return b""


def _time_of(id: str) -> float:
    try:
        return float(calendar.timegm(time.strptime(id[:16], "%Y%m%dT%H%M%SZ")))
    except ValueError:
        return 0.0


def _begins(id: str, start: str) -> bool:
    return len(start) >= _LEAST and id.startswith(start)


def _rendered(render: Callable[[], T]) -> T:
    try:
        return render()
    except FormatError as error:
        raise UndeterminedError(
            f"what is known of the backup cannot be recorded: {error.reason}", remedy="guard doctor"
        ) from None


def _understood(file: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except FormatError as error:
        raise UndeterminedError(f"{file} cannot be understood: it {error.reason}", remedy="guard backup list") from None
