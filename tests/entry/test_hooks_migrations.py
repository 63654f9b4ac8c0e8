"""The hook of staged migrations: what it lets through, what it refuses, and what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rollback_guard.entry import hook_migrations
from rollback_guard.release.migrations.collect import FILE_LIMIT
from tests.support.architecture import ROOT
from tests.support.builder import POLICY, RepositoryBuilder
from tests.support.commands import Said, call_hook, guard

pytestmark = pytest.mark.measured

CREATE = "CREATE TABLE orders (id int PRIMARY KEY);\n"
DROP = "ALTER TABLE orders DROP COLUMN total;\n"
ADD = "ALTER TABLE orders ADD COLUMN total int;\n"
WHY = "-- guard: irreversible because the column was never written to\n"


@pytest.fixture
def repo(path_of_repo: Path) -> RepositoryBuilder:
    """A shop with one Flyway migration in production, and a branch for the next."""
    repo = RepositoryBuilder(path_of_repo)
    repo.write_file("db/V1__orders.sql", CREATE)
    repo.commit("Orders")
    repo.branch("change/next")
    return repo


def stage(repo: RepositoryBuilder, **files: str) -> None:
    for name, text in files.items():
        repo.write_file(f"db/{name}.sql", text)
    repo.git("add", "-A")


def run(repo: RepositoryBuilder, *args: str, folder: str = "") -> Said:
    return call_hook(repo.path / folder, "migrations", *args)


def test_silent_without_migrations(repo: RepositoryBuilder) -> None:
    repo.write(app_dot_py="x = 1\n")
    repo.git("add", "-A")
    assert run(repo) == Said(0, "", "")


@pytest.mark.parametrize("text", [CREATE, ADD])
def test_silent_where_the_database_can_stay_or_go_back(repo: RepositoryBuilder, text: str) -> None:
    stage(repo, V2__more=text, U2__more="DROP TABLE more;\n")
    assert run(repo) == Said(0, "", "")


def test_a_way_back_that_loses_data_is_a_note(repo: RepositoryBuilder) -> None:
    stage(repo, V2__less=DROP, U2__less=ADD)
    said = run(repo)
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("note: db/V2__less.sql: drops column orders.total, which no way back")


def test_no_way_back_is_refused_with_what_to_do(repo: RepositoryBuilder) -> None:
    stage(repo, V2__less=DROP)
    said = run(repo)
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines() == [
        "guard migrations: DENIED  1 staged migration cannot be undone",
        "db/V2__less.sql: has no way back; drops column orders.total, which no way back",
        "  brings back",
        "  → write the way back",
        "  → or say in the file why that is right: -- guard: irreversible because REASON",
    ]


def test_a_reason_in_the_file_is_enough_for_that_file(repo: RepositoryBuilder) -> None:
    stage(repo, V2__less=WHY + DROP)
    assert run(repo) == Said(0, "", "")
    stage(repo, V3__less=DROP)
    said = run(repo)
    assert said.code == 1
    assert "V3__less" in said.err
    assert "V2__less" not in said.err


def test_a_reason_must_be_staged_with_it(repo: RepositoryBuilder) -> None:
    stage(repo, V2__less=DROP)
    repo.write_file("db/V2__less.sql", WHY + DROP)
    assert run(repo).code == 1


def test_a_reason_that_is_none(repo: RepositoryBuilder) -> None:
    stage(repo, V2__less="-- guard: irreversible because \n" + DROP)
    assert run(repo).code == 1


def test_edited_after_it_may_have_run(repo: RepositoryBuilder) -> None:
    stage(repo, V1__orders=CREATE + ADD)
    said = run(repo)
    assert said.code == 1
    assert "db/V1__orders.sql: was edited after it may have run" in said.err
    assert "git restore --source=HEAD --staged -- db/V1__orders.sql" in said.err
    stage(repo, V1__orders=WHY + CREATE + ADD)
    assert run(repo) == Said(0, "", "")
    stage(repo, V1__orders=WHY + CREATE)
    assert run(repo) == Said(0, "", "")


def test_deleted_after_it_may_have_run(repo: RepositoryBuilder) -> None:
    repo.git("rm", "-q", "db/V1__orders.sql")
    said = run(repo)
    assert said.code == 1
    assert "db/V1__orders.sql: was deleted after it may have run" in said.err
    assert "→ git restore --source=HEAD --staged --worktree -- db/V1__orders.sql" in said.err
    assert run(repo, "--only").code == 1  # pre-commit names no deleted files


def test_what_is_not_in_production_yet_may_be_edited_and_deleted(repo: RepositoryBuilder) -> None:
    stage(repo, V2__more=ADD, V3__more=CREATE)
    repo.commit("More")
    stage(repo, V2__more=CREATE)
    repo.git("rm", "-q", "db/V3__more.sql")
    assert run(repo) == Said(0, "", "")
    repo.git("branch", "-f", "main", "HEAD")
    assert run(repo).code == 1


def test_production_is_what_the_policy_says(repo: RepositoryBuilder) -> None:
    stage(repo, V2__more=ADD)
    policy = POLICY.replace('branches = ["main"]', 'branches = ["live"]').replace('into = "main"', 'into = "live"')
    repo.commit("More", **{"rollback-guard_dot_toml": policy})
    stage(repo, V2__more=CREATE)
    assert run(repo).code == 1  # nothing is known of `live`
    repo.git("branch", "live", "main")
    assert run(repo).code == 0
    repo.git("branch", "-f", "live", "HEAD")
    assert run(repo).code == 1


def test_a_policy_that_cannot_be_read_does_not_stand_in_the_way(repo: RepositoryBuilder) -> None:
    repo.commit("Policy", **{"rollback-guard_dot_toml": "version = 7\n"})
    stage(repo, V1__orders=ADD)
    assert run(repo).code == 1


def test_only_the_files_that_pre_commit_names(repo: RepositoryBuilder) -> None:
    stage(repo, V2__less=DROP, V3__less=DROP)
    assert run(repo, "--only") == Said(0, "", "")
    said = run(repo, "--only", "db/V3__less.sql", "README.md")
    assert said.code == 1
    assert "V3__less" in said.err
    assert "V2__less" not in said.err
    said = run(repo, "V2__less.sql", folder="db")
    assert "db/V2__less.sql" in said.err
    assert "V3__less" not in said.err


def test_the_files_of_one_migration_are_read_even_where_one_is_named(repo: RepositoryBuilder) -> None:
    stage(repo, V2__less=DROP, U2__less=ADD)
    assert run(repo, "--only", "db/V2__less.sql").code == 0


def test_a_branch_without_commits(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    stage(repo, V1__less=DROP)
    assert run(repo).code == 1


def test_a_merge_is_asked_only_for_what_it_brings_itself(repo: RepositoryBuilder) -> None:
    stage(repo, V2__less=DROP)
    repo.commit("Less", a="1")
    repo.checkout("main")
    repo.commit("Other", a="2")
    repo.git("merge", "change/next", check=False)
    repo.write(a="3")
    repo.git("add", "-A")
    assert run(repo) == Said(0, "", "")


def test_a_bare_repository(path_of_repo: Path) -> None:
    RepositoryBuilder(path_of_repo, bare=True)
    said = call_hook(path_of_repo, "migrations")
    assert said.code == 2
    assert "bare repository" in said.err


def test_a_file_that_is_too_large_says_nothing(repo: RepositoryBuilder) -> None:
    stage(repo, V2__less=WHY + " " * FILE_LIMIT)
    said = run(repo)
    assert said.code == 1
    assert "was not read" in said.err


def test_names_and_reasons_that_attack_the_terminal(repo: RepositoryBuilder) -> None:
    stage(repo, **{"V2__\x1b[31m\n::error::x": DROP, "V3__\udcff": 'ALTER TABLE a DROP COLUMN "\x1b[2J";'})
    said = run(repo)
    assert said.code == 1
    assert "\x1b" not in said.err
    assert not any(line.lstrip().startswith("::") for line in said.err.splitlines())
    assert r"V3__\xff.sql" in said.err


def test_many_are_told_in_a_few_lines(repo: RepositoryBuilder) -> None:
    stage(repo, **{f"V{number}__less": DROP for number in range(2, 40)})
    said = run(repo)
    assert "38 staged migrations cannot be undone" in said.err
    assert "  and 30 more" in said.err
    assert len(said.err.splitlines()) < 40


def test_a_number_used_twice_is_a_note(repo: RepositoryBuilder) -> None:
    stage(repo, V1__more=CREATE)
    said = run(repo)
    assert said.code == 0
    assert said.err.startswith("note: flyway in db uses 1 for 2 migrations")


def test_json(repo: RepositoryBuilder) -> None:
    stage(repo, V2__less=WHY + DROP, V3__less=DROP)
    said = guard(repo.path, "hook", "migrations", "--format", "json", "--only", "db/V2__less.sql")
    assert said.code == 0
    assert said.json == {
        "format": "rollback-guard/migrations/1",
        "decision": "restore",
        "verdict": "irreversible",
        "migrations": [
            {
                "framework": "flyway",
                "id": "2",
                "path": "db/V2__less.sql",
                "paths": ["db/V2__less.sql"],
                "state": "added",
                "verdict": "irreversible",
                "reasons": ["has no way back", "drops column orders.total, which no way back brings back"],
                "down": False,
                "old-path": None,
            }
        ],
        "problems": [],
        "acknowledged": [{"path": "db/V2__less.sql", "reason": "the column was never written to"}],
    }
    said = guard(repo.path, "hook", "migrations", "--format", "json")
    assert (said.code, len(said.json["migrations"])) == (1, 2)
    assert guard(repo.path, "hook", "migrations").code == 1


def test_json_of_nothing(repo: RepositoryBuilder) -> None:
    said = guard(repo.path, "hook", "migrations", "--format", "json")
    assert (said.code, said.json["decision"], said.json["verdict"]) == (0, "none", None)


def test_a_closed_stderr_does_not_let_it_through(repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    stage(repo, V2__less=DROP)
    monkeypatch.chdir(repo.path)
    monkeypatch.setattr("sys.stderr", None)
    assert hook_migrations.decide_migrations([], {}) == 1


def test_a_link_to_the_folder_is_the_folder(repo: RepositoryBuilder, tmp_path: Path) -> None:
    stage(repo, V2__less=DROP)
    (tmp_path / "link").symlink_to(repo.path)
    said = call_hook(tmp_path / "link", "migrations", "--only", "db/V2__less.sql")
    assert said.code == 1


def test_git_commit_is_stopped(repo: RepositoryBuilder) -> None:
    """As a plain hook that git itself calls, with its environment and index."""
    hook = repo.path / ".git/hooks/pre-commit"
    hook.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from rollback_guard.entry.hook import run; run()' migrations\n"
    )
    hook.chmod(0o755)
    stage(repo, V2__less=DROP)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    commit = ["git", "commit", "-qm", "Less"]
    done = subprocess.run(commit, cwd=repo.path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "V2__less.sql: has no way back" in done.stderr
    stage(repo, V2__less=WHY + DROP)
    subprocess.run(commit, cwd=repo.path, env=env, check=True)


def test_the_guide_shows_what_is_really_said(path_of_repo: Path) -> None:
    guide = (ROOT / "docs/migrations.md").read_text(encoding="utf-8")
    repo = RepositoryBuilder(path_of_repo)
    create = "class CreateOrders < ActiveRecord::Migration[7.1]\n  def change\n    create_table :orders\n  end\nend\n"
    remove = "class RemoveSumFromOrders < ActiveRecord::Migration[7.1]\n  def change\n    {}\n  end\nend\n"
    first, second = (
        f"db/migrate/{name}.rb" for name in ("20261101090000_create_orders", "20261122090000_remove_sum_from_orders")
    )
    repo.write_file(first, create)
    repo.commit("Orders")
    repo.write_file(first, create.replace(":orders", ":bills"))
    repo.write_file(second, remove.format("remove_column :orders, :sum"))
    repo.git("add", "-A")
    said = run(repo)
    assert said.code == 1
    assert said.err in guide
    repo.git("checkout", "-q", "HEAD", "--", first)
    repo.write_file(second, remove.format("remove_column :orders, :sum, :integer, null: false"))
    repo.git("add", "-A")
    said = run(repo)
    assert said.code == 0
    assert f"$ guard hook migrations\n{said.err}" in guide
    assert guard(repo.path, "hook", "migrations", "--format", "json").out in guide
