"""Pushing one branch: to the remote that git would take, and only from where it was thought to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.errors import UsageError
from rollback_guard.git.push import push_branch, remote_for
from tests.release.stories import begun, opened


def test_which_remote(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    with pytest.raises(UsageError, match="no remote"):
        remote_for(opened(repo), "main")
    repo.git("remote", "add", "only", "x")
    assert remote_for(opened(repo), "main") == "only"
    repo.git("remote", "add", "second", "x")
    with pytest.raises(UsageError, match="several: only, second"):
        remote_for(opened(repo), "main")
    repo.git("remote", "add", "origin", "x")
    assert remote_for(opened(repo), "main") == "origin"
    repo.git("config", "branch.main.remote", "second")
    assert remote_for(opened(repo), "main") == "second"
    repo.git("config", "remote.pushDefault", "only")
    assert remote_for(opened(repo), "main") == "only"
    repo.git("config", "branch.main.pushRemote", "origin")
    assert remote_for(opened(repo), "main") == "origin"


def test_the_lease(path_of_repo: Path, tmp_path: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "server.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "server.git"))
    old = repo.head()
    new = repo.commit("New", x="x")
    assert push_branch(opened(repo), "origin", "main", new, repo.head("main~2")) != ""
    assert push_branch(opened(repo), "origin", "main", new, old) == ""
    assert push_branch(opened(repo), "origin", "topic", new, None) == ""
    assert push_branch(opened(repo), "origin", "topic", old, None) != ""
    assert repo.git("ls-remote", "origin", "refs/heads/main", "refs/heads/topic").split()[::2] == [new, new]
    assert push_branch(opened(repo), "nowhere", "main", new, old) != ""
