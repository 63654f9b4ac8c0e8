"""A push as git makes it, through the native pre-push hook: every ref of it is judged, by what the remote has."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.facts.push import STDIN_LIMIT
from tests.support.builder import POLICY, SIGNED, RepositoryBuilder, shop
from tests.support.commands import Said, call_hook, guard
from tests.support.servers import NAME, Server, install_hooks, run_git

pytestmark = pytest.mark.measured

STABLE = "stable/2026.05.28.1"


class Clone:
    """A clone with native hooks beside a server without any."""

    def __init__(self, folder: Path, *, policy: str = POLICY, object_format: str = "sha1") -> None:
        self.repo = shop(folder / "clone", policy=policy, object_format=object_format)
        self.server = Server(folder / "server.git", object_format=object_format)
        self.server.takes(self.repo, "main")
        self.repo.git("remote", "add", "origin", self.server.url)
        self.repo.git("fetch", "-q")
        install_hooks(self.repo.path)

    def push(self, *args: str, **env: str) -> Said:
        return run_git(self.repo.path, "push", *(args or ("origin", "main")), **env)

    def refused(self, *args: str, rules: tuple[str, ...], code: int = 1) -> Said:
        """The push is refused for these reasons, and nothing moved."""
        before = self.server.builder.git("for-each-ref")
        said = self.push(*args)
        assert said.code == code, said.err
        assert self.server.builder.git("for-each-ref") == before
        for rule in rules:
            assert rule in said.err, said.err
        return said

    def taken(self, *args: str) -> None:
        said = self.push(*args)
        assert said.code == 0, said.err
        assert "RG" not in said.err

    def land(self, branch: str = "release/1.4", message: str = f"Merge release/1.4\n\n{SIGNED}") -> None:
        self.repo.checkout("main")
        self.repo.merge(branch, message=message)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_signed_merge(clone: Clone) -> None:
    clone.land()
    clone.taken()


def test_fast_forward_to_an_approved_branch(clone: Clone) -> None:
    clone.repo.git("branch", "-f", "main", "release/1.4")
    clone.taken()


def test_direct_commit(clone: Clone) -> None:
    clone.repo.checkout("main")
    clone.repo.commit(f"Fix\n\n{SIGNED}", app_dot_py="9\n")
    said = clone.refused("origin", "main", rules=("RG101",))
    assert "made on main itself" in said.err


def test_squash_as_the_guide_tells_it(clone: Clone) -> None:
    """On production itself the hook of a commit cannot know what is squashed; away from it, the push is judged."""
    repo = clone.repo
    repo.checkout("main")
    repo.git("merge", "-q", "--squash", "release/1.4")
    said = run_git(repo.path, "commit", "-m", f"Release 1.4\n\n{SIGNED}")
    assert said.code == 1
    assert "RG101" in said.err
    assert run_git(repo.path, "switch", "--detach").code == 0
    said = run_git(repo.path, "commit", "-m", f"Release 1.4\n\n{SIGNED}")
    assert said.code == 0, said.err
    clone.taken("origin", "HEAD:main")


def test_squash_of_an_approved_branch(clone: Clone) -> None:
    clone.repo.checkout("main")
    clone.repo.git("merge", "-q", "--squash", "release/1.4")
    clone.repo.commit("Squashed without sign-offs")
    clone.refused("origin", "main", rules=("RG201",))
    clone.repo.git("reset", "-q", "--soft", "HEAD~1")
    clone.repo.commit(f"Squashed\n\n{SIGNED}")
    clone.taken()


def test_two_merges_at_once_are_judged_one_by_one(clone: Clone) -> None:
    repo = clone.repo
    clone.land()
    repo.branch("hotfix/1")
    repo.commit("Fix", fix_dot_py="1\n")
    clone.land("hotfix/1", message="Merge hotfix/1")
    said = clone.refused("origin", "main", rules=("RG201",))
    assert "release/1.4" not in said.err
    repo.git("commit", "-q", "--amend", "--no-verify", "-m", f"Merge hotfix/1\n\n{SIGNED}")
    clone.taken()


def test_chain_that_begins_with_a_root_is_refused(clone: Clone) -> None:
    """Production as second parent of another history: no parent to begin from."""
    repo = clone.repo
    root = repo.git("commit-tree", "-m", "Root", "main^{tree}")
    again = repo.git("commit-tree", "-p", root, "-p", "main", "-m", f"Merge\n\n{SIGNED}", "main^{tree}")
    clone.refused("origin", f"{again}:refs/heads/main", rules=("RG104",))


def test_three_refs_and_a_deletion_in_one_push(clone: Clone) -> None:
    """The second is bad; none is pushed."""
    repo = clone.repo
    clone.taken("origin", "release/1.4", "release/1.4:refs/heads/topic")
    repo.checkout("main")
    repo.commit("Directly", app_dot_py="9\n")
    clone.refused("origin", "release/1.4:refs/heads/other", "main", ":topic", "main:refs/heads/third", rules=("RG101",))
    clone.refused("origin", ":main", ":topic", "release/1.4:refs/heads/other", rules=("RG104",))
    clone.taken("origin", "release/1.4:refs/heads/other", ":topic", "main:refs/heads/third")


def test_force_push_and_rewind(clone: Clone) -> None:
    clone.land()
    clone.taken()
    clone.repo.git("reset", "-q", "--hard", "HEAD~1")
    clone.refused("--force", "origin", "main", rules=("RG104",))
    clone.repo.commit("Else", app_dot_py="9\n")
    clone.refused("--force", "origin", "main", rules=("RG104",))


def test_deletion(clone: Clone) -> None:
    clone.refused("origin", "--delete", "main", rules=("RG104",))


@pytest.mark.parametrize(
    "ref", ["refs/tags/main", "refs/heads/MAIN", "refs/heads/maın", "refs/heads/origin/main", "refs/heads/heads/main"]
)
def test_names_taken_for_production(ref: str, clone: Clone) -> None:
    clone.refused("origin", f"release/1.4:{ref}", rules=("RG108",))


def test_tags_and_topics_are_free(clone: Clone) -> None:
    clone.repo.git("tag", "v1")
    clone.repo.stable_tag("v2")
    clone.taken("origin", "v1", "v2", "release/1.4:refs/heads/topic")
    clone.taken("origin", ":v1", ":topic")
    assert clone.push("origin", "v2").code == 0


def test_branch_whose_name_holds_other_ends_of_line(clone: Clone) -> None:
    clone.repo.git("branch", "topic/a\u2028b")
    clone.repo.git("branch", "topic/a\u0085b")
    clone.taken("origin", "release/1.4:refs/heads/topic/c")


def test_unknown_tip_of_production_is_undetermined(clone: Clone, tmp_path: Path) -> None:
    """Somebody else pushed; without a fetch nothing can be judged, and git would refuse it as well."""
    other = RepositoryBuilder(tmp_path / "other")
    other.git("fetch", "-q", clone.server.url, "main:away")
    other.git("checkout", "-q", "away")
    other.commit("Elsewhere", app_dot_py="5\n")
    other.git("push", "-q", clone.server.url, "away:main")
    clone.land()
    said = clone.refused("origin", "main", rules=("UNDETERMINED", "git fetch --all"))
    assert "RG001" not in said.err


def test_branch_with_a_broken_policy_may_be_pushed_mended_and_deleted(clone: Clone) -> None:
    repo = clone.repo
    repo.branch("topic")
    repo.write_file("rollback-guard.toml", "version = 7\n")
    repo.commit("Break it")
    clone.taken("origin", "topic")
    repo.commit("Go on", app_dot_py="7\n")
    clone.taken("origin", "topic")
    clone.taken("origin", ":topic")


def test_repository_that_is_not_authorised(tmp_path: Path) -> None:
    clone = Clone(tmp_path, policy=POLICY.replace("[production]\n", f'[production]\nrepositories = ["{NAME}"]\n'))
    clone.land()
    clone.refused("origin", "main", rules=("RG103",))
    clone.repo.git("config", "rollback-guard.repository", NAME)
    assert "RG103" in clone.refused("origin", "main", rules=()).err, "the URL that is pushed to decides"


def test_nothing_to_push_and_nothing_known(clone: Clone) -> None:
    assert clone.push().code == 0
    folder = clone.repo.path
    assert call_hook(folder, "pre-push", "origin", "url", stdin=b"").code == 0
    said = call_hook(folder, "pre-push", stdin=b"refs/heads/a " + b"1" * 40 + b" refs/heads/a " + b"0" * 40 + b"\n")
    assert said.code == 2
    assert "name and URL" in said.err


@pytest.mark.parametrize(
    "stdin",
    [
        b"refs/heads/a\n",
        b"refs/heads/a 1 refs/heads/a 2\n",
        b"a  b c\n",
        b"refs/heads/a " + b"g" * 40 + b" refs/heads/a " + b"0" * 40,
        b"x" * (STDIN_LIMIT + 1),
    ],
)
def test_input_that_git_does_not_write(stdin: bytes, clone: Clone) -> None:
    for stage in ("pre-push", "pre-receive"):
        said = call_hook(clone.repo.path, stage, "origin", "url", stdin=stdin)
        assert said.code == 2
        assert "\x1b" not in said.err


def back(clone: Clone, *args: str) -> None:
    """A stable release, a bad one above it, and the way back as `guard revert` writes it."""
    repo = clone.repo
    clone.land()
    repo.stable_tag(STABLE)
    clone.taken()
    repo.branch("hotfix/1")
    repo.commit("Break the shop", app_dot_py="price = broken\n")
    clone.land("hotfix/1", message=f"Merge hotfix/1\n\n{SIGNED}")
    clone.taken()
    said = guard(repo.path, "revert", "--to", STABLE, "--yes", *args)
    assert said.code == 0, said.err


def test_way_back_to_a_stable_release(clone: Clone) -> None:
    back(clone)
    clone.repo.git("tag", "-d", STABLE)
    clone.refused("origin", "main", rules=("RG101", "RG201"))
    clone.repo.stable_tag(STABLE, "main~2")
    clone.taken()


def test_way_back_by_somebody_who_may_not_release(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Quinn Lee")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "quinn@acme.example")
    back(clone)
    said = clone.refused("origin", "main", rules=("RG101",))
    assert "may not release" in said.err or "RG201" in said.err


def test_way_back_with_something_slipped_in(clone: Clone) -> None:
    back(clone)
    clone.repo.git("reset", "-q", "--hard")
    clone.repo.commit("And this", other_dot_py="1\n")
    clone.refused("origin", "main", rules=("RG101",))


LIVE = POLICY.replace('branches = ["main"]', 'branches = ["main", "live/*"]').replace('into = "main"', 'into = "**"')


def test_production_branch_made_by_a_glob(tmp_path: Path) -> None:
    """Judged by main's policy and against main, never by what is pushed."""
    clone = Clone(tmp_path, policy=LIVE)
    repo = clone.repo
    repo.git("checkout", "-q", "-b", "live/1", "main")
    repo.write_file("rollback-guard.toml", 'version = 1\n[production]\nbranches = ["none"]\n')
    repo.commit("Weak", app_dot_py="price = 9\n")
    clone.refused("origin", "live/1", rules=("RG101", "RG201"))
    repo.git("reset", "-q", "--hard", "release/1.4")
    clone.taken("origin", "live/1")


def test_first_push_of_everything_is_judged_as_on_a_server(tmp_path: Path) -> None:
    repo = shop(tmp_path / "clone")
    server = Server(tmp_path / "server.git")
    install_hooks(repo.path)
    said = run_git(repo.path, "push", server.url, "main")
    assert said.code == 1
    assert "RG001" in said.err
    only = RepositoryBuilder(tmp_path / "only")
    only.write_file("rollback-guard.toml", POLICY)
    only.commit("Bring a policy")
    install_hooks(only.path)
    assert "RG" in run_git(only.path, "push", server.url, "main").err


@pytest.mark.parametrize("object_format", ["sha256"])
def test_sha256(object_format: str, tmp_path: Path) -> None:
    clone = Clone(tmp_path, object_format=object_format)
    clone.land()
    clone.taken()
    clone.repo.commit("Directly", app_dot_py="9\n")
    clone.refused("origin", "main", rules=("RG101",))


NO_PUSH = Said(0, "", "no push is under way: nothing was judged\n")


def under_pre_commit(clone: Clone, branch: str, ref: str = "HEAD", **more: str) -> Said:
    env = {
        "PRE_COMMIT_TO_REF": clone.repo.head(ref),
        "PRE_COMMIT_FROM_REF": clone.repo.head("main"),
        "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/release/1.4",
        "PRE_COMMIT_REMOTE_BRANCH": branch,
        "PRE_COMMIT_REMOTE_NAME": "origin",
        "PRE_COMMIT_REMOTE_URL": clone.server.url,
    }
    return call_hook(clone.repo.path, "pre-push", environ={**env, **more})


def test_under_pre_commit_coverage_is_partial(clone: Clone) -> None:
    for branch in ("refs/heads/main", "main"):
        said = under_pre_commit(clone, branch)
        assert said.code == 0
        assert said.err == (
            "coverage: partial (not seen: other refs of this push, deletions); the native hook sees everything\n"
        )
    clone.repo.checkout("main")
    clone.repo.commit("Directly", app_dot_py="9\n")
    said = under_pre_commit(clone, "refs/heads/main")
    assert said.code == 1
    assert "RG101" in said.err
    assert "partial" in said.err
    assert under_pre_commit(clone, "refs/heads/topic") == Said(0, "", "")
    assert under_pre_commit(clone, "") == NO_PUSH


def test_under_pre_commit_without_a_policy_anywhere(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin")
    env = {"PRE_COMMIT_TO_REF": repo.head(), "PRE_COMMIT_REMOTE_BRANCH": ""}
    assert call_hook(repo.path, "pre-push", environ=env) == NO_PUSH
    assert call_hook(repo.path, "pre-push", environ={"PRE_COMMIT": "1"}) == NO_PUSH
    env["PRE_COMMIT_REMOTE_BRANCH"] = "refs/heads/main"
    said = call_hook(repo.path, "pre-push", environ=env)
    assert said.code == 1
    assert "RG001" in said.err


def test_huge_policy_stops_a_push(tmp_path: Path) -> None:
    clone = Clone(tmp_path, policy=POLICY + "#" * (1 << 19))
    clone.land()
    said = clone.push()
    assert said.code == 1
    assert "too large" in said.err or "more than" in said.err or "invalid" in said.err


def test_production_is_moved_to_commits_only(clone: Clone) -> None:
    """git itself would refuse a tag's object there, but only after the hook."""
    clone.repo.stable_tag(STABLE)
    tag, old = clone.repo.git("rev-parse", f"refs/tags/{STABLE}"), clone.repo.head("main")
    for new in (tag, "1" * 40):
        line = f"HEAD {new} refs/heads/main {old}\n".encode()
        said = call_hook(clone.repo.path, "pre-push", "origin", "url", stdin=line)
        assert said.code in (1, 4)
        assert "no commit" in said.err
