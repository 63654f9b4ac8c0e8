"""A way back that keeps migrations: found for the branch as a whole, and for the one commit that keeps them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.facts.kept import keeps_migrations
from rollback_guard.facts.model import Identity, Message, Restoration, Trailer
from rollback_guard.facts.restoration import find_restoration, find_step_back
from rollback_guard.git.repository import open_repository
from rollback_guard.policy.model import Policy
from rollback_guard.policy.read import read_policy
from rollback_guard.release.migrations.model import Report
from rollback_guard.report.plan_migrations_text import render_migrations
from tests.support.builder import POLICY, RepositoryBuilder

TAG = "stable/2026.05.28.1"
JANE = Identity("Jane Doe", "jane@acme.example")
FILE = "db/migrations/20260101000000_orders.sql"
EXPAND = "-- migrate:up\nCREATE TABLE orders (id bigint);\n-- migrate:down\nDROP TABLE orders;\n"


def policy_of(text: str = POLICY) -> Policy:
    policy = read_policy(text.encode(), path="rollback-guard.toml")
    assert policy is not None
    return policy


class Shop:
    """A release; above it a migration and code; then a way back that keeps the file."""

    def __init__(self, path: Path) -> None:
        self.repo = repo = RepositoryBuilder(path)
        repo.commit("Begin", app_dot_py="1\n")
        repo.stable_tag(TAG)
        repo.write_file(FILE, EXPAND)
        self.begun = repo.commit("Orders", app_dot_py="2\n")
        repo.write_file("app.py", "1\n")
        repo.git("add", "-A")
        self.tree = repo.git("write-tree")
        self.head = self.keep(f"Keep\n\nRollback-To: {TAG}\nRollback-From: {self.begun}\n")
        repo.git("reset", "-q", "--hard", self.begun)
        self.repository = open_repository(str(repo.path), os.environ)

    def keep(self, message: str, tree: str = "") -> str:
        parent = ("-p", self.begun)
        return self.repo.git("commit-tree", *parent, "-m", message, tree or self.tree, **self.repo.as_person("jane"))

    def found(self, head: str, tree: str = "", policy: Policy | None = None) -> Restoration | None:
        rules = policy or policy_of()
        return find_restoration(self.repository, rules, base=self.begun, head=head, tree=tree or self.tree)

    def step(self, **trailers: str) -> Restoration | None:
        message = Message(
            bearer="landing",
            trailers=tuple(Trailer(key.replace("_", "-"), value) for key, value in trailers.items()),
            text="Keep\n",
            commit=self.head,
            tree=self.tree,
        )
        return find_step_back(self.repository, policy_of(), message, JANE, tip=str(message.commit))


@pytest.fixture
def shop(path_of_repo: Path) -> Shop:
    return Shop(path_of_repo)


def test_the_way_back_as_a_whole(shop: Shop) -> None:
    stable = shop.repo.head(TAG)
    assert shop.found(shop.head) == Restoration(TAG, stable, (JANE,), kept=True)
    assert shop.found(shop.keep("Keep")) is None
    assert shop.found(shop.keep(f"Keep\n\nRollback-To: {TAG}2\n")) is None
    assert (
        shop.found(shop.head, policy=policy_of(POLICY.replace("[release]\n", "[release]\nkeep-migrations = false\n")))
        is None
    )
    shop.repo.git("tag", "-d", TAG)
    assert shop.found(shop.head) is None


def test_the_commit_that_keeps_them(shop: Shop) -> None:
    stable = Restoration(TAG, shop.repo.head(TAG), (JANE,), kept=True)
    assert shop.step(Rollback_To=TAG, Rollback_From=shop.begun) == stable
    assert shop.step(Rollback_To=TAG) is None
    assert shop.step(Rollback_To=f"{TAG}2", Rollback_From=shop.begun) is None
    assert shop.step(Rollback_From=shop.begun) is None
    assert shop.step(Rollback_To=TAG, Rollback_From=shop.head) is None


def test_the_commit_is_the_release_itself_above_it(shop: Shop) -> None:
    """Nothing came since, so nothing is kept."""
    assert shop.step(Rollback_To=TAG, Rollback_From=shop.repo.head(TAG)) is None


def test_what_keeps_and_what_does_not(shop: Shop) -> None:
    repo, stable = shop.repo, shop.repo.head(TAG)

    def keeps(tree: str, begun: str = shop.begun) -> bool:
        return keeps_migrations(shop.repository, policy_of(), stable=stable, begun=begun, tree=tree)

    assert keeps(shop.tree)
    assert not keeps(repo.tree(TAG))  # nothing more
    assert not keeps(repo.tree("main"))  # app.py is another one
    other = repo.commit("Later", db__migrations__20260101000000_orders_dot_sql=EXPAND + "-- more\n")
    assert not keeps(shop.tree, begun=other)  # not as production has it


def test_a_graph_that_is_wrong_without_any_migration() -> None:
    assert render_migrations(Report(problems=("two heads",)), "x") == ["  two heads", ""]
    assert render_migrations(None, "x") == render_migrations(Report(), "x") == []
