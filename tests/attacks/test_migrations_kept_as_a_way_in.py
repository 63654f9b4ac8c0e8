"""ADR 4 and kept migrations: a way back may leave migration files that production had, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.attacks.conftest import STABLE, Scene
from tests.support.builder import POLICY, SIGNED

FILE = "db/migrations/20260101000000_orders.sql"
EXPAND = "-- migrate:up\nCREATE TABLE orders (id bigint);\n-- migrate:down\nDROP TABLE orders;\n"
CHANGE = "-- migrate:up\nALTER TABLE a RENAME TO b;\n-- migrate:down\nALTER TABLE b RENAME TO a;\n"


def migrated(scene: Scene, text: str = EXPAND, *, branch: str = "release/1.4") -> Scene:
    """A branch brought a migration, and landed."""
    repo = scene.repo
    repo.git("checkout", "-q", branch)
    repo.write_file(FILE, text)
    repo.commit(f"Orders\n\n{SIGNED}", by="jane")
    repo.checkout("main")
    repo.merge(branch, by="jane", message=f"Merge {branch}\n\n{SIGNED}")
    scene.taken(branch)
    scene.taken("main")
    return scene


def back(scene: Scene, *more: tuple[str, str], of: str = FILE, source: str = "main") -> str:
    """A commit of stable's tree and one file of production's, and others, as `guard revert` words it."""
    repo = scene.repo
    env: dict[str, Any] = {"GIT_INDEX_FILE": str(repo.path / ".git" / "forged")}
    repo.git("read-tree", f"{STABLE}^{{tree}}", **env)
    entries = [(of, repo.git("rev-parse", f"{source}:{FILE}")), *more]
    for path, oid in entries:
        repo.git("update-index", "--add", "--cacheinfo", f"100644,{oid},{path}", **env)
    message = f"Keep\n\nRollback-To: {STABLE}\nRollback-From: {repo.head('main')}\n"
    return scene.commit_tree(repo.git("write-tree", **env), message, repo.head("main"))


def blob(scene: Scene, text: str) -> str:
    return scene.repo.git("hash-object", "-w", "--stdin", stdin=text.encode())


@pytest.mark.parametrize("mode", ["each", "single"])
def test_an_honest_way_back_keeps_them_and_is_audited_so(scene: Scene, mode: str) -> None:
    migrated(scene)
    done = scene.guard("revert", "--yes", "--to", STABLE, "--mode", mode, "--reason", "it broke")
    assert done.code == 0, done.err
    assert "and 1 migration file, nothing else" in done.out
    scene.taken("main")
    assert scene.on_server("diff", "--name-status", STABLE, "main") == f"A\t{FILE}"
    audit = scene.guard("audit", "main", "--since", f"{STABLE}^{{commit}}")
    assert audit.code == 0, audit.out


def test_by_hand_it_is_the_same(scene: Scene) -> None:
    migrated(scene)
    scene.taken(f"{back(scene)}:refs/heads/main")


def test_with_a_file_more(scene: Scene) -> None:
    migrated(scene)
    scene.refused(f"{back(scene, ('evil.py', blob(scene, 'evil')))}:refs/heads/main", rules=("RG101",))


def test_with_another_content(scene: Scene) -> None:
    migrated(scene)
    evil = blob(scene, EXPAND.replace("orders", "payments"))
    scene.refused(f"{back(scene, (FILE, evil))}:refs/heads/main", rules=("RG101",))


def test_with_another_name(scene: Scene) -> None:
    migrated(scene)
    other = FILE.replace("orders", "others")
    scene.refused(f"{back(scene, of=other)}:refs/heads/main", rules=("RG101",))


def test_with_a_migration_that_production_never_had(scene: Scene) -> None:
    migrated(scene)
    new = ("db/migrations/20260109000000_new.sql", blob(scene, EXPAND))
    scene.refused(f"{back(scene, new)}:refs/heads/main", rules=("RG101",))


def test_with_a_release_file_changed(scene: Scene) -> None:
    migrated(scene)
    scene.refused(f"{back(scene, ('app.py', blob(scene, 'price = 0')))}:refs/heads/main", rules=("RG101",))


def test_where_the_database_has_to_go_back(scene: Scene) -> None:
    migrated(scene, CHANGE)
    scene.refused(f"{back(scene)}:refs/heads/main", rules=("RG101",))


def test_where_the_policy_keeps_none(scene: Scene) -> None:
    scene.policy(POLICY.replace("[release]\n", "[release]\nkeep-migrations = false\n"))
    scene.repo.git("branch", "hotfix/1", "main")
    migrated(scene, branch="hotfix/1")
    honest = scene.guard("revert", "--plan", "--to", STABLE)
    assert "keep-migrations = false" in honest.out
    scene.refused(f"{back(scene)}:refs/heads/main", rules=("RG101",))


def test_without_saying_what_it_goes_back_to(scene: Scene) -> None:
    migrated(scene)
    forged = scene.repo.git("rev-parse", f"{back(scene)}^{{tree}}")
    silent = scene.commit_tree(forged, "Back", scene.repo.head("main"))
    scene.refused(f"{silent}:refs/heads/main", rules=("RG101",))
    two = f"Back\n\nRollback-To: {STABLE}\nRollback-To: stable/1.1\n"
    scene.refused(f"{scene.commit_tree(forged, two, scene.repo.head('main'))}:refs/heads/main", rules=("RG101",))


def test_by_somebody_who_may_not_release(scene: Scene) -> None:
    migrated(scene)
    tree = scene.repo.git("rev-parse", f"{back(scene)}^{{tree}}")
    message = f"Keep\n\nRollback-To: {STABLE}\nRollback-From: {scene.repo.head('main')}\n"
    commit = scene.commit_tree(tree, message, scene.repo.head("main"), by="omar")
    scene.refused(f"{commit}:refs/heads/main", rules=("RG101",))
