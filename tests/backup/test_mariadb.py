"""The suite of all engines, on a real MariaDB."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backup.contract import Contract
from tests.support.mariadb_bench import MariaDBBench


@pytest.fixture
def bench() -> Iterator[MariaDBBench]:
    """A database of its own on the servers that all tests share."""
    made = MariaDBBench()
    yield made
    made.close()


class TestMariaDB(Contract):
    """All of it."""
