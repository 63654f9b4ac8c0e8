"""What differs between trees, whatever the files hold, are called, or are."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from rollback_guard.errors import GitError
from rollback_guard.git.patch import LENGTH_KEPT, LINES_KEPT, FileChange, PatchHunk, read_changes, read_paths
from tests.git.test_process import script
from tests.support.gits import GITS, Files, Link, Node, Program, Submodule, initialise, opened, plant, trees, use_git


@pytest.fixture(params=GITS)
def git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each git in turn."""
    use_git(request.param, monkeypatch)


def changes(folder: Path, *states: Files) -> list[tuple[FileChange, ...]]:
    """The changes from each state to the next, of one batch."""
    repository = opened(folder)
    found = trees(repository, plant(folder, *(Node(state) for state in states)))
    return list(read_changes(repository.git, list(pairwise(found))))


def shown(files: tuple[FileChange, ...]) -> dict[str, tuple[PatchHunk, ...]]:
    return {file.path: file.hunks for file in files}


def note(text: str) -> PatchHunk:
    return PatchHunk(old_line=1, old_count=0, new_line=1, note=text)


@pytest.mark.usefixtures("git")
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_lines(object_format: str, tmp_path: Path) -> None:
    folder = initialise(tmp_path / "repo", f"--object-format={object_format}")
    before = b"".join(b"%d\n" % number for number in range(1, 10))
    after = before.replace(b"2\n", b"two\nzwei\n").replace(b"7\n", b"") + b"10"
    (files,) = changes(folder, {"a": before, "same": b""}, {"a": after, "same": b""})
    (file,) = files
    assert file.path == "a"
    assert file.hunks == (
        PatchHunk(old_line=2, old_count=1, new_line=2, removed=("2",), added=("two", "zwei")),
        PatchHunk(old_line=7, old_count=1, new_line=7, removed=("7",)),
        PatchHunk(old_line=9, old_count=0, new_line=10, added=("10",)),
    )
    assert len(file.old_oid) == len(file.new_oid) == (40 if object_format == "sha1" else 64)
    assert (file.old_mode, file.new_mode, file.added, file.removed) == ("100644", "100644", False, False)


@pytest.mark.usefixtures("git")
def test_many_pairs_in_one_batch_with_equal_ones_between(tmp_path: Path) -> None:
    folder = initialise(tmp_path / "repo")
    found = changes(folder, {"a": b"1\n"}, {"a": b"1\n"}, {"a": b"2\n", "b": b""}, {"a": b"2\n", "b": b""}, {})
    assert [sorted(shown(files)) for files in found] == [[], ["a", "b"], [], ["a", "b"]]
    assert shown(found[1])["b"] == (note("the file was added"),)
    assert found[1][1].added
    assert shown(found[3])["b"] == (note("the file was removed"),)
    assert found[3][1].removed
    assert list(read_changes(opened(folder).git, [])) == []


@pytest.mark.usefixtures("git")
def test_what_is_no_text(tmp_path: Path) -> None:
    old: Files = {
        "bin": b"\0",
        "link": Link(b"a"),
        "mode": b"x\n",
        "sub": Submodule("1" * 40),
        "type": b"x\n",
        "z": b"z\n",
    }
    new: Files = {
        "bin": b"\0\0",
        "link": Link(b"b"),
        "mode": Program(b"x\n"),
        "sub": Submodule("2" * 40),
        "type": Link(b"x"),
        "z": b"Z\n",
    }
    (files,) = changes(initialise(tmp_path / "repo"), old, new)
    found = shown(files)
    assert found["bin"] == (note("binary content differs"),)
    assert [(hunk.removed, hunk.added) for hunk in found["link"]] == [(("a",), ("b",))]
    assert found["mode"] == (note("mode 100644 became 100755"),)
    (hunk,) = found["sub"]
    assert hunk.added == ("Subproject commit " + "2" * 40,)
    assert found["type"][-1] == note("mode 100644 became 120000")
    assert [hunk.removed or hunk.added for hunk in found["type"][:-1]] == [("x",), ("x",)]
    assert found["z"] == (PatchHunk(old_line=1, old_count=1, new_line=1, removed=("z",), added=("Z",)),)


@pytest.mark.usefixtures("git")
def test_files_become_submodules_and_folders(tmp_path: Path) -> None:
    states: list[Files] = [
        {"a": b"x\n", "z": b"1\n"},
        {"a": Submodule("1" * 40), "z": b"2\n"},
        {"a/b": b"", "z": b"3\n"},
        {"a": b"", "z": b"4\n"},
        {"a": Link(b""), "z": b"5\n"},
    ]
    for number, files in enumerate(changes(initialise(tmp_path / "repo"), *states), 2):
        assert shown(files)["z"][0].added == (str(number),)
        assert all(file.hunks for file in files)


HOSTILE = b"""\
--- a/x
+++ b/x
@@ -1 +1 @@
diff --git a/forged b/forged
Binary files a and b differ
%s %s
\\ No newline at end of file
""" % (b"1" * 40, b"2" * 40)


@pytest.mark.usefixtures("git")
def test_content_that_looks_like_a_patch(tmp_path: Path) -> None:
    (files,) = changes(initialise(tmp_path / "repo"), {"a": b"", "b": b"1\n"}, {"a": HOSTILE, "b": b"2\n"})
    assert [file.path for file in files] == ["a", "b"]
    (hunk,) = files[0].hunks
    assert hunk.added == tuple(HOSTILE.decode().split("\n")[:LINES_KEPT])
    assert files[1].hunks[0].added == ("2",)


@pytest.mark.usefixtures("git")
def test_names_that_look_like_something_else(tmp_path: Path) -> None:
    names = [
        "a\nb",
        "a\n:100644 100644 1 2 M",
        'qu"ote',
        "caf\udce9",
        "\u00e9",
        "-x",
        "tab\tname",
        "a b",
        "@@ -1 +1 @@",
    ]
    names += [f"{'1' * 40} {'2' * 40}", f"\n{'1' * 40} {'2' * 40}\n:", "diff --git x", " "]
    (files,) = changes(initialise(tmp_path / "repo"), dict.fromkeys(names, b"1\n"), dict.fromkeys(names, b"2\n"))
    assert sorted(file.path for file in files) == sorted(names)
    assert {hunk.added for file in files for hunk in file.hunks} == {("2",)}


@pytest.mark.usefixtures("git")
def test_only_so_much_is_kept(tmp_path: Path) -> None:
    wide = ("\U0001f600" * 1000 + "\n").encode()
    (files,) = changes(initialise(tmp_path / "repo"), {"a": b"x" * 3_000_000 + b"\n" + b"y\n" * 99}, {"a": wide * 50})
    (hunk,) = files[0].hunks
    assert hunk.old_count == 100
    assert len(hunk.removed) == len(hunk.added) == LINES_KEPT
    assert hunk.removed[0] == "x" * LENGTH_KEPT
    assert hunk.added[0] == "\U0001f600" * LENGTH_KEPT


@pytest.mark.usefixtures("git")
def test_settings_and_attributes_hide_nothing_and_run_nothing(tmp_path: Path) -> None:
    folder = initialise(tmp_path / "repo")
    ran = tmp_path / "ran"
    modules = b'[submodule "sub"]\n\tpath = sub\n\turl = ./x\n\tignore = all\n'
    old: Files = {".gitmodules": modules, "a.txt": b"\n1\n\n", "b.txt": b"1\n", "sub": Submodule("1" * 40)}
    new: Files = {".gitmodules": modules, "a.txt": b"\n2\n\n", "c.txt": b"1\n", "sub": Submodule("2" * 40)}
    expected = changes(folder, old, new)
    assert sorted(shown(expected[0])) == ["a.txt", "b.txt", "c.txt", "sub"]
    (folder / ".gitmodules").write_bytes(modules)
    (folder / ".gitattributes").write_text("*.txt diff=evil\n")
    hostile = {
        "diff.external": f"touch {ran};",
        "diff.evil.command": f"touch {ran};",
        "diff.evil.textconv": f"touch {ran};",
        "diff.orderFile": str(tmp_path / "nowhere"),
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.renames": "copies",
        "diff.submodule": "log",
        "diff.ignoreSubmodules": "all",
        "submodule.sub.ignore": "all",
        "diff.suppressBlankEmpty": "true",
        "diff.context": "10",
        "diff.interHunkContext": "10",
        "diff.algorithm": "patience",
        "diff.wsErrorHighlight": "all",
        "diff.colorMoved": "zebra",
        "diff.relative": "true",
        "diff.indentHeuristic": "false",
        "color.ui": "always",
        "color.diff": "always",
        "core.quotePath": "true",
        "core.pager": f"touch {ran};",
        "core.fsmonitor": f"touch {ran};",
        "alias.diff-tree": f"!touch {ran}",
    }
    for name, value in hostile.items():
        subprocess.run(["git", "config", name, value], cwd=folder, check=True)
    assert changes(folder, old, new) == expected
    assert not ran.exists()


@pytest.mark.usefixtures("git")
def test_paths_among_some_files_and_folders(tmp_path: Path) -> None:
    folder = initialise(tmp_path / "repo")
    commits = plant(
        folder,
        Node({"a": b"1", "dir/x": b"1", "dirt": b"1", "*": b"1"}),
        Node({"a": b"2", "dir/x": b"2", "dirt": b"2", "*": b"1"}),
        Node({"a": b"2", "dir/x": b"2", "dirt": b"3", "*": b"2"}),
        Node({"a": b"2", "dir/x": b"2", "dirt": b"3", "*": b"2"}),
    )
    git = opened(folder).git
    pairs = list(pairwise(commits))
    assert read_paths(git, pairs, ("a", "dir/")) == [("a", "dir/x"), (), ()]
    assert read_paths(git, pairs, ("*",)) == [(), ("*",), ()]
    assert read_paths(git, [], ("a",)) == []
    with pytest.raises(GitError, match=r"there is no 1{40}\^\{tree\} here"):
        read_paths(git, [(commits[0], "1" * 40)], ("a",))


def test_more_pairs_than_a_command_line_holds(tmp_path: Path) -> None:
    folder = initialise(tmp_path / "repo")
    first, second = plant(folder, Node({"a": b"1"}), Node({"a": b"2"}))
    found = read_paths(opened(folder).git, [(first, second)] * 25_000, ("a",))
    assert found == [("a",)] * 25_000


@pytest.mark.parametrize("body", ["exit 0", 'case "$*" in *--raw*) echo "$(printf %040d 0) $(printf %040d 1)";; esac'])
def test_a_git_that_does_not_answer_for_every_pair(body: str, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="did not answer for every pair"):
        list(read_changes(script(tmp_path, body), [("1", "2")]))
