"""What a change does, as a digest: the same for the same, and for nothing that only looks like it."""

from __future__ import annotations

import os
from pathlib import Path

from rollback_guard.git.change_digest import change_digest
from rollback_guard.git.repository import open_repository
from tests.support.builder import RepositoryBuilder

TWICE = "".join(f"{place}:\n" + "  line\n" * 5 + "  auth: on\n" + "  line\n" * 5 for place in ("staging", "production"))


def digest(repo: RepositoryBuilder, base: str, tree: str) -> str:
    return change_digest(open_repository(str(repo.path), os.environ).git, repo.head(base), repo.tree(tree))


def begun(path: Path) -> RepositoryBuilder:
    repo = RepositoryBuilder(path)
    repo.commit("Begin", conf=TWICE, other="1\n")
    return repo


def test_it_survives_what_touches_other_files(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.branch("release")
    repo.commit("Change", conf=TWICE.replace("line", "row", 1))
    before = digest(repo, "main", "release")
    repo.checkout("main")
    repo.commit("Another thing", other="2\n")
    repo.merge("release")
    assert digest(repo, "main~1", "main") == before


def test_the_same_lines_elsewhere_are_another_change(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    first, last = TWICE.replace("on", "off", 1), "off".join(TWICE.rsplit("on", 1))
    found = set()
    for number, text in enumerate((first, last)):
        repo.branch(f"release/{number}", "main")
        repo.commit("Switch it off", conf=text)
        found.add(digest(repo, "main", "HEAD"))
    assert len(found) == 2


def test_a_submodule_that_the_work_tree_hides_counts(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    (repo.path / ".gitmodules").write_text('[submodule "lib"]\n\tpath = lib\n\turl = x\n\tignore = all\n')
    found = set()
    for letter in "123":
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{letter * 40},lib")
        tree = repo.git("write-tree")
        found.add(change_digest(open_repository(str(repo.path), os.environ).git, repo.head(), tree))
    assert len(found) == 3


def test_a_mode_counts_also_where_it_stays(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    found = set()
    for mode in ("100644", "100755", "120000"):
        trees = []
        for text in (b"one\n", b"two\n"):
            blob = repo.git("hash-object", "-w", "--stdin", stdin=text)
            repo.git("update-index", "--add", "--cacheinfo", f"{mode},{blob},link")
            trees.append(repo.git("write-tree"))
        found.add(change_digest(open_repository(str(repo.path), os.environ).git, *trees))
    assert len(found) == 3
