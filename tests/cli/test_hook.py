"""`guard hook STAGE` is `guard-hook STAGE`, and has its verdict as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.entry.hook import STAGES
from tests.support.builder import SIGNED, shop
from tests.support.commands import call_hook, guard, guard_reading


def test_same_answer_as_guard_hook(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    assert guard(repo.path, "hook", "pre-commit").code == 0
    repo.checkout("main")
    said = guard(repo.path, "hook", "pre-commit")
    assert said == call_hook(repo.path, "pre-commit")
    assert said.code == 1
    assert "RG101" in said.err
    assert said.out == ""


def test_arguments_that_look_like_options_are_handed_on(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    said = guard(repo.path, "hook", "commit-msg", "--amend-msg")
    assert said.code == 2
    assert "the commit message --amend-msg cannot be read" in said.err
    repo.checkout("main")
    assert guard(repo.path, "hook", "commit-msg", "--no-such-file").code == 2
    assert guard(repo.path, "hook", "post-commit").code == 2


def test_json_is_the_verdict_with_the_same_exit_code(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.checkout("main")
    said = guard(repo.path, "hook", "pre-commit", "--format", "json")
    assert (said.code, said.err) == (1, "")
    assert said.json["format"] == "rollback-guard/verdict/1"
    assert (said.json["decision"], said.violated) == ("deny", ["RG101"])
    repo.git("merge", "-q", "--no-ff", "--no-commit", "release/1.4")
    (repo.path / "message").write_text(f"Merge release/1.4\n\n{SIGNED}")
    allowed = guard(repo.path, "hook", "--format=json", "commit-msg", "message")
    assert (allowed.code, allowed.json["decision"], len(allowed.json["changes"])) == (0, "allow", 1)


@pytest.mark.parametrize("stage", ["pre-push", "pre-receive"])
def test_json_of_a_push(stage: str, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    line = f"{repo.head('main')} {repo.head()} refs/heads/main\n"
    if stage == "pre-push":
        line = f"refs/heads/release/1.4 {repo.head()} refs/heads/main {'0' * 40}\n"
    said = guard_reading(repo.path, line.encode(), "hook", stage, "origin", "/srv/shop.git", "--format", "json")
    assert said.json["format"] == "rollback-guard/verdict/1"
    assert said.json["changes"][0]["target"] == "refs/heads/main"
    assert said.code == {"allow": 0, "deny": 1, "undetermined": 4}[said.json["decision"]]
    assert call_hook(repo.path, stage, "origin", "/srv/shop.git", stdin=line.encode()).code == said.code


def test_json_where_nothing_had_to_be_judged(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    for stage in ("pre-commit", "policy"):
        said = guard(repo.path, "hook", stage, "--format", "json")
        assert (said.code, said.err, said.json["decision"], said.json["changes"]) == (0, "", "allow", [])


def test_json_of_what_could_not_be_decided(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    (repo.path / "rollback-guard.toml").write_text("version = 7\n")
    said = guard(repo.path, "hook", "policy", "--format", "json")
    assert (said.code, said.json["format"], said.json["exit-code"]) == (2, "rollback-guard/error/1", 2)
    assert "version" in [problem["key"] for problem in said.json["problems"]]


def test_help_shows_an_example(tmp_path: Path) -> None:
    said = guard(tmp_path, "hook", "--help")
    assert said.code == 0
    assert "guard hook pre-commit" in said.out
    assert all(stage in said.out for stage in STAGES)
