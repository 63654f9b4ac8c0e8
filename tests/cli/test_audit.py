"""`guard audit`: every commit that landed, newest first, by the policy of its day."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.entry.cli import audit as audit_module
from rollback_guard.entry.judge_history import LandedVerdict, iter_audit
from rollback_guard.errors import GitError
from tests.cli.test_explain import landed
from tests.cli.test_main import GUARD
from tests.support.builder import POLICY, SIGNED, RepositoryBuilder, shop
from tests.support.commands import check, guard
from tests.support.servers import run_git


def test_text_names_what_was_denied_and_counts_the_rest(path_of_repo: Path) -> None:
    repo = landed(path_of_repo)
    repo.commit("Directly", direct_dot_py="1\n")
    said = guard(repo.path, "audit", "main")
    lines = said.out.splitlines()
    assert said.code == 1
    assert lines[0].split(maxsplit=2) == ["DENIED", repo.head()[:12], "Directly"]
    assert any("RG101" in line for line in lines)
    assert lines[-1] == "DENIED  main: 4 commits landed; 2 allowed, 2 denied, 0 undetermined"
    assert "hotfix/1" not in said.out
    assert "Merge hotfix/1" in guard(repo.path, "audit", "main", "--verbose").out


def test_json_has_the_change_of_each_commit(path_of_repo: Path) -> None:
    repo = landed(path_of_repo)
    said = guard(repo.path, "audit", "main", "--since", "main~2", "--format", "json", "--repository", "github.com/a/b")
    document = said.json
    assert (said.code, document["format"], document["decision"]) == (0, "rollback-guard/audit/1", "allow")
    assert [one["commit"] for one in document["commits"]] == [repo.head("main"), repo.head("main~1")]
    assert list(document["commits"][0])[:3] == ["commit", "decision", "repository"]
    assert document["commits"][0]["repository"] == "github.com/a/b"
    assert document["commits"][0]["commits"] == 3


def test_since_until_and_nothing(path_of_repo: Path) -> None:
    repo = landed(path_of_repo)
    said = guard(repo.path, "audit", "main", "--until", "main~1", "--since", "main~2", "--verbose")
    assert said.code == 0
    assert "1 commit landed; 1 allowed" in said.out
    said = guard(repo.path, "audit", "main", "--since", "main")
    assert (said.code, said.out.strip()) == (0, "ALLOWED  main: 0 commits landed; 0 allowed, 0 denied, 0 undetermined")
    assert guard(repo.path, "audit", "main", "--since", "main", "--format", "json").json["commits"] == []


def test_policy_of_its_day(path_of_repo: Path) -> None:
    """What was in order when it landed stays so after the policy asks for more."""
    repo = landed(path_of_repo)
    more = POLICY + '\n[[sign-off]]\nrole = "law"\ntrailer = "Law-by"\nby = ["uma"]\nproof = "trailer"\n'
    repo.branch("release/2")
    repo.write_file("rollback-guard.toml", more)
    repo.commit(f"Ask for more\n\n{SIGNED}Law-by: Uma Patel <uma@acme.example>")
    repo.checkout("main")
    repo.merge("release/2", message=f"Merge release/2\n\n{SIGNED}Law-by: Uma Patel <uma@acme.example>\n")
    assert guard(repo.path, "audit", "main", "--since", "main~3").code == 0
    said = guard(repo.path, "audit", "main", "--since", "main~3", "--policy", "rollback-guard.toml", "--format", "json")
    answers = [one["decision"] for one in said.json["commits"]]
    assert answers == ["allow", "deny", "deny"]
    assert all(one["policy"]["what-if"] for one in said.json["commits"])


def test_landed_while_the_policy_was_broken(path_of_repo: Path) -> None:
    repo = shop(path_of_repo, policy="version = 7\n")
    repo.checkout("main")
    repo.merge("release/1.4")
    said = guard(repo.path, "audit", "main", "--format", "json")
    newest = said.json["commits"][0]
    assert (said.code, newest["decision"]) == (1, "deny")
    assert [one["rule"] for one in newest["outcomes"]] == ["RG001"]
    assert "invalid" in newest["outcomes"][0]["findings"][0]["message"]


def test_branch_as_last_seen_on_a_remote(tmp_path: Path, path_of_repo: Path) -> None:
    repo = landed(path_of_repo)
    run_git(tmp_path, "clone", "-q", str(repo.path), "clone")
    run_git(tmp_path / "clone", "checkout", "-q", "--detach")
    run_git(tmp_path / "clone", "branch", "-D", "main")
    for name in ("main", "refs/remotes/origin/main"):
        assert "main: 1 commit landed" in guard(tmp_path / "clone", "audit", name, "--since", "origin/main~1").out
    for name in ("no/such", "main~1", "refs/tags/v1", "-x", "", "main^{}", "HEAD"):
        said = guard(tmp_path / "clone", "audit", "--", name)
        assert said.code == 2, name
        assert "there is no branch" in said.err


def test_shallow_history_is_undetermined(tmp_path: Path, path_of_repo: Path) -> None:
    repo = landed(path_of_repo)
    run_git(tmp_path, "clone", "-q", "--depth=2", f"file://{repo.path}", "clone")
    said = guard(tmp_path / "clone", "audit", "main")
    assert said.code in (1, 4)
    assert "shallow" in said.out


@pytest.mark.parametrize("name", ["release/a\u2028b", "release/a\u0085b", "release/\N{SNOWMAN}"])
def test_branch_names_that_hold_other_ends_of_line(name: str, path_of_repo: Path) -> None:
    repo = landed(path_of_repo)
    repo.git("branch", name, "release/1.4")
    assert guard(repo.path, "audit", "main", "--since", "main~2").code == 0


def test_reader_that_stops_early(path_of_repo: Path) -> None:
    repo = landed(path_of_repo)
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen([*GUARD, "audit", "main"], cwd=repo.path, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, b"")


def test_squash_of_a_branch_that_is_still_here(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.checkout("main")
    repo.git("merge", "-q", "--squash", "release/1.4")
    repo.commit(f"Release 1.4 (squashed)\n\n{SIGNED}")
    said = guard(repo.path, "audit", "main", "--since", "main~1", "--format", "json")
    assert (said.code, said.json["commits"][0]["source"]) == (0, "refs/heads/release/1.4")


def test_hostile_subject(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.checkout("main")
    repo.commit("\x1b[2J::error::gone\x07", app_dot_py="9\n")
    said = guard(repo.path, "audit", "main", "--since", "main~1")
    assert said.code == 1
    assert "\x1b" not in said.out
    assert "\x07" not in said.out


def test_branch_that_came_and_went(path_of_repo: Path) -> None:
    """Nobody can tell any more where it came from: not known, and so not in order."""
    repo: RepositoryBuilder = landed(path_of_repo)
    repo.git("branch", "-D", "release/1.4")
    said = guard(repo.path, "audit", "main", "--since", "main~1", "--format", "json")
    assert said.code == 4
    outcomes = {one["rule"]: one["outcome"] for one in said.json["commits"][0]["outcomes"]}
    assert outcomes["RG102"] == "undetermined"


def test_branch_that_was_pushed_forward_to(path_of_repo: Path) -> None:
    """Whether it was cut from production afterwards, or brought it, cannot be told apart any more."""
    repo = shop(path_of_repo)
    repo.git("branch", "-f", "main", "release/1.4")
    said = guard(repo.path, "audit", "main", "--since", "main~2")
    assert said.code != 0
    assert "release/1.4 holds this commit too" in said.out


def test_many_findings_of_one_rule_are_cut(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    for number in range(5):
        author = f"--author=Eve {number} <eve{number}@elsewhere.example>"
        repo.git("commit", "-q", "--allow-empty", "-m", f"Part {number}", author)
    repo.checkout("main")
    repo.merge("release/1.4", message=f"Merge\n\n{SIGNED}")
    lines = guard(repo.path, "audit", "main", "--since", "main~1").out.splitlines()
    unknown = [line for line in lines if "RG107" in line]
    assert len(unknown) == 4
    assert unknown[-1].endswith("and 2 more")


@pytest.mark.parametrize("after", [0, 1])
def test_git_that_fails_in_the_middle(after: int, path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = iter_audit

    def failing(*args: Any, **more: Any) -> Iterator[LandedVerdict]:
        for number, one in enumerate(real(*args, **more)):
            if number == after:
                raise GitError("the disk is gone", remedy="git fsck")
            yield one

    repo = landed(path_of_repo)
    monkeypatch.setattr(audit_module, "iter_audit", failing)
    for layout in ("text", "json"):
        said = guard(repo.path, "audit", "main", "--format", layout)
        assert said.code == 4
        assert "the disk is gone" in said.err


def test_branch_named_with_its_remote(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("remote", "add", "origin", "https://github.com/acme/shop.git")
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    repo.git("branch", "-q", "-D", "main")
    said = guard(repo.path, "audit", "origin/main", "--format", "json")
    (landed,) = said.json["commits"]
    assert landed["target"] == "refs/heads/main"
    said = check(repo.path, "--into", "origin/main")
    assert (said.code, said.json["changes"][0]["target"]) == (0, "refs/heads/main")
    assert guard(repo.path, "audit", "elsewhere/main").code == 2
    repo.git("branch", "-q", "origin/main", "HEAD~1")
    assert guard(repo.path, "audit", "origin/main", "--format", "json").json["commits"][0]["target"].endswith("in/main")
