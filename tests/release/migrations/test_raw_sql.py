"""Plain folders of numbered SQL: which files belong together, and which line begins a way back."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations.model import Parsed
from rollback_guard.release.migrations.raw_sql import READER

UP = b"CREATE TABLE a (b int);"
DOWN = b"DROP TABLE a;"


def read(files: dict[str, bytes]) -> list[Parsed]:
    assert all(READER.claims(path) for path in files)
    return list(READER.read(files))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("db/migrations/001_create.sql", True),
        ("migrations/1.sql", True),
        ("Migration/V2-add.SQL", True),
        ("db/migrate/2024-01-31-093015_create/up.sql", True),
        ("supabase/migrations/20240131093015_x.sql", True),
        ("migrations/down/001_x.sql", True),
        ("migrations/rollback_001_x.sql", True),
        ("migrations/2024/001_x.sql", True),
        ("db/001_x.sql", False),
        ("migrations/schema.sql", False),
        ("migrations/seeds/users.sql", False),
        ("migrations/up.sql", False),
        ("migrations/001_x.py", False),
        ("migrations/001_x.sql/readme", False),
        ("001_x.sql", False),
    ],
)
def test_claims(path: str, expected: bool) -> None:
    assert READER.claims(path) is expected


@pytest.mark.parametrize(
    ("up", "down", "name"),
    [
        ("migrations/1-a.up.sql", "migrations/1-a.down.sql", "1-a"),
        ("migrations/1_a.sql", "migrations/1_a.down.sql", "1_a"),
        ("migrations/1_a.sql", "migrations/1_a_undo.sql", "1_a"),
        ("migrations/1_a.sql", "migrations/1_a-rollback.sql", "1_a"),
        ("migrations/1_a.sql", "migrations/revert_1_a.sql", "1_a"),
        ("migrations/1_a.sql", "migrations/rollback/1_a.sql", "1_a"),
        ("migrations/up/1_a.sql", "migrations/down/1_a.sql", "1_a"),
        ("migrations/up/1_a.sql", "migrations/down/1_a.down.sql", "1_a"),
        ("migrations/2019-01-01-000000_a/up.sql", "migrations/2019-01-01-000000_a/down.sql", "2019-01-01-000000_a"),
    ],
)
def test_pairs(up: str, down: str, name: str) -> None:
    (one,) = read({up: UP, down: DOWN})
    assert (one.framework, one.id, one.group, one.path, one.paths) == ("sql", name, "migrations", up, (up, down))
    assert [step.effect for step in one.up] == ["expand"]
    assert [step.effect for step in one.down or ()] == ["destroy"]


def test_alone() -> None:
    (one,) = read({"db/migrations/2024/001_a.sql": UP})
    assert (one.id, one.group, one.down) == ("001_a", "db/migrations/2024", None)


def test_several_databases_in_one_folder() -> None:
    found = read({"migrations/V0001.Initial.mysql.up.sql": UP, "migrations/V0001.Initial.postgres.up.sql": UP})
    assert [one.group for one in found] == ["migrations (mysql)", "migrations (postgres)"]


def test_several_ways_back_are_refused() -> None:
    (one,) = read({"migrations/1.sql": UP, "migrations/1.down.sql": DOWN, "migrations/down/1.sql": DOWN})
    assert one.refuses == "it has 2 files: migrations/1.down.sql, migrations/down/1.sql"


def test_two_of_one_name_stay_two() -> None:
    assert len(read({"migrations/1.sql": UP, "migrations/1.up.sql": UP})) == 2


def parts(text: str) -> tuple[list[str], list[str] | None]:
    (one,) = read({"migrations/001_a.sql": text.encode()})
    return [step.effect for step in one.up], None if one.down is None else [step.effect for step in one.down]


@pytest.mark.parametrize(
    "text",
    [
        "-- +migrate Up\nALTER TABLE a ADD b int;\n-- +migrate Down\nUPDATE c SET d = 1;\n",
        "-- Up Migration\nALTER TABLE a ADD b int;\n\n-- Down Migration\nUPDATE c SET d = 1;\n",
        "-- // create a table\nALTER TABLE a ADD b int;\n\n-- //@UNDO\nUPDATE c SET d = 1;\n",
        "ALTER TABLE a ADD b int;\n---- create above / drop below ----\nUPDATE c SET d = 1;\n",
    ],
)
def test_lines_that_belong_to_a_tool(text: str) -> None:
    assert parts(text) == (["expand"], ["destroy"])
    assert parts(text.replace("\n", "\r\n")) == (["expand"], ["destroy"])


@pytest.mark.parametrize(
    "line",
    ["-- down", "-- DOWN --", "--- undo:", "-- rollback", "-- ==== DOWN ====", "-- revert (by hand)", "-- !Downs"],
)
def test_lines_that_anybody_may_have_written(line: str) -> None:
    assert parts(f"-- up\nALTER TABLE a ADD b int;\n{line}\nALTER TABLE a DROP b;\n") == (["expand"], ["destroy"])
    assert parts(f"CREATE INDEX i ON a (b);\n{line}\nDROP INDEX i;\n") == (["expand"], ["change"])


def test_a_part_that_does_nothing() -> None:
    assert parts("CREATE TABLE a (b int);\n-- down\n") == (["expand"], [])


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1;\n-- down\nSELECT 1;\n-- down\nSELECT 1;",
        "-- up\nSELECT 1;\n-- up\nSELECT 1;\n-- down\n",
        "-- down\nDROP TABLE a;\n-- up\nCREATE TABLE a (b int);",
    ],
)
def test_lines_in_no_order_are_unknown(text: str) -> None:
    assert parts(text) == (["unknown"], None)


def test_an_ordinary_comment_begins_nothing() -> None:
    assert parts("-- up to 5 rows\nCREATE TABLE a (b int); -- down\n") == (["expand"], None)
    assert parts("-- up\nCREATE TABLE a (b int);") == (["expand"], None)


@pytest.mark.parametrize("data", [b"\0", b"\xff\xfe" + b"\0" * 99, b"'" + b"x" * 5_000_000, b"-- up" + b"-" * 900_000])
def test_hostile_files(data: bytes) -> None:
    (one,) = read({"migrations/001_a.sql": data})
    assert {step.effect for step in one.up} <= {"unknown"}
