"""New commits on existing trees: in quarantine until they are kept, and never a ref."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.errors import GitError, UsageError
from rollback_guard.git.fast_import import NewCommit, Quarantine, keep_file, write_commits
from rollback_guard.git.history_chain import merge_base, on_chain, read_chain
from rollback_guard.git.repository import Repository, open_repository
from tests.support.builder import RepositoryBuilder


@pytest.fixture(params=["sha1", "sha256"])
def repo(request: pytest.FixtureRequest, path_of_repo: Path) -> RepositoryBuilder:
    built = RepositoryBuilder(path_of_repo, object_format=request.param)
    built.commit("One", a="1")
    built.commit("Two", a="2")
    return built


def opened(repo: RepositoryBuilder) -> Repository:
    return open_repository(str(repo.path), os.environ)


def test_commits_are_seen_only_once_they_are_kept(repo: RepositoryBuilder) -> None:
    refs = repo.git("for-each-ref")
    one, two = repo.tree("HEAD~1"), repo.tree()
    commits = (NewCommit(one, b"first\n"), NewCommit(None, b"second\n\nbody\n"), NewCommit(two, b"caf\xe9\0 odd\n"))
    with Quarantine(opened(repo)) as quarantine:
        oid = write_commits(quarantine, repo.head(), commits)
        assert repo.git("cat-file", "-e", oid, check=False) == ""
        assert "missing" in repo.git("cat-file", "--batch-check", stdin=oid.encode())
        quarantine.keep()
    assert not os.path.exists(quarantine.path)
    assert repo.git("log", "-3", "--format=%T", oid).split() == [
        two,
        repo.git("hash-object", "-t", "tree", "/dev/null"),
        one,
    ]
    assert repo.git("rev-parse", f"{oid}~3") == repo.head()
    assert repo.git("for-each-ref") == refs
    assert "Jane Doe <jane@acme.example>" in repo.git("cat-file", "commit", oid)


def test_without_keep_nothing_stays(repo: RepositoryBuilder) -> None:
    before = sorted(path for path in (repo.path / ".git").rglob("*"))
    with Quarantine(opened(repo)) as quarantine:
        write_commits(quarantine, repo.head(), (NewCommit(repo.tree(), b"x\n"),))
    assert sorted(path for path in (repo.path / ".git").rglob("*")) == before


def test_a_tree_that_does_not_exist_is_an_error(repo: RepositoryBuilder) -> None:
    with Quarantine(opened(repo)) as quarantine, pytest.raises(GitError, match="fast-import"):
        write_commits(quarantine, repo.head(), (NewCommit("1" * len(repo.head()), b"x\n"),))


def test_no_commits_at_all_is_an_error(repo: RepositoryBuilder) -> None:
    with Quarantine(opened(repo)) as quarantine, pytest.raises(GitError):
        write_commits(quarantine, repo.head(), ())


def test_git_must_know_who_works_here(repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "")
    with Quarantine(opened(repo)) as quarantine, pytest.raises(UsageError, match="who you are"):
        write_commits(quarantine, repo.head(), (NewCommit(None, b"x\n"),))


def test_a_path_with_a_colon_and_no_ascii(tmp_path: Path) -> None:
    built = RepositoryBuilder(tmp_path / 'ä:"b')
    built.commit("One", a="1")
    with Quarantine(opened(built)) as quarantine:
        oid = write_commits(quarantine, built.head(), (NewCommit(built.tree(), b"x\n"),))
        quarantine.keep()
    assert built.tree(oid) == built.tree()


def test_alternates_of_the_caller_stay(repo: RepositoryBuilder, tmp_path: Path) -> None:
    other = RepositoryBuilder(tmp_path / "other", object_format=repo.git("rev-parse", "--show-object-format"))
    other.commit("Elsewhere", b="b")
    found = opened(repo)
    found.git.env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = str(other.path / ".git/objects")
    with Quarantine(found) as quarantine:
        oid = write_commits(quarantine, repo.head(), (NewCommit(other.tree(), b"x\n"),))
        assert quarantine.git.text("rev-parse", f"{oid}^{{tree}}") == other.tree()


def test_a_pack_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    keep_file(str(tmp_path / "new"), str(tmp_path / "old"))
    assert (tmp_path / "old").read_text() == "old"


def test_a_fast_import_that_says_nothing(repo: RepositoryBuilder, tmp_path: Path) -> None:
    program = tmp_path / "git"
    program.write_text('#!/bin/sh\ncase "$*" in *fast-import*) cat >/dev/null;; *) exec git "$@";; esac\n')
    program.chmod(0o755)
    found = open_repository(str(repo.path), os.environ, program=str(program))
    with Quarantine(found) as quarantine, pytest.raises(GitError, match="did not say"):
        write_commits(quarantine, repo.head(), (NewCommit(None, b"x\n"),))


def test_a_chain_is_read_newest_first(repo: RepositoryBuilder) -> None:
    base = repo.head("HEAD~1")
    repo.branch("topic")
    repo.commit("Topic", b="b")
    repo.checkout("main")
    merge = repo.merge("topic")
    found = tuple(read_chain(opened(repo).git, merge, base))
    assert [one.commit for one in found] == [merge, repo.head("main~1")]
    assert found[0].parents == (repo.head("main~1"), repo.head("topic"))
    assert (found[0].tree, found[0].subject) == (repo.tree(), "Merge branch 'topic'")
    assert found[0].author == "Jane Doe <jane@acme.example>"


def test_what_is_no_chain_is_noticed(repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [[b"1" * 40, b"t", b"2" * 40, b"a", b"s"], [b"3" * 40, b"t", b"", b"a", b"s"]]
    monkeypatch.setattr("rollback_guard.git.history_chain.read_log", lambda *args: iter(records))
    with pytest.raises(GitError, match="no chain"):
        list(read_chain(opened(repo).git, "1" * 40, "4" * 40))


def test_where_a_branch_was(repo: RepositoryBuilder) -> None:
    git = opened(repo).git
    first = repo.head("HEAD~1")
    repo.branch("topic")
    topic = repo.commit("Topic", b="b")
    repo.checkout("main")
    merge = repo.merge("topic")
    assert on_chain(git, merge, merge)
    assert on_chain(git, first, merge)
    assert not on_chain(git, topic, merge)
    assert not on_chain(git, merge, first)
    assert merge_base(git, topic, merge) == topic


def test_a_fast_import_that_ends_before_it_has_read_all(repo: RepositoryBuilder, tmp_path: Path) -> None:
    program = tmp_path / "git"
    program.write_text(
        '#!/bin/sh\ncase "$*" in *fast-import*) echo "fatal: no room" >&2; exit 3;; *) exec git "$@";; esac\n'
    )
    program.chmod(0o755)
    found = open_repository(str(repo.path), os.environ, program=str(program))
    many = (NewCommit(None, b"x" * 1000) for _ in range(3000))  # more than a pipe holds
    with Quarantine(found) as quarantine, pytest.raises(GitError, match="no room"):
        write_commits(quarantine, repo.head(), many)
