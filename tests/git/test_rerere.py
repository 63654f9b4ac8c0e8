"""What git remembers of resolved conflicts, read without being changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rollback_guard.git import rerere
from rollback_guard.git.merges import MergeAgain
from rollback_guard.git.rerere import Conflicted, Memory, remembers
from tests.release.stories import opened
from tests.support.builder import RepositoryBuilder

TEXT = b"<<<<<<< one\nours\n=======\ntheirs\n>>>>>>> two\n"


def taught(path: Path, *, object_format: str = "sha1") -> tuple[RepositoryBuilder, list[str]]:
    """A repository that knows how `ours` against `theirs` was resolved, and the oids of both sides."""
    repo = RepositoryBuilder(path, object_format=object_format)
    repo.git("config", "rerere.enabled", "true")
    repo.commit("Begin", a="base\n")
    repo.branch("other")
    repo.commit("Theirs", a="theirs\n")
    repo.checkout("main")
    repo.commit("Ours", a="ours\n")
    repo.git("merge", "-q", "other", check=False, **repo.as_person("jane"))
    repo.write(a="both\n")
    repo.git("add", "-A")
    repo.git("rerere")
    return repo, [repo.git("rev-parse", f"{name}:a") for name in ("main", "other")]


@contextmanager
def memory_of(repo: RepositoryBuilder) -> Iterator[Memory]:
    """git's memory, as a merge without a work tree uses it; nothing of it stays."""
    folder = repo.path.parent / f"{repo.path.name}-scratch"
    folder.mkdir(exist_ok=True)
    with MergeAgain(opened(repo), str(folder)) as again, Memory(opened(repo), again.git, again.folder) as memory:
        yield memory
    assert os.listdir(folder) == []


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_known_conflict_is_resolved_and_an_unknown_one_is_not(path_of_repo: Path, object_format: str) -> None:
    repo, (ours, theirs) = taught(path_of_repo, object_format=object_format)
    before = {path: path.read_bytes() for path in (repo.path / ".git/rr-cache").rglob("*image")}
    with memory_of(repo) as memory:
        known = Conflicted(path="x/named:other\n", ours=f"100644 {ours}", theirs=f"100644 {theirs}", text=TEXT)
        unknown = known._replace(path="y", text=TEXT.replace(b"ours", b"else"))
        found = memory.resolve((known, unknown))
        assert list(found) == [known.path]
        assert len(found[known.path]) == len(ours)
    assert {path: path.read_bytes() for path in (repo.path / ".git/rr-cache").rglob("*image")} == before


def test_what_cannot_be_read_is_forgotten(path_of_repo: Path) -> None:
    repo, (ours, theirs) = taught(path_of_repo)
    cache = repo.path / ".git/rr-cache"
    (cache / "MERGE_RR").write_text("no folder\n")
    (next(entry for entry in cache.iterdir() if entry.is_dir()) / "notes").write_text("not git's\n")
    one = Conflicted(path="a", ours=f"100644 {ours}", theirs=f"100644 {theirs}", text=TEXT)
    with memory_of(repo) as memory:
        assert list(memory.resolve([one])) == ["a"]
    cache.rename(path_of_repo.parent / "gone")
    assert not remembers(opened(repo))
    with memory_of(repo) as memory:
        assert memory.resolve([one]) == {}


def test_only_so_much_is_looked_at(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo, (ours, theirs) = taught(path_of_repo)
    monkeypatch.setattr(rerere, "MOST", 0)
    one = Conflicted(path="a", ours=f"100644 {ours}", theirs=f"100644 {theirs}", text=TEXT)
    with memory_of(repo) as memory:
        assert memory.resolve([one]) == {}
