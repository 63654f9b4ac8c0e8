"""RG101, RG102, RG104: production is moved by something that no approved branch brought."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import STABLE, Scene
from tests.support.builder import SIGNED


def test_an_honest_merge_is_taken(scene: Scene) -> None:
    scene.repo.merge("release/1.4", by="jane")
    scene.taken("main")


def test_no_verify_direct_commit(scene: Scene) -> None:
    scene.signed("Quick fix", app_dot_py="price = 9\n")
    scene.refused("--no-verify", "main", rules=("RG101",))


def test_feature_branch_merged_under_a_fake_message(scene: Scene) -> None:
    scene.repo.branch("feature/cart")
    scene.signed("Cart", cart_dot_py="cart\n")
    scene.repo.checkout("main")
    scene.repo.merge("feature/cart", message=f"Merge pull request #1 from acme/release/1.4\n\n{SIGNED}")
    scene.refused("main", "feature/cart", rules=("RG102",))


def test_fake_merge_message_on_a_direct_commit(scene: Scene) -> None:
    scene.signed("Merge pull request #1 from acme/release/1.4", app_dot_py="price = 9\n")
    scene.refused("main", rules=("RG101",))


def test_fast_forward_to_a_feature_branch(scene: Scene) -> None:
    scene.repo.branch("feature/cart")
    scene.signed("Cart", cart_dot_py="cart\n")
    scene.taken("feature/cart")
    scene.refused("feature/cart:main", rules=("RG102",))


def test_route_branch_made_in_the_same_push(scene: Scene) -> None:
    scene.signed("Quick fix", app_dot_py="price = 9\n")
    scene.refused("main:refs/heads/release/9", "main", rules=("RG101",))


def test_second_ref_in_the_same_push(scene: Scene) -> None:
    scene.repo.branch("feature/fine")
    scene.repo.commit("Fine", fine_dot_py="fine\n")
    scene.repo.checkout("main")
    scene.repo.commit("Hidden behind it", app_dot_py="price = 9\n")
    scene.refused("feature/fine", "main", "release/1.4:refs/heads/other", rules=("RG101",))
    scene.refused("--atomic", "feature/fine", "main", rules=("RG101",))


def test_mirror_push(scene: Scene) -> None:
    scene.repo.commit("Quick fix", app_dot_py="price = 9\n")
    scene.repo.git("branch", "-D", "release/1.3")
    scene.refused("--mirror", rules=("RG101",))


def test_delete_production(scene: Scene) -> None:
    scene.on_server("symbolic-ref", "HEAD", "refs/heads/release/1.4")
    scene.refused("--delete", "main", rules=("RG104",))


def test_force_move_production(scene: Scene) -> None:
    scene.repo.git("checkout", "-q", "--detach", "main^1")
    scene.refused("--force", "HEAD:main", rules=("RG104",))
    scene.signed("Another future", app_dot_py="price = 9\n")
    scene.refused("--force", "HEAD:main", rules=("RG104",))


def test_delete_and_create_again_in_one_push(scene: Scene) -> None:
    scene.on_server("symbolic-ref", "HEAD", "refs/heads/release/1.4")
    scene.repo.git("checkout", "-q", "--detach", "main^1")
    scene.refused(":main", "HEAD:refs/heads/main2", rules=("RG104",))


def test_unrelated_history(scene: Scene) -> None:
    scene.repo.git("checkout", "-q", "--orphan", "release/9")
    scene.signed("Another beginning", app_dot_py="price = 9\n")
    scene.taken("release/9")
    scene.refused("--force", "release/9:main", rules=("RG104",))


def test_octopus_into_production(scene: Scene) -> None:
    scene.repo.git("checkout", "-q", "-b", "hotfix/a", "main")
    scene.signed("A", a_dot_py="a\n")
    scene.repo.checkout("main")
    scene.repo.merge("release/1.4", "hotfix/a", message=f"Octopus\n\n{SIGNED}", by="jane")
    scene.taken("hotfix/a")
    scene.refused("main", rules=("RG105",))


def test_octopus_inside_the_branch(scene: Scene) -> None:
    scene.repo.git("checkout", "-q", "-b", "hotfix/a", "main")
    scene.signed("A", a_dot_py="a\n")
    scene.repo.checkout("release/1.4")
    scene.repo.git("checkout", "-q", "-b", "hotfix/b", "main")
    scene.signed("B", b_dot_py="b\n")
    scene.repo.checkout("release/1.4")
    scene.repo.merge("hotfix/a", "hotfix/b", message="Octopus", by="jane")
    scene.signed("Release", version_dot_txt="2\n")
    scene.taken("release/1.4")
    scene.refused("release/1.4:main", rules=("RG105",))


def _foxtrot(scene: Scene) -> str:
    """production is merged into the release branch, and production is then moved to that merge."""
    repo = scene.repo
    repo.merge("release/1.4", by="jane")
    scene.taken("main")
    repo.git("checkout", "-q", "-b", "hotfix/2", f"{STABLE}^{{commit}}")
    scene.signed("Hotfix 2", hot_dot_py="2\n")
    repo.merge("main", message=f"Merge main\n\n{SIGNED}", by="jane")
    return repo.head()


def test_foxtrot_merge_swaps_production_s_own_chain(scene: Scene) -> None:
    """After it, what landed before is no landing any more: neither `guard audit` nor `guard revert` finds it."""
    _foxtrot(scene)
    scene.taken("hotfix/2")
    scene.refused("hotfix/2:main", rules=("RG104",))


def test_foxtrot_merge_that_no_branch_holds(scene: Scene) -> None:
    _foxtrot(scene)
    scene.taken("HEAD^1:refs/heads/hotfix/2")
    scene.taken("main:refs/heads/release/next")
    scene.refused("hotfix/2:main")


def test_foxtrot_with_an_orphan_as_first_parent(scene: Scene) -> None:
    repo = scene.repo
    root = scene.commit_tree(repo.tree("main"), f"Root\n\n{SIGNED}")
    merge = scene.commit_tree(repo.tree("main"), f"Merge\n\n{SIGNED}", root, repo.head("main"))
    scene.refused(f"{merge}:refs/heads/main", code=1)


@pytest.mark.parametrize("alias", ["master", "live", "trunk"])
def test_symbolic_ref_that_stands_for_production(scene: Scene, alias: str) -> None:
    scene.on_server("symbolic-ref", f"refs/heads/{alias}", "refs/heads/main")
    scene.repo.commit("Quick fix", app_dot_py="price = 9\n")
    scene.refused(f"main:refs/heads/{alias}", rules=("RG101",))


def test_head_is_no_way_in(scene: Scene) -> None:
    scene.repo.commit("Quick fix", app_dot_py="price = 9\n")
    before = scene.refs()
    assert scene.push("main:HEAD").code != 0
    assert scene.refs() == before
