"""ADR 4: what goes back to a stable release needs no new sign-off. Everything that only looks like it does."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import STABLE, Scene
from tests.support.builder import POLICY
from tests.support.signing import key_of, public_key

NEXT = "stable/2026.5.28.2"


@pytest.fixture
def ahead(scene: Scene) -> Scene:
    """release/1.4 has landed and production is to go back to STABLE."""
    scene.repo.merge("release/1.4", by="jane")
    scene.taken("main")
    return scene


def back(scene: Scene, *, by: str = "jane", tree: str = f"{STABLE}^{{tree}}", parent: str = "main") -> str:
    return scene.commit_tree(scene.repo.git("rev-parse", tree), "Back", scene.repo.head(parent), by=by)


def test_an_honest_way_back_is_taken(ahead: Scene) -> None:
    done = ahead.guard("revert", "--yes", "--to", STABLE)
    assert done.code == 0, done.err
    ahead.taken("main")
    assert ahead.on_server("rev-parse", "main^{tree}") == ahead.repo.git("rev-parse", f"{STABLE}^{{tree}}")


def test_by_somebody_who_may_not_release(ahead: Scene) -> None:
    ahead.refused(f"{back(ahead, by='omar')}:refs/heads/main", rules=("RG101",))


def test_by_a_stranger(ahead: Scene) -> None:
    ahead.refused(f"{back(ahead, by='eve')}:refs/heads/main", rules=("RG101", "RG107"))


def test_with_the_tag_in_the_same_push(ahead: Scene) -> None:
    ahead.repo.stable_tag(NEXT, "main~1^1")
    ahead.refused(f"{back(ahead, tree='main~1^1^{tree}')}:refs/heads/main", NEXT, rules=("RG101",))


def test_to_a_tag_off_production(ahead: Scene) -> None:
    ahead.repo.branch("feature/evil")
    ahead.repo.commit("Evil", app_dot_py="price = 0\n")
    ahead.repo.stable_tag(NEXT)
    ahead.admin(NEXT)
    ahead.refused(f"{back(ahead, tree='feature/evil^{tree}')}:refs/heads/main", rules=("RG101",))


def test_to_a_lightweight_tag(ahead: Scene) -> None:
    ahead.repo.git("tag", NEXT, "main^2")
    ahead.admin(NEXT)
    ahead.refused(f"{back(ahead, tree='main^2~1^{tree}')}:refs/heads/main", rules=("RG101",))


def test_to_a_commit_of_a_branch_at_which_production_never_stood(ahead: Scene) -> None:
    """The unsigned commit below release/1.4's head is in production's history, but was never production."""
    ahead.repo.stable_tag(NEXT, "release/1.4~1")
    ahead.admin(NEXT)
    ahead.refused(f"{back(ahead, tree='release/1.4~1^{tree}')}:refs/heads/main")


def test_to_a_moved_stable_tag(ahead: Scene) -> None:
    ahead.repo.git("tag", "-d", STABLE)
    ahead.repo.stable_tag(STABLE, "release/1.4~1")
    ahead.admin(STABLE)
    ahead.refused(f"{back(ahead, tree='release/1.4~1^{tree}')}:refs/heads/main")


def test_to_a_revoked_release(ahead: Scene) -> None:
    done = ahead.guard("release", "revoke", STABLE, "--reason", "orders were lost")
    assert done.code == 0, done.err
    ahead.taken(f"refs/tags/revoked/{STABLE}")
    ahead.refused(f"{back(ahead)}:refs/heads/main", rules=("RG101",))


def test_to_a_copy_of_another_tag(ahead: Scene) -> None:
    """Inside, the tag says another name: `guard revert` calls it broken."""
    ahead.repo.git("tag", "-a", "-m", "x", "some/other", "main~1", **ahead.repo.as_person("jane"))
    ahead.admin(f"refs/tags/some/other:refs/tags/{NEXT}")
    ahead.admin(":refs/tags/" + STABLE)
    ahead.refused(f"{back(ahead, tree='main~1^{tree}')}:refs/heads/main", rules=("RG101",))


def test_to_an_unsigned_tag_where_tags_are_signed(scene: Scene) -> None:
    scene.policy(POLICY.replace("[release]", "[release]\nsigned = true"))
    repo = scene.repo
    repo.git("checkout", "-q", "-B", "release/1.4", "main")
    scene.signed("Release", app_dot_py="price = 3\n")
    scene.push("--force", "release/1.4")
    scene.taken("release/1.4:main")
    repo.stable_tag(NEXT, "main")
    scene.admin(NEXT)
    scene.refused(f"{back(scene, tree='main^{tree}', parent='release/1.4')}:refs/heads/main", rules=("RG101",))


def test_with_a_signed_release_of_an_older_policy(scene: Scene) -> None:
    """Two pushes: back to when no sign-off was asked for, and then anything."""
    key = f'keys = ["{public_key("jane")}"]\n'
    weak = POLICY.replace("[release]", "[release]\nsigned = true").replace("[people.jane]\n", f"[people.jane]\n{key}")
    weak = weak[: weak.index("[[sign-off]]")] + weak[weak.index("[release]") :]
    scene.policy(weak)
    config = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key_of('jane')}")
    scene.repo.git(*config, "tag", "-s", "-m", "x", NEXT, "main", **scene.repo.as_person("jane"))
    scene.taken(NEXT)
    scene.policy(weak + '\n[[sign-off]]\nrole = "qa"\ntrailer = "QA-by"\nby = ["quinn"]\nproof = "signature"\n')
    forged = back(scene, tree=f"{NEXT}^{{tree}}")
    scene.refused(f"{forged}:refs/heads/main", rules=("RG101", "RG002"))
    plan = scene.guard("revert", "--plan", "--to", NEXT)
    assert "note: the policy was another one then" in plan.out


def test_in_the_name_of_a_releaser_where_signatures_are_asked_for(scene: Scene) -> None:
    """The tag is signed and the policy the same; who goes back only says so."""
    keys = {one: f'keys = ["{public_key(one)}"]\n' for one in ("jane", "omar")}
    text = POLICY.replace("[release]", "[release]\nsigned = true").replace('proof = "trailer"', 'proof = "signature"')
    for one, line in keys.items():
        text = text.replace(f"[people.{one}]\n", f"[people.{one}]\n{line}")
    scene.policy(text)
    config = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key_of('jane')}")
    scene.repo.git(*config, "tag", "-s", "-m", "x", NEXT, "main", **scene.repo.as_person("jane"))
    scene.taken(NEXT)
    scene.repo.commit("Broken", app_dot_py="broken\n")
    scene.admin("main")
    said = scene.refused(f"{back(scene, tree=f'{NEXT}^{{tree}}')}:refs/heads/main", rules=("RG101",))
    assert "RG201" in said.err
    for person in ("omar", "jane"):
        scene.repo.git("config", "gpg.format", "ssh")
        scene.repo.git("config", "user.signingKey", key_of(person))
        tree = scene.repo.git("rev-parse", f"{NEXT}^{{tree}}")
        args = ("commit-tree", "-S", tree, "-p", scene.repo.head("main"), "-m", "Back")
        signed = scene.repo.git(*args, **scene.repo.as_person("jane"))
        if person == "omar":
            scene.refused(f"{signed}:refs/heads/main", rules=("RG101",))
    scene.taken(f"{signed}:refs/heads/main")
    scene.repo.commit("Broken again", app_dot_py="broken\n")
    scene.admin("+main")
    done = scene.guard("revert", "--yes", "--to", NEXT)
    assert done.code == 0, done.err
    scene.taken("main")  # the command signed it


def test_with_another_change_in_between(ahead: Scene) -> None:
    """The tip is stable's tree, but below it something landed that nobody saw; a tag makes that stable next."""
    evil = ahead.repo.commit("Evil", app_dot_py="import evil\n")
    ahead.refused(f"{back(ahead, parent=evil)}:refs/heads/main", rules=("RG101",))


def test_change_in_between_made_stable_and_gone_back_to(ahead: Scene) -> None:
    """The whole bypass: nobody signs anything, and production ends with evil's tree."""
    evil = ahead.repo.commit("Evil", app_dot_py="import evil\n")
    ahead.push(f"{back(ahead, parent=evil)}:refs/heads/main")
    tip = ahead.on_server("rev-parse", "main")
    ahead.repo.stable_tag(NEXT, evil)
    ahead.admin(NEXT)
    ahead.repo.git("update-ref", "refs/heads/here", tip)
    ahead.refused(f"{back(ahead, tree=f'{evil}^{{tree}}', parent='here')}:refs/heads/main")


def test_with_a_merge_in_between(ahead: Scene) -> None:
    repo = ahead.repo
    repo.branch("feature/evil")
    repo.commit("Evil", app_dot_py="import evil\n")
    repo.checkout("main")
    merge = repo.merge("feature/evil")
    ahead.refused(f"{back(ahead, parent=merge)}:refs/heads/main", rules=("RG102",))


def test_way_back_as_a_merge(ahead: Scene) -> None:
    tree = ahead.repo.git("rev-parse", f"{STABLE}^{{tree}}")
    merge = ahead.commit_tree(tree, "Back", ahead.repo.head("main"), ahead.repo.head("release/1.3"))
    ahead.refused(f"{merge}:refs/heads/main", rules=("RG105",))


def test_force_move_to_the_stable_commit(ahead: Scene) -> None:
    ahead.refused("--force", f"{STABLE}^{{commit}}:refs/heads/main", rules=("RG104",))


def test_way_back_takes_the_policy_along(scene: Scene) -> None:
    """The stable tree holds a weaker policy than the one in force."""
    scene.policy(POLICY + '\n[[sign-off]]\nrole = "s"\ntrailer = "Security-by"\nby = ["uma"]\nproof = "signature"\n')
    scene.refused(f"{back(scene)}:refs/heads/main", code=None)


def test_audit_sees_a_change_in_between(ahead: Scene) -> None:
    evil = ahead.repo.commit("Evil", app_dot_py="import evil\n")
    ahead.repo.git("checkout", "-q", "-B", "main", back(ahead, parent=evil))
    done = ahead.guard("audit", "main", "--since", f"{STABLE}^{{commit}}")
    assert done.code == 1
    assert "RG101" in done.out


def test_audit_is_not_fooled_by_the_words_of_a_revert(ahead: Scene) -> None:
    tip = ahead.repo.head()
    text = f'Revert "x"\n\nThis reverts commit {tip}, reversing\nchanges made to {tip}.\n\nRollback-To: {STABLE}\n'
    ahead.repo.commit(text, app_dot_py="import evil\n")
    done = ahead.guard("audit", "main", "--since", tip)
    assert done.code == 1
    assert "RG101" in done.out


def test_stable_tag_by_somebody_who_may_not_release_is_no_target(ahead: Scene) -> None:
    """[release] by = ["jane"]; a stranger's tag is newer than all others."""
    ahead.repo.clock += 86_400
    ahead.repo.stable_tag("stable/2026.6.28.1", "main~1^1", by="eve")
    done = ahead.guard("revert", "--plan", "--format", "json")
    assert '"stable/2026.6.28.1"' not in done.out


@pytest.mark.parametrize("by", ["omar", "eve"])
def test_revocation_that_was_there_before_the_gate_takes_a_way_back_and_gives_none(ahead: Scene, by: str) -> None:
    """The server took it before it asked who made it. There is one release less; nothing gets in by that."""
    repo = ahead.repo
    repo.git("tag", "-a", "-m", "never mind", f"revoked/{STABLE}", STABLE, **repo.as_person(by))
    ahead.refused(f"refs/tags/revoked/{STABLE}", rules=("RG401",))
    ahead.admin(f"refs/tags/revoked/{STABLE}")
    ahead.refused(f"{back(ahead)}:refs/heads/main", rules=("RG101",))
    assert ahead.guard("revert", "--plan", "--to", STABLE).code == 4
    listed = ahead.guard("release", "list").out
    assert f"revoked/{STABLE} says that it is revoked, but it was made by" in listed
    # Whoever put it there, an administrator takes it away, and the release is stable again.
    ahead.on_server("update-ref", "-d", f"refs/tags/revoked/{STABLE}")
    ahead.taken(f"{back(ahead)}:refs/heads/main")


@pytest.mark.parametrize("annotated", [True, False])
def test_stable_tag_that_was_there_before_the_gate_is_no_way_in(ahead: Scene, annotated: bool) -> None:
    """The tag is there. Production still does not go to it."""
    repo = ahead.repo
    how = ("-a", "-m", "x") if annotated else ()
    repo.git("tag", *how, NEXT, "main~1^1", **repo.as_person("omar"))
    ahead.admin(NEXT)
    ahead.refused(f"{back(ahead, tree='main~1^1^{tree}')}:refs/heads/main", rules=("RG101",))


@pytest.mark.parametrize("ref", [f"refs/tags/revoked/{STABLE}", f"refs/tags/{NEXT}"])
def test_tags_of_releases_are_nobody_s_to_push_where_the_administrator_hides_them(ahead: Scene, ref: str) -> None:
    """What an administrator may do besides."""
    for prefix in ("refs/tags/stable/", "refs/tags/revoked/"):
        ahead.on_server("config", "--add", "receive.hideRefs", prefix)
    before = ahead.refs()
    assert ahead.push(f"{STABLE}:{ref}").code != 0
    assert ahead.push("--force", f"main:refs/tags/{STABLE}").code != 0
    assert ahead.push(f":refs/tags/{STABLE}").code != 0
    assert ahead.refs() == before


def test_stable_tag_of_the_future_is_no_target(ahead: Scene) -> None:
    ahead.repo.clock += 10**9
    ahead.repo.stable_tag("stable/2099.1.1.1", "main~1^1", by="eve")
    done = ahead.guard("revert", "--plan", "--format", "json")
    assert '"stable/2099.1.1.1"' not in done.out


def test_release_tags_nothing_that_the_gate_refuses(ahead: Scene) -> None:
    ahead.repo.commit("Direct", app_dot_py="price = 9\n")
    assert ahead.guard("release").code == 1
    assert ahead.guard("release", "HEAD^2~1").code != 0
    ahead.repo.branch("feature/x")
    ahead.repo.commit("Feature", app_dot_py="price = 9\n")
    assert ahead.guard("release", "--branch", "feature/x").code != 0
    assert ahead.repo.git("tag", "--list") == STABLE


def test_release_by_somebody_who_may_not(ahead: Scene) -> None:
    done = ahead.guard("release", GIT_COMMITTER_EMAIL="omar@acme.example")
    assert done.code == 1
    assert ahead.repo.git("tag", "--list") == STABLE


def test_revert_ignores_a_replaced_stable_commit(ahead: Scene) -> None:
    repo = ahead.repo
    evil = ahead.commit_tree(repo.tree("release/1.4~1"), "x")
    repo.git("update-ref", f"refs/replace/{repo.head(STABLE)}", evil)
    (repo.path / ".git" / "info").mkdir(exist_ok=True)
    (repo.path / ".git" / "info" / "grafts").write_text(f"{repo.head('main')} {evil}\n")
    done = ahead.guard("revert", "--yes", "--to", STABLE)
    assert done.code == 0, done.err
    want = repo.git("--no-replace-objects", "rev-parse", f"{STABLE}^{{tree}}")
    assert repo.git("--no-replace-objects", "rev-parse", "main^{tree}") == want


@pytest.mark.parametrize("name", ["--help", "-f", "x y", "$(touch pwned)", "\x1b[31m", "a\nb", "main:main", "../x"])
def test_revert_to_an_odd_name(ahead: Scene, name: str) -> None:
    done = ahead.guard("revert", "--plan", f"--to={name}")
    assert done.code == 2
    assert "\x1b" not in done.err
    done = ahead.guard("revert", "--yes", "--to", STABLE, f"--as={name}")
    assert "\x1b" not in done.err
    assert not (ahead.repo.path / "pwned").exists()


def test_empty_commit_on_production_at_stable(scene: Scene) -> None:
    """Production has stable's tree already: nothing goes back, somebody committed on production."""
    scene.refused(f"{back(scene)}:refs/heads/main", rules=("RG101",))
