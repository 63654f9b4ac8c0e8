"""What a way back means for the database, and the migration files that stay: to the byte, proven, said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollback_guard.errors import GitError
from rollback_guard.git.listing import changed_between
from rollback_guard.release import migrated, revert
from rollback_guard.release.migrated import IN_THE_WAY, NO_POLICY, SWITCHED_OFF, with_migrations
from rollback_guard.release.model import Mode, Plan
from tests.cli.test_revert import Guard, guard
from tests.release.stories import TAG, begun, everything, executed, land, opened, planned, quarantines
from tests.support.builder import POLICY, RepositoryBuilder, told_once

__all__ = ["guard"]
EXPAND = "-- migrate:up\nCREATE TABLE orders (id bigint);\n-- migrate:down\nDROP TABLE orders;\n"
CHANGE = "-- migrate:up\nALTER TABLE a RENAME TO b;\n-- migrate:down\nALTER TABLE b RENAME TO a;\n"
LOSSY = "-- migrate:up\nDROP TABLE old;\n-- migrate:down\nCREATE TABLE old (id int);\n"
FIRST, SECOND = "db/migrations/20260101000000_orders.sql", "db/migrations/20260102000000_more.sql"


@told_once
def shop(path: Path, *texts: str, policy: str | None = None, object_format: str = "sha1") -> RepositoryBuilder:
    """A stable release, and above it a merge that brings migrations and code."""
    repo = RepositoryBuilder(path, object_format=object_format)
    if policy is not None:
        repo.write_file("rollback-guard.toml", policy)
    repo.commit("Begin", app_dot_py="price = 1\n", db__migrations__20250101000000_first_dot_sql=EXPAND)
    repo.stable_tag(TAG)
    repo.branch("feature/orders")
    for path_, text in zip((FIRST, SECOND), texts, strict=False):
        repo.write_file(path_, text.replace("orders", Path(path_).stem))
    repo.commit("Orders", by="omar", app_dot_py="price = 2\n")
    repo.checkout("main")
    repo.merge("feature/orders")
    return repo


def plan_of(repo: RepositoryBuilder, *, keep: bool | None = True, mode: Mode = "each") -> Plan:
    plan = planned(repo, mode=mode)
    brought = changed_between(opened(repo).git, plan.stable.tree, f"{plan.tip}^{{tree}}")
    return with_migrations(opened(repo), plan, tuple(brought), keep=keep)


@pytest.mark.parametrize("mode", ["each", "single"])
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_files_of_migrations_that_stay_in_the_database(path_of_repo: Path, mode: Mode, object_format: str) -> None:
    repo = shop(path_of_repo, EXPAND, EXPAND, object_format=object_format)
    before, blobs = everything(repo), [repo.git("rev-parse", f"main:{path}") for path in (FIRST, SECOND)]
    tip = repo.head("main")
    plan = plan_of(repo, mode=mode)
    assert everything(repo) == before
    assert quarantines(repo) == []
    assert plan.migrations is not None
    assert (plan.migrations.decision, [one.path for one in plan.migrations.migrations]) == (
        "code-only",
        [FIRST, SECOND],
    )
    assert plan.keep is not None
    assert plan.keep.paths == (FIRST, SECOND)
    result = executed(repo, plan, "it broke")
    assert (result.equals_stable, result.residue) == (False, (FIRST, SECOND))
    assert repo.git("diff", "--name-status", TAG, "main").split("\n") == [f"A\t{FIRST}", f"A\t{SECOND}"]
    assert [repo.git("rev-parse", f"main:{path}") for path in (FIRST, SECOND)] == blobs
    assert repo.git("status", "--porcelain") == ""
    trailers = repo.git("log", "-1", "--format=%(trailers:only)").split("\n")
    assert trailers == [
        f"Rollback-To: {TAG}", f"Rollback-From: {tip}",
        f"Kept-Migration: {FIRST}", f"Kept-Migration: {SECOND}", "Reason: it broke",
    ]  # fmt: skip
    assert result.commits == (1 if mode == "single" else 2)
    assert opened(repo).git.run("fsck", "--strict").returncode == 0
    assert quarantines(repo) == []


@pytest.mark.parametrize(
    ("texts", "decision", "words"),
    [
        ((CHANGE,), "down-migration", "the database is migrated down first"),
        ((EXPAND, LOSSY), "restore", "the database is restored"),
    ],
)
def test_where_the_database_goes_back_the_files_do(
    path_of_repo: Path, texts: tuple[str, ...], decision: str, words: str
) -> None:
    repo = shop(path_of_repo, *texts)
    plan = plan_of(repo)
    assert plan.migrations is not None
    assert (plan.migrations.decision, plan.keep) == (decision, None)
    assert words in plan.notes[-1]
    assert executed(repo, plan).equals_stable is True


def test_the_plan_says_why_nothing_is_kept(path_of_repo: Path) -> None:
    repo = shop(path_of_repo, EXPAND)
    for keep, why in ((None, NO_POLICY), (False, SWITCHED_OFF)):
        plan = plan_of(repo, keep=keep)
        assert (plan.keep, plan.notes[-1]) == (None, why)
        assert plan.tree == plan.stable.tree


def test_something_else_lies_where_the_file_would(path_of_repo: Path) -> None:
    """At the release `db/migrations/2026` was a file, now it is a folder."""
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin", app="1", db__migrations__2026="a file")
    repo.stable_tag(TAG)
    repo.git("rm", "-q", "-r", "db")
    repo.write_file("db/migrations/2026/20260101000000_orders.sql", EXPAND)
    repo.commit("Orders")
    plan = plan_of(repo)
    assert plan.migrations is not None
    assert [one.verdict for one in plan.migrations.migrations] == ["expand-only"]
    assert (plan.keep, plan.notes[-1]) == (None, IN_THE_WAY)
    assert executed(repo, plan).equals_stable is True


def test_a_file_that_is_there_as_a_link_is_not_kept(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = shop(path_of_repo, EXPAND)
    monkeypatch.setattr(migrated, "kept_paths", lambda *_: ((FIRST, "nowhere.sql"), ""))
    assert plan_of(repo).keep is None


def test_no_migration_and_nothing_to_do(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    assert plan_of(repo).migrations is None
    land(repo, "feature/x", x="x")
    plan = plan_of(repo)
    assert plan.migrations is not None
    assert (plan.migrations.migrations, plan.keep, plan.notes) == ((), None, ())


def test_other_files_than_those_of_the_plan_are_not_kept(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = shop(path_of_repo, EXPAND)
    plan = plan_of(repo)
    before = everything(repo)
    monkeypatch.setattr(revert, "is_residue", lambda *_: False)
    with pytest.raises(GitError, match="are not those of the plan"):
        executed(repo, plan)
    assert everything(repo) == before


def test_names_that_could_be_taken_for_something_else(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    odd = 'db/migrations/20260103000000_a"b\nReason: x\udcff.sql'
    full = repo.path / odd
    full.write_text(EXPAND)
    repo.commit("Odd")
    plan = plan_of(repo)
    assert plan.keep is not None
    assert plan.keep.paths == (odd,)
    result = executed(repo, plan)
    assert result.residue == (odd,)
    assert repo.git("log", "-1", "--format=%(trailers:key=Reason)") == ""
    value = repo.git("log", "-1", "--format=%(trailers:key=Kept-Migration,valueonly)").strip()
    assert json.loads(value) == odd


def test_the_command_says_it_all(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo, EXPAND, policy=POLICY)
    text = guard(repo.path, "revert", "--plan").out
    assert f"1 migration since {TAG}: the database stays as it is\n  expand-only  {FIRST}\n" in text
    assert f"1 migration file stays, since the database keeps what came of them: {FIRST}\n" in text
    plan = guard(repo.path, "revert", "--plan", "--format", "json").json
    assert [(one["id"], one["verdict"], one["state"]) for one in plan["migrations"]] == [
        ("20260101000000", "expand-only", "added")
    ]
    assert (plan["needs-restore"], plan["kept"]) == (False, [FIRST])
    assert plan["database"] == {"decision": "code-only", "verdict": "expand-only", "problems": []}
    done = guard(repo.path, "revert", "--execute", plan["digest"], "--format", "json")
    assert done.code == 0, done.err
    assert done.json["result"]["tree-equals-stable"] is False
    assert done.json["result"]["residue"] == [FIRST]
    tip = repo.head("main")
    again = guard(repo.path, "revert", "--yes")  # nothing of it is reverted once more
    assert (again.code, repo.head("main")) == (0, tip)
    assert again.out.startswith(
        f"Nothing to revert: main has the tree of {TAG} and 1 migration file that stays already: {FIRST}\n"
    )
    repo.commit("Break something else", other_dot_py="x")
    later = guard(repo.path, "revert", "--yes", "--format", "json")
    assert (later.json["kept"], later.json["result"]["residue"]) == ([FIRST], [FIRST])


def test_the_text_of_a_way_back_with_a_restore(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo, LOSSY, policy=POLICY)
    said = guard(repo.path, "revert", "--yes")
    assert said.code == 0, said.err
    assert "the database must be restored from a backup" in said.out
    assert f"  lossy-down  {FIRST}: drops " in said.out
    assert f"is the tree of {TAG}\n" in said.out
    assert guard(shop_again(path_of_repo), "revert", "--plan", "--format", "json").json["needs-restore"] is True


def shop_again(path: Path) -> Path:
    return shop(path.parent / "another", LOSSY, policy=POLICY).path


def test_one_commit_alone(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo, CHANGE)
    plan = guard(repo.path, "revert", "--mode", "only", "main", "--plan", "--format", "json").json
    assert (plan["needs-restore"], plan["database"]["decision"]) == (False, "down-migration")
    assert "migration files go with what is undone, and nothing is done to the database" in plan["notes"]
    text = guard(repo.path, "revert", "--mode", "only", "main", "--plan").out
    assert "1 migration since these commits: the database is migrated down before" in text


def test_a_long_list_is_cut(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    for number in range(25):
        repo.write_file(f"db/migrations/202602{number + 1:02}000000_x.sql", EXPAND)
    repo.commit("Many")
    text = guard(repo.path, "revert", "--plan").out
    assert "25 migrations since" in text
    assert "  and 5 more\n" in text
