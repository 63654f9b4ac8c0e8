"""RG105: what is slipped into a merge, in every way that git knows."""

from __future__ import annotations

import os

import pytest

from tests.attacks.conftest import Scene
from tests.support.builder import SIGNED

SIGNED_MERGE = f"Merge branch 'release/1.4'\n\n{SIGNED}"


def begin(scene: Scene, *options: str) -> None:
    scene.repo.git("merge", "-q", "--no-commit", "--no-ff", *options, "release/1.4", check=False)


def conclude(scene: Scene) -> None:
    scene.repo.git("commit", "-q", "--no-verify", "-m", SIGNED_MERGE, **scene.repo.as_person("jane"))


def evil(scene: Scene) -> None:
    conclude(scene)
    scene.refused("main", rules=("RG105",))


def test_in_a_clean_merge(scene: Scene) -> None:
    begin(scene)
    scene.repo.write(app_dot_py="import evil\n")
    scene.repo.git("add", "-A")
    evil(scene)


def test_one_line_far_away(scene: Scene) -> None:
    begin(scene)
    scene.repo.write(lib_dot_py="".join(f"line {n}\n" for n in range(40)).replace("line 30\n", "line 30 evil\n"))
    scene.repo.git("add", "-A")
    evil(scene)


def test_a_new_file(scene: Scene) -> None:
    begin(scene)
    scene.repo.write(new_dot_py="evil\n")
    scene.repo.git("add", "-A")
    evil(scene)


def test_a_file_left_out(scene: Scene) -> None:
    begin(scene)
    scene.repo.git("rm", "-q", "-f", "lib.py")
    evil(scene)


def test_ours_strategy(scene: Scene) -> None:
    begin(scene, "-s", "ours")
    evil(scene)


def test_mode_bit(scene: Scene) -> None:
    begin(scene)
    scene.repo.git("update-index", "--chmod=+x", "lib.py")
    evil(scene)


def test_link_in_place_of_a_file(scene: Scene) -> None:
    begin(scene)
    blob = scene.repo.git("hash-object", "-w", "--stdin", stdin=b"/etc/passwd")
    scene.repo.git("update-index", "--cacheinfo", f"120000,{blob},lib.py")
    evil(scene)


def test_same_bytes_as_a_link(scene: Scene) -> None:
    begin(scene)
    blob = scene.repo.git("rev-parse", "HEAD:lib.py")
    scene.repo.git("update-index", "--cacheinfo", f"120000,{blob},lib.py")
    evil(scene)


def test_submodule_pointer(scene: Scene) -> None:
    begin(scene)
    scene.repo.git("update-index", "--add", "--cacheinfo", f"160000,{scene.repo.head()},vendored")
    evil(scene)


def test_ignored_submodule_pointer(scene: Scene) -> None:
    begin(scene)
    scene.repo.git("update-index", "--add", "--cacheinfo", f"160000,{scene.repo.head()},vendored")
    scene.on_server("config", "diff.ignoreSubmodules", "all")
    evil(scene)


@pytest.mark.parametrize("name", ["a\nb", "a\tb", '"quoted"', "-rf", "--", "a\n:100644 100644 0 0 M\tx", " ", "é"])
def test_file_of_an_odd_name(scene: Scene, name: str) -> None:
    begin(scene)
    scene.repo.write_file(name, "evil\n")
    scene.repo.git("add", "-A")
    evil(scene)


def test_file_of_a_name_that_is_no_text(scene: Scene) -> None:
    begin(scene)
    with open(os.fsencode(scene.repo.path) + b"/a\xff\x1b[31m", "wb") as file:
        file.write(b"evil\n")
    scene.repo.git("add", "-A")
    evil(scene)


def test_file_whose_text_looks_like_a_diff(scene: Scene) -> None:
    begin(scene)
    tree = scene.repo.tree("main")
    scene.repo.write_file("x", f"{tree} {tree}\ndiff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n")
    scene.repo.git("add", "-A")
    evil(scene)


def test_binary(scene: Scene) -> None:
    begin(scene)
    (scene.repo.path / "lib.py").write_bytes(b"\0\1evil")
    scene.repo.git("add", "-A")
    evil(scene)


def test_attributes_that_hide_the_difference(scene: Scene) -> None:
    begin(scene)
    scene.repo.write_file(".gitattributes", "* -diff merge=ours -text export-ignore filter=x\n")
    scene.repo.write(lib_dot_py="evil\n")
    scene.repo.git("add", "-A")
    evil(scene)


def test_attributes_of_production_that_merge_by_a_driver(scene: Scene) -> None:
    repo = scene.repo
    repo.write_file(".gitattributes", "* merge=ours -diff\n")
    repo.commit("Attributes")
    scene.admin("main")
    scene.on_server("config", "merge.ours.driver", "true")
    begin(scene)
    repo.write(lib_dot_py="evil\n")
    repo.git("add", "-A")
    evil(scene)


def test_by_a_rename(scene: Scene) -> None:
    begin(scene)
    scene.repo.git("mv", "lib.py", "library.py")
    scene.repo.write(library_dot_py="".join(f"line {n}\n" for n in range(40)) + "evil\n")
    scene.repo.git("add", "-A")
    evil(scene)


def test_nested_inside_the_branch(scene: Scene) -> None:
    repo = scene.repo
    repo.git("checkout", "-q", "-b", "feature/x", "release/1.4")
    repo.commit("X", x_dot_py="x\n")
    repo.checkout("release/1.4")
    repo.commit("Y", y_dot_py="y\n")
    repo.git("merge", "-q", "--no-commit", "--no-ff", "feature/x")
    repo.commit("Merge branch 'feature/x'", app_dot_py="import evil\n")
    scene.signed("Release", version_dot_txt="2\n")
    scene.taken("release/1.4")
    scene.refused("release/1.4:main", rules=("RG105",))


def test_nested_twice_and_undone_by_nobody(scene: Scene) -> None:
    repo = scene.repo
    repo.git("checkout", "-q", "-b", "feature/x", "main")
    repo.commit("X", x_dot_py="x\n")
    repo.git("checkout", "-q", "-b", "feature/y", "main")
    repo.commit("Y", y_dot_py="y\n")
    repo.git("merge", "-q", "--no-commit", "--no-ff", "feature/x")
    repo.commit("Merge branch 'feature/x'", x_dot_py="evil\n")
    repo.checkout("release/1.4")
    repo.merge("feature/y")
    scene.signed("Release", version_dot_txt="2\n")
    scene.taken("release/1.4")
    repo.checkout("main")
    repo.merge("release/1.4", message=SIGNED_MERGE)
    scene.refused("main", rules=("RG105",))


def conflict(scene: Scene) -> None:
    """Both sides changed line 5 of lib.py; app.py merges cleanly; the merge stands unfinished."""
    repo = scene.repo
    lines = [f"line {n}\n" for n in range(40)]
    repo.write(lib_dot_py="".join(lines).replace("line 5\n", "line 5 ours\n"))
    repo.commit("Ours")
    scene.admin("main")
    repo.checkout("release/1.4")
    repo.write(lib_dot_py="".join(lines).replace("line 5\n", "line 5 theirs\n").replace("line 35\n", "line 35 fix\n"))
    repo.commit(f"Theirs\n\n{SIGNED}")
    scene.taken("release/1.4")
    repo.checkout("main")
    begin(scene)
    assert "<<<<<<<" in (repo.path / "lib.py").read_text()


def resolved(scene: Scene, *, more: tuple[str, str] = ("", "")) -> None:
    lines = "".join(f"line {n}\n" for n in range(40)).replace("line 35\n", "line 35 fix\n")
    text = lines.replace("line 5\n", "line 5 both\n")
    scene.repo.write(lib_dot_py=text.replace(*more) if more[0] else text)
    scene.repo.git("add", "-A")


def test_an_honest_resolution_is_taken(scene: Scene) -> None:
    conflict(scene)
    resolved(scene)
    conclude(scene)
    scene.taken("main")


@pytest.mark.parametrize(
    "more",
    [
        ("line 20\n", "line 20 evil\n"),
        ("line 4\n", "line 4 evil\n"),
        ("line 6\n", "line 6 evil\n"),
        ("line 39\n", "line 39\nevil\n"),
        ("line 0\n", "evil\nline 0\n"),
        ("line 35 fix\n", "line 35\n"),
        ("line 4\n", ""),
    ],
    ids=["far", "before", "after", "end", "begin", "fix-dropped", "line-dropped"],
)
def test_beside_a_resolved_conflict(scene: Scene, more: tuple[str, str]) -> None:
    conflict(scene)
    resolved(scene, more=more)
    evil(scene)


def test_in_another_file_beside_a_resolved_conflict(scene: Scene) -> None:
    conflict(scene)
    resolved(scene)
    scene.repo.write(app_dot_py="import evil\n")
    scene.repo.git("add", "-A")
    evil(scene)


def test_forged_conflict_markers(scene: Scene) -> None:
    """The file itself holds what looks like a conflict, so that more seems to have been decided by hand."""
    conflict(scene)
    ours, theirs = scene.repo.head("main"), scene.repo.head("release/1.4")
    resolved(scene, more=("line 20\n", f"<<<<<<< {ours}\nevil\n=======\n>>>>>>> {theirs}\n"))
    evil(scene)


@pytest.mark.xfail(strict=True, reason="limit: a side taken whole explains what lies outside its conflicts")
def test_side_taken_whole_drops_a_fix_of_the_other_side(scene: Scene) -> None:
    """`checkout --ours lib.py` throws away line 35 too, which was in no conflict."""
    conflict(scene)
    scene.repo.git("checkout", "--ours", "lib.py")
    scene.repo.git("add", "-A")
    evil(scene)


@pytest.mark.parametrize("whole", [False, True], ids=["resolved-by-hand", "a-side-taken-whole"])
def test_conflicted_file_also_becomes_executable(scene: Scene, whole: bool) -> None:
    """The mode is what nothing explains; the lines that somebody had to decide are not named."""
    conflict(scene)
    if whole:
        scene.repo.git("checkout", "--theirs", "lib.py")
        scene.repo.git("add", "-A")
    else:
        resolved(scene)
    scene.repo.git("update-index", "--chmod=+x", "lib.py")
    conclude(scene)
    text = " ".join(scene.refused("main", rules=("RG105",)).err.replace("remote:", "").split())
    assert "mode 100644 became 100755" in text
    assert "line 5" not in text
    assert "<<<" not in text


def test_conflicted_file_becomes_executable_and_changes_elsewhere(scene: Scene) -> None:
    conflict(scene)
    resolved(scene, more=("line 20\n", "line 20 evil\n"))
    scene.repo.git("update-index", "--chmod=+x", "lib.py")
    conclude(scene)
    text = " ".join(scene.refused("main", rules=("RG105",)).err.replace("remote:", "").split())
    assert "mode 100644 became 100755" in text
    assert "line 20 evil" in text
    assert "line 5" not in text


def test_conflicted_file_becomes_a_link(scene: Scene) -> None:
    conflict(scene)
    resolved(scene)
    scene.repo.git("rm", "-q", "--cached", "lib.py")
    oid = scene.repo.git("hash-object", "-w", "--stdin", stdin=b"/etc/passwd")
    scene.repo.git("update-index", "--add", "--cacheinfo", f"120000,{oid},lib.py")
    evil(scene)


def test_submodules_of_which_one_side_deleted(scene: Scene) -> None:
    """A modify/delete conflict explains keeping or deleting the file, not a third content."""
    repo = scene.repo
    repo.git("rm", "-q", "lib.py")
    repo.commit("Ours deletes")
    scene.admin("main")
    repo.checkout("release/1.4")
    repo.write(lib_dot_py="theirs\n")
    repo.commit(f"Theirs\n\n{SIGNED}")
    scene.taken("release/1.4")
    repo.checkout("main")
    begin(scene)
    repo.write(lib_dot_py="evil\n")
    repo.git("add", "-A")
    evil(scene)


def test_merge_of_what_is_there_already(scene: Scene) -> None:
    tree = scene.repo.tree("release/1.4")
    merge = scene.commit_tree(tree, SIGNED_MERGE, scene.repo.head("main"), scene.repo.head("main~1"))
    scene.refused(f"{merge}:refs/heads/main", rules=("RG105",))


def test_merge_with_the_same_parent_twice(scene: Scene) -> None:
    main, tree = scene.repo.head("main"), scene.repo.tree("release/1.4")
    merge = scene.raw_commit(
        f"tree {tree}\nparent {main}\nparent {main}\nauthor J <jane@acme.example> 1780100000 +0000\n"
        f"committer J <jane@acme.example> 1780100000 +0000\n\n{SIGNED_MERGE}"
    )
    scene.refused(f"{merge}:refs/heads/main")


def test_criss_cross(scene: Scene) -> None:
    repo = scene.repo
    repo.git("checkout", "-q", "-b", "hotfix/1", "main")
    scene.signed("H", h_dot_py="h\n")
    scene.taken("hotfix/1")
    repo.git("checkout", "-q", "release/1.4")
    base = repo.head()
    repo.merge("hotfix/1", message=f"M1\n\n{SIGNED}")
    scene.taken("release/1.4")
    repo.checkout("hotfix/1")
    repo.merge(base, message=f"M2\n\n{SIGNED}")
    scene.taken("hotfix/1")
    repo.checkout("main")
    repo.merge("hotfix/1", message=f"Merge\n\n{SIGNED}")
    scene.taken("main")
    begin(scene)
    repo.write(h_dot_py="evil\n")
    repo.git("add", "-A")
    evil(scene)
