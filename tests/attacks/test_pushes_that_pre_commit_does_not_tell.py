"""What the environment of pre-commit says, or leaves out, lets nothing onto production."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.conftest import Scene
from tests.support.commands import Said, call_hook
from tests.support.servers import install_hooks

NAMES = {
    "PRE_COMMIT": "1",
    "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/main",
    "PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main",
    "PRE_COMMIT_REMOTE_NAME": "origin",
    "PRE_COMMIT_REMOTE_URL": "https://github.com/acme/shop.git",
}


def under_pre_commit(scene: Scene, **more: str) -> Said:
    return call_hook(scene.repo.path, "pre-push", environ={**NAMES, **more})


def test_first_push_of_a_whole_history(scene: Scene) -> None:
    """A new branch of an empty remote: pre-commit names no commits."""
    scene.signed("Direct", app_dot_py="price = 9\n")
    said = under_pre_commit(scene)
    assert said.code == 1
    assert "RG001" in said.err
    assert "partial" in said.err


def test_force_push_over_a_tip_that_is_not_here(scene: Scene) -> None:
    """Unrelated history over production, which somebody else has moved on meanwhile."""
    scene.repo.git("update-ref", "refs/remotes/origin/main", "main")
    scene.repo.git("checkout", "-q", "--orphan", "other")
    scene.signed("Another shop", app_dot_py="price = 9\n")
    said = under_pre_commit(scene, PRE_COMMIT_LOCAL_BRANCH="refs/heads/other")
    assert said.code == 1
    assert "RG104" in said.err


def test_push_of_what_is_not_here(scene: Scene) -> None:
    said = under_pre_commit(scene, PRE_COMMIT_LOCAL_BRANCH="refs/heads/nowhere")
    assert said.code == 2
    assert "no such commit" in said.err


@pytest.mark.parametrize(
    "env",
    [
        {"PRE_COMMIT": "1"},
        {"PRE_COMMIT_TO_REF": "x"},
        {**NAMES, "PRE_COMMIT_REMOTE_BRANCH": "refs/heads/topic", "PRE_COMMIT_TO_REF": "HEAD"},
    ],
    ids=["alone", "to-ref", "another-branch"],
)
@pytest.mark.parametrize("shared", [False, True], ids=["installed", "shared"])
def test_variables_that_a_native_hook_did_not_get_from_pre_commit(
    scene: Scene, env: dict[str, str], shared: bool
) -> None:
    """Set by hand, or inherited where a hook pushes: git's own input is what counts."""
    scene.signed("Direct", app_dot_py="price = 9\n")
    if shared:
        scene.repo.git("config", "core.hooksPath", str(Path(__file__).parents[2] / "hooks"))
    else:
        install_hooks(scene.repo.path)
    done = scene.push("main", **env)
    assert done.code == 1
    assert "pre-push" in done.err
    assert "RG101" in done.err
