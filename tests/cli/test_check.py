"""`guard check` on real repositories: what it decides, by which rules, in which words and with which exit code."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builder import POLICY, SIGNED, RepositoryBuilder, shop
from tests.support.commands import check, guard
from tests.support.servers import run_git

REVIEW, QA, UAT = SIGNED.splitlines()


def released(
    path: Path, message: str = f"Release 1.4\n\n{SIGNED}", *, policy: str = POLICY, by: str = "jane"
) -> RepositoryBuilder:
    """A shop whose release has this message on its head."""
    repo = RepositoryBuilder(path)
    repo.write_file("rollback-guard.toml", policy)
    repo.commit("Begin the shop", app_dot_py="price = 1\n")
    repo.branch("release/1.4")
    repo.commit(message, by=by, app_dot_py="price = 2\n")
    return repo


def test_signed_release_is_allowed_and_the_document_has_the_keys_of_the_contract(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    said = check(repo.path, "--into", "main", "--repository", "git@github.com:Acme/shop.git")
    assert (said.code, said.err) == (0, "")
    document = said.json
    assert list(document) == ["format", "decision", "as-of", "changes"]
    assert document["format"] == "rollback-guard/verdict/1"
    assert document["decision"] == "allow"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["as-of"])
    (change,) = document["changes"]
    assert list(change) == [
        *("decision", "repository", "target", "source", "base", "head", "result-tree", "commits", "coverage"),
        *("policy", "outcomes"),
    ]
    assert change["repository"].casefold() == "github.com/acme/shop"
    assert (change["target"], change["source"]) == ("refs/heads/main", "refs/heads/release/1.4")
    assert (change["base"], change["head"]) == (repo.head("main"), repo.head())
    assert (change["result-tree"], change["commits"]) == (repo.tree(), 2)
    assert change["coverage"] == {"complete": True, "missing": []}
    assert change["policy"]["commit"] == repo.head("main")
    assert change["policy"]["path"] == "rollback-guard.toml"
    assert re.fullmatch("sha256:[0-9a-f]{64}", change["policy"]["digest"])
    assert all(list(one)[:4] == ["rule", "name", "outcome", "findings"] for one in change["outcomes"])
    rules = [one["rule"] for one in change["outcomes"]]
    assert rules == sorted(rules)
    assert {"RG001", "RG002", "RG101", "RG108", "RG201", "RG207"} <= set(rules)
    assert set(said.answers.values()) <= {"satisfied", "not-applicable"}


def test_sha256_repository(path_of_repo: Path) -> None:
    repo = shop(path_of_repo, object_format="sha256")
    said = check(repo.path, "--into", "main")
    assert said.code == 0
    assert len(said.json["changes"][0]["head"]) == 64


Story = Callable[[Path], tuple[RepositoryBuilder, tuple[str, ...]]]


def no_policy(path: Path) -> tuple[RepositoryBuilder, tuple[str, ...]]:
    repo = RepositoryBuilder(path)
    repo.commit("Begin", app_dot_py="1\n")
    repo.branch("release/1")
    repo.commit("More", app_dot_py="2\n")
    return repo, ()


def weakened(path: Path) -> tuple[RepositoryBuilder, tuple[str, ...]]:
    """The new policy asks for a fourth role, which nobody gave."""
    more = '\n[[sign-off]]\nrole = "security"\ntrailer = "Security-by"\nby = ["@qa"]\nproof = "trailer"\n'
    repo = shop(path)
    repo.write_file("rollback-guard.toml", POLICY + more)
    repo.commit(f"Change the policy\n\n{SIGNED}")
    return repo, ()


def off_route(path: Path) -> tuple[RepositoryBuilder, tuple[str, ...]]:
    repo = shop(path)
    repo.git("branch", "-m", "feature/cart")
    return repo, ()


def fork(path: Path) -> tuple[RepositoryBuilder, tuple[str, ...]]:
    policy = POLICY.replace("[production]\n", '[production]\nrepositories = ["github.com/acme/shop"]\n')
    return shop(path, policy=policy), ("--repository", "https://github.com/eve/shop")


def evil(path: Path) -> tuple[RepositoryBuilder, tuple[str, ...]]:
    repo = shop(path)
    repo.branch("release/inner", "main")
    repo.commit("Inner", inner_dot_py="1\n")
    repo.checkout("release/1.4")
    repo.git("merge", "-q", "--no-ff", "--no-commit", "release/inner")
    repo.commit(f"Merge release/inner\n\n{SIGNED}", app_dot_py="price = 0\n")
    return repo, ()


def moved_on(path: Path) -> tuple[RepositoryBuilder, tuple[str, ...]]:
    repo = shop(path)
    repo.checkout("main")
    repo.commit("Hotfix", fix_dot_py="1\n")
    repo.checkout("release/1.4")
    return repo, ()


def stranger(path: Path) -> tuple[RepositoryBuilder, tuple[str, ...]]:
    return released(path, by="eve"), ()


def lookalike(path: Path) -> tuple[RepositoryBuilder, tuple[str, ...]]:
    repo = shop(path)
    repo.git("tag", "main", "HEAD")
    return repo, ("--into", "refs/heads/main")


def with_message(*lines: str) -> Story:
    return lambda path: (released(path, "Release 1.4\n\n" + "\n".join(lines) + "\n"), ())


def stale(path: Path) -> tuple[RepositoryBuilder, tuple[str, ...]]:
    repo = shop(path)
    repo.commit("One more thing", late_dot_py="1\n")
    return repo, ()


def unproven(path: Path) -> tuple[RepositoryBuilder, tuple[str, ...]]:
    return shop(path, policy=POLICY.replace('proof = "trailer"', 'proof = "signature"', 1)), ()


OMAR_MADE = "Reviewed-by: Jane Doe <jane@acme.example>"
BROKEN: list[tuple[str, Story]] = [
    ("RG001", no_policy),
    ("RG002", weakened),
    ("RG102", off_route),
    ("RG103", fork),
    ("RG105", evil),
    ("RG106", moved_on),
    ("RG107", stranger),
    ("RG108", lookalike),
    ("RG201", with_message(REVIEW, QA)),
    ("RG202", with_message(OMAR_MADE, QA, UAT)),
    ("RG203", with_message("Reviewed-by: Uma Patel <uma@acme.example>", QA, UAT)),
    ("RG204", stale),
    ("RG206", with_message(REVIEW, QA, UAT, "UAT-by: Uma")),
]


@pytest.mark.parametrize(("rule", "story"), BROKEN, ids=[rule for rule, _ in BROKEN])
def test_one_broken_rule_denies(rule: str, story: Story, path_of_repo: Path) -> None:
    repo, args = story(path_of_repo)
    said = check(repo.path, *(args or ("--into", "main")))
    assert (said.code, said.json["decision"]) == (1, "deny")
    assert rule in said.violated
    (change,) = said.json["changes"]
    for outcome in change["outcomes"]:
        if outcome["outcome"] == "violated":
            assert outcome["findings"]
            assert all(finding["message"] and finding["remedy"] for finding in outcome["findings"])


def test_a_trailer_where_a_signature_is_asked_for_is_refused(path_of_repo: Path) -> None:
    repo, _ = unproven(path_of_repo)
    said = check(repo.path, "--into", "main")
    assert (said.code, said.json["decision"]) == (1, "deny")
    assert {"RG201", "RG205"} <= set(said.violated)


def test_conflict_between_base_and_head_is_undetermined_and_names_the_path(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.checkout("main")
    repo.commit("Other price", app_dot_py="price = 9\n")
    repo.checkout("release/1.4")
    said = check(repo.path, "--into", "main")
    assert said.code == 4
    assert "app.py" in said.out
    assert said.json["changes"][0]["result-tree"] is None


def test_output_file_and_verbose(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    quiet = guard(repo.path, "check", "--into", "main")
    loud = guard(repo.path, "check", "--into", "main", "--verbose")
    assert quiet.out.startswith("ALLOWED")
    assert "RG201" in loud.out
    assert len(loud.out) > len(quiet.out)
    said = guard(repo.path, "check", "--format", "json", "--output", "verdict.json")
    assert (said.code, said.out) == (0, "")
    assert json.loads((repo.path / "verdict.json").read_text())["decision"] == "allow"
    said = guard(repo.path, "check", "--output", "no/such/folder/file")
    assert said.code == 2
    assert "--output" in said.err
    assert guard(repo.path, "check", "--output", "-").out.startswith("ALLOWED")


@pytest.mark.parametrize("layout", ["sarif", "github", "markdown", "text"])
def test_every_format_has_the_same_exit_code(layout: str, path_of_repo: Path) -> None:
    repo, _ = off_route(path_of_repo)
    said = guard(repo.path, "check", "--into", "main", "--format", layout)
    assert said.code == 1
    assert "RG102" in said.out


def test_base_head_and_source(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.checkout("main")
    said = check(repo.path, "--into", "main", "--head", "release/1.4", "--base", "main", "--source", "release/1.4")
    assert (said.code, said.json["changes"][0]["source"]) == (0, "refs/heads/release/1.4")
    said = check(repo.path, "--head", "release/1.4~1", "--source", "release/1.4")
    assert "RG201" in said.violated
    repo.git("branch", "release/2.0", "main~0")
    said = check(repo.path, "--head", "release/1.4", "--source", "release/2.0")
    assert said.violated == ["RG102"]
    said = check(repo.path, "--head", "release/1.4", "--source", "feature/x")
    assert said.violated == ["RG102"]


def test_claimed_source_for_a_commit_that_no_branch_holds_is_undetermined(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    loose = repo.git("commit-tree", "-p", "HEAD", "-m", f"Loose\n\n{SIGNED}", "HEAD^{tree}")
    said = check(repo.path, "--into", "main", "--head", loose, "--source", "release/1.4")
    assert (said.code, said.answers["RG102"]) == (4, "undetermined")


def test_what_if_policy(path_of_repo: Path, tmp_path: Path) -> None:
    repo = shop(path_of_repo)
    other = tmp_path / "next.toml"
    other.write_text(POLICY.replace('"release/*", "hotfix/*"', '"train/*"'))
    said = check(repo.path, "--policy", str(other))
    assert (said.code, said.violated) == (1, ["RG102"])
    assert said.json["changes"][0]["policy"]["what-if"] is True
    assert said.json["changes"][0]["policy"]["path"] == str(other)
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text("[project]\nname = 'x'\n")
    for path, word in ((tmp_path / "none.toml", "cannot be read"), (pyproject, "rollback-guard")):
        said = guard(repo.path, "check", "--policy", str(path))
        assert said.code == 2
        assert word in said.err


def test_policy_in_a_large_pyproject(tmp_path: Path, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    tables = POLICY.replace("version = 1\n", "[tool.rollback-guard]\nversion = 1\n", 1)
    tables = re.sub(r"^(\[+)(?!tool)", r"\1tool.rollback-guard.", tables, flags=re.M)
    repo.checkout("main")
    repo.git("rm", "-q", "rollback-guard.toml")
    repo.write_file("pyproject.toml", "# " + "x" * 200_000 + "\n" + tables)
    repo.commit("Move the policy")
    repo.git("checkout", "-q", "-b", "release/2")
    repo.commit(f"Go on\n\n{SIGNED}", app_dot_py="price = 3\n")
    said = check(repo.path, "--into", "main")
    assert (said.code, said.json["changes"][0]["policy"]["path"]) == (0, "pyproject.toml")
    what_if = check(repo.path, "--policy", str(repo.path / "pyproject.toml"))
    assert what_if.code == 0


def cloned(tmp_path: Path, repo: RepositoryBuilder, *options: str) -> RepositoryBuilder:
    run_git(tmp_path, "clone", "-q", *options, f"file://{repo.path}", "clone")
    clone = RepositoryBuilder.__new__(RepositoryBuilder)
    clone.path, clone.clock = tmp_path / "clone", repo.clock
    return clone


def test_target_as_last_seen_on_the_remote_goes_before_the_local_branch(tmp_path: Path, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    clone = cloned(tmp_path, repo)
    clone.git("branch", "main", "origin/release/1.4")
    said = check(clone.path, "--into", "main")
    assert said.json["changes"][0]["base"] == repo.head("main")
    said = check(clone.path, "--into", "refs/heads/main")
    assert said.json["changes"][0]["base"] == repo.head("release/1.4")
    clone.git("remote", "add", "other", "https://example.org/x/y")
    said = check(clone.path, "--into", "refs/remotes/origin/main")
    assert said.json["changes"][0]["target"] == "refs/heads/main"


def test_head_that_is_only_on_the_remote(tmp_path: Path, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.checkout("main")
    clone = cloned(tmp_path, repo)
    said = check(clone.path, "--into", "main", "--head", "release/1.4")
    assert (said.code, said.json["changes"][0]["head"]) == (0, repo.head("release/1.4"))


def test_clone_without_a_policy_names_the_branch_that_origin_head_stands_for(
    tmp_path: Path, path_of_repo: Path
) -> None:
    repo, _ = no_policy(path_of_repo)
    repo.checkout("main")
    clone = cloned(tmp_path, repo)
    said = check(clone.path, "--head", "origin/release/1")
    assert (said.code, said.json["changes"][0]["target"]) == (1, "refs/heads/main")
    assert guard(clone.path, "check", "--into", "HEAD").code == 2, "origin/HEAD is no branch"


@pytest.mark.parametrize(
    "into", ["main~1", "main^{}", "main@{0}", "HEAD", "", "refs/tags/v1", "no/such", "-x", "ma\x1bin"]
)
def test_target_must_be_a_branch(into: str, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("tag", "v1", "main")
    said = guard(repo.path, "check", f"--into={into}")
    assert said.code == 2
    assert "no branch" in said.err
    assert "\x1b" not in said.err


@pytest.mark.parametrize("head", ["--output=x", "no/such", "", "^main", "a..b", "\x1b[31m", "a\nb"])
def test_head_that_is_no_commit(head: str, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    said = guard(repo.path, "check", f"--head={head}")
    assert said.code == 2
    assert "--head" in said.err
    assert "\x1b" not in said.err
    assert not (repo.path / "x").exists()


def test_head_that_is_a_branch_and_a_tag(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("tag", "release/1.4", "main")
    said = guard(repo.path, "check", "--into", "main", "--head", "release/1.4")
    assert said.code == 2
    assert "'release/1.4' is the name of a branch and of a tag" in said.err
    assert check(repo.path, "--into", "main", "--head", "refs/heads/release/1.4").code == 0


def test_policy_that_asks_for_no_evidence(path_of_repo: Path) -> None:
    text = 'version = 1\n\n[production]\nbranches = ["main"]\n\n[[route]]\ninto = "main"\nfrom = ["release/*"]\n'
    said = check(shop(path_of_repo, policy=text).path, "--into", "main")
    assert (said.code, said.answers["RG101"]) == (0, "satisfied")
    assert {said.answers[rule] for rule in ("RG201", "RG202", "RG205", "RG207")} == {"not-applicable"}


def test_branch_named_like_an_option(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("update-ref", "refs/heads/-x", "HEAD")
    said = check(repo.path, "--into", "main", "--head", "refs/heads/-x")
    assert said.code == 0
    assert check(repo.path, "--into", "main", "--head=-x").code == 0
    said = check(repo.path, "--into", "main", "--source=-x")
    assert "RG108" in said.violated


def test_detached_head_and_a_work_tree_of_its_own(path_of_repo: Path, tmp_path: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("checkout", "-q", "--detach")
    assert check(repo.path).code == 0
    repo.git("worktree", "add", "-q", str(tmp_path / "tree"), "release/1.4")
    assert check(tmp_path / "tree").code == 0
    (tmp_path / "tree" / "deep" / "er").mkdir(parents=True)
    assert check(tmp_path / "tree" / "deep" / "er").code == 0


def test_bare_repository(tmp_path: Path, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    run_git(tmp_path, "clone", "-q", "--bare", str(repo.path), "bare.git")
    run_git(tmp_path / "bare.git", "symbolic-ref", "HEAD", "refs/heads/main")
    assert check(tmp_path / "bare.git", "--head", "release/1.4").code == 0


def test_unborn_branch(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    said = guard(repo.path, "check")
    assert said.code == 2
    assert "no production branch" in said.err
    repo.commit("Begin")
    repo.git("checkout", "-q", "--orphan", "fresh")
    said = guard(repo.path, "check")
    assert said.code == 2
    assert "fresh has no commit yet" in said.err


def test_configured_default_branch_is_taken_when_nothing_else_tells(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo, branch="trunk")
    repo.commit("Begin")
    repo.git("config", "init.defaultBranch", "trunk")
    assert check(repo.path).json["changes"][0]["target"] == "refs/heads/trunk"


def test_the_policy_s_own_branch_is_the_target_when_it_is_here(path_of_repo: Path) -> None:
    """The first name that the policy lists has no branch here; the second has."""
    policy = POLICY.replace('branches = ["main"]', 'branches = ["live", "main"]')
    repo = shop(path_of_repo, policy=policy)
    assert check(repo.path).json["changes"][0]["target"] == "refs/heads/main"
    assert check(repo.path, "--policy", str(repo.path / "rollback-guard.toml")).code == 0


def test_branch_that_is_no_production_is_allowed_and_says_so(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("branch", "develop", "main")
    said = check(repo.path, "--into", "develop")
    assert said.code == 0
    assert set(said.answers.values()) == {"not-applicable", "satisfied"}
    assert [rule for rule, answer in said.answers.items() if answer == "satisfied"] == ["RG108"]


def test_shallow_clone(tmp_path: Path, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("branch", "base", "main")
    whole = cloned(tmp_path, repo, "--depth=3", "--no-single-branch")
    assert check(whole.path, "--into", "main").code == 0
    (tmp_path / "cut").mkdir()
    cut = cloned(tmp_path / "cut", repo, "--depth=1", "--no-single-branch")
    said = check(cut.path, "--into", "main")
    assert (said.code, said.json["decision"]) == (4, "undetermined")
    assert "shallow" in said.out
    assert "git fetch --unshallow" in said.out


def test_broken_policy_lists_its_problems(path_of_repo: Path) -> None:
    repo = shop(path_of_repo, policy=POLICY.replace("[[route]]\ninto", "[[route]]\nintoo"))
    said = check(repo.path, "--into", "main")
    assert said.code == 2
    assert said.json["format"] == "rollback-guard/error/1"
    problems = said.json["problems"]
    assert [problem["nearest"] for problem in problems if problem["nearest"]] == ["into"]
    assert all(problem["line"] and problem["file"] == "rollback-guard.toml" for problem in problems)


def test_change_that_mends_a_broken_policy_may_be_judged(path_of_repo: Path) -> None:
    repo = shop(path_of_repo, policy=POLICY.replace("version = 1", "version = 7"))
    repo.write_file("rollback-guard.toml", POLICY)
    repo.commit(f"Mend the policy\n\n{SIGNED}")
    said = check(repo.path, "--into", "main")
    assert said.code == 1
    assert said.violated == ["RG001"]
    repo.git("checkout", "-q", "-b", "release/mend", "main")
    repo.write_file("rollback-guard.toml", POLICY)
    repo.commit(f"Mend the policy\n\n{SIGNED}")
    said = check(repo.path, "--into", "main")
    assert (said.code, said.answers["RG001"]) == (0, "satisfied")


def test_change_that_breaks_the_policy_is_denied(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.write_file("rollback-guard.toml", "version = 7\n")
    repo.commit(f"Break it\n\n{SIGNED}")
    said = check(repo.path, "--into", "main")
    assert (said.code, said.violated) == (1, ["RG002"])


def test_huge_policy(path_of_repo: Path) -> None:
    repo = shop(path_of_repo, policy=POLICY + "#" * (1 << 19))
    said = guard(repo.path, "check", "--into", "main")
    assert said.code == 2
    assert "invalid" in said.err or "too large" in said.err


def test_policy_as_a_link_is_not_followed(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.write_file("real.toml", POLICY)
    (repo.path / "rollback-guard.toml").symlink_to("real.toml")
    repo.commit("Begin")
    repo.branch("release/1")
    repo.commit(f"More\n\n{SIGNED}", app_dot_py="1\n")
    assert guard(repo.path, "check", "--into", "main").code == 2


def test_change_that_introduces_the_policy(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin", app_dot_py="1\n")
    repo.branch("release/policy")
    repo.write_file("rollback-guard.toml", POLICY)
    repo.commit(f"Bring a policy\n\n{SIGNED}")
    said = check(repo.path, "--into", "main")
    assert (said.code, said.answers["RG001"]) == (0, "satisfied")
    used = said.json["changes"][0]["policy"]
    assert (used["commit"], used["path"]) == (repo.head(), "rollback-guard.toml")
    assert used["digest"] == f"sha256:{hashlib.sha256(POLICY.encode()).hexdigest()}"
    assert f"judged by rollback-guard.toml at {repo.head()[:12]}" in guard(repo.path, "check", "--into", "main").out
    repo.commit(f"And more\n\n{SIGNED}", app_dot_py="2\n")
    said = check(repo.path, "--into", "main")
    assert (said.code, said.violated) == (1, ["RG001"])
    assert said.json["changes"][0]["policy"] == {"commit": repo.head("main"), "path": None, "digest": None}


def test_not_a_repository_and_a_folder_that_is_gone(tmp_path: Path) -> None:
    said = guard(tmp_path, "check", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert said.code == 2
    assert "not a repository" in said.err


def test_git_missing(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    said = guard(repo.path, "check", PATH="")
    assert said.code == 2
    assert "git is not installed" in said.err


def test_replace_refs_and_grafts_change_nothing(path_of_repo: Path) -> None:
    repo, _ = off_route(path_of_repo)
    parent = repo.head("HEAD~1")
    repo.git("replace", repo.head(), repo.head("main"))
    (repo.path / ".git" / "info").mkdir(exist_ok=True)
    (repo.path / ".git" / "info" / "grafts").write_text(f"{parent}\n")
    said = check(repo.path, "--into", "main")
    assert (said.code, said.json["changes"][0]["commits"]) == (1, 2)


def test_git_too_old_to_make_merges_again_is_undetermined(path_of_repo: Path, tmp_path: Path) -> None:
    """Only where a merge is to be made again: production moved on."""
    repo, _ = moved_on(path_of_repo)
    old = tmp_path / "git"
    real = shutil.which("git")
    asked = 'for last; do :; done; if [ "$last" = version ]; then echo git version 2.34.1; exit; fi'
    old.write_text(f'#!/bin/sh\n{asked}\nexec {real} "$@"\n')
    old.chmod(0o755)
    said = check(repo.path, "--into", "main", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert said.code == 4
    assert "2.34.1 is too old" in said.out


def test_branch_that_is_told_of_several_at_one_commit(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("branch", "hotfix/aaa")
    repo.git("branch", "feature/x")

    def source(*args: str) -> str:
        return str(check(repo.path, "--into", "main", *args).json["changes"][0]["source"])

    assert source() == "refs/heads/release/1.4"
    assert source("--head", "hotfix/aaa") == "refs/heads/hotfix/aaa"
    assert source("--head", "refs/heads/feature/x") == "refs/heads/feature/x"
    assert source("--head", "HEAD~0") == "refs/heads/hotfix/aaa"
    assert source("--head", "hotfix/aaa", "--source", "release/1.4") == "refs/heads/release/1.4"
    said = guard(repo.path, "check", "--into", "main", "--source", "feature/x")
    assert said.out.startswith("DENIED  feature/x → main")
    said = guard(repo.path, "check", "--into", "main", "--source", "main")
    assert "main is what the change would land on, and no way into itself" in " ".join(said.out.split())
    repo.git("remote", "add", "origin", "https://github.com/acme/shop.git")
    repo.git("update-ref", "refs/remotes/origin/hotfix/far", "HEAD")
    assert source("--head", "hotfix/far") == "refs/heads/hotfix/far"
    assert source("--head", "origin/hotfix/far") == "refs/heads/hotfix/far"
