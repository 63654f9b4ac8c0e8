"""`guard policy` in real repositories: what it prints, where, and with which exit code."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import jsonschema
import pytest

from rollback_guard.entry.cli.main import main
from tests.support.architecture import ROOT
from tests.support.builder import POLICY, RepositoryBuilder, shop

LEAST = 'version = 1\n[production]\nbranches = ["main"]\n'
BROKEN = "version = 1\ncolour = 1\n[production]\nbranchs = ['main']\n"
EXAMPLES = ROOT / "examples"


@pytest.fixture
def repo(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> RepositoryBuilder:
    repo = shop(path_of_repo)
    monkeypatch.chdir(repo.path)
    return repo


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    return folder


def test_a_valid_policy_of_the_work_tree(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check"]) == 0
    assert capsys.readouterr().out == "rollback-guard.toml is valid: main needs review, qa, uat\n"
    (repo.path / "sub").mkdir()
    os.chdir(repo.path / "sub")
    assert main(["policy", "check", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "format": "rollback-guard/policy-check/1",
        "path": "rollback-guard.toml",
        "valid": True,
        "problems": [],
    }


def test_a_link_that_was_committed_is_no_policy(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    """The gate does not read it, so the check does not call it valid."""
    blob = repo.git("hash-object", "-w", "--stdin", stdin=POLICY.encode())
    repo.git("update-index", "--cacheinfo", f"120000,{blob},rollback-guard.toml")
    repo.git("commit", "-q", "-m", "Link", **repo.as_person("jane"))
    assert main(["policy", "check", "--rev", "HEAD"]) == 2
    assert "rollback-guard.toml: is a symbolic link; a policy is read from an ordinary" in capsys.readouterr().out


def test_a_broken_policy_is_explained_line_by_line(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    repo.write_file("rollback-guard.toml", BROKEN)
    assert main(["policy", "check"]) == 2
    caught = capsys.readouterr()
    assert caught.out.splitlines() == [
        "rollback-guard.toml:2: colour: is not a key that is known here",
        "rollback-guard.toml:3: production.branches: is missing",
        "rollback-guard.toml:4: production.branchs: is not a key that is known here (did you mean branches?)",
    ]
    assert caught.err == "rollback-guard.toml is not valid: 3 problems\n"
    assert main(["policy", "check", "--format", "json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is False
    assert document["problems"][2] == {
        "file": "rollback-guard.toml",
        "line": 4,
        "key": "production.branchs",
        "message": "is not a key that is known here",
        "nearest": "branches",
    }
    assert main(["policy", "show"]) == 2
    assert main(["policy", "check", "--rev", "main"]) == 0


def test_one_problem_is_one(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    repo.write_file("rollback-guard.toml", LEAST.replace("1", "2"))
    assert main(["policy", "check"]) == 2
    assert capsys.readouterr().err == "rollback-guard.toml is not valid: 1 problem\n"


def test_a_policy_in_pyproject_is_found(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    (repo.path / "rollback-guard.toml").unlink()
    repo.write_file("pyproject.toml", "[tool.rollback-guard]\nversion = 1\nproduction.branches = ['main']\n")
    repo.commit("Move the policy")
    assert main(["policy", "check"]) == 0
    assert main(["policy", "check", "--rev", "HEAD"]) == 0
    assert capsys.readouterr().out == "pyproject.toml is valid: main needs no sign-off\n" * 2
    repo.write_file("pyproject.toml", "[project]\nname = 'x'\n")
    assert main(["policy", "check"]) == 2
    assert "there is no rollback-guard.toml" in capsys.readouterr().err
    assert main(["policy", "check", "pyproject.toml"]) == 2
    assert "has no table [tool.rollback-guard]" in capsys.readouterr().err


def test_a_commit_without_a_policy(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", "--rev", "nowhere"]) == 2
    assert "no commit 'nowhere'" in capsys.readouterr().err
    assert main(["policy", "check", "other.toml", "--rev", "main"]) == 2
    assert "main holds no other.toml" in capsys.readouterr().err
    repo.write_file("conf/rollback-guard.toml", LEAST)
    repo.write_file("pyproject.toml", "[project]\n")
    commit = repo.commit("Another one")
    assert main(["policy", "check", "conf/rollback-guard.toml", "--rev", commit]) == 0
    assert main(["policy", "check", "conf", "--rev", commit]) == 2
    assert main(["policy", "check", "pyproject.toml", "--rev", commit]) == 2


def test_a_bare_repository_is_asked_by_commit(
    repo: RepositoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    monkeypatch.chdir(tmp_path / "bare.git")
    assert main(["policy", "check"]) == 2
    assert "guard policy check --rev" in capsys.readouterr().err
    assert main(["policy", "show", "--rev", "main"]) == 0
    assert "main  matches main" in capsys.readouterr().out


def test_a_file_is_checked_outside_any_repository(outside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (outside / "p.toml").write_text(LEAST)
    assert main(["policy", "check", "p.toml"]) == 0
    assert main(["policy", "show", "p.toml"]) == 0
    assert "\n  main\n" in capsys.readouterr().out
    assert main(["policy", "check"]) == 2
    assert "is not a repository" in capsys.readouterr().err


def test_a_policy_from_stdin(
    outside: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BROKEN.encode())))
    assert main(["policy", "check", "-"]) == 2
    assert capsys.readouterr().out.startswith("<stdin>:2: colour: ")


@pytest.mark.parametrize(
    ("file", "said"), [("nowhere.toml", "no such file"), (".", "cannot be read"), ("a\0b", "is no path")]
)
@pytest.mark.parametrize("command", [["check"], ["show"], ["test"]])
def test_a_file_that_cannot_be_read(
    outside: Path, command: list[str], file: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", *command, file]) == 2
    assert said in capsys.readouterr().err


def test_the_folder_that_is_gone(outside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = outside.parent / "p.toml"
    policy.write_text(LEAST)
    outside.rmdir()
    assert main(["policy", "show", str(policy)]) == 0


def test_show_lists_the_branches_of_every_pattern(
    repo: RepositoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.git("clone", "-q", ".", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    assert main(["policy", "show", "--rev", "origin/main"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"rollback-guard.toml at {repo.head('main')}: version 1, valid"
    assert "  main  matches origin/main" in lines
    assert "    from release/*  matches release/1.4, origin/release/1.4" in lines
    assert "    from hotfix/*  !! matches no branch that is here" in lines
    assert main(["policy", "show", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["production"]["branches"] == [{"pattern": "main", "matches": ["origin/main"]}]
    assert document["rev"] is None


def test_the_schema_is_one(outside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert main(["policy", "schema", "--format", "json"]) == 0


def test_the_examples_run(outside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(map(str, (EXAMPLES / "scenarios").glob("*.toml")))
    assert main(["policy", "test", *files]) == 0
    caught = capsys.readouterr()
    assert "differs" not in caught.out
    count = len(caught.out.splitlines())
    assert caught.err == f"{count} of {count} scenarios came as expected\n"
    assert main(["policy", "test", *files, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["format"], document["as-expected"]) == ("rollback-guard/policy-test/1", True)
    assert len(document["scenarios"]) == count


SCENARIO = """\
[[scenario]]
name = "nothing is signed"
source = "release/1.4"
[[scenario.commit]]
author = "Jane Doe <jane@acme.example>"
[scenario.expect]
decision = "allow"
violated = []
"""


def test_a_scenario_that_differs(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    repo.write_file("s.toml", SCENARIO)
    assert main(["policy", "test", "s.toml"]) == 1
    caught = capsys.readouterr()
    lines = caught.out.splitlines()
    assert lines[0] == "differs  s.toml: nothing is signed"
    assert lines[1] == "    decision: expected allow, found deny"
    assert lines[2] == "    RG201: expected not violated, found violated"
    assert any(line.startswith("      review: ") for line in lines)
    assert caught.err == "0 of 1 scenarios came as expected\n"
    assert main(["policy", "test", "s.toml", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["as-expected"] is False
    assert document["scenarios"][0]["mismatches"][0] == {
        "subject": "decision",
        "expected": "allow",
        "found": "deny",
        "detail": [],
    }


def test_scenarios_are_judged_by_the_policy_under_test(
    repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.write_file("sub/s.toml", SCENARIO)
    repo.write_file("lax.toml", POLICY.split("[[sign-off]]")[0])
    assert main(["policy", "test", "sub/s.toml", "--policy", "lax.toml"]) == 0
    repo.write_file("sub/t.toml", 'policy = "../lax.toml"\n' + SCENARIO + SCENARIO)
    assert main(["policy", "test", "sub/t.toml"]) == 0
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(('policy = "lax.toml"\n' + SCENARIO).encode())))
    assert main(["policy", "test", "-"]) == 0
    assert "as expected  <stdin>: nothing is signed" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["[[scenario]]\nnam = 'x'\n", 'policy = "nowhere.toml"\n' + SCENARIO, "="])
def test_a_scenario_file_that_cannot_be_used(
    repo: RepositoryBuilder, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.write_file("s.toml", text)
    assert main(["policy", "test", "s.toml"]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", ["", "check", "show", "schema", "test"])
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", *([command] if command else []), "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example" in out
    assert f"guard policy {command}".strip() in out


def test_the_scenario_in_the_help_is_one(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "test", "--help"]) == 0
    lines = capsys.readouterr().out.split("A scenario file:\n")[1].split("\n\n")[0].splitlines()
    repo.write_file("s.toml", "\n".join(line.strip() for line in lines))
    assert main(["policy", "test", "s.toml"]) == 0


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(outside: Path) -> None:  # pragma: no cover
    (outside / "p.toml").write_text(LEAST)
    (outside / "p.toml").chmod(0)
    assert main(["policy", "check", "p.toml"]) == 2


def test_names_of_files_cannot_steer_a_terminal(outside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (outside / "a\x1b[31m.toml").write_text(BROKEN)
    assert main(["policy", "check", "a\x1b[31m.toml"]) == 2
    caught = capsys.readouterr()
    assert "\x1b" not in caught.out + caught.err
    assert "a\\x1b[31m.toml:2: colour" in caught.out
