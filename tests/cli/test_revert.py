"""`guard revert` as people call it: what it prints, asks, refuses and returns."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.entry.cli import revert as cli
from rollback_guard.entry.cli.main import main
from tests.release.stories import TAG, begun, busy, everything, git_as
from tests.support.builder import POLICY, RepositoryBuilder


class Said:
    """Exit code and what was printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Guard:
    """Runs `guard` in a folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, folder: Path, *args: str, answer: str | None = None) -> Said:
        self._monkeypatch.chdir(folder)
        stdin = io.StringIO(answer or "")
        self._monkeypatch.setattr(stdin, "isatty", lambda: answer is not None)
        self._monkeypatch.setattr(sys, "stdin", stdin)
        self._capsys.readouterr()
        code = main(list(args))
        out, err = self._capsys.readouterr()
        return Said(code, out, err)


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Guard:
    return Guard(monkeypatch, capsys)


def test_plan_then_execute(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    before = everything(repo)
    plan = guard(repo.path, "revert", "--plan", "--format", "json")
    assert (plan.code, plan.json["result"], plan.err) == (0, None, "")
    assert everything(repo) == before
    assert plan.json["stable"] == {
        "tag": TAG,
        "commit": repo.head(TAG),
        "tree": repo.tree(TAG),
        "ancestor": True,
    }
    done = guard(repo.path, "revert", "--execute", plan.json["digest"], "--format", "json", "--reason", "two\nlines")
    assert done.code == 0
    assert done.json["result"] == {
        "ref": "refs/heads/main",
        "commit": repo.head("main"),
        "tree": repo.tree(TAG),
        "tree-equals-stable": True,
    }
    assert repo.git("log", "-1", "--format=%(trailers:only)") == f"Rollback-To: {TAG}\nReason: two lines"
    again = guard(repo.path, "revert", "--format", "json")
    assert (again.code, again.json["reverts"], again.json["result"]) == (0, [], None)
    assert guard(repo.path, "revert").out.startswith("Nothing to revert: main has exactly the tree of")


def test_the_printed_command_carries_out_the_printed_plan(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    said = guard(repo.path, "revert", "--plan", "--mode", "single", "--as", "back", "--reason", "it's broken")
    assert said.out.startswith(f"Back to {TAG}: 3 commits will be reverted on main by one commit, written to")
    import shlex

    words = shlex.split(said.out.strip().rpartition("→ ")[2])
    assert words[0] == "guard"
    assert guard(repo.path, *words[1:]).code == 0
    assert repo.tree("back") == repo.tree(TAG)


def test_another_digest_is_refused(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    digest = guard(repo.path, "revert", "--plan", "--format", "json").json["digest"]
    repo.commit("Somebody was faster", app_dot_py="price = 7\n")
    before = everything(repo)
    said = guard(repo.path, "revert", "--execute", digest)
    assert (said.code, said.out) == (1, "")
    assert "the plan is not the one of that digest any more" in said.err
    assert everything(repo) == before


def test_the_digest_may_be_bare_hex(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    digest = guard(repo.path, "revert", "--plan", "--format", "json").json["digest"]
    assert guard(repo.path, "revert", "--execute", digest.partition(":")[2]).code == 0


def test_without_a_terminal_it_does_not_guess(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    before = everything(repo)
    said = guard(repo.path, "revert")
    assert said.code == 2
    assert "--execute sha256:" in said.err
    assert "--yes" in said.err
    assert said.out.startswith(f"Back to {TAG}: 3 commits will be reverted on main\n")
    assert everything(repo) == before


def test_it_asks_on_a_terminal(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    before = everything(repo)
    said = guard(repo.path, "revert", answer="n\n")
    assert said.code == 1
    assert "not confirmed" in said.err
    assert everything(repo) == before
    assert guard(repo.path, "revert", answer="y\n").code == 0
    assert repo.tree() == repo.tree(TAG)


def test_json_is_alone_on_stdout(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    said = guard(repo.path, "revert", "--format", "json", answer="y\n")
    assert said.code == 0
    assert said.json["result"]["tree-equals-stable"] is True
    assert said.err.startswith("Back to")


def test_from_a_subfolder_of_another_branch(guard: Guard, path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.write_file("rollback-guard.toml", POLICY)
    repo.commit("A policy")
    repo.stable_tag("stable/2026.11.23.1")
    repo.commit("Raise the price", app_dot_py="price = 2\n")
    repo.branch("topic")
    repo.write(app_dot_py="mine\n")
    said = guard(repo.path / "docs", "revert", "--yes")
    assert said.code == 0, said.err
    assert "git push origin main" in said.out
    assert repo.tree("main") == repo.tree("stable/2026.11.23.1")
    assert (repo.path / "app.py").read_text() == "mine\n"


def test_a_new_branch_leaves_production_alone(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    tip = repo.head()
    said = guard(repo.path, "revert", "--as", "back/checkout", "--yes", "--format", "json")
    assert (said.code, said.json["result"]["ref"]) == (0, "refs/heads/back/checkout")
    assert repo.head("main") == tip
    assert repo.tree("back/checkout") == repo.tree(TAG)
    assert guard(repo.path, "revert", "--as", "back/checkout", "--yes").code == 1
    assert guard(repo.path, "revert", "--as", "back", "--yes").code == 1
    for name in ("-x", "a..b", "HEAD", "a b"):
        assert guard(repo.path, "revert", f"--as={name}", "--yes").code == 2


def test_a_new_branch_from_what_origin_has(guard: Guard, path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "clone"))
    clone = RepositoryBuilder.__new__(RepositoryBuilder)
    clone.path, clone.clock = tmp_path / "clone", repo.clock
    clone.git("checkout", "-q", "--detach")
    clone.git("branch", "-D", "main")
    assert guard(clone.path, "revert", "--branch", "main", "--yes").code == 2
    assert guard(clone.path, "revert", "--branch", "main", "--as", "back", "--yes").code == 0
    assert clone.tree("back") == repo.tree(TAG)


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["--mode", "only"], 2, "none is named"),
        (["--mode", "only", "HEAD", "--to", TAG], 2, "--to names a release"),
        (["--mode", "only", "HEAD", "--branch", "main", "--branch", "x"], 2, "works on one branch"),
        (["--branch", "main", "--branch", "refs/heads/main"], 2, "one branch twice"),
        (["--branch", "main", "--branch", "x", "--as", "y"], 2, "several go back"),
        (["HEAD"], 2, "--mode only"),
        (["--plan", "--execute", "x"], 2, "exclude each other"),
        (["--to", "nothing"], 2, "no tag 'nothing'"),
        (["--to", "light"], 1, "lightweight"),
        (["--branch", "nothing"], 2, "no branch nothing"),
        (["--branch", "main~1"], 2, "no branch main~1"),
        (["--branch", f"refs/tags/{TAG}"], 2, "is no branch"),
        (["--reason", "\x1b"], 2, "control characters"),
        (["--push", "--yes"], 2, "no remote"),
        (["--mode", "what"], 2, "what"),
    ],
)
def test_refusals(guard: Guard, path_of_repo: Path, args: list[str], code: int, says: str) -> None:
    repo = busy(path_of_repo)
    repo.git("tag", "light")
    before = everything(repo)
    said = guard(repo.path, "revert", *args)
    assert (said.code, says in said.err) == (code, True), said.err
    assert everything(repo) == before


def test_a_shallow_clone(guard: Guard, path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    said = guard(tmp_path / "shallow", "revert", "--yes")
    assert (said.code, "git fetch --unshallow" in said.err) == (1, True)


def test_a_detached_head(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("checkout", "-q", "--detach")
    said = guard(repo.path, "revert", "--yes")
    assert (said.code, "--branch" in said.err) == (2, True)
    assert guard(repo.path, "revert", "--branch", "main", "--yes").code == 0


def test_an_unborn_branch(guard: Guard, path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    assert guard(repo.path, "revert", "--yes").code == 2
    assert guard(repo.path.parent, "revert").code == 2


def test_a_plan_says_what_would_be_refused(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.write(app_dot_py="mine\n")
    said = guard(repo.path, "revert", "--plan")
    assert said.code == 0
    assert "would be refused now: there are changes here that are not committed: app.py" in said.out
    assert guard(repo.path, "revert", "--yes").code == 1


def test_a_broken_policy_stops_only_the_search_for_a_release(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.write_file("rollback-guard.toml", "version = ")
    repo.commit("Break the policy")
    assert guard(repo.path, "revert", "--plan").code == 2
    said = guard(repo.path, "revert", "--plan", "--to", TAG)
    assert said.code == 0
    assert "the policy cannot be read" in said.out


def test_push(guard: Guard, path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "server.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "server.git"))
    said = guard(repo.path, "revert", "--yes", "--push")
    assert said.code == 0
    assert "pushed to origin" in said.err
    assert repo.git("ls-remote", "origin", "refs/heads/main").split()[0] == repo.head("main")


def meanwhile(repo: RepositoryBuilder, parent: str) -> str:
    """What somebody else pushed on top of a commit."""
    return git_as(repo, "commit-tree", "-p", parent, "-m", "Somebody else", f"{parent}^{{tree}}", by="omar").strip()


def test_a_push_that_is_not_taken(guard: Guard, path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    tip = repo.head()
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "server.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "server.git"))
    server = RepositoryBuilder.__new__(RepositoryBuilder)
    server.path, server.clock = tmp_path / "server.git", repo.clock
    others = meanwhile(repo, "main~1")
    repo.git("update-ref", "refs/keep", others)
    server.git("fetch", "-q", str(repo.path), "refs/keep:refs/keep")
    server.git("update-ref", "refs/heads/main", "main~1")
    said = guard(repo.path, "revert", "--yes", "--push")
    assert said.code == 1
    one_less = repo.head(f"{tip}~1")
    assert f"git log {one_less[:12]}..{tip[:12]} && git push origin main   # these commits were here alone" in said.err
    repo.git("reset", "-q", "--hard", tip)
    server.git("update-ref", "refs/heads/main", others)
    said = guard(repo.path, "revert", "--yes", "--push")
    assert said.code == 1
    assert "origin did not take it" in said.err
    assert repo.tree("main") == repo.tree(TAG)
    assert (
        f"git reset --keep {tip} && git fetch origin && git merge --ff-only origin/main && "
        f"guard revert --to {TAG} --branch main --push --plan" in said.err
    )
    server.git("update-ref", "refs/heads/main", tip)
    hook = tmp_path / "server.git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    repo.git("reset", "-q", "--hard", tip)
    said = guard(repo.path, "revert", "--yes", "--push")
    assert said.code == 1
    assert f"git push origin refs/tags/{TAG} main" in said.err
    assert f"git reset --keep {tip}" in said.err


def test_a_push_that_is_stale_elsewhere(guard: Guard, path_of_repo: Path, tmp_path: Path) -> None:
    """The branch is not checked out, and the new branch is there already."""
    repo = busy(path_of_repo)
    tip = repo.head()
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "server.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "server.git"))
    repo.git("push", "-q", "origin", "main~1:refs/heads/back")
    said = guard(repo.path, "revert", "--as", "back", "--yes", "--push")
    assert said.code == 1
    assert "git fetch origin   # it has a branch back" in said.err
    repo.git("push", "-q", "--force", "origin", f"{meanwhile(repo, 'main~1')}:refs/heads/main")
    repo.git("checkout", "-q", "--detach")
    said = guard(repo.path, "revert", "--branch", "main", "--yes", "--push")
    assert said.code == 1
    assert f"git branch -f -- main {tip} && git fetch origin && git branch -f -- main origin/main" in said.err


def test_the_command_to_paste_keeps_what_was_asked(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    planned = guard(repo.path, "revert", "--push", "--plan")
    assert f"guard revert --to {TAG} --branch main --push --execute sha256:" in planned.out
    assert "--push" not in guard(repo.path, "revert", "--plan").out
    assert "--push --plan" in guard(repo.path, "revert", "--push", "--execute", "0" * 64).err
    repo.git("remote", "add", "origin", "https://github.com/acme/shop.git")
    assert "--push --execute" in guard(repo.path, "revert", "--push").err


def test_a_branch_that_is_not_where_origin_is(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("update-ref", "refs/remotes/origin/main", "main~1")
    assert "is not where origin/main was last seen" in guard(repo.path, "revert", "--plan").out


def test_a_way_back_that_is_here_and_not_at_origin(guard: Guard, path_of_repo: Path) -> None:
    """The push was refused, or whoever pushed was killed before: the command again says what is left to do."""
    repo = busy(path_of_repo)
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    assert guard(repo.path, "revert", "--yes").code == 0
    again = guard(repo.path, "revert", "--yes")
    assert "note: origin/main has not gone back, as it was last seen: git push origin main\n" in again.out
    repo.git("update-ref", "refs/remotes/origin/main", repo.git("commit-tree", "-m", "Another", "main^{tree}"))
    assert "note: main here is not where origin/main was last seen" in guard(repo.path, "revert").out
    repo.git("update-ref", "refs/remotes/origin/main", repo.git("commit-tree", "-m", "Another", "main~1^{tree}"))
    assert "note: main here is not where origin/main was last seen" in guard(repo.path, "revert").out
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    assert "note:" not in guard(repo.path, "revert").out


def test_hostile_names_do_not_reach_the_terminal(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.commit("\x1b[2Jgone \x9b31m", by="jane", app_dot_py="price = 9\n")
    said = guard(repo.path, "revert", "--plan")
    assert "\x1b" not in said.out
    assert "\\x1b[2Jgone" in said.out
    raw = guard(repo.path, "revert", "--plan", "--format", "json")
    assert "\x1b" not in raw.out
    assert raw.json["reverts"][0]["subject"] == "\x1b[2Jgone \x9b31m"


def test_help_has_an_example(guard: Guard, path_of_repo: Path) -> None:
    assert "guard revert --plan" in guard(path_of_repo, "revert", "--help").out
    assert cli.command.help
