"""An artefact is looked at again: as it lies there now, gone, or not to be looked at from here."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from rollback_guard.facts.artefact import GONE, collect_artefact
from rollback_guard.facts.backup_model import ArtefactState
from rollback_guard.facts.model import Fact, Known, Unknown

FILE = "shop/20261127T183000Z-3f9a1c.dump.zst"


@pytest.fixture
def lying(tmp_path: Path) -> Path:
    """A store in which one artefact lies."""
    path = tmp_path / "backups" / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 3_000_000)
    return path


def reason(fact: Fact[ArtefactState]) -> str:
    assert isinstance(fact, Unknown)
    assert fact.remedy
    return fact.reason


def test_what_lies_there_is_read_to_its_end(lying: Path, tmp_path: Path) -> None:
    found = collect_artefact("file:backups", FILE, str(tmp_path))
    digest = hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert found == Known(ArtefactState(digest=digest, size=3_000_000))
    lying.write_bytes(b"x" * 2_999_999 + b"y")
    changed = collect_artefact(f"file:{tmp_path}/backups", FILE, "/")
    assert isinstance(changed, Known)
    assert changed.value.digest != digest


def test_what_is_gone_is_known_to_be(lying: Path, tmp_path: Path) -> None:
    lying.unlink()
    assert collect_artefact("file:backups", FILE, str(tmp_path)) == Known(GONE)
    lying.parent.rmdir()
    assert collect_artefact("file:backups", FILE, str(tmp_path)) == Known(GONE)


def test_a_store_that_is_not_on_this_machine(tmp_path: Path) -> None:
    assert "not on this machine" in reason(collect_artefact("file:backups", FILE, str(tmp_path)))


@pytest.mark.parametrize("file", ["../secret", "shop/../../secret", "/etc/passwd", "shop/", "shop", "shop/\n", ""])
def test_a_file_outside_the_store_is_not_looked_at(file: str, lying: Path, tmp_path: Path) -> None:
    assert collect_artefact("file:backups", file, str(tmp_path)) == Known(GONE)


def test_links_are_not_followed(lying: Path, tmp_path: Path) -> None:
    lying.rename(tmp_path / "elsewhere")
    lying.symlink_to(tmp_path / "elsewhere")
    assert collect_artefact("file:backups", FILE, str(tmp_path)) == Known(GONE)
    lying.unlink()
    lying.parent.rmdir()
    lying.parent.symlink_to(tmp_path)
    assert collect_artefact("file:backups", f"shop/{lying.name}", str(tmp_path)) == Known(GONE)


def test_what_is_no_file_cannot_be_read(lying: Path, tmp_path: Path) -> None:
    lying.unlink()
    os.mkfifo(lying)
    assert "no regular file" in reason(collect_artefact("file:backups", FILE, str(tmp_path)))
    lying.unlink()
    lying.mkdir()
    assert "no regular file" in reason(collect_artefact("file:backups", FILE, str(tmp_path)))


def test_a_url_that_cannot_be_meant(tmp_path: Path) -> None:
    assert "a URL" in reason(collect_artefact("backups", FILE, str(tmp_path)))


def test_other_stores_are_left_to_who_can_reach_them(tmp_path: Path) -> None:
    assert "kind s3" in reason(collect_artefact("s3://bucket/x", FILE, str(tmp_path)))
    asked = []

    def look(url: str, file: str) -> Fact[ArtefactState]:
        asked.append((url, file))
        return Known(GONE)

    assert collect_artefact("s3://bucket/x", FILE, str(tmp_path), look) == Known(GONE)
    assert asked == [("s3://bucket/x", FILE)]
