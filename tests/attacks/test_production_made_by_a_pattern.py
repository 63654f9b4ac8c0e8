"""RG102, RG104, RG201: a production branch that a glob names is made, at a commit that nobody approved."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import Scene
from tests.support.builder import POLICY, SIGNED

LIVE = POLICY.replace('branches = ["main"]', 'branches = ["main", "live/*"]').replace('into = "main"', 'into = "**"')
WEAK = 'version = 1\n\n[production]\nbranches = ["main", "live/*"]\n\n[[route]]\ninto = "**"\nfrom = ["**"]\n'
UNSIGNED = LIVE[: LIVE.index("[[sign-off]]")] + LIVE[LIVE.index("[release]") :]


@pytest.fixture
def live(scene: Scene) -> Scene:
    scene.policy(LIVE)
    return scene


def test_at_a_commit_that_nobody_signed(live: Scene) -> None:
    live.repo.branch("release/2")
    live.repo.commit("Unsigned", app_dot_py="price = 9\n")
    live.taken("release/2")
    live.refused("release/2:refs/heads/live/1", rules=("RG201",))


def test_at_an_older_commit_of_production(live: Scene) -> None:
    """main~1 bears no sign-offs for this, and its policy is an older one."""
    live.repo.git("branch", "release/2", "main")
    live.taken("release/2")
    live.refused("main~1:refs/heads/live/1")


def test_at_an_older_commit_that_was_signed_once(live: Scene) -> None:
    live.repo.git("branch", "release/2", "main")
    live.taken("release/2")
    live.refused("release/1.3:refs/heads/live/1")


@pytest.mark.parametrize("binding", ["change", "head"])
def test_with_a_policy_of_its_own_from_before(scene: Scene, binding: str) -> None:
    """A branch cut before the policy was tightened keeps the weak one; a merge would not, but nothing is merged."""
    repo = scene.repo
    scene.policy(WEAK)
    repo.git("branch", "release/old")
    scene.policy(LIVE.replace('proof = "trailer"', f'proof = "trailer"\nbinding = "{binding}"'))
    repo.checkout("release/old")
    repo.commit(f"Keep the weak policy\n\n{SIGNED}", app_dot_py="price = 9\n")
    scene.taken("release/old")
    scene.refused("release/old:refs/heads/live/1")


def test_with_an_older_policy_where_nobody_signs(scene: Scene) -> None:
    repo = scene.repo
    scene.policy(WEAK)
    repo.git("branch", "release/old")
    scene.policy(UNSIGNED)
    repo.checkout("release/old")
    repo.commit("Keep the weak policy", app_dot_py="price = 9\n")
    scene.taken("release/old")
    scene.refused("release/old:refs/heads/live/1")


def test_by_a_ref_that_git_takes_for_the_branch_to_be(live: Scene) -> None:
    """refs/heads/live/1 is not there, so git would take refs/refs/heads/live/1 for it: its policy, its tip."""
    repo = live.repo
    repo.branch("feature/evil")
    repo.write_file("rollback-guard.toml", WEAK)
    repo.commit("Weak", app_dot_py="price = 9\n")
    live.push("feature/evil:refs/refs/heads/live/1")
    repo.git("branch", "live/1")
    live.refused("refs/heads/live/*:refs/heads/live/*")  # a pattern, for git itself would take the other ref


@pytest.mark.parametrize("ref", ["refs/remotes/origin/main", "refs/remotes/origin/HEAD"])
def test_by_a_pushed_remote_tracking_branch(live: Scene, ref: str) -> None:
    """The server's HEAD is unborn, as `git init --bare` leaves it where branches are called otherwise."""
    repo = live.repo
    live.on_server("symbolic-ref", "HEAD", "refs/heads/trunk")
    repo.branch("feature/evil")
    repo.write_file("rollback-guard.toml", WEAK)
    repo.commit("Weak", app_dot_py="price = 9\n")
    live.push(f"feature/evil:{ref}")
    live.refused("feature/evil:refs/heads/live/1")


def test_by_a_default_branch_of_one_s_own(live: Scene) -> None:
    """main is not the server's default branch; an unprotected branch of that name is made with a policy."""
    repo = live.repo
    live.on_server("symbolic-ref", "HEAD", "refs/heads/trunk")
    repo.branch("trunk")
    repo.write_file("rollback-guard.toml", WEAK)
    repo.commit("Weak", app_dot_py="price = 9\n")
    live.push("trunk")
    live.refused("trunk:refs/heads/live/1")


def test_at_production_s_own_tip_is_taken(live: Scene) -> None:
    live.taken("main:refs/heads/live/1")
    live.repo.commit("Direct", app_dot_py="price = 9\n")
    live.refused("main:refs/heads/live/1", rules=("RG101",))
