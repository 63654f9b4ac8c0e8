"""goose: annotations in SQL, and migrations in Go."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations.goose import READER
from rollback_guard.release.migrations.model import Parsed

WHOLE = """-- +goose Up
CREATE TABLE post (
    id int NOT NULL,
    title text,
    PRIMARY KEY(id)
);
-- +goose StatementBegin
CREATE FUNCTION touch() RETURNS trigger AS $$
BEGIN
    NEW.updated_at = now();
    RETURN NEW;
END;
$$ language 'plpgsql';
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION touch();
DROP TABLE post;
"""
GO = """package migrations

import "github.com/pressly/goose/v3"

func init() {
	goose.AddMigrationContext(upRenameRoot, %s)
}

func upRenameRoot(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "UPDATE users SET username='admin' WHERE username='root';")
	return err
}

func downRenameRoot(ctx context.Context, tx *sql.Tx) error {
	// This code is executed when the migration is rolled back.
	return nil
}
"""


def read(text: str, path: str = "migrations/00001_post.sql") -> Parsed | None:
    found = READER.read({path: text.encode()})
    assert len(found) < 2
    return found[0] if found else None


def test_claims() -> None:
    assert READER.claims("migrations/00001_create_users_table.sql")
    assert READER.claims("migrations/00002_rename_root.go")
    assert not READER.claims("migrations/00002_rename_root_test.go")
    assert not READER.claims("migrations/main.go")


@pytest.mark.parametrize("text", [WHOLE, WHOLE.replace("\n", "\r\n"), WHOLE.lower(), "-- about\n\n" + WHOLE])
def test_a_whole_one(text: str) -> None:
    one = read(text)
    assert one is not None
    assert (one.framework, one.id, one.group) == ("goose", "1", "migrations")
    assert [step.what for step in one.up] == ["creates table post", "creates function touch"]
    assert [step.effect for step in one.down or ()] == ["change", "destroy"]


def test_settings() -> None:
    text = "-- +goose NO TRANSACTION\n-- +goose ENVSUB ON\n-- +goose Up\nCREATE TABLE ${NAME} (a int);\n"
    one = read(text)
    assert one is not None
    assert ([step.what for step in one.up], one.down) == (["creates table ${NAME}"], None)


def test_a_default_of_a_variable_is_not_passed_over() -> None:
    one = read("-- +goose ENVSUB ON\n-- +goose Up\nCREATE TABLE a (b int) ${X:-; DROP TABLE users};\n")
    assert one is not None
    assert [step.effect for step in one.up] == ["expand", "destroy"]


@pytest.mark.parametrize("text", ["CREATE TABLE goose (a int)", "", "-- +goose NO TRANSACTION\nSELECT 1;"])
def test_another_frameworks_file_is_left_out(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE a;\n" + WHOLE,
        WHOLE + "-- +goose Down\n",
        WHOLE + "-- +goose Up\n",
        "-- +goose Down\nDROP TABLE a;\n-- +goose Up\n",
        "-- +goose Up\n -- +goose Down\nDROP TABLE a;\n",
        "-- +goose Up\n-- +goose Downwards\nDROP TABLE a;\n",
        "-- +goose\n-- +goose Up\n",
        "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n",
        "-- +goose Up\n-- +goose StatementEnd\nSELECT 1;\n",
        "-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementBegin\n",
        "-- +goose Up\n-- +goose StatementBegin\n-- +goose Down\n-- +goose StatementEnd\n",
        "-- +goose StatementBegin\n-- +goose Up\n",
    ],
)
def test_what_goose_would_read_otherwise_is_unknown(text: str) -> None:
    one = read(text)
    assert one is not None
    assert [step.effect for step in one.up] == ["unknown"]


@pytest.mark.parametrize(
    ("down", "expected"),
    [("nil", None), ("downRenameRoot", ()), ("downElsewhere", ("destroy",)), ("down.In", ("destroy",))],
)
def test_go(down: str, expected: tuple[str, ...] | None) -> None:
    one = read(GO % down, "migrations/00002_rename_root.go")
    assert one is not None
    assert [step.effect for step in one.up] == ["destroy"]
    assert (None if one.down is None else tuple(step.effect for step in one.down)) == expected


def test_go_that_does_nothing_on_its_way_forth() -> None:
    one = read(GO.replace("upRenameRoot, %s", "nil, nil"), "migrations/00002_rename_root.go")
    assert one is not None
    assert one.up == ()


@pytest.mark.parametrize(
    "call",
    [
        "goose.AddMigrationContext(func(tx *sql.Tx) error { return nil }, nil)",
        "goose.AddMigrationNoTxContext(up)",
        "goose.AddMigration(up, down)\n\tgoose.AddMigration(up, down)",
        "/* goose.AddMigration(up, down)",
    ],
)
def test_go_that_cannot_be_read(call: str) -> None:
    one = read(GO.replace("goose.AddMigrationContext(upRenameRoot, %s)", call), "migrations/00002_rename_root.go")
    assert one is not None
    assert [step.effect for step in one.up] == ["unknown"]


def test_go_with_a_name_and_a_comma_at_the_end() -> None:
    call = 'goose.AddNamedMigrationContext(\n\t\t"00002_x.go",\n\t\tup,\n\t\tnil,\n\t)'
    one = read(GO.replace("goose.AddMigrationContext(upRenameRoot, %s)", call), "migrations/00002_rename_root.go")
    assert one is not None
    assert ([step.effect for step in one.up], one.down) == (["destroy"], None)


def test_go_that_registers_nothing_is_left_out() -> None:
    assert read("package goose", "migrations/00002_rename_root.go") is None
