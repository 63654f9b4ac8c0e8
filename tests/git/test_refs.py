"""Refs: listed, resolved, contained, named, moved."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from rollback_guard.errors import GitError, RefusedError, UsageError
from rollback_guard.git.refs import (
    HEADS,
    REMOTES,
    TAGS,
    Ref,
    is_ancestor,
    list_refs,
    require_commit,
    resolve_commit,
    short_branch,
    update_refs,
)
from tests.support.builder import RepositoryBuilder
from tests.support.gits import GITS, opened, use_git


@pytest.fixture(params=GITS, autouse=True)
def git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each git in turn."""
    use_git(request.param, monkeypatch)


@pytest.fixture(params=["sha1", "sha256"])
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> RepositoryBuilder:
    """Two commits on main, the first of them on `old` too."""
    builder = RepositoryBuilder(tmp_path / "repo", object_format=request.param)
    builder.commit("First", a="1")
    builder.git("branch", "old")
    builder.commit("Second", a="2")
    return builder


def test_refs_with_the_commits_behind_them(repo: RepositoryBuilder) -> None:
    first, second, tree = repo.head("old"), repo.head(), repo.tree()
    repo.stable_tag("v1")
    repo.git("tag", "light", "old")
    repo.git("tag", "-a", "-m", "A tag of a tag", "nested", "v1")
    repo.git("tag", "-a", "-m", "A tag of a tree", "tree", tree)
    repo.git("tag", "plain-tree", tree)
    repo.git("update-ref", "refs/remotes/origin/caf\u00e9", first)
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/caf\u00e9")
    found = opened(repo.path)
    assert list_refs(found, HEADS) == (Ref("refs/heads/main", second, second), Ref("refs/heads/old", first, first))
    assert list_refs(found, REMOTES) == (Ref("refs/remotes/origin/caf\u00e9", first, first),)
    tags = {ref.name[len(TAGS) :]: ref for ref in list_refs(found, TAGS)}
    assert list(tags) == ["light", "nested", "plain-tree", "tree", "v1"]
    assert {name: ref.commit for name, ref in tags.items()} == {
        "light": first,
        "nested": second,
        "plain-tree": "",
        "tree": "",
        "v1": second,
    }
    assert tags["v1"].oid == repo.git("rev-parse", "refs/tags/v1")
    assert [ref.name for ref in list_refs(found, HEADS, REMOTES, contains=second)] == ["refs/heads/main"]
    assert len(list_refs(found, HEADS, REMOTES, contains=first)) == 3
    assert list_refs(found, "refs/none/") == ()


def test_a_replaced_commit_is_not_what_a_ref_names(repo: RepositoryBuilder) -> None:
    first, second = repo.head("old"), repo.head()
    repo.git("replace", second, first)
    found = opened(repo.path)
    assert list_refs(found, "refs/heads/main") == (Ref("refs/heads/main", second, second),)
    assert is_ancestor(found, first, second)
    assert not is_ancestor(found, second, first)


@pytest.mark.parametrize("rev", ["main", "HEAD", "refs/heads/main", "v1", "HEAD^0", "@"])
def test_revisions_that_name_a_commit(rev: str, repo: RepositoryBuilder) -> None:
    repo.stable_tag("v1")
    assert resolve_commit(opened(repo.path), rev) == repo.head()
    assert require_commit(opened(repo.path), rev, "--head") == repo.head()


@pytest.mark.parametrize(
    "rev",
    ["", "none", "^main", "--all", "-h", "main..old", "main\nold", "main\0", "HEAD^{tree}", "HEAD:a", "1" * 40, "--"],
)
def test_revisions_that_name_none(rev: str, repo: RepositoryBuilder) -> None:
    assert resolve_commit(opened(repo.path), rev) is None
    with pytest.raises(UsageError, match="--head: there is no commit") as raised:
        require_commit(opened(repo.path), rev, "--head")
    assert "git fetch" in raised.value.remedy


def test_branches_named_like_options_are_found_by_their_full_name(repo: RepositoryBuilder) -> None:
    repo.git("update-ref", "refs/heads/--all", "old")
    assert resolve_commit(opened(repo.path), "refs/heads/--all") == repo.head("old")
    assert "refs/heads/--all" in [ref.name for ref in list_refs(opened(repo.path), HEADS)]


def test_ancestors(repo: RepositoryBuilder) -> None:
    found = opened(repo.path)
    assert is_ancestor(found, repo.head("old"), repo.head())
    assert is_ancestor(found, repo.head(), repo.head())
    assert not is_ancestor(found, repo.head(), repo.head("old"))
    with pytest.raises(GitError, match="merge-base"):
        is_ancestor(found, "1" * len(found.zero), repo.head())


@pytest.mark.parametrize(
    ("ref", "remotes", "short"),
    [
        ("refs/heads/release/1.4", (), "release/1.4"),
        ("refs/remotes/origin/release/1.4", (), "release/1.4"),
        ("refs/remotes/origin/release/1.4", ("origin",), "release/1.4"),
        ("refs/remotes/team/fork/main", ("team", "team/fork"), "main"),
        ("refs/remotes/other/main", ("origin",), "main"),
        ("refs/tags/v1", ("origin",), "refs/tags/v1"),
    ],
)
def test_short_names(ref: str, remotes: tuple[str, ...], short: str) -> None:
    assert short_branch(ref, remotes) == short


def test_refs_move_together_or_not_at_all(repo: RepositoryBuilder) -> None:
    found = opened(repo.path)
    first, second, zero = repo.head("old"), repo.head(), found.zero
    update_refs(
        found,
        (("refs/heads/old", second, first), ("refs/heads/caf\u00e9", first, zero)),
        reason="guard: a test",
    )
    assert (repo.head("old"), repo.head("caf\u00e9")) == (second, first)
    repo.git("config", "core.logAllRefUpdates", "always")
    with pytest.raises(RefusedError, match="no ref was moved: fatal: ") as raised:
        update_refs(found, (("refs/heads/old", first, second), ("refs/heads/main", first, first)), reason="x")
    assert "again" in raised.value.remedy
    assert (repo.head("old"), repo.head("main")) == (second, second)
    with pytest.raises(RefusedError, match="no ref was moved"):
        update_refs(found, (("refs/heads/old", first, zero),), reason="x")
    update_refs(found, (("refs/heads/old", zero, second),), reason="gone")
    assert resolve_commit(found, "refs/heads/old") is None


def test_a_lock_that_a_crash_left_behind_is_named(repo: RepositoryBuilder) -> None:
    found, tip = opened(repo.path), repo.head()
    lock = repo.path / ".git" / "refs" / "heads" / "it's.lock"
    lock.touch()
    with pytest.raises(RefusedError, match="no ref was moved: ") as raised:
        update_refs(found, (("refs/heads/it's", tip, found.zero),), reason="x")
    assert f"{lock} is there" in raised.value.message
    command, _, comment = raised.value.remedy.partition("   # ")
    assert shlex.split(command) == ["rm", str(lock)]
    assert "run this again" in comment
    lock.unlink()
    update_refs(found, (("refs/heads/it's", tip, found.zero),), reason="x")


def test_a_transaction_that_git_refuses_without_a_word(repo: RepositoryBuilder, tmp_path: Path) -> None:
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    found = opened(repo.path)
    found.git.program = str(fake)
    with pytest.raises(RefusedError, match="no ref was moved: git refused the transaction"):
        update_refs(found, (("refs/heads/x", repo.head(), found.zero),), reason="x")


def test_a_name_that_is_also_the_beginning_of_an_id_is_not_guessed(repo: RepositoryBuilder) -> None:
    """git takes the ref; a command that somebody pastes means the commit."""
    first, second = repo.head("old"), repo.head()
    for kind in ("tag", "branch"):
        repo.git(kind, first[:12], second)
        with pytest.raises(UsageError, match="the beginning of the id") as caught:
            require_commit(opened(repo.path), first[:12], "--head")
        assert first in caught.value.remedy
        repo.git(kind, "-d" if kind == "tag" else "-D", first[:12])
    repo.git("tag", first[:12], first)  # it says what it is
    assert require_commit(opened(repo.path), first[:12], "--head") == first
    repo.git("tag", "abcdef", second)
    assert require_commit(opened(repo.path), "abcdef", "--head") == second
    tree = repo.tree()[:12]
    repo.git("tag", tree, second)  # the id of a tree is nobody's commit
    assert require_commit(opened(repo.path), tree, "--head") == second
