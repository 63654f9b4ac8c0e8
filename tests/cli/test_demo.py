"""`guard demo`: the whole story really runs, and cleans up after itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from rollback_guard.entry.cli import demo as demo_module
from tests.support.builder import RepositoryBuilder
from tests.support.commands import guard


def test_whole_story_is_told_and_kept(tmp_path: Path) -> None:
    said = guard(tmp_path, "demo", "--keep", "shop", TMPDIR=str(tmp_path))
    assert said.code == 0
    commands = ("$ guard check", "$ guard evidence push", "$ guard revert", "$ guard reland", "$ guard audit")
    words = (
        "smoke tests passed: front-page",
        "signed for, as evidence ",
        "irreversible",
        "proven compared",
        "RG401 stable-tag-moved",
    )
    restored = ("the database must be restored", "shop-db is restored from", "orders was changed")
    for word in ("DENIED", "ALLOWED", "0 denied, 0 undetermined", *commands, *words, *restored):
        assert word in said.out
    assert f"kept: {tmp_path / 'shop'}" in said.out
    clone = RepositoryBuilder.__new__(RepositoryBuilder)
    clone.path = tmp_path / "shop" / "clone"
    assert clone.git("fsck", "--no-dangling") == ""
    tag = clone.git("describe", "--tags", "--abbrev=0", "main")
    assert clone.git("diff", "--name-status", tag, "main") == ""
    server = RepositoryBuilder.__new__(RepositoryBuilder)
    server.path = tmp_path / "shop" / "server.git"
    for ref in ("refs/heads/main", f"refs/tags/{tag}"):
        assert server.git("rev-parse", ref) == clone.git("rev-parse", ref)
    assert (tmp_path / "shop" / "server.git" / "hooks" / "pre-receive").exists()
    (kept,) = (tmp_path / "shop" / "production").glob("shop.db.failed_*")
    paid = [
        sqlite3.connect(path).execute("SELECT sum(price) FROM orders").fetchone()[0]
        for path in (kept.parent / "shop.db", kept)
    ]
    assert paid == [9000, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_folder_that_exists_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    said = guard(tmp_path, "demo", "--keep", "shop")
    assert (said.code, said.out) == (2, "")
    assert "cannot be made" in said.err


def test_without_keep_nothing_stays_and_json_has_the_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def short(folder: str, echo: Callable[[str], None]) -> None:
        Path(folder, "made").write_text("x")
        echo("one\ntwo")

    monkeypatch.setattr(demo_module, "tell", short)
    said = guard(tmp_path, "demo", "--format", "json", TMPDIR=str(tmp_path))
    assert said.json == {"format": "rollback-guard/demo/1", "kept": None, "lines": ["one", "two"]}
    assert guard(tmp_path, "demo", TMPDIR=str(tmp_path)).out == "one\ntwo\n"
    kept = guard(tmp_path, "demo", "--format", "json", "--keep", "here").json
    assert kept["kept"] == str(tmp_path / "here")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
