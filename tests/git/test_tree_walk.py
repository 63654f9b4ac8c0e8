"""Trees of others are read to the letter, and two of them are compared only where they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.errors import GitError
from rollback_guard.git.objects import Blob, ObjectReader
from rollback_guard.git.repository import Repository
from rollback_guard.git.tree_walk import Difference, Item, compare_trees, read_folder, read_items
from tests.support.gits import Files, Link, Node, Submodule, initialise, opened, plant, trees

OID = "ab" * 20


@pytest.fixture
def repository(path_of_repo: Path) -> Repository:
    initialise(path_of_repo)
    return opened(path_of_repo)


def compared(repository: Repository, old: Files, new: Files, *, depth: int) -> list[Difference]:
    left, right = trees(repository, plant(Path(repository.git_dir), Node(files=old), Node(files=new)))
    with ObjectReader(repository.git) as objects:
        return list(compare_trees(objects, left, right, depth=depth))


def test_entries_are_read_by_name(repository: Repository) -> None:
    (tree,) = trees(repository, plant(Path(repository.git_dir), Node(files={"a": b"", "b/c": b"", "d": Link(b"a")})))
    with ObjectReader(repository.git) as objects:
        items = read_folder(objects, tree)
        assert read_folder(objects, None) == {}
        with pytest.raises(GitError, match="missing"):
            read_folder(objects, OID)
        with pytest.raises(GitError, match="malformed"):
            read_folder(objects, items["a"].oid)
    assert {name: (item.mode, item.folder) for name, item in items.items()} == {
        "a": ("100644", False),
        "b": ("40000", True),
        "d": ("120000", False),
    }


@pytest.mark.parametrize(
    "data",
    [
        b"100644 a\0" + bytes(19),
        b"100644 a" + bytes(0),
        b"100644\0" + bytes(20),
        b" a\0" + bytes(20),
        b"100644 \0" + bytes(20),
        b"100644 a/b\0" + bytes(20),
        b"100644 a\0" + bytes(20) + b"100755 a\0" + bytes(20),
        b"100644 a\0" + bytes(20) + b"\n",
    ],
)
def test_what_git_would_never_write_is_an_error(data: bytes) -> None:
    with pytest.raises(GitError, match="malformed"):
        read_items(Blob(oid=OID, type="tree", data=data))


def test_a_name_of_any_bytes_is_kept() -> None:
    items = read_items(Blob(oid="cd" * 32, type="tree", data=b"100644 \xff\n\0" + bytes(32)))
    assert items == {"\udcff\n": Item(mode="100644", name="\udcff\n", oid="00" * 32)}


def test_only_what_differs_is_told(repository: Repository) -> None:
    old: Files = {"same/x": b"1", "gone/y": b"1", "a/b/c/d": b"1", "file": b"1", "turned": b"1"}
    new: Files = {"same/x": b"1", "a/b/c/d": b"2", "a/b/c/e": b"1", "file": Submodule(OID), "turned/into": b"1"}
    found = compared(repository, old, new, depth=9)
    assert [(one.path, one.old is not None, one.new is not None) for one in found] == [
        ("a/b/c/d", True, True),
        ("a/b/c/e", False, True),
        ("file", True, True),
        ("gone/y", True, False),
        ("turned/into", False, True),
        ("turned", True, False),
    ]
    assert [one.path for one in compared(repository, old, new, depth=2)] == [
        "a/b",
        "file",
        "gone/y",
        "turned/into",
        "turned",
    ]
    assert compared(repository, old, old, depth=2) == []
