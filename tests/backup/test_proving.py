"""A proof climbs as far as a backup holds, and says why not further: each way of being no backup, tried for real."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from rollback_guard.backup.catalogue import new_id
from rollback_guard.backup.model import Difference, Fingerprint, Item, Proof, Record, compare
from rollback_guard.backup.pipeline import store_dump
from rollback_guard.backup.proving import prove, told
from rollback_guard.backup.registry import open_engine
from rollback_guard.backup.source import read_source
from rollback_guard.backup.storage import open_store
from rollback_guard.backup.taking import Taking, Wanted, take
from rollback_guard.errors import UsageError
from rollback_guard.policy.model import Level


class Taken:
    """A backup of a database file, which a test may spoil."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "shop.db"
        with sqlite3.connect(self.database) as connection:
            connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)")
            connection.executemany("INSERT INTO orders (note) VALUES (?)", [(f"note {n}",) for n in range(500)])
        connection.close()
        self.engine = open_engine("sqlite", read_source("shop.db", {}, str(folder)))
        (folder / "backups").mkdir()
        self.store = open_store("file:backups", str(folder))
        wanted = Wanted(name="shop-db", source="shop.db", engine=self.engine, store=self.store)
        told: list[tuple[str, int, float]] = []
        taking = Taking(set=new_id(0.0), commit="", tell=lambda *words: told.append(words))
        (self.record,) = take([wanted], taking)
        assert told[-1][:2] == ("shop-db", self.record.artefact.content)

    @property
    def path(self) -> Path:
        """The artefact."""
        return self.folder / "backups" / self.record.artefact.file

    def proof(self, wanted: Level = "compared", exercise: Callable[[Mapping[str, str]], str] | None = None) -> Proof:
        scratch = self.folder / "scratch"
        scratch.mkdir(mode=0o700, exist_ok=True)
        found = prove(self.record, self.store, self.engine, wanted=wanted, folder=str(scratch), exercise=exercise)
        assert list(scratch.iterdir()) == []
        return found

    def replaced(self, dump: Callable[..., None]) -> None:
        """Another artefact in its place, which the record knows of: as if it had been written wrong."""
        self.path.unlink()
        artefact = store_dump(dump, self.store, self.record.artefact.file)
        self.record = self.record._replace(artefact=artefact)


@pytest.fixture
def taken(tmp_path: Path) -> Taken:
    return Taken(tmp_path)


def test_as_far_as_is_wanted(taken: Taken) -> None:
    levels: tuple[Level, ...] = ("stored", "digest", "readable", "restored", "schema", "compared")
    for level in levels:
        proof = taken.proof(level)
        assert (proof.level, proof.fault, proof.differences) == (level, "", ())
    assert proof.seconds > 0


def gone(taken: Taken) -> None:
    taken.path.unlink()


def shorter(taken: Taken) -> None:
    taken.path.write_bytes(taken.path.read_bytes()[:-1])


def flipped(taken: Taken) -> None:
    data = bytearray(taken.path.read_bytes())
    data[len(data) // 2] ^= 1
    taken.path.write_bytes(data)


def cut_before_it_was_digested(taken: Taken) -> None:
    import hashlib

    data = taken.path.read_bytes()[:-20]
    taken.path.write_bytes(data)
    artefact = taken.record.artefact._replace(size=len(data), digest=hashlib.sha256(data).hexdigest())
    taken.record = taken.record._replace(artefact=artefact)


def no_database(taken: Taken) -> None:
    taken.replaced(lambda sink: sink.write(b"x" * 5000))


def another_one(taken: Taken) -> None:
    with sqlite3.connect(taken.database) as connection:
        connection.execute("UPDATE orders SET note = 'other' WHERE id = 7")
    connection.close()
    with taken.engine.snapshot() as snapshot:
        taken.replaced(snapshot.dump)


def migrated(taken: Taken) -> None:
    with sqlite3.connect(taken.database) as connection:
        connection.execute("CREATE INDEX notes ON orders (note)")
    connection.close()
    with taken.engine.snapshot() as snapshot:
        taken.replaced(snapshot.dump)


@pytest.mark.parametrize(
    ("spoil", "level", "said"),
    [
        (gone, None, "is gone from its store"),
        (shorter, None, "instead of"),
        (flipped, "stored", "another digest"),
        (cut_before_it_was_digested, "digest", "shop-db/"),
        (no_database, "readable", "it cannot be restored: "),
        (migrated, "restored", "the restored copy is another one: index notes is added"),
        (another_one, "schema", "orders is changed (other content)"),
    ],
)
def test_what_is_no_backup(taken: Taken, spoil: Callable[[Taken], None], level: Level | None, said: str) -> None:
    spoil(taken)
    proof = taken.proof()
    assert (proof.level, said in proof.fault) == (level, True), proof.fault
    assert bool(proof.differences) == (level in ("restored", "schema"))


def test_the_policys_own_check(taken: Taken) -> None:
    seen: list[bytes] = []

    def check(variables: Mapping[str, str]) -> str:
        seen.append(Path(variables["GUARD_SCRATCH"]).read_bytes()[:15])
        return "no orders" if len(seen) > 1 else ""

    good, bad = (taken.proof("exercised", check) for _ in range(2))
    assert (good.level, good.fault, good.checks) == ("exercised", "", (("exercise", True),))
    assert (bad.level, bad.fault, bad.checks) == ("compared", "no orders", (("exercise", False),))
    assert seen == [b"SQLite format 3"] * 2


def test_no_check_is_no_proof(taken: Taken) -> None:
    assert "names no `exercise`" in taken.proof("exercised").fault


def test_in_another_thread_there_is_no_alarm(taken: Taken) -> None:
    found: list[Proof] = []
    thread = threading.Thread(target=lambda: found.append(taken.proof("stored")))
    thread.start()
    thread.join()
    assert found[0].level == "stored"


def test_differences_in_a_sentence() -> None:
    before = [Item("content", "table", f"t{n}", "a", 5) for n in range(5)]
    after = [Item("content", "table", f"t{n}", "b", 7) for n in range(1, 6)]
    found = compare(Fingerprint(tuple(before)), Fingerprint(tuple(after)))
    assert told(found).startswith(
        "the restored copy is another one: table t0 is missing, table t1 is changed (5 rows, "
    )
    assert told(found).endswith(" and 3 more")
    assert told(()) == ""
    assert compare(Fingerprint(tuple(before)), Fingerprint(tuple(after)), "schema") == ()
    assert found[0] == Difference("content", "table", "t0", "missing", (5, None))


def test_an_engine_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="no engine oracle"):
        open_engine("oracle", read_source("x", {}, "/"))


def test_a_record_names_nothing_secret(taken: Taken) -> None:
    assert isinstance(taken.record, Record)
    assert "shop.db" in repr(read_source("shop.db", {}, "/"))
    assert "secret" not in repr(read_source("postgresql://jane:secret@db/shop", {}, "/"))
    assert "secret" not in repr(read_source("host=db password=secret", {}, "/"))
