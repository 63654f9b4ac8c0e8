"""What a tree or the index holds, whatever the names, and what differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.errors import GitError
from rollback_guard.git.listing import Change, Listed, changed_between, changed_in_index, empty_tree, list_tree
from rollback_guard.git.process import Git
from tests.support.builder import RepositoryBuilder
from tests.support.gits import FORMATS, Files, Link, Node, Program, Submodule, initialise, opened, plant, trees

ODD = "a\n\tb/é \udcff'\".sql"


@pytest.mark.parametrize("object_format", FORMATS)
def test_a_tree_is_listed_whatever_its_names(path_of_repo: Path, object_format: str) -> None:
    initialise(path_of_repo, f"--object-format={object_format}")
    repository = opened(path_of_repo)
    oid = "ab" * (20 if object_format == "sha1" else 32)
    files: Files = {ODD: b"x", "run": Program(b"y"), "link": Link(b"run"), "sub": Submodule(oid)}
    (tree,) = trees(repository, plant(path_of_repo, Node(files=files)))
    found = dict(list_tree(repository.git, tree))
    assert {path: (one.mode, one.plain) for path, one in found.items()} == {
        ODD: ("100644", True),
        "run": ("100755", True),
        "link": ("120000", False),
        "sub": ("160000", False),
    }
    assert found["sub"].oid == oid
    changes = tuple(changed_between(repository.git, empty_tree(repository), tree))
    assert {change.path: change.new for change in changes} == found
    assert all(change.old is None for change in changes)
    back = tuple(changed_between(repository.git, tree, empty_tree(repository)))
    assert {change.path: change.old for change in back} == found


def test_a_rename_is_two_changes(path_of_repo: Path) -> None:
    initialise(path_of_repo)
    repository = opened(path_of_repo)
    old, new = trees(repository, plant(path_of_repo, Node(files={"a": b"x"}), Node(files={"b": b"x"})))
    gone, come = changed_between(repository.git, old, new)
    assert (gone.path, gone.new, come.path, come.old) == ("a", None, "b", None)
    assert gone.old == come.new


def test_the_index_is_compared_and_what_is_in_conflict_is_left_out(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("One", a="1\n", b="1\n", c="1\n")
    repo.branch("other")
    repo.commit("Two", a="2\n", c="2\n")
    repo.checkout("main")
    repo.commit("Three", a="3\n")
    repo.git("merge", "other", check=False)
    repository = opened(path_of_repo)
    (change,) = changed_in_index(repository.git, repo.tree("HEAD"))
    assert change == Change(path="c", old=change.old, new=Listed(mode="100644", oid=repo.git("hash-object", "c")))


def test_another_answer_than_git_gives_is_an_error(tmp_path: Path) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nprintf 'what\\0is\\0'\n")
    program.chmod(0o755)
    with pytest.raises(GitError, match="not known"):
        tuple(changed_between(Git(cwd=str(tmp_path), env={}, program=str(program)), "a", "b"))
