"""RG403 where people meet it: before a merge into production is made, and before it is pushed."""

from __future__ import annotations

from pathlib import Path

from tests.cli.test_reland import on_top
from tests.support.commands import call_hook, check


def test_before_the_merge_is_made(path_of_repo: Path) -> None:
    repo, _, _ = on_top(path_of_repo)
    repo.git("merge", "-q", "--no-commit", "--no-ff", "feature")
    said = call_hook(repo.path, "pre-merge-commit")
    assert said.code == 1
    assert "RG403" in said.err
    repo.git("checkout", "-q", "landing", "--", "basket.py", "app.py")
    assert "RG403" not in call_hook(repo.path, "pre-merge-commit").err


def test_before_it_is_pushed(path_of_repo: Path) -> None:
    repo, _, back = on_top(path_of_repo)
    repo.merge("feature")
    line = f"refs/heads/main {repo.head('main')} refs/heads/main {back}\n"
    said = call_hook(repo.path, "pre-push", "origin", "git@github.com:acme/shop.git", stdin=line.encode())
    assert said.code == 1
    assert "RG403" in said.err


def test_when_somebody_asks(path_of_repo: Path) -> None:
    repo, _, _ = on_top(path_of_repo)
    said = check(repo.path, "--into", "main", "--head", "feature")
    assert (said.code, said.answers["RG403"], said.answers["RG404"]) == (1, "violated", "not-applicable")
