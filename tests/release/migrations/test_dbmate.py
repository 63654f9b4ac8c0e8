"""dbmate: blocks of one file, and look-alikes of their first lines."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations.dbmate import READER
from rollback_guard.release.migrations.model import Parsed

PATH = "db/migrations/20151127184807_create_users_table.sql"
WHOLE = """-- migrate:up
create table users (
  id integer,
  name varchar(255),
  email varchar(255) not null
);

-- migrate:down
drop table users;
"""


def read(text: str, path: str = PATH) -> Parsed | None:
    found = READER.read({path: text.encode()})
    assert len(found) < 2
    return found[0] if found else None


def test_claims() -> None:
    assert READER.claims(PATH)
    assert READER.claims("0001.sql")
    assert not READER.claims("db/schema.sql")
    assert not READER.claims("db/1_a.sql/x")


@pytest.mark.parametrize("text", [WHOLE, WHOLE.replace("\n", "\r\n"), "\ufeff" + WHOLE, "\n-- hello\n\n" + WHOLE])
def test_a_whole_one(text: str) -> None:
    one = read(text)
    assert one is not None
    assert (one.framework, one.id, one.group, one.paths) == ("dbmate", "20151127184807", "db/migrations", (PATH,))
    assert [step.what for step in one.up] == ["creates table users"]
    assert [step.what for step in one.down or ()] == ["drops table users"]


def test_options() -> None:
    one = read("-- migrate:up transaction:false\nALTER TYPE c ADD VALUE 'd';\n\n-- migrate:down transaction:false\n")
    assert one is not None
    assert [step.effect for step in one.up] == ["expand"]
    assert one.down == ()


def test_without_a_way_back() -> None:
    one = read("--migrate:up\nDROP TABLE a")
    assert one is not None
    assert ([step.effect for step in one.up], one.down) == (["destroy"], None)


@pytest.mark.parametrize("text", ["CREATE TABLE a (b int)", "-- migrate:down\nDROP TABLE a", "-- please migrate: soon"])
def test_another_frameworks_file_is_left_out(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE a;\n" + WHOLE,
        WHOLE + "-- migrate:down\n",
        WHOLE + "-- migrate:up\nDROP TABLE a;",
        "-- migrate:down\n\n-- migrate:up\n",
        "-- migrate:up\n-- migrate:down or so\nDROP TABLE a;\n",
        "-- migrate:up\n  -- migrate:down\nDROP TABLE a;\n",
        "-- MIGRATE:UP\nDROP TABLE a",
    ],
)
def test_what_dbmate_would_read_otherwise_is_unknown(text: str) -> None:
    one = read(text)
    assert one is not None
    assert [step.effect for step in one.up] == ["unknown"]
    assert one.down is None
