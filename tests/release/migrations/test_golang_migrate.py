"""golang-migrate: pairs of files by their version, and what cannot be read."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations.golang_migrate import READER

UP = b"CREATE TABLE users (id int);"
DOWN = b"DROP TABLE users;"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("db/migrations/000001_create_users.up.sql", True),
        ("000001_create_users.down.sql", True),
        ("x/1_a.b.up.pgsql", True),
        ("x/1_a.up.JSON", True),
        ("x/1_.up.sql", True),
        ("x/1_a.up.txt", True),  # golang-migrate runs it
        ("x/1_a.txt", False),
        ("x/1_a.sql", False),
        ("x/a.up.sql", False),
        ("x/1_a.up.sql/b", False),
    ],
)
def test_claims(path: str, expected: bool) -> None:
    assert READER.claims(path) is expected


def test_a_pair() -> None:
    (one,) = READER.read({"db/000001_create_users.up.sql": UP, "db/000001_users.down.sql": DOWN})
    assert (one.framework, one.id, one.group, one.path) == (
        "golang-migrate", "1", "db", "db/000001_create_users.up.sql",
    )  # fmt: skip
    assert one.paths == ("db/000001_create_users.up.sql", "db/000001_users.down.sql")
    assert [step.what for step in one.up] == ["creates table users"]
    assert one.down is not None
    assert [step.what for step in one.down] == ["drops table users"]
    assert one.parents is None


def test_without_a_way_back_and_with_an_empty_one() -> None:
    alone, empty = READER.read({"1_a.up.sql": UP, "2_b.up.sql": UP, "2_b.down.sql": b"-- nothing\n"})
    assert (alone.down, alone.group) == (None, "")
    assert empty.down == ()


def test_a_way_back_alone_goes_forth_without_a_step() -> None:
    _, alone = READER.read({"2_a.up.sql": UP, "1_a.down.sql": DOWN})
    assert (alone.id, alone.up, [step.effect for step in alone.down or ()]) == ("1", (), ["destroy"])


def test_a_way_back_in_a_folder_without_a_way_forth_is_left_to_others() -> None:
    assert READER.read({"1_a.down.sql": DOWN, "x/1_a.up.sql": UP})[1:] == ()


def test_folders_are_apart_and_numbers_are_compared_without_zeros() -> None:
    found = READER.read({"a/01_x.up.sql": UP, "b/1_x.up.sql": UP, "b/001_x.down.sql": DOWN})
    assert [(one.group, one.id, one.down is None) for one in found] == [("a", "1", True), ("b", "1", False)]


def test_a_number_used_twice_stays_two_migrations() -> None:
    found = READER.read({"1_a.up.sql": UP, "1_b.up.sql": UP})
    assert [(one.id, one.path) for one in found] == [("1", "1_a.up.sql"), ("1", "1_b.up.sql")]


@pytest.mark.parametrize(
    "files",
    [
        {"1_a.up.json": b"[{}]"},
        {"1_a.up.sql": UP, "1_b.down.sql": DOWN, "1_c.down.sql": DOWN},
        {"1_a.up.sql": b"\x89PNG\r\n\0\0"},
        {"1_a.up.sql": b"x" * 5_000_000},
        {"1_a.up.sql": "CREATE TABLE a (b int)".encode("utf-16-le")},
    ],
)
def test_what_cannot_be_read_is_unknown(files: dict[str, bytes]) -> None:
    (one,) = READER.read(files)
    assert [step.effect for step in one.up] == ["unknown"]


@pytest.mark.parametrize(
    "data",
    [
        "\ufeffCREATE TABLE café (b int);\r\n".encode(),
        "CREATE TABLE café (b int); -- é".encode("latin-1"),
        "CREATE TABLE café (b int);".encode("utf-16"),
    ],
)
def test_encodings(data: bytes) -> None:
    (one,) = READER.read({"1_a.up.sql": data})
    assert [step.what for step in one.up] == ["creates table café"]


def test_a_version_of_any_length() -> None:
    (one,) = READER.read({f"{'0' * 3}{'9' * 200}_a.up.sql": UP})
    assert one.id == "9" * 200


def test_several_databases_in_one_folder() -> None:
    names = [f"1_a.{database}.{way}.sql" for database in ("mysql", "sqlite3") for way in ("up", "down")]
    found = READER.read({f"x/{name}": UP for name in names})
    assert [(one.group, one.paths) for one in found] == [
        ("x (mysql)", ("x/1_a.mysql.up.sql", "x/1_a.mysql.down.sql")),
        ("x (sqlite3)", ("x/1_a.sqlite3.up.sql", "x/1_a.sqlite3.down.sql")),
    ]
    assert READER.read({"1_a.mysql.autocommit.up.sql": UP})[0].group == "(mysql)"


def test_the_way_back_of_the_same_title_comes_first() -> None:
    found = READER.read({"1_a.up.sql": UP, "1_a.down.sql": DOWN, "1_b.up.sql": UP, "1_b.down.sql": DOWN})
    assert [one.paths for one in found] == [("1_a.up.sql", "1_a.down.sql"), ("1_b.up.sql", "1_b.down.sql")]
