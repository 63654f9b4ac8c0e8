"""The hooks as teams get them: through pre-commit and prek, from a configuration of their own or from this checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.architecture import ROOT
from tests.support.builder import SIGNED, RepositoryBuilder, shop
from tests.support.commands import Said
from tests.support.requirements import require
from tests.support.servers import Server, run_git

TOOLS = ("pre-commit", "prek")
STAGES = ("pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "pre-push")
HOOK = f"{sys.executable} -c 'from rollback_guard.entry.hook import run; run()'"
LOCAL = f"""\
repos:
- repo: local
  hooks:
  - {{id: guard-branch, name: branch, entry: "{HOOK} pre-commit", language: system, always_run: true,
     pass_filenames: false, stages: [pre-commit, pre-merge-commit]}}
  - {{id: guard-prepare-message, name: prepare, entry: "{HOOK} prepare-commit-msg", language: system,
     stages: [prepare-commit-msg]}}
  - {{id: guard-message, name: message, entry: "{HOOK} commit-msg", language: system, stages: [commit-msg]}}
  - {{id: guard-push, name: push, entry: "{HOOK} pre-push", language: system, always_run: true,
     pass_filenames: false, verbose: true, stages: [pre-push]}}
  - {{id: guard-policy, name: policy, entry: "{HOOK} policy", language: system, files: ^rollback-guard.toml$,
     stages: [pre-commit]}}
"""


class Team:
    """A repository with a tool's hooks, and a server without any."""

    def __init__(self, folder: Path, tool: str) -> None:
        self.program = program = require(tool, install="pip install pre-commit prek")
        self.repo = shop(folder / "clone")
        self.repo.checkout("main")
        self.repo.commit("Configure", **{"_dot_pre-commit-config_dot_yaml": LOCAL})
        self.repo.checkout("release/1.4")
        self.repo.merge("main", message=f"Take in main\n\n{SIGNED}")
        self.server = Server(folder / "server.git")
        self.server.takes(self.repo, "main")
        self.repo.git("remote", "add", "origin", self.server.url)
        self.repo.git("fetch", "-q")
        types = [part for stage in STAGES for part in ("--hook-type", stage)]
        done = run_program(self.repo.path, program, "install", *types)
        assert done.code == 0, done.err

    def git(self, *args: str, **env: str) -> Said:
        return run_git(self.repo.path, *args, **env)


def run_program(folder: Path, *command: str, **env: str) -> Said:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(params=TOOLS)
def team(request: pytest.FixtureRequest, tmp_path: Path) -> Team:
    return Team(tmp_path, request.param)


def test_commit_and_merge(team: Team) -> None:
    repo = team.repo
    repo.checkout("main")
    repo.write_file("app.py", "price = 5\n")
    repo.git("add", "app.py")
    said = team.git("commit", "-m", "Quick fix")
    assert said.code == 1
    assert "RG101" in said.out + said.err
    repo.git("reset", "-q", "--hard")
    said = team.git("merge", "--no-ff", "--no-edit", "release/1.4")
    assert said.code == 0, said.out + said.err
    assert "QA-by: Quinn Lee" in repo.git("log", "-1", "--format=%B")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.git("checkout", "-q", "-b", "hotfix/1")
    repo.commit("Fix", fix_dot_py="1\n")
    repo.checkout("main")
    said = team.git("merge", "--no-ff", "-m", "Merge", "hotfix/1")
    assert said.code != 0
    assert "RG201" in said.out + said.err


def test_message_and_policy(team: Team) -> None:
    repo = team.repo
    said = team.git("commit", "--allow-empty", "-m", "More\n\nReveiwed-by: Omar Haddad <omar@acme.example>")
    assert said.code == 1
    assert "RG206" in said.out + said.err
    repo.write_file("rollback-guard.toml", "version = 1\n[produktion]\n")
    repo.git("add", "-A")
    said = team.git("commit", "-m", "Break the policy")
    assert said.code == 1
    assert "production" in said.out + said.err


def test_push_is_judged_and_says_what_it_did_not_see(team: Team) -> None:
    repo = team.repo
    repo.checkout("main")
    repo.git("merge", "-q", "--no-ff", "--no-verify", "-m", f"Merge\n\n{SIGNED}", "release/1.4")
    said = team.git("push", "origin", "main")
    assert said.code == 0, said.out + said.err
    assert "coverage: partial" in said.out + said.err
    assert team.server.tip() == repo.head("main")
    repo.commit("Directly", app_dot_py="price = 9\n")
    said = team.git("push", "origin", "main")
    assert said.code == 1
    assert "RG101" in said.out + said.err
    assert "partial" in said.out + said.err
    assert team.server.tip() == repo.head("main~1")


def test_first_push_of_everything_is_judged(team: Team, tmp_path: Path) -> None:
    """pre-commit names no commits then, only the branches."""
    empty = Server(tmp_path / "empty.git").url
    team.repo.checkout("main")
    team.repo.commit("Directly", app_dot_py="price = 9\n")
    said = team.git("push", empty, "main")
    assert said.code == 1
    assert "RG101" in said.out + said.err
    team.repo.git("remote", "remove", "origin")
    said = team.git("push", empty, "main")
    assert said.code == 1
    assert "RG001" in said.out + said.err
    assert "partial" in said.out + said.err
    said = team.git("push", empty, "release/1.4")
    assert said.code == 0, said.out + said.err


def test_force_push_over_a_tip_that_is_not_here_is_judged(team: Team, tmp_path: Path) -> None:
    other = shop(tmp_path / "other")
    other.git("fetch", "-q", team.server.url, "main")
    other.git("checkout", "-q", "FETCH_HEAD")
    other.commit("Moved on", app_dot_py="price = 7\n")
    team.server.takes(other, "HEAD:main")
    team.repo.git("checkout", "-q", "--orphan", "beside")
    team.repo.commit("Another shop", app_dot_py="price = 9\n")
    said = team.git("push", "--force", "origin", "beside:main")
    assert said.code == 1
    assert "RG104" in said.out + said.err


@pytest.mark.parametrize("range_", [(), ("--from-ref", "HEAD~1", "--to-ref", "HEAD")], ids=["nothing", "range"])
def test_run_by_hand_is_no_push(team: Team, range_: tuple[str, ...]) -> None:
    said = run_program(team.repo.path, team.program, "run", "--hook-stage", "pre-push", *range_)
    assert said.code == 0, said.out + said.err
    assert "no push is under way: nothing was judged" in said.out


def without_a_network() -> dict[str, str]:
    """pip takes nothing from elsewhere: it builds with the tools of the environment that runs the tests."""
    return {
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "off",
        "PYTHONPATH": sysconfig.get_path("purelib"),
    }


def checkout(folder: Path) -> RepositoryBuilder:
    """What this checkout holds now, as a repository that a tool can clone."""
    repo = RepositoryBuilder(folder)
    kept = ("rollback_guard", "hooks", "docs", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
    for name in kept:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    repo.commit("This checkout")
    return repo


def test_try_repo_of_this_checkout(tmp_path: Path) -> None:
    """As in CONTRIBUTING: built, installed and run by pre-commit itself."""
    program = require("pre-commit", install="pip install pre-commit")
    ours = checkout(tmp_path / "ours")
    repo = shop(tmp_path / "shop")
    env = {**without_a_network(), "PRE_COMMIT_HOME": str(tmp_path / "cache")}

    def tried(hook: str) -> Said:
        return run_program(repo.path, program, "try-repo", str(ours.path), hook, "--verbose", "--all-files", **env)

    said = tried("guard-branch")
    assert said.code == 0, said.out + said.err
    repo.checkout("main")
    said = tried("guard-branch")
    assert said.code == 1
    assert "RG101" in said.out
    said = tried("guard-policy")
    assert said.code == 0, said.out + said.err
