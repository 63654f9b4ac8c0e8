"""Commits that add files: what was there stays, and few objects lie loose."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.errors import GitError
from rollback_guard.git.repository import open_repository
from rollback_guard.git.tree_writes import LooseQuarantine, NewFile, write_files
from tests.support.builder import RepositoryBuilder


@pytest.fixture(params=["sha1", "sha256"])
def repo(request: pytest.FixtureRequest, path_of_repo: Path) -> RepositoryBuilder:
    built = RepositoryBuilder(path_of_repo, object_format=request.param)
    built.commit("One", a="1", below__b="2")
    return built


def test_files_are_added_to_what_the_parent_has(repo: RepositoryBuilder) -> None:
    first, refs = repo.head(), repo.git("for-each-ref")
    other = repo.git("commit-tree", "-m", "other", repo.tree())
    blob = repo.git("rev-parse", "HEAD:a")
    files = (NewFile(path="below/c", data=b"\0\n3"), NewFile(path="d", oid=blob), NewFile(path="empty"))
    with LooseQuarantine(open_repository(str(repo.path), os.environ)) as quarantine:
        oid = write_files(quarantine, (first, other), files, "caf\xe9\n\nbody\n".encode())
        assert "missing" in repo.git("cat-file", "--batch-check", stdin=oid.encode())
        quarantine.keep()
    assert not os.path.exists(quarantine.path)
    assert repo.git("ls-tree", "-r", "--name-only", oid).split() == ["a", "below/b", "below/c", "d", "empty"]
    assert repo.git("rev-parse", f"{oid}:d") == blob
    assert repo.git("cat-file", "blob", f"{oid}:below/c") == "\0\n3"
    assert repo.git("rev-parse", f"{oid}^@").split() == [first, other]
    assert repo.git("log", "-1", "--format=%B", oid) == "café\n\nbody"
    assert repo.git("for-each-ref") == refs
    assert not list((repo.path / ".git/objects/pack").iterdir())
    repo.git("fsck", "--strict")


def test_many_objects_stay_a_pack(repo: RepositoryBuilder) -> None:
    files = tuple(NewFile(path=f"{number}/file", data=b"%d" % number) for number in range(200))
    with LooseQuarantine(open_repository(str(repo.path), os.environ)) as quarantine:
        oid = write_files(quarantine, (), files, b"many\n")
        quarantine.keep()
    assert len(repo.git("ls-tree", "-r", "--name-only", oid).split()) == 200
    assert list((repo.path / ".git/objects/pack").glob("*.idx"))


def test_a_parent_or_blob_that_does_not_exist_is_an_error(repo: RepositoryBuilder) -> None:
    nothing = "1" * len(repo.head())
    with LooseQuarantine(open_repository(str(repo.path), os.environ)) as quarantine:
        with pytest.raises(GitError, match="fast-import"):
            write_files(quarantine, (nothing,), (), b"x\n")
        with pytest.raises(GitError, match="fast-import"):
            write_files(quarantine, (), (NewFile(path="a", oid=nothing),), b"x\n")
