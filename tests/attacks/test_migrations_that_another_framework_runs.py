"""Migrations that one framework takes for harmless, or does not see, and another runs; and folders that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.release.migrations import liquibase
from rollback_guard.release.migrations.collect import collect_migrations
from rollback_guard.release.migrations.compare import compare
from rollback_guard.release.migrations.frameworks import READERS
from tests.attacks.conftest import Scene
from tests.support.gits import Files, Link, Node, Submodule, initialise, opened, plant

CREATE = "CREATE TABLE orders (id int PRIMARY KEY);\n"
DROP = "DROP TABLE orders;\n"
FORMATTED = f"--liquibase formatted sql\n--changeset a:1\n{DROP}--rollback {CREATE}"
DJANGO = """from django.db import migrations

revision = "1a"
down_revision = None


def upgrade():
    pass


def downgrade():
    pass


class Migration(migrations.Migration):
    operations = [migrations.RunSQL("DROP TABLE orders")]
"""
XML = '<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog">{}</databaseChangeLog>'


def worst(files: dict[str, str], before: dict[str, str]) -> str | None:
    first = {path: text.encode() for path, text in before.items()}
    return compare(first, {**first, **{path: text.encode() for path, text in files.items()}}, READERS).verdict


@pytest.mark.parametrize(
    ("before", "path", "text"),
    [
        # A plain runner, as sqlx is one, runs both halves of what another tool would take apart.
        ("migrations/1_a.sql", "migrations/2_b.sql", f"-- migrate:up\n{DROP}-- migrate:down\n{CREATE}"),
        ("migrations/1_a.sql", "migrations/2_b.sql", f"-- +goose Up\n{DROP}-- +goose Down\n{CREATE}"),
        ("migrations/1_a.sql", "migrations/2_changelog.sql", FORMATTED),
        ("db/1_a.up.sql", "db/2_changelog.up.sql", FORMATTED),
        # golang-migrate asks for no ending.
        ("db/1_a.up.sql", "db/2_b.up.ddl", DROP),
        ("db/1_a.up.sql", "db/2_b.up.sql.txt", DROP),
        ("db/1_a.up.sql", "db/2_b.up.", DROP),
        # Flyway runs it again when it changes; until then there is nothing to go back to.
        ("db/V1__a.sql", "db/R__b.sql", DROP),
        ("db/V1__a.sql", "db/afterMigrate.sql", DROP),
    ],
)
def test_in_a_folder_of_sql(before: str, path: str, text: str) -> None:
    assert worst({path: text}, {before: CREATE}) == "irreversible"


def test_as_a_migration_of_alembic_that_django_loads() -> None:
    assert worst({"shop/migrations/0001_initial.py": DJANGO}, {}) == "irreversible"


@pytest.mark.parametrize(
    "tag",
    ['<include file="other/drop.xml"/>', '<includeAll path="other/"/>', '<include file="drop.sql"/>', "<include/>"],
)
def test_included_from_where_no_changelog_is_looked_for(tag: str) -> None:
    drop = XML.format('<changeSet id="1" author="a"><dropTable tableName="orders"/></changeSet>')
    files = {"db/changelog/master.xml": XML.format(tag), "other/drop.xml": drop, "drop.sql": DROP}
    assert worst(files, {}) == "irreversible"


@pytest.mark.parametrize("tag", ['<include file="1/1.sql"/>', '<includeAll path="db/changelog/"/>'])
def test_included_where_too_much_is(monkeypatch: pytest.MonkeyPatch, tag: str) -> None:
    """Thousands of includes over thousands of files would keep a server busy; what is not looked for is told."""
    files = {f"db/changelog/{number}/1.sql": CREATE for number in range(5)}
    files["db/changelog/master.xml"] = XML.format(tag + '<includeAll path="db/changelog/1/"/>' * 2)
    assert worst(files, {}) == "expand-only"
    monkeypatch.setattr(liquibase, "MOST_COMPARED", 4)
    assert worst(files, {}) == "irreversible"


def test_a_folder_of_changelogs_that_is_empty_yet_is_not_feared() -> None:
    assert worst({"db/changelog/master.xml": XML.format('<includeAll path="db/changelog/more/"/>')}, {}) is None


@pytest.mark.parametrize("path", ["db/migrations", "migrate", "db/animals_migrate", "src/db/changelog"])
@pytest.mark.parametrize("there", [Link(b"../elsewhere"), Submodule("ab" * 20)])
def test_in_a_folder_that_is_a_link_or_a_submodule(path_of_repo: Path, path: str, there: Link | Submodule) -> None:
    initialise(path_of_repo)
    files: Files = {path: there, "elsewhere/1_drop.sql": DROP.encode()}
    old, new = plant(path_of_repo, Node(files={"a": b""}), Node(files=files, parents=(0,)))
    report = collect_migrations(opened(path_of_repo), old, new)
    assert [(one.path, one.state, one.verdict) for one in report.migrations] == [(path, "added", "irreversible")]
    assert "which is not looked into" in report.migrations[0].reasons[0]
    assert collect_migrations(opened(path_of_repo), new, new).migrations == ()
    assert [one.state for one in collect_migrations(opened(path_of_repo), new, old).migrations] == ["deleted"]


def test_in_a_folder_that_is_a_link_past_the_gate(scene: Scene) -> None:
    repo = scene.repo
    repo.branch("release/1.5")
    repo.write_file("elsewhere/1_drop.sql", DROP)
    (repo.path / "migrations").symlink_to("elsewhere")
    scene.signed("Release 1.5")
    scene.taken("release/1.5")
    repo.checkout("main")
    repo.merge("release/1.5", by="jane")
    done = scene.refused("main", rules=("RG402",))
    assert "is a symbolic link in the place of migrations" in " ".join(done.err.replace("remote:", "").split())
    assert "have somebody look into what it leads to" in " ".join(done.err.replace("remote:", "").split())
