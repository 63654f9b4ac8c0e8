"""Flyway: versions, what undoes them, what is repeated, baselines, callbacks and placeholders."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations.flyway import READER
from rollback_guard.release.migrations.model import Parsed

HOME = "src/main/resources/db/migration"
UP = b"CREATE TABLE person (\n    id int not null,\n    name varchar(100) not null\n);\n"


def read(files: dict[str, bytes]) -> dict[str, Parsed]:
    found = READER.read({f"{HOME}/{name}": data for name, data in files.items()})
    named = {one.path.rpartition("/")[2]: one for one in found}
    assert len(named) == len(found)
    return named


def effects(one: Parsed) -> list[str]:
    return [step.effect for step in one.up]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("V1__Create_person_table.sql", True),
        ("V1_1__a.sql", True),
        ("V20240131.10.5__a.sql", True),
        ("U1__a.sql", True),
        ("R__People_view.sql", True),
        ("B5__base.sql", True),
        ("V1__a.SQL", True),
        ("V1__a.java", True),
        ("V1__a.sh", True),
        ("afterMigrate.sql", True),
        ("beforeEachMigrate__vacuum.sql", True),
        ("flyway.conf", True),
        ("flyway.toml", True),
        ("prod.flyway.conf", True),
        ("v1__a.sql", False),
        ("V1_a.sql", False),
        ("VX__a.sql", False),
        ("V1__a.txt", False),
        ("R__a.md", False),
        ("afterLunch.sql", False),
        ("nginx.conf", False),
    ],
)
def test_claims(name: str, expected: bool) -> None:
    assert READER.claims(f"{HOME}/{name}") is expected


def test_a_version_and_what_undoes_it() -> None:
    (one,) = READER.read({f"{HOME}/V01_10__a.sql": UP, f"{HOME}/U1.10__a.sql": b"DROP TABLE person;"})
    assert (one.framework, one.id, one.group, one.path) == ("flyway", "1.10", HOME, f"{HOME}/V01_10__a.sql")
    assert one.paths == (f"{HOME}/V01_10__a.sql", f"{HOME}/U1.10__a.sql")
    assert effects(one) == ["expand"]
    assert [step.effect for step in one.down or ()] == ["destroy"]


def test_without_an_undo() -> None:
    (one,) = READER.read({f"{HOME}/V1.0.0__a.sql": UP})
    assert (one.id, one.down, one.repeatable) == ("1", None, False)


def test_an_undo_in_another_folder_counts_where_it_is_the_only_one() -> None:
    files = {"a/V1__a.sql": UP, "undo/U1__a.sql": b"DROP TABLE person;"}
    assert READER.read(files)[0].down is not None
    several = {**files, "other/U1__a.sql": b"SELECT 1;"}
    assert READER.read(several)[0].down is None


def test_two_undos_beside_it_are_refused() -> None:
    one = read({"V1__a.sql": UP, "U1__a.sql": b"", "U1.0__a.sql": b""})["V1__a.sql"]
    assert one.refuses == "2 files undo version 1"


def test_an_undo_that_is_a_program_cannot_be_relied_on() -> None:
    one = read({"V1__a.sql": UP, "U1__a.java": b"class U1__a {}"})["V1__a.sql"]
    assert [step.effect for step in one.down or ()] == ["unknown"]


def test_what_is_repeated() -> None:
    one = read({"R__people.sql": b"CREATE OR REPLACE VIEW people AS SELECT 1;"})["R__people.sql"]
    assert (one.id, one.repeatable, one.undoes_itself) == ("R__people", True, True)
    assert one.up == one.down
    assert effects(one) == ["change"]


def test_a_callback_counts_as_repeated() -> None:
    one = read({"afterMigrate.sql": b"UPDATE t SET a = 1;"})["afterMigrate.sql"]
    assert (one.id, one.repeatable, effects(one)) == ("afterMigrate", True, ["destroy"])


def test_a_baseline_runs_nowhere_but_in_an_empty_database() -> None:
    one = read({"B5__base.sql": b"DROP TABLE a;"})["B5__base.sql"]
    assert (one.id, effects(one)) == ("B5", ["expand"])


@pytest.mark.parametrize("name", ["V2__Another.java", "B2__x.kt", "R__a.py", "V2__x.sh"])
def test_programs_are_unknown(name: str) -> None:
    assert effects(read({name: b"public class V2__Another extends BaseJavaMigration {}"})[name]) == ["unknown"]


@pytest.mark.parametrize("data", [b"\0\1\2", b"x" * 5_000_000, b"SELECT 'open", b"\xff\xfe\x00\xd8" * 9])
def test_hostile_files(data: bytes) -> None:
    assert effects(read({"V1__a.sql": data})["V1__a.sql"]) == ["unknown"]


PLACED = b"CREATE TABLE ${tableName} (id ${idType} PRIMARY KEY);"


def placed(conf: bytes, sql: bytes = PLACED, name: str = "flyway.conf") -> list[str]:
    files = {"flyway.user.toml": b"[flyway]\nlocations = ['x']\n", name: conf, "V1__a.sql": sql}
    return [f"{step.effect}: {step.what}" for step in read(files)["V1__a.sql"].up]


@pytest.mark.parametrize(
    ("name", "conf"),
    [
        ("flyway.conf", b"flyway.url=jdbc:x\r\nflyway.placeholders.tableName=orders\r\n"),
        ("flyway.toml", b'[flyway.placeholders]\ntablename = "orders"\n'),
        ("flyway.toml", b"[flyway]\nplaceholders.tableName = 'orders'\n"),
        ("conf.flyway.properties", b"flyway.placeholders.tableName = orders"),
    ],
)
def test_a_placeholder_is_filled_in(name: str, conf: bytes) -> None:
    assert placed(conf, name=name) == ["expand: creates table orders"]


def test_a_placeholder_of_which_nothing_is_known_is_a_name() -> None:
    assert placed(b"nothing\n=\n") == ["expand: creates table ${tableName}"]
    assert placed(b"", b"${whatever};") == ["unknown: is not understood: ${whatever}"]


def test_other_marks() -> None:
    conf = b"flyway.placeholderPrefix=#[\nflyway.placeholderSuffix=]\nflyway.placeholders.tableName=orders"
    assert placed(conf, b"CREATE TABLE #[tableName] (a int)") == ["expand: creates table orders"]


def test_what_a_placeholder_holds_is_read() -> None:
    conf = b"flyway.placeholders.tableName=a (b int); DROP TABLE users; CREATE TABLE c"
    assert "destroy: drops table users" in placed(conf)


def test_several_values() -> None:
    conf = b"flyway.placeholders.tableName=a\nflyway.placeholders.tableName=b"
    assert placed(conf) == ["expand: creates table a"]
    conf = b"flyway.placeholders.tableName=a\nflyway.placeholders.tableName=b; DROP TABLE users"
    assert placed(conf) == ["unknown: holds a placeholder with several values: tableName"]


def test_a_placeholder_that_blows_the_text_up() -> None:
    conf = b"flyway.placeholders.a=" + b"x" * 100_000
    assert placed(conf, b"SELECT ${a};" * 50) == [
        "unknown: is too long with its placeholders filled in, and was not read"
    ]
