"""Migrations of a change: what has no way back, at every stage; what a revert takes back; what cannot be known."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from rollback_guard.errors import UndeterminedError
from rollback_guard.facts import migrations as migrations_module
from rollback_guard.facts import range as range_module
from rollback_guard.facts.brought import brought_by, risky_without_result
from rollback_guard.facts.model import Fact, Known, RiskyMigration, Unknown
from rollback_guard.git.process import Git
from rollback_guard.git.repository import Repository
from rollback_guard.release.migrations.collect import FILE_LIMIT, collect_migrations
from rollback_guard.release.migrations.model import Report
from tests.facts.test_facts import in_the_making, opened, proposed
from tests.support.architecture import ROOT
from tests.support.builder import RepositoryBuilder, shop

DROP = "ALTER TABLE orders DROP COLUMN note;\n"
ADD = "ALTER TABLE orders ADD COLUMN note text;\n"
LESS, MORE = "db/V2__less.sql", "db/V1__more.sql"
DROPS = "drops column orders.note, which no way back brings back"


def told(fact: Fact[tuple[RiskyMigration, ...]]) -> list[tuple[str, str, str]]:
    assert isinstance(fact, Known), fact
    return [(one.path, one.state, one.risk) for one in fact.value]


def commit(repo: RepositoryBuilder, message: str, **files: str | None) -> str:
    """A commit with these files of the folder db, by their names with `__`; None deletes one."""
    for name, text in files.items():
        path = f"db/{name}.sql"
        if text is None:
            (repo.path / path).unlink()
        else:
            repo.write_file(path, text)
    return repo.commit(message)


@pytest.fixture
def repo(path_of_repo: Path) -> RepositoryBuilder:
    """release/1.4 is checked out; main has one migration."""
    made = shop(path_of_repo)
    made.checkout("main")
    commit(made, "More", V1__more=ADD)
    made.git("branch", "-f", "release/1.4", "main")
    made.checkout("release/1.4")
    return made


def test_a_change_without_migrations_reads_none_and_imports_no_reader(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.commit("Code", src__init_dot_py="1\n", version_dot_py="2\n", docs__guide_dot_md="3\n")
    assert told(proposed(repo).irreversible) == []
    program = (
        "import os, sys\n"
        "from rollback_guard.facts.brought import brought_by\n"
        "from rollback_guard.git.repository import open_repository\n"
        "found = brought_by(open_repository(sys.argv[1], os.environ), *sys.argv[2:])\n"
        "print(found.irreversible, *sorted(name for name in sys.modules if 'migrations' in name))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(repo.path), repo.head("main"), repo.head(), repo.tree()],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = "rollback_guard.release.migrations rollback_guard.release.migrations.frameworks"
    assert done.stdout == f"Known((), source='git diff-tree') {loaded}\n"


def test_one_look_at_the_names_is_enough(repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit("Code", app_dot_py="price = 9\n")
    asked: list[str] = []
    real = Git.command

    def command(self: Git, args: Sequence[str], *, config: Sequence[str] = ()) -> list[str]:
        asked.append(args[0])
        return real(self, args, config=config)

    monkeypatch.setattr(Git, "command", command)
    assert told(proposed(repo).irreversible) == []
    assert asked.count("diff-tree") == 1


def test_what_has_no_way_back_and_what_loses_data(repo: RepositoryBuilder) -> None:
    commit(repo, "Less", V2__less=DROP)
    commit(repo, "Lossy", V3__x=DROP, U3__x=ADD)
    commit(repo, "More", V4__y="ALTER TABLE orders ADD COLUMN y int;\n")
    found = proposed(repo).irreversible
    assert told(found) == [(LESS, "added", "irreversible"), ("db/V3__x.sql", "added", "lossy")]
    assert isinstance(found, Known)
    (less, _) = found.value
    assert (less.id, less.framework, less.reasons) == ("2", "flyway", ("has no way back", DROPS))


def test_a_branch_that_is_behind_brings_only_its_own(repo: RepositoryBuilder) -> None:
    commit(repo, "Less", V2__less=DROP)
    repo.checkout("main")
    commit(repo, "Else", V3__else=DROP)
    assert told(proposed(repo, "release/1.4").irreversible) == [(LESS, "added", "irreversible")]


def test_without_a_base_all_of_it_is_brought(repo: RepositoryBuilder) -> None:
    commit(repo, "Less", V2__less=DROP)
    assert told(proposed(repo, base=None).irreversible) == [(LESS, "added", "irreversible")]


def conflict(repo: RepositoryBuilder, **files: str) -> None:
    """release/1.4 and main differ in one line; release/1.4 has these files of the folder db too."""
    repo.write_file("app.py", "price = 5\n")
    commit(repo, "Five", **files)
    repo.checkout("main")
    repo.commit("Six", app_dot_py="price = 6\n")


def test_where_nobody_knows_what_would_land_only_migrations_are_open(repo: RepositoryBuilder) -> None:
    conflict(repo)
    change = proposed(repo, "release/1.4")
    assert isinstance(change.result_tree, Unknown)
    assert told(change.irreversible) == []
    repo.checkout("release/1.4")
    commit(repo, "Less", V2__less=DROP)
    change = proposed(repo, "release/1.4")
    assert change.irreversible == change.result_tree


def test_a_merge_in_the_making_brings_what_is_staged(repo: RepositoryBuilder) -> None:
    conflict(repo, V2__less=DROP)
    repo.git("merge", "-q", "--no-commit", "release/1.4", check=False)
    repo.write_file("app.py", "price = 7\n")
    repo.git("add", "-A")
    assert told(in_the_making(repo).irreversible) == [(LESS, "added", "irreversible")]
    repo.write_file("db/V7__slipped.sql", DROP)
    repo.git("rm", "-q", "-f", LESS)
    repo.git("add", "-A")
    assert told(in_the_making(repo).irreversible) == [("db/V7__slipped.sql", "added", "irreversible")]


def test_a_merge_without_a_conflict_is_looked_at_once(repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(repo, "Less", V2__less=DROP)
    repo.checkout("main")
    repo.commit("Other", other_dot_py="1\n")
    repo.git("merge", "-q", "--no-ff", "--no-commit", "release/1.4")
    calls: list[str] = []

    def collect(repository: Repository, before: str, after: str) -> Report:
        calls.append(after)
        return collect_migrations(repository, before, after)

    monkeypatch.setattr(migrations_module, "collect_migrations", collect)
    assert told(in_the_making(repo).irreversible) == [(LESS, "added", "irreversible")]
    assert len(calls) == 1


@pytest.mark.parametrize("migrates", [False, True])
def test_a_shallow_clone_is_undetermined_where_a_migration_is_concerned(
    repo: RepositoryBuilder, tmp_path: Path, migrates: bool
) -> None:
    repo.checkout("main")
    repo.commit("Other", other_dot_py="1\n")
    repo.checkout("release/1.4")
    repo.commit("Code", app_dot_py="price = 9\n")
    if migrates:
        commit(repo, "Less", V2__less=DROP)
    cut = RepositoryBuilder(tmp_path / "cut")
    cut.git("fetch", "-q", "--depth=1", f"file://{repo.path}", "+refs/heads/*:refs/remotes/origin/*")
    found = proposed(cut, "origin/release/1.4", "origin/main").irreversible
    if migrates:
        assert isinstance(found, Unknown)
        assert found.remedy == "git fetch --unshallow"
    else:
        assert told(found) == []


def test_an_object_that_is_missing(repo: RepositoryBuilder) -> None:
    commit(repo, "Less", V2__less=DROP)
    oid = repo.git("rev-parse", f"HEAD:{LESS}")
    (repo.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    found = proposed(repo).irreversible
    assert isinstance(found, Unknown)
    assert LESS in found.reason
    assert found.remedy.startswith("git fetch")


def test_a_tree_that_is_missing(repo: RepositoryBuilder) -> None:
    repository = opened(repo)
    found = brought_by(repository, repo.head("main"), repo.head(), "0" * 40)
    assert isinstance(found.irreversible, Unknown)
    assert found.touched == found.irreversible
    gone = risky_without_result(repository, repo.head("main"), repo.head(), "0" * 40, Unknown("a conflict"))
    assert gone == found.irreversible


def test_a_git_that_makes_no_merges(repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_old(*args: object) -> None:
        raise UndeterminedError("git is too old", remedy="a newer one")

    monkeypatch.setattr(range_module, "MergeAgain", too_old)
    repo.checkout("main")
    repo.commit("Other", other_dot_py="1\n")
    repo.checkout("release/1.4")
    repo.commit("Code", app_dot_py="price = 9\n")
    assert told(proposed(repo).irreversible) == []
    commit(repo, "Less", V2__less=DROP)
    assert proposed(repo).irreversible == Unknown("git is too old")
    assert told(proposed(repo, base="main~1").irreversible) == [(LESS, "added", "irreversible")]


def test_what_was_not_read_says_why(repo: RepositoryBuilder) -> None:
    commit(repo, "Huge", V2__less=DROP + " " * FILE_LIMIT)
    (repo.path / "db" / "V3__link.sql").symlink_to("V2__less.sql")
    repo.commit("Link")
    found = proposed(repo).irreversible
    assert told(found) == [(LESS, "added", "irreversible"), ("db/V3__link.sql", "added", "irreversible")]
    assert isinstance(found, Known)
    huge, link = found.value
    assert huge.reasons[0].startswith("was not read: it has 1,048,6")
    assert "was not read" not in huge.reasons
    assert link.reasons[0] == "is a symbolic link, which is not followed"


def landed(repo: RepositoryBuilder) -> str:
    """main has merged release/1.4 with LESS, and something after it; back/1 begins there. The landing."""
    commit(repo, "Less", V2__less=DROP)
    repo.checkout("main")
    landing = repo.merge("release/1.4")
    repo.commit("Later", other_dot_py="1\n")
    repo.branch("back/1")
    return landing


def test_a_deleted_migration_has_no_way_back_but_by_a_revert_of_what_brought_it(repo: RepositoryBuilder) -> None:
    landing = landed(repo)
    repo.git("revert", "--no-edit", "-m", "1", landing, **repo.as_person("jane"))
    assert told(proposed(repo).irreversible) == [(LESS, "deleted", "taken-back")]
    repo.git("reset", "-q", "--soft", "main")
    repo.commit("Tidy up")
    assert told(proposed(repo).irreversible) == [(LESS, "deleted", "irreversible")]


def test_an_older_tree_as_a_whole_needs_no_words(repo: RepositoryBuilder) -> None:
    landing = landed(repo)
    repo.git("rm", "-q", LESS, "other.py")
    repo.commit("As it was")
    assert repo.tree() == repo.tree(f"{landing}^1")
    assert told(proposed(repo).irreversible) == [(LESS, "deleted", "taken-back")]
    repo.commit("And more", app_dot_py="price = 7\n")
    assert told(proposed(repo).irreversible) == [(LESS, "deleted", "irreversible")]


def test_several_reverts_one_after_the_other(repo: RepositoryBuilder) -> None:
    first = landed(repo)
    repo.checkout("main")
    second = commit(repo, "Edit", V2__less=DROP + DROP.replace("note", "sum"))
    third = commit(repo, "Delete", V1__more=None)
    repo.commit("Later still", other_dot_py="2\n")
    repo.branch("back/2")
    for oid in (third, second):
        repo.git("revert", "--no-edit", oid, **repo.as_person("jane"))
    # What comes again is as new as it was; what was edited is what production had.
    assert told(proposed(repo).irreversible) == [(LESS, "edited", "taken-back")]
    repo.git("revert", "--no-edit", "-m", "1", first, **repo.as_person("jane"))
    assert told(proposed(repo).irreversible) == [(LESS, "deleted", "taken-back")]


@pytest.mark.parametrize("says", ["This reverts commit {edit}.", "This reverts commit {landing}.", "Revert all of it"])
def test_a_revert_is_believed_only_as_far_as_the_files_go(repo: RepositoryBuilder, says: str) -> None:
    landing = landed(repo)
    repo.checkout("main")
    edit = commit(repo, "Edit", V2__less=DROP + "-- x\n" + DROP.replace("note", "sum"))
    repo.commit("Later still", other_dot_py="2\n")
    repo.branch("back/2")
    commit(repo, says.format(edit=edit, landing=landing), V2__less=None)
    assert told(proposed(repo).irreversible) == [(LESS, "deleted", "irreversible")]


def test_what_a_revert_names_must_be_in_production(repo: RepositoryBuilder) -> None:
    landed(repo)
    beside = commit(repo, "Beside", V2__less=None)
    commit(repo, "Again", V2__less=DROP)
    commit(repo, f"This reverts commit {repo.head()}.\nThis reverts commit {beside}.", V2__less=None)
    assert told(proposed(repo).irreversible) == [(LESS, "deleted", "irreversible")]


def test_a_revert_of_the_very_first_commit(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    root = commit(repo, "Begin", V2__less=DROP)
    repo.commit("Later", other_dot_py="1\n")
    repo.branch("back/1")
    repo.git("revert", "--no-edit", root, **repo.as_person("jane"))
    assert told(proposed(repo).irreversible) == [(LESS, "deleted", "taken-back")]


def test_only_so_many_reverts_are_followed(repo: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    landing = landed(repo)
    repo.git("revert", "--no-edit", "-m", "1", landing, **repo.as_person("jane"))
    monkeypatch.setattr(migrations_module, "REVERTS_FOLLOWED", 0)
    assert told(proposed(repo).irreversible) == [(LESS, "deleted", "irreversible")]


def test_one_that_moved_and_was_edited_says_where_it_was(repo: RepositoryBuilder) -> None:
    repo.git("mv", MORE, "db/V1__others.sql")
    repo.commit("Move")
    assert told(proposed(repo).irreversible) == []
    commit(repo, "Edit", V1__others=DROP)
    found = proposed(repo).irreversible
    assert told(found) == [("db/V1__others.sql", "edited", "irreversible")]
    assert isinstance(found, Known)
    assert found.value[0].old_path == MORE
