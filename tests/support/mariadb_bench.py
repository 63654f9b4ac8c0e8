"""A MariaDB database with a bit of everything in it, and every change of it that a fingerprint must tell."""

from __future__ import annotations

from rollback_guard.backup.engines.mariadb import MariaDB
from rollback_guard.backup.engines.mariadb_connection import identifier
from tests.support.mariadb import Server, engine_of, new_name, rows_of, server, url_of

EVERYTHING = """
CREATE SEQUENCE invoice START WITH 100 INCREMENT BY 5 CACHE 10
CREATE TABLE customer (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) NOT NULL COLLATE utf8mb4_bin,
  email VARCHAR(80) CHARACTER SET latin1, note TEXT, secret INT INVISIBLE DEFAULT 3, UNIQUE KEY by_email (email),
  FULLTEXT KEY words (note)) COMMENT 'who buys'
CREATE TABLE purchase (id BIGINT AUTO_INCREMENT PRIMARY KEY, customer INT UNSIGNED,
  number INT DEFAULT (NEXT VALUE FOR invoice), price DECIMAL(20,6), gross DECIMAL(22,6) AS (price * 1.19) STORED,
  later DECIMAL(22,6) AS (price * 2) VIRTUAL,
  at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  CONSTRAINT fk_customer FOREIGN KEY (customer) REFERENCES customer (id) ON DELETE CASCADE,
  CONSTRAINT not_negative CHECK (price >= 0), KEY by_price (price DESC, customer))
CREATE TABLE types (id INT PRIMARY KEY, a TINYINT, b SMALLINT ZEROFILL, c MEDIUMINT, d INT, e BIGINT UNSIGNED, f FLOAT,
  g DOUBLE, h DECIMAL(30,10), i BIT(9), j YEAR, k DATE, l TIME(3), m DATETIME(6), n TIMESTAMP NULL, o CHAR(9),
  p VARCHAR(20) CHARACTER SET latin1, q BINARY(6), r VARBINARY(9), s TINYBLOB, t BLOB, u MEDIUMBLOB, v LONGBLOB,
  w TINYTEXT, x TEXT CHARACTER SET ucs2, y MEDIUMTEXT, z LONGTEXT, aa ENUM('', 'red', 'NULL'), ab SET('x', 'y', 'x y'),
  ac JSON, ad GEOMETRY, ae POINT, af INET4, ag INET6, ah UUID, ai BOOL)
CREATE TABLE tree (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES tree (id))
CREATE TABLE price (id INT PRIMARY KEY, amount FLOAT) WITH SYSTEM VERSIONING
CREATE TABLE log (id INT, day DATE) PARTITION BY RANGE (YEAR(day)) (PARTITION old VALUES LESS THAN (2020),
  PARTITION new VALUES LESS THAN MAXVALUE)
CREATE TABLE booking (room INT, since DATE, until DATE, PERIOD FOR stay (since, until),
  UNIQUE (room, stay WITHOUT OVERLAPS))
CREATE TABLE fixed (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20)) ENGINE=MyISAM
CREATE TABLE aria (id INT PRIMARY KEY, f FLOAT) ENGINE=Aria TRANSACTIONAL=1
CREATE TABLE memory (id INT PRIMARY KEY) ENGINE=MEMORY
CREATE TABLE empty (id INT)
CREATE TABLE `odd ``name``. "'é` (`a``b` INT, `guard_row` INT, `N` VARCHAR(9), `x.h` INT, `@h` INT)
INSERT INTO customer (name, email, note) VALUES ('Zoë', CONVERT(_utf8mb4'zoë@acme.example' USING latin1), NULL),
  ('O''Hara\\n', 'NULL', 'NULL'), ('  ', '', ''), ('😀', NULL, '-- Dump completed\\n')
INSERT INTO purchase (customer, price, at) VALUES (1, 9.990001, '2026-01-02 03:04:05.678901'), (2, 0, '2026-01-02')
INSERT INTO types VALUES (1, -1, 7, 3, 4, 18446744073709551615, 0.1234567891, 0.1e0 + 0.2e0, 1.0000000001, b'100000001',
  1999, '2026-02-28', '-838:59:58.123', '2026-01-01 00:00:00.000001', '2026-06-30 23:59:59', 'a ', _latin1 0xE9FF,
  'a\\0',
  'a\\0', 'b', 0x00FF0A0D1A275C, 'd', 'e', 'f', _ucs2 0x00E4, 'h', 'i', 'red', 'x,y', '{"a": 1}',
  ST_GeomFromText('LINESTRING(0 0,1 1)', 4326), POINT(1, 2), '10.0.0.1', '::1',
  '6ccd780c-baba-1026-9564-5b8c656024db', 1)
INSERT INTO types (id) VALUES (2)
INSERT INTO types (id, f, g, w, s, aa) VALUES (3, 16777215, 1e308, '', '', ''), (4, 16777216, -0.0, 'NULL', 'N', 'NULL')
INSERT INTO tree VALUES (1, NULL), (2, 1)
INSERT INTO price VALUES (1, 0.1)
UPDATE price SET amount = 16777215
UPDATE price SET amount = 3
INSERT INTO log VALUES (1, '2019-01-01'), (2, '2026-01-01')
INSERT INTO booking VALUES (1, '2026-01-01', '2026-01-03')
INSERT INTO fixed (what) VALUES ('a'), ('b')
INSERT INTO aria VALUES (1, 16777217.5)
INSERT INTO memory VALUES (1)
INSERT INTO `odd ``name``. "'é` VALUES (1, 2, 'N', 3, 4)
CREATE VIEW zebra AS SELECT id, name FROM customer
CREATE VIEW alpha AS SELECT id FROM zebra WHERE id > 0 WITH CASCADED CHECK OPTION
CREATE FUNCTION vat(amount DECIMAL(20,6)) RETURNS DECIMAL(22,6) DETERMINISTIC COMMENT 'it''s' RETURN amount * 0.19
CREATE PROCEDURE forget(IN who INT) SQL SECURITY INVOKER
  BEGIN DELETE FROM customer WHERE id = who; SELECT ';;', "😀"; END
CREATE TRIGGER z_first BEFORE INSERT ON fixed FOR EACH ROW SET NEW.what = CONCAT(NEW.what, 'z')
CREATE TRIGGER a_second BEFORE INSERT ON fixed FOR EACH ROW FOLLOWS z_first SET NEW.what = CONCAT(NEW.what, 'a')
CREATE TRIGGER noted AFTER INSERT ON purchase FOR EACH ROW INSERT INTO log VALUES (NEW.id, '2026-03-04')
CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY STARTS '2036-01-01 00:00:00' ON COMPLETION PRESERVE COMMENT 'DO it'
  DO DELETE FROM log WHERE id < 0
CREATE EVENT asleep ON SCHEDULE EVERY 2 HOUR DISABLE DO SELECT 1
"""
# What is changed, by a name of what it is about.
MUTATIONS = {
    "tinyint": "UPDATE types SET a = -2 WHERE id = 1",
    "smallint zerofill": "UPDATE types SET b = 70 WHERE id = 1",
    "mediumint": "UPDATE types SET c = 30 WHERE id = 1",
    "int": "UPDATE types SET d = NULL WHERE id = 1",
    "bigint unsigned": "UPDATE types SET e = e - 1 WHERE id = 1",
    "float, its last bit": "UPDATE types SET f = 0.12345678 WHERE id = 1",
    "float, beyond six digits": "UPDATE types SET f = 16777214 WHERE id = 3",
    "double": "UPDATE types SET g = 0.3 WHERE id = 1",
    "decimal": "UPDATE types SET h = 1.0000000002 WHERE id = 1",
    "bit": "UPDATE types SET i = b'000000001' WHERE id = 1",
    "year": "UPDATE types SET j = 2000 WHERE id = 1",
    "date": "UPDATE types SET k = '2026-02-27' WHERE id = 1",
    "time": "UPDATE types SET l = '-838:59:58.124' WHERE id = 1",
    "datetime": "UPDATE types SET m = '2026-01-01 00:00:00.000002' WHERE id = 1",
    "timestamp": "UPDATE types SET n = '2026-06-30 23:59:58' WHERE id = 1",
    "char": "UPDATE types SET o = ' a' WHERE id = 1",
    "varchar, its case": "UPDATE types SET p = _latin1 0xC9FF WHERE id = 1",
    "binary": "UPDATE types SET q = 'a\\0\\0\\0\\0b' WHERE id = 1",
    "varbinary, a zero at its end": "UPDATE types SET r = 'a\\0\\0' WHERE id = 1",
    "tinyblob": "UPDATE types SET s = 'B' WHERE id = 1",
    "blob": "UPDATE types SET t = 0x00FF0A0D1A275C00 WHERE id = 1",
    "mediumblob": "UPDATE types SET u = 'D' WHERE id = 1",
    "longblob": "UPDATE types SET v = 'E' WHERE id = 1",
    "tinytext, '' to NULL": "UPDATE types SET w = NULL WHERE id = 3",
    "tinytext, 'NULL' to NULL": "UPDATE types SET w = NULL WHERE id = 4",
    "text": "UPDATE types SET x = _ucs2 0x00C4 WHERE id = 1",
    "mediumtext": "UPDATE types SET y = 'h ' WHERE id = 1",
    "longtext": "UPDATE types SET z = 'I' WHERE id = 1",
    "enum, '' to no member": "UPDATE IGNORE types SET aa = 'nothing' WHERE id = 3",
    "enum": "UPDATE types SET aa = 'NULL' WHERE id = 1",
    "set": "UPDATE types SET ab = 'x y' WHERE id = 1",
    "json": "UPDATE types SET ac = '{\"a\":1}' WHERE id = 1",
    "geometry, its system": "UPDATE types SET ad = ST_GeomFromText('LINESTRING(0 0,1 1)', 1) WHERE id = 1",
    "point": "UPDATE types SET ae = POINT(1, 3) WHERE id = 1",
    "inet4": "UPDATE types SET af = '10.0.0.2' WHERE id = 1",
    "inet6": "UPDATE types SET ag = '::2' WHERE id = 1",
    "uuid": "UPDATE types SET ah = '6ccd780c-baba-1026-9564-5b8c656024dc' WHERE id = 1",
    "two values that change places": "UPDATE types SET a = 7, b = 1 WHERE id = 1",
    "two rows that change places": "UPDATE tree SET parent = IF(id = 1, 2, 1)",
    "invisible column": "UPDATE customer SET secret = 4 WHERE id = 1",
    "column named like an alias": "UPDATE `odd ``name``. \"'é` SET guard_row = 3",
    "a row twice": "INSERT INTO empty VALUES (1), (1)",
    "a row of a partition": "UPDATE log SET day = '2019-01-02' WHERE id = 1",
    "MyISAM": "UPDATE fixed SET what = 'c' WHERE id = 1",
    "Aria, a float": "UPDATE aria SET f = 16777219",
    "MEMORY": "INSERT INTO memory VALUES (2)",
    "only history": "SET @@timestamp = 1; UPDATE price SET amount = 4; UPDATE price SET amount = 3",
    "auto_increment": "ALTER TABLE customer AUTO_INCREMENT = 1000",
    "auto_increment of MyISAM": "ALTER TABLE fixed AUTO_INCREMENT = 1000",
    "sequence": "DO SETVAL(invoice, 1000)",
    "sequence, its step": "ALTER SEQUENCE invoice INCREMENT BY 6",
    "view": "CREATE OR REPLACE VIEW zebra AS SELECT id, email AS name FROM customer",
    "missing view": "DROP VIEW alpha",
    "routine": "CREATE OR REPLACE FUNCTION vat(amount DECIMAL(20,6)) RETURNS DECIMAL(22,6) DETERMINISTIC RETURN 0",
    "routine, its sql_mode": "SET sql_mode = 'ANSI'; CREATE OR REPLACE FUNCTION vat(amount DECIMAL(20,6))"
    " RETURNS DECIMAL(22,6) DETERMINISTIC RETURN 0",
    "missing routine": "DROP PROCEDURE forget",
    "trigger": "CREATE OR REPLACE TRIGGER noted AFTER INSERT ON purchase FOR EACH ROW SET @x = 1",
    "missing trigger": "DROP TRIGGER a_second",
    "event": "ALTER EVENT tidy ON SCHEDULE EVERY 2 DAY",
    "event that is off": "ALTER EVENT tidy DISABLE",
    "missing event": "DROP EVENT asleep",
    "index": "ALTER TABLE purchase DROP KEY by_price, ADD KEY by_price (price, customer)",
    "index that is ignored": "ALTER TABLE purchase ALTER INDEX by_price IGNORED",
    "foreign key": "ALTER TABLE purchase DROP FOREIGN KEY fk_customer, ADD CONSTRAINT fk_customer2"
    " FOREIGN KEY (customer) REFERENCES customer (id)",
    "check": "ALTER TABLE purchase DROP CONSTRAINT not_negative",
    "default": "ALTER TABLE customer ALTER COLUMN secret SET DEFAULT 4",
    "generated column": "ALTER TABLE purchase MODIFY later DECIMAL(22,6) AS (price * 3) VIRTUAL",
    "comment": "ALTER TABLE customer COMMENT 'who pays'",
    "collation": "ALTER TABLE customer MODIFY name VARCHAR(80) NOT NULL COLLATE utf8mb4_nopad_bin",
    "period": "ALTER TABLE booking DROP KEY room",
    "partition": "ALTER TABLE log REORGANIZE PARTITION new INTO (PARTITION mid VALUES LESS THAN (2030),"
    " PARTITION new VALUES LESS THAN MAXVALUE)",
    "versioning": "ALTER TABLE price DROP SYSTEM VERSIONING",
    "engine": "ALTER TABLE memory ENGINE=InnoDB",
    "missing empty table": "DROP TABLE empty",
    "character set of the database": "ALTER DATABASE CHARACTER SET latin1",
}
ODD = {
    "sql_mode": "'ANSI,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES,NO_UNSIGNED_SUBTRACTION'",
    "time_zone": "'+05:30'",
    "sql_quote_show_create": "0",
    "lc_time_names": "'de_DE'",
    "div_precision_increment": "9",
    "character_set_client": "latin1",
    "character_set_connection": "latin1",
    "character_set_results": "latin1",
    "collation_connection": "latin1_german2_ci",
    "max_statement_time": "600",
    "old_mode": "'ZERO_DATE_TIME_CAST'",
    "default_storage_engine": "MyISAM",
    "tx_isolation": "'READ-UNCOMMITTED'",
    "low_priority_updates": "1",
}


def statements(text: str) -> list[str]:
    """One a line, and what is indented belongs to the line before."""
    return [one for one in text.replace("\n  ", " ").split("\n") if one]


class MariaDBBench:
    """One database on the source's server, and a second server to try backups on."""

    mutations = tuple(MUTATIONS)

    def __init__(self) -> None:
        self.server: Server = server()
        self.name = new_name()
        self.server.run(f"CREATE DATABASE {self.name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        self.run(*statements(EVERYTHING))

    def run(self, *words: str) -> None:
        """Statements, in the database."""
        self.server.run(*words, database=self.name)

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """What a statement answers."""
        return rows_of(self.server, self.name, statement)

    def engine(self) -> MariaDB:
        """The engine, with the second server to try backups on."""
        return engine_of(url_of(self.server, self.name), GUARD_SCRATCH_MARIADB=url_of(server("scratch"), ""))

    def mutate(self, name: str) -> None:
        """Change one thing."""
        self.run(*MUTATIONS[name].split("; "))

    def write(self) -> None:
        """Buy something, as an application does."""
        self.run(
            "INSERT INTO customer (name, email) VALUES (UUID(), UUID())",
            "INSERT INTO purchase (customer, price) VALUES (LAST_INSERT_ID(), 1)",
            "UPDATE types SET a = a + 1 WHERE id = 1",
            "UPDATE price SET amount = amount + 1",
            "DO NEXT VALUE FOR invoice",
        )

    def odd_session(self) -> None:
        """What every new session of any user begins with."""
        self.server.run(*(f"SET GLOBAL {name} = {value}" for name, value in ODD.items()))

    def close(self) -> None:
        """Leave the server as it was."""
        self.server.run(*(f"SET GLOBAL {name} = DEFAULT" for name in ODD), "SET GLOBAL sql_mode = DEFAULT")
        found = rows_of(self.server, "mysql", "SHOW DATABASES")
        for (name,) in found:
            if str(name) not in ("information_schema", "mysql", "performance_schema", "sys"):
                self.server.run(f"DROP DATABASE {identifier(str(name))}")
