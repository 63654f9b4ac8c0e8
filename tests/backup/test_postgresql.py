"""PostgreSQL, 15 and 18: the suite of all engines."""

from __future__ import annotations

import itertools

import pytest

from tests.backup.contract import Contract
from tests.backup.postgresql_bench import PostgresBench
from tests.support.postgres import Server, postgres_15, postgres_18

__all__ = ["postgres_15", "postgres_18"]
NUMBERS = itertools.count()


class TestPostgreSQL15(Contract):
    @pytest.fixture
    def bench(self, postgres_15: Server) -> PostgresBench:
        return PostgresBench(postgres_15, f"shop_{next(NUMBERS)}")


class TestPostgreSQL18(Contract):
    @pytest.fixture
    def bench(self, postgres_18: Server) -> PostgresBench:
        return PostgresBench(postgres_18, f"shop_{next(NUMBERS)}")
