"""`guard demo`: the whole story really runs, and cleans up after itself."""

from __future__ import annotations

from pathlib import Path

from tests.support.builder import RepositoryBuilder
from tests.support.commands import guard


def test_whole_story_is_told_and_kept(tmp_path: Path) -> None:
    said = guard(tmp_path, "demo", "--keep", "shop", TMPDIR=str(tmp_path))
    assert said.code == 0
    for word in ("DENIED", "ALLOWED", "$ guard check", "$ guard revert", "$ guard audit"):
        assert word in said.out
    assert f"kept: {tmp_path / 'shop'}" in said.out
    clone = RepositoryBuilder.__new__(RepositoryBuilder)
    clone.path = tmp_path / "shop" / "clone"
    assert clone.git("fsck", "--no-dangling") == ""
    assert clone.tree("main") == clone.tree(clone.git("describe", "--tags", "--abbrev=0", "main"))
    assert (tmp_path / "shop" / "server.git" / "hooks" / "pre-receive").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_folder_that_exists_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    said = guard(tmp_path, "demo", "--keep", "shop")
    assert (said.code, said.out) == (2, "")
    assert "cannot be made" in said.err
