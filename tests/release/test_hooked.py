"""Names and hooks of one's own that stand in a way back's way: what is said then."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.test_revert import Guard, guard
from tests.release.stories import busy, everything
from tests.support.builder import RepositoryBuilder

__all__ = ["guard"]


def hooked(path: Path, body: str) -> RepositoryBuilder:
    repo = busy(path)
    hook = repo.path / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{body}\n")
    hook.chmod(0o755)
    return repo


@pytest.mark.parametrize("body", ["echo frozen >&2; exit 1", "test $1 != prepared || { echo frozen >&2; exit 1; }"])
def test_a_hook_that_lets_no_ref_move(guard: Guard, path_of_repo: Path, body: str) -> None:
    repo = hooked(path_of_repo, body)
    before = everything(repo)
    said = guard(repo.path, "revert", "--yes")
    assert said.code == 1
    assert "no ref was moved: fatal: " in said.err
    assert "; frozen" in said.err
    assert "fsck" not in said.err
    assert everything(repo) == before


def test_the_command_that_pushes_where_a_tag_is_called_like_the_branch(
    guard: Guard, path_of_repo: Path, tmp_path: Path
) -> None:
    repo = busy(path_of_repo)
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "server.git"))
    repo.git("remote", "add", "origin", f"file://{tmp_path / 'server.git'}")
    repo.git("tag", "main", "main~1")
    said = guard(repo.path, "revert", "--branch", "main", "--yes")
    command = said.out.strip().rpartition("→ ")[2]
    assert command == "git push origin refs/heads/main"
    repo.git(*shlex.split(command)[1:])
    assert repo.git("ls-remote", "origin", "refs/heads/main").split()[0] == repo.head("refs/heads/main")
