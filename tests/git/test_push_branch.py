"""Pushing one branch: to the remote that git would take, and only from where it was thought to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.errors import UsageError
from rollback_guard.git.complaint import telling_line
from rollback_guard.git.push import Pushed, push_refs, remote_for
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

    def push(remote: str, *branches: Pushed) -> str:
        return push_refs(opened(repo), remote, branches)

    assert push("origin", Pushed("refs/heads/main", new, repo.head("main~1~1"))) != ""
    assert (
        push("origin", Pushed("refs/heads/topic", new, None), Pushed("refs/heads/main", new, repo.head("main~1~1")))
        != ""
    )
    assert repo.git("ls-remote", "origin", "refs/heads/topic") == ""  # all or none
    assert push("origin", Pushed("refs/heads/main", new, old), Pushed("refs/heads/topic", new, None)) == ""
    assert push("origin", Pushed("refs/heads/topic", old, None)) != ""
    assert repo.git("ls-remote", "origin", "refs/heads/main", "refs/heads/topic").split()[::2] == [new, new]
    assert push("nowhere", Pushed("refs/heads/main", new, old)) != ""


def test_how_far_it_has_come(path_of_repo: Path, tmp_path: Path) -> None:
    repo = begun(path_of_repo)
    server = tmp_path / "server.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(server))
    repo.git("remote", "add", "origin", f"file://{server}")
    hook = server / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no, never\necho 50% of it\nexit 1\n")
    hook.chmod(0o755)
    told: list[str] = []
    new = repo.commit("New", **{f"file{number}": str(number) for number in range(50)})
    said = push_refs(opened(repo), "origin", [Pushed("refs/heads/main", new, repo.head("main~1"))], told.append)
    assert "pre-receive hook declined" in said
    assert "no, never" in said
    assert any(line.startswith("Writing objects: 100%") for line in told)


def test_the_line_that_says_what_failed() -> None:
    assert telling_line(b"hint: look\n@@@@@\nfatal: no key\nmore\n") == "fatal: no key"
    assert telling_line(b"\nssh: no route\n") == "ssh: no route"
    assert telling_line(b"\n") == ""
