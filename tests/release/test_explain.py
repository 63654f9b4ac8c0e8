"""What a way back does besides: reverts that cancel, submodules, LFS, names that differ by case alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.git.listing import changed_between
from rollback_guard.git.objects import ObjectReader
from rollback_guard.release import explain as explaining
from rollback_guard.release.explain import explain
from rollback_guard.release.explained import Explained, Submodule
from rollback_guard.release.plan import notes_of, plan_document
from rollback_guard.release.sentences import sentences_of
from tests.release.stories import TAG, begun, git_as, opened, planned
from tests.support.builder import RepositoryBuilder

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12\n"


def explained(repo: RepositoryBuilder) -> Explained:
    plan = planned(repo)
    brought = changed_between(opened(repo).git, plan.stable.tree, f"{plan.tip}^{{tree}}")
    plan = explain(opened(repo), plan, tuple(brought))
    document = plan_document(plan, None)
    assert isinstance(document["cancels"], list)
    assert notes_of(plan) == (*plan.notes, *sentences_of(plan.explained))
    return plan.explained


def test_nothing_to_do_and_nothing_to_say(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    assert explained(repo) == Explained()
    repo.commit("Next", x="x")
    assert explained(repo) == Explained()
    assert sentences_of(Explained()) == ()


def test_a_commit_and_its_revert_cancel(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    broken = repo.commit("Break it", app_dot_py="broken\n")
    git_as(repo, "revert", "--no-edit", "HEAD")
    revert = repo.head()
    git_as(repo, "revert", "--no-edit", "HEAD")
    again = repo.head()
    assert explained(repo).cancels == ((again, revert), (revert, broken))
    said = sentences_of(explained(repo))
    assert said == (
        f"{again[:12]} took back {revert[:12]}, and both go: they cancel",
        f"{revert[:12]} took back {broken[:12]}, and both go: they cancel",
    )


def test_a_revert_of_what_stays_cancels_nothing(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    git_as(repo, "revert", "--no-edit", "HEAD")
    repo.commit("Next", x="x")
    assert explained(repo).cancels == ()


def test_submodules_and_their_direction(path_of_repo: Path) -> None:
    module = RepositoryBuilder(path_of_repo.parent / "module")
    old = module.commit("Old", a="1")
    new = module.commit("New", a="2")
    beside = module.git("commit-tree", "-m", "Beside", module.tree(), **module.as_person("jane"))
    repo = begun(path_of_repo)

    def put(path: str, oid: str) -> None:
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{oid},{path}")

    def commit(message: str) -> None:
        repo.git("commit", "-q", "-m", message, **repo.as_person("jane"))

    for path, oid in (("up", old), ("down", new), ("gone", old), ("far", old), ("odd", old)):
        put(path, oid)
    commit("Modules")
    repo.git("tag", "-d", "stable/2026.11.22.1")
    repo.stable_tag("stable/2026.11.22.1")
    for path, oid in (("up", new), ("down", old), ("fresh", new), ("far", new), ("odd", beside)):
        put(path, oid)
    repo.git("update-index", "--force-remove", "gone")
    commit("Others")
    for path in ("up", "down", "odd"):
        folder = repo.path / ".git" / "modules" / path
        module.git("clone", "-q", "--bare", str(module.path), str(folder))
        module.git("push", "-q", str(folder), f"{beside}:refs/heads/beside")
    assert explained(repo).submodules == (
        Submodule("down", old, new, "newer"),
        Submodule("far", new, old),
        Submodule("fresh", new, None),
        Submodule("gone", None, old),
        Submodule("odd", beside, old),
        Submodule("up", new, old, "older"),
    )
    said = sentences_of(explained(repo))
    assert said[0] == f"the submodule down goes from {old[:12]} to {new[:12]}, which is newer: git submodule update"
    assert said[2] == f"the submodule fresh goes; it is at {new[:12]}"
    assert said[3] == f"the submodule gone comes back, at {old[:12]}"
    assert said[-1] == "and 1 more submodules"


def test_lfs_files_whose_content_is_not_here(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.write_file(".gitattributes", "*.psd filter=lfs diff=lfs merge=lfs -text\n")
    for name, digit in (("here", "a"), ("away", "b")):
        repo.write_file(f"{name}.psd", POINTER.format(digit * 64))
    repo.write_file("big.psd", "x" * 5000)
    repo.write_file("plain.psd", "no pointer\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "Art", **repo.as_person("jane"))
    repo.stable_tag("stable/2026.11.22.1")
    (repo.path / "gone").symlink_to("here.psd")
    repo.git("rm", "-q", "-r", "--cached", "here.psd", "away.psd", "big.psd", "plain.psd")
    repo.git("add", "gone")
    repo.git("commit", "-q", "-m", "No art", **repo.as_person("jane"))
    content = repo.path / ".git" / "lfs" / "objects" / "aa" / "aa" / ("a" * 64)
    content.parent.mkdir(parents=True)
    content.write_text("art")
    found = explained(repo)
    assert (found.pointers, found.missing) == (2, ("away.psd",))
    assert sentences_of(found) == (
        "of 2 LFS files that come back, 1 are not in this clone: away.psd; "
        "git lfs fetch, before it is deployed from here",
    )
    assert sentences_of(found._replace(missing=())) == ("2 LFS files come back; their content is in this clone",)
    many = found._replace(missing=tuple(f"{n}.psd" for n in range(8)))
    assert ": 0.psd, 1.psd, 2.psd, 3.psd, 4.psd and 3 more; git lfs fetch" in sentences_of(many)[0]
    with ObjectReader(opened(repo).git) as objects:
        tree = repo.git("rev-parse", "main^{tree}")
        assert explaining._uses_lfs(objects, tree, ())
        real = objects.read

        def read(name: str, *, limit: int) -> object:
            return real(name, limit=1)

        monkeypatch.setattr(objects, "read", read)
        assert explaining._uses_lfs(objects, tree, ())


def test_lfs_that_only_a_deeper_folder_names(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.write_file("art/.gitattributes", "*.psd filter=lfs diff=lfs merge=lfs -text\n")
    for path in ("art/old/away.psd", "docs/more/a.txt", "docs/more/b.txt"):
        repo.write_file(path, POINTER.format("b" * 64))
    repo.commit("Art")
    repo.git("tag", "-d", TAG)
    repo.stable_tag(TAG)
    repo.git("rm", "-q", "art/old/away.psd")
    repo.commit("No art", docs__more__a_dot_txt="1\n")
    found = explained(repo)
    assert (found.pointers, found.missing) == (2, ("art/old/away.psd", "docs/more/a.txt"))
    with ObjectReader(opened(repo).git) as objects:
        assert not explaining._uses_lfs(objects, repo.tree(TAG), ["docs/more/a.txt", "docs/more/b.txt"])


def test_names_that_are_one_where_case_does_not_count(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    for name in ("README", "readme"):
        repo.git("update-index", "--add", "--cacheinfo", f"100644,{repo.git('rev-parse', 'main:app.py')},{name}")
    repo.git("commit", "-q", "-m", "Two", **repo.as_person("jane"))
    repo.git("tag", "-d", "stable/2026.11.22.1")
    repo.stable_tag("stable/2026.11.22.1")
    repo.git("update-index", "--force-remove", "README")
    repo.git("commit", "-q", "-m", "One", **repo.as_person("jane"))
    found = explained(repo)
    assert found.collisions == (("README", "readme"),)
    assert sentences_of(found) == ("README and readme are one file where case does not count",)
