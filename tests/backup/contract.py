"""What every engine must do, as one suite: a test module of an engine makes a `Bench` of it and inherits `Contract`.

A bench is a real server, file or folder that the test may do anything to.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Protocol

import pytest

from rollback_guard.backup.engine import Engine
from rollback_guard.backup.model import Fingerprint, compare
from rollback_guard.errors import GuardError


class Bench(Protocol):
    """One source with a bit of everything in it that its engine can hold."""

    mutations: tuple[str, ...]  # what can be changed so that a fingerprint must tell

    def engine(self) -> Engine:
        """The engine, as the policy's source makes it."""
        ...

    def mutate(self, name: str) -> None:
        """Change one thing in the source; each is a change that popular checks do not see."""
        ...

    def write(self) -> None:
        """Change ordinary content, as an application does meanwhile."""
        ...

    def odd_session(self) -> None:
        """Set whatever a session, role or database can set that changes how values look as text."""
        ...


def dumped(engine: Engine) -> tuple[bytes, Fingerprint]:
    """A backup and the fingerprint of the same moment."""
    sink = io.BytesIO()
    with engine.snapshot() as snapshot:
        snapshot.dump(sink)
        return sink.getvalue(), snapshot.fingerprint()


def restored(engine: Engine, data: bytes, folder: Path) -> Fingerprint:
    """What is in a scratch place after a backup was restored into it."""
    folder.mkdir(mode=0o700)
    with engine.scratch(str(folder)) as target:
        target.restore(io.BytesIO(data))
        return target.fingerprint()


class Contract:
    """The suite. `bench` is a fixture of the inheriting class."""

    def test_a_backup_is_what_was_there(self, bench: Bench, tmp_path: Path) -> None:
        data, before = dumped(bench.engine())
        assert len(before.items) > 5
        assert compare(before, restored(bench.engine(), data, tmp_path / "scratch")) == ()

    def test_a_snapshot_holds_while_others_write(self, bench: Bench, tmp_path: Path) -> None:
        engine, sink = bench.engine(), io.BytesIO()
        with engine.snapshot() as snapshot:
            bench.write()
            snapshot.dump(sink)
            bench.write()
            before = snapshot.fingerprint()
        assert compare(before, restored(engine, sink.getvalue(), tmp_path / "scratch")) == ()
        assert compare(before, dumped(engine)[1]) != ()

    def test_nothing_changed_is_nothing_told(self, bench: Bench) -> None:
        _, before = dumped(bench.engine())
        bench.odd_session()
        assert compare(before, dumped(bench.engine())[1]) == ()

    def test_whatever_is_changed_is_told(self, bench: Bench) -> None:
        _, before = dumped(bench.engine())
        for name in bench.mutations:
            bench.mutate(name)
            _, after = dumped(bench.engine())
            assert compare(before, after) != (), name
            before = after

    @pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
    def test_half_a_backup_is_no_backup(self, bench: Bench, tmp_path: Path, part: float) -> None:
        engine = bench.engine()
        data, before = dumped(engine)
        after, remedy = Fingerprint(()), ""
        try:
            after = restored(engine, data[: int(len(data) * part)], tmp_path / "scratch")
        except GuardError as error:
            remedy = error.remedy
        assert remedy or (after.items and compare(before, after) != ())

    def test_scratch_leaves_nothing(self, bench: Bench, tmp_path: Path) -> None:
        engine = bench.engine()
        data, before = dumped(engine)
        restored(engine, data, tmp_path / "scratch")
        assert list((tmp_path / "scratch").iterdir()) == []
        assert compare(before, dumped(engine)[1]) == ()

    def test_back_by_a_swap_and_nothing_lost(self, bench: Bench) -> None:
        engine = bench.engine()
        data, before = dumped(engine)
        bench.write()
        _, failed = dumped(engine)
        engine.beside("restored_1").restore(io.BytesIO(data))
        assert compare(failed, dumped(engine)[1]) == ()  # until it is swapped, production is as it was
        engine.swap("restored_1", "failed_1")
        assert compare(before, dumped(engine)[1]) == ()
        engine.swap("restored_1", "failed_1")  # again: as after a crash
        assert compare(before, dumped(engine)[1]) == ()
        engine.swap("failed_1", "restored_1")  # what failed was kept, whole
        assert compare(failed, dumped(engine)[1]) == ()
        engine.drop("restored_1")
        engine.drop("restored_1")

    def test_beside_begins_empty_each_time(self, bench: Bench) -> None:
        engine = bench.engine()
        data, before = dumped(engine)
        engine.beside("restored_1").restore(io.BytesIO(data))
        target = engine.beside("restored_1")
        target.restore(io.BytesIO(data))
        assert compare(before, target.fingerprint()) == ()
        engine.drop("restored_1")

    def test_who_it_is_holds_no_secret(self, bench: Bench) -> None:
        identity = bench.engine().identify()
        assert identity == bench.engine().identify()
        assert identity.engine == bench.engine().name
        assert "@" not in identity.place
        assert all(program and version for program, version in bench.engine().tools())
