"""Native hooks of a clone: what they stop, and that what goes past them is stopped by the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.conftest import Ran, Scene, ran
from tests.support.builder import SIGNED


@pytest.fixture
def client(scene: Scene) -> Scene:
    """Native client hooks here; the server has none, so that the client alone decides."""
    assert scene.guard("install").code == 0
    scene.repo.git("remote", "add", "origin", f"file://{scene.server}")
    scene.repo.git("fetch", "-q", "origin")
    (scene.server / "hooks" / "pre-receive").unlink()
    return scene


def git(scene: Scene, *args: str, **env: str) -> Ran:
    settings = {**scene.repo.as_person("jane"), **env}
    return ran("git", *args, cwd=scene.repo.path, **settings)  # type: ignore[arg-type]


def held(scene: Scene, *refspecs: str) -> Ran:
    """A push that the client's own pre-push refuses."""
    before = scene.refs()
    done = git(scene, "push", "origin", *refspecs)
    assert done.code != 0, done.err
    assert scene.refs() == before
    return done


def test_commit_on_production(client: Scene) -> None:
    tip = client.repo.head()
    for options in ((), ("--amend", "--no-edit"), ("-a",), ("--fixup=HEAD",)):
        assert git(client, "commit", "--allow-empty", "-m", "x", *options).code != 0 or "--amend" in options
    assert client.repo.head("main") == tip


def test_commit_on_production_in_another_work_tree(client: Scene, tmp_path: Path) -> None:
    client.repo.git("checkout", "-q", "release/1.4")
    client.repo.git("worktree", "add", "-q", str(tmp_path / "tree"), "main")
    done = ran("git", "commit", "--allow-empty", "-m", "x", cwd=tmp_path / "tree", **client.repo.as_person("jane"))
    assert done.code == 1
    assert "RG101" in done.err


def test_merge_of_a_feature_branch(client: Scene) -> None:
    client.repo.git("checkout", "-q", "-b", "feature/x")
    client.repo.commit("X", x_dot_py="x\n")
    client.repo.checkout("main")
    done = git(client, "merge", "--no-ff", "-m", f"Merge branch 'release/1.4'\n\n{SIGNED}", "feature/x")
    assert done.code != 0
    assert "RG102" in done.err


def test_evil_merge_in_the_making(client: Scene) -> None:
    git(client, "merge", "--no-ff", "--no-commit", "release/1.4")
    client.repo.write(app_dot_py="import evil\n")
    client.repo.git("add", "-A")
    done = git(client, "commit", "-m", f"Merge\n\n{SIGNED}")
    assert done.code == 1
    assert "RG105" in done.err


def test_octopus_in_the_making(client: Scene) -> None:
    client.repo.git("checkout", "-q", "-b", "hotfix/1")
    client.repo.commit(f"H\n\n{SIGNED}", h_dot_py="h\n")
    client.repo.git("checkout", "-q", "-b", "hotfix/2", "main")
    client.repo.commit(f"H\n\n{SIGNED}", i_dot_py="i\n")
    client.repo.checkout("main")
    done = git(client, "merge", "-m", "Octopus", "hotfix/1", "hotfix/2")
    assert done.code != 0
    assert "RG105" in done.err


@pytest.mark.parametrize("how", ["no-verify", "cherry-pick", "update-ref", "reset", "detached", "skip"])
def test_commit_past_the_hook_is_held_by_the_push(client: Scene, how: str) -> None:
    repo = client.repo
    if how == "no-verify":
        repo.commit("x", x_dot_py="x\n")
    elif how == "skip":
        repo.write(x_dot_py="x\n")
        repo.git("add", "-A")
        git(client, "commit", "--no-verify", "-m", "x", SKIP="guard-branch,guard-push")
    else:
        repo.git("checkout", "-q", "--detach")
        oid = repo.commit(f"x\n\n{SIGNED}", x_dot_py="x\n")
        if how == "cherry-pick":
            repo.checkout("main")
            git(client, "cherry-pick", oid)
        elif how == "update-ref":
            repo.git("update-ref", "refs/heads/main", oid)
        elif how == "reset":
            repo.checkout("main")
            repo.git("reset", "-q", "--hard", oid)
        else:
            held(client, "HEAD:main")
            return
    held(client, "main")


@pytest.mark.parametrize(
    "refspecs",
    [
        (":main",),
        ("+main~1:main",),
        ("release/1.4", "main:refs/heads/x", ":main"),
        ("main:refs/heads/Main",),
        ("main:refs/tags/main",),
        ("main:refs/heads/refs/heads/main",),
        ("main:refs/heads/mаin",),
        ("main:refs/heads/origin/main",),
        ("main:refs/heads/-x",),
        ("--mirror",),
        ("--prune", "refs/heads/feature/*:refs/heads/*"),
    ],
    ids=["delete", "rewind", "third", "case", "tag", "shadow", "cyrillic", "remote", "option", "mirror", "prune"],
)
def test_push_of_what_the_rules_forbid(client: Scene, refspecs: tuple[str, ...]) -> None:
    if refspecs[0] == "--mirror":
        client.repo.git("update-ref", "refs/heads/main", client.repo.head("main~1"))
    held(client, *refspecs)


def test_push_to_a_url_and_to_another_remote(client: Scene) -> None:
    client.repo.git("checkout", "-q", "--detach")
    client.repo.commit("x", x_dot_py="x\n")
    client.repo.git("remote", "rename", "origin", "up")
    before = client.refs()
    for remote in ("up", f"file://{client.server}", str(client.server)):
        assert git(client, "push", remote, "HEAD:main").code != 0
    assert client.refs() == before


@pytest.mark.parametrize(
    "env",
    [
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.worktree", "GIT_CONFIG_VALUE_0": "/"},
        {"GIT_REPLACE_REF_BASE": "refs/heads"},
        {"LC_ALL": "xx"},
        {"PYTHONPATH": ".", "PYTHONSTARTUP": "x.py"},
        {"GIT_OBJECT_DIRECTORY": ".git/objects"},
        {"GIT_DIR": ".git"},
        {"GIT_WORK_TREE": "."},
        {"GIT_EDITOR": "true"},
    ],
    ids=lambda env: next(iter(env)),
)
def test_environment_of_a_commit(client: Scene, env: dict[str, str]) -> None:
    done = git(client, "commit", "--allow-empty", "-m", "x", **env)
    assert done.code != 0
    client.repo.commit("x", x_dot_py="x\n")
    before = client.refs()
    assert git(client, "push", "origin", "main", **env).code != 0
    assert client.refs() == before


def test_gist_that_was_tampered_with_opens_no_production(client: Scene) -> None:
    """The remembered gist is a shortcut on one's own machine; what it says wrong, the server judges again."""
    folder = client.repo.path / ".git" / "rollback-guard" / "gists"
    git(client, "commit", "--allow-empty", "-m", "x")
    for file in folder.glob("*"):
        file.write_bytes(b"\xff" * 100)
    done = git(client, "commit", "--allow-empty", "-m", "x")
    assert done.code == 1
    assert "RG101" in done.err


def test_trailer_below_the_scissors(client: Scene) -> None:
    text = f"Merge\n\n# ------------------------ >8 ------------------------\n{SIGNED}"
    done = git(client, "merge", "--no-ff", "-m", text, "release/1.4")
    assert "crashed" not in done.err


def test_branch_that_shadows_head(client: Scene) -> None:
    client.repo.git("update-ref", "refs/heads/HEAD", client.repo.head("release/1.4"))
    client.repo.git("tag", "main", "release/1.4")
    done = git(client, "commit", "--allow-empty", "-m", "x")
    assert done.code == 1
