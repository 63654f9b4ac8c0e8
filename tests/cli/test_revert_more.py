"""`guard revert` in its other shapes: commits alone, requests by number, several branches as one, signed commits."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from rollback_guard.entry import revert_signing
from tests.cli.test_revert import Guard, guard
from tests.release.stories import TAG, begun, busy, everything, land
from tests.release.test_only import numbered
from tests.support.builder import PEOPLE, POLICY, RepositoryBuilder, told_once
from tests.support.signing import key_of, public_key

__all__ = ["guard"]


def test_only_plan_then_execute(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    before = everything(repo)
    plan = guard(repo.path, "revert", "--mode", "only", "main~1", "--plan", "--format", "json")
    assert (plan.code, plan.json["mode"], plan.json["stable"], plan.json["result"]) == (0, "only", None, None)
    (one,) = plan.json["reverts"]
    assert (one["commit"], one["mainline"], one["conflicts"]) == (repo.head("main~1"), 1, [])
    assert everything(repo) == before
    text = guard(repo.path, "revert", "--mode", "only", "main~1", "--plan", "--reason", "it's broken")
    assert text.out.startswith("Only 1 commit will be undone on main\n")
    words = shlex.split(text.out.strip().rpartition("→ ")[2])
    done = guard(repo.path, *words[1:], "--format", "json")
    assert done.code == 0, done.err
    assert done.json["result"] == {
        "ref": "refs/heads/main",
        "commit": repo.head("main"),
        "tree": one["tree"],
        "tree-equals-stable": None,
    }
    assert repo.git("log", "-1", "--format=%(trailers:only)") == "Reason: it's broken"


def test_only_as_a_new_branch(guard: Guard, path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    tip = repo.head("main")
    said = guard(repo.path, "revert", "--mode", "only", "main~1", "--as", "undo/one", "--yes")
    assert said.code == 0, said.err
    assert "written to the new branch undo/one" in said.out
    assert "its trees are those of the plan" in said.out
    assert said.out.endswith("→ git push origin undo/one\n")
    assert (repo.head("main"), repo.head("undo/one~1")) == (tip, tip)


def test_only_in_conflict_says_what_would_help(guard: Guard, path_of_repo: Path) -> None:
    repo = numbered(path_of_repo, (15, "a"), (3, "x"), (15, "b"))
    before = everything(repo)
    said = guard(repo.path, "revert", "--mode", "only", "main~2", "--yes")
    assert said.code == 1
    assert said.out.startswith("In conflict: 1 commit cannot be undone alone on main; nothing was changed\n")
    assert "a.txt: CONFLICT (contents)" in said.out
    assert "Line 15 is b" in said.out
    assert everything(repo) == before
    plan = guard(repo.path, "revert", "--mode", "only", "main~2", "--plan", "--format", "json")
    assert plan.code == 1
    assert plan.json["closed-set"] == [repo.head("main"), repo.head("main~2")]
    assert plan.json["dependents"][0]["paths"] == ["a.txt"]
    words = shlex.split(said.out.strip().rpartition("→ ")[2])
    assert guard(repo.path, *words[1:]).code == 0


def test_only_a_range_and_nothing_left(guard: Guard, path_of_repo: Path) -> None:
    repo = numbered(path_of_repo, (15, "a"), (3, "x"), (28, "y"))
    said = guard(repo.path, "revert", "--mode", "only", "main~2..main", "--yes")
    assert said.code == 0, said.err
    assert "2 commits" in said.out
    again = guard(repo.path, "revert", "--mode", "only", "main~4..main~2", "--plan")
    assert again.out.startswith("Nothing to undo: of 2 commits nothing is left on main")
    assert "will judge it" not in again.out  # there is nothing to judge
    empty = guard(repo.path, "revert", "--mode", "only", "main..main")
    assert (empty.code, "holds no commit" in empty.err) == (1, True)


def test_only_of_another_digest(guard: Guard, path_of_repo: Path) -> None:
    repo = numbered(path_of_repo, (15, "a"), (3, "x"))
    digest = guard(repo.path, "revert", "--mode", "only", "main", "--plan", "--format", "json").json["digest"]
    said = guard(repo.path, "revert", "--mode", "only", "main~1", "--execute", digest)
    assert (said.code, "the plan is not the one of that digest" in said.err) == (1, True)
    dirty = repo.path / "a.txt"
    dirty.write_text("mine\n")
    plan = guard(repo.path, "revert", "--mode", "only", "main", "--plan")
    assert "note: it would be refused now: there are changes here that are not committed" in plan.out


MESSAGES = {
    "github": "Merge pull request #12 from acme/basket\n\nBasket",
    "squash": "Basket (#12)",
    "gitea": "Merge pull request 'Basket' (#12) from basket into main",
    "bitbucket": "Merged in basket (pull request #12)",
    "azure": "Merged PR 12: Basket",
    "gitlab": "Merge branch 'basket' into 'main'\n\nBasket\n\nSee merge request acme/shop!12",
    "gitlab-squash": "Basket (!12)",
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))
def test_a_request_by_its_number(guard: Guard, path_of_repo: Path, message: str) -> None:
    repo = begun(path_of_repo)
    repo.commit("Talk of #12 and (#12) here", x_dot_txt="1\n")
    repo.branch("basket")
    repo.commit("Basket", basket_dot_txt="1\n")
    repo.checkout("main")
    repo.commit("Request 123 (#123)", y_dot_txt="1\n")
    repo.merge("basket", message=message)
    landed = repo.head("main")
    repo.commit('Revert nothing "Basket (#12)"', z_dot_txt="1\n")
    for number in ("#12", "!12"):
        plan = guard(repo.path, "revert", "--mode", "only", number, "--plan", "--format", "json")
        assert [one["commit"] for one in plan.json["reverts"]] == [landed], plan.err


def rebased(repo: RepositoryBuilder) -> list[str]:
    """A request of two commits whose head was fetched, and which was rebased onto main."""
    repo.branch("basket")
    repo.commit("Basket", basket_dot_txt="1\n")
    repo.commit("Bigger basket", basket_dot_txt="2\n")
    repo.git("update-ref", "refs/pull/12/head", "basket")
    repo.checkout("main")
    repo.commit("Meanwhile", y_dot_txt="1\n")
    repo.git("cherry-pick", "main..basket", **repo.as_person("omar"))
    landed = repo.git("rev-list", "-2", "main").split()
    repo.commit("Later", z_dot_txt="1\n")
    return landed


def test_a_request_that_was_rebased(guard: Guard, path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    landed = rebased(repo)
    plan = guard(repo.path, "revert", "--mode", "only", "#12", "--plan", "--format", "json")
    assert [one["commit"] for one in plan.json["reverts"]] == landed, plan.err


def test_a_request_that_was_fast_forwarded(guard: Guard, path_of_repo: Path) -> None:
    """Where main stood before, a bare repository's own log tells; without that nobody guesses."""
    repo = begun(path_of_repo)
    server = path_of_repo.parent / "server.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(server))
    repo.branch("basket")
    repo.commit("Basket", basket_dot_txt="1\n")
    repo.commit("Bigger basket", basket_dot_txt="2\n")
    asked = ("revert", "--mode", "only", "#12", "--branch", "main", "--plan", "--format", "json")
    said = guard(server, *asked)
    assert (said.code, "git fetch origin refs/pull/12/head:refs/pull/12/head" in said.err) == (2, True)
    repo.git("push", "-q", str(server), "basket:refs/pull/12/head", "basket:main")
    unknown = guard(server, *asked)
    assert (unknown.code, f"guard revert --mode only BASE..{repo.head('basket')[:12]}" in unknown.err) == (2, True)
    repo.git("push", "-q", "--force", str(server), "main")
    repo.git(f"--git-dir={server}", "config", "core.logAllRefUpdates", "true")
    repo.commit("Bigger still", basket_dot_txt="3\n")
    repo.git("push", "-q", "--force", str(server), "main~1:main", "basket:refs/pull/12/head")
    repo.git("push", "-q", str(server), "main")
    repo.git("push", "-q", str(server), "basket:main")
    plan = guard(server, *asked)
    assert [one["subject"] for one in plan.json["reverts"]] == ["Bigger still", "Bigger basket", "Basket"], plan.err


def test_unrelated_history_is_no_request(guard: Guard, path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit("Another", q_dot_txt="1\n")
    repo.git("update-ref", "refs/pull/12/head", "other")
    repo.checkout("main")
    said = guard(repo.path, "revert", "--mode", "only", "#12", "--plan")
    assert (said.code, "BASE.." in said.err) == (2, True)


@told_once
def two_branches(path: Path) -> RepositoryBuilder:
    """main and legacy are production, each with a release of its own and something above it."""
    repo = RepositoryBuilder(path)
    repo.write_file("rollback-guard.toml", POLICY.replace('["main"]', '["main", "legacy"]', 1))
    repo.commit("Begin", app_dot_py="1\n")
    repo.stable_tag("stable/2026.11.22.1")
    repo.git("branch", "legacy")
    land(repo, "feature/one", app_dot_py="2\n")
    repo.checkout("legacy")
    repo.commit("Legacy release", legacy_dot_py="1\n")
    repo.stable_tag("stable/2026.11.23.1")
    repo.commit("Break legacy", legacy_dot_py="2\n")
    repo.checkout("main")
    return repo


def test_several_branches_as_one(guard: Guard, path_of_repo: Path, tmp_path: Path) -> None:
    repo = two_branches(path_of_repo)
    server = tmp_path / "server.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(server))
    repo.git("remote", "add", "origin", f"file://{server}")
    branches = ("--branch", "main", "--branch", "legacy")
    plan = guard(repo.path, "revert", *branches, "--plan", "--format", "json")
    assert plan.json["format"] == "rollback-guard/revert-set/1"
    assert [(one["branch"], one["stable"]["tag"]) for one in plan.json["plans"]] == [
        ("main", "stable/2026.11.22.1"),
        ("legacy", "stable/2026.11.23.1"),
    ]
    text = guard(repo.path, "revert", *branches, "--plan", "--push")
    words = shlex.split(text.out.strip().rpartition("→ ")[2])
    assert words[:6] == ["guard", "revert", *branches]
    done = guard(repo.path, *words[1:], "--format", "json")
    assert done.code == 0, done.err
    assert all(one["result"]["tree-equals-stable"] for one in done.json["plans"])
    assert "pushed to origin" in done.err
    for branch, tag in (("main", "stable/2026.11.22.1"), ("legacy", "stable/2026.11.23.1")):
        assert repo.tree(branch) == repo.tree(tag)
        assert repo.git("ls-remote", "origin", f"refs/heads/{branch}").split()[0] == repo.head(branch)
    assert repo.git("status", "--porcelain") == ""
    nothing = guard(repo.path, "revert", *branches)
    assert nothing.out.count("Nothing to revert") == 2


def test_of_several_branches_none_is_guessed(guard: Guard, path_of_repo: Path) -> None:
    """With a branch checked out that is none of them; a branch that is named is taken as ever."""
    repo = two_branches(path_of_repo)
    repo.branch("feature/mine")
    before = everything(repo)
    for args in (("revert", "--yes"), ("release", "list"), ("revert", "--mode", "only", "HEAD", "--yes")):
        said = guard(repo.path, *args)
        assert (said.code, "feature/mine is checked out, which is no production branch" in said.err) == (2, True)
        assert "the policy names main, legacy" in said.err
        assert "name it: --branch main" in said.err
    assert everything(repo) == before
    assert guard(repo.path, "revert", "--branch", "feature/mine", "--plan").code == 0
    repo.checkout("legacy")
    assert "reverted on legacy" in guard(repo.path, "revert", "--plan").out


def test_of_several_branches_none_is_moved_when_one_is_not_ready(guard: Guard, path_of_repo: Path) -> None:
    repo = two_branches(path_of_repo)
    before = everything(repo)
    (repo.path / "app.py").write_text("mine\n")
    said = guard(repo.path, "revert", "--branch", "legacy", "--branch", "main", "--yes")
    assert (said.code, "not committed" in said.err) == (1, True)
    (repo.path / "app.py").write_text("2\n")
    assert everything(repo) == before


def there_of(listing: str, branch: str) -> str:
    return next(line.split()[0] for line in listing.splitlines() if line.endswith(f"refs/heads/{branch}"))


def test_of_several_branches_none_is_pushed_when_one_is_stale(guard: Guard, path_of_repo: Path, tmp_path: Path) -> None:
    repo = two_branches(path_of_repo)
    server = tmp_path / "server.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(server))
    repo.git("remote", "add", "origin", f"file://{server}")
    repo.git("push", "-q", "origin", "+legacy~1:legacy")
    there = repo.git("ls-remote", "origin")
    said = guard(repo.path, "revert", "--branch", "main", "--branch", "legacy", "--yes", "--push")
    assert said.code == 1
    assert "did not take them" in said.err
    assert repo.git("ls-remote", "origin") == there
    range_ = f"{there_of(there, 'legacy')[:12]}..{repo.head('legacy~1')[:12]}"
    assert f"git log {range_} && git push --atomic origin main legacy   # these commits were here alone" in said.err
    repo.git("remote", "add", "second", "x")
    repo.git("config", "branch.legacy.pushRemote", "second")
    repo.git("reset", "-q", "--hard", "main~1")
    repo.git("branch", "-f", "legacy", "legacy~1")
    apart = guard(repo.path, "revert", "--branch", "main", "--branch", "legacy", "--yes", "--push")
    assert (apart.code, "go to different remotes" in apart.err) == (2, True)


@told_once
def signing_shop(path: Path, *, listed: str = "jane") -> RepositoryBuilder:
    text = POLICY.replace('branches = ["main"]', 'branches = ["main"]\nsigned-commits = true')
    text = text.replace("[people.jane]\n", f'[people.jane]\nkeys = ["{public_key(listed)}"]\n')
    repo = RepositoryBuilder(path)
    repo.write_file("rollback-guard.toml", text)
    repo.commit("Begin", app_dot_py="1\n")
    repo.stable_tag(TAG)
    repo.commit("Break it", app_dot_py="2\n")
    repo.commit("Remove all", **{"rollback-guard_dot_toml": text})
    repo.git("config", "gpg.format", "ssh")
    repo.git("config", "user.signingKey", key_of("jane"))
    return repo


def as_jane(monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{part}_NAME", PEOPLE["jane"][0])
        monkeypatch.setenv(f"GIT_{part}_EMAIL", PEOPLE["jane"][1])


@pytest.mark.parametrize("mode", [("--mode", "each"), ("--mode", "single"), ("--mode", "only", "main~1")])
def test_where_the_policy_asks_for_it_revert_commits_are_signed(
    guard: Guard, path_of_repo: Path, mode: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = signing_shop(path_of_repo)
    tip = repo.head()
    as_jane(monkeypatch)
    said = guard(repo.path, "revert", *mode, "--yes")
    assert said.code == 0, said.err
    for commit in repo.git("rev-list", f"{tip}..main").split():
        assert "gpgsig" in repo.git("cat-file", "commit", commit)
    assert repo.git("status", "--porcelain") == ""
    assert list((repo.path / ".git/objects/pack").glob("*.idx"))
    assert repo.git("fsck", "--strict") == ""


def test_a_key_that_would_not_count_signs_nothing(
    guard: Guard, path_of_repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = signing_shop(path_of_repo, listed="omar")
    before = everything(repo)
    as_jane(monkeypatch)
    said = guard(repo.path, "revert", "--yes")
    assert (said.code, "the revert commits would not count" in said.err) == (1, True)
    repo.git("config", "user.signingKey", "/no/such/key")
    said = guard(repo.path, "revert", "--yes")
    assert (said.code, "git could not sign a revert commit" in said.err) == (1, True)
    assert everything(repo) == before


def test_where_git_is_set_so_they_are_signed_too(
    guard: Guard, path_of_repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = busy(path_of_repo)
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", key_of("eve")), ("commit.gpgSign", "yes")):
        repo.git("config", name, value)
    monkeypatch.setattr(revert_signing, "MANY", 2)
    said = guard(repo.path, "revert", "--yes")
    assert (said.code, "3 commits are signed one by one" in said.err) == (0, True)
    assert "gpgsig" in repo.git("cat-file", "commit", "main")
    assert repo.tree("main") == repo.tree(TAG)


def test_a_signed_way_back_to_nothing(guard: Guard, path_of_repo: Path) -> None:
    """Below the first commit there is the empty tree."""
    repo = RepositoryBuilder(path_of_repo)
    repo.git("commit", "-q", "--allow-empty", "-m", "Empty", **repo.as_person("jane"))
    repo.stable_tag(TAG)
    repo.commit("All of it", app_dot_py="1\n")
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", key_of("eve")), ("commit.gpgSign", "true")):
        repo.git("config", name, value)
    assert guard(repo.path, "revert", "--to", TAG, "--yes").code == 0
    assert repo.git("ls-tree", "main") == ""
