"""What is known of backups, as values: what was backed up, what was in it, and what became of proving it. Pure.

Times are Unix seconds, sizes bytes, digests lower-case hex of SHA-256.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional

from rollback_guard.policy.model import LEVELS, Level

# What of an item is meant: how it is declared, or what is in it.
Part = Literal["schema", "content"]


class Identity(NamedTuple):
    """Which database or directory this is. Nothing in it is secret: no user, no password.

    `place` is a URL without them, such as `postgresql://db.acme.example:5432/shop`, `mariadb://…`, `sqlite:/srv/x.db`
    or `directory:/srv/uploads`. `server` is what the server, or the file system, calls itself and no copy does: for
    PostgreSQL the system identifier; "" where there is no such thing.
    """

    engine: str
    place: str
    server: str = ""
    version: str = ""  # of the server, such as "15.18"


class Item(NamedTuple):
    """One thing in a database or directory, and the digest of it. Sorted by all fields, items can be compared."""

    part: Part
    kind: str  # table, column, index, sequence, view, routine, trigger, event, large object, file, link, folder, …
    name: str  # qualified as the engine does it; bytes that are no UTF-8 as surrogates
    digest: str
    rows: Optional[int] = None  # of a table's content


class Fingerprint(NamedTuple):
    """What is in a database or directory. `uncovered`: in words, what of it no item tells."""

    items: tuple[Item, ...]
    uncovered: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows there are in all tables together."""
        return sum(one.rows or 0 for one in self.items)


class Difference(NamedTuple):
    """Something that is not in one fingerprint as it is in another."""

    part: Part
    kind: str
    name: str
    what: Literal["missing", "added", "changed"]
    rows: tuple[Optional[int], Optional[int]] = (None, None)  # before and after


class Artefact(NamedTuple):
    """The file that a backup is, as it lies in its store. `digest` and `size` are of what is stored."""

    file: str  # relative to the store
    digest: str
    size: int
    content: int  # bytes before they were compressed and encrypted
    compression: str = "zstd"
    encryption: str = ""  # "age" where it is encrypted


class Record(NamedTuple):
    """One backup that was taken, as it is written beside the artefact, which it makes count."""

    id: str
    set: str  # what was taken together bears one id
    name: str  # as the policy calls it
    identity: Identity
    source: str  # as the policy writes it, where that holds no secret
    commit: str  # of production, that is protected by it; "" where none was known
    begun: float
    snapshot: float  # when what is in it was so
    ended: float
    position: str  # of the snapshot, in the engine's own words: an LSN, a binlog position, …
    artefact: Artefact
    fingerprint: Fingerprint
    tools: tuple[tuple[str, str], ...] = ()  # what made it, each with its version
    skew: float = 0.0  # seconds between the first and the last snapshot of its set


class Proof(NamedTuple):
    """What became of proving a backup. `level` is the highest that holds; `fault` says why the next one does not."""

    level: Optional[Level]
    when: float
    seconds: float = 0.0  # that restoring took: the measured recovery time
    differences: tuple[Difference, ...] = ()
    fault: str = ""
    checks: tuple[tuple[str, bool], ...] = ()  # of the level `exercised`: name, whether it passed


# filling: the backup is being put beside. compared: it is there, whole. swapping: it takes production's place. done.
State = Literal["filling", "compared", "swapping", "done"]


class Restore(NamedTuple):
    """One restore, as its journal tells it."""

    id: str
    record: str  # the id of the backup
    name: str  # as the policy calls it
    beside: str  # where it is put before it takes production's place
    aside: str  # where what failed is afterwards
    state: State
    begun: float
    downtime: Optional[float] = None  # seconds in which nobody could work


class Loss(NamedTuple):
    """What a restore takes away: whatever is otherwise now than it was at the snapshot, so many seconds ago."""

    seconds: float
    differences: tuple[Difference, ...]

    @property
    def content(self) -> tuple[Difference, ...]:
        """Tables, files and the like whose content is another one."""
        return tuple(one for one in self.differences if one.part == "content")

    @property
    def declared(self) -> tuple[Difference, ...]:
        """What is declared otherwise: migrations since."""
        return tuple(one for one in self.differences if one.part == "schema")


def reaches(level: Level | None, wanted: Level) -> bool:
    """Whether a level is at least another one.

    >>> reaches("compared", "schema"), reaches("digest", "restored"), reaches(None, "stored")
    (True, False, False)
    """
    return level is not None and LEVELS.index(level) >= LEVELS.index(wanted)


def compare(before: Fingerprint, after: Fingerprint, part: Part | None = None) -> tuple[Difference, ...]:
    """What differs, sorted; with `part` only of that part."""
    old, new = ({(one.part, one.kind, one.name): one for one in state.items} for state in (before, after))
    found = []
    for key in sorted(old.keys() | new.keys()):
        one, other = old.get(key), new.get(key)
        if one == other or (part is not None and key[0] != part):
            continue
        found.append(
            Difference(
                part=key[0],
                kind=key[1],
                name=key[2],
                what="missing" if other is None else "added" if one is None else "changed",
                rows=(None if one is None else one.rows, None if other is None else other.rows),
            )
        )
    return tuple(found)
