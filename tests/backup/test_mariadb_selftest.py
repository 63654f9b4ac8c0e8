"""The self-test of MariaDB backups: all that is claimed is noticed, the copy stays as it was, and it can fail."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_guard.backup.engines import mariadb_selftest, mariadb_tables
from rollback_guard.backup.engines.mariadb_connection import session
from rollback_guard.backup.engines.mariadb_restore import MariaDBTarget
from rollback_guard.backup.engines.mariadb_selftest import try_mutations
from rollback_guard.backup.engines.mariadb_tables import Column
from rollback_guard.backup.model import compare
from rollback_guard.errors import UndeterminedError
from tests.backup.contract import dumped
from tests.support.mariadb_bench import MariaDBBench


@pytest.fixture
def target(tmp_path: Path) -> Iterator[MariaDBTarget]:
    """A copy of everything."""
    bench = MariaDBBench()
    data, _ = dumped(bench.engine())
    with bench.engine().scratch(str(tmp_path)) as made:
        made.restore(io.BytesIO(data))
        yield made
    bench.close()


def test_all_that_is_claimed_is_noticed(target: MariaDBTarget) -> None:
    before = target.fingerprint()
    tried = list(try_mutations(target.address))
    assert [one.name for one in tried if not one.noticed] == []
    assert compare(before, target.fingerprint()) == ()
    names = {one.name for one in tried}
    with_values = {name.rpartition(" ")[2] for name in names if name.startswith("a value of the type")}
    # MariaDB's JSON is a LONGTEXT; what is left are shapes that the copy has none of.
    assert set(mariadb_selftest._OTHER) - with_values == {"json", *mariadb_selftest._SHAPES} - {"point", "geometry"}
    rest = {name.partition(" of ")[0] for name in names}
    assert {"auto_increment", "sequence", "comment", "foreign key", "check", "index"} <= rest
    kinds = {name.partition(" ")[0] for name in names}
    assert {"view", "function", "procedure", "trigger", "event"} <= kinds
    assert {"a value that becomes NULL", "a row that is missing", "the database's collation"} <= names


def test_a_fingerprint_that_looks_away_is_told(target: MariaDBTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = mariadb_tables._encoded

    def blind(column: Column) -> str | None:
        return f"CAST(`{column.name}` AS CHAR)" if column.kind == "float" else encoded(column)

    monkeypatch.setattr(mariadb_tables, "_encoded", blind)
    tried = list(try_mutations(target.address))
    assert [one.name for one in tried if not one.noticed] == ["a value of the type float"]


def test_a_copy_that_is_not_what_it_was_is_an_error(target: MariaDBTarget) -> None:
    steps = try_mutations(target.address)
    next(steps)
    with session(target.address) as opened:
        opened.run("INSERT INTO tree VALUES (9, NULL)")
    with pytest.raises(UndeterminedError, match="not what it was"):
        list(steps)
