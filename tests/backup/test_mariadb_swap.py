"""A swap of MariaDB databases: cut short anywhere it can be finished, nothing runs twice, and nothing is lost."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from rollback_guard.backup.engines import mariadb_journal, mariadb_swap
from rollback_guard.backup.engines.mariadb import MariaDB
from rollback_guard.backup.engines.mariadb_connection import Session
from rollback_guard.backup.engines.mariadb_restore import MariaDBTarget
from rollback_guard.backup.model import Fingerprint, compare
from rollback_guard.errors import RefusedError, UndeterminedError, UsageError
from tests.backup.contract import dumped
from tests.support.mariadb import engine_of, opened, server, url_of
from tests.support.mariadb import rows_of as ask

PLAIN = """\
CREATE SEQUENCE s
CREATE TABLE parent (id INT PRIMARY KEY, v INT DEFAULT (NEXT VALUE FOR s))
CREATE TABLE kid (id INT AUTO_INCREMENT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id))
INSERT INTO parent VALUES (1, 1)
INSERT INTO kid (p) VALUES (1)
CREATE VIEW z AS SELECT id FROM kid
CREATE VIEW a AS SELECT id FROM z WITH CHECK OPTION
CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1"""
TRIGGERS = """
CREATE TRIGGER t BEFORE INSERT ON kid FOR EACH ROW SET @x = 1
CREATE TRIGGER u AFTER UPDATE ON parent FOR EACH ROW SET @x = 2"""
# What the failed release did.
FAILURE = """\
INSERT INTO parent VALUES (2, 2)
CREATE TABLE migrated (id INT)
CREATE PROCEDURE p() SELECT 1
DROP FUNCTION f
CREATE OR REPLACE VIEW a AS SELECT 7
ALTER EVENT e ON SCHEDULE EVERY 2 DAY
CREATE EVENT new_one ON SCHEDULE EVERY 1 DAY DO SELECT 1
ALTER DATABASE COLLATE utf8mb4_bin"""


class Killed(BaseException):
    """The process is no more."""


class Shop:
    """A database, its backup, and what a failed release made of it."""

    def __init__(self, name: str, *, triggers: bool = True) -> None:
        self.name = name
        self.triggers = triggers
        self.server = server()
        self.server.run(f"CREATE DATABASE {name} COLLATE utf8mb4_unicode_ci")
        self.run(PLAIN + TRIGGERS if triggers else PLAIN)
        self.data, self.before = dumped(self.engine())
        self.run(FAILURE + ("\nDROP TRIGGER u" if triggers else ""))
        self.failed = dumped(self.engine())[1]

    def run(self, text: str) -> None:
        self.server.run(*text.split("\n"), database=self.name)

    def engine(self) -> MariaDB:
        return engine_of(url_of(self.server, self.name))

    def restored(self) -> None:
        """Put the backup beside."""
        self.engine().beside("swap_beside").restore(io.BytesIO(self.data))

    def now(self, name: str = "") -> Fingerprint:
        address = self.server.address.at(name or self.name)
        return MariaDBTarget(address, self.server.environ()).fingerprint()

    def drop(self) -> None:
        for name in (self.name, "swap_beside", "swap_aside"):
            self.server.run(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture(params=[True, False], ids=["triggers", "plain"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    made = Shop("swap_shop", triggers=request.param)
    yield made
    made.drop()


@pytest.fixture
def plain() -> Iterator[Shop]:
    made = Shop("swap_shop", triggers=False)
    yield made
    made.drop()


def kill_at(number: int, patch: pytest.MonkeyPatch, begins: str | tuple[str, ...] = "") -> list[str]:
    """Have the process die after the statement of that number, and what came before.

    Of statements of one kind in one phase only the first counts: the others go the same way.
    """
    done: list[str] = []
    seen: set[tuple[int, str]] = set()
    run = Session.run

    def deadly(self: Session, statement: str | bytes) -> None:
        run(self, statement)
        text = statement.decode(errors="replace") if isinstance(statement, bytes) else statement
        kind = (sum(one.startswith("UPDATE") for one in done), text.split()[0])
        if not text.startswith(("SET ", "USE ")) and text.startswith(begins):
            if kind not in seen:
                done.append(text)
            seen.add(kind)
            if len(done) == number:
                raise Killed

    patch.setattr(Session, "run", deadly)
    return done


def test_a_swap_that_is_cut_short_anywhere_is_finished(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    failed, number, ended = shop.failed, 0, False
    while not ended:
        number += 1
        shop.restored()
        with monkeypatch.context() as patch:
            done = kill_at(number, patch, "" if shop.triggers else ("COMMIT", "RENAME", "UPDATE", "DROP DATABASE"))
            try:
                shop.engine().swap("swap_beside", "swap_aside")
                ended = True
            except Killed:
                pass
        shop.engine().swap("swap_beside", "swap_aside")
        assert compare(shop.before, shop.now()) == (), done[-1]
        assert compare(failed, shop.now("swap_aside")) == (), done[-1]
        shop.engine().drop("swap_aside")
        shop.run("CREATE TABLE migrated (id INT)\nDROP EVENT e\nINSERT INTO parent VALUES (2, 2)")
        failed = shop.now()
    assert number > 8
    assert any(text.startswith("RENAME TABLE") for text in done)


def test_a_swap_whose_process_is_killed_is_finished(shop: Shop) -> None:
    shop.restored()
    code = (
        "import os, signal, sys\n"
        "from rollback_guard.backup.engines.mariadb import MariaDB\n"
        "from rollback_guard.backup.engines.mariadb_connection import Session\n"
        "from rollback_guard.backup.source import Source\n"
        "run = Session.run\n"
        "def deadly(self, statement):\n"
        "    run(self, statement)\n"
        "    if str(statement).startswith('RENAME'): os.kill(os.getpid(), signal.SIGKILL)\n"
        "Session.run = deadly\n"
        "MariaDB(Source(sys.argv[1], '', {}, '/')).swap('swap_beside', 'swap_aside')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, url_of(shop.server, shop.name)], check=False)
    assert done.returncode == -signal.SIGKILL
    shop.engine().swap("swap_beside", "swap_aside")
    assert compare(shop.before, shop.now()) == ()
    assert compare(shop.failed, shop.now("swap_aside")) == ()


def test_events_sleep_beside_and_aside(shop: Shop) -> None:
    def statuses(name: str) -> set[object]:
        wanted = f"SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '{name}'"
        return {row[0] for row in ask(shop.server, shop.name, wanted)}

    shop.restored()
    assert statuses("swap_beside") == {"DISABLED"}
    shop.engine().swap("swap_beside", "swap_aside")
    assert statuses(shop.name) == {"ENABLED"}
    assert statuses("swap_aside") == {"DISABLED"}
    shop.engine().swap("swap_aside", "swap_beside")
    assert statuses(shop.name) == {"ENABLED"}
    assert compare(shop.failed, shop.now()) == ()


def test_what_holds_a_table_is_ended(shop: Shop) -> None:
    shop.restored()
    with opened(shop.server, shop.name) as other:
        other.query("LOCK TABLES kid WRITE")
        seconds = shop.engine().swap("swap_beside", "swap_aside")
    assert compare(shop.before, shop.now()) == ()
    assert seconds > 0
    assert shop.engine().swap("swap_beside", "swap_aside") == 0.0


def test_what_cannot_be_ended_leaves_all_as_it_was(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb_swap, "LOCK_WAIT", 1)
    monkeypatch.setattr(mariadb_swap, "TRIES", 1)
    shop.restored()
    with opened(shop.server, "mysql") as other:
        other.query(f"LOCK TABLES {shop.name}.kid WRITE")
        with pytest.raises(UndeterminedError, match="locked by somebody else"):
            shop.engine().swap("swap_beside", "swap_aside")
        other.query("UNLOCK TABLES")
    assert compare(shop.failed, shop.now()) == ()
    shop.run("INSERT INTO parent VALUES (3, 3)")  # what is seen anew, when it is tried again
    failed = shop.now()
    shop.engine().swap("swap_beside", "swap_aside")
    assert compare(shop.before, shop.now()) == ()
    assert compare(failed, shop.now("swap_aside")) == ()


def test_a_source_of_which_nothing_is_left(plain: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    plain.restored()
    plain.server.run(f"DROP DATABASE {plain.name}", f"CREATE DATABASE {plain.name}")
    with monkeypatch.context() as patch:
        patch.setattr(mariadb_journal, "reach", _die)
        with pytest.raises(Killed):
            plain.engine().swap("swap_beside", "swap_aside")
    plain.engine().swap("swap_beside", "swap_aside")
    assert compare(plain.before, plain.now()) == ()


def _die(*_: object) -> None:
    raise Killed


def test_a_table_that_comes_beside_meanwhile_is_not_lost(plain: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    plain.restored()
    move = mariadb_swap._move

    def moved(*args: object) -> None:
        move(*args)  # type: ignore[arg-type]
        plain.server.run("CREATE TABLE IF NOT EXISTS swap_beside.late (id INT)")

    monkeypatch.setattr(mariadb_swap, "_move", moved)
    with pytest.raises(UndeterminedError, match="tables came into swap_beside") as caught:
        plain.engine().swap("swap_beside", "swap_aside")
    assert caught.value.remedy
    plain.server.run("DROP TABLE swap_beside.late")
    plain.engine().swap("swap_beside", "swap_aside")
    assert compare(plain.before, plain.now()) == ()


def test_a_view_that_was_broken_does_not_stop_the_way_back(plain: Shop) -> None:
    plain.restored()
    plain.run("CREATE VIEW broken AS SELECT id FROM migrated\nDROP TABLE migrated")
    plain.engine().swap("swap_beside", "swap_aside")
    assert compare(plain.before, plain.now()) == ()


def test_a_view_that_cannot_be_written_is_an_error(plain: Shop) -> None:
    plain.restored()
    plain.server.run("CREATE VIEW broken AS SELECT id FROM kid", database="swap_beside")
    plain.server.run("ALTER TABLE kid CHANGE id other INT", database="swap_beside")
    with pytest.raises(UndeterminedError, match="error 1054"):
        plain.engine().swap("swap_beside", "swap_aside")


def test_names_that_are_taken(plain: Shop) -> None:
    engine = plain.engine()
    with pytest.raises(UndeterminedError, match="there is no database swap_beside"):
        engine.swap("swap_beside", "swap_aside")
    plain.restored()
    for name in (plain.name, plain.name.upper(), "a-b", "", "x" * 65):
        with pytest.raises(UsageError, match="cannot be the name"):
            engine.swap("swap_beside", name)
    plain.server.run("CREATE DATABASE swap_aside", "CREATE TABLE swap_aside.own (id INT)")
    with pytest.raises(RefusedError, match="swap_aside already"):
        engine.swap("swap_beside", "swap_aside")
    with pytest.raises(RefusedError, match="not made by guard"):
        engine.drop("swap_aside")
    with pytest.raises(RefusedError, match="not made by guard"):
        engine.beside("swap_aside")
    plain.server.run("DROP DATABASE swap_aside")
    engine.swap("swap_beside", "swap_aside")
    plain.restored()
    with pytest.raises(RefusedError, match="swap_aside already"):
        engine.swap("swap_beside", "swap_aside")
    engine.beside("swap_other")
    with pytest.raises(RefusedError, match="swap_aside already"):
        engine.swap("swap_other", "swap_aside")
    engine.drop("swap_other")


def test_a_foreign_key_from_elsewhere_would_follow(plain: Shop) -> None:
    plain.restored()
    plain.server.run(
        "CREATE DATABASE swap_near",
        f"CREATE TABLE swap_near.t (id INT, FOREIGN KEY (id) REFERENCES {plain.name}.parent (id))",
    )
    try:
        with pytest.raises(RefusedError, match=r"`swap_near`\.`t` refers to `swap_shop`") as caught:
            plain.engine().swap("swap_beside", "swap_aside")
        assert "DROP FOREIGN KEY" in caught.value.remedy
    finally:
        plain.server.run("DROP DATABASE swap_near")


def test_two_swaps_at_once(plain: Shop) -> None:
    plain.restored()
    with opened(plain.server) as other:
        other.query(f"SELECT GET_LOCK('guard.{plain.name}', 0)")
        with pytest.raises(RefusedError, match="somebody else swaps"):
            plain.engine().swap("swap_beside", "swap_aside")


def test_a_journal_that_was_cut_short_is_none(plain: Shop) -> None:
    plain.restored()
    plain.server.run(
        "CREATE DATABASE swap_aside", "CREATE TABLE swap_aside._rollback_guard_swap (number INT, kind INT, data INT)"
    )
    plain.engine().swap("swap_beside", "swap_aside")
    assert compare(plain.before, plain.now()) == ()


def test_grants_on_a_routine_outlive_a_swap(plain: Shop) -> None:
    plain.run("CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 2")
    plain.server.run("CREATE USER swapper@localhost", f"GRANT EXECUTE ON FUNCTION {plain.name}.f TO swapper@localhost")
    try:
        plain.restored()
        plain.engine().swap("swap_beside", "swap_aside")
        with opened(plain.server, user="swapper") as other:
            other.query(f"SELECT {plain.name}.f()")
    finally:
        plain.server.run("DROP USER swapper@localhost")
