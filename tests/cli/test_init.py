"""`guard init` in real repositories: what it finds, writes and keeps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.entry.cli.main import main
from rollback_guard.errors import GitError
from rollback_guard.git.repository import open_repository
from rollback_guard.git.survey import survey
from rollback_guard.policy.model import Policy
from rollback_guard.policy.read import read_policy
from tests.support.builder import RepositoryBuilder
from tests.support.requirements import require

POLICY, PRE_COMMIT, WORKFLOW = (
    "rollback-guard.toml",
    ".pre-commit-config.yaml",
    ".github/workflows/rollback-guard.yml",
)


@pytest.fixture
def repo(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> RepositoryBuilder:
    builder = RepositoryBuilder(path_of_repo)
    builder.commit("Begin", app_dot_py="1\n")
    builder.commit("Go on", by="omar", app_dot_py="2\n")
    builder.commit("And on", by="omar", app_dot_py="3\n")
    builder.git("branch", "develop")
    monkeypatch.chdir(path_of_repo)
    return builder


@pytest.fixture(autouse=True)
def tools_of_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """pre-commit and zizmor are in the environment that runs the tests, which need not be activated."""
    monkeypatch.setenv("PATH", os.path.join(sys.prefix, "bin"), prepend=os.pathsep)


def init(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["init", *args, "--format", "json"]) == 0
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert value["format"] == "rollback-guard/init/1"
    return value


def written(folder: Path) -> Policy:
    policy = read_policy((folder / POLICY).read_bytes(), path=POLICY)
    assert policy is not None
    return policy


def test_a_policy_is_written_from_what_is_found(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    repo.git("remote", "add", "origin", "https://x-token:secret@github.com/acme/shop.git")
    assert main(["init"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("3 of 3 files written\n  written  rollback-guard.toml\n")
    assert "→ guard policy check" in out
    assert b"secret" not in (repo.path / POLICY).read_bytes()
    policy = written(repo.path)
    assert policy.production.branches == ("main",)
    assert policy.production.repositories == ("github.com/acme/shop",)
    assert policy.route[0].from_ == ("release/*", "hotfix/*", "develop")
    assert dict(policy.teams)["developers"] == ("omar", "jane"), "who committed most comes first"
    assert (repo.path / WORKFLOW).is_file()


def test_what_is_written_is_what_pre_commit_reads(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    init(capsys, "--github")
    program = require("pre-commit", install="pip install pre-commit")
    done = subprocess.run([program, "validate-config", PRE_COMMIT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_workflow_is_clean(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    init(capsys, "--github")
    program = require("zizmor", install="pip install zizmor")
    done = subprocess.run(
        [program, "--offline", "--no-progress", "--persona=pedantic", WORKFLOW],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_written_over(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (POLICY, PRE_COMMIT, WORKFLOW):
        repo.write_file(name, "# mine\n")
    value = init(capsys, "--github")
    assert [file["action"] for file in value["files"]] == ["kept", "kept", "kept"]
    assert "- id: guard-push" in value["files"][1]["add"]
    for name in (POLICY, PRE_COMMIT, WORKFLOW):
        assert (repo.path / name).read_text() == "# mine\n"
    assert main(["init", "--github"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("nothing written: everything is here already\n")
    assert "kept     .pre-commit-config.yaml: add below `repos:`\n  - repo: " in out


def test_a_second_run_keeps_what_the_first_wrote(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    assert [file["action"] for file in init(capsys)["files"]] == ["written", "written"]
    second = init(capsys)["files"]
    assert [(file["action"], file["add"]) for file in second] == [("kept", None), ("kept", None)]


def test_a_link_to_nowhere_is_kept(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (repo.path / POLICY).symlink_to(tmp_path / "target")
    assert init(capsys)["files"][0]["action"] == "kept"
    assert not (tmp_path / "target").exists()


def test_a_policy_in_pyproject_is_a_policy(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    repo.write_file("pyproject.toml", "[tool.rollback-guard]\nversion = 1\n")
    assert init(capsys)["files"][0] == {"path": "pyproject.toml", "action": "kept", "add": None}
    assert not (repo.path / POLICY).exists()


def test_no_workflow_when_not_asked(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    repo.git("remote", "add", "origin", "https://github.com/acme/shop")
    init(capsys, "--no-github")
    assert not (repo.path / WORKFLOW).exists()


def test_from_a_folder_below(
    repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo.path / "below").mkdir()
    monkeypatch.chdir(repo.path / "below")
    init(capsys)
    assert (repo.path / POLICY).exists()
    assert not (repo.path / "below" / POLICY).exists()


def test_an_empty_repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    RepositoryBuilder(tmp_path / "empty", branch="live")
    monkeypatch.chdir(tmp_path / "empty")
    init(capsys)
    policy = written(tmp_path / "empty")
    assert policy.production.branches == ("live",)
    assert [(one.name, one.emails) for one in policy.people] == [("Jane Doe", ("jane@acme.example",))]


def test_an_empty_repository_of_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    RepositoryBuilder(tmp_path / "empty")
    for part in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{part}_NAME")
        monkeypatch.delenv(f"GIT_{part}_EMAIL")
    monkeypatch.delenv("EMAIL", raising=False)
    monkeypatch.chdir(tmp_path / "empty")
    init(capsys)
    (person,) = written(tmp_path / "empty").people
    assert person.id == "you"


def test_a_bare_repository_has_no_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    RepositoryBuilder(tmp_path / "bare.git", bare=True)
    monkeypatch.chdir(tmp_path / "bare.git")
    assert main(["init"]) == 2
    assert "→ run guard init in a clone" in capsys.readouterr().err


def test_a_place_that_cannot_be_written(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    repo.write_file(".github", "a file\n")
    assert main(["init", "--github"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_hostile_names_stay_names(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    name = 'Eve "\\ \u202e]] # x = 1'
    repo.git("commit", "-q", "--allow-empty", "-m", "x", f"--author={name} <eve@x.example>")
    repo.git("branch", 'x"]#${{evil}}')
    repo.git("update-ref", "refs/heads/--upload-pack=x", "HEAD")
    init(capsys)
    policy = written(repo.path)
    assert name in {person.name for person in policy.people}


def test_which_branch_is_production(repo: RepositoryBuilder, tmp_path: Path) -> None:
    def production() -> str:
        return survey(open_repository(str(repo.path), os.environ)).production

    assert production() == "main"
    repo.git("branch", "-m", "main", "work")
    assert production() == "work"
    repo.git("config", "init.defaultBranch", "develop")
    assert production() == "develop"
    repo.git("remote", "add", "team/origin", str(tmp_path))
    repo.git("update-ref", "refs/remotes/team/origin/live/eu", "HEAD")
    repo.git("symbolic-ref", "refs/remotes/team/origin/HEAD", "refs/remotes/team/origin/live/eu")
    assert production() == "live/eu"
    assert "live/eu" in survey(open_repository(str(repo.path), os.environ)).branches


def test_a_detached_head_without_a_usual_branch(repo: RepositoryBuilder) -> None:
    repo.git("branch", "-m", "main", "work")
    repo.git("checkout", "-q", "--detach")
    assert survey(open_repository(str(repo.path), os.environ)).production == "main"


def test_the_environment_cannot_point_elsewhere(
    repo: RepositoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = RepositoryBuilder(tmp_path / "other")
    other.commit("Other", by="eve")
    repository = open_repository(str(repo.path), os.environ)
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    assert ("Eve Stranger", "eve@elsewhere.example") not in survey(repository).authors


def test_a_damaged_repository_is_said(repo: RepositoryBuilder) -> None:
    repository = open_repository(str(repo.path), os.environ)
    (repo.path / ".git" / "HEAD").write_text("nonsense\n")
    with pytest.raises(GitError, match="cannot be read"):
        survey(repository)
