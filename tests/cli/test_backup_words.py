"""What `guard backup` says when something is in the way, and what it leaves behind then."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.backup import proving
from rollback_guard.backup.engines import sqlite
from rollback_guard.entry.cli import backup_restore
from rollback_guard.errors import UndeterminedError
from tests.cli.test_backup import Shop
from tests.support.killing import Step, kill
from tests.support.signing import key_of


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    found = Shop(tmp_path)
    monkeypatch.setenv("SHOP_DATABASE", str(found.database))
    return found


def test_an_id_that_a_whole_set_has_names_none_of_them(shop: Shop) -> None:
    id = str(shop.create()[0]["id"])
    said = shop.guard("restore", id, "--yes", code=2)
    assert f"2 backups have the id '{id}': shop-db/{id}, uploads/{id}" in said.err
    assert f"shop-db/{id}" in shop.guard("restore", f"shop-db/{id}", "--yes").out + said.err
    assert shop.guard("prove", f"uploads/{id}").out.startswith("uploads  ")


def test_what_was_taken_and_could_not_be_proven_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object) -> str:
        raise UndeterminedError("there is no scratch place", remedy="make room")

    monkeypatch.setattr(proving, "_restore", nowhere)
    said = shop.guard("create", "--key", key_of("jane"), code=4)
    assert "they were taken, and are kept" in said.err
    assert "guard backup prove shop-db uploads && guard backup attest shop-db uploads" in said.err
    assert said.err.index("they were taken") < said.err.index("there is no scratch place")
    assert len(shop.guard("list", "--format", "json").json["backups"]) == 2


def test_before_an_unproven_one_the_newest_proven_one_is_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    good = shop.create("shop-db")[0]["id"]
    with monkeypatch.context() as broken:
        broken.setattr(proving, "_restore", lambda *_: "it cannot be restored: a disk broke")
        shop.guard("create", "shop-db", "--no-attest", code=1)
    said = shop.guard("restore", "shop-db", "--yes", code=1)
    assert f"→ guard backup restore shop-db/{good}   # the newest that is" in said.err


def test_a_restore_that_fails_before_the_swap_leaves_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.create()
    shop.sql("DELETE FROM orders")
    (shop.uploads / "one.txt").write_text("lost")
    before = sorted(one.name for one in shop.folder.iterdir())

    def full(*_: object) -> None:
        raise UndeterminedError("the disk is full", remedy="df -h")

    with monkeypatch.context() as broken:
        broken.setattr(sqlite.Target, "restore", full)
        said = shop.guard("restore", "uploads", "shop-db", "--yes", code=4).err
    assert "production is as it was" in said
    assert "the disk is full" in said
    assert sorted(one.name for one in shop.folder.iterdir()) == before
    assert shop.sql("SELECT count(*) FROM orders") == [(0,)]
    assert "no restore was cut short here" in shop.guard("restore", "--abort", code=2).err


def test_what_cannot_be_undone_now_stays_written_down(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.create("shop-db")

    def gone(*_: object) -> None:
        raise UndeterminedError("the disk is gone", remedy="df -h")

    with monkeypatch.context() as broken:
        broken.setattr(sqlite.Target, "restore", gone)
        broken.setattr(sqlite.SQLite, "drop", gone)
        assert "the disk is gone" in shop.guard("restore", "shop-db", "--yes", code=4).err
    assert "is given up; shop-db is as it was" in shop.guard("restore", "--abort").out


def test_a_swap_that_fails_says_how_to_go_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.create("shop-db")
    shop.sql("DELETE FROM orders")

    def busy(*_: object) -> float:
        raise UndeterminedError("somebody writes", remedy="stop it")

    with monkeypatch.context() as broken:
        broken.setattr(sqlite.SQLite, "swap", busy)
        said = shop.guard("restore", "shop-db", "--yes", code=4)
    assert "To go on:  guard backup restore --resume" in said.err
    assert f"what was there before is kept: {shop.database}.failed_" in shop.guard("restore", "--resume").out
    assert shop.sql("SELECT count(*) FROM orders") == [(2,)]


def test_of_a_stable_release_the_last_backup_stays_and_no_more(shop: Shop) -> None:
    shop.repo.stable_tag("stable/2026.11.1.1", "main")
    ids = [shop.create("shop-db")[0]["id"] for _ in range(3)]
    shop.repo.commit("More", app_dot_py="x")
    newest = shop.create("shop-db")[0]["id"]
    plan = shop.guard("prune", "--keep", "1", "--plan", "--format", "json").json
    assert plan["removed"] == [f"shop-db/{ids[1]}", f"shop-db/{ids[0]}"]
    assert {one["backup"]: one["why"] for one in plan["kept"]} == {
        f"shop-db/{ids[2]}": "it is of the stable release stable/2026.11.1.1",
        f"shop-db/{newest}": "one of the newest 1",
    }
    assert "shop-db: 2 backups go, " in shop.guard("prune", "--keep", "1", "--plan").out


def test_a_key_is_asked_for_before_anything_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyrage = pytest.importorskip("pyrage", reason="pip install 'rollback-guard[encrypt]'")
    key = pyrage.x25519.Identity.generate()
    shop = Shop(tmp_path, more=f'encrypt-to = ["{key.to_public()}"]\n')
    monkeypatch.setenv("SHOP_DATABASE", str(shop.database))
    said = shop.guard("create", "--key", key_of("jane"), code=4)
    assert "guard backup create --identity KEY-FILE" in said.err
    assert list(shop.store.iterdir()) == []
    file = tmp_path / "key.txt"
    file.write_text(str(key))
    file.chmod(0o600)
    shop.guard("create", "shop-db", "--key", key_of("jane"), "--identity", str(file))
    said = shop.guard("restore", "shop-db", "--yes", code=4)
    assert "→ guard backup restore shop-db --identity KEY-FILE" in said.err
    assert "no restore was cut short here" in shop.guard("restore", "--abort", code=2).err


def test_a_name_that_is_like_none_is_answered_with_all(shop: Shop) -> None:
    assert "it names shop-db, uploads" in shop.guard("list", "zzz", code=2).err


def test_what_cannot_be_read_is_not_said_to_be_unchanged(shop: Shop) -> None:
    shop.create("shop-db")
    shop.database.write_bytes(b"no database any more" * 100)
    said = shop.guard("restore", "shop-db", code=2)
    assert "what would be lost is not known" in said.out
    assert "nothing has changed" not in said.out
    done = shop.guard("restore", "shop-db", "--yes", "--format", "json")
    assert done.json["restores"][0]["lost"]["differences"] is None


def test_a_database_that_is_gone_is_made_first(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.create("shop-db")
    shop.database.unlink()
    assert "make an empty one" not in shop.guard("restore", "shop-db", code=2).err  # a file is made by the restore
    monkeypatch.setattr(backup_restore, "_SERVED", ("sqlite",))
    assert "if the database itself is gone, first make an empty one" in shop.guard("restore", "shop-db", code=2).err


def test_a_journal_that_cannot_be_written_halfway_is_not_called_untouched(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.create()
    kill(
        *(shop.repo.path, Step("entry.cli.backup_restore", "write_journal", "after", call=5)),
        *("backup", "restore", "shop-db", "uploads", "--yes"),
    )

    def full(*_: object) -> None:
        raise UndeterminedError("the journal cannot be written", remedy="df -h")

    with monkeypatch.context() as broken:
        broken.setattr(backup_restore, "write_journal", full)
        said = shop.guard("restore", "--resume", code=4).err
    assert "the journal cannot be written" in said
    assert "production is as it was" not in said
    shop.guard("restore", "--resume")
