"""A PostgreSQL database with a bit of everything in it, and what can be changed so that a fingerprint must tell."""

from __future__ import annotations

import itertools
from pathlib import Path

from rollback_guard.backup.engines.postgresql import PostgreSQL
from rollback_guard.backup.source import Source
from tests.support.postgres import SUPERUSER, Server

_NUMBERS = itertools.count()
SQL = Path(__file__).with_suffix(".sql")
ROLES = ("reader", 'Odd "Role"', "asked", "limited")
# Every type has a column of its own in `kinds`, with a value and another one.
KINDS: dict[str, tuple[str, str]] = {
    "boolean": ("true", "false"),
    "smallint": ("1", "2"),
    "bigint": ("9223372036854775807", "1"),
    "real": ("'-0'", "'0'"),
    "double precision": ("'NaN'", "'Infinity'"),
    "numeric": ("1.0", "1.00"),
    "money": ("'12.34'", "'12.35'"),
    "text": ("'NULL'", "NULL"),
    "character varying(20)": ("'a '", "'a'"),
    "character(5)": ("'ab'", "'ac'"),
    "bytea": ("'\\x00ff'", "'\\x00fe'"),
    "bit varying": ("B'101'", "B'1010'"),
    "date": ("'2026-11-22'", "'infinity'"),
    "time with time zone": ("'10:00+02'", "'10:00+03'"),
    "timestamp": ("'2026-11-22 10:00'", "'2026-11-22 10:00:00.000001'"),
    "timestamp with time zone": ("'2026-11-22 10:00+02'", "'2026-11-22 10:00+03'"),
    "interval": ("'1 mon'", "'30 days'"),
    "uuid": ("'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'"),
    "inet": ("'10.0.0.1'", "'10.0.0.0/8'"),
    "macaddr": ("'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"),
    "json": ("'{\"a\": 1}'", "'{\"a\":1}'"),
    "jsonb": ("'{\"a\": 1}'", "'{\"a\": 1.0}'"),
    "point": ("'(1,2)'", "'(1,2.0000000000000004)'"),
    "polygon": ("'((0,0),(1,1),(2,0))'", "'((0,0),(1,1),(2,1))'"),
    "tsvector": ("'a:1 b:2'", "'a:1 b:3'"),
    "tsquery": ("'a & b'", "'a | b'"),
    "int4range": ("'[1,5)'", "'[1,6)'"),
    "int4multirange": ("'{[1,5)}'", "'{[1,5),[7,8)}'"),
    "integer[]": ("'{1,NULL}'", "'{1,2}'"),
    "text[]": ("'{NULL}'", "'{\"NULL\"}'"),
    "regclass": ("'pg_catalog.pg_class'", "'pg_catalog.pg_proc'"),
    "pg_lsn": ("'0/1'", "'0/2'"),
    "shop.mood": ("'glad'", "'so so'"),
    "shop.amount": ("1", "2"),
    "shop.address": ("ROW('a', 'b, c')", "ROW('a', NULL, NULL)"),
    "shop.spread": ("'[1,2)'", "'[1,3)'"),
    "public.hstore": ("'a=>1'", "'a=>NULL'"),
    "public.citext": ("'a'", "'A'"),
}
WITH_XML = {"xml": ("'<a/>'", "'<a></a>'")}
MUTATIONS: dict[str, str] = {
    "an edited row": "UPDATE shop.customers SET name = 'customer X' WHERE id = 200",
    "two values exchanged between rows": "UPDATE shop.t SET a = CASE a WHEN 'NULL' THEN ' ' ELSE 'NULL' END"
    ' WHERE "select" > 1',
    "a row twice": "INSERT INTO shop.t VALUES ('x', 'y', 1)",
    "a row less": "DELETE FROM shop.t WHERE ctid = (SELECT min(ctid) FROM shop.t)",
    "the column that is named like its table": "UPDATE shop.t SET t = 'z' WHERE \"select\" = 3",
    "a column beside one that is named like its table": "UPDATE shop.t SET a = 'z' WHERE \"select\" = 3",
    "a row in another partition": "UPDATE shop.orders_rest SET total = total + 1 WHERE id = 1",
    "a row of a child": "UPDATE shop.children SET more = 'n'",
    "a row without columns": "INSERT INTO shop.empty DEFAULT VALUES",
    "a row of an unlogged table": "UPDATE shop.cache SET value = '\\xdeadbeee'",
    "a wide value": "UPDATE shop.parents SET note = overlay(note PLACING 'X' FROM 9000) WHERE id = 2",
    "an empty text for a null": "UPDATE shop.t SET t = '' WHERE t IS NULL",
    "a sequence": "SELECT setval('shop.numbers', 46, false)",
    "a sequence that was called": "SELECT setval('shop.numbers', 46, true)",
    "a sequence of an identity": "SELECT nextval('shop.customers_id_seq')",
    "a sequence's step": "ALTER SEQUENCE shop.numbers INCREMENT 4",
    "a byte of a large object": "SELECT lo_put(4711, 3, '\\x04')",
    "a large object": "SELECT lo_unlink(4712)",
    "a large object's comment": "COMMENT ON LARGE OBJECT 4711 IS 'another'",
    "a column's default": "ALTER TABLE shop.orders ALTER total SET DEFAULT 1",
    "a column's type": 'ALTER TABLE shop.t ALTER "select" TYPE bigint',
    "a column's collation": "ALTER TABLE shop.t ALTER a TYPE text COLLATE shop.plain",
    "a column's storage": "ALTER TABLE shop.parents ALTER note SET STORAGE MAIN",
    "a column's statistics": "ALTER TABLE shop.parents ALTER id SET STATISTICS 8",
    "a column that may be null": "ALTER TABLE shop.orders ALTER placed SET NOT NULL, ALTER customer SET NOT NULL",
    "a column's compression": "ALTER TABLE shop.t ALTER t SET COMPRESSION pglz",
    "a column's identity": "ALTER TABLE shop.customers ALTER id SET GENERATED ALWAYS",
    "a column's name": 'ALTER TABLE shop.t RENAME "select" TO selected',
    "a column more": "ALTER TABLE shop.empty ADD one integer",
    "a generated column that is not": "ALTER TABLE shop.customers ALTER doubled DROP EXPRESSION",
    "a constraint": "ALTER TABLE shop.bookings DROP CONSTRAINT bookings_during_excl",
    "a check that is not checked": "ALTER TABLE shop.t ADD CONSTRAINT c CHECK (selected > 0) NOT VALID",
    "a foreign key": "ALTER TABLE shop.orders DROP CONSTRAINT orders_customer_fkey",
    "an index": "DROP INDEX shop.orders_customer",
    "an index more": "CREATE INDEX more ON shop.t (lower(t) DESC)",
    "a primary key": "ALTER TABLE shop.cache DROP CONSTRAINT cache_pkey",
    "a table's options": "ALTER TABLE shop.cache SET (fillfactor = 80)",
    "a table that is logged": "ALTER TABLE shop.cache SET LOGGED",
    "a replica identity": "ALTER TABLE shop.parents REPLICA IDENTITY DEFAULT",
    "an order of clustering": "ALTER TABLE shop.customers SET WITHOUT CLUSTER",
    "a partition": "ALTER TABLE shop.orders DETACH PARTITION shop.orders_rest",
    "an heir": "ALTER TABLE shop.children NO INHERIT shop.parents",
    "a view": "CREATE OR REPLACE VIEW shop.glad WITH (security_barrier) AS SELECT id, name FROM shop.customers"
    " WHERE mood <> 'glad' WITH LOCAL CHECK OPTION",
    "a view's options": "ALTER VIEW shop.glad SET (security_barrier = false)",
    "a materialized view that is empty": "REFRESH MATERIALIZED VIEW shop.totals WITH NO DATA",
    "a materialized view": "DROP MATERIALIZED VIEW shop.later",
    "a function's text": "CREATE OR REPLACE FUNCTION shop.twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE"
    " AS 'SELECT 3 * n'",
    "a function's kind": "ALTER FUNCTION shop.twice(integer) STABLE STRICT",
    "a procedure": "ALTER PROCEDURE shop.nothing(integer) RESET search_path",
    "an aggregate": "CREATE OR REPLACE AGGREGATE shop.total(integer) (sfunc = int4pl, stype = integer, initcond = '1')",
    "an operator": "DROP OPERATOR shop.=== (shop.address, shop.address)",
    "a cast": "DROP CAST (shop.mood AS text)",
    "a text search dictionary": "ALTER TEXT SEARCH DICTIONARY shop.stem (accept = false)",
    "a text search configuration": "ALTER TEXT SEARCH CONFIGURATION shop.words DROP MAPPING FOR asciiword",
    "a collation": "CREATE COLLATION shop.second (locale = 'POSIX')",
    "a trigger": "DROP TRIGGER stamp ON shop.customers",
    "a trigger that wakes": "ALTER TABLE shop.customers ENABLE TRIGGER asleep",
    "an event trigger": "ALTER EVENT TRIGGER watch DISABLE",
    "a rule": "DROP RULE quiet ON shop.parents",
    "an enum's label": "ALTER TYPE shop.mood RENAME VALUE 'sad' TO 'blue'",
    "an enum's order": "ALTER TYPE shop.mood ADD VALUE 'better' BEFORE 'glad'",
    "a domain's check": "ALTER DOMAIN shop.amount ADD CHECK (VALUE < 1000)",
    "a domain's default": "ALTER DOMAIN shop.amount SET DEFAULT 2",
    "a part of a type": "ALTER TYPE shop.address ADD ATTRIBUTE country text",
    "a type's owner": "ALTER TYPE shop.spread OWNER TO reader",
    "a policy": "ALTER POLICY own_rows ON shop.customers USING (name <> 'secrets')",
    "a policy's roles": "ALTER POLICY own_rows ON shop.customers TO reader",
    "row security": "ALTER TABLE shop.customers DISABLE ROW LEVEL SECURITY",
    "row security for the owner": "ALTER TABLE shop.customers FORCE ROW LEVEL SECURITY",
    "statistics": "ALTER STATISTICS shop.related SET STATISTICS 9",
    "a foreign table": "ALTER FOREIGN TABLE shop.remote OPTIONS (SET name 'y')",
    "a foreign server": "ALTER SERVER far OPTIONS (ADD port '1')",
    "a publication": "ALTER PUBLICATION news SET (publish = 'insert')",
    "what a publication tells": "ALTER PUBLICATION news SET TABLE shop.customers (id)",
    "a comment": "COMMENT ON TABLE shop.customers IS NULL",
    "a column's comment": "COMMENT ON COLUMN shop.customers.name IS 'as they write it'",
    "a grant": "REVOKE SELECT ON shop.customers FROM reader",
    "a column's grant": "GRANT SELECT (id) ON shop.customers TO reader",
    "a function's grant": "GRANT EXECUTE ON FUNCTION shop.twice(integer) TO PUBLIC",
    "a schema's grant": "REVOKE USAGE ON SCHEMA shop FROM PUBLIC",
    "grants to come": "ALTER DEFAULT PRIVILEGES FOR ROLE reader IN SCHEMA shop GRANT INSERT ON TABLES TO PUBLIC",
    "an owner": "ALTER TABLE shop.t OWNER TO reader",
    "a schema": "CREATE SCHEMA second",
    "an extension": "CREATE EXTENSION fuzzystrmatch",
    "a table": "DROP TABLE shop.bookings",
    "a sequence less": "DROP SEQUENCE shop.numbers",
}


class PostgresBench:
    """A database of its own for each test."""

    def __init__(self, server: Server, database: str) -> None:
        self.server = server
        self.database = database
        self.kinds = {**KINDS, **(WITH_XML if server.version == "15" else {})}
        self.mutations = (*MUTATIONS, *self.kinds)
        self._writes = 0
        wanted = ", ".join("'" + role.replace("'", "''") + "'" for role in ROLES)
        there = server.value(f"SELECT array_agg(rolname::text) FROM pg_roles WHERE rolname IN ({wanted})") or []
        for role in ROLES:
            if role not in there:
                quoted = role.replace('"', '""')
                server.run(f'CREATE ROLE "{quoted}" LOGIN')
        server.run(f"CREATE DATABASE {database} TEMPLATE {self._template()}")

    def _template(self) -> str:
        """The bench's database, filled once for a server."""
        name = "bench_template"
        if self.server.value(f"SELECT count(*) FROM pg_database WHERE datname = '{name}'"):
            return name
        self.server.run(f"CREATE DATABASE {name} TEMPLATE template0")
        columns = ", ".join(f'"{kind}" {kind}' for kind in self.kinds)
        values = ", ".join(f"{one}" for one, _ in self.kinds.values())
        kinds = f"CREATE TABLE shop.kinds (id integer, {columns}); INSERT INTO shop.kinds VALUES (1, {values})"
        self.server.run(SQL.read_text(encoding="utf-8"), kinds, database=name)
        return name

    def run(self, *statements: str) -> None:
        """Carry statements out in the database."""
        self.server.run(*statements, database=self.database)

    def engine(self, text: str = "", **environ: str) -> PostgreSQL:
        """The engine, on this database."""
        url = text or self.server.url(self.database)
        return PostgreSQL(Source(url, "$SHOP_DATABASE_URL", {**self.server.environ(), **environ}, "/"))

    def mutate(self, name: str) -> None:
        """Change one thing."""
        if name in MUTATIONS:
            self.run(MUTATIONS[name])
        else:
            self.run(f'UPDATE shop.kinds SET "{name}" = {self.kinds[name][1]}')

    def write(self) -> None:
        """What a shop does all day: rows, and sequences that follow no snapshot."""
        self._writes += 1
        self.run(
            f"INSERT INTO shop.customers (name) VALUES ('new {self._writes}')",
            "INSERT INTO shop.orders (placed, customer) VALUES ('2026-06-01', 101)",
            "SELECT nextval('shop.numbers')",
            f"UPDATE shop.t SET a = 'w{self._writes}'",
            f"SELECT lo_put(4711, 0, '\\x{self._writes:02x}')",
        )

    def odd_session(self) -> None:
        """Settings of the database, and of the role in it, that change how values look as text."""
        settings = {
            "TimeZone": "'Pacific/Chatham'",
            "DateStyle": "'SQL, DMY'",
            "IntervalStyle": "'sql_standard'",
            "extra_float_digits": "-3",
            "bytea_output": "'escape'",
            "search_path": "shop, public",
            "standard_conforming_strings": "off",
            "xmloption": "'document'",
            "default_text_search_config": "'pg_catalog.english'",
            "row_security": "on",
            "quote_all_identifiers": "on",
            "statement_timeout": "'2s'",
            "default_transaction_read_only": "on",
            "client_encoding": "'LATIN1'",
        }
        for name, value in settings.items():
            self.server.run(f"ALTER DATABASE {self.database} SET {name} TO {value}")
        self.server.run(f"ALTER ROLE {SUPERUSER} IN DATABASE {self.database} SET DateStyle TO 'German'")


def fresh(server: Server) -> PostgresBench:
    """A bench that no other test has."""
    return PostgresBench(server, f"shop_{next(_NUMBERS)}")
