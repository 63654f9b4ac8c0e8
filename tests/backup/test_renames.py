"""Names beside a source, and names that change places."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from rollback_guard.backup.engines.renames import exchange, name_beside, sync_below
from rollback_guard.errors import UsageError


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "ü", "a\n"])
def test_a_name_beside_cannot_leave(name: str) -> None:
    with pytest.raises(UsageError):
        name_beside("/srv/x", name)


def test_an_exchange_is_whole_or_said(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("1")
    other.mkdir()
    if exchange(str(one), str(other)):
        assert other.read_text() == "1"
        assert one.is_dir()
    with pytest.raises(FileNotFoundError):
        exchange(str(one), str(tmp_path / "none"))


def test_a_system_that_has_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name, use_errno: object())
    monkeypatch.setattr(os, "sync", lambda: synced.append("all"))
    assert not exchange(str(tmp_path), str(tmp_path))
    sync_below(str(tmp_path))
    assert synced == ["all"]
