"""RG402 where people meet it: a merge in the making, a push, a check, a waiver; and what our own reverts do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_waive import waive
from tests.support.builder import SIGNED, RepositoryBuilder, shop
from tests.support.commands import Said, call_hook, check, guard
from tests.support.signing import POLICY as SIGNED_POLICY
from tests.support.signing import policy, signed_shop

LESS = "ALTER TABLE orders DROP COLUMN note;\n"
PATH = "db/migrations/002_less.sql"
TAG = "stable/2026.5.28.1"


@pytest.fixture
def repo(path_of_repo: Path) -> RepositoryBuilder:
    """release/1.4 drops a column for good, signed; main is checked out and tagged stable."""
    made = shop(path_of_repo)
    made.git("remote", "add", "origin", "git@github.com:acme/shop.git")
    made.write_file(PATH, LESS)
    made.commit(f"Release 1.4, with a migration\n\n{SIGNED}")
    made.checkout("main")
    made.stable_tag(TAG)
    return made


def says(said: Said) -> None:
    assert said.code == 1, said.err
    assert "RG402" in said.err
    assert PATH in said.err


def test_before_the_merge_is_made_and_when_its_message_is_there(repo: RepositoryBuilder) -> None:
    repo.git("merge", "-q", "--no-commit", "--no-ff", "release/1.4")
    says(call_hook(repo.path, "pre-merge-commit"))
    (repo.path / "message").write_text(f"Merge\n\n{SIGNED}")
    says(call_hook(repo.path, "commit-msg", "message"))
    repo.git("rm", "-q", "-f", PATH)
    assert "RG402" not in call_hook(repo.path, "pre-merge-commit").err


def test_a_plain_commit_is_the_migrations_hook_s(repo: RepositoryBuilder) -> None:
    repo.checkout("release/1.4")
    repo.write_file("db/migrations/003_less.sql", LESS)
    repo.git("add", "-A")
    assert call_hook(repo.path, "pre-commit").code == 0
    assert call_hook(repo.path, "migrations").code == 1


def test_before_it_is_pushed(repo: RepositoryBuilder) -> None:
    before = repo.head()
    repo.merge("release/1.4")
    line = f"refs/heads/main {repo.head()} refs/heads/main {before}\n"
    says(call_hook(repo.path, "pre-push", "origin", "git@github.com:acme/shop.git", stdin=line.encode()))
    away = f"refs/heads/main {repo.head()} refs/heads/main {'9' * 40}\n"
    assert call_hook(repo.path, "pre-push", "origin", "git@github.com:acme/shop.git", stdin=away.encode()).code == 4


def test_when_somebody_asks(repo: RepositoryBuilder) -> None:
    said = check(repo.path, "--into", "main", "--head", "release/1.4")
    assert (said.code, said.violated) == (1, ["RG402"])
    repo.merge("release/1.4")
    audit = guard(repo.path, "audit", "main", "--since", TAG, "--format", "json")
    (landed,) = audit.json["commits"]
    assert [one["outcome"] for one in landed["outcomes"] if one["rule"] == "RG402"] == ["not-applicable"]


@pytest.mark.parametrize("backup", [False, True])
def test_what_somebody_answers_for(path_of_repo: Path, backup: bool) -> None:
    more = '\n[[backup]]\nname = "db"\nengine = "sqlite"\nsource = "x"\nby = ["omar"]\nmax-age = "1h"\n'
    repo = signed_shop(path_of_repo, text=policy(base=SIGNED_POLICY + more * backup))
    repo.write_file(PATH, LESS)
    repo.commit("Less")
    assert check(repo.path, "--into", "main").answers["RG402"] == "violated"
    for person in ("omar", "quinn"):
        said = waive(repo, person, "RG402")
        assert said.code == 0, said.err
        assert "not violated" not in said.out
        assert "cannot be undone" in said.out
    answers = check(repo.path, "--into", "main").answers
    assert (answers["RG402"], answers["RG301"]) == ("waived", "violated" if backup else "not-applicable")


@pytest.mark.parametrize("mode", ["each", "single", "only"])
def test_what_our_own_reverts_take_back_is_not_refused(repo: RepositoryBuilder, mode: str) -> None:
    landing = repo.merge("release/1.4")
    repo.branch("feature/x")
    repo.commit("Later", later_dot_py="1\n")
    repo.checkout("main")
    later = repo.merge("feature/x")
    wanted = ("--mode", "only", landing) if mode == "only" else ("--mode", mode, "--to", TAG)
    done = guard(repo.path, "revert", *wanted, "--branch", "main", "--as", "hotfix/back", "--yes")
    assert done.code == 0, done.err
    assert repo.git("ls-tree", "-r", "--name-only", "hotfix/back", "--", PATH) == ""
    said = check(repo.path, "--into", "main", "--head", "hotfix/back")
    assert said.answers["RG402"] == "satisfied"
    assert "is taken back by a revert" in said.out
    repo.checkout("hotfix/back")
    repo.git("reset", "-q", "--soft", later)
    repo.commit("Clean up", later_dot_py="2\n")
    assert check(repo.path, "--into", "main", "--head", "hotfix/back").answers["RG402"] == "violated"


def test_production_that_goes_back_itself(repo: RepositoryBuilder) -> None:
    repo.merge("release/1.4")
    tip = repo.head()
    done = guard(repo.path, "revert", "--to", TAG, "--branch", "main", "--yes")
    assert done.code == 0, done.err
    line = f"refs/heads/main {repo.head('main')} refs/heads/main {tip}\n"
    said = call_hook(repo.path, "pre-push", "origin", "git@github.com:acme/shop.git", stdin=line.encode())
    assert said.code == 0, said.err
