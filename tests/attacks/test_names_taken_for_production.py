"""RG108: refs that look like production, hide beside it, or change what git reads under its name."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import Scene
from tests.support.builder import POLICY


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/Main",
        "refs/heads/MAIN",
        "refs/heads/mаin",
        "refs/heads/maіn",
        "refs/heads/ｍain",
        "refs/heads/main\u200b",
        "refs/heads/\u202emain",
        "refs/heads/ma\u00adin",
        "refs/heads/main\u3164",
        "refs/heads/ma1n",
        "refs/heads/mаіn",
        "refs/tags/main",
        "refs/tags/Main",
        "refs/heads/refs/heads/main",
        "refs/heads/heads/main",
        "refs/heads/origin/main",
        "refs/tags/refs/heads/main",
        "refs/tags/heads/main",
        "refs/heads/-main",
        "refs/heads/HEAD",
        "refs/tags/HEAD",
        "refs/heads/remotes/origin/main",
        "refs/heads/𝗆𝖺𝗂𝗇",
        "refs/heads/ⅿain",
        "refs/heads/rnain",
        "refs/heads/rnа1n",
        "refs/tags/rnain",
    ],
)
def test_look_alike(scene: Scene, ref: str) -> None:
    scene.refused(f"main:{ref}", rules=("RG108",))


@pytest.mark.parametrize(
    "ref",
    [
        "refs/refs/heads/main",
        "refs/remotes/origin/main",
        "refs/remotes/origin/HEAD",
        "refs/remotes/upstream/HEAD",
        "refs/remotes/origin/release/1.4",
        "refs/remotes/x",
        "refs/remotes/heads/main",
        "refs/Heads/main",
        "refs/HEADS/main",
    ],
)
def test_name_outside_branches_and_tags_that_git_or_a_reader_takes_for_production(scene: Scene, ref: str) -> None:
    scene.refused(f"main:{ref}", rules=("RG108",))


def test_refs_of_a_remote_that_are_on_the_server_can_be_taken_away(scene: Scene) -> None:
    scene.admin("main:refs/remotes/origin/HEAD")
    scene.taken(":refs/remotes/origin/HEAD")


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/re1ease/1.4",
        "refs/heads/cleveIop",
        "refs/heads/clevelop",
        "refs/heads/1ive/svvitzerland",
        "refs/tags/STABLE/2026.5.28.1",
        "refs/tags/stab1e/2027.1.1.1",
        "refs/tags/stable/2027.l.1.1",
    ],
)
def test_name_that_reads_as_a_branch_of_a_route_or_as_a_stable_release(scene: Scene, ref: str) -> None:
    policy = POLICY.replace('["main"]', '["main", "live/*"]').replace('"hotfix/*"', '"hotfix/*", "develop"')
    scene.policy(policy)
    scene.admin("main:refs/heads/develop", "main:refs/heads/live/switzerland")
    scene.refused(f"release/1.4:{ref}", rules=("RG108",))


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/modern",
        "refs/heads/modem",
        "refs/heads/clean-up",
        "refs/heads/release/modem",
        "refs/heads/release/modern",
        "refs/tags/v1.2.3",
        "refs/tags/stable/first",
    ],
)
def test_honest_name_with_two_letters_that_look_like_one(scene: Scene, ref: str) -> None:
    scene.admin("release/1.4:refs/heads/modern", "release/1.4:refs/heads/release/modern")
    scene.taken(f"release/1.4:{ref}")


def test_replace_ref_changes_what_the_server_reads_as_production(scene: Scene) -> None:
    """No ref of production moves, and yet `git archive main` on the server gives another tree."""
    evil = scene.commit_tree(scene.repo.tree("release/1.4"), "Evil")
    scene.refused(f"{evil}:refs/replace/{scene.repo.head('main')}", rules=("RG108",))
    assert scene.on_server("rev-parse", "main^{tree}") == scene.repo.tree("main")


def test_branch_named_by_bytes_that_are_no_text(scene: Scene) -> None:
    name = b"refs/heads/ma\xffin".decode(errors="surrogateescape")
    done = scene.push(f"main:{name}")
    assert "crashed" not in done.err
    scene.repo.commit("Direct", app_dot_py="price = 9\n")
    scene.refused("main", f"main:{name}2", rules=("RG101",))


@pytest.mark.parametrize("name", ["\u001b[31m", "\u009b31m", "a\u0007b"])
def test_control_characters_in_a_branch_s_name(scene: Scene, name: str) -> None:
    done = scene.push(f"main:refs/heads/x{name}")
    assert "\x1b" not in done.err.replace(f"refs/heads/x{name}", "")
    assert done.code != 0


@pytest.mark.parametrize(
    "name", ["::error::pwned", "%0A::error::x", "<b>x</b>", "$(id)", "`id`", "'x", "x|y", "[x](http:y)", "@{-1}x"]
)
def test_production_like_name_with_markup(scene: Scene, name: str) -> None:
    """The name of a branch that is refused is shown by the hook, and by nobody executed."""
    try:
        scene.repo.git("check-ref-format", f"refs/heads/{name}")
    except AssertionError:
        pytest.skip("git itself refuses the name")
    scene.repo.commit("Direct", app_dot_py="price = 9\n")
    scene.refused("main", f"main:refs/heads/{name}", rules=("RG101",))


def test_tag_of_the_name_of_a_checked_branch(scene: Scene) -> None:
    """git takes refs/tags/release/1.4 before the branch: what is checked must be said to be it, or be the branch."""
    repo = scene.repo
    repo.git("checkout", "-q", "-b", "feature/evil", "main")
    repo.commit("Evil", app_dot_py="import evil\n")
    repo.git("tag", "release/2", "release/1.4")
    repo.git("checkout", "-q", "-b", "release/2", "feature/evil")
    done = scene.guard("check", "--into", "main", "--head", "release/2", "--source", "release/2")
    assert done.code != 0, done.out


def test_gerrit_s_refs_for(scene: Scene) -> None:
    """refs/for/main is only a name here: production does not move."""
    before = scene.on_server("rev-parse", "main")
    scene.repo.commit("Direct", app_dot_py="price = 9\n")
    scene.push("main:refs/for/main")
    assert scene.on_server("rev-parse", "main") == before


def test_tag_that_shadows_the_branch_that_is_judged(scene: Scene) -> None:
    """git takes the tag for the name; what was approved is the branch."""
    scene.repo.git("branch", "release/7", "release/1.4")
    scene.repo.git("tag", "release/7", "main")
    for args in (
        ("check", "--source", "release/7", "--head", "release/7"),
        ("check", "--base", "release/7~1"),
        ("audit", "main", "--since", "release/7"),
        ("audit", "main", "--until", "release/7"),
        ("explain", "release/7"),
        ("release", "release/7"),
        ("policy", "check", "--rev", "release/7"),
    ):
        done = scene.guard(*args)
        assert done.code == 2, args
        assert "refs/heads/release/7 and refs/tags/release/7" in done.err
    assert scene.guard("check", "--head", "refs/heads/release/7").code == 0
    assert scene.guard("check", "--source", "release/7", "--head", "refs/heads/release/7").code == 0


def test_tag_that_shadows_a_branch_of_the_remote(scene: Scene) -> None:
    scene.repo.git("remote", "add", "origin", f"file://{scene.server}")
    scene.repo.git("fetch", "-q", "origin", "release/1.4:refs/remotes/origin/release/7")
    scene.repo.git("tag", "release/7", "main")
    done = scene.guard("check", "--head", "release/7")
    assert done.code == 2
    assert "refs/remotes/origin/release/7 and refs/tags/release/7" in done.err
    scene.repo.git("tag", "origin/release/7", "main")
    done = scene.guard("check", "--head", "origin/release/7~1")
    assert done.code == 2
    assert "refs/remotes/origin/release/7 and refs/tags/origin/release/7" in done.err


@pytest.mark.parametrize("name", ["main", "HEAD", "release/1.4", "revoked/stable/2026.5.28.1"])
def test_stable_tag_of_a_name_that_means_something_else(scene: Scene, name: str) -> None:
    before = scene.repo.git("for-each-ref")
    done = scene.guard("release", "--tag", name)
    assert done.code == 1
    assert "RG108" in done.err
    assert scene.repo.git("for-each-ref") == before
