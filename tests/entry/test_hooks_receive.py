"""A bare server over file:// with the native pre-receive hook: the answer that counts, given in git's quarantine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.entry.test_hooks_push import LIVE, STABLE
from tests.support.builder import POLICY, SIGNED, RepositoryBuilder, shop
from tests.support.commands import Said, guard
from tests.support.servers import NAME, Server, run_git, serving

pytestmark = pytest.mark.measured


class Scene:
    """A clone without hooks, and a guarded server."""

    def __init__(self, folder: Path, *, policy: str = POLICY, object_format: str = "sha1") -> None:
        self.repo = shop(folder / "clone", policy=policy, object_format=object_format)
        self.server = serving(self.repo, folder / "server.git", object_format=object_format)

    def push(self, *args: str) -> Said:
        return run_git(self.repo.path, "push", *(args or ("origin", "main")))

    def refused(self, *args: str, rules: tuple[str, ...]) -> Said:
        before = self.server.builder.git("for-each-ref")
        objects = self.server.builder.git("count-objects")
        said = self.push(*args)
        assert said.code == 1, said.err
        assert "pre-receive hook declined" in said.err
        assert self.server.builder.git("for-each-ref") == before
        assert self.server.builder.git("count-objects") == objects, "the quarantine was thrown away"
        for rule in rules:
            assert rule in said.err, said.err
        return said

    def taken(self, *args: str) -> None:
        said = self.push(*args)
        assert said.code == 0, said.err

    def land(self, branch: str = "release/1.4", message: str = f"Merge release/1.4\n\n{SIGNED}") -> None:
        self.repo.checkout("main")
        self.repo.merge(branch, message=message)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_branch_first_then_the_merge(object_format: str, tmp_path: Path) -> None:
    """Where a change comes from is known on the server only from what the server has."""
    scene = Scene(tmp_path, object_format=object_format)
    scene.land()
    scene.refused("origin", "main", rules=("RG102",))
    scene.refused("origin", "main", "release/1.4", rules=("RG102",))
    scene.taken("origin", "release/1.4")
    scene.taken("origin", "main")
    assert scene.server.tip() == scene.repo.head("main")


def test_fast_forward_squash_and_direct_commit(scene: Scene) -> None:
    repo = scene.repo
    scene.taken("origin", "release/1.4")
    repo.checkout("main")
    repo.git("merge", "-q", "--squash", "release/1.4")
    repo.commit("Unsigned")
    scene.refused("origin", "main", rules=("RG201",))
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.commit(f"Direct\n\n{SIGNED}", app_dot_py="4\n")
    scene.refused("origin", "main", rules=("RG101",))
    repo.git("reset", "-q", "--hard", "release/1.4")
    scene.taken()


def test_two_merges_at_once(scene: Scene) -> None:
    repo = scene.repo
    scene.land()
    repo.branch("hotfix/1")
    repo.commit("Fix", fix_dot_py="1\n")
    scene.land("hotfix/1", message="Merge hotfix/1")
    scene.taken("origin", "release/1.4", "hotfix/1")
    scene.refused("origin", "main", rules=("RG201",))
    repo.git("commit", "-q", "--amend", "-m", f"Merge hotfix/1\n\n{SIGNED}")
    scene.taken()


def test_several_refs_of_which_one_is_bad(scene: Scene) -> None:
    scene.refused("origin", "release/1.4", ":main", "release/1.4:refs/heads/other", rules=("RG104",))
    scene.refused("origin", "release/1.4", "release/1.4:refs/tags/main", rules=("RG108",))
    scene.taken("origin", "release/1.4", "release/1.4:refs/heads/other")
    scene.taken("origin", ":other")


def test_rewind(scene: Scene) -> None:
    scene.taken("origin", "release/1.4")
    scene.land()
    scene.taken()
    scene.repo.git("reset", "-q", "--hard", "HEAD~1")
    said = scene.refused("--force", "origin", "main", rules=("RG104",))
    assert "RG201" not in said.err
    assert "release/1.4" not in said.err
    scene.repo.commit("Beside", app_dot_py="price = 9\n")
    scene.refused("--force", "origin", "main", rules=("RG104", "RG201"))


def test_first_production_branch(tmp_path: Path) -> None:
    """Only the policy, hooks and workflows may begin it; other branches are free before that."""
    repo = RepositoryBuilder(tmp_path / "clone")
    server = Server(tmp_path / "server.git").guarded()
    repo.commit("Begin", app_dot_py="1\n")
    said = run_git(repo.path, "push", server.url, "main")
    assert said.code == 1
    assert "RG001" in said.err
    assert run_git(repo.path, "push", server.url, "main:topic").code == 0


def test_server_whose_default_branch_has_another_name(tmp_path: Path) -> None:
    policy = POLICY.replace('"main"', '"trunk"')
    repo = shop(tmp_path / "clone", policy=policy)
    repo.git("branch", "-m", "main", "trunk")
    server = Server(tmp_path / "server.git", branch="trunk")
    server.takes(repo, "trunk")
    server.guarded()
    assert run_git(repo.path, "push", server.url, "release/1.4").code == 0
    repo.checkout("trunk")
    repo.commit("Directly", app_dot_py="3\n")
    assert "RG101" in run_git(repo.path, "push", server.url, "trunk").err


def test_machine_s_favourite_branch_name_decides_nothing(scene: Scene) -> None:
    """init.defaultBranch of the server's owner names a branch that somebody pushes with a policy of his own."""
    repo = scene.repo
    scene.server.builder.git("config", "init.defaultBranch", "trunk")
    repo.git("checkout", "-q", "-b", "trunk", "main")
    repo.write_file("rollback-guard.toml", POLICY.replace('branches = ["main"]', 'branches = ["topic/*", "main"]'))
    repo.commit("Claim topics")
    scene.taken("origin", "trunk")
    scene.taken("origin", "trunk:refs/heads/topic/1")


def test_production_branch_made_by_a_glob(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=LIVE)
    repo = scene.repo
    scene.taken("origin", "release/1.4")
    repo.git("checkout", "-q", "-b", "work", "main")
    repo.commit("Anything", app_dot_py="price = 9\n")
    scene.refused("origin", "work:refs/heads/live/1", rules=("RG101", "RG201"))
    scene.taken("origin", "release/1.4:refs/heads/live/1")
    scene.refused("origin", ":live/1", rules=("RG104",))


def test_branch_with_a_broken_policy_is_nobody_s_business(scene: Scene) -> None:
    repo = scene.repo
    repo.branch("topic")
    repo.write_file("rollback-guard.toml", "version = 7\n")
    repo.commit("Break it")
    scene.taken("origin", "topic")
    repo.commit("Go on", app_dot_py="7\n")
    scene.taken("origin", "topic")
    scene.taken("origin", ":topic")


def test_broken_policy_of_production_can_only_be_mended(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy="version = 7\n")
    scene.refused("origin", "release/1.4:main", rules=("invalid", "rollback-guard.toml"))
    scene.taken("origin", "release/1.4")
    repo = scene.repo
    repo.commit("Go on", app_dot_py="8\n")
    scene.refused("origin", "release/1.4", rules=("invalid",))
    scene.refused("origin", ":main", rules=("invalid",))
    repo.git("checkout", "-q", "-b", "release/mend", "main")
    repo.write_file("rollback-guard.toml", POLICY)
    repo.commit("Mend the policy")
    scene.taken("origin", "release/mend")
    scene.refused("origin", "release/mend:main", rules=("RG201",))
    repo.commit(f"Sign it\n\n{SIGNED}")
    scene.taken("origin", "release/mend:refs/heads/release/mend2")
    scene.taken("origin", "release/mend:main")


def test_way_back_needs_the_tag_on_the_server(scene: Scene) -> None:
    repo = scene.repo
    scene.taken("origin", "release/1.4")
    scene.land()
    repo.stable_tag(STABLE)
    repo.branch("hotfix/1")
    repo.commit("Break it", app_dot_py="price = broken\n")
    scene.taken("origin", "hotfix/1")
    scene.land("hotfix/1", message=f"Merge hotfix/1\n\n{SIGNED}")
    scene.taken()
    assert guard(repo.path, "revert", "--to", STABLE, "--yes").code == 0
    scene.refused("origin", "main", rules=("RG101",))
    scene.refused("origin", "main", STABLE, rules=("RG101",))
    scene.taken("origin", STABLE)
    scene.taken()


def test_repository_is_what_the_server_was_told_or_where_it_lies(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=POLICY.replace("[production]\n", f'[production]\nrepositories = ["{NAME}"]\n'))
    scene.taken("origin", "release/1.4")
    scene.land()
    scene.server.builder.git("config", "--unset", "rollback-guard.repository")
    said = scene.refused("origin", "main", rules=("RG103",))
    assert "server" in said.err
    scene.server.builder.git("config", "rollback-guard.repository", NAME)
    scene.taken()


def test_hostile_names_and_messages_do_not_reach_the_terminal(scene: Scene) -> None:
    repo = scene.repo
    repo.checkout("main")
    repo.commit("\x1b[2Jgone\x07\n\n::error::x", app_dot_py="5\n")
    said = scene.refused("origin", "main", rules=("RG101",))
    assert "\x1b" not in said.err
    assert "\x07" not in said.err


def test_who_pushed_is_noted_where_the_server_is_told(scene: Scene) -> None:
    said = run_git(scene.repo.path, "push", "origin", "release/1.4", REMOTE_USER="omar")
    assert said.code == 0, said.err
    noted = (scene.server.path / "rollback-guard" / "pushed").read_text()
    brought = scene.repo.git("rev-list", "main..release/1.4").split()
    assert noted == "".join(f"{one} omar\n" for one in brought)
