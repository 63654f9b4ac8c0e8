"""Verdicts on what landed already: block by block, and one at a time."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rollback_guard.entry import judge_history
from rollback_guard.entry.judge_history import iter_audit, judge_landed
from rollback_guard.entry.question import Question
from rollback_guard.errors import UndeterminedError, UsageError
from rollback_guard.facts import landed as landed_module
from rollback_guard.facts.surroundings import read_surroundings
from rollback_guard.git.repository import Repository, open_repository
from tests.cli.test_explain import landed
from tests.support.builder import SIGNED, RepositoryBuilder, shop, told_once
from tests.support.commands import guard
from tests.support.servers import Server
from tests.support.signing import policy, signed, signed_for_shop, signed_shop

NOW = 1_790_000_000
TAG = "stable/2026.05.28.1"


def opened(repo: RepositoryBuilder) -> Repository:
    return open_repository(str(repo.path), os.environ)


def audited(repo: RepositoryBuilder, since: str | None = None) -> list[judge_history.LandedVerdict]:
    repository = opened(repo)
    question = Question(repository, read_surroundings(repository), NOW)
    base = None if since is None else repo.head(since)
    return list(iter_audit(question, target="refs/heads/main", until=repo.head("main"), since=base))


@told_once
def many(path: Path) -> RepositoryBuilder:
    repo = landed(path)
    for number in range(5):
        repo.git("checkout", "-q", "-b", f"hotfix/n{number}", "main")
        repo.commit(f"Fix {number}", **{f"n{number}_dot_py": "1\n"})
        repo.checkout("main")
        repo.merge(f"hotfix/n{number}", message=f"Merge {number}\n\n{SIGNED if number != 2 else ''}")
    return repo


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_blocks_change_nothing(size: int, path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = many(path_of_repo)
    monkeypatch.setattr(judge_history, "BLOCK", size)
    decisions = [(one.subject, one.change.decision) for one in audited(repo)]
    assert decisions == [
        ("Merge 4", "allow"),
        ("Merge 3", "allow"),
        ("Merge 2", "deny"),
        ("Merge 1", "allow"),
        ("Merge 0", "allow"),
        ("Merge release/1.4", "allow"),
        ("Merge hotfix/1", "allow"),
        ("Begin the shop", "deny"),
    ]


def test_one_commit_is_judged_as_the_audit_judges_it(path_of_repo: Path) -> None:
    repo = many(path_of_repo)
    for one in audited(repo):
        policy, verdict = judge_landed(opened(repo), one.commit, "refs/heads/main", as_of=NOW)
        assert verdict.changes == (one.change,)
        assert policy is not None
    with pytest.raises(UsageError, match="is not on main"):
        judge_landed(opened(repo), repo.git("commit-tree", "-m", "Loose", "HEAD^{tree}"), "main", as_of=NOW)


def test_merges_that_cannot_be_made_again(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_old(*args: object) -> None:
        raise UndeterminedError("git is too old", remedy="a newer one")

    repo = landed(path_of_repo)
    monkeypatch.setattr(landed_module, "MergeAgain", too_old)
    newest = audited(repo, "main~1")[0].change
    answers = {one.rule: one.answer for one in newest.outcomes}
    assert (newest.decision, answers["RG105"]) == ("undetermined", "undetermined")


def test_way_back_is_allowed_step_by_step(path_of_repo: Path) -> None:
    """And a commit that only says so is not."""
    repo = two_broken(path_of_repo)
    assert guard(repo.path, "revert", "--to", TAG, "--yes").code == 0
    assert [one.change.decision for one in audited(repo, TAG)] == ["allow"] * 4
    repo.commit(f"Revert nothing\n\nThis reverts commit {repo.head('main~1')}.\n\nRollback-To: {TAG}", app_dot_py="9\n")
    repo.commit(f"Revert less\n\nThis reverts commit x.\n\nRollback-To: {TAG}", app_dot_py="8\n")
    repo.commit(f"Say no tag\n\nRollback-To: no\nRollback-To: {TAG}", app_dot_py="7\n")
    repo.commit("Say another\n\nRollback-To: stable/2020.01.01.1", app_dot_py="6\n")
    newest = audited(repo, "main~4")
    assert [one.change.decision for one in newest] == ["deny"] * 4
    assert all("RG101" in [o.rule for o in one.change.outcomes if o.answer == "violated"] for one in newest)


def two_broken(path_of_repo: Path) -> RepositoryBuilder:
    """A stable release and two merges on top of it."""
    repo = landed(path_of_repo)
    repo.stable_tag(TAG)
    for number in (2, 3):
        repo.git("checkout", "-q", "-b", f"hotfix/{number}", "main")
        repo.commit(f"Break {number}", app_dot_py=f"price = broken{number}\n")
        repo.checkout("main")
        repo.merge(f"hotfix/{number}", message=f"Merge hotfix/{number}\n\n{SIGNED}")
    return repo


def step(repo: RepositoryBuilder, parents: tuple[str, ...], tree: str, message: str) -> str:
    above = [part for parent in parents for part in ("-p", parent)]
    text = f"{message}\n\nRollback-To: {TAG}\n"
    return repo.git("commit-tree", *above, "-m", text, tree, **repo.as_person("jane"))


@pytest.mark.parametrize(
    ("last", "decision"),
    [
        ("nothing", "deny"),
        ("the release", "allow"),
        ("what was broken", "deny"),
        ("another change", "deny"),
        ("a merge", "deny"),
        ("a step more, and no end", "deny"),
    ],
)
def test_a_way_back_that_stops_half_way_is_judged_like_anything_else(
    path_of_repo: Path, last: str, decision: str
) -> None:
    """A single step that was pushed past the gate; production never was meant to be there."""
    repo = two_broken(path_of_repo)
    broken = repo.head("main")
    stable, empty = f"{TAG}^{{tree}}", repo.git("mktree", stdin=b"")
    said = f'Revert "x"\n\nThis reverts commit {broken}, reversing\nchanges made to {broken}.'
    half = step(repo, (broken,), f"{broken}^1^{{tree}}", said)
    tips = {
        "nothing": half,
        "the release": step(repo, (half,), stable, "On"),
        "what was broken": step(repo, (half,), f"{broken}^{{tree}}", "On"),
        "another change": step(repo, (step(repo, (half,), empty, "Other"),), stable, "On"),
        "a merge": step(repo, (half, broken), stable, "On"),
        "a step more, and no end": step(repo, (half,), f"{broken}^1^{{tree}}", "On"),
    }
    repo.git("update-ref", "refs/heads/main", tips[last])
    assert {one.commit: one.change.decision for one in audited(repo, broken)}[half] == decision
    assert judge_landed(opened(repo), half, "refs/heads/main", as_of=NOW)[1].decision == decision


def test_change_of_the_policy_is_judged_by_both(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.write_file("rollback-guard.toml", "version = 7\n")
    repo.commit(f"Break it\n\n{SIGNED}")
    repo.checkout("main")
    repo.merge("release/1.4", message=f"Merge\n\n{SIGNED}")
    repo.branch("release/2")
    repo.commit("Go on", app_dot_py="5\n")
    repo.checkout("main")
    repo.merge("release/2", message=f"Merge\n\n{SIGNED}")
    newest, broken, _ = audited(repo)
    assert [one.rule for one in newest.change.outcomes] == ["RG001"]
    assert {one.rule for one in broken.change.outcomes if one.answer == "violated"} == {"RG002"}


def test_a_clone_that_has_fetched_no_evidence_does_not_know(tmp_path: Path) -> None:
    """An auditor's fresh clone: nothing is denied for want of what was never fetched."""
    repo = signed_shop(tmp_path / "repo")
    server = Server(tmp_path / "server.git")
    server.takes(repo, "main", "release/1.4")
    repo.git("remote", "add", "origin", server.url)
    signed(repo)
    repo.checkout("main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge branch 'release/1.4'", "release/1.4")
    server.takes(repo, "main")
    subprocess.run(["git", "clone", "-q", server.url, str(tmp_path / "clone")], check=True)
    clone = tmp_path / "clone"
    args = ("audit", "main", "--since", "main~1", "--repository", "github.com/acme/shop")
    said = guard(clone, *args)
    assert (said.code, "guard evidence fetch" in said.out) == (4, True)
    assert "nothing that was signed has been fetched into this clone" in said.out
    assert guard(clone, "evidence", "fetch").code == 0  # there is none: now that is known
    assert guard(clone, *args).code == 1
    server.takes(repo, "refs/rollback-guard/evidence")
    assert guard(clone, "evidence", "fetch").code == 0
    assert guard(clone, *args).code == 0


@pytest.mark.parametrize("how", ["merge", "squash"])
def test_a_branch_that_was_deleted_after_it_landed(path_of_repo: Path, how: str) -> None:
    repo = signed_for_shop(path_of_repo)
    repo.checkout("main")
    repo.git("merge", "-q", *(("--no-ff", "-m", "Merge") if how == "merge" else ("--squash",)), "release/1.4")
    if how == "squash":
        repo.git("commit", "-q", "-m", "Release 1.4", **repo.as_person("jane"))
    repo.git("branch", "-D", "release/1.4")
    (change,) = guard(repo.path, "explain", "main", "--format", "json").json["changes"]
    assert (change["decision"], change["source"]) == ("allow", "refs/heads/release/1.4")


def test_a_team_of_trailers_needs_no_evidence_in_a_fresh_clone(tmp_path: Path) -> None:
    text = policy().replace('binding = "result"', 'binding = "result"\nproof = "trailer"')
    repo = signed_shop(tmp_path / "repo", text=text.replace(WAIVER, ""))
    repo.checkout("main")
    signs = "Reviewed-by: Omar Haddad <omar@acme.example>\nQA-by: Quinn Lee <quinn@acme.example>"
    repo.git("merge", "-q", "--no-ff", "-m", f"Merge branch 'release/1.4'\n\n{signs}", "release/1.4")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", f"file://{repo.path}", str(clone)], check=True)
    assert guard(clone, "audit", "main", "--since", "main~1", "--repository", "github.com/acme/shop").code == 0


WAIVER = """[waiver]
by = ["omar", "quinn"]
count = 2
max-age = "24h"
"""
