"""RG401: tags that say what production goes back to, pushed by whoever likes another answer better."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import STABLE, Scene
from tests.support.builder import POLICY
from tests.support.signing import key_of, public_key

NEXT = "stable/2026.5.28.2"
REVOKED = f"revoked/{STABLE}"


def words(text: str) -> str:
    """What the server said, in one line."""
    return " ".join(text.replace("remote: ", " ").split())


def test_an_honest_tag_and_an_honest_revocation(scene: Scene) -> None:
    scene.repo.stable_tag(NEXT, "main")
    scene.taken(NEXT)
    scene.taken(NEXT)  # again: it is there
    assert scene.guard("release", "revoke", STABLE, "--reason", "orders were lost").code == 0
    scene.taken(f"refs/tags/{REVOKED}")
    scene.repo.git("tag", "v1.4", "main")
    scene.taken("v1.4")
    scene.taken(":refs/tags/v1.4")


def test_moved(scene: Scene) -> None:
    scene.repo.git("tag", "-d", STABLE)
    scene.repo.stable_tag(STABLE, "main~1")
    said = scene.refused("--force", f"refs/tags/{STABLE}", rules=("RG401",))
    assert "would be moved from" in said.err


def test_moved_to_a_commit_without_a_tag_object(scene: Scene) -> None:
    scene.refused("--force", f"main~1:refs/tags/{STABLE}", rules=("RG401",))


def test_deleted(scene: Scene) -> None:
    said = scene.refused(f":refs/tags/{STABLE}", rules=("RG401",))
    assert f"guard release revoke {STABLE}" in said.err


def test_deleted_and_made_anew_in_two_pushes(scene: Scene) -> None:
    scene.refused("--delete", f"refs/tags/{STABLE}", rules=("RG401",))
    assert f"refs/tags/{STABLE}" in scene.refs()


def test_lightweight(scene: Scene) -> None:
    scene.refused(f"main:refs/tags/{NEXT}", rules=("RG401", "lightweight"))


def test_made_by_somebody_who_may_not(scene: Scene) -> None:
    scene.repo.stable_tag(NEXT, "main", by="omar")
    scene.refused(NEXT, rules=("RG401", "none of those that [release] by names"))


def test_made_by_a_stranger_where_everybody_may(scene: Scene) -> None:
    scene.policy(POLICY.replace('by = ["jane"]', ""))
    scene.repo.stable_tag(NEXT, "main", by="eve")
    scene.refused(NEXT, rules=("RG401", "none of the people of the policy"))


def test_copied_from_another_name(scene: Scene) -> None:
    scene.refused(f"refs/tags/{STABLE}:refs/tags/{NEXT}", rules=("RG401", "moved or copied"))


def test_of_a_commit_at_which_production_never_stood(scene: Scene) -> None:
    scene.repo.stable_tag(NEXT, "release/1.4")
    said = scene.refused(NEXT, "release/1.4", rules=("RG401",))
    assert "main itself never was at that commit" in words(said.err)
    scene.repo.git("tag", "-d", NEXT)
    scene.repo.stable_tag(NEXT, "main^2")  # in production's history, and never production
    scene.refused(NEXT, rules=("RG401",))


def test_before_production_and_with_it(scene: Scene) -> None:
    scene.repo.merge("release/1.4", by="jane")
    scene.repo.stable_tag(NEXT, "main")
    scene.refused(NEXT, rules=("RG401",))
    scene.taken(NEXT, "main")


def test_with_a_production_push_that_is_refused(scene: Scene) -> None:
    scene.repo.commit("Evil", app_dot_py="import evil\n")
    scene.repo.stable_tag(NEXT, "main")
    scene.refused(NEXT, "main", rules=("RG101",))


def test_dated_in_the_future_to_stay_the_last(scene: Scene) -> None:
    env = {**scene.repo.as_person("jane"), "GIT_COMMITTER_DATE": "@4102444800 +0000"}
    scene.repo.git("tag", "-a", "-m", "x", NEXT, "main", **env)  # type: ignore[arg-type]
    scene.refused(NEXT, rules=("RG401", "dated in the future"))


def test_without_a_signature_or_with_a_strangers(scene: Scene) -> None:
    text = POLICY.replace("[release]", "[release]\nsigned = true").replace(
        'emails = ["jane@acme.example"]', f'emails = ["jane@acme.example"]\nkeys = ["{public_key("jane")}"]'
    )
    assert public_key("jane") in text
    scene.policy(text)
    scene.repo.stable_tag(NEXT, "main")
    scene.refused(NEXT, rules=("RG401", "bears no signature"))
    for person in ("eve", "jane"):
        scene.repo.git("tag", "-d", NEXT)
        config = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key_of(person)}")
        scene.repo.git(*config, "tag", "-s", "-m", "x", NEXT, "main", **scene.repo.as_person("jane"))
        if person == "eve":
            scene.refused(NEXT, rules=("RG401", "does not verify"))
    scene.taken(NEXT)


def revocation(scene: Scene, target: str, *, by: str = "jane", stable: str = STABLE) -> str:
    """A tag that revokes, made by hand."""
    ref = f"refs/tags/revoked/{stable}"
    scene.repo.git("tag", "-a", "-f", "-m", "bad", f"revoked/{stable}", target, **scene.repo.as_person(by))
    return ref


def test_revocation_by_somebody_who_may_not(scene: Scene) -> None:
    scene.refused(revocation(scene, STABLE, by="omar"), rules=("RG401",))


def test_revocation_that_is_lightweight(scene: Scene) -> None:
    scene.refused(f"refs/tags/{STABLE}:refs/tags/{REVOKED}", rules=("RG401",))
    scene.refused(f"main:refs/tags/{REVOKED}", rules=("RG401",))


def test_revocation_of_a_commit_or_of_another_tag(scene: Scene) -> None:
    scene.refused(revocation(scene, "main"), rules=("RG401", "tag of a commit"))
    scene.repo.git("tag", "-a", "-m", "x", "other", "main", **scene.repo.as_person("jane"))
    said = scene.refused(revocation(scene, "other"), rules=("RG401",))
    assert "which is not what stable/2026.5.28.1 is here" in words(said.err)


def test_revocation_of_what_is_not_there(scene: Scene) -> None:
    scene.repo.stable_tag(NEXT, "main")
    scene.refused(revocation(scene, NEXT, stable=NEXT), rules=("RG401",))


def test_revocation_taken_back(scene: Scene) -> None:
    scene.taken(revocation(scene, STABLE))
    scene.refused(f":refs/tags/{REVOKED}", rules=("RG401", "a revocation"))


def test_damaged_tag_object(scene: Scene) -> None:
    odd = f"object {scene.repo.head('main')}\ntype commit\ntag {NEXT}\n\nno tagger\n"
    oid = scene.repo.git("hash-object", "-w", "-t", "tag", "--stdin", "--literally", stdin=odd.encode())
    scene.refused(f"{oid}:refs/tags/{NEXT}", rules=("RG401", "does not say who made it"))


@pytest.mark.parametrize("branch", ["release/1.4", "feature/own-rules"])
def test_a_policy_on_a_branch_of_ones_own_says_nothing(scene: Scene, branch: str) -> None:
    scene.repo.git("checkout", "-q", "-B", branch, "main")
    scene.repo.write_file("rollback-guard.toml", POLICY.replace('by = ["jane"]', 'by = ["omar"]'))
    scene.repo.commit("Own rules", by="omar")
    scene.repo.stable_tag(NEXT, "main", by="omar")
    scene.refused(branch, NEXT, rules=("RG401",))
