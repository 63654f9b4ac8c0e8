"""What is listed as a backup, how one is meant, and which go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rollback_guard.backup.catalogue import (
    Entry,
    Listing,
    find,
    find_set,
    keep_proof,
    keep_record,
    list_backups,
    load_proof,
    load_record,
    new_id,
)
from rollback_guard.backup.model import Difference, Fingerprint, Item, Proof
from rollback_guard.backup.pipeline import artefact_name
from rollback_guard.backup.pruning import PrunePlan, carry_out_prune, plan_prune
from rollback_guard.backup.record_fields import is_id
from rollback_guard.backup.record_lines import BEGINNING
from rollback_guard.backup.storage import open_store
from rollback_guard.backup.store import Store
from rollback_guard.errors import UndeterminedError, UsageError
from tests.backup.kept import ID, ITEMS, NOW, PROOF, RECORD, keep
from tests.support.s3 import S3

HOUR, DAY = 3600.0, 86400.0
COMPARED = Proof("compared", NOW)


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "file":
        return open_store("file:backups", str(tmp_path))
    return open_store(f"s3://{request.getfixturevalue('s3').bucket()}/here", "/")


@pytest.fixture
def folder(tmp_path: Path) -> Store:
    return open_store("file:backups", str(tmp_path))


def listed(store: Store, now: float = NOW) -> Listing:
    return list_backups(store, now)


def labels(some: tuple[Entry, ...]) -> list[str]:
    return [one.label for one in some]


def put(store: Store, name: str, data: bytes = b"x") -> None:
    with store.write(name) as sink:
        sink.write(data)


def path_of(store: Store, file: str) -> Path:
    return Path(store.shown.removeprefix("file:")) / file


def one_entry(store: Store) -> Entry:
    (entry,) = listed(store).entries
    return entry


class TestListing:
    def test_the_newest_snapshot_comes_first(self, store: Store) -> None:
        old, new = keep(store, age=DAY), keep(store, age=HOUR)
        other = keep(store, "uploads", age=2 * HOUR)
        found = listed(store)
        assert [one.record for one in found.entries] == [
            one._replace(fingerprint=Fingerprint(())) for one in (new, other, old)
        ]
        assert found.problems == ()
        assert [one.level for one in found.entries] == ["stored"] * 3
        assert (found.entries[0].rows, found.entries[0].items) == (3, 4)
        assert labels(list_backups(store, NOW, ["uploads", "none"]).entries) == [f"uploads/{other.id}"]

    def test_what_is_loaded_is_whole(self, store: Store) -> None:
        record = keep(store, proof=PROOF)
        entry = one_entry(store)
        assert (load_record(store, entry), load_proof(store, entry)) == (record, PROOF)
        assert (entry.level, entry.differences) == ("schema", 1)
        assert entry.proof is not None
        assert (entry.proof.fault, entry.proof.differences) == (PROOF.fault, ())

    def test_the_last_proof_counts_whatever_its_size(self, store: Store) -> None:
        record = keep(store, proof=COMPARED)
        many = tuple(Difference("content", "table", f"public.t{one:04}", "changed") for one in range(9000))
        for proof in (PROOF._replace(differences=many), PROOF, Proof(None, NOW + 1, fault="gone")):
            keep_proof(store, "shop", record.id, proof)
            entry = one_entry(store)
            assert (load_proof(store, entry), len(entry.files)) == (proof, 3)
        assert entry.level is None

    def test_of_two_proofs_that_a_crash_left_the_later_counts(self, folder: Store) -> None:
        record = keep(folder, proof=COMPARED)
        newer = PROOF._replace(when=NOW + DAY)
        keep_proof(folder, "shop", record.id, newer)
        data = path_of(folder, f"shop/{record.id}.proof.json").read_bytes()
        keep_proof(folder, "shop", record.id, COMPARED)
        put(folder, f"shop/{record.id}.proof.json.zst", data)
        entry = one_entry(folder)
        assert (entry.level, load_proof(folder, entry), len(entry.files)) == ("schema", newer, 4)

    def test_a_record_larger_than_its_beginning(self, store: Store) -> None:
        record = keep(store)
        store.delete(f"shop/{record.id}.json")
        large = record._replace(tools=tuple(("t" * 200, "\udc80" * 200) for _ in range(60)))
        keep_record(store, large)
        assert (store.size(f"shop/{record.id}.json") or 0) > BEGINNING
        assert one_entry(store).record.tools == large.tools

    def test_one_of_five_thousand_tables(self, store: Store) -> None:
        record = keep(store)
        store.delete(f"shop/{record.id}.json")
        items = tuple(Item("content", "table", f"public.t{one:04}", "e" * 64, 1) for one in range(5000))
        assert keep_record(store, record._replace(fingerprint=Fingerprint(items))).endswith(".json.zst")
        entry = one_entry(store)
        assert (entry.rows, load_record(store, entry).fingerprint.items) == (5000, items)

    def test_a_store_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UndeterminedError):
            list_backups(open_store("file:none", str(tmp_path)), NOW)

    def test_ten_times_as_many_are_asked_for_ten_times_as_often(self, tmp_path: Path) -> None:
        asked = []
        for count in (5, 50):
            store = open_store(f"file:{count}", str(tmp_path))
            for one in range(count):
                keep(store, age=float(one), proof=COMPARED)
            heads = store.heads
            calls: list[int] = []

            def counting(
                names: list[str],
                most: int,
                heads: Callable[..., object] = heads,
                calls: list[int] = calls,
            ) -> object:
                calls.append(len(names))
                return heads(names, most)

            store.heads = counting  # type: ignore[method-assign, assignment]
            assert len(listed(store).entries) == count
            asked.append(calls)
        assert asked == [[10, 0], [100, 0]]


class TestProblems:
    def test_an_artefact_that_is_gone_or_another(self, folder: Store) -> None:
        gone, short, sound = (keep(folder, age=float(one), proof=COMPARED) for one in range(3))
        folder.delete(gone.artefact.file)
        path_of(folder, short.artefact.file).write_bytes(b"short")
        found = {one.record.id: one for one in listed(folder).entries}
        assert found[gone.id].problems == ("the artefact is gone",)
        assert found[short.id].problems == (f"the artefact has 5 bytes instead of {short.artefact.size}",)
        assert [found[one.id].level for one in (gone, short, sound)] == [None, None, "compared"]
        assert [found[one.id].sound for one in (gone, short, sound)] == [False, False, True]

    @pytest.mark.parametrize(
        "damage",
        [
            lambda data: b"",
            lambda data: data[:50],
            lambda data: b"\x28\xb5\x2f\xfd" + data,
            lambda data: b" " * 100_000 + data,
            lambda data: b"x" * 5_000_000,
            lambda data: data.replace(b'"shop"', b'"wiki"'),
            lambda data: data.replace(ID.encode(), b"20261127T183000Z-000000"),
        ],
    )
    def test_a_record_that_is_none_is_no_backup(self, damage: Callable[[bytes], bytes], folder: Store) -> None:
        keep(folder, id=ID, set="s")
        path = path_of(folder, f"shop/{ID}.json")
        path.write_bytes(damage(path.read_bytes()))
        found = listed(folder)
        assert found.entries == ()
        (problem,) = found.problems
        assert (problem.file, problem.leftover) == (f"shop/{ID}.json", False)
        assert problem.what.startswith("the record ")

    def test_a_record_that_is_there_twice(self, folder: Store) -> None:
        keep(folder, id=ID)
        put(folder, f"shop/{ID}.json.zst", path_of(folder, f"shop/{ID}.json").read_bytes())
        found = listed(folder)
        assert (found.entries, found.problems[0].what) == ((), "the record is there twice")

    @pytest.mark.parametrize("by", [-5, 1])
    def test_a_record_that_is_shorter_or_longer_than_it_says_is_none(self, by: int, folder: Store) -> None:
        keep(folder, id=ID)
        path = path_of(folder, f"shop/{ID}.json")
        os.truncate(path, path.stat().st_size + by)
        found = listed(folder)
        assert (found.entries, found.problems[0].what) == ((), "the record is shorter or longer than it says")

    def test_of_a_compressed_one_that_shows_when_it_is_loaded(self, folder: Store) -> None:
        record = keep(folder, id=ID)
        folder.delete(f"shop/{ID}.json")
        items = tuple(Item("content", "table", f"public.t{one:04}", "e" * 64, 1) for one in range(5000))
        path = path_of(folder, keep_record(folder, record._replace(fingerprint=Fingerprint(items))))
        os.truncate(path, path.stat().st_size - 100)
        with pytest.raises(UndeterminedError, match="cannot be understood"):
            load_record(folder, one_entry(folder))

    @pytest.mark.parametrize("data", [b"", b"{}\n", b"\x28\xb5\x2f\xfdx"])
    def test_a_proof_that_is_none_proves_nothing(self, data: bytes, folder: Store) -> None:
        record = keep(folder)
        put(folder, f"shop/{record.id}.proof.json", data)
        entry = one_entry(folder)
        assert (entry.level, entry.sound, entry.problems[0][:10]) == ("stored", True, "the proof ")
        with pytest.raises(UndeterminedError):
            load_proof(folder, entry)

    def test_another_ones_proof_proves_nothing(self, folder: Store) -> None:
        record, other = keep(folder, proof=COMPARED), keep(folder, age=1.0)
        put(folder, f"shop/{other.id}.proof.json", path_of(folder, f"shop/{record.id}.proof.json").read_bytes())
        entry = listed(folder).entries[1]
        assert entry.problems == (f"the proof is that of another backup, {record.id}",)
        assert entry.level == "stored"

    def test_what_a_run_may_still_write_is_no_problem_and_after_a_day_it_is(self, folder: Store) -> None:
        file = artefact_name("shop", new_id(time.time()), ".dump")
        put(folder, file)
        put(folder, "shop/99999999T999999Z-000000.dump.zst")
        for name in ("shop/README", "shop/latest.json", f"shop/x{ID}.json"):
            put(folder, name)
        assert listed(folder, time.time() + HOUR) == Listing(())
        found = listed(folder, time.time() + 2 * DAY)
        assert [(one.file, one.leftover) for one in found.problems] == [
            (file, True),
            ("shop/99999999T999999Z-000000.dump.zst", True),
        ]

    def test_what_cannot_be_recorded_is_told(self, folder: Store) -> None:
        twice = RECORD._replace(fingerprint=Fingerprint((ITEMS[0], ITEMS[0])))
        with pytest.raises(UndeterminedError, match=r"public\.orders"):
            keep_record(folder, twice)
        with pytest.raises(UndeterminedError):
            keep_proof(folder, "shop", "x", PROOF)

    def test_what_goes_while_it_is_listed_is_not_there(self, folder: Store) -> None:
        record = keep(folder, proof=COMPARED)
        list_files = folder.list_files

        def going(name: str = "") -> object:
            yield from list_files(name)
            folder.delete(f"shop/{record.id}.json")
            folder.delete(f"shop/{record.id}.proof.json")

        folder.list_files = going  # type: ignore[method-assign, assignment]
        assert listed(folder) == Listing(())


class TestFinding:
    def test_by_name_by_id_and_by_its_beginning(self, folder: Store) -> None:
        old, new = keep(folder, age=9.0), keep(folder, age=5.0, id=ID)
        wiki = keep(folder, "wiki", age=9.0, set="other")
        found = listed(folder)
        assert find(found, "shop").record.id == new.id
        assert find(found, new.id[:-1]).record.id == new.id
        assert find(found, f"wiki/{wiki.id[:8]}").label == f"wiki/{wiki.id}"
        folder.delete(new.artefact.file)
        assert find(listed(folder), "shop").record.id == old.id
        folder.delete(old.artefact.file)
        assert find(listed(folder), "shop").record.id == new.id

    @pytest.mark.parametrize("wanted", ["20261127", "none", "", "2026", "shop/none", ID[:17] + "000009", "wiki/x"])
    def test_what_is_not_meant_alone(self, wanted: str, folder: Store) -> None:
        keep(folder, age=9.0)
        keep(folder, "wiki", age=9.0)
        with pytest.raises(UsageError) as caught:
            find(listed(folder), wanted)
        assert caught.value.remedy

    def test_a_set_is_what_was_taken_together(self, folder: Store) -> None:
        for name, set in (("shop", ID), ("uploads", ID), ("wiki", "20251127T183000Z-3f9a1c")):
            keep(folder, name, set=set)
        found = listed(folder)
        assert sorted(one.record.name for one in find_set(found, ID[:10])) == ["shop", "uploads"]
        for wanted in ("none", "2025x"):
            with pytest.raises(UsageError, match="no set"):
                find_set(found, wanted)
        keep(folder, "more", set="20261127T183000Z-ffffff")
        with pytest.raises(UsageError, match="2 sets"):
            find_set(listed(folder), "20261127")

    def test_ids_are_ids_and_sorted_by_time(self) -> None:
        ids = [new_id(NOW + one) for one in range(5)]
        assert ids == sorted(ids)
        assert all(map(is_id, ids))
        assert new_id(NOW) != new_id(NOW)
        assert ids[0].startswith("20261127T183000Z-")


class TestPruning:
    def five(self, store: Store) -> list[str]:
        """Backups of five days, the newest first; the third was proven."""
        return [keep(store, age=one * DAY, proof=COMPARED if one == 2 else None).id for one in range(5)]

    def removed(self, plan: PrunePlan) -> list[str]:
        return [one.record.id for one in plan.remove]

    def test_the_newest_stay_and_the_last_that_was_proven(self, store: Store) -> None:
        ids = self.five(store)
        other = keep(store, "wiki", age=9 * DAY)
        plan = plan_prune(listed(store), store, NOW, newest=1)
        assert self.removed(plan) == [ids[1], ids[3], ids[4]]
        assert [(one.entry.record.id, one.why) for one in plan.kept] == [
            (ids[0], "one of the newest 1"),
            (ids[2], "the newest that was proven"),
            (other.id, "one of the newest 1"),
        ]
        assert plan.size == sum(one.stored or 0 for one in plan.remove) > 0
        assert len(listed(store).entries) == 6  # a plan does nothing
        assert len(carry_out_prune(store, plan, NOW).removed) == 3
        left = listed(store)
        assert [one.record.id for one in left.entries] == [ids[0], ids[2], other.id]
        assert len(list(store.list_files())) == 7

    def test_within_a_time(self, folder: Store) -> None:
        ids = self.five(folder)
        plan = plan_prune(listed(folder), folder, NOW, within=2.5 * DAY)
        assert self.removed(plan) == ids[3:]
        assert {one.why for one in plan.kept} == {"young enough"}
        assert self.removed(plan_prune(listed(folder), folder, NOW, newest=4, within=DAY)) == ids[4:]

    def test_without_a_number_nothing_goes(self, folder: Store) -> None:
        self.five(folder)
        assert plan_prune(listed(folder), folder, NOW).remove == ()

    @pytest.mark.parametrize(("newest", "within"), [(-1, None), (None, -1.0)])
    def test_a_negative_number(self, newest: int | None, within: float | None, folder: Store) -> None:
        with pytest.raises(UsageError):
            plan_prune(Listing(()), folder, NOW, newest=newest, within=within)

    def test_what_the_caller_needs_stays(self, folder: Store) -> None:
        ids = self.five(folder)
        folder.delete(f"shop/{ids[4]}.dump.zst")
        plan = plan_prune(
            listed(folder), folder, NOW, newest=0, needed=lambda one: "of stable/1" if one.id in ids[3:] else ""
        )
        assert self.removed(plan) == ids[:2]
        assert [one.why for one in plan.kept] == ["the newest that was proven", "of stable/1", "of stable/1"]

    def test_at_least_one_that_is_sound_stays(self, folder: Store) -> None:
        ids = self.five(folder)
        folder.delete(f"shop/{ids[2]}.dump.zst")
        folder.delete(f"shop/{ids[0]}.dump.zst")
        plan = plan_prune(listed(folder), folder, NOW, newest=0)
        assert [(one.entry.record.id, one.why) for one in plan.kept] == [(ids[1], "the newest that is sound")]
        # what is not sound does not count either
        assert self.removed(plan_prune(listed(folder), folder, NOW, newest=1)) == [ids[0], *ids[2:]]

    def test_what_counts_as_proven_is_the_policys_level(self, folder: Store) -> None:
        ids = self.five(folder)
        plan = plan_prune(listed(folder), folder, NOW, newest=0, levels={"shop": "exercised"})
        assert self.removed(plan) == ids[1:]

    def test_what_is_locked_is_skipped_and_told(self, s3: S3) -> None:
        store = open_store(f"s3://{s3.bucket(lock=True)}", "/")
        until = time.time() + HOUR
        first, second = keep(store, age=DAY, retain_until=until), keep(store, age=2 * DAY)
        keep(store, proof=COMPARED)
        now = time.time()
        plan = plan_prune(listed(store), store, now, newest=1)
        assert self.removed(plan) == [second.id]
        ((label, told),) = plan.locked
        assert (label, until <= told <= until + 1) == (f"shop/{first.id}", True)
        s3.client.put_object_legal_hold(
            Bucket=store.shown[5:], Key=f"shop/{second.id}.dump.zst", LegalHold={"Status": "ON"}
        )
        done = carry_out_prune(store, plan, now)
        assert (done.removed, [one.label for one in done.locked]) == ((), [f"shop/{second.id}"])
        assert len(listed(store).entries) == 3
        # locked only after it was looked at, as the store tells it
        wrong_clock = until + DAY
        late = plan_prune(listed(store), store, wrong_clock, newest=1)
        assert self.removed(late) == [first.id]
        orphan = artefact_name("shop", ID, ".dump")
        with store.write(orphan, retain_until=until):
            pass
        left = PrunePlan(late.remove, (), (), (orphan,))
        assert [one.label for one in carry_out_prune(store, left, wrong_clock).locked] == [
            f"shop/{first.id}",
            orphan,
        ]
        assert len(listed(store).entries) == 3

    def test_a_leftover_that_became_a_backup_meanwhile_stays(self, folder: Store) -> None:
        record = keep(folder, id=ID)
        data = path_of(folder, f"shop/{ID}.json").read_bytes()
        folder.delete(f"shop/{ID}.json")
        later = time.time() + 2 * DAY
        plan = plan_prune(list_backups(folder, later), folder, later)
        assert plan.leftovers == (record.artefact.file,)
        put(folder, f"shop/{ID}.json", data)
        assert carry_out_prune(folder, plan, later).removed == ()
        assert one_entry(folder).sound

    @pytest.mark.parametrize("deleted", [1, 2])
    def test_cut_short_it_lists_nothing_half_and_the_next_ends_it(self, deleted: int, folder: Store) -> None:
        ids = self.five(folder)
        script = """
import os, signal, sys
from rollback_guard.backup.catalogue import list_backups
from rollback_guard.backup.pruning import carry_out_prune, plan_prune
from rollback_guard.backup.storage import open_store
store, now = open_store(sys.argv[1], "/"), float(sys.argv[3])
plan = plan_prune(list_backups(store, now), store, now, newest=0, levels={"shop": "exercised"})
delete, calls = store.delete, []
def deadly(name):
    delete(name)
    calls.append(name)
    if len(calls) == int(sys.argv[2]) and ".json" in name or len(calls) > 5:
        os.kill(os.getpid(), signal.SIGKILL)
store.delete = deadly
carry_out_prune(store, plan, now)
"""
        done = subprocess.run([sys.executable, "-c", script, folder.shown, str(deleted), str(NOW)], check=False)
        assert done.returncode == -signal.SIGKILL
        found = listed(folder)
        assert all(not one.problems for one in found.entries)
        later = time.time() + 2 * DAY
        plan = plan_prune(list_backups(folder, later), folder, later, newest=0, levels={"shop": "exercised"})
        carry_out_prune(folder, plan, later)
        assert sorted(os.listdir(path_of(folder, "shop"))) == [f"{ids[0]}.dump.zst", f"{ids[0]}.json"]
        assert listed(folder, later).problems == ()
