"""Databases beside a source that are ours to make and to drop, and what a swap notes in one of them."""

from __future__ import annotations

import json
from typing import NamedTuple

from rollback_guard.backup.engines.mariadb_connection import identifier
from rollback_guard.backup.engines.mariadb_definitions import HELD, Definition
from rollback_guard.backup.engines.mariadb_tables import OURS
from rollback_guard.errors import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rollback_guard.backup.engines.mariadb_connection import Session

JOURNAL = OURS[1]
PLANNED, HIDDEN, MOVED, WRITTEN, SHOWN, SETTLED, DONE = range(7)
_HELD_COLUMNS = "(name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, status VARCHAR(32))"
_JOURNAL_COLUMNS = "(number INT PRIMARY KEY, kind VARCHAR(16) CHARACTER SET ascii, data LONGBLOB)"


class Journal(NamedTuple):
    """What a swap will do, as it was found before anything was done, and how far it has come."""

    source: str
    beside: str
    aside: str
    old: tuple[str, ...]  # tables of the source
    new: tuple[str, ...]  # tables beside it
    was: tuple[Definition, ...]
    now: tuple[Definition, ...]
    collations: tuple[str, str]  # of the source, and beside it
    defaults: tuple[tuple[str, str, str, str], ...]  # database, table, column, what it takes from a sequence
    phase: int = PLANNED

    def hidden(self, side: str) -> list[str]:
        """Names under which tables wait; their own where no trigger is anywhere, so that one statement does it all."""
        names = self.old if side == "old" else self.new
        if not any(one.kind == "TRIGGER" for one in self.was + self.now):
            return list(names)
        return [f"_guard_{side}_{number}" for number in range(len(names))]


def make_empty(opened: Session, name: str) -> None:
    """A database beside the session's own, with the same character set; what is there goes first."""
    drop(opened, name)
    _create(opened, name, str(opened.value("SELECT @@collation_database")))


def _create(opened: Session, name: str, collation: str) -> None:
    opened.run(f"CREATE DATABASE IF NOT EXISTS {identifier(name)} COLLATE {collation}")
    opened.run(f"CREATE TABLE IF NOT EXISTS {identifier(name)}.{HELD} {_HELD_COLUMNS} ENGINE=InnoDB")


def drop(opened: Session, name: str) -> None:
    """Remove a database that is ours. Raises: RefusedError for any other that holds something."""
    if not exists(opened, name):
        return
    found = list_tables(opened, name)
    if found and HELD not in found:
        raise RefusedError(f"the database {name} was not made by guard, and is not removed", remedy="use another name")
    opened.run(f"DROP DATABASE {identifier(name)}")


def exists(opened: Session, name: str) -> bool:
    """Whether there is such a database."""
    return bool(opened.rows(f"SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {opened.quote(name)}"))


def list_tables(opened: Session, database: str) -> list[str]:
    """Names of tables and sequences, not of views."""
    rows = opened.rows(
        f"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {opened.quote(database)}"
        " AND TABLE_TYPE NOT LIKE '%VIEW'"
    )
    return [str(row[0]) for row in rows]


def write_journal(opened: Session, journal: Journal) -> None:
    """Make the database aside, with the journal in it: all of it, or none."""
    _create(opened, journal.aside, journal.collations[0])
    place = f"{identifier(journal.aside)}.{JOURNAL}"
    opened.run(f"DROP TABLE IF EXISTS {place}")
    opened.run(f"CREATE TABLE {place} {_JOURNAL_COLUMNS} ENGINE=InnoDB")
    opened.run("START TRANSACTION")
    rows: list[tuple[str, object]] = [("phase", journal.phase)]
    rows.append(("names", (journal.source, journal.beside, journal.aside, journal.collations)))
    rows += [("defaults", one) for one in journal.defaults]
    for kind, names in (("old", journal.old), ("new", journal.new)):
        rows += [(kind, name) for name in names]
    for kind, found in (("was", journal.was), ("now", journal.now)):
        rows += [(kind, [*one[:2], one.statement.hex(), *one[3:]]) for one in found]
    for number, (kind, value) in enumerate(rows):
        data = json.dumps(value).encode().hex()
        opened.run(f"INSERT INTO {place} VALUES ({number}, '{kind}', x'{data}')")
    opened.run("COMMIT")


def read_journal(opened: Session, aside: str) -> Journal | None:
    """What is noted in a database, if it is there."""
    if JOURNAL not in list_tables(opened, aside):
        return None
    found: dict[str, list[Any]] = {}
    for kind, data in opened.rows(f"SELECT kind, data FROM {identifier(aside)}.{JOURNAL} ORDER BY number"):
        found.setdefault(str(kind), []).append(json.loads(data))
    if not found:
        return None  # it was cut short while it was written: nothing was done yet
    source, beside, named, collations = found["names"][0]
    was, now = (
        tuple(Definition(one[0], one[1], bytes.fromhex(one[2]), *one[3:]) for one in found.get(side, ()))
        for side in ("was", "now")
    )
    return Journal(
        *(source, beside, named, tuple(found.get("old", ())), tuple(found.get("new", ())), was, now),
        collations=(collations[0], collations[1]),
        defaults=tuple((one[0], one[1], one[2], one[3]) for one in found.get("defaults", ())),
        phase=found["phase"][0],
    )


def begun(opened: Session, journal: Journal) -> bool:
    """Whether anything was moved by it, also where the process died before it could note that."""
    if journal.phase > PLANNED or set(list_tables(opened, journal.aside)) - set(OURS):
        return True
    hidden = set(journal.hidden("old")) - set(journal.old)
    if hidden & set(list_tables(opened, journal.source)):
        return True
    return bool(journal.new) and not set(journal.new) & set(list_tables(opened, journal.beside))


def reach(opened: Session, journal: Journal, phase: int) -> None:
    """Note that a phase is done."""
    data = json.dumps(phase).encode().hex()
    opened.run(f"UPDATE {identifier(journal.aside)}.{JOURNAL} SET data = x'{data}' WHERE number = 0")
