"""PostgreSQL, 15 and 18: the suite of all engines."""

from __future__ import annotations

import pytest

from tests.backup.contract import Contract
from tests.backup.postgresql_bench import PostgresBench, fresh
from tests.support.postgres import Server, postgres_15, postgres_18

__all__ = ["postgres_15", "postgres_18"]


class TestPostgreSQL15(Contract):
    @pytest.fixture
    def bench(self, postgres_15: Server) -> PostgresBench:
        return fresh(postgres_15)


class TestPostgreSQL18(Contract):
    @pytest.fixture
    def bench(self, postgres_18: Server) -> PostgresBench:
        return fresh(postgres_18)
