"""`guard explain`: a rule's page, why a commit landed, what one still lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.gate.registry import RULES
from tests.support.builder import SIGNED, RepositoryBuilder, shop, told_once
from tests.support.commands import guard
from tests.support.servers import run_git


@told_once
def landed(path: Path) -> RepositoryBuilder:
    """main has two merges of signed branches; the older branch was begun first and landed last."""
    repo = shop(path)
    repo.branch("hotfix/1", "main")
    repo.commit(f"Fix\n\n{SIGNED}", fix_dot_py="1\n")
    repo.checkout("main")
    repo.merge("hotfix/1", message=f"Merge hotfix/1\n\n{SIGNED}")
    repo.merge("release/1.4", message=f"Merge release/1.4\n\n{SIGNED}")
    return repo


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_page_of_every_rule_by_id_and_by_name(rule, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    said = guard(tmp_path, "explain", rule.id)
    assert said.code == 0
    assert rule.id in said.out
    assert rule.title[:30] in " ".join(said.out.split())
    assert guard(tmp_path, "explain", rule.name).out == said.out
    document = guard(tmp_path, "explain", rule.id.lower(), "--format", "json").json
    assert (document["format"], document["id"], document["name"]) == ("rollback-guard/rule/1", rule.id, rule.name)
    assert set(document) == {
        *("format", "id", "name", "violated-when", "why", "example", "needs", "offline", "remedy"),
    }


def test_commit_of_a_branch_is_explained_by_the_merge_that_brought_it(path_of_repo: Path) -> None:
    """Not by an older one that landed while the branch was worked on."""
    repo = landed(path_of_repo)
    for rev, landing in (("release/1.4~1", "main"), ("hotfix/1", "main~1"), ("main", "main"), ("main~1", "main~1")):
        said = guard(repo.path, "explain", rev, "--format", "json")
        (change,) = said.json["changes"]
        assert change["result-tree"] == repo.tree(landing), rev
        assert change["base"] == repo.head(f"{landing}~1"), rev
    said = guard(repo.path, "explain", "main")
    assert said.code == 0
    assert said.out.startswith("main: landed; judged by the policy of its day")


def test_root_commit_landed_without_a_policy_before_it(path_of_repo: Path) -> None:
    repo = landed(path_of_repo)
    said = guard(repo.path, "explain", "main~2", "--format", "json")
    assert said.code == 1
    assert said.violated == ["RG001"]


def test_commit_that_has_not_landed(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    said = guard(repo.path, "explain", "release/1.4~1", "--into", "main")
    assert said.code == 1
    assert "has not landed; judged as if it did now" in said.out
    for role in ("review", "qa", "uat"):
        assert role in said.out


def test_landed_on_the_remote_only(tmp_path: Path, path_of_repo: Path) -> None:
    """Local main is behind, and a second remote has an older main too."""
    repo = landed(path_of_repo)
    run_git(tmp_path, "clone", "-q", str(repo.path), "clone")
    clone = tmp_path / "clone"
    run_git(clone, "update-ref", "refs/heads/main", repo.head("main~2"))
    run_git(clone, "remote", "add", "zoo", str(repo.path))
    run_git(clone, "update-ref", "refs/remotes/zoo/main", repo.head("main~2"))
    said = guard(clone, "explain", "origin/main", "--format", "json")
    assert said.json["changes"][0]["head"] in (repo.head("release/1.4"), repo.head("main"))


def test_neither_rule_nor_commit(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    said = guard(repo.path, "explain", "RG999")
    assert said.code == 2
    assert "neither a rule nor a commit" in said.err
    assert "RG108" in said.err
