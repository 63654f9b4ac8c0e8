"""Entries of a tree: what lies under a name, in both object formats."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.git.objects import Blob, ObjectReader
from rollback_guard.git.repository import open_repository
from rollback_guard.git.trees import TreeEntry, entry_of
from tests.support.builder import RepositoryBuilder

MODES = [("100644", "file"), ("100755", "file"), ("120000", "link"), ("160000", "submodule")]


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize(("mode", "kind"), MODES)
def test_each_kind(path_of_repo: Path, object_format: str, mode: str, kind: str) -> None:
    repo = RepositoryBuilder(path_of_repo, object_format=object_format)
    commit = repo.commit("Begin", a_dot_py="a\n", z_dot_py="z\n")
    oid = commit if mode == "160000" else repo.git("hash-object", "-w", "--stdin", stdin=b"x")
    repo.git("update-index", "--add", "--cacheinfo", f"{mode},{oid},name")
    repo.git("update-index", "--add", "--cacheinfo", f"100644,{repo.git('rev-parse', 'HEAD:a.py')},folder/file")
    tree = repo.git("write-tree")
    with ObjectReader(open_repository(str(path_of_repo), os.environ).git) as objects:
        found = objects.read(tree)
    assert found is not None
    assert entry_of(found, "name") == TreeEntry(kind, oid)  # type: ignore[arg-type]
    assert entry_of(found, "folder") == TreeEntry("folder", repo.git("rev-parse", f"{tree}:folder"))
    assert entry_of(found, "ame") is None
    assert entry_of(found, "nam") is None
    assert entry_of(found, "file") is None


def test_mode_of_an_old_git_and_a_mode_that_git_does_not_know() -> None:
    one, other = bytes(range(65, 85)), b"1" * 20
    data = b"100664 a\0" + one + b"40000 b\0" + other + b"40000 c\0" + one + b"170000 d\0" + other
    tree = Blob(oid="0" * 40, type="tree", data=data)
    kinds = [entry.kind for name in "abcd" if (entry := entry_of(tree, name))]
    assert kinds == ["file", "folder", "folder", "submodule"]
