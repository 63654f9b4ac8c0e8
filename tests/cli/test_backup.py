"""`guard backup` end to end: a database file and a folder, taken, proven, signed for, listed, restored and pruned."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest

from rollback_guard.backup import self_test
from tests.cli.test_revert import Guard
from tests.support.builder import RepositoryBuilder
from tests.support.commands import Said, check, guard
from tests.support.killing import Step, kill, stopped
from tests.support.signing import PEOPLE_OF, key_of, public_key

POLICY = """\
version = 1

[production]
branches = ["main"]
repositories = ["github.com/acme/shop"]

[[route]]
into = "main"
from = ["release/*"]
{people}
[[backup]]
name = "shop-db"
engine = "sqlite"
source = "$SHOP_DATABASE"
by = ["jane"]
max-age = "1h"
store = "{store}"
{more}
[[backup]]
name = "uploads"
engine = "directory"
source = "{uploads}"
by = ["jane"]
max-age = "1h"
level = "compared"
store = "{store}"
"""


class Shop:
    """A repository whose policy names two backups, and what they are of."""

    def __init__(self, folder: Path, more: str = "", url: str = "") -> None:
        self.folder = folder
        self.database, self.uploads, self.store = folder / "shop.db", folder / "uploads", folder / "backups"
        self.uploads.mkdir(parents=True)
        self.store.mkdir()
        (self.uploads / "one.txt").write_text("one")
        self.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)")
        self.sql("INSERT INTO orders (note) VALUES ('first'), ('second')")
        people = "".join(
            PEOPLE_OF.format(id=one, name=name, email=f"{one}@acme.example", key=public_key(one))
            for one, name in (("jane", "Jane Doe"), ("omar", "Omar Haddad"))
        )
        self.repo = RepositoryBuilder(folder / "shop")
        text = POLICY.format(people=people, store=url or f"file:{self.store}", uploads=self.uploads, more=more)
        self.repo.write_file("rollback-guard.toml", text)
        self.repo.commit("Policy")
        self.repo.git("config", "rollback-guard.repository", "github.com/acme/shop")

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement in the database, as the application does."""
        connection = sqlite3.connect(self.database)
        try:
            with connection:
                return list(connection.execute(statement))
        finally:
            connection.close()

    def guard(self, *args: str, code: int = 0) -> Said:
        """`guard backup …`."""
        said = guard(self.repo.path, "backup", *args)
        assert said.code == code, said.out + said.err
        return said

    def create(self, *names: str) -> list[dict[str, object]]:
        """Take backups, and what was said of them."""
        said = self.guard("create", *names, "--key", key_of("jane"), "--format", "json")
        backups: list[dict[str, object]] = said.json["backups"]
        return backups


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    found = Shop(tmp_path)
    monkeypatch.setenv("SHOP_DATABASE", str(found.database))
    return found


def test_a_set_is_taken_proven_and_signed_for(shop: Shop) -> None:
    said = shop.guard("create", "--key", key_of("jane"))
    for words in ("shop-db", "uploads", "2 rows", "proven compared: restored in", "and the same", "signed for"):
        assert words in said.out
    backups = shop.create()
    assert [one["name"] for one in backups] == ["shop-db", "uploads"]
    assert len({str(one["set"]) for one in backups}) == 1
    assert all(one["commit"] == shop.repo.head("main") for one in backups)
    listed = shop.guard("list", "--format", "json").json
    assert listed["problems"] == []
    assert [(one["name"], one["good"]) for one in listed["backups"]].count(("shop-db", True)) == 2
    shown = guard(shop.repo.path, "evidence", "show", str(backups[0]["attestation"]))
    assert shown.code == 0
    assert "the signature verifies" in shown.out


def test_nothing_lands_without_and_everything_with(shop: Shop) -> None:
    repo = shop.repo
    repo.branch("release/1.4")
    repo.commit("Work", app_dot_py="price = 1\n")
    before = check(repo.path, "--into", "main")
    assert (before.code, before.violated) == (1, ["RG301"])
    shop.create()
    assert check(repo.path, "--into", "main").code == 0
    for path in shop.store.rglob("*.sqlite.zst"):
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert check(repo.path, "--into", "main").violated == ["RG304"]


def test_it_says_what_would_be_lost_and_asks(shop: Shop) -> None:
    shop.create()
    shop.sql("DELETE FROM orders WHERE id = 2")
    shop.sql("CREATE TABLE later (id INTEGER)")
    (shop.uploads / "two.txt").write_text("two")
    said = shop.guard("restore", "shop-db", "uploads", code=2)
    for words in ("since then: orders has 1 row less", "later is new", "two.txt is new", "structure was changed since"):
        assert words in said.out
    assert "no terminal to ask on; nothing was changed" in said.err
    assert shop.sql("SELECT count(*) FROM orders") == [(1,)]


def test_back_and_what_failed_is_kept(shop: Shop) -> None:
    shop.create()
    shop.sql("DELETE FROM orders")
    (shop.uploads / "one.txt").write_text("lost")
    said = shop.guard("restore", "shop-db", "uploads", "--yes", "--format", "json").json["restores"]
    assert [(one["name"], one["state"]) for one in said] == [("shop-db", "done"), ("uploads", "done")]
    assert said[0]["lost"]["differences"][0]["name"] == "orders"
    assert shop.sql("SELECT note FROM orders ORDER BY id") == [("first",), ("second",)]
    assert (shop.uploads / "one.txt").read_text() == "one"
    kept = Path(f"{shop.database}.{said[0]['aside']}")
    assert sqlite3.connect(kept).execute("SELECT count(*) FROM orders").fetchall() == [(0,)]
    assert (Path(f"{shop.uploads}.{said[1]['aside']}") / "one.txt").read_text() == "lost"
    again = shop.guard("restore", "shop-db", "--yes")
    assert "nothing has changed since" in again.out


STEPS = [
    Step("entry.backup_restore", "write_journal", "after"),
    Step("backup.restoring", "_fill", "after"),
    Step("entry.backup_restore", "write_journal", "after", call=3),
    Step("entry.backup_restore", "write_journal", "before", call=5),
    Step("entry.backup_restore", "write_journal", "before", call=6),
    Step("entry.backup_restore", "write_journal", "after", call=6),
]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_killed_in_the_middle_it_is_one_or_the_other_and_goes_on(shop: Shop, step: Step) -> None:
    shop.create()
    shop.sql("DELETE FROM orders")
    (shop.uploads / "one.txt").write_text("lost")
    kill(shop.repo.path, _seen(step), "backup", "restore", "shop-db", "uploads", "--yes")
    assert shop.sql("SELECT count(*) FROM orders") in ([(0,)], [(2,)])
    assert (shop.uploads / "one.txt").read_text() in ("lost", "one")
    assert "was cut short" in shop.guard("restore", "shop-db", "--yes", code=1).err
    shop.guard("restore", "--resume")
    restored = shop.guard("restore", "shop-db", "uploads", "--yes").out
    assert restored.count("nothing has changed since") >= 1
    assert shop.sql("SELECT count(*) FROM orders") == [(2,)]
    assert (shop.uploads / "one.txt").read_text() == "one"


def _seen(step: Step) -> Step:
    """The step where the command looks it up."""
    if step.name == "write_journal":
        return step._replace(module="entry.cli.backup_restore")
    return step


def test_given_up_nothing_is_left(shop: Shop) -> None:
    shop.create()
    before = sorted(os.listdir(shop.folder))
    shop.sql("DELETE FROM orders")
    kill(shop.repo.path, Step("backup.restoring", "_fill", "after"), "backup", "restore", "shop-db", "--yes")
    assert "is given up; shop-db is as it was" in shop.guard("restore", "--abort").out
    assert sorted(os.listdir(shop.folder)) == before
    assert "no restore was cut short here" in shop.guard("restore", "--resume", code=2).err


def test_a_second_operator_is_told(shop: Shop) -> None:
    shop.create()
    first = stopped(
        shop.repo.path, Step("backup.restoring", "_fill", "before"), "backup", "restore", "shop-db", "--yes"
    )
    said = shop.guard("restore", "shop-db", "--yes", code=1)
    assert "another restore is under way here: process " in said.err
    assert first.ended().code == 0


@pytest.mark.parametrize(
    "step",
    [
        Step("backup.taking", "store_dump", "before"),
        Step("backup.taking", "store_dump", "after"),
        Step("backup.taking", "store_dump", "after", call=2),
        Step("backup.taking", "keep_record", "before"),
    ],
    ids=str,
)
def test_killed_while_it_is_taken_no_half_of_it_is_listed(shop: Shop, step: Step) -> None:
    kill(shop.repo.path, step, "backup", "create", "--no-attest")
    assert shop.guard("list", "--format", "json").json["backups"] == []
    shop.create()
    assert len(shop.guard("list", "--format", "json").json["backups"]) == 2


def test_one_that_cannot_be_taken_takes_none(shop: Shop) -> None:
    shop.database.unlink()
    said = shop.guard("create", "--no-attest", code=4)
    assert "→" in said.err
    assert shop.guard("list", "--format", "json").json["backups"] == []


def test_what_is_proven_too_little_is_not_signed_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollback_guard.backup import proving

    monkeypatch.setattr(proving, "_restore", lambda *_: "it cannot be restored: a disk broke")
    said = shop.guard("create", "--key", key_of("jane"), code=1)
    assert "PROVEN readable, and compared is asked for: it cannot be restored: a disk broke" in said.out
    assert "signed for" not in said.out
    refused = shop.guard("attest", "shop-db", "--key", key_of("jane"), code=1)
    assert "is proven readable, and the policy asks for compared" in refused.err
    unsafe = shop.guard("restore", "shop-db", "--yes", code=1)
    assert "--unproven" in unsafe.err
    listed = shop.guard("list").out
    assert "NOT GOOD" in listed
    monkeypatch.undo()
    monkeypatch.setenv("SHOP_DATABASE", str(shop.database))
    assert "proven compared" in shop.guard("prove").out
    assert "signed for" in shop.guard("attest", "--key", key_of("jane")).out


def test_who_may_not_attest_takes_nothing(shop: Shop) -> None:
    said = shop.guard("create", "--key", key_of("omar"), code=1)
    assert "Omar Haddad <omar@acme.example>, who may not attest shop-db" in said.err
    assert list(shop.store.iterdir()) == []


def test_production_moved_on_since(shop: Shop) -> None:
    shop.guard("create", "--no-attest")
    shop.repo.commit("More", app_dot_py="x")
    said = shop.guard("attest", "--key", key_of("jane"), code=1)
    assert "and main is at" in said.err


def test_what_goes_and_what_stays(shop: Shop) -> None:
    shop.repo.stable_tag("stable/2026.11.1.1", "main")
    first = shop.create("shop-db")[0]
    shop.repo.commit("More", app_dot_py="x")
    others = [shop.create("shop-db")[0] for _ in range(3)]
    plan = shop.guard("prune", "--keep", "1", "--plan", "--format", "json").json
    assert plan["removed"] == [f"shop-db/{others[1]['id']}", f"shop-db/{others[0]['id']}"]
    why = {one["backup"]: one["why"] for one in plan["kept"]}
    assert why[f"shop-db/{first['id']}"] == "it is of the stable release stable/2026.11.1.1"
    assert len(shop.guard("list", "shop-db", "--format", "json").json["backups"]) == 4
    assert "no terminal" in shop.guard("prune", "--keep", "1", code=2).err
    said = shop.guard("prune", "--keep", "1", "--yes").out
    assert "2 backups go" in said
    assert "removed" in said
    left = shop.guard("list", "shop-db", "--format", "json").json["backups"]
    assert {one["id"] for one in left} == {first["id"], others[2]["id"]}
    assert "nothing says how many" in shop.guard("prune", code=2).err
    assert "is no span of time" in shop.guard("prune", "--within", "soon", code=2).err
    assert "young enough" in shop.guard("prune", "--within", "1h", "--plan").out


def test_names_that_are_none(shop: Shop) -> None:
    said = shop.guard("create", "shop-dbs", code=2)
    assert "names no backup 'shop-dbs'" in said.err
    assert "did you mean shop-db?" in said.err
    assert "name what is to be restored" in shop.guard("restore", code=2).err
    assert "no backup is called" in shop.guard("restore", "20990101T000000Z", "--yes", code=2).err


def test_without_backups_in_the_policy(tmp_path: Path) -> None:
    repo = RepositoryBuilder(tmp_path / "plain")
    repo.commit("Begin", a="1")
    said = guard(repo.path, "backup", "list")
    assert (said.code, "names no backup" in said.err) == (2, True)


def test_the_policys_own_check_runs_on_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "check.sh"
    script.write_text(
        '#!/bin/sh\ntest "$SHOP_DATABASE" = "" && test -s "$GUARD_SCRATCH" && exit "${CODE:-0}"\nexit 9\n'
    )
    script.chmod(0o755)
    shop = Shop(tmp_path, more=f'level = "exercised"\nexercise = ["{script}"]\n')
    monkeypatch.setenv("SHOP_DATABASE", str(shop.database))
    proof = shop.create("shop-db")[0]["proof"]
    assert isinstance(proof, dict)
    assert (proof["level"], proof["checks"]) == ("exercised", [{"name": "exercise", "passed": True}])
    monkeypatch.setenv("CODE", "3")
    said = shop.guard("create", "shop-db", "--key", key_of("jane"), code=1)
    assert (
        "PROVEN compared, and exercised is asked for: `exercise` does not pass on the restored copy: it ended with 3"
        in said.out
    )


def test_a_source_that_the_environment_does_not_name(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_DATABASE")
    assert "the environment has no SHOP_DATABASE" in shop.guard("create", "--no-attest", code=4).err
    assert json.loads(shop.guard("list", "--format", "json").out)["backups"] == []


def test_time_that_is_over(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollback_guard.backup import proving

    monkeypatch.setattr(proving, "_restore", lambda *_: signal.pause())
    said = shop.guard("create", "--no-attest", "--timeout", "1", code=4)
    assert "could not be proven within 1 seconds" in said.err
    assert [one["level"] for one in _proofs(shop)] == [None, None]


def _proofs(shop: Shop) -> list[dict[str, object]]:
    backups = shop.guard("list", "--format", "json").json["backups"]
    return [one["proof"] or {"level": None} for one in backups]


def test_the_proof_is_put_to_the_test(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.create()
    said = shop.guard("prove", "--self-test", "--format", "json").json["tests"]
    assert [one["name"] for one in said] == ["shop-db", "uploads"]
    assert all(one["tried"] == one["told"] > 3 for one in said)
    assert "told: 100 %" in shop.guard("prove", "shop-db", "--self-test").out
    monkeypatch.setattr(self_test, "compare", lambda *_: ())
    blind = shop.guard("prove", "uploads", "--self-test", code=1).out
    assert "NOT TOLD: " in blind
    assert "told: 0 %" in blind
    monkeypatch.setattr(
        self_test, "importlib", mock.Mock(**{"import_module.return_value": SimpleNamespace(mutations=lambda _: ())})
    )
    assert "nothing in it can be changed" in shop.guard("prove", "uploads", "--self-test").out


def test_encrypted_it_is_proven_with_the_key_that_restores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyrage = pytest.importorskip("pyrage", reason="pip install 'rollback-guard[encrypt]'")
    key = pyrage.x25519.Identity.generate()
    shop = Shop(tmp_path, more=f'encrypt-to = ["{key.to_public()}"]\n')
    monkeypatch.setenv("SHOP_DATABASE", str(shop.database))
    right, wrong = tmp_path / "key.txt", tmp_path / "other.txt"
    for path, text in ((right, str(key)), (wrong, str(pyrage.x25519.Identity.generate()))):
        path.write_text(text)
        path.chmod(0o600)
    assert "no key was named" in shop.guard("create", "shop-db", "--no-attest", code=4).err
    signed = ("shop-db", "--key", key_of("jane"))
    assert shop.guard("create", *signed, "--identity", str(wrong), code=4).err
    made = shop.guard("create", *signed, "--identity", str(right), "--format", "json").json["backups"][0]
    assert (made["artefact"]["encryption"], made["proof"]["level"]) == ("age", "compared")
    assert b"first" not in (shop.store / made["artefact"]["file"]).read_bytes()
    shop.sql("DELETE FROM orders")
    shop.guard("restore", "shop-db", "--yes", "--identity", str(right))
    assert shop.sql("SELECT count(*) FROM orders") == [(2,)]


def test_an_artefact_that_is_gone_is_no_way_back(shop: Shop) -> None:
    made = shop.create("shop-db")[0]
    artefact = made["artefact"]
    assert isinstance(artefact, dict)
    (shop.store / artefact["file"]).unlink()
    said = shop.guard("list", "--format", "json").json["backups"]
    assert [(one["good"], one["faults"]) for one in said] == [(False, ["the artefact is gone"])]
    assert "does not stand up: the artefact is gone" in shop.guard("restore", str(made["id"]), "--yes", code=1).err
    assert "is gone from its store" in shop.guard("prove", str(made["id"]), code=1).out


def test_what_is_there_now_cannot_be_read(shop: Shop) -> None:
    shop.create()
    shop.database.write_bytes(b"no database any more" * 100)
    said = shop.guard("restore", "shop-db", "--yes")
    assert "what would be lost is not known" in said.out
    assert shop.sql("SELECT count(*) FROM orders") == [(2,)]


def test_a_backup_of_the_future(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.create("shop-db")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 86_400)
    assert "a moment that is yet to come" in shop.guard("list", "shop-db").out


def test_a_journal_that_cannot_be_read(shop: Shop) -> None:
    shop.create()
    folder = shop.repo.path / ".git" / "rollback-guard" / "restores"
    folder.mkdir(parents=True)
    for text in ("{", "{}", '{"format": "x"}'):
        (folder / "shop-db-1.json").write_text(text)
        said = shop.guard("restore", "shop-db", "--yes", code=4)
        assert "the journal of a restore cannot be read" in said.err
        assert "move it away" in said.err
    assert shop.sql("SELECT count(*) FROM orders") == [(2,)]


def test_a_restore_whose_backup_is_no_longer_named(shop: Shop) -> None:
    shop.create()
    kill(shop.repo.path, Step("backup.restoring", "_fill", "before"), "backup", "restore", "shop-db", "--yes")
    text = (shop.repo.path / "rollback-guard.toml").read_text()
    shop.repo.write_file("rollback-guard.toml", text.replace('"shop-db"', '"orders-db"'))
    shop.repo.commit("Another name")
    assert "names no backup 'shop-db' any more" in shop.guard("restore", "--resume", code=2).err


def test_what_an_open_restore_needs_stays(shop: Shop) -> None:
    first = shop.create("shop-db")[0]
    kill(
        *(shop.repo.path, Step("backup.restoring", "_fill", "before")),
        *("backup", "restore", f"shop-db/{first['id']}", "--yes"),
    )
    shop.create("shop-db")
    shop.repo.commit("More", app_dot_py="x")
    shop.create("shop-db")
    kept = shop.guard("prune", "--keep", "1", "--plan", "--format", "json").json["kept"]
    assert {one["backup"]: one["why"] for one in kept}[f"shop-db/{first['id']}"].endswith("was cut short")


def test_on_a_terminal_it_asks(shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked = Guard(monkeypatch, capsys)
    shop.create()
    shop.repo.commit("More", app_dot_py="x")
    shop.create()
    shop.sql("DELETE FROM orders")
    for command, words in (
        (("restore", "shop-db"), "not confirmed; nothing was changed"),
        (("prune", "--keep", "1"), "not confirmed; nothing was removed"),
    ):
        said = asked(shop.repo.path, "backup", *command, answer="n")
        assert (said.code, words in said.err) == (1, True)
    assert shop.sql("SELECT count(*) FROM orders") == [(0,)]
    assert asked(shop.repo.path, "backup", "restore", "shop-db", answer="y").code == 0
    assert shop.sql("SELECT count(*) FROM orders") == [(2,)]


def test_a_store_within_what_is_backed_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(tmp_path, url=f"file:{tmp_path}/uploads/backups")
    monkeypatch.setenv("SHOP_DATABASE", str(shop.database))
    said = shop.guard("create", "--no-attest", code=1)
    assert "the store of uploads lies in the directory that it is a backup of" in said.err
    assert not (shop.uploads / "backups").exists()
