"""Migrations hidden in how trees differ: padding, links, numbers, squashes, moves, merges, reasons said elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.release.migrations.collect import FILE_LIMIT, collect_migrations
from rollback_guard.release.migrations.compare import compare
from rollback_guard.release.migrations.frameworks import READERS
from rollback_guard.release.migrations.model import Report
from tests.support.builder import RepositoryBuilder
from tests.support.commands import call_hook
from tests.support.gits import Files, Link, Node, initialise, opened, plant

DROP = "ALTER TABLE orders DROP COLUMN total;\n"
CREATE = "CREATE TABLE orders (id int PRIMARY KEY);\n"
WHY = "-- guard: irreversible because nothing was ever written to it\n"
HEAD = "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
ALEMBIC = 'from alembic import op\nrevision = "1a"\ndown_revision = None\ndef upgrade():\n    op.drop_table("a")\n'


def told(before: dict[str, str], after: dict[str, str]) -> list[tuple[str, str, str]]:
    report = compare(
        {path: text.encode() for path, text in before.items()},
        {path: text.encode() for path, text in after.items()},
        READERS,
    )
    return sorted((one.path, one.state, one.verdict) for one in report.migrations)


def brought(folder: Path, files: Files, before: Files | None = None) -> Report:
    initialise(folder)
    old, new = plant(folder, Node(files=before or {"a": b""}), Node(files=files, parents=(0,)))
    return collect_migrations(opened(folder), old, new)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("db/V2__x.sql", DROP),
        ("db/migrations/2_x.sql", DROP),
        ("db/migrations/2_x.sql", f"-- migrate:up\n{DROP}"),
        ("db/2_x.up.sql", DROP),
        ("prisma/migrations/2_x/migration.sql", DROP),
        ("db/migrate/2_x.rb", "class X < ActiveRecord::Migration[7.1]\n  def up; drop_table :a; end\nend\n"),
        ("shop/migrations/0002_x.py", f'{HEAD}    operations = [migrations.DeleteModel("Order")]\n'),
        ("shop/migrations/x.py", f'{HEAD}    operations = [migrations.DeleteModel("Order")]\n'),
        ("alembic/versions/1a_x.py", ALEMBIC),
        ("revisions/x.py", ALEMBIC),
        (
            "db/changelog.xml",
            "<databaseChangeLog><changeSet id='1' author='a'><sql>x</sql></changeSet></databaseChangeLog>",
        ),
    ],
)
@pytest.mark.parametrize("front", [True, False])
def test_padding_does_not_hide_a_migration(path_of_repo: Path, path: str, text: str, front: bool) -> None:
    padding = ("#" if path.endswith((".py", ".rb")) else " ") * FILE_LIMIT + "\n"
    report = brought(path_of_repo, {path: (padding + text if front else text + padding).encode()})
    assert report.verdict == "irreversible"
    assert "was not read" in report.problems[0]


def test_the_way_back_of_another_database_is_none() -> None:
    both = {"a/V1__x.sql": CREATE + DROP, "a/U1__x.sql": "DROP TABLE orders;\n", "b/V1__x.sql": DROP}
    assert ("b/V1__x.sql", "added", "irreversible") in told({}, both)


def test_a_link_does_not_hide_a_migration(path_of_repo: Path) -> None:
    report = brought(path_of_repo, {"db/V2__x.sql": Link(b"../lib/drop"), "lib/drop": DROP.encode()})
    assert report.verdict == "irreversible"


def test_a_harmless_file_of_the_same_number_does_not_stand_for_it() -> None:
    after = {"db/V2__a.sql": CREATE, "db/V2__b.sql": DROP, "db/V02__c.sql": DROP}
    assert [verdict for _, _, verdict in told({}, after)] == ["irreversible", "expand-only", "irreversible"]
    assert told({"db/V2__a.sql": CREATE}, after) == [
        ("db/V02__c.sql", "added", "irreversible"),
        ("db/V2__b.sql", "added", "irreversible"),
    ]


def test_a_squash_of_what_never_was_hides_nothing() -> None:
    squash = f'{HEAD}    replaces = [("shop", "0001_never")]\n    operations = [migrations.RunSQL("DROP TABLE a")]\n'
    assert told({}, {"shop/migrations/0001_s.py": squash})[0][2] == "irreversible"
    stable = {"shop/migrations/0001_initial.py": f"{HEAD}    operations = []\n"}
    assert told(stable, {**stable, "shop/migrations/0001_s.py": squash})[0][2] == "irreversible"


def test_what_is_in_the_range_alone_is_judged_although_it_is_replaced() -> None:
    stable = {"shop/migrations/0001_initial.py": f"{HEAD}    operations = []\n"}
    more = (
        f'{HEAD}    dependencies = [("shop", "0001_initial")]\n    operations = [migrations.RunSQL("DROP TABLE a")]\n'
    )
    squash = f'{HEAD}    replaces = [("shop", "0001_initial"), ("shop", "0002_x")]\n    operations = []\n'
    both = {**stable, "shop/migrations/0002_x.py": more, "shop/migrations/0001_s.py": squash}
    assert ("shop/migrations/0002_x.py", "added", "irreversible") in told(stable, both)


def test_a_deleted_migration_that_another_application_claims_to_replace() -> None:
    stable = {"shop/migrations/0001_initial.py": f"{HEAD}    operations = []\n"}
    claims = f'{HEAD}    replaces = [("other", "0001_initial")]\n    operations = []\n'
    assert ("shop/migrations/0001_initial.py", "deleted", "irreversible") in told(
        stable, {"other/migrations/0001_s.py": claims}
    )


def test_what_orders_a_migration_may_not_do_anything() -> None:
    path = "shop/migrations/0001_x.py"
    before = f'{HEAD}    dependencies = []\n    operations = [migrations.RunSQL("SELECT 1")]\n'
    after = before.replace("dependencies = []", "dependencies = [drop_everything()]")
    assert told({path: before}, {path: after}) == [(path, "edited", "irreversible")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SELECT 1;\n-- DROP TABLE a;\n", "SELECT 1;\nDROP TABLE a;\n"),
        ("/* x */ SELECT 1;\n", "/*! DROP TABLE a; */ SELECT 1;\n"),
        ("INSERT INTO a VALUES ('-- x');\n", "INSERT INTO a VALUES ('-- y');\n"),
        ("INSERT INTO a VALUES ($$-- x$$);\n", "INSERT INTO a VALUES ($$-- y$$);\n"),
        ("INSERT INTO a VALUES ('\\' -- x');\n", "INSERT INTO a VALUES ('\\' -- y');\n"),
        ("INSERT INTO a VALUES (1);\n", "INSERT INTO a VALUES (2);\n"),
        ("SELECT 1 --\rDROP TABLE a\n", "SELECT 1 --\rDROP TABLE b\n"),
    ],
)
def test_an_edit_that_looks_like_a_comment(before: str, after: str) -> None:
    path = "db/V1__x.sql"
    assert told({path: before}, {path: after}) == [(path, "edited", "irreversible")]


def test_an_edit_in_what_is_named_a_way_back() -> None:
    pair = {"db/1_undo.up.sql": CREATE, "db/1_undo.down.sql": "DROP TABLE orders;\n"}
    assert told(pair, {**pair, "db/1_undo.up.sql": CREATE + DROP})[0][1:] == ("edited", "irreversible")
    lone = {"db/migrations/down/001_x.sql": CREATE}
    assert told(lone, {"db/migrations/down/001_x.sql": CREATE + DROP})[0][2] == "irreversible"


def test_moved_and_edited_in_one_go() -> None:
    found = told({"db/V1__x.sql": CREATE}, {"sql/V1__x.sql": CREATE + DROP})
    assert ("db/V1__x.sql", "deleted", "irreversible") in found


def test_a_number_that_was_changed_is_another_migration() -> None:
    found = told({"db/V1__x.sql": CREATE}, {"db/V2__x.sql": CREATE})
    assert found == [("db/V1__x.sql", "deleted", "irreversible"), ("db/V2__x.sql", "added", "expand-only")]


class TestAtCommitTime:
    @pytest.fixture
    def repo(self, path_of_repo: Path) -> RepositoryBuilder:
        repo = RepositoryBuilder(path_of_repo)
        repo.write_file("db/V1__orders.sql", CREATE)
        repo.commit("Orders")
        repo.branch("change/next")
        return repo

    def test_a_reason_in_another_file(self, repo: RepositoryBuilder) -> None:
        repo.write_file("db/V2__x.sql", DROP)
        repo.write_file("db/V3__x.sql", WHY + CREATE)
        repo.write_file("README.sql", WHY)
        repo.git("add", "-A")
        assert call_hook(repo.path, "migrations").code == 1

    def test_a_reason_in_a_string(self, repo: RepositoryBuilder) -> None:
        repo.write_file("db/V2__x.sql", f"INSERT INTO log VALUES ('{WHY.strip()}');\n{DROP}")
        repo.git("add", "-A")
        assert call_hook(repo.path, "migrations").code == 1

    def test_a_reason_in_the_folder_and_not_in_the_index(self, repo: RepositoryBuilder) -> None:
        repo.write_file("db/V2__x.sql", DROP)
        repo.git("add", "-A")
        repo.write_file("db/V2__x.sql", WHY + DROP)
        assert call_hook(repo.path, "migrations").code == 1

    def test_another_index_in_the_environment_is_the_one_that_is_committed(self, repo: RepositoryBuilder) -> None:
        """`git commit db/V2__x.sql` has an index of its own, which git names to its hooks."""
        repo.write_file("db/V2__x.sql", DROP)
        other = str(repo.path / "other-index")
        repo.git("read-tree", "HEAD", GIT_INDEX_FILE=other)
        repo.git("add", "db/V2__x.sql", GIT_INDEX_FILE=other)
        assert call_hook(repo.path, "migrations").code == 0
        assert call_hook(repo.path, "migrations", environ={"GIT_INDEX_FILE": other}).code == 1

    def test_a_drop_that_is_slipped_into_a_merge(self, repo: RepositoryBuilder) -> None:
        repo.commit("Ours", a="1")
        repo.checkout("main")
        repo.commit("Theirs", a="2")
        repo.git("merge", "change/next", check=False)
        repo.write(a="3")
        repo.write_file("db/V2__x.sql", DROP)
        repo.git("add", "-A")
        assert call_hook(repo.path, "migrations").code == 1

    def test_attributes_and_settings_of_the_repository_hide_nothing(self, repo: RepositoryBuilder) -> None:
        repo.write_file(".gitattributes", "*.sql -diff -text filter=hide linguist-generated\n")
        repo.git("config", "filter.hide.clean", "true")
        repo.git("config", "diff.renames", "copies")
        repo.git("config", "core.quotePath", "true")
        repo.git("config", "diff.ignoreSubmodules", "all")
        repo.git("add", ".gitattributes")
        oid = repo.git("hash-object", "-w", "--stdin", "--no-filters", stdin=DROP.encode())
        repo.git("update-index", "--add", "--cacheinfo", f"100644,{oid},db/V2__é.sql")
        assert call_hook(repo.path, "migrations").code == 1

    def test_a_grafted_or_replaced_history_hides_nothing(self, repo: RepositoryBuilder) -> None:
        before = repo.git("rev-parse", "HEAD:db/V1__orders.sql")
        repo.write_file("db/V1__orders.sql", DROP)
        repo.git("add", "-A")
        after = repo.git("rev-parse", ":db/V1__orders.sql")
        repo.git("replace", before, after)
        assert call_hook(repo.path, "migrations").code == 1
        assert os.path.exists(repo.path / ".git/refs/replace" / before)
