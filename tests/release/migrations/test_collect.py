"""Migrations from a repository's objects: any kind of repository, only what is needed, and what cannot be had."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.errors import GitError, UsageError
from rollback_guard.git.objects import Blob, ObjectReader
from rollback_guard.git.repository import Repository, open_repository
from rollback_guard.release.migrations import collect
from rollback_guard.release.migrations.collect import collect_migrations, collect_staged_migrations
from rollback_guard.release.migrations.model import Report
from tests.release.migrations.values import ToyReader
from tests.support.builder import RepositoryBuilder
from tests.support.gits import FORMATS, Files, Link, Node, Submodule, initialise, opened, plant

EXPAND = "up expand creates table a\n"
DROP = "up destroy drops table a\n"


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "READERS", (ToyReader("rails", ".rb"), ToyReader("flyway", ".sql")))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the objects that are read."""
    names: list[str] = []
    real = ObjectReader.read

    def read(self: ObjectReader, name: str, *, limit: int = 1 << 26) -> Blob | None:
        names.append(name)
        return real(self, name, limit=limit)

    monkeypatch.setattr(ObjectReader, "read", read)
    return names


def planted(folder: Path, before: Files, after: Files, *options: str) -> tuple[Repository, str, str]:
    initialise(folder, *options)
    repository = opened(folder)
    old, new = plant(Path(repository.git_dir), Node(files=before), Node(files=after, parents=(0,)))
    return repository, old, new


def told(report: Report) -> list[tuple[str, str, str]]:
    return [(one.path, one.state, one.verdict) for one in report.migrations]


@pytest.mark.parametrize("options", [[f"--object-format={name}"] for name in FORMATS] + [["--bare"]], ids=str)
def test_any_repository(path_of_repo: Path, options: list[str]) -> None:
    before, after = {"db/1.rb": EXPAND.encode()}, {"db/1.rb": EXPAND.encode(), "db/é\n2.rb": DROP.encode()}
    repository, old, new = planted(path_of_repo, before, after, *options)
    assert told(collect_migrations(repository, old, new)) == [("db/é\n2.rb", "added", "irreversible")]
    assert told(collect_migrations(repository, f"{old}^{{tree}}", new)) == [("db/é\n2.rb", "added", "irreversible")]
    assert told(collect_migrations(repository, new, old)) == [("db/é\n2.rb", "deleted", "irreversible")]
    assert collect_migrations(repository, new, new) == Report()


def test_a_revision_that_is_not_here(path_of_repo: Path) -> None:
    repository, old, _ = planted(path_of_repo, {}, {"a": b""})
    for name in ("no/such", "--help", "a\nb"):
        with pytest.raises(UsageError, match="is no commit"):
            collect_migrations(repository, old, name)


def test_where_no_migration_changed_nothing_is_read(path_of_repo: Path, reads: list[str]) -> None:
    before = {f"db/{number}.rb": DROP.encode() for number in range(50)}
    repository, old, new = planted(path_of_repo, before, {**before, "README.md": b"x"})
    assert collect_migrations(repository, old, new) == Report()
    assert len(reads) == 2  # the two trees


def test_a_blob_is_read_once_and_other_frameworks_not_at_all(path_of_repo: Path, reads: list[str]) -> None:
    before: Files = {"db/1.rb": EXPAND.encode(), "db/2.rb": EXPAND.encode(), "db/1.sql": DROP.encode(), "x.txt": b"x"}
    repository, old, new = planted(path_of_repo, before, {**before, "db/3.rb": DROP.encode()})
    assert told(collect_migrations(repository, old, new)) == [("db/3.rb", "added", "irreversible")]
    assert len(reads) == 4


def test_a_reader_that_may_contest_a_file_is_asked_too(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The changed file is claimed by the second alone, another of its files, with the same number, by the first too."""
    monkeypatch.setattr(collect, "READERS", (ToyReader("goose", "/2.sql"), ToyReader("sql", ".sql")))
    before: Files = {"db/2.sql": EXPAND.encode()}
    repository, old, new = planted(path_of_repo, before, {**before, "db/02.sql": EXPAND.encode()})
    report = collect_migrations(repository, old, new)
    assert [(one.framework, one.path) for one in report.migrations] == [("sql", "db/02.sql")]
    assert report.problems == ()


def test_submodules_and_folders_are_no_migrations(path_of_repo: Path) -> None:
    repository, old, new = planted(path_of_repo, {"db/3.rb": b""}, {"db/1.rb/x": b"", "db/2.rb": Submodule("ab" * 20)})
    assert told(collect_migrations(repository, old, new)) == [("db/3.rb", "deleted", "irreversible")]
    assert told(collect_migrations(repository, new, old)) == [("db/3.rb", "added", "expand-only")]


def test_a_link_is_not_followed_and_what_it_leads_to_is_unknown(path_of_repo: Path) -> None:
    files: Files = {"db/1.rb": Link(b"../lib/harmless"), "lib/harmless": EXPAND.encode()}
    repository, old, new = planted(path_of_repo, {}, files)
    report = collect_migrations(repository, old, new)
    assert told(report) == [("db/1.rb", "added", "irreversible")]
    assert report.problems == ("db/1.rb is a symbolic link, which is not followed",)
    assert collect_migrations(repository, new, new) == Report()


def test_a_file_that_is_too_large_is_unknown(path_of_repo: Path) -> None:
    large = b"-" * (collect.FILE_LIMIT + 1)
    before: Files = {"db/1.rb": large, "db/4.rb": b"-" * collect.FILE_LIMIT}
    repository, old, new = planted(
        path_of_repo, before, {**before, "db/2.rb": EXPAND.encode(), "db/3.rb": large + b"-"}
    )
    report = collect_migrations(repository, old, new)
    assert told(report) == [("db/2.rb", "added", "expand-only"), ("db/3.rb", "added", "irreversible")]
    assert report.problems == ("db/3.rb was not read: it has 1,048,578 bytes; at most 1,048,576 are read",)


def test_what_no_reader_makes_anything_of_unread_is_a_migration_all_the_same(
    path_of_repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django takes a file for a migration by what is in it, so padding must not hide one."""
    monkeypatch.undo()
    large = b"#" * collect.FILE_LIMIT + b"\nclass Migration: ..."
    before: Files = {"shop/migrations/gone.py": large, "shop/migrations/edited.py": large}
    after: Files = {"shop/migrations/come.py": large, "shop/migrations/edited.py": large + b"."}
    repository, old, new = planted(path_of_repo, before, after)
    report = collect_migrations(repository, old, new)
    assert sorted((one.id, one.state, one.verdict, one.reasons) for one in report.migrations) == [
        ("come.py", "added", "irreversible", ("was not read",)),
        ("edited.py", "edited", "irreversible", ("was not read",)),
        ("gone.py", "deleted", "irreversible", ("was not read",)),
    ]
    assert collect_migrations(repository, new, new) == Report()


def test_all_files_together_may_be_too_large(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changed is read first."""
    monkeypatch.setattr(collect, "TOTAL_LIMIT", 2 * len(EXPAND) + 3)
    before: Files = {f"db/{number}.rb": f"-- {number}".encode() for number in range(9)}
    text = EXPAND.encode()
    repository, old, new = planted(path_of_repo, before, {**before, "db/95.rb": text, "db/96.rb": text + b"--"})
    report = collect_migrations(repository, old, new)
    assert told(report) == [("db/95.rb", "added", "expand-only"), ("db/96.rb", "added", "expand-only")]
    repository, old, new = planted(path_of_repo, before, {**before, "db/95.rb": text, "db/96.rb": text + b"-" * 40})
    report = collect_migrations(repository, old, new)
    assert told(report) == [("db/95.rb", "added", "expand-only"), ("db/96.rb", "added", "irreversible")]
    assert report.problems == ("db/96.rb was not read: it has 66 bytes; of all together 55 are read",)


def test_a_blob_that_is_gone(path_of_repo: Path) -> None:
    repository, old, new = planted(path_of_repo, {}, {"db/1.rb": DROP.encode()})
    oid = repository.git.text("rev-parse", f"{new}:db/1.rb")
    os.unlink(Path(repository.git_dir, "objects", oid[:2], oid[2:]))
    with pytest.raises(GitError, match=r"content of db/1\.rb, .* is missing here"):
        collect_migrations(repository, old, new)


def test_a_partial_clone_whose_remote_is_away(tmp_path: Path) -> None:
    repository, old, new = planted(tmp_path / "origin", {}, {"db/1.rb": DROP.encode()})
    repository.git.run("config", "uploadpack.allowFilter", "true")
    repository.git.run("update-ref", "refs/heads/main", new)
    initialise(tmp_path / "clone")
    clone = opened(tmp_path / "clone")
    clone.git.run("remote", "add", "origin", f"file://{tmp_path}/origin")
    clone.git.run("fetch", "-q", "--filter=blob:none", "origin", "main")
    (tmp_path / "origin").rename(tmp_path / "away")
    with pytest.raises(GitError) as failure:
        collect_migrations(clone, old, new)
    assert "--refetch" in failure.value.remedy


class TestStaged:
    """The index against the commit that is checked out."""

    @pytest.fixture
    def repo(self, path_of_repo: Path) -> RepositoryBuilder:
        return RepositoryBuilder(path_of_repo)

    def staged(self, repo: RepositoryBuilder, paths: list[str] | None = None, *production: str) -> Report:
        repo.git("add", "-A")
        repository = open_repository(str(repo.path), os.environ, hook=True)
        return collect_staged_migrations(repository, paths, production=lambda: production)

    def test_a_branch_without_commits(self, repo: RepositoryBuilder) -> None:
        repo.write(db__1_dot_rb=DROP)
        assert told(self.staged(repo)) == [("db/1.rb", "added", "irreversible")]

    def test_what_is_staged_counts_not_what_is_in_the_folder(self, repo: RepositoryBuilder) -> None:
        repo.commit("One", db__1_dot_rb=EXPAND)
        repo.write(db__2_dot_rb=DROP)
        repo.git("add", "-A")
        repo.write(db__2_dot_rb=EXPAND, db__3_dot_rb=DROP)
        repository = opened(repo.path)
        assert told(collect_staged_migrations(repository)) == [("db/2.rb", "added", "irreversible")]

    def test_nothing_is_read_without_a_staged_migration(self, repo: RepositoryBuilder, reads: list[str]) -> None:
        repo.commit("One", db__1_dot_rb=DROP)
        repo.write(readme="x")
        assert self.staged(repo, None, "refs/heads/main") == Report()
        assert reads == ["HEAD^{tree}"]

    def test_only_files_that_were_asked_about_but_all_that_is_deleted(self, repo: RepositoryBuilder) -> None:
        repo.commit("One", db__1_dot_rb=EXPAND)
        repo.write(db__2_dot_rb=DROP, db__3_dot_rb=DROP)
        (repo.path / "db/1.rb").unlink()
        assert told(self.staged(repo, ["db/3.rb"])) == [
            ("db/1.rb", "deleted", "irreversible"),
            ("db/3.rb", "added", "irreversible"),
        ]
        assert told(self.staged(repo, [])) == [("db/1.rb", "deleted", "irreversible")]

    def test_in_a_merge_only_what_no_parent_has(self, repo: RepositoryBuilder) -> None:
        repo.commit("One", a="1", db__1_dot_rb=EXPAND, db__9_dot_rb=EXPAND)
        repo.branch("other")
        repo.git("rm", "-q", "db/9.rb")
        repo.commit("Theirs", a="2", db__2_dot_rb=DROP)
        repo.checkout("main")
        repo.commit("Ours", a="3", db__3_dot_rb=DROP)
        repo.git("merge", "other", check=False)
        repo.write(a="4")
        assert self.staged(repo).migrations == ()
        repo.write(db__4_dot_rb=DROP)
        assert told(self.staged(repo)) == [("db/4.rb", "added", "irreversible")]
        repo.write(db__2_dot_rb=EXPAND)
        assert [path for path, _, _ in told(self.staged(repo))] == ["db/2.rb", "db/4.rb"]

    def test_a_merge_that_git_cannot_name(self, repo: RepositoryBuilder) -> None:
        repo.commit("One")
        repo.write(db__1_dot_rb=DROP)
        (repo.path / ".git/MERGE_HEAD").write_bytes(b"\xff")
        assert told(self.staged(repo)) == [("db/1.rb", "added", "irreversible")]

    def test_what_production_does_not_have_may_still_be_edited(self, repo: RepositoryBuilder) -> None:
        repo.commit("One", db__1_dot_rb=EXPAND)
        repo.branch("change/more")
        repo.commit("Two", db__2_dot_rb=EXPAND, db__3_dot_rb=DROP, **{"db__4\n_dot_rb": EXPAND})
        repo.write(db__1_dot_rb="", db__2_dot_rb=DROP, **{"db__4\n_dot_rb": ""})
        (repo.path / "db/3.rb").unlink()
        assert told(self.staged(repo, None, "refs/heads/gone", "refs/heads/main")) == [
            ("db/1.rb", "edited", "irreversible"),
            ("db/2.rb", "added", "irreversible"),
            ("db/4\n.rb", "edited", "irreversible"),
        ]
        assert [state for _, state, _ in told(self.staged(repo, None, "refs/heads/gone"))] == [
            "edited",
            "edited",
            "deleted",
            "edited",
        ]

    def test_a_submodule_where_a_migration_comes(self, repo: RepositoryBuilder) -> None:
        repo.commit("One")
        repo.branch("change/more")
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{'ab' * 20},db/1.rb")
        repo.git("commit", "-qm", "Submodule")
        repo.write(db__1_dot_rb=DROP)
        repo.git("rm", "-q", "--cached", "db/1.rb")
        assert told(self.staged(repo, None, "refs/heads/main")) == [("db/1.rb", "added", "irreversible")]

    def test_a_large_file_of_production(self, repo: RepositoryBuilder) -> None:
        repo.commit("One", db__1_dot_rb="-" * (collect.FILE_LIMIT + 1))
        repo.write(db__1_dot_rb=EXPAND)
        assert told(self.staged(repo, None, "refs/heads/main")) == [("db/1.rb", "edited", "irreversible")]
