"""What each kind of SQL statement does: everyday migrations as people and tools write them, and each family's edges."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollback_guard.release.migrations.sql import LONGEST, read_steps
from rollback_guard.release.migrations.sql_cursor import Cursor, words
from rollback_guard.release.migrations.sql_lexer import Token

EVERYDAY = [
    ("", []),
    ("-- nothing yet\n", []),
    ("BEGIN; SET statement_timeout = '5s'; COMMIT;", []),
    ("START TRANSACTION; SAVEPOINT a; RELEASE a; COMMIT", []),
    ("CREATE TABLE users (id bigserial PRIMARY KEY, name text NOT NULL);", ["expand: creates table users"]),
    (
        "CREATE TABLE `users` (`id` bigint unsigned NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`), KEY `k` (`id`))\n"
        "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='who is there; and since when';",
        ["expand: creates table users"],
    ),
    ('CREATE TABLE "User" ("id" INTEGER NOT NULL PRIMARY KEY)', ['expand: creates table "User"']),
    ("CREATE TEMP TABLE t AS SELECT 1", ["expand: creates temp table t"]),
    ("create or replace table t (a int)", ["destroy: creates table t in the place of one that may be there"]),
    ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a USING gin (b);", ["expand: creates index i on a"]),
    ("CREATE INDEX ON ONLY a (b)", ["expand: creates index on a"]),
    ("CREATE INDEX i USING BTREE ON a (b)", ["expand: creates index i on a"]),
    ("CREATE INDEX i a (b)", ["unknown: creates index i in a way that cannot be read"]),
    ("CREATE TRIGGER t AFTER INSERT", ["unknown: creates trigger t in a way that cannot be read"]),
    ("CREATE UNIQUE INDEX i ON a (b) WHERE c IS NULL", ["change: creates unique index i on a"]),
    (
        "CREATE TABLE a (b int); CREATE UNIQUE INDEX i ON a (b); ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0);",
        [
            "expand: creates table a",
            "expand: creates unique index i on a",
            "expand: adds a constraint to a: CONSTRAINT c CHECK ( b > 0 )",
        ],
    ),
    ("CREATE VIEW v AS SELECT * FROM t", ["expand: creates view v"]),
    (
        "CREATE ALGORITHM=MERGE DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW v AS SELECT 1",
        ["expand: creates view v"],
    ),
    ("CREATE OR REPLACE VIEW v AS SELECT 1", ["change: creates view v, perhaps in the place of another"]),
    (
        "CREATE MATERIALIZED VIEW v AS SELECT 1; REFRESH MATERIALIZED VIEW v",
        ["expand: creates materialized view v", "expand: REFRESH MATERIALIZED VIEW v"],
    ),
    ("CREATE SEQUENCE IF NOT EXISTS s START 5", ["expand: creates sequence s"]),
    ("CREATE TYPE mood AS ENUM ('sad', 'ok')", ["expand: creates type mood"]),
    ('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"', ['expand: creates extension "uuid-ossp"']),
    ("CREATE SCHEMA app AUTHORIZATION bob", ["expand: creates schema app"]),
    ("CREATE POLICY p ON t USING (a = 1)", ["change: creates policy p"]),
    ("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'great'", ["expand: alters type mood: a new value"]),
    ("ALTER TYPE mood RENAME VALUE 'a' TO 'b'", ["change: alters type mood"]),
    ("ALTER TYPE pair DROP ATTRIBUTE a", ["destroy: alters type pair"]),
    ("ALTER SEQUENCE s RESTART", ["change: alters sequence s"]),
    ("ALTER SUBSCRIPTION s DISABLE", ["unknown: alters subscription s in a way of which nothing can be said"]),
    ("DROP TABLE IF EXISTS a, b CASCADE", ["destroy: drops table a", "destroy: drops table b"]),
    ("DROP TEMPORARY TABLE a", ["expand: drops table a, which it made"]),
    ("CREATE TABLE a (b int); DROP TABLE a", ["expand: creates table a", "expand: drops table a, which it made"]),
    ("DROP TABLE ;", ["unknown: drops a table whose name cannot be read"]),
    ("DROP INDEX CONCURRENTLY i", ["change: drops index i"]),
    ("DROP VIEW v CASCADE", ["change: drops view v and all that depends on it"]),
    ("DROP FUNCTION f(int) CASCADE", ["destroy: drops function f and all that depends on it"]),
    ("DROP TYPE mood", ["change: drops type mood"]),
    ("DROP SEQUENCE s", ["destroy: drops sequence s"]),
    ("DROP SCHEMA a CASCADE", ["destroy: drops schema a and all that depends on it"]),
    ("DROP DATABASE shop", ["destroy: drops database shop"]),
    ("DROP SERVER IF EXISTS s", ["unknown: drops server s if it is there, of which nothing can be said"]),
    ("DROP PREPARE p", ["unknown: drops prepare p, of which nothing can be said"]),
    ("RENAME TABLE a TO b, c TO d", ["change: renames table a to b", "change: renames table c to d"]),
    ("RENAME TABLE a", ["unknown: renames what cannot be read: RENAME TABLE a"]),
    ("RENAME USER a TO b", ["change: RENAME USER a TO b"]),
    ("COMMENT ON TABLE a IS 'drop table a'", ["expand: COMMENT ON TABLE a IS drop table a"]),
    ("GRANT SELECT ON a TO b", ["expand: GRANT SELECT ON a TO b"]),
    ("REVOKE SELECT ON a FROM b", ["change: REVOKE SELECT ON a FROM b"]),
    ("SET GLOBAL max_connections = 5", ["change: sets for more than this session: SET GLOBAL max_connections = 5"]),
    ("PRAGMA foreign_keys = OFF; PRAGMA main.defer_foreign_keys=ON", []),
    ("PRAGMA writable_schema = ON", ["unknown: sets what cannot be judged: PRAGMA writable_schema = ON"]),
    ("USE shop; SHOW TABLES; ANALYZE t; VACUUM; LOCK TABLES a WRITE", []),
    ("ROLLBACK", ["unknown: rolls back what was done before it"]),
    ("CALL f()", ["unknown: runs what cannot be read from here: CALL f ( )"]),
    ("FROBNICATE the_table", ["unknown: is not understood: FROBNICATE the_table"]),
    ("IMPORT FOREIGN SCHEMA s", ["unknown: runs what cannot be read from here: IMPORT FOREIGN SCHEMA s"]),
    ("START REPLICA", ["unknown: runs what cannot be read from here: START REPLICA"]),
]
TABLES = [
    ("ADD COLUMN b int", ["expand: adds column a.b"]),
    ('ADD COLUMN "b" "Mood"', ["expand: adds column a.b"]),
    ("ADD b int NULL", ["expand: adds column a.b"]),
    ("ADD COLUMN b int NOT NULL", ["change: adds column a.b, which must be given and has no default"]),
    ("ADD COLUMN b int NOT NULL DEFAULT 0", ["expand: adds column a.b"]),
    ("ADD COLUMN b timestamptz DEFAULT now() NOT NULL", ["expand: adds column a.b"]),
    ("ADD COLUMN b text DEFAULT NULL::character varying", ["expand: adds column a.b"]),
    ("ADD COLUMN b int NOT NULL DEFAULT (NULL)", ["change: adds column a.b, which must be given and has no default"]),
    ("ADD COLUMN b bigserial NOT NULL", ["expand: adds column a.b"]),
    ("ADD COLUMN b int GENERATED ALWAYS AS (c * 2) STORED NOT NULL", ["expand: adds column a.b"]),
    ("ADD COLUMN b int CHECK (total > 0)", ["change: adds column a.b with a check"]),
    ("ADD COLUMN id serial PRIMARY KEY", ["change: adds column a.id as the primary key"]),
    ("ADD COLUMN b int UNIQUE", ["expand: adds column a.b"]),
    ("ADD COLUMN b int UNIQUE DEFAULT 1", ["change: adds column a.b, unique with a default"]),
    ("ADD COLUMN b int REFERENCES c (id) ON DELETE SET NULL", ["expand: adds column a.b"]),
    (
        "ADD (b int, c int NOT NULL)",
        ["expand: adds column a.b", "change: adds column a.c, which must be given and has no default"],
    ),
    ("ADD COLUMN", ["unknown: adds something to a that cannot be read"]),
    ("ADD INDEX i (b), ADD KEY (c), ADD FULLTEXT INDEX (d)", ["expand: adds an index to a"]),
    ("ADD INDEX i USING BTREE (b)", ["expand: adds an index to a"]),
    ("ADD INDEX USING HASH (b)", ["expand: adds an index to a"]),
    ("ADD key text", ["expand: adds column a.key"]),
    ("ADD index varchar(255)", ["expand: adds column a.index"]),
    ("ADD UNIQUE KEY u (b)", ["change: adds a constraint to a: UNIQUE KEY u ( b )"]),
    ("ADD FOREIGN KEY (b) REFERENCES c (id)", ["change: adds a constraint to a: FOREIGN KEY ( b ) REFERENCES c ( …"]),
    ("ADD PARTITION (PARTITION p VALUES LESS THAN (5))", ["change: adds a partition to a"]),
    ("DROP COLUMN b", ["destroy: drops column a.b"]),
    ("DROP IF EXISTS b", ["destroy: drops column a.b"]),
    ("DROP COLUMN", ["unknown: drops something from a that cannot be read"]),
    ("DROP CONSTRAINT c", ["change: drops from a: CONSTRAINT c"]),
    ("DROP PRIMARY KEY", ["change: drops from a: PRIMARY KEY"]),
    ("DROP key CASCADE", ["destroy: drops column a.key"]),
    ("DROP SYSTEM VERSIONING", ["destroy: drops column a.SYSTEM"]),
    ("DROP PARTITION p", ["destroy: drops a partition of a"]),
    ("ADD COLUMN b int, DROP COLUMN b", ["expand: adds column a.b", "expand: drops column a.b, which it added"]),
    ("ALTER COLUMN b SET NOT NULL", ["change: alters column a.b: SET NOT NULL"]),
    ("ALTER b DROP DEFAULT", ["change: alters column a.b: DROP DEFAULT"]),
    ("ALTER COLUMN b TYPE text", ["change: changes the type of a.b to text"]),
    ("ALTER COLUMN b SET DATA TYPE character varying", ["change: changes the type of a.b to character varying"]),
    ("ALTER COLUMN b TYPE text USING 'x'", ["destroy: changes the type of a.b to text USING x"]),
    ("ALTER COLUMN b TYPE varchar(10)", ["destroy: changes the type of a.b to varchar ( 10 )"]),
    ("ALTER COLUMN b", ["unknown: alters column a.b in a way that cannot be read"]),
    ("ALTER COLUMN b TYPE", ["unknown: alters a column of a in a way that cannot be read"]),
    ("ALTER COLUMN b varchar(10)", ["destroy: changes the type of a.b to varchar ( 10 )"]),
    ("ALTER INDEX i INVISIBLE", ["change: alters in a: INDEX i INVISIBLE"]),
    ("MODIFY COLUMN b longtext", ["change: changes the type of a.b to longtext"]),
    ("MODIFY b text", ["destroy: changes the type of a.b to text"]),
    ("CHANGE COLUMN b c varchar(9) NOT NULL", ["destroy: changes the type of a.b to varchar ( 9 ) NOT NULL"]),
    ("RENAME TO b", ["change: renames table a to b"]),
    ("RENAME b", ["change: renames table a to b"]),
    ("RENAME COLUMN b TO c", ["change: renames column a.b to c"]),
    ("RENAME b TO c", ["change: renames column a.b to c"]),
    ("RENAME COLUMN b c", ["unknown: renames something of a that cannot be read"]),
    ("RENAME CONSTRAINT b TO c", ["change: renames in a: b TO c"]),
    ("ENGINE=InnoDB", ["change: alters table a: ENGINE = InnoDB"]),
    ("COMMENT 'x' ENGINE=BLACKHOLE", ["destroy: alters table a: COMMENT x ENGINE = BLACKHOLE"]),
    ("CONVERT TO CHARACTER SET latin1", ["destroy: alters table a: CONVERT TO CHARACTER SET latin1"]),
    ("ENABLE ROW LEVEL SECURITY", ["change: alters table a: ENABLE ROW LEVEL SECURITY"]),
    ("OWNER TO bob", ["change: alters table a: OWNER TO bob"]),
    ("FROBNICATE", ["unknown: alters table a in a way that cannot be read: FROBNICATE"]),
    ("VALIDATE CONSTRAINT c, ALGORITHM=INPLACE", []),
    ("", ["unknown: alters a table in a way that cannot be read"]),
]
ROWS = [
    ("INSERT INTO t (a) VALUES (1), (2)", ["change: inserts rows into t"]),
    ("INSERT IGNORE INTO t VALUES (1)", ["change: inserts rows into t"]),
    ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO NOTHING", ["change: inserts rows into t"]),
    ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2", ["destroy: overwrites rows of t"]),
    ("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE b = 2", ["destroy: overwrites rows of t"]),
    ("INSERT OR REPLACE INTO t VALUES (1)", ["destroy: overwrites rows of t"]),
    ("INSERT OR IGNORE INTO t VALUES (1)", ["change: inserts rows into t"]),
    ("REPLACE INTO t VALUES (1)", ["destroy: overwrites rows of t"]),
    ("INSERT", ["unknown: inserts something that cannot be read"]),
    ("CREATE TABLE t (a int); INSERT INTO t VALUES (1)", ["expand: creates table t", "expand: fills table t"]),
    ("UPDATE t SET a = 1", ["destroy: overwrites rows of t"]),
    ("UPDATE OR IGNORE t SET a = 1", ["destroy: overwrites rows of t"]),
    ("UPDATE LOW_PRIORITY t SET a = 1", ["destroy: overwrites rows of t"]),
    ("UPDATE t JOIN u ON t.a = u.a SET t.b = 1", ["destroy: overwrites rows of t"]),
    ("UPDATE", ["unknown: updates something that cannot be read"]),
    ("CREATE TABLE t (a int); UPDATE t SET a = 1", ["expand: creates table t", "expand: fills table t"]),
    (
        "ALTER TABLE t ADD a int; UPDATE ONLY t AS x SET a = b.c FROM b WHERE x.id = b.id",
        ["expand: adds column t.a", "expand: fills what it added to t: a"],
    ),
    (
        "ALTER TABLE t ADD a int, ADD b int; UPDATE t SET (a, b) = (1, 2)",
        ["expand: adds column t.a", "expand: adds column t.b", "expand: fills what it added to t: a, b"],
    ),
    (
        "ALTER TABLE t ADD a int; UPDATE t SET a = 1, old = 2",
        ["expand: adds column t.a", "destroy: overwrites rows of t"],
    ),
    ("ALTER TABLE t ADD a int; UPDATE t SET a + 1", ["expand: adds column t.a", "destroy: overwrites rows of t"]),
    ("DELETE FROM t WHERE a = 1", ["destroy: deletes rows of t"]),
    ("TRUNCATE TABLE ONLY t", ["destroy: deletes all rows of t"]),
    (
        "MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE",
        ["destroy: overwrites rows: MERGE INTO t USING u ON a = b WHEN …"],
    ),
    ("SELECT 1; VALUES (1); TABLE t; (SELECT 2)", []),
    ("SELECT count(*), max(a) FROM t WHERE lower(b) IN ('x')", []),
    ("SELECT pg_catalog.set_config('search_path', '', false)", []),
    ("SELECT setval('s', 5)", ["change: sets where a sequence goes on"]),
    ("SELECT drop_everything()", ["unknown: calls drop_everything, which may do anything"]),
    ("SELECT * INTO TEMP t2 FROM t", ["expand: creates table t2 from a query"]),
    ("SELECT a INTO @b FROM t", []),
    ("SELECT a INTO OUTFILE '/tmp/x' FROM t", ["unknown: writes rows to a file of the server"]),
    ("WITH a AS (SELECT 1), b (c) AS MATERIALIZED (SELECT 2) SELECT * FROM a, b", []),
    ("WITH RECURSIVE a AS (SELECT 1) INSERT INTO t SELECT * FROM a", ["change: inserts rows into t"]),
    ("WITH a (SELECT 1)", ["unknown: is not understood: WITH a ( SELECT 1 )"]),
    ("WITH", ["unknown: is not understood: WITH"]),
    (
        "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
        ["destroy: changes rows within a query: DELETE …"],
    ),
]


def test_a_part_in_parentheses_that_is_not_closed() -> None:
    cursor = Cursor((Token("symbol", "(", "("), Token("word", "a", "A")))
    assert (cursor.past_parentheses(), cursor.done) == ((), True)


def told(text: str) -> list[str]:
    return [f"{step.effect}: {step.what}" for step in read_steps(text)]


@pytest.mark.parametrize(("text", "expected"), [*EVERYDAY, *ROWS])
def test_a_statement(text: str, expected: list[str]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(("action", "expected"), TABLES)
def test_an_action_of_alter_table(action: str, expected: list[str]) -> None:
    assert list(dict.fromkeys(told(f"ALTER TABLE a {action};"))) == expected


BLOCKS = [
    ("DO $$ BEGIN CREATE TYPE m AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN null; END $$;", "expand"),
    ("DO LANGUAGE plpgsql $$\nBEGIN\n ALTER TABLE a ADD b int;\n DROP TABLE c;\nEND;\n$$", "expand destroy"),
    ("DO $$ BEGIN ALTER TABLE a DROP CONSTRAINT c; EXCEPTION WHEN a OR b THEN NULL; END $$ LANGUAGE plpgsql", "change"),
    ("CREATE TABLE a (b int); DO $$ BEGIN ALTER TABLE a ADD CHECK (b > 0); END $$; UPDATE a SET b = 1",
     "expand expand expand"),
    ("DO $$ BEGIN CREATE TABLE a (b int); ALTER TABLE c ADD d int; EXCEPTION WHEN x THEN NULL; END $$; "
     "UPDATE a SET b = 1; UPDATE c SET d = 1", "expand expand destroy destroy"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''; DO $$ BEGIN CREATE TABLE a AS SELECT f(); END $$",
     "expand unknown"),
    ("DO 'BEGIN COMMENT ON TABLE a IS NULL; END'", "expand"),
    ("DO $$ BEGIN EXCEPTION WHEN a THEN NULL; END $$", "unknown"),
    ("DO $$ BEGIN ALTER TABLE a ADD b int; EXCEPTION WHEN a THEN DROP TABLE c; END $$", "unknown"),
    ("DO $$ BEGIN ALTER TABLE a ADD b int; EXCEPTION WHEN a THEN NULL; WHEN b THEN NULL; END $$", "unknown"),
    ("DO $$ DECLARE a int; BEGIN ALTER TABLE a ADD b int; END $$", "unknown"),
    ("DO $$ BEGIN IF a THEN ALTER TABLE a ADD b int; END IF; END $$", "unknown"),
    ("DO $$ BEGIN EXECUTE 'DROP TABLE a'; END $$", "unknown"),
    ("DO $$ BEGIN PERFORM f(); END $$", "unknown"),
    ("DO $$ BEGIN ALTER TABLE a ADD (b; END $$", "unknown"),
    ("DO $$ BEGIN END $$", "unknown"),
    ("DO $$ $$", "unknown"),
    ("DO $$ print('x') $$ LANGUAGE plpython3u", "unknown"),
    ("DO $$ BEGIN ALTER TABLE a ADD b int; END $$ LANGUAGE other", "unknown"),
    ("DO sleep(5)", "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BLOCKS)
def test_a_block_of_plain_statements_is_read(text: str, expected: str) -> None:
    assert " ".join(step.effect for step in read_steps(text)) == expected


MADE = [
    # A table that may have been there before is not the migration's own.
    ("CREATE TABLE IF NOT EXISTS t (a int); INSERT INTO t VALUES (1)", "expand change"),
    ("CREATE TABLE t (a int); USE other; INSERT INTO t VALUES (1)", "expand change"),
    ("CREATE TABLE t (a int); SET search_path = other; INSERT INTO t VALUES (1)", "expand change"),
    ("CREATE TABLE t (a int); SELECT set_config('search_path', 'x', false); INSERT INTO t VALUES (1)", "expand change"),
    ("CREATE TABLE t (a int); ALTER TABLE t RENAME TO u; INSERT INTO u VALUES (1)", "expand expand expand"),
    ("CREATE TABLE s.t (a int); ALTER TABLE s.t RENAME TO u; INSERT INTO s.u VALUES (1)", "expand expand expand"),
    ("CREATE TABLE t (a int); ALTER TABLE t RENAME TO u; ALTER TABLE v RENAME TO t; UPDATE t SET a = 1",
     "expand expand change destroy"),
    ("CREATE TABLE t (a int); RENAME TABLE t TO u, v TO t; UPDATE t SET a = 1", "expand expand change destroy"),
    ("CREATE TABLE t (a int); ALTER TABLE t ATTACH PARTITION old DEFAULT; UPDATE t SET a = 1",
     "expand change destroy"),
    ("CREATE TABLE t (a int); ALTER TABLE IF EXISTS t ADD b int NOT NULL; INSERT INTO t VALUES (1)",
     "expand expand expand"),
    ("CREATE TABLE t (a int); DROP TABLE t CASCADE", "expand destroy"),
    ('CREATE TABLE "T" (a int); UPDATE T SET a = 1', "expand destroy"),
    ('CREATE TABLE "t" (a int); UPDATE t SET a = 1', "expand expand"),
    ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int; UPDATE t SET a = 1", "expand destroy"),
    ("ALTER TABLE t ADD a int; ALTER TABLE t RENAME b TO a; UPDATE t SET a = 1", "expand change destroy"),
    ("ALTER TABLE t ADD a int; ALTER TABLE t CHANGE b a int; UPDATE t SET a = 1", "expand destroy destroy"),
    ("ALTER TABLE t ADD a int; ALTER TABLE IF EXISTS t ADD b int; UPDATE t SET a = 1", "expand expand destroy"),
    ("ALTER TABLE t ADD a int; ALTER TABLE t DROP a CASCADE", "expand destroy"),
    ("CREATE FOREIGN TABLE t (a int); UPDATE t SET a = 1", "expand destroy"),
    ("CREATE TABLE t (a int); CREATE TRIGGER r BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f(); "
     "INSERT INTO t VALUES (1)", "expand expand expand"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MADE)
def test_what_the_migration_made_is_its_own(text: str, expected: str) -> None:
    assert " ".join(step.effect for step in read_steps(text)) == expected


RUN = [
    "SELECT f()",
    "INSERT INTO t SELECT f()",
    "INSERT INTO t VALUES (s.f())",
    'UPDATE t SET a = "f"()',
    "DELETE FROM t WHERE f()",
    "SET @a = f()",
    "CREATE TABLE t AS SELECT f()",
    "CREATE INDEX i ON t (f(a))",
    "CREATE MATERIALIZED VIEW m AS SELECT f()",
    "CREATE VIEW v AS SELECT f() AS a; SELECT a FROM v",
    "CREATE MATERIALIZED VIEW m AS SELECT 1; CREATE VIEW m2 AS SELECT f(); REFRESH MATERIALIZED VIEW m2",
    "ALTER TABLE t ADD COLUMN b int DEFAULT f()",
    "CREATE TABLE u (a int DEFAULT f()); INSERT INTO u DEFAULT VALUES",
    "ALTER TABLE t ALTER COLUMN a SET DEFAULT f(); INSERT INTO t (b) VALUES (1)",
    "CREATE TRIGGER r AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); INSERT INTO t VALUES (1)",
    "CREATE TRIGGER r AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f(); "
    "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1",
    "CREATE TRIGGER r AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION f(); DELETE FROM t",
    "CREATE TRIGGER r AFTER TRUNCATE ON t EXECUTE FUNCTION f(); TRUNCATE t",
    "CREATE TRIGGER r AFTER UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION f(); UPDATE t SET a = 1",
]


@pytest.mark.parametrize("use", RUN)
def test_what_was_written_here_and_is_run_here_is_unknown(use: str) -> None:
    make = "CREATE FUNCTION s.f() RETURNS int AS $$ BEGIN DELETE FROM users; END $$ LANGUAGE plpgsql;"
    assert "unknown" in [step.effect for step in read_steps(f"{make} {use}")]


def test_a_function_that_may_change_nothing_is_not_feared() -> None:
    make = "CREATE FUNCTION f() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'; "
    assert told(make + "INSERT INTO t SELECT f(); ALTER TABLE t ADD b int DEFAULT f()") == [
        "expand: creates function f",
        "change: inserts rows into t",
        "expand: adds column t.b",
    ]


def test_a_function_that_is_made_and_not_run_is_new() -> None:
    assert told("CREATE OR REPLACE AGGREGATE a (int) (SFUNC = f); CREATE TABLE t (a int DEFAULT a(1))") == [
        "change: creates aggregate a, perhaps in the place of another",
        "expand: creates table t",
    ]


def test_limits() -> None:
    assert told("x" * (LONGEST + 1)) == [f"unknown: is longer than {LONGEST} characters and was not read"]
    assert told("SELECT 1;\0") == ["unknown: holds a NUL character: it is no SQL"]
    assert len(told("COMMENT ON TABLE a IS '" + "x" * 999 + "'")[0]) < 200


WORDS = words("""
    CREATE DROP ALTER TABLE INDEX VIEW TRIGGER FUNCTION TYPE ADD COLUMN CONSTRAINT RENAME TO SET NOT NULL DEFAULT UNIQUE
    PRIMARY KEY INSERT INTO VALUES SELECT UPDATE DELETE FROM WITH AS OR REPLACE IF EXISTS ON BEGIN END CASE CASCADE
    USING MATERIALIZED REFRESH RECURSIVE TEMP DEFINER = ( ) , ; . @ * ' " ` [ ] $$ $x$ # -- /* */ /*! \\' a b c A 1 'x'
    "B" DELIMITER // GO CHANGE MODIFY PARTITION INTO OUTFILE EVENT ATTRIBUTE VALUE TRUNCATE PRAGMA ENGINE ${a} DO
    LANGUAGE plpgsql EXCEPTION WHEN THEN
""")


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([*sorted(WORDS), "\n", "\r", "\t"]), max_size=40).map(" ".join))
def test_no_order_of_words_is_too_much(text: str) -> None:
    for step in read_steps(text):
        assert step.effect in ("expand", "change", "destroy", "unknown")
        assert step.what
        assert "\n" not in step.what


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=60))
def test_no_text_is_too_much(text: str) -> None:
    read_steps(text)


HOSTILE = [
    "(" * 60_000, "/*" * 60_000, "'a'" * 40_000, "$" * 120_000, "BEGIN;" * 20_000, "_" * 120_000, "a$" * 60_000,
    "CREATE TRIGGER x " + "BEGIN " * 20_000, "'\\" * 60_000, "DELIMITER x\n" * 10_000, " GO" * 40_000, "[" * 120_000,
    "/*!" * 40_000, "ALTER TABLE x " + "ADD a int," * 10_000, "WITH a AS (" * 10_000, "${a" * 40_000, '"' * 119_999,
    "CREATE DEFINER=a" * 8_000, "\r" * 120_000, "SELECT f(" * 12_000, "RENAME TABLE " + "a TO b," * 15_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
def test_time_grows_with_the_length_alone(text: str) -> None:
    started = time.process_time()
    read_steps(text)
    assert time.process_time() - started < 120  # what grows faster takes hours
