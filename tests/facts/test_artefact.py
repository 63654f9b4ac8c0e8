"""An artefact is looked at again: the same, changed, gone, or not to be seen from here."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from rollback_guard.facts.artefact import BLOCK, collect_artefact
from rollback_guard.facts.backup_model import ArtefactState
from rollback_guard.facts.model import Fact, Known, Unknown

GONE = Known(ArtefactState(digest=None))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "backups" / "shop").mkdir(parents=True)
    (tmp_path / "backups" / "shop" / "1.zst").write_bytes(b"x" * (BLOCK + 1))
    (tmp_path / "secret").write_bytes(b"x" * (BLOCK + 1))
    return tmp_path


def test_its_bytes_are_read_again(folder: Path) -> None:
    state = ArtefactState(digest=hashlib.sha256(b"x" * (BLOCK + 1)).hexdigest(), size=BLOCK + 1)
    for store in ("file:backups", f"file:{folder}/backups", f"file://{folder}/backups", "file:./backups/"):
        found = collect_artefact(store, "shop/1.zst", str(folder))
        assert found == Known(state)
        assert isinstance(found, Known)
        assert found.source == store
    (folder / "backups" / "shop" / "1.zst").write_bytes(b"y")
    assert collect_artefact("file:backups", "shop/1.zst", str(folder)) != Known(state)


@pytest.mark.parametrize(
    "file",
    [
        "shop/2.zst",
        "shop/1.zst/x",
        "shop",
        "../secret",
        "/secret",
        "shop/../../secret",
        "",
        ".",
        "a\0b",
        "link",
        "pipe",
    ],
)
def test_what_is_not_there_is_gone(folder: Path, file: str) -> None:
    (folder / "backups" / "link").symlink_to(folder / "secret")
    os.mkfifo(folder / "backups" / "pipe")
    assert collect_artefact("file:backups", file, str(folder)) == GONE


def test_a_store_that_is_not_here_is_not_known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for store, said in (
        ("file:elsewhere", "is not on this machine"),
        ("s3://bucket/x", "kind s3, which is not read here"),
    ):
        found = collect_artefact(store, "shop/1.zst", str(folder))
        assert isinstance(found, Unknown)
        assert said in found.reason
        assert found.remedy

    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    found = collect_artefact("file:backups", "shop/1.zst", str(folder))
    assert isinstance(found, Unknown)
    assert "cannot be read in the store: Permission denied" in found.reason


def test_another_store_is_read_by_whoever_can(folder: Path) -> None:
    def look(store: str, file: str) -> Fact[ArtefactState]:
        assert (store, file) == ("s3://bucket/x", "shop/1.zst")
        return GONE

    assert collect_artefact("s3://bucket/x", "shop/1.zst", str(folder), look) == GONE
