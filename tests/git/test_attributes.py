"""The attributes of a tree, told to git without a work tree: each path must have what a work tree gives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.git.attributes import read_attributes
from tests.release.stories import opened
from tests.support.builder import RepositoryBuilder

PATHS = (
    *("a.txt", "b.bin", "sub/a.txt", "sub/b.bin", "sub/deep/a.txt", "sub/deep/c d.txt", "sub/only.txt"),
    *("odd [x]*/a.txt", "odd [x]*/b.bin", "oddx/a.txt", "sub/deep/only.txt", "a b.txt", 'q".txt', "sub/own/z.txt"),
)
ATTRIBUTES = ("text", "merge", "diff", "eol", "whole")


def check(repo: RepositoryBuilder, git_dir: Path | None = None) -> str:
    """What git says of all paths."""
    where = ["--git-dir", str(git_dir)] if git_dir else []
    return repo.git(*where, "check-attr", "-z", *ATTRIBUTES, "--", *PATHS)


@pytest.mark.parametrize(
    "files",
    [
        {".gitattributes": "*.txt text\n# comment\n\n!x\n[attr]whole -text -diff\n*.bin whole\n"},
        {
            ".gitattributes": "*.txt merge=ours\r\n",
            "sub/.gitattributes": "*.txt -merge\n/only.txt eol=lf\n[attr]no text\n",
        },
        {"sub/.gitattributes": "deep/*.txt text\nown/ diff\nown/** eol=crlf\na.txt\tmerge=union\n"},
        {"odd [x]*/.gitattributes": "*.txt text\n/b.bin -diff\n", "sub/deep/.gitattributes": '"c d.txt" merge=union\n'},
        {".gitattributes": '"a b.txt" text\n"q\\".txt" diff\n"unended text\n', "sub/.gitattributes": '"unended x\n'},
        {"odd [x]*/.gitattributes": '"a.txt" eol=lf\n'},
    ],
)
def test_each_path_has_what_a_work_tree_gives_it(path_of_repo: Path, files: dict[str, str]) -> None:
    repo = RepositoryBuilder(path_of_repo)
    for name, text in files.items():
        repo.write_file(name, text)
    repo.git("add", "-A")
    with_tree = check(repo)
    assert with_tree.count("unspecified") < with_tree.count("\0")  # something is said of something
    repo.git("commit", "-q", "-m", "Attributes", **repo.as_person("jane"))
    bare = path_of_repo.parent / "bare.git"
    repo.git("init", "-q", "--bare", str(bare))
    repository = opened(repo)
    (bare / "info").mkdir(exist_ok=True)
    (bare / "info" / "attributes").write_bytes(read_attributes(repository.git, repo.git("rev-parse", "main^{tree}")))
    assert check(repo, bare) == with_tree


def test_what_is_no_attributes_file_is_left_out(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.write_file("x.gitattributes", "*.txt text\n")
    (repo.path / "sub").mkdir()
    (repo.path / "sub" / ".gitattributes").symlink_to("../x.gitattributes")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "Links", **repo.as_person("jane"))
    assert read_attributes(opened(repo).git, repo.git("rev-parse", "main^{tree}")) == b""


def test_a_file_that_is_not_there_says_nothing(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Attributes", _dot_gitattributes="*.txt text\n", a_dot_txt="a")
    blob, tree = repo.git("rev-parse", "main:.gitattributes"), repo.git("rev-parse", "main^{tree}")
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert read_attributes(opened(repo).git, tree) == b""
