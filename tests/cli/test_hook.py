"""`guard hook STAGE` is `guard-hook STAGE`."""

from __future__ import annotations

from pathlib import Path

from tests.support.builder import shop
from tests.support.commands import call_hook, guard


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
