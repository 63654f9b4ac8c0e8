"""Which repository is found, from wherever somebody stands, and what is said when there is none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rollback_guard.errors import GitError, UndeterminedError, UsageError
from rollback_guard.git.repository import (
    Scratch,
    current_branch,
    open_repository,
    operation_in_progress,
    quote_alternate,
    read_config,
    remove_tree,
)
from tests.support.builder import RepositoryBuilder
from tests.support.gits import GITS, initialise, opened, use_git


@pytest.fixture(params=GITS, autouse=True)
def git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each git in turn."""
    use_git(request.param, monkeypatch)


def built(folder: Path, **options: str) -> RepositoryBuilder:
    """A repository with one commit."""
    repo = RepositoryBuilder(folder, **options)  # type: ignore[arg-type]
    repo.commit("Begin", a_dot_txt="a\n", folder__b="b\n")
    return repo


@pytest.mark.parametrize(
    "name", ["plain", "with space", "new\nline", "two\n\nlines", "caf\udce9", "true", ' qu"ote ', "-x"]
)
def test_a_work_tree_is_found_from_a_subfolder(name: str, tmp_path: Path) -> None:
    repo = built(tmp_path / name)
    for folder in (repo.path, repo.path / "folder"):
        found = opened(folder)
        assert found.git_dir == found.common_dir == str(repo.path / ".git")
        assert found.work_tree == found.git.cwd == str(repo.path)
        assert (found.bare, found.shallow, found.object_format, found.zero) == (False, False, "sha1", "0" * 40)
        assert found.git.text("rev-parse", "HEAD") == repo.head()
    inside = opened(repo.path / ".git")
    assert (inside.git_dir, inside.work_tree, inside.bare) == (str(repo.path / ".git"), None, False)


@pytest.mark.parametrize("name", ["bare.git", "new\nline.git"])
def test_a_bare_repository(name: str, tmp_path: Path) -> None:
    folder = initialise(tmp_path / name, "--bare", "--object-format=sha256")
    found = opened(folder)
    assert found.git_dir == found.common_dir == found.git.cwd == str(folder)
    assert (found.work_tree, found.bare, found.object_format, found.zero) == (None, True, "sha256", "0" * 64)
    assert found.objects_dir == str(folder / "objects")


def test_a_linked_work_tree(tmp_path: Path) -> None:
    repo = built(tmp_path / "repo")
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    found = opened(tmp_path / "linked" / "folder")
    assert found.git_dir == str(repo.path / ".git" / "worktrees" / "linked")
    assert found.common_dir == str(repo.path / ".git")
    assert found.objects_dir == str(repo.path / ".git" / "objects")
    assert found.work_tree == str(tmp_path / "linked")
    assert current_branch(found) == "refs/heads/side"


def test_a_submodule(tmp_path: Path) -> None:
    inner = built(tmp_path / "inner")
    outer = built(tmp_path / "outer")
    own = outer.path / ".git" / "modules" / "sub"
    own.parent.mkdir()
    outer.git("clone", "-q", f"--separate-git-dir={own}", str(inner.path), "sub")
    (outer.path / "sub" / ".git").write_text("gitdir: ../.git/modules/sub\n")
    outer.git(f"--git-dir={own}", "config", "core.worktree", "../../../sub")
    found = opened(outer.path / "sub" / "folder")
    assert found.git_dir == str(outer.path / ".git" / "modules" / "sub")
    assert found.work_tree == str(outer.path / "sub")
    assert found.git.text("rev-parse", "HEAD") == inner.head()


def test_a_shallow_clone(tmp_path: Path) -> None:
    repo = built(tmp_path / "repo")
    repo.commit("Second")
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "clone")], check=True)
    assert opened(tmp_path / "clone").shallow


def test_variables_point_elsewhere_only_in_a_hook(tmp_path: Path) -> None:
    here, there = built(tmp_path / "here"), built(tmp_path / "there")
    environ = {
        **os.environ,
        "GIT_DIR": "../there/.git",
        "GIT_WORK_TREE": "../there",
        "GIT_INDEX_FILE": "../there/.git/index.other",
        "GIT_OBJECT_DIRECTORY": "../there/.git/objects",
        "GIT_QUARANTINE_PATH": "../there/.git/objects",
    }
    assert open_repository(str(here.path), environ).git_dir == str(here.path / ".git")
    found = open_repository(str(here.path), environ, hook=True)
    assert found.git_dir == str(there.path / ".git")
    assert found.work_tree == str(there.path)
    assert not {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR"} & found.git.env.keys()
    for name in ("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"):
        assert os.path.isabs(found.git.env[name])
        assert os.path.normpath(found.git.env[name]).startswith(str(there.path))
    assert os.path.samefile(found.objects_dir, there.path / ".git" / "objects")


@pytest.mark.parametrize("name", ["nothing", "new\nline"])
def test_no_repository(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match="is not a repository that git can use: fatal: not a git repository") as raised:
        opened(tmp_path / name)
    assert "git init" in raised.value.remedy


def fake(folder: Path, version: str, *, says: str = "") -> str:
    """A git that knows its version and nothing else."""
    path = folder / "fake"
    path.mkdir()
    known = f'for a; do if [ "$a" = version ]; then echo "{version}"; exit; fi; done'
    (path / "git").write_text(f"#!/bin/sh\n{known}\n{says}\nexit 129\n")
    (path / "git").chmod(0o755)
    return str(path / "git")


def test_a_git_that_is_too_old(tmp_path: Path) -> None:
    program = fake(tmp_path, "git version 1.8.3.1", says='echo "--show-object-format"')
    with pytest.raises(UndeterminedError, match=r"git 1\.8\.3\.1 is too old: 2\.31 or newer") as raised:
        open_repository(str(tmp_path), os.environ, program=program)
    assert not isinstance(raised.value, GitError)


def test_a_git_that_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not a repository that git can use$"):
        open_repository(str(tmp_path), os.environ, program=fake(tmp_path, "git version 2.40.0"))


def test_a_git_that_answers_too_much(tmp_path: Path) -> None:
    program = fake(tmp_path, "git version 2.40.0", says="yes x | head -n 20")
    with pytest.raises(UsageError, match="not a repository that git can use"):
        open_repository(str(tmp_path), os.environ, program=program)


def test_the_branch_that_is_checked_out(tmp_path: Path) -> None:
    folder = initialise(tmp_path / "repo")
    assert current_branch(opened(folder)) == "refs/heads/main"
    repo = built(tmp_path / "built")
    repo.branch("caf\u00e9/1")
    assert current_branch(opened(repo.path)) == "refs/heads/caf\u00e9/1"
    repo.git("checkout", "-q", "--detach")
    assert current_branch(opened(repo.path)) is None


def test_the_branch_is_known_from_the_first_question_where_git_can_say(tmp_path: Path) -> None:
    repo = built(tmp_path / "new\nline")
    assert opened(repo.path).checked_out == ""  # the paths cannot be told from the answers
    repo = built(tmp_path / "repo")
    assert opened(repo.path).checked_out == "refs/heads/main"
    repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    repo.git("symbolic-ref", "HEAD", "refs/heads/alias")
    assert opened(repo.path).checked_out == "refs/heads/main"
    repo.git("update-ref", "refs/heads/HEAD", "main")
    assert opened(repo.path).checked_out == ""  # git calls HEAD ambiguous now
    assert opened(repo.path).work_tree == str(repo.path)
    repo.git("update-ref", "-d", "refs/heads/HEAD")
    repo.git("checkout", "--detach", "-q")
    assert opened(repo.path).checked_out == ""
    repo.git("symbolic-ref", "HEAD", "refs/heads/unborn")
    unborn = opened(repo.path)
    assert (unborn.checked_out, unborn.work_tree) == ("", str(repo.path))
    assert current_branch(unborn) == "refs/heads/unborn"


def test_configuration(tmp_path: Path) -> None:
    folder = initialise(tmp_path / "repo")
    for value in ("one\ntwo", "three"):
        subprocess.run(["git", "config", "--add", "Guard.Some.Key", value], cwd=folder, check=True)
    config = folder / ".git" / "config"
    config.write_text(config.read_text() + "[guard]\n\tbare\n")
    found = read_config(opened(folder), r"^guard\.")
    assert found == {"guard.Some.key": ["one\ntwo", "three"], "guard.bare": [""]}
    assert read_config(opened(folder), "^nothing$") == {}


@pytest.mark.parametrize(
    ("name", "command"),
    [("MERGE_HEAD", "merge"), ("REVERT_HEAD", "revert"), ("rebase-merge", "rebase"), ("BISECT_LOG", "bisect")],
)
def test_an_operation_that_was_not_finished(name: str, command: str, tmp_path: Path) -> None:
    folder = initialise(tmp_path / "repo")
    assert operation_in_progress(opened(folder)) is None
    (folder / ".git" / name).write_text("")
    assert operation_in_progress(opened(folder)) == command


def test_a_scratch_folder_takes_what_is_written_and_is_gone_in_the_end(tmp_path: Path) -> None:
    repo = built(tmp_path / "re:po")
    other = built(tmp_path / 'oth"er')
    found = opened(repo.path)
    found.git.env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = quote_alternate(str(other.path / ".git" / "objects"))
    found.git.env["GIT_QUARANTINE_PATH"] = "/somewhere"
    with Scratch(found, str(tmp_path)) as scratch:
        assert Path(scratch.path).stat().st_mode & 0o777 == 0o700
        assert "GIT_QUARANTINE_PATH" not in scratch.git.env
        blob = scratch.git.text("hash-object", "-w", "--stdin", stdin=b"scratch")
        assert scratch.git.text("cat-file", "blob", blob) == "scratch"
        assert scratch.git.text("cat-file", "-t", repo.head()) == "commit"
        assert scratch.git.text("cat-file", "-t", other.head()) == "commit"
        assert found.git.run("cat-file", "-e", blob, accept=(0, 1)).returncode == 1
    assert not os.path.exists(scratch.path)
    with pytest.raises(GitError, match=r"no scratch folder could be made in .*nowhere: No such file"):
        Scratch(found, str(tmp_path / "nowhere"))


def test_removing_follows_no_link_and_minds_nothing_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("")
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "file").write_text("")
    (tree / "link").symlink_to(kept)
    remove_tree(str(tree))
    assert not tree.exists()
    assert (kept / "file").exists()
    remove_tree(str(tree))

    def refuse(path: str) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:  # not until pytest removes the folder
        patch.setattr(os, "unlink", refuse)
        remove_tree(str(kept))
    assert (kept / "file").exists()


@pytest.mark.parametrize("path", ["/plain", "/a:b", '/a"b', "/a\\b", "/a\nb", "/caf\u00e9", "/\udce9", "/#x"])
def test_alternates_are_read_back_as_they_are_meant(path: str, tmp_path: Path) -> None:
    quoted = quote_alternate(str(tmp_path) + path)
    repo = built(tmp_path / path[1:])
    objects = quote_alternate(str(repo.path / ".git" / "objects"))
    assert (quoted == str(tmp_path) + path) is (path in ("/plain", "/#x"))
    elsewhere = initialise(tmp_path / "elsewhere")
    env = {**os.environ, "GIT_ALTERNATE_OBJECT_DIRECTORIES": f"/nowhere:{objects}"}
    assert subprocess.run(["git", "cat-file", "-e", repo.head()], cwd=elsewhere, env=env).returncode == 0
