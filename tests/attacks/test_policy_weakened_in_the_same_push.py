"""RG001, RG002: the change that is judged brings, alters, hides or breaks the rules that judge it."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import Scene
from tests.support.builder import POLICY, SIGNED

WEAK = (
    'version = 1\n\n[production]\nbranches = ["main"]\n\n[[route]]\ninto = "main"\nfrom = ["release/*", "hotfix/*"]\n'
)
WITHOUT_QA = POLICY.replace('[[sign-off]]\nrole = "qa"\ntrailer = "QA-by"\nby = ["@qa"]\nproof = "trailer"\n', "")
WITH_ONESELF = POLICY.replace('qa = ["quinn"]', 'qa = ["quinn", "omar"]')
NOT_PRODUCTION = POLICY.replace('branches = ["main"]', 'branches = ["somewhere-else"]')
ANY_ROUTE = POLICY.replace('["release/*", "hotfix/*"]', '["**"]')
REVIEW_AND_UAT = SIGNED.replace("QA-by: Quinn Lee <quinn@acme.example>\n", "")


def bring(scene: Scene, text: str, message: str = f"Change\n\n{REVIEW_AND_UAT}") -> None:
    scene.repo.checkout("release/1.4")
    scene.repo.write_file("rollback-guard.toml", text)
    scene.repo.commit(message, by="jane", app_dot_py="price = 9\n")
    scene.taken("release/1.4")


@pytest.mark.parametrize("text", [WITHOUT_QA, WEAK, NOT_PRODUCTION, ANY_ROUTE], ids=["role", "all", "branch", "route"])
def test_policy_asks_for_less_after_the_push(scene: Scene, text: str) -> None:
    bring(scene, text)
    scene.refused("release/1.4:main", rules=("RG201", "RG002"))


def test_adds_oneself_to_a_team(scene: Scene) -> None:
    bring(scene, WITH_ONESELF, f"Change\n\n{REVIEW_AND_UAT}QA-by: Omar Haddad <omar@acme.example>\n")
    scene.refused("release/1.4:main", rules=("RG203", "RG002"))


def test_adds_an_address_of_a_stranger_to_a_person(scene: Scene) -> None:
    text = POLICY.replace('"quinn@acme.example"', '"quinn@acme.example", "eve@elsewhere.example"')
    bring(scene, text, f"Change\n\n{REVIEW_AND_UAT}QA-by: Eve <eve@elsewhere.example>\n")
    scene.refused("release/1.4:main", rules=("RG203", "RG002"))


def test_two_people_of_one_address(scene: Scene) -> None:
    """One address under two people would make the author somebody else."""
    text = POLICY.replace('emails = ["uma@acme.example"]', 'emails = ["uma@acme.example", "jane@acme.example"]')
    bring(scene, text, f"Change\n\n{SIGNED}")
    scene.refused("release/1.4:main", rules=("RG002",))


def test_weakened_in_one_push_with_the_merge_that_needs_it(scene: Scene) -> None:
    """Two merges in one push: the second may not be judged by what the first brought without approval."""
    repo = scene.repo
    bring(scene, WITHOUT_QA, f"Change\n\n{REVIEW_AND_UAT}")
    repo.git("checkout", "-q", "-b", "hotfix/1", "main")
    repo.commit(f"Fix\n\n{REVIEW_AND_UAT}", fix_dot_py="fix\n")
    scene.taken("hotfix/1")
    repo.checkout("main")
    repo.merge("release/1.4")
    repo.merge("hotfix/1")
    scene.refused("main", rules=("RG201", "RG002"))


def test_hardened_policy_holds_for_the_next_landing_of_the_same_push(scene: Scene) -> None:
    repo = scene.repo
    more = POLICY + '\n[[sign-off]]\nrole = "security"\ntrailer = "Security-by"\nby = ["uma"]\nproof = "trailer"\n'
    scene.repo.checkout("release/1.4")
    repo.write_file("rollback-guard.toml", more)
    repo.commit(f"Ask for more\n\n{SIGNED}Security-by: Uma Patel <uma@acme.example>\n")
    scene.taken("release/1.4")
    repo.git("checkout", "-q", "-b", "hotfix/1", "main")
    repo.commit(f"Fix\n\n{SIGNED}", fix_dot_py="fix\n")
    scene.taken("hotfix/1")
    repo.checkout("main")
    repo.merge("release/1.4")
    repo.merge("hotfix/1", message=f"Merge hotfix/1\n\n{SIGNED}")
    scene.refused("main", rules=("RG201",))


def _signed_change(scene: Scene) -> None:
    scene.repo.git("commit", "-q", "--no-verify", "-m", f"Change\n\n{SIGNED}", **scene.repo.as_person("jane"))
    scene.taken("release/1.4")


def test_deletes_the_policy(scene: Scene) -> None:
    scene.repo.checkout("release/1.4")
    scene.repo.git("rm", "-q", "rollback-guard.toml")
    _signed_change(scene)
    scene.refused("release/1.4:main", rules=("RG002",))


def test_renames_the_policy(scene: Scene) -> None:
    scene.repo.checkout("release/1.4")
    scene.repo.git("mv", "rollback-guard.toml", "Rollback-Guard.toml")
    _signed_change(scene)
    scene.refused("release/1.4:main", rules=("RG002",))


def test_policy_becomes_a_folder(scene: Scene) -> None:
    scene.repo.checkout("release/1.4")
    scene.repo.git("mv", "-k", "rollback-guard.toml", "kept")
    (scene.repo.path / "rollback-guard.toml").mkdir()
    scene.repo.git("mv", "kept", "rollback-guard.toml/rollback-guard.toml")
    _signed_change(scene)
    scene.refused("release/1.4:main", rules=("RG002",))


def test_policy_becomes_a_link(scene: Scene) -> None:
    scene.repo.checkout("release/1.4")
    scene.repo.git("mv", "rollback-guard.toml", "kept.toml")
    (scene.repo.path / "rollback-guard.toml").symlink_to("kept.toml")
    scene.repo.git("add", "-A")
    _signed_change(scene)
    scene.refused("release/1.4:main", rules=("RG002",))


def test_policy_becomes_a_link_whose_target_is_a_policy(scene: Scene) -> None:
    """git stores a link's target as a blob; a link to nowhere named like TOML is no policy file."""
    repo = scene.repo
    repo.checkout("release/1.4")
    blob = repo.git("hash-object", "-w", "--stdin", stdin=POLICY.encode())
    repo.git("update-index", "--cacheinfo", f"120000,{blob},rollback-guard.toml")
    _signed_change(scene)
    done = scene.refused("release/1.4:main", rules=("RG002",))
    assert "rollback-guard.toml is a symbolic link" in done.err


def _on_production(scene: Scene, *entries: str) -> None:
    """Production's tip as somebody made it past the hook: entries of `git update-index --cacheinfo`."""
    for entry in entries:
        scene.repo.git("update-index", "--add", "--cacheinfo", entry)
    scene.repo.git("commit", "-q", "--no-verify", "-m", "Policy as it should not be", **scene.repo.as_person("jane"))
    scene.repo.git("reset", "-q", "--hard")
    scene.admin("main")


@pytest.mark.parametrize("kind", ["symbolic link", "submodule"])
def test_no_policy_is_read_from_a_link_or_submodule_on_production(scene: Scene, kind: str) -> None:
    """What the link's target says, or a pyproject.toml beside the submodule, judges nothing."""
    repo = scene.repo
    weak = repo.git("hash-object", "-w", "--stdin", stdin=WEAK.encode())
    beside = repo.git("hash-object", "-w", "--stdin", stdin=f"[tool.rollback-guard]\n{WEAK}".encode())
    entry = f"120000,{weak}" if kind == "symbolic link" else f"160000,{repo.head()}"
    _on_production(scene, f"{entry},rollback-guard.toml", f"100644,{beside},pyproject.toml")
    repo.git("checkout", "-q", "-b", "release/2")
    repo.commit("Unsigned", app_dot_py="price = 9\n")
    scene.push("release/2")
    done = scene.refused("release/2:main", code=2)
    assert f"rollback-guard.toml: is a {kind}" in done.err


def test_link_at_production_is_mended_by_a_change_of_that_file_alone(scene: Scene) -> None:
    repo = scene.repo
    weak = repo.git("hash-object", "-w", "--stdin", stdin=WEAK.encode())
    _on_production(scene, f"120000,{weak},rollback-guard.toml")
    repo.git("checkout", "-q", "-b", "release/2")
    (repo.path / "rollback-guard.toml").unlink()
    repo.write_file("rollback-guard.toml", POLICY)
    repo.commit(f"Mend\n\n{SIGNED}", by="jane")
    scene.taken("release/2")
    scene.taken("release/2:main")


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_pyproject_as_a_link_or_submodule_brings_no_policy(scene: Scene, mode: str) -> None:
    repo = scene.repo
    repo.git("rm", "-q", "rollback-guard.toml")
    whole = "[tool.rollback-guard]\n" + WEAK.replace("[production]", "[tool.rollback-guard.production]").replace(
        "[[route]]", "[[tool.rollback-guard.route]]"
    )
    oid = repo.head() if mode == "160000" else repo.git("hash-object", "-w", "--stdin", stdin=whole.encode())
    _on_production(scene, f"{mode},{oid},pyproject.toml")
    repo.git("checkout", "-q", "-b", "release/2")
    repo.commit("Unsigned", app_dot_py="price = 9\n")
    scene.push("release/2")
    scene.refused("release/2:main", code=1 if mode == "160000" else 2)


def test_policy_becomes_a_submodule(scene: Scene) -> None:
    repo = scene.repo
    repo.checkout("release/1.4")
    repo.git("update-index", "--cacheinfo", f"160000,{repo.head()},rollback-guard.toml")
    _signed_change(scene)
    scene.refused("release/1.4:main", rules=("RG002",))


@pytest.mark.parametrize(
    "text",
    ["version = 1\n", "[production\n", "", "x = " + "[" * 100_000, "#" * 300_000, "\ufeffversion = 1\0"],
    ids=["empty", "syntax", "nothing", "nested", "huge", "odd"],
)
def test_policy_becomes_unreadable(scene: Scene, text: str) -> None:
    bring(scene, text, f"Change\n\n{SIGNED}")
    scene.refused("release/1.4:main", rules=("RG002",))


def test_policy_moves_to_pyproject(scene: Scene) -> None:
    repo = scene.repo
    repo.checkout("release/1.4")
    repo.git("rm", "-q", "rollback-guard.toml")
    repo.write_file(
        "pyproject.toml",
        WEAK.replace("version", "[tool.rollback-guard]\nversion", 1)
        .replace("[production]", "[tool.rollback-guard.production]")
        .replace("[[route]]", "[[tool.rollback-guard.route]]"),
    )
    repo.commit(f"Move\n\n{REVIEW_AND_UAT}")
    scene.taken("release/1.4")
    scene.refused("release/1.4:main", rules=("RG201", "RG002"))


def test_second_policy_file_beside_the_first(scene: Scene) -> None:
    repo = scene.repo
    repo.checkout("release/1.4")
    repo.write_file("pyproject.toml", "[tool.rollback-guard]\nversion = 1\nproduction = {branches = ['x']}\n")
    repo.commit(f"Add\n\n{REVIEW_AND_UAT}")
    scene.taken("release/1.4")
    scene.refused("release/1.4:main", rules=("RG201",))
    repo.commit(f"Add\n\n{SIGNED}", by="jane")
    scene.taken("release/1.4")
    scene.taken("release/1.4:main")
    repo.git("checkout", "-q", "-B", "main", "release/1.4")
    repo.commit("Direct", app_dot_py="price = 9\n")
    scene.refused("main", rules=("RG101",))


def test_policy_begun_in_pyproject_is_shadowed_by_the_file_that_is_read_first(scene: Scene) -> None:
    repo = scene.repo
    whole = POLICY.replace("version", "[tool.rollback-guard]\nversion", 1)
    for table in ("production", "people", "teams", "release"):
        whole = whole.replace(f"[{table}", f"[tool.rollback-guard.{table}")
    for table in ("route", "sign-off"):
        whole = whole.replace(f"[[{table}]]", f"[[tool.rollback-guard.{table}]]")
    repo.git("rm", "-q", "rollback-guard.toml")
    repo.write_file("pyproject.toml", whole)
    repo.commit("Policy in pyproject")
    scene.admin("main")
    repo.git("checkout", "-q", "-b", "hotfix/1")
    repo.write_file("rollback-guard.toml", WEAK)
    repo.commit("Weak", app_dot_py="price = 9\n")
    scene.taken("hotfix/1")
    scene.refused("hotfix/1:main", rules=("RG201", "RG002"))


@pytest.mark.parametrize(
    "path",
    [".github/workflows/gate.yml", ".github/actions/gate/action.yml", ".pre-commit-config.yaml", ".githooks/pre-push"],
)
def test_edits_the_gate_s_workflow(scene: Scene, path: str) -> None:
    repo = scene.repo
    repo.checkout("release/1.4")
    repo.write_file(path, "on: never\n")
    repo.commit(f"Edit\n\n{REVIEW_AND_UAT}")
    scene.taken("release/1.4")
    scene.refused("release/1.4:main", rules=("RG201", "RG002"))


def test_workflow_slipped_into_the_merge(scene: Scene) -> None:
    repo = scene.repo
    repo.git("merge", "-q", "--no-commit", "--no-ff", "release/1.4")
    repo.write_file(".github/workflows/gate.yml", "on: never\n")
    repo.commit(f"Merge branch 'release/1.4'\n\n{SIGNED}")
    scene.refused("main", rules=("RG105",))


def test_first_policy_with_other_changes(scene: Scene) -> None:
    repo = scene.repo
    repo.git("checkout", "-q", "--orphan", "fresh")
    repo.git("rm", "-q", "-r", "-f", ".")
    repo.commit("Begin", app_dot_py="price = 1\n")
    scene.admin("+fresh:main")
    repo.git("checkout", "-q", "-b", "release/9")
    repo.write_file("rollback-guard.toml", WEAK)
    repo.commit("Policy and more", app_dot_py="price = 2\n")
    scene.taken("release/9")
    scene.refused("release/9:main", rules=("RG001",))


def test_policy_of_another_branch_does_not_unmake_production(scene: Scene) -> None:
    """The server's default branch is no production, and its policy names nobody: main's own still counts."""
    repo = scene.repo
    scene.on_server("symbolic-ref", "HEAD", "refs/heads/develop")
    repo.branch("develop")
    repo.write_file("rollback-guard.toml", NOT_PRODUCTION)
    repo.commit("Weak")
    scene.refused("develop", rules=("RG002",))  # what would be the default branch is judged by main's policy
    scene.admin("develop")
    repo.checkout("main")
    repo.commit("Direct", app_dot_py="price = 9\n")
    scene.refused("main", rules=("RG101",))


def test_policy_of_the_server_s_remotes_does_not_unmake_production(scene: Scene) -> None:
    repo = scene.repo
    repo.branch("develop")
    repo.write_file("rollback-guard.toml", NOT_PRODUCTION)
    repo.commit("Weak")
    scene.admin("develop:refs/remotes/origin/main", "develop:refs/remotes/origin/HEAD")
    repo.checkout("main")
    repo.commit("Direct", app_dot_py="price = 9\n")
    scene.refused("main", rules=("RG101",))
