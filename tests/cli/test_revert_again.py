"""`guard revert` a second time: after a push that failed, in a clone that is behind, with files that stayed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_revert import Guard, guard
from tests.cli.test_revert_more import two_branches
from tests.release.stories import TAG, busy, everything
from tests.release.test_migrated import EXPAND, FIRST, shop
from tests.support.builder import POLICY, RepositoryBuilder

__all__ = ["guard"]
NOTHING = "Nothing to revert: main has "


def served(repo: RepositoryBuilder, tmp_path: Path) -> Path:
    """A server as `origin`, with all that is here."""
    server = tmp_path / "server.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(server))
    repo.git("remote", "add", "origin", f"file://{server}")
    repo.git("fetch", "-q", "origin")
    return server


def there(repo: RepositoryBuilder, branch: str = "main") -> str:
    return repo.git("ls-remote", "origin", f"refs/heads/{branch}").split()[0]


def failed_push(guard: Guard, repo: RepositoryBuilder, server: Path) -> None:
    """The way back is here, and the server could not be reached."""
    server.rename(server.with_suffix(".away"))
    said = guard(repo.path, "revert", "--yes", "--push")
    assert (said.code, "origin did not take it" in said.err) == (1, True)
    unreachable = guard(repo.path, "revert", "--yes", "--push")
    assert (unreachable.code, "origin cannot be asked for its branches: fatal:" in unreachable.err) == (1, True)
    server.with_suffix(".away").rename(server)


def test_after_a_push_that_failed_the_same_command_pushes(guard: Guard, path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    bad = repo.head()
    failed_push(guard, repo, served(repo, tmp_path))
    plain = guard(repo.path, "revert")
    assert plain.out.startswith(NOTHING)
    assert "note: origin/main has not gone back, as it was last seen: git push origin main" in plain.out
    assert "guard release revoke" not in plain.out
    assert guard(repo.path, "revert", "--push").code == 2  # nobody to ask
    assert guard(repo.path, "revert", "--push", answer="n\n").code == 1
    assert guard(repo.path, "revert", "--push", "--plan", "--yes").code == 0
    assert there(repo) == bad
    said = guard(repo.path, "revert", "--yes", "--push", "--format", "json")
    assert (said.code, said.json["reverts"]) == (0, [])
    assert f"origin has main at {bad[:12]}: what is here, {repo.head()[:12]}, has to be pushed" in said.err
    assert "pushed to origin: main as it was here" in said.err
    assert there(repo) == repo.head()
    again = guard(repo.path, "revert", "--yes", "--push")
    assert (again.code, "origin has main as it is here" in again.err) == (0, True)
    assert "guard release revoke" in again.out


def test_a_clone_that_is_behind_is_not_done(guard: Guard, path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    bad = repo.head()
    served(repo, tmp_path)
    repo.git("reset", "-q", "--hard", TAG)
    said = guard(repo.path, "revert", "--yes", "--push")
    assert said.code == 1
    assert f"origin has main at {bad}, which is not in what is here" in said.err
    assert f"git fetch origin && git reset --keep {bad} && guard revert --to {TAG} --branch main --push" in said.err
    repo.git("checkout", "-q", "--detach")
    said = guard(repo.path, "revert", "--branch", "main", "--yes", "--push")
    assert (said.code, f"git branch -f -- main {bad}" in said.err) == (1, True)
    assert there(repo) == bad


def test_a_remote_without_the_branch_and_one_that_refuses(guard: Guard, path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    server = served(repo, tmp_path)
    failed_push(guard, repo, server)
    hook = server / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no, never >&2\nexit 1\n")
    hook.chmod(0o755)
    said = guard(repo.path, "revert", "--yes", "--push")
    assert (said.code, "did not take it" in said.err, "no, never" in said.err) == (1, True, True)
    repo.git(f"--git-dir={server}", "update-ref", "-d", "refs/heads/main")
    gone = guard(repo.path, "revert", "--yes", "--push")
    assert (gone.code, "origin has no branch main" in gone.err) == (1, True)


def test_undone_commits_that_were_not_pushed(guard: Guard, path_of_repo: Path, tmp_path: Path) -> None:
    """What else is on the branch nobody has looked at, so it is not sent."""
    repo = busy(path_of_repo)
    served(repo, tmp_path)
    bad = repo.head()
    assert guard(repo.path, "revert", "--mode", "only", bad, "--yes").code == 0
    said = guard(repo.path, "revert", "--mode", "only", bad, "--yes", "--push")
    assert said.out.startswith("Nothing to undo")
    assert (said.code, f"origin has main at {bad}, before what is here" in said.err) == (1, True)
    assert there(repo) == bad
    beside = guard(repo.path, "revert", "--mode", "only", bad, "--yes", "--push", "--as", "undo/it")
    assert beside.code == 0


def test_of_two_branches_the_one_that_went_back_is_sent_too(guard: Guard, path_of_repo: Path, tmp_path: Path) -> None:
    repo = two_branches(path_of_repo)
    served(repo, tmp_path)
    assert guard(repo.path, "revert", "--branch", "main", "--yes").code == 0
    said = guard(repo.path, "revert", "--branch", "main", "--branch", "legacy", "--yes", "--push")
    assert said.code == 0, said.err
    assert (there(repo), there(repo, "legacy")) == (repo.head("main"), repo.head("legacy"))


@pytest.mark.parametrize("mode", ["each", "single"])
def test_files_that_stayed_are_not_gone_back_from_again(guard: Guard, path_of_repo: Path, mode: str) -> None:
    repo = shop(path_of_repo, EXPAND, policy=POLICY)
    assert guard(repo.path, "revert", "--mode", mode, "--yes").code == 0
    before = everything(repo)
    said = guard(repo.path, "revert", "--mode", mode, "--yes")
    assert (said.code, everything(repo)) == (0, before)
    assert said.out.startswith(f"{NOTHING}the tree of {TAG} and 1 migration file that stays already: {FIRST}\n")
    plan = guard(repo.path, "revert", "--plan", "--format", "json").json
    assert (plan["reverts"], plan["kept"], plan["notes"]) == ([], [FIRST], [])


def test_a_way_back_that_was_cut_short_is_said(guard: Guard, path_of_repo: Path) -> None:
    """The branch has moved, the work tree has not."""
    repo = busy(path_of_repo)
    files = repo.tree("main")
    assert guard(repo.path, "revert", "--yes").code == 0
    repo.git("read-tree", "-u", "--reset", files)
    said = guard(repo.path, "revert")
    assert said.out.startswith(NOTHING)
    assert "note: files here differ from the branch: app.py" in said.out
    assert "git reset --hard" in said.out
    lock = repo.path / ".git/index.lock"
    lock.write_text("")
    assert f"one was cut short: rm {lock} && git status" in guard(repo.path, "revert").out
    lock.unlink()
    repo.git("checkout", "-q", "--detach", "-f", "main")
    assert "note: " not in guard(repo.path, "revert", "--branch", "main").out
