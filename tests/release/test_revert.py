"""Reverts on real repositories: the tree is stable's, history loses nothing, and messages are git's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.errors import UsageError
from tests.release.stories import TAG, begun, busy, executed, git_as, planned, quarantines, reverted
from tests.support.builder import RepositoryBuilder


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_each_reverts_every_commit_that_landed(path_of_repo: Path, object_format: str) -> None:
    repo = busy(path_of_repo, object_format=object_format)
    tip = repo.head()
    landed = repo.git("rev-list", "--first-parent", f"{TAG}..main").split()
    plan = planned(repo)
    assert [revert.commit for revert in plan.reverts] == landed
    assert [revert.mainline for revert in plan.reverts] == [1, 1, None]
    result = executed(repo, plan, "it broke")
    assert result.equals_stable
    assert repo.tree("main") == repo.tree(TAG) == result.tree
    assert repo.head("main") == result.commit
    assert repo.git("rev-list", "--count", f"{tip}..main") == str(len(landed)) == str(result.commits)
    assert repo.git("rev-list", "--merges", f"{tip}..main") == ""
    assert repo.git("merge-base", tip, "main") == tip
    assert repo.git("status", "--porcelain") == ""
    assert repo.git("fsck", "--strict") == ""
    assert quarantines(repo) == []
    assert sorted(os.listdir(repo.path)) == [".git", "app.py", "basket.py", "docs"]


def test_trees_and_messages_are_those_of_git_revert(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.commit('Revert "Something"\n\nbody', app_dot_py="price = 3\n")
    repo.commit('Revert "Revert "Something""', app_dot_py="price = 4\n")
    repo.commit("Two lines\nof subject\n\nbody", app_dot_py="price = 5\n")
    tip = repo.head()
    plan = planned(repo)
    repo.branch("oracle")
    for revert in plan.reverts:
        mainline = ["-m", str(revert.mainline)] if revert.mainline else []
        repo.git("revert", "--no-edit", *mainline, revert.commit)
    repo.checkout("main")
    executed(repo, plan, "")
    assert repo.tree("main") == repo.tree("oracle") == repo.tree(TAG)
    layout = "--format=%T%n%B"
    by_git = repo.git("log", layout, f"{tip}..oracle")
    ours = repo.git("log", layout, f"{tip}..main").replace(f"\n\nRollback-To: {TAG}", "")
    if 'Reapply "' not in by_git:  # before git 2.43 a revert of a revert was a Revert
        by_git = by_git.replace('Revert "Revert "Something""\n', 'Reapply "Something"\n')
    assert ours == by_git
    assert 'Reapply "Something"' in ours
    assert 'Revert "Revert "Revert "Something"""' in ours
    assert 'Revert "Two lines"' in ours


def test_an_octopus_is_reverted_to_its_first_parent(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    for name in ("a", "b", "c"):
        repo.git("checkout", "-q", "-b", name, "main")
        repo.commit(name, **{f"{name}_dot_py": name})
    repo.checkout("main")
    repo.commit("Between", between_dot_py="x")
    repo.write(a_dot_py="a", b_dot_py="b", c_dot_py="c")
    repo.git("add", "-A")
    parents = [word for name in ("main", "a", "b", "c") for word in ("-p", name)]
    octopus = git_as(repo, "commit-tree", "-m", "All of them", *parents, repo.git("write-tree"))
    repo.git("reset", "-q", "--hard", octopus)
    plan = planned(repo)
    assert (plan.reverts[0].commit, plan.reverts[0].mainline) == (octopus, 1)
    assert plan.reverts[0].parent == repo.head("main^1")
    assert reverted(repo).equals_stable


def test_a_revert_of_a_revert_reapplies(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    broken = repo.commit("Raise the price", app_dot_py="price = 2\n")
    reverted(repo)
    repo.stable_tag("stable/2026.11.22.2", broken)
    reverted(repo, tag="stable/2026.11.22.2")
    assert repo.git("log", "-1", "--format=%s", "main") == 'Reapply "Raise the price"'
    assert repo.tree("main") == repo.tree(broken)


def test_renames_modes_links_and_submodules_come_back_exactly(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.write_file("run.sh", "#!/bin/sh\n")
    (repo.path / "run.sh").chmod(0o755)
    (repo.path / "link").symlink_to("app.py")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head()},vendor/lib")
    (repo.path / "vendor" / "lib").mkdir(parents=True)
    repo.git("add", "run.sh", "link")
    git_as(repo, "commit", "-q", "-m", "Links and modes")
    repo.stable_tag("stable/2026.11.22.2")
    wanted = repo.git("ls-tree", "-r", "HEAD")
    repo.git("mv", "app.py", "application.py")
    (repo.path / "run.sh").chmod(0o644)
    (repo.path / "link").unlink()
    (repo.path / "link").mkdir()
    repo.write_file("link/inside.txt", "x")
    repo.git("update-index", "--cacheinfo", f"160000,{repo.head()},vendor/lib")
    repo.git("add", "-A", ":!vendor")
    git_as(repo, "commit", "-q", "-m", "Turn it all around")
    assert reverted(repo, tag="stable/2026.11.22.2").equals_stable
    assert repo.git("ls-tree", "-r", "HEAD") == wanted == repo.git("ls-tree", "-r", repo.git("write-tree"))
    assert os.readlink(repo.path / "link") == "app.py"
    assert os.access(repo.path / "run.sh", os.X_OK)


def test_an_empty_commit_is_reverted_by_an_empty_one(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.commit("Raise the price", app_dot_py="price = 2\n")
    repo.commit("Nothing")
    assert reverted(repo).commits == 2


def test_single_is_one_commit_that_names_all(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    tip = repo.head()
    plan = planned(repo, mode="single")
    result = executed(repo, plan, "why")
    assert (result.commits, result.equals_stable) == (1, True)
    assert repo.head("main^") == tip
    message = repo.git("log", "-1", "--format=%B")
    assert message.startswith(f"Revert 3 commits, back to {TAG}\n\nThis reverts commit {tip}, reversing\n")
    assert message.count("This reverts commit") == 3
    assert message.endswith(f"\n\nRollback-To: {TAG}\nReason: why")


def test_single_of_one_commit_has_gits_form(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.commit("Raise the price", app_dot_py="price = 2\n")
    reverted(repo, mode="single")
    assert repo.git("log", "-1", "--format=%s") == 'Revert "Raise the price"'


def test_nothing_to_revert(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.commit("There", app_dot_py="price = 2\n")
    repo.commit("And back", app_dot_py="price = 1\n")
    plan = planned(repo)
    assert plan.empty
    with pytest.raises(UsageError, match="already"):
        executed(repo, plan, "")


def test_a_bare_repository(path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    bare = RepositoryBuilder.__new__(RepositoryBuilder)
    bare.path, bare.clock = tmp_path / "bare.git", repo.clock
    assert reverted(bare).equals_stable
    assert bare.tree("main") == bare.tree(TAG)


def test_a_message_in_another_encoding_is_written_in_utf8(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.write(app_dot_py="price = 2\n")
    repo.git("-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-q", "-a", "-F", "-", stdin=b"Caf\xe9")
    assert "encoding ISO-8859-1" in repo.git("cat-file", "commit", "HEAD")
    reverted(repo)
    raw = repo.git("cat-file", "commit", "HEAD")
    assert 'Revert "Café"' in raw
    assert "\nencoding" not in raw


def test_replace_refs_do_not_change_what_is_reverted(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("replace", repo.head(), repo.head("main~1"))
    plan = planned(repo)
    assert len(plan.reverts) == 3
    assert executed(repo, plan, "").equals_stable


def test_hostile_subjects_survive_byte_by_byte(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    tree = repo.git("write-tree")
    subjects = [
        b"\x1b[31mred\x07",
        b"caf\xe9 not utf-8",
        b"x" * 10_240,
        b"  \t \n\nafter blank lines",
        b"",
        b"-- --to \xe2\x80\xae",
    ]
    parent = repo.head()
    for subject in subjects:
        raw = b"tree %s\nparent %s\nauthor A <a@b> 1780000000 +0000\ncommitter A <a@b> 1780000000 +0000\n\n%s\n" % (
            tree.encode(),
            parent.encode(),
            subject,
        )
        parent = repo.git("hash-object", "--literally", "-t", "commit", "-w", "--stdin", stdin=raw)
    repo.git("update-ref", "refs/heads/main", parent)
    repo.commit("Raise the price", app_dot_py="price = 2\n")
    reverted(repo)
    raw_log = os.fsencode(repo.git("log", "-z", "--format=%B", f"{parent}~6..main"))
    for wanted in (
        b"\x1b[31mred\x07",
        b"caf\xe9 not utf-8",
        b"x" * 10_240,
        b"after blank lines",
        b"",
        b"-- --to \xe2\x80\xae",
    ):
        assert b'Revert "%s"\n\nThis reverts commit' % wanted in raw_log
