"""SQL that a person, or a reader of one dialect, takes for harmless, and that is not."""

from __future__ import annotations

import pytest

from rollback_guard.release.migrations import dbmate, flyway, golang_migrate, goose, prisma, raw_sql
from rollback_guard.release.migrations.compare import compare
from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.sql import read_steps

READERS: tuple[Reader, ...] = (
    flyway.READER, golang_migrate.READER, dbmate.READER, goose.READER, prisma.READER, raw_sql.READER,
)  # fmt: skip
HIDDEN = [
    # Quotes that end for one server and go on for another.
    r"INSERT INTO t VALUES ('\'); DROP TABLE users; --');",
    "INSERT INTO t VALUES ('it\\'s'); DROP TABLE users; -- '",
    r"INSERT INTO t VALUES ('\\'); DROP TABLE users; -- ');",
    'SELECT "\\"; DROP TABLE users; --";',
    "SELECT 1 AS $$; DROP TABLE users; SELECT 1 AS $$;",
    "SELECT 1 AS é$$; DROP TABLE users; SELECT 1 AS é$$;",
    "SELECT 1 AS [a'b]; DROP TABLE users; SELECT 1 AS [a'b];",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT 1 # '\n; INSERT INTO t VALUES ('\\'); DROP TABLE users; # '",
    "SET standard_conforming_strings = off; SELECT '\\'; /* ' */ ; DROP TABLE users; /* ' /* ' */ */",
    # Comments that are none.
    "/*! DROP TABLE users */;",
    "/*!50100 DROP TABLE users */;",
    "/*M!100100 DROP TABLE users */;",
    "SELECT 1 # 2\n; DROP TABLE users",
    "SELECT 1 # ; DROP TABLE users;",
    "SELECT 1 --2; DROP TABLE users\n;",
    "/* /* */ DROP TABLE users; -- */",
    "/* */ DROP TABLE users; /* */",
    "-- harmless \rDROP TABLE users;",
    "# '\n/*!99999 SELECT ' */ ; DROP TABLE users; # ' */;",
    "-- a\n--\tb\nDROP/**/TABLE/* */users",
    # A statement that another one seems to hold.
    "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.x = 1; DROP TABLE users;",
    "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.x = begin; DROP TABLE users; SELECT end",
    "DELIMITER //\nCREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.x = 1; DROP TABLE users; //\nDELIMITER ;",
    "CREATE TABLE a (b int)\nGO\nDROP TABLE users\nGO\n",
    "CREATE TABLE a (b int) DROP TABLE users",
    "ALTER TABLE a ADD b int DROP TABLE users",
    "COMMIT DROP TABLE users",
    "WITH a AS (DELETE FROM users RETURNING *) SELECT * FROM a",
    "INSERT INTO t WITH a AS (DELETE FROM users RETURNING *) SELECT * FROM a",
    "CREATE TABLE t AS WITH a AS (DELETE FROM users RETURNING 1) SELECT * FROM a",
    "ALTER TABLE a ADD b int, DROP COLUMN c",
    "ALTER TABLE a COMMENT 'x' ENGINE=BLACKHOLE",
    "ALTER TABLE a TRUNCATE PARTITION ALL",
    # Words that run other words.
    "DO $$ BEGIN EXECUTE 'DROP TABLE users'; END $$",
    "PREPARE p FROM 'DROP TABLE users'; EXECUTE p",
    "SET @a = CONCAT('DROP TABLE ', 'users'); PREPARE p FROM @a",
    "EXPLAIN ANALYZE DELETE FROM users",
    "SELECT query_to_xml('DROP TABLE users', true, true, '')",
    "SELECT dblink_exec('', 'DROP TABLE users')",
    "COPY users FROM PROGRAM 'curl evil'",
    "CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM users",
    "CREATE EVENT e ON SCHEDULE AT NOW() DO DELETE FROM users",
    "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
    "CREATE OPERATOR + (FUNCTION = f)",
    "PRAGMA writable_schema = ON",
    "\\i drop.sql",
    "SOURCE drop.sql",
    "ATTACH 'x' AS y",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM users RETURNING 1'; SELECT f()",
    # Words of which no server knows one thing, or that are not what they look like.
    "DRОP TABLE users",  # a Cyrillic О
    "DROP\u00a0TABLE users",
    "\u202eDROP TABLE users",
    "TRUNCATE users",
    "DELETE FROM users",
    "REPLACE INTO users VALUES (1)",
    "CREATE TABLE IF NOT EXISTS users (a int); UPDATE users SET a = 1",
    "CREATE TABLE users_copy (a int); ALTER TABLE users RENAME TO users_copy; UPDATE users_copy SET a = 1",
    "CREATE TABLE users (a int); USE shop; UPDATE users SET a = 1",
    "ALTER TABLE users ADD a int; UPDATE users SET a = 1, email = ''",
    "ALTER TABLE users ADD a int; UPDATE users u JOIN o SET o.a = 1",
    "CREATE OR REPLACE TABLE users (a int)",
    # An update of several tables, the first of them a new one.
    "CREATE TABLE a (b int); UPDATE a, users SET users.b = 1",
    "CREATE TABLE a (b int); UPDATE a JOIN users ON a.b = users.b SET users.b = 1",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_what_destroys_is_seen_or_the_whole_is_unknown(text: str) -> None:
    assert {"destroy", "unknown"} & {step.effect for step in read_steps(text)}, read_steps(text)


HARMLESS = [
    r"INSERT INTO t VALUES ('it''s; DROP TABLE users; --');",
    "COMMENT ON TABLE t IS 'DROP TABLE users';",
    "-- DROP TABLE users;\n/* DROP TABLE users; */ CREATE TABLE t (a int);",
    "# DROP TABLE users; it's MySQL\nCREATE TABLE t (a int);",
    r"INSERT INTO t VALUES ('it\'s; DROP TABLE users');",
    "CREATE TABLE t (`drop table users` int);",
    "CREATE FUNCTION f() RETURNS trigger AS $f$ BEGIN DELETE FROM users; RETURN OLD; END $f$ LANGUAGE plpgsql;",
    "SELECT a #>> '{b;c}' FROM t;",
    "INSERT INTO t VALUES (ARRAY['a'], '[1]', E'a\\nb', $$it's$$);",
    "/*!40101 SET NAMES utf8 */; /*!40000 ALTER TABLE `t` DISABLE KEYS */;",
    "DELIMITER $$\nCREATE TRIGGER t BEFORE DELETE ON a FOR EACH ROW BEGIN DELETE FROM b; END$$\nDELIMITER ;\n",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_words_that_are_only_said_are_not_feared(text: str) -> None:
    assert not {"destroy", "unknown"} & {step.effect for step in read_steps(text)}, read_steps(text)


def verdict(files: dict[str, str]) -> str | None:
    return compare({}, {path: text.encode() for path, text in files.items()}, READERS).verdict


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # A way back that is not one.
        (
            {"1_a.up.sql": "ALTER TABLE a RENAME b TO c", "1_a.down.sql": "-- ALTER TABLE a RENAME c TO b"},
            "irreversible",
        ),
        ({"1_a.up.sql": "ALTER TABLE a RENAME b TO c", "1_a.down.sql": "SELECT 1;"}, "irreversible"),
        (
            {"1_a.up.sql": "ALTER TABLE a RENAME b TO c", "1_a.down.sql": "BEGIN; DROP TABLE x; ROLLBACK;"},
            "irreversible",
        ),
        ({"1_a.up.sql": "ALTER TABLE a RENAME b TO c", "2_a.down.sql": "ALTER TABLE a RENAME c TO b"}, "irreversible"),
        ({"V1__a.sql": "DROP INDEX i;", "U1_1__a.sql": "CREATE INDEX i ON a (b);"}, "irreversible"),
        ({"V1__a.sql": "DROP INDEX i;", "U1__a.sql": "\0"}, "irreversible"),
        ({"db/1_a.sql": "-- +goose Up\nDROP INDEX i;\n -- +goose Down\nCREATE INDEX i ON a (b);"}, "irreversible"),
        # A line that looks like the beginning of the way back, to everybody but the framework.
        ({"db/1.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down x\nDROP TABLE a;\n-- migrate:down\n"}, "irreversible"),
        ({"db/1.sql": "-- migrate:up\nSELECT '\n-- migrate:down\n'; DROP TABLE a;"}, "irreversible"),
        ({"db/1_a.sql": "-- +goose Up\nSELECT 1;\n-- +goose Down it\nDROP TABLE a;\n"}, "irreversible"),
        # Everybody who runs the files as they stand runs the part below the comment as well.
        ({"migrations/1.sql": "CREATE TABLE a (b int);\n-- down\nDROP TABLE users;"}, "lossy-down"),
        ({"migrations/1.sql": "-- up\nCREATE TABLE a (b int);\n-- rollback\nDELETE FROM users;"}, "lossy-down"),
        # A name that looks like a way back, of nothing.
        ({"migrations/0009_scale_down.sql": "DROP TABLE users;"}, "irreversible"),
        ({"migrations/rollback/0009_x.sql": "DROP TABLE users;"}, "irreversible"),
        ({"migrations/0009_x/down.sql": "DROP TABLE users;"}, "irreversible"),
        # Prisma keeps no way back, whatever it says.
        ({"prisma/migrations/1_a/migration.sql": "-- RedefineTables\nDROP TABLE a;"}, "irreversible"),
    ],
)
def test_a_way_back_that_is_none(files: dict[str, str], expected: str) -> None:
    assert verdict(files) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"1_a.up.sql": "CREATE TABLE a (b int)", "1_a.down.sql": "DROP TABLE a"}, "expand-only"),
        ({"1_a.up.sql": "ALTER TABLE a RENAME b TO c", "1_a.down.sql": "ALTER TABLE a RENAME c TO b"}, "reversible"),
        ({"1_a.up.sql": "ALTER TABLE a DROP b", "1_a.down.sql": "ALTER TABLE a ADD b int"}, "lossy-down"),
        ({"migrations/1.sql": "ALTER TABLE a ADD b int;\n-- down\nALTER TABLE a DROP b;"}, "expand-only"),
        ({"migrations/1_a/up.sql": "DROP INDEX i", "migrations/1_a/down.sql": "CREATE INDEX i ON a (b)"}, "reversible"),
        ({"R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT 1"}, "reversible"),
    ],
)
def test_an_honest_one_is_taken_at_its_word(files: dict[str, str], expected: str) -> None:
    assert verdict(files) == expected


def test_a_file_belongs_to_one_framework() -> None:
    files = {
        "db/migrations/1_a.up.sql": "SELECT 1",
        "db/migrations/2_b.sql": "-- migrate:up\n",
        "db/migrations/3_c.sql": "-- +goose Up\n",
        "db/migration/V4__d.sql": "SELECT 1",
        "db/migrations/5_e.sql": "SELECT 1",
        "db/migrations/6_f/migration.sql": "SELECT 1",
    }
    report = compare({}, {path: text.encode() for path, text in files.items()}, READERS)
    assert {one.path: one.framework for one in report.migrations} == dict(
        zip(files, ("golang-migrate", "dbmate", "goose", "flyway", "sql", "prisma"), strict=True)
    )
