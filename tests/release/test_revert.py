"""Reverts on real repositories: the tree is stable's, history loses nothing, and messages are git's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.errors import GitError, RefusedError, UsageError
from rollback_guard.git.fast_import import NewCommit
from rollback_guard.release import revert as engine
from rollback_guard.release.revert import execute_revert, plan_revert, prove
from tests.release.stories import TAG, begun, busy, everything, land, opened, planned, quarantines, reverted
from tests.support.builder import RepositoryBuilder


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_each_reverts_every_commit_that_landed(path_of_repo: Path, object_format: str) -> None:
    repo = busy(path_of_repo, object_format=object_format)
    tip = repo.head()
    landed = repo.git("rev-list", "--first-parent", f"{TAG}..main").split()
    plan = planned(repo)
    assert [revert.commit for revert in plan.reverts] == landed
    assert [revert.mainline for revert in plan.reverts] == [1, 1, None]
    result = execute_revert(opened(repo), plan, "it broke")
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
    execute_revert(opened(repo), plan, "")
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
    octopus = repo.merge("a", "b", "c")
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
    repo.git("commit", "-q", "-m", "Links and modes", **repo.as_person("jane"))
    repo.stable_tag("stable/2026.11.22.2")
    wanted = repo.git("ls-tree", "-r", "HEAD")
    repo.git("mv", "app.py", "application.py")
    (repo.path / "run.sh").chmod(0o644)
    (repo.path / "link").unlink()
    (repo.path / "link").mkdir()
    repo.write_file("link/inside.txt", "x")
    repo.git("update-index", "--cacheinfo", f"160000,{repo.head()},vendor/lib")
    repo.git("add", "-A", ":!vendor")
    repo.git("commit", "-q", "-m", "Turn it all around", **repo.as_person("jane"))
    assert reverted(repo, tag="stable/2026.11.22.2").equals_stable
    assert repo.git("ls-tree", "-r", "HEAD") == wanted == repo.git("ls-tree", "-r", repo.git("write-tree"))
    assert os.readlink(repo.path / "link") == "app.py"
    assert os.access(repo.path / "run.sh", os.X_OK)


def test_an_empty_commit_is_reverted_by_an_empty_one(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.commit("Raise the price", app_dot_py="price = 2\n")
    repo.commit("Nothing")
    assert reverted(repo).commits == 2


def test_a_root_commit_goes_when_the_release_came_from_another_history(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("checkout", "-q", "--orphan", "other")
    repo.git("rm", "-rqf", ".")
    root = repo.commit("Another beginning", other_dot_py="x\n")
    repo.git("merge", "-q", "--allow-unrelated-histories", "-m", "Join", "main", **repo.as_person("jane"))
    plan = planned(repo, branch="other")
    assert [(one.commit, one.parent, one.tree) for one in plan.reverts[-1:]] == [(root, None, None)]
    assert plan.bring is not None
    assert plan.bring.onto is None
    assert "before other's first commit" in plan.notes[0]
    result = execute_revert(opened(repo), plan, "")
    assert result.equals_stable
    assert result.commits == 3
    empty = repo.git("hash-object", "-t", "tree", "/dev/null")
    assert repo.tree("other^") == empty
    assert repo.git("fsck", "--strict") == ""


def test_single_is_one_commit_that_names_all(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    tip = repo.head()
    plan = planned(repo, mode="single")
    result = execute_revert(opened(repo), plan, "why")
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


def test_a_merged_release_branch_is_met_where_main_had_its_tree(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.branch("release/1")
    repo.commit("Release 1", version_dot_txt="1")
    repo.stable_tag("stable/2026.11.23.1")
    repo.checkout("main")
    merge = repo.merge("release/1")
    newer = repo.commit("Later", later_dot_py="x")
    plan = planned(repo, tag="stable/2026.11.23.1")
    assert [one.commit for one in plan.reverts] == [newer]
    assert plan.stable.ancestor
    assert plan.bring is None
    assert merge in plan.notes[0]
    assert execute_revert(opened(repo), plan, "").equals_stable


def test_a_merged_release_branch_whose_tree_main_never_had_is_brought(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    base = repo.head()
    repo.branch("release/1")
    release = repo.commit("Release 1", version_dot_txt="1")
    repo.stable_tag("stable/2026.11.23.1")
    repo.checkout("main")
    repo.commit("Meanwhile", meanwhile_dot_py="x")
    repo.merge("release/1")
    plan = planned(repo, tag="stable/2026.11.23.1")
    assert len(plan.reverts) == 2
    assert plan.bring is not None
    assert (plan.bring.commit, plan.bring.onto) == (release, base)
    assert "came into it by a merge" in plan.notes[0]
    result = execute_revert(opened(repo), plan, "")
    assert (result.commits, result.equals_stable) == (3, True)
    assert repo.git("log", "-1", "--format=%s") == "Bring back stable/2026.11.23.1"
    assert repo.git("show", "HEAD:version.txt") == "1"


@pytest.mark.parametrize("mode", ["each", "single"])
def test_a_release_beside_the_branch_is_brought(path_of_repo: Path, mode: str) -> None:
    repo = begun(path_of_repo)
    repo.branch("release/1")
    repo.commit("Release 1", version_dot_txt="1")
    repo.stable_tag("stable/2026.11.23.1")
    repo.checkout("main")
    repo.commit("Later", later_dot_py="x")
    plan = planned(repo, tag="stable/2026.11.23.1", mode="single" if mode == "single" else "each")
    assert not plan.stable.ancestor
    assert "is not in its history" in plan.notes[0]
    result = execute_revert(opened(repo), plan, "")
    assert result.equals_stable
    assert result.commits == (2 if mode == "each" else 1)
    assert f"This brings the tree of commit {plan.stable.commit}" in repo.git("log", "-1", "--format=%B")


def test_a_release_beside_the_branch_with_the_tree_of_the_fork_needs_nothing_brought(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.branch("release/1")
    repo.commit("Nothing but a word")
    repo.stable_tag("stable/2026.11.23.1")
    repo.checkout("main")
    repo.commit("Later", later_dot_py="x")
    plan = planned(repo, tag="stable/2026.11.23.1")
    assert (len(plan.reverts), plan.bring) == (1, None)
    assert "which has its tree" in plan.notes[0]
    assert execute_revert(opened(repo), plan, "").equals_stable


def test_nothing_to_revert(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.commit("There", app_dot_py="price = 2\n")
    repo.commit("And back", app_dot_py="price = 1\n")
    plan = planned(repo)
    assert plan.empty
    with pytest.raises(UsageError, match="already"):
        execute_revert(opened(repo), plan, "")


def test_a_branch_behind_the_release_is_refused(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("branch", "old", "main~1")
    with pytest.raises(RefusedError, match="behind"):
        planned(repo, branch="old")


def test_histories_that_never_meet_are_refused(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit("Another beginning", other_dot_py="x\n")
    with pytest.raises(RefusedError, match="no history in common"):
        planned(repo, branch="other")


def test_a_bare_repository(path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    bare = RepositoryBuilder.__new__(RepositoryBuilder)
    bare.path, bare.clock = tmp_path / "bare.git", repo.clock
    assert reverted(bare).equals_stable
    assert bare.tree("main") == bare.tree(TAG)


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
        parent = repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw)
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
    assert execute_revert(opened(repo), plan, "").equals_stable


def test_one_git_config_does_not_unpack_or_split(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("config", "fastimport.unpackLimit", "1000")
    repo.git("config", "pack.packSizeLimit", "1")
    before = set((repo.path / ".git/objects").rglob("*"))
    reverted(repo)
    new = {path.suffix for path in set((repo.path / ".git/objects").rglob("*")) - before if path.is_file()}
    assert new == {".pack", ".idx"}


def test_the_same_revert_twice_gives_the_same_pack(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = busy(path_of_repo)
    tip = repo.head()
    monkeypatch.setenv("GIT_AUTHOR_DATE", "1780009999 +0000")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "1780009999 +0000")
    first = reverted(repo)
    repo.git("reset", "-q", "--hard", tip)
    assert reverted(repo) == first


def test_a_branch_that_moves_meanwhile_is_left_alone(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = busy(path_of_repo)
    plan = planned(repo)
    real = engine.prove

    def prove_late(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        repo.git("commit", "-q", "--allow-empty", "-m", "Somebody else")

    monkeypatch.setattr(engine, "prove", prove_late)
    with pytest.raises(RefusedError, match="no ref was moved"):
        execute_revert(opened(repo), plan, "")
    assert repo.git("log", "-1", "--format=%s") == "Somebody else"
    assert repo.git("status", "--porcelain") == ""


def test_a_file_that_changes_at_the_last_moment_is_kept(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = begun(path_of_repo)
    repo.commit("Raise the price", app_dot_py="price = 2\n")
    plan = planned(repo)
    real = engine.update_refs

    def update_and_edit(*args: object, **options: object) -> None:
        real(*args, **options)  # type: ignore[arg-type]
        repo.write(app_dot_py="mine\n")

    monkeypatch.setattr(engine, "update_refs", update_and_edit)
    with pytest.raises(RefusedError, match="work tree here is not") as caught:
        execute_revert(opened(repo), plan, "")
    assert "read-tree" in caught.value.remedy
    assert (repo.path / "app.py").read_text() == "mine\n"
    assert repo.tree("main") == repo.tree(TAG)


def test_what_is_not_the_plan_is_never_kept(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    plan = planned(repo)
    repo.commit("Not a revert", x_dot_py="x")
    with pytest.raises(GitError, match="not those of the plan"):
        prove(opened(repo).git, plan, repo.head(), (NewCommit(tree=None, message=b""),))
    with pytest.raises(GitError, match="not those of the plan"):
        prove(opened(repo).git, plan, repo.head(), ())
    with pytest.raises(GitError, match="no parent on the chain"):
        engine._reverts(tuple(engine.read_chain(opened(repo).git, repo.head(), plan.tip)), None, None)


def test_a_shallow_clone_is_refused(path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    clone = RepositoryBuilder.__new__(RepositoryBuilder)
    clone.path, clone.clock = tmp_path / "shallow", repo.clock
    plan = planned(repo)
    with pytest.raises(RefusedError, match="shallow") as caught:
        plan_revert(opened(clone), branch="main", tip=clone.head(), stable=plan.stable)
    assert "--unshallow" in caught.value.remedy


def test_a_read_only_object_store_is_refused(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = busy(path_of_repo)
    plan = planned(repo)
    before = everything(repo)
    real = os.mkdir

    def no_mkdir(path: str, mode: int = 0o777) -> None:
        if "tmp_objdir" in str(path):
            raise PermissionError(13, "Permission denied")
        real(path, mode)

    monkeypatch.setattr(os, "mkdir", no_mkdir)
    with pytest.raises(RefusedError, match="nothing can be written"):
        execute_revert(opened(repo), plan, "")
    monkeypatch.undo()
    assert everything(repo) == before


def test_no_tree_is_written_for_merges(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    for number in range(3):
        land(repo, f"topic/{number}", **{f"file{number}_dot_py": "x"})
    result = reverted(repo)
    assert result.commits == 3
    # No tree is unpacked or written: the pack that was made holds commits and nothing else.
    newest = max((repo.path / ".git/objects/pack").glob("*.idx"), key=lambda path: path.stat().st_mtime_ns)
    kinds = {
        line.split()[1] for line in repo.git("verify-pack", "-v", str(newest)).splitlines() if len(line.split()) > 4
    }
    assert kinds == {"commit"}
