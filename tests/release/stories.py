"""Repositories with a stable release and something above it, and the words that tests of reverts need."""

from __future__ import annotations

import os
from pathlib import Path

from rollback_guard.git.repository import Repository, open_repository
from rollback_guard.release.model import Mode, Plan, Result
from rollback_guard.release.revert import execute_revert, plan_revert
from rollback_guard.release.stable import stable_named, target_of
from tests.support.builder import RepositoryBuilder, told_once

TAG = "stable/2026.11.22.1"


def opened(repo: RepositoryBuilder) -> Repository:
    """The repository as the package sees it."""
    return open_repository(str(repo.path), os.environ)


@told_once
def begun(path: Path, *, object_format: str = "sha1") -> RepositoryBuilder:
    """`main` with two commits, the second of them tagged stable."""
    repo = RepositoryBuilder(path, object_format=object_format)
    repo.commit("Begin the shop", app_dot_py="price = 1\n")
    repo.commit("Add a basket", basket_dot_py="items = []\n", docs__guide_dot_txt="read me\n")
    repo.stable_tag(TAG)
    return repo


def land(repo: RepositoryBuilder, branch: str, *, by: str = "omar", **files: str) -> str:
    """A branch with one commit, merged into main."""
    repo.branch(branch)
    repo.commit(f"Work on {branch}", by=by, **files)
    repo.checkout("main")
    return repo.merge(branch)


@told_once
def busy(path: Path, *, object_format: str = "sha1") -> RepositoryBuilder:
    """Above stable: a plain commit, two merges, one of them of a branch with a merge of its own."""
    repo = begun(path, object_format=object_format)
    repo.commit("Raise the price", app_dot_py="price = 2\n")
    land(repo, "feature/one", one_dot_py="1\n")
    repo.branch("feature/two")
    repo.commit("Begin two", by="omar", two_dot_py="2\n")
    repo.branch("feature/inner")
    repo.commit("Inner", by="omar", inner_dot_py="3\n")
    repo.checkout("feature/two")
    repo.commit("Go on with two", by="omar", two_dot_py="22\n")
    repo.merge("feature/inner")
    repo.checkout("main")
    repo.merge("feature/two")
    return repo


def planned(
    repo: RepositoryBuilder, *, tag: str = TAG, mode: Mode = "each", branch: str = "main", target: str = ""
) -> Plan:
    """The plan of going back to a tag."""
    repository = opened(repo)
    tip = repo.head(f"refs/heads/{branch}")
    stable = target_of(repository, stable_named(repository, None, tag))
    return plan_revert(repository, branch=branch, tip=tip, stable=stable, mode=mode, target=target)


def reverted(repo: RepositoryBuilder, *, tag: str = TAG, mode: Mode = "each", reason: str = "") -> Result:
    """Plan and carry out."""
    return executed(repo, planned(repo, tag=tag, mode=mode), reason)


def executed(repo: RepositoryBuilder, plan: Plan, reason: str = "") -> Result:
    """What carrying out one plan gives."""
    (result,) = execute_revert(opened(repo), [plan], reason)
    return result


def everything(repo: RepositoryBuilder) -> tuple[str, ...]:
    """All that a failed or refused command must leave as it was: refs, HEAD, index and work tree."""
    asked = (("for-each-ref",), ("rev-parse", "HEAD"), ("ls-files", "-s"), ("status", "--porcelain", "--ignored"))
    return tuple(repo.git(*args) for args in asked)


def quarantines(repo: RepositoryBuilder) -> list[str]:
    """Quarantine folders that are still there."""
    objects = Path(repo.git("rev-parse", "--absolute-git-dir")) / "objects"
    return [path.name for path in objects.iterdir() if path.name.startswith("tmp_objdir")]


def git_as(repo: RepositoryBuilder, *args: str, by: str = "jane") -> str:
    """Run git as somebody of the builder's people, one minute later."""
    return repo.git(*args, stdin=None, check=True, **repo.as_person(by))
