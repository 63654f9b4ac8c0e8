"""All frameworks together: each in its own form, several in one repository, files that two claim, hostile ones."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollback_guard.release.migrations.collect import collect_migrations
from rollback_guard.release.migrations.compare import compare, read_all
from rollback_guard.release.migrations.document import document_of
from rollback_guard.release.migrations.frameworks import READERS, framework_of, is_migration
from rollback_guard.release.migrations.model import DECISIONS, VERDICTS, Framework, Report
from rollback_guard.report.json_text import render_json
from tests.support.architecture import ROOT
from tests.support.examples import examples
from tests.support.gits import Node, initialise, opened, plant

ALEMBIC = '''"""Add the total

Revision ID: {id}
Revises: {parent}
"""
import sqlalchemy as sa
from alembic import op

revision = "{id}"
down_revision = {parent}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''
DJANGO = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{parents}]

    operations = [
        {operation},
    ]
"""
RAILS = "class {name} < ActiveRecord::Migration[7.1]\n  def change\n    {body}\n  end\nend\n"
CHANGELOG = """<?xml version="1.0" encoding="UTF-8"?>
<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog">
{sets}</databaseChangeLog>
"""
SET = """  <changeSet id="{id}" author="jane">
    {change}
  </changeSet>
"""


def alembic(name: str, parent: str, up: str, down: str = "pass") -> str:
    return ALEMBIC.format(id=name, parent=repr(parent) if parent else None, up=up, down=down)


def django(operation: str, *parents: str) -> str:
    return DJANGO.format(operation=operation, parents=", ".join(f'("shop", "{one}")' for one in parents))


class Case(NamedTuple):
    """A migration of one framework, by what it is."""

    framework: Framework
    files: Mapping[str, str]
    verdict: str


ADD = "ALTER TABLE orders ADD COLUMN total integer;\n"
DROP = "ALTER TABLE orders DROP COLUMN total;\n"
RENAME, BACK = (
    "ALTER TABLE orders RENAME COLUMN sum TO total;\n",
    "ALTER TABLE orders RENAME COLUMN total TO sum;\n",
)
ADD_OP = 'op.add_column("orders", sa.Column("total", sa.Integer(), nullable=True))'
DROP_OP = 'op.drop_column("orders", "total")'
CASES = (
    Case("alembic", {"alembic/versions/1a_total.py": alembic("1a", "", ADD_OP, DROP_OP)}, "expand-only"),
    Case(
        "alembic",
        {
            "alembic/versions/1a_total.py": alembic(
                "1a",
                "",
                'op.alter_column("orders", "sum", new_column_name="total")',
                'op.alter_column("orders", "total", new_column_name="sum")',
            )
        },
        "reversible",
    ),
    Case("alembic", {"alembic/versions/1a_total.py": alembic("1a", "", DROP_OP, ADD_OP)}, "lossy-down"),
    Case("alembic", {"alembic/versions/1a_total.py": alembic("1a", "", DROP_OP)}, "irreversible"),
    Case(
        "django",
        {
            "shop/migrations/0001_total.py": django(
                'migrations.AddField("order", "total", models.IntegerField(null=True))'
            )
        },
        "expand-only",
    ),
    Case(
        "django", {"shop/migrations/0001_x.py": django('migrations.RenameField("order", "sum", "total")')}, "reversible"
    ),
    Case("django", {"shop/migrations/0001_x.py": django('migrations.DeleteModel("Order")')}, "lossy-down"),
    Case("django", {"shop/migrations/0001_x.py": django('migrations.RunSQL("DROP TABLE x")')}, "irreversible"),
    Case(
        "rails",
        {
            "db/migrate/20261101120000_add_total.rb": RAILS.format(
                name="AddTotal", body="add_column :orders, :total, :integer"
            )
        },
        "expand-only",
    ),
    Case(
        "rails",
        {"db/migrate/20261101120000_x.rb": RAILS.format(name="X", body="rename_column :orders, :sum, :total")},
        "reversible",
    ),
    Case(
        "rails",
        {"db/migrate/20261101120000_x.rb": RAILS.format(name="X", body="remove_column :orders, :total, :integer")},
        "lossy-down",
    ),
    Case(
        "rails",
        {"db/migrate/20261101120000_x.rb": RAILS.format(name="X", body="remove_column :orders, :total")},
        "irreversible",
    ),
    Case("flyway", {"db/V1__total.sql": ADD}, "expand-only"),
    Case("flyway", {"db/V1__total.sql": RENAME, "db/U1__total.sql": BACK}, "reversible"),
    Case("flyway", {"db/V1__total.sql": DROP, "db/U1__total.sql": ADD}, "lossy-down"),
    Case("flyway", {"db/V1__total.sql": DROP}, "irreversible"),
    Case(
        "liquibase",
        {
            "db/changelog/total.xml": CHANGELOG.format(
                sets=SET.format(
                    id="1",
                    change='<addColumn tableName="orders"><column name="total" type="int"/></addColumn>',
                )
            )
        },
        "expand-only",
    ),
    Case(
        "liquibase",
        {
            "db/changelog/total.xml": CHANGELOG.format(
                sets=SET.format(
                    id="1",
                    change='<renameColumn tableName="orders" oldColumnName="sum" newColumnName="total"/>',
                )
            )
        },
        "reversible",
    ),
    Case(
        "liquibase",
        {
            "db/changelog/total.xml": CHANGELOG.format(
                sets=SET.format(id="1", change='<dropColumn tableName="orders" columnName="total"/>')
            )
        },
        "irreversible",
    ),
    Case("prisma", {"prisma/migrations/20261101120000_total/migration.sql": ADD}, "expand-only"),
    Case("prisma", {"prisma/migrations/20261101120000_total/migration.sql": DROP}, "irreversible"),
    Case("golang-migrate", {"db/000001_total.up.sql": ADD, "db/000001_total.down.sql": DROP}, "expand-only"),
    Case("golang-migrate", {"db/000001_total.up.sql": RENAME, "db/000001_total.down.sql": BACK}, "reversible"),
    Case("golang-migrate", {"db/000001_total.up.sql": DROP, "db/000001_total.down.sql": ADD}, "lossy-down"),
    Case("golang-migrate", {"db/000001_total.up.sql": DROP}, "irreversible"),
    Case("dbmate", {"db/migrations/1_x.sql": f"-- migrate:up\n{RENAME}\n-- migrate:down\n{BACK}"}, "reversible"),
    Case("dbmate", {"db/migrations/1_x.sql": f"-- migrate:up\n{DROP}\n-- migrate:down\n"}, "irreversible"),
    Case("goose", {"db/migrations/00001_x.sql": f"-- +goose Up\n{RENAME}\n-- +goose Down\n{BACK}"}, "reversible"),
    Case("goose", {"db/migrations/00001_x.sql": f"-- +goose Up\n{DROP}\n"}, "irreversible"),
    Case("sql", {"db/migrations/001_total.sql": ADD}, "expand-only"),
    Case("sql", {"db/migrations/1/up.sql": RENAME, "db/migrations/1/down.sql": BACK}, "reversible"),
    Case("sql", {"db/migrations/001_total.sql": DROP}, "irreversible"),
)


(MANIFEST,) = (ROOT / ".pre-commit-hooks.yaml").read_text().split("- id: guard-migrations")[1:]
FILES = re.compile(re.findall(r"^  files: (.*)$", MANIFEST, re.MULTILINE)[0])
WORDS = (
    *("db", "migrate", "animals_migrate", "migrations", "migration", "Migrations", "versions", "version", "revision"),
    *("revisions", "alembic", "shop", "changelog", "liquibase", "CHANGESET", "1_x", "0001_x", "0001", "20261101120000"),
    *("1a2b3c4d5e6f", "1a2b3c4d5e6f_x", "x-1a2b3c4d5e6f", "V1__x", "U1_2__x", "B1__x", "R__x", "beforeMigrate", "up"),
    *("afterEachMigrate__x", "createSchema", "flyway", "app.flyway", "migration.up", "1_x.down", "down", "rollback"),
    *("undo", "1", "v1", "x", "", "é", "a\nb", "\udcff"),
)
ENDINGS = (
    *(".py", ".rb", ".sql", ".SQL", ".xml", ".yaml", ".yml", ".json", ".go", ".java", ".kt", ".sh", ".conf", ".toml"),
    *(".properties", ".pgsql", ".mysql", ".psql", ".cql", ".cypher", ".up.sql", ".down.sql", ".bukkits.rb", ".txt", ""),
)
paths = st.tuples(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), st.sampled_from(ENDINGS)).map(
    lambda one: "/".join(one[0]) + one[1]
)


@settings(max_examples=examples(2000), deadline=None)
@given(paths)
def test_a_hint_misses_nothing_that_its_reader_claims(path: str) -> None:
    for reader in READERS:
        assert reader.claims(path) == reader.reader.claims(path)
        assert FILES.search(path) or not reader.claims(path)
    assert is_migration(path) == any(reader.claims(path) for reader in READERS)


@pytest.mark.parametrize(
    "path",
    [
        *("app.py", "README.md", "package.json", "config/app.yml", "models/order.rb", "main.go", "docs/a.xml", "a.sh"),
        *(
            "src/__init__.py",
            "src/__main__.py",
            "version.py",
            "shop/_version.py",
            "conversions.py",
            "after.py",
            "up.sh",
        ),
        *("tests/__snapshots__/a.snap", "before/x.ts", "notes.down.txt", "db/schema.sql"),
    ],
)
def test_a_commit_of_other_files_imports_no_reader(path: str) -> None:
    assert not any(reader.might_claim(path) for reader in READERS)


@pytest.mark.parametrize("part", ["_", ".up.down", "changelog", "migrations/", "0_", "V1__", "/1"])
def test_a_path_of_any_length_takes_no_time(part: str) -> None:
    start = time.process_time()
    for reader in READERS:
        assert not reader.claims("V1" + part * 300_000 + "/x.sql")
        reader.claims((part * 4096)[:4090] + "\n.sql")
    assert time.process_time() - start < 5


def encoded(files: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}


def test_every_framework_is_registered_once() -> None:
    assert [reader.framework for reader in READERS] == list(get_args(Framework))
    assert len({id(reader.reader) for reader in READERS}) == len(READERS)
    assert {case.framework for case in CASES} == set(get_args(Framework))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.framework}-{case.verdict}")
def test_each_framework_in_its_own_form(case: Case) -> None:
    (one,) = compare({}, encoded(case.files), READERS).migrations
    assert (one.framework, one.state, one.verdict) == (case.framework, "added", case.verdict), one.reasons
    assert set(one.paths) == set(case.files)
    assert one.down is (case.verdict in ("reversible", "lossy-down")) or case.verdict == "expand-only"
    assert compare(encoded(case.files), encoded(case.files), READERS) == Report()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.framework}-{case.verdict}")
def test_each_framework_deleted_edited_and_with_other_line_endings(case: Case) -> None:
    before = encoded(case.files)
    (one,) = compare(before, {}, READERS).migrations
    assert (one.framework, one.state, one.verdict) == (case.framework, "deleted", "irreversible")
    windows = {path: data.replace(b"\n", b"\r\n") for path, data in before.items()}
    assert compare(before, windows, READERS) == Report()
    path = one.path
    edited = {**before, path: before[path].replace(b"total", b"grand").replace(b"Order", b"Bill").replace(b" x", b" y")}
    assert edited != before
    (one,) = compare(before, edited, READERS).migrations
    assert (one.state, one.verdict) == ("edited", "irreversible")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.framework}-{case.verdict}")
def test_each_framework_in_a_folder_that_moved(case: Case) -> None:
    moved = {f"backend/{path}": data for path, data in encoded(case.files).items()}
    found = compare(encoded(case.files), moved, READERS).migrations
    if case.framework == "liquibase":  # which knows a change set by its file's path too
        assert {one.verdict for one in found} >= {"irreversible"}
    else:
        assert [(one.state, one.verdict) for one in found] == [("renamed", "expand-only")]


def test_several_frameworks_in_one_repository(path_of_repo: Path) -> None:
    initialise(path_of_repo)
    files: dict[str, bytes] = {}
    for number, case in enumerate(CASES):
        files.update({f"part{number}/{path}": data for path, data in encoded(case.files).items()})
    old, new = plant(path_of_repo, Node(files={"README.md": b""}), Node(files=files, parents=(0,)))
    report = collect_migrations(opened(path_of_repo), old, new)
    told = {one.path.partition("/")[0]: (one.framework, one.verdict) for one in report.migrations}
    assert told == {f"part{number}": (case.framework, case.verdict) for number, case in enumerate(CASES)}
    assert [one.framework for one in report.migrations] == sorted(
        (case.framework for case in CASES), key=list(get_args(Framework)).index
    )
    assert report.decision == "restore"
    (problem,) = report.problems  # every other framework has numbers for each folder
    assert "uses 1a for 4 migrations" in problem


def test_a_file_that_two_frameworks_claim_is_one_migration() -> None:
    """Alembic and Django both look into `migrations`; dbmate, goose and plain SQL share a folder."""
    files = {
        "migrations/0001_initial.py": django('migrations.DeleteModel("Order")'),
        "migrations/versions/2b.py": alembic("2b", "", DROP_OP),
        "db/migrations/1_a.sql": f"-- +goose Up\n{DROP}",
        "db/migrations/2_b.sql": f"-- migrate:up\n{DROP}\n-- migrate:down\n{ADD}",
        "db/migrations/3_c.sql": DROP,
        "db/migrations/4_d.up.sql": DROP,
        "db/migrations/V5__e.sql": DROP,
    }
    seen = read_all(encoded(files), READERS)
    assert {one.parsed.path: one.parsed.framework for one in seen} == {
        "migrations/0001_initial.py": "django",
        "migrations/versions/2b.py": "alembic",
        "db/migrations/1_a.sql": "goose",
        "db/migrations/2_b.sql": "dbmate",
        "db/migrations/3_c.sql": "sql",
        "db/migrations/4_d.up.sql": "golang-migrate",
        "db/migrations/V5__e.sql": "flyway",
    }
    assert len(seen) == len(files)


def test_two_heads_of_alembic() -> None:
    first = {
        "a/versions/1.py": alembic("1", "", ADD_OP, DROP_OP),
        "a/versions/2.py": alembic("2", "1", ADD_OP, DROP_OP),
    }
    both = {**first, "a/versions/3.py": alembic("3", "1", ADD_OP, DROP_OP)}
    report = compare(encoded(first), encoded(both), READERS)
    assert report.problems == ("alembic in a/versions has 2 newest migrations: 2, 3",)
    merged = {**both, "a/versions/4.py": alembic("4", "", "pass").replace("= None", '= ("2", "3")', 1)}
    report = compare(encoded(first), encoded(merged), READERS)
    assert report.problems == ()
    assert [one.id for one in report.migrations] == ["3", "4"]


def test_two_heads_of_django_and_how_they_are_merged() -> None:
    add = 'migrations.AddField("order", "total", models.IntegerField(null=True))'
    files = {"shop/migrations/0001_initial.py": django(add), "shop/migrations/0002_a.py": django(add, "0001_initial")}
    both = {**files, "shop/migrations/0002_b.py": django(add, "0001_initial")}
    assert compare(encoded(files), encoded(both), READERS).problems == (
        "django in shop has 2 newest migrations: 0002_a, 0002_b",
    )
    merge = {**both, "shop/migrations/0003_merge.py": django("", "0002_a", "0002_b").replace("        ,\n", "")}
    report = compare(encoded(files), encoded(merge), READERS)
    assert report.problems == ()
    assert [(one.id, one.verdict) for one in report.migrations] == [
        ("0002_b", "expand-only"),
        ("0003_merge", "expand-only"),
    ]


def test_squashed_migrations_of_django() -> None:
    create = 'migrations.CreateModel("Order", [("id", models.AutoField(primary_key=True))])'
    before = {
        "shop/migrations/0001_initial.py": django(create),
        "shop/migrations/0002_less.py": django('migrations.RunSQL("DELETE FROM orders")', "0001_initial"),
    }
    squash = django(create).replace(
        "    dependencies", '    replaces = [("shop", "0001_initial"), ("shop", "0002_less")]\n    dependencies'
    )
    after = {**before, "shop/migrations/0001_squashed_0002.py": squash}
    report = compare(encoded(before), encoded(after), READERS)
    assert [(one.id, one.verdict) for one in report.migrations] == [("0001_squashed_0002", "expand-only")]
    assert report.problems == ()
    report = compare(encoded(before), encoded({"shop/migrations/0001_squashed_0002.py": squash}), READERS)
    assert {one.verdict for one in report.migrations} == {"expand-only"}
    plain = squash.replace('    replaces = [("shop", "0001_initial"), ("shop", "0002_less")]\n', "")
    report = compare(encoded(after), encoded({"shop/migrations/0001_squashed_0002.py": plain}), READERS)
    assert {(one.state, one.verdict) for one in report.migrations} == {("deleted", "expand-only")}


def test_change_sets_of_liquibase_are_compared_one_by_one() -> None:
    add = '<addColumn tableName="orders"><column name="a" type="int"/></addColumn>'
    drop = '<dropColumn tableName="orders" columnName="a"/>'
    one, two = SET.format(id="1", change=add), SET.format(id="2", change=drop)
    path = "db/changelog/a.xml"
    before = encoded({path: CHANGELOG.format(sets=one)})
    after = encoded({path: CHANGELOG.format(sets=f"  <!-- more -->\n{one}{two}")})
    report = compare(before, after, READERS)
    assert [(one.id, one.state) for one in report.migrations] == [("jane:2", "added")]
    edited = encoded({path: CHANGELOG.format(sets=one.replace('"int"', '"bigint"'))})
    (found,) = compare(before, edited, READERS).migrations
    assert (found.state, found.verdict) == ("edited", "irreversible")


def test_repeatable_ones_are_judged_again() -> None:
    view = "CREATE OR REPLACE VIEW v AS SELECT {} FROM orders;\n"
    for path, text in {
        "db/R__view.sql": view,
        "db/changelog/a.sql": "--liquibase formatted sql\n--changeset jane:1 runOnChange:true\n" + view,
    }.items():
        before, after = {path: text.format("a").encode()}, {path: text.format("b").encode()}
        (one,) = compare(before, after, READERS).migrations
        assert (one.state, one.verdict in ("expand-only", "reversible")) == ("edited", True), one


def test_the_document_says_all_of_it() -> None:
    report = compare({}, {"db/V1__\udcff.sql": DROP.encode()}, READERS)
    document = document_of(report)
    assert document["format"] == "rollback-guard/migrations/1"
    assert (document["decision"], document["verdict"]) == ("restore", "irreversible")
    (one,) = document["migrations"]
    assert list(one) == ["framework", "id", "path", "paths", "state", "verdict", "reasons", "down", "old-path"]
    assert r"V1__\\xff" in render_json(document)
    assert document_of(Report()) == {
        "format": "rollback-guard/migrations/1",
        "decision": "none",
        "verdict": None,
        "migrations": [],
        "problems": [],
    }


def many(count: int) -> dict[str, bytes]:
    """A year-old monolith: applications of Django with 50 migrations each."""
    add = 'migrations.AddField("order", "total", models.IntegerField(null=True))'
    files = {}
    for number in range(count):
        app, index = divmod(number, 50)
        parents = (f"{index - 1:04}_x",) if index else ()
        text = django(add, *parents).replace("shop", f"app{app}")
        files[f"app{app}/migrations/{index:04}_x.py"] = text.encode()
    return files


def test_the_time_grows_with_the_number_and_no_faster() -> None:
    def taken(count: int) -> float:
        files = many(count)
        start = time.process_time()
        report = compare(files, {**files, "app0/migrations/0050_y.py": files["app0/migrations/0049_x.py"]}, READERS)
        assert [one.id for one in report.migrations] == ["0050_y"]
        return time.process_time() - start

    taken(50)
    assert taken(1500) < 18 * taken(300)  # five times as many; the square would be 25


PATHS = sorted({path for case in CASES for path in case.files})
TEXTS = sorted({text for case in CASES for text in case.files.values()})
pieces = st.lists(
    st.sampled_from(TEXTS) | st.text(max_size=20) | st.sampled_from(("'", '"', "$$", "/*", "--", "\0", "#", "\n")),
    max_size=4,
).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass"))
cut = st.tuples(st.sampled_from(TEXTS), st.integers(0, 400)).map(lambda one: one[0].encode()[: one[1]])
trees = st.dictionaries(st.sampled_from(PATHS), pieces | cut | st.binary(max_size=40), max_size=5)


@settings(max_examples=150, deadline=None)
@given(trees, trees)
def test_whatever_the_files_hold_there_is_an_answer(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    report = compare(before, after, READERS)
    assert report.decision in {"none", *DECISIONS.values()}
    for one in report.migrations:
        assert one.verdict in VERDICTS
        assert set(one.paths) <= before.keys() | after.keys()
        assert (one.verdict == "expand-only") == (not one.reasons)
        assert framework_of(one.path)
    render_json(document_of(report))
    assert compare(after, after, READERS) == Report()
    assert report.migrations == () or before != after


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CASES), st.sampled_from(CASES), st.booleans())
def test_more_migrations_never_make_a_range_better(case: Case, more: Case, first: bool) -> None:
    one = encoded({f"a/{path}": text for path, text in case.files.items()})
    both = {**one, **encoded({f"b/{path}": text for path, text in more.files.items()})}
    worst = max((case.verdict, more.verdict), key=VERDICTS.index)
    assert compare({}, both, READERS).verdict == worst
    assert compare(one if first else {}, both, READERS).verdict in (worst, more.verdict)
