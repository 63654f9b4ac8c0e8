"""Merges made again: honest resolutions raise no alarm, and every change slipped in does, conflict by conflict."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from rollback_guard.errors import GitError, UndeterminedError
from rollback_guard.git import conflicts, merges
from rollback_guard.git.merges import MergeAgain, Recorded
from tests.support.gits import (
    GITS,
    Files,
    Link,
    Node,
    Program,
    Submodule,
    differences,
    initialise,
    opened,
    plant,
    trees,
    use_git,
)

LINES = [b"line %d\n" % number for number in range(1, 21)]


def text(changes: dict[int, bytes] | None = None, lines: list[bytes] | None = None) -> bytes:
    """Twenty lines, some of them (counted from 1) replaced."""
    changed = list(LINES if lines is None else lines)
    for number, line in (changes or {}).items():
        changed[number - 1] = line
    return b"".join(changed)


class Case(NamedTuple):
    """Two sides of a base, the merges of them that are honest, and those that are not with the path they touch."""

    base: Files
    ours: Files
    theirs: Files
    honest: tuple[Files, ...]
    evil: tuple[tuple[Files, str], ...]


X, OUR, THEIR = b"evil\n", b"our\n", b"their\n"
CONFLICT = {"a": text({10: OUR, 18: THEIR})}  # the conflict decided for ours, and the clean hunk of theirs kept
S1, S2, S3 = (Submodule(digit * 40) for digit in "123")
CRLF = [line.replace(b"\n", b"\r\n") for line in LINES]

CASES = {
    "clean": Case(
        base={"a": text(), "b": b"b\n"},
        ours={"a": text({2: OUR}), "b": b"b\n"},
        theirs={"a": text({18: THEIR}), "b": b"b\n"},
        honest=({"a": text({2: OUR, 18: THEIR}), "b": b"b\n"},),
        evil=(
            ({"a": text({2: OUR, 10: X, 18: THEIR}), "b": b"b\n"}, "a"),
            ({"a": text({2: OUR, 18: THEIR}), "b": b"b\n", "evil": X}, "evil"),
            ({"a": text({2: OUR, 18: THEIR}), "b": b"b\n", "evil": b""}, "evil"),
            ({"a": text({2: OUR}), "b": b"b\n"}, "a"),  # -s ours
            ({"a": text({18: THEIR}), "b": b"b\n"}, "a"),
            ({"a": text({2: OUR, 18: THEIR})}, "b"),
            ({"a": Program(text({2: OUR, 18: THEIR})), "b": b"b\n"}, "a"),
            ({"a": text({2: OUR, 18: THEIR}), "b": Link(b"/etc/passwd")}, "b"),
            ({"a": text({2: OUR, 18: THEIR}), "b": b"b"}, "b"),
            ({"a": text({2: OUR, 18: THEIR}), "b": b"\0"}, "b"),
            ({"a": text({2: OUR, 18: THEIR}), "b": S1}, "b"),
        ),
    ),
    "content": Case(
        base={"a": text(), "b": b"b\n"},
        ours={"a": text({10: OUR}), "b": b"b\n"},
        theirs={"a": text({10: THEIR, 18: THEIR}), "b": b"b\n"},
        honest=(
            {**CONFLICT, "b": b"b\n"},  # -X ours
            {"a": text({10: THEIR, 18: THEIR}), "b": b"b\n"},
            {"a": text({10: OUR + THEIR, 18: THEIR}), "b": b"b\n"},
            {"a": text({10: b"both\nof\nthem\n", 18: THEIR}), "b": b"b\n"},
            {"a": text({10: b"", 18: THEIR}), "b": b"b\n"},
            {"a": text({18: THEIR}), "b": b"b\n"},
            {"a": text({10: OUR}), "b": b"b\n"},  # checkout --ours
        ),
        evil=(
            ({"a": text({2: X, 10: OUR, 18: THEIR}), "b": b"b\n"}, "a"),
            ({"a": text({1: X + LINES[0], 10: OUR, 18: THEIR}), "b": b"b\n"}, "a"),
            ({"a": text({10: OUR, 18: THEIR, 20: LINES[19] + X}), "b": b"b\n"}, "a"),
            ({"a": text({10: OUR, 18: X}), "b": b"b\n"}, "a"),
            ({**CONFLICT, "b": X}, "b"),
            ({**CONFLICT, "b": b"b\n", "evil": X}, "evil"),
            ({"a": Program(text({10: OUR, 18: THEIR})), "b": b"b\n"}, "a"),
            ({"a": Link(b"/etc/passwd"), "b": b"b\n"}, "a"),
            ({"b": b"b\n"}, "a"),
            ({**CONFLICT}, "b"),
            ({"a": text({10: X}), "b": b"b\n"}, "a"),  # their clean hunk dropped
            ({"a": text(), "b": b"b\n"}, "a"),  # back to the base
            ({"a": b"", "b": b"b\n"}, "a"),
            ({"a": S1, "b": b"b\n"}, "a"),
        ),
    ),
    "two conflicts": Case(
        base={"a": text()},
        ours={"a": text({3: OUR, 17: OUR})},
        theirs={"a": text({3: THEIR, 17: THEIR})},
        honest=(
            {"a": text({3: OUR, 17: THEIR})},
            {"a": text({3: OUR + THEIR, 17: b""})},
            # What is decided may repeat what stands between the conflicts.
            {"a": text({3: b"".join(LINES[3:16]) + OUR, 17: b"".join(LINES[3:16])})},
        ),
        evil=(
            ({"a": text({3: OUR, 10: X, 17: THEIR})}, "a"),
            ({"a": text({3: OUR, 10: b"", 17: THEIR})}, "a"),
            ({"a": text({3: OUR, 10: LINES[9] + X, 17: THEIR})}, "a"),
            ({"a": text({1: b"", 3: OUR, 17: THEIR})}, "a"),
            ({"a": text({3: OUR, 17: THEIR, 20: b""})}, "a"),
            ({"a": b"".join(LINES[:2])}, "a"),
        ),
    ),
    "first and last line": Case(
        base={"a": b"".join([b"first\n", *LINES, b"last"])},
        ours={"a": b"".join([b"our first\n", *LINES, b"our last"])},
        theirs={"a": b"".join([b"their first\n", *LINES, b"their last"])},
        honest=(
            {"a": b"".join([b"our first\n", *LINES, b"their last"])},
            {"a": b"".join([b"their first\n", *LINES, b"our last\n"])},
            {"a": b"".join([b"both\nfirst\n", *LINES, b"both\nlast"])},
            {"a": b"".join([*LINES, b"no first"])},
            {"a": b"".join([b"our first\n", *LINES])},
        ),
        evil=(
            ({"a": b"".join([b"our first\n", text({10: X}), b"their last"])}, "a"),
            ({"a": b"".join([b"our first\n", text({10: b""}), b"their last"])}, "a"),
        ),
    ),
    "only line": Case(
        base={"a": b"base"},
        ours={"a": b"our"},
        theirs={"a": b"their"},
        honest=({"a": b"our"}, {"a": b"something else"}, {"a": b""}, {"a": b"both\n"}, {}),
        evil=(({"a": b"our", "evil": X}, "evil"), ({"a": Program(b"both\n")}, "a")),
    ),
    "crlf": Case(
        base={"a": text(lines=CRLF)},
        ours={"a": text({10: b"our\r\n"}, CRLF)},
        theirs={"a": text({10: b"their\r\n"}, CRLF)},
        honest=({"a": text({10: b"both\r\n"}, CRLF)}, {"a": text({10: b"both\n"}, CRLF)}),
        evil=(({"a": text({10: b"both\r\n", 11: b"line 11\n"}, CRLF)}, "a"), ({"a": text({10: b"both\n"})}, "a")),
    ),
    "blank lines around": Case(
        base={"a": text({9: b"\n", 11: b"\n"})},
        ours={"a": text({9: b"\n", 10: OUR, 11: b"\n"})},
        theirs={"a": text({9: b"\n", 10: THEIR, 11: b"\n"})},
        honest=(
            {"a": text({9: b"\n", 10: OUR + THEIR, 11: b"\n"})},
            {"a": text({9: b"", 10: b"", 11: b"\n"})},
            {"a": text({9: b"", 10: b"", 11: b""})},
        ),
        evil=(
            ({"a": text({8: b"", 9: b"\n", 10: OUR, 11: b"\n"})}, "a"),
            ({"a": text({9: b"\n", 10: OUR, 11: b"\n", 13: X})}, "a"),
        ),
    ),
    "add/add": Case(
        base={"z": b"z\n"},
        ours={"z": b"z\n", "a": text({10: OUR})},
        theirs={"z": b"z\n", "a": text({10: THEIR})},
        honest=({"z": b"z\n", "a": text({10: OUR + THEIR})}, {"z": b"z\n", "a": text({10: THEIR})}),
        evil=(({"z": b"z\n", "a": text({10: OUR, 2: X})}, "a"), ({"z": b"z\n"}, "a")),
    ),
    "modify/delete": Case(
        base={"a": text(), "z": b"z\n"},
        ours={"a": text({10: OUR}), "z": b"z\n"},
        theirs={"z": b"z\n"},
        honest=({"a": text({10: OUR}), "z": b"z\n"}, {"z": b"z\n"}),
        evil=(({"a": text({10: OUR, 2: X}), "z": b"z\n"}, "a"), ({}, "z")),
    ),
    "rename/rename to two names": Case(
        base={"a": text(), "z": b"z\n"},
        ours={"b": text({2: OUR}), "z": b"z\n"},
        theirs={"c": text({18: THEIR}), "z": b"z\n"},
        honest=(
            {"b": text({2: OUR, 18: THEIR}), "c": text({2: OUR, 18: THEIR}), "z": b"z\n"},
            {"b": text({2: OUR, 18: THEIR}), "z": b"z\n"},
            {"c": text({2: OUR, 18: THEIR}), "z": b"z\n"},
            {"d": text({2: OUR, 18: THEIR}), "z": b"z\n"},
            {"a": text({2: OUR, 18: THEIR}), "z": b"z\n"},
        ),
        evil=(
            ({"b": text({2: OUR, 10: X, 18: THEIR}), "z": b"z\n"}, "b"),
            ({"d": text({2: OUR, 10: X, 18: THEIR}), "z": b"z\n"}, "d"),
            ({"b": text({2: OUR, 18: THEIR}), "z": X}, "z"),
            ({"b": text({2: OUR, 18: THEIR}), "z": text({2: OUR, 18: THEIR})}, "z"),
        ),
    ),
    "rename/rename with a conflict inside": Case(
        base={"a": text()},
        ours={"b": text({10: OUR})},
        theirs={"c": text({10: THEIR})},
        honest=({"b": text({10: OUR + THEIR})}, {"c": text({10: THEIR})}, {"b": text({10: OUR})}),
        evil=(({"b": text({10: OUR, 2: X})}, "b"),),
    ),
    "rename collision": Case(
        base={"a": text(), "b": text(lines=CRLF)},
        ours={"c": text({10: OUR}), "b": text(lines=CRLF)},
        theirs={"a": text({10: THEIR}), "c": text({10: b"their\r\n"}, CRLF)},
        honest=({"c": text({10: OUR})}, {"c": text({10: b"their\r\n"}, CRLF)}),
        evil=(({"c": text({10: OUR}), "evil": X}, "evil"),),
    ),
    "rename/delete": Case(
        base={"a": text(), "z": b"z\n"},
        ours={"z": b"z\n"},
        theirs={"b": text(), "z": b"z\n"},
        honest=({"b": text(), "z": b"z\n"}, {"z": b"z\n"}, {"a": text(), "z": b"z\n"}),
        evil=(({"b": text({2: X}), "z": b"z\n"}, "b"), ({"z": X}, "z")),
    ),
    "binary": Case(
        base={"a": b"\0base"},
        ours={"a": b"\0our"},
        theirs={"a": b"\0their"},
        honest=({"a": b"\0our"}, {"a": b"\0their"}, {"a": b"\0drawn again"}),
        evil=(({"a": b"\0our", "evil": X}, "evil"), ({"a": Program(b"\0drawn again")}, "a")),
    ),
    "mode and content": Case(
        base={"a": text()},
        ours={"a": Program(text({10: OUR}))},
        theirs={"a": text({10: THEIR})},
        honest=({"a": Program(text({10: OUR + THEIR}))}, {"a": text({10: OUR + THEIR})}),
        evil=(({"a": Link(text({10: OUR + THEIR}))}, "a"),),
    ),
    "link and file": Case(
        base={"z": b"z\n"},
        ours={"z": b"z\n", "a": text()},
        theirs={"z": b"z\n", "a": Link(b"z")},
        honest=(
            {"z": b"z\n", "a": text()},
            {"z": b"z\n", "a": Link(b"z")},
            {"z": b"z\n", "a": text(), "a.link": Link(b"z")},
        ),
        evil=(({"z": b"z\n", "a": Link(b"/etc/passwd")}, "a"), ({"z": b"z\n", "a": text({2: X})}, "a")),
    ),
    "two links": Case(
        base={"a": Link(b"x")},
        ours={"a": Link(b"y")},
        theirs={"a": Link(b"z")},
        honest=({"a": Link(b"y")}, {"a": Link(b"z")}, {"a": Link(b"yz")}),
        evil=(({"a": b"y"}, "a"), ({"a": Link(b"y"), "evil": X}, "evil")),
    ),
    "submodule": Case(
        base={"a": S1, "z": b"z\n"},
        ours={"a": S2, "z": b"z\n"},
        theirs={"a": S3, "z": b"z\n"},
        honest=({"a": S2, "z": b"z\n"}, {"a": S3, "z": b"z\n"}, {"a": Submodule("4" * 40), "z": b"z\n"}),
        evil=(({"a": S2, "z": X}, "z"), ({"a": b"a file\n", "z": b"z\n"}, "a")),
    ),
    "file and folder": Case(
        base={"z": b"z\n"},
        ours={"z": b"z\n", "a": b"a file\n"},
        theirs={"z": b"z\n", "a/one": b"1\n", "a/two": b"2\n"},
        honest=(
            {"z": b"z\n", "a": b"a file\n"},
            {"z": b"z\n", "a/one": b"1\n", "a/two": b"2\n"},
            {"z": b"z\n", "a/one": b"1\n", "a/two": b"2\n", "a.txt": b"a file\n"},
            {"z": b"z\n", "a.d/one": b"1\n", "a.d/two": b"2\n", "a": b"a file\n"},
        ),
        evil=(
            ({"z": b"z\n", "a/one": X, "a/two": b"2\n"}, "a/one"),
            ({"z": b"z\n", "a": X}, "a"),
            ({"z": b"a file\n", "a": b"a file\n"}, "z"),
            ({"a": b"a file\n"}, "z"),
        ),
    ),
    "folder renamed": Case(
        base={f"old/{name}": text({1: name.encode()}) for name in "abc"},
        ours={f"new/{name}": text({1: name.encode()}) for name in "abc"},
        theirs={**{f"old/{name}": text({1: name.encode()}) for name in "abc"}, "old/d": b"added\n"},
        honest=(
            {**{f"new/{name}": text({1: name.encode()}) for name in "abc"}, "new/d": b"added\n"},
            {**{f"new/{name}": text({1: name.encode()}) for name in "abc"}, "old/d": b"added\n"},
        ),
        evil=(({**{f"new/{name}": text({1: name.encode()}) for name in "abc"}, "new/d": X}, "new/d"),),
    ),
    "unusual names": Case(
        base={"a\nb": text(), 'qu"ote': text(), "caf\udce9": text()},
        ours={"a\nb": text({10: OUR}), 'qu"ote': text({10: OUR}), "caf\udce9": text({10: OUR})},
        theirs={"a\nb": text({10: THEIR}), 'qu"ote': text({10: THEIR}), "caf\udce9": text({10: THEIR})},
        honest=({"a\nb": text({10: X}), 'qu"ote': text({10: X}), "caf\udce9": text({10: X})},),
        evil=(
            ({"a\nb": text({2: X}), 'qu"ote': text({10: X}), "caf\udce9": text({10: X})}, "a\nb"),
            ({"a\nb": text({10: X}), 'qu"ote': text({2: X}), "caf\udce9": text({10: X})}, 'qu"ote'),
            ({"a\nb": text({10: X}), 'qu"ote': text({10: X}), "caf\udce9": text({2: X})}, "caf\udce9"),
        ),
    ),
}


@pytest.fixture(params=GITS)
def git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each git in turn."""
    use_git(request.param, monkeypatch)
    return str(request.param)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """An empty folder, which must be empty again in the end."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.mark.usefixtures("git")
@pytest.mark.parametrize("name", CASES)
def test_honest_merges_are_explained_and_slipped_in_changes_are_not(name: str, tmp_path: Path, scratch: Path) -> None:
    case = CASES[name]
    folder = initialise(tmp_path / "repo")
    results = [*case.honest, *(files for files, _ in case.evil)]
    story = [Node(case.base), Node(case.ours, (0,)), Node(case.theirs, (0,))]
    _, ours, theirs, *made = plant(folder, *story, *(Node(files, (1, 2)) for files in results))
    found = differences(folder, scratch, ours, theirs, made)
    for files, difference in zip(case.honest, found, strict=False):
        assert difference is None or difference.unexplained == (), (name, files)
    for (files, path), difference in zip(case.evil, found[len(case.honest) :], strict=True):
        assert difference is not None, (name, files)
        assert path in {where for where, _ in difference.unexplained}, (name, files, difference)


@pytest.mark.usefixtures("git")
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_the_lines_slipped_in_are_named(object_format: str, tmp_path: Path, scratch: Path) -> None:
    case = CASES["content"]
    folder = initialise(tmp_path / "repo", f"--object-format={object_format}")
    evil = {"a": text({2: X, 10: OUR, 18: THEIR}), "b": b"b\n"}
    story = [Node(case.base), Node(case.ours, (0,)), Node(case.theirs, (0,)), Node(evil, (1, 2))]
    _, ours, theirs, merge = plant(folder, *story)
    (found,) = differences(folder, scratch, ours, theirs, [merge])
    assert found is not None
    assert found.commit == merge
    assert found.resolved == ("a",)
    ((path, hunk),) = found.unexplained
    assert (path, hunk.old_line, hunk.new_line, hunk.removed, hunk.added) == ("a", 2, 2, ("line 2",), ("evil",))


@pytest.mark.usefixtures("git")
def test_criss_cross_merges_have_two_bases(tmp_path: Path, scratch: Path) -> None:
    folder = initialise(tmp_path / "repo")
    both = {"a": text({10: b"agreed\n"})}
    story = [
        Node({"a": text()}),
        Node({"a": text({10: OUR})}, (0,)),
        Node({"a": text({10: THEIR})}, (0,)),
        Node(both, (1, 2)),
        Node({"a": text({10: b"otherwise\n"})}, (2, 1)),
        Node({"a": text({10: b"in the end\n"})}, (3, 4)),
        Node({"a": text({10: b"in the end\n", 2: X})}, (3, 4)),
    ]
    *_, ours, theirs, honest, evil = plant(folder, *story)
    fine, odd = differences(folder, scratch, ours, theirs, [honest, evil])
    assert fine is not None
    assert fine.unexplained == ()
    assert fine.resolved == ("a",)
    assert odd is not None
    assert [hunk.added for _, hunk in odd.unexplained] == [("evil",)]


@pytest.mark.usefixtures("git")
def test_unrelated_histories_are_merged(tmp_path: Path, scratch: Path) -> None:
    folder = initialise(tmp_path / "repo")
    results = [{"a": b"a\n", "b": b"b\n"}, {"a": b"a\n", "b": X}]
    story = [Node({"a": b"a\n"}), Node({"b": b"b\n"}), *(Node(files, (0, 1)) for files in results)]
    ours, theirs, honest, evil = plant(folder, *story)
    fine, odd = differences(folder, scratch, ours, theirs, [honest, evil])
    assert fine is None
    assert odd is not None
    assert odd.resolved == ()
    assert {path for path, _ in odd.unexplained} == {"b"}


@pytest.mark.usefixtures("git")
def test_invented_markers_widen_no_conflict(tmp_path: Path, scratch: Path) -> None:
    """Their branch was made when ours was known, so it may hold `<<<<<<< <ours>`, but not its own oid."""
    folder = initialise(tmp_path / "repo")
    _, ours = plant(folder, Node({"a": text()}), Node({"a": text({10: OUR})}, (0,)))
    begin, end = b"<<<<<<< %s\n" % ours.encode(), b">>>>>>> %s\n" % ours.encode()
    forged = {3: begin, 5: end, 7: begin, 13: end, 15: begin}
    story = [
        Node({"a": text()}),
        Node({"a": text({10: OUR})}, (0,)),
        Node({"a": text({**forged, 10: THEIR})}, (0,)),
        Node({"a": text({**forged, 10: OUR + THEIR})}, (1, 2)),
        *(Node({"a": text({**forged, 10: OUR + THEIR, number: X})}, (1, 2)) for number in (4, 8, 12, 14, 17)),
    ]
    _, again, theirs, honest, *evil = plant(folder, *story)
    fine, *odd = differences(folder, scratch, again, theirs, [honest, *evil])
    assert fine is not None
    assert fine.unexplained == ()
    for difference in odd:
        assert difference is not None
        assert difference.unexplained


def test_a_longer_marker_that_ends_nowhere_begins_nothing() -> None:
    merge = Recorded(commit="c" * 40, ours="a" * 40, theirs="b" * 40, tree="d" * 40)
    begin, end = b"<<<<<<< " + b"a" * 40, b">>>>>>> " + b"b" * 40
    inner = [b"<" + begin, b"x", b">" + end]
    assert conflicts.conflict_regions(merge, [begin, b"1", end]) == ((1, 3),)
    assert conflicts.conflict_regions(merge, [begin, *inner, end]) == ((1, 5),)
    assert conflicts.conflict_regions(merge, [*inner, begin, end]) == ((1, 3), (4, 5))
    assert conflicts.conflict_regions(merge, [b"<" + begin, b"1", end]) == ()
    assert conflicts.conflict_regions(merge, [begin, b"1", begin + b":name", b"2", end]) == ((3, 5),)
    assert conflicts.conflict_regions(merge, [b"<<<<<<< x", b"1", b">>>>>>> x", end]) == ()


def test_what_is_too_large_to_be_searched_for_markers_is_not_explained(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflicts, "MARKED_LIMIT", 100)
    case = CASES["content"]
    folder = initialise(tmp_path / "repo")
    results = [{**CONFLICT, "b": b"b\n"}, {"a": text({10: OUR}), "b": b"b\n"}]
    story = [Node(case.base), Node(case.ours, (0,)), Node(case.theirs, (0,))]
    _, ours, theirs, *made = plant(folder, *story, *(Node(files, (1, 2)) for files in results))
    by_hand, whole_side = differences(folder, scratch, ours, theirs, made)
    assert by_hand is not None
    assert by_hand.unexplained
    assert whole_side is not None
    assert whole_side.unexplained == ()


@pytest.mark.usefixtures("git")
def test_of_a_decided_file_that_became_executable_only_the_mode_is_not_explained(tmp_path: Path, scratch: Path) -> None:
    folder = initialise(tmp_path / "repo")
    results: list[Files] = [
        {"a": Program(text({10: X, 18: THEIR}))},
        {"a": Program(text({10: OUR}))},
        {"a": Program(text({3: X, 10: X, 18: THEIR}))},
    ]
    story = [Node({"a": text()}), Node({"a": text({10: OUR})}, (0,)), Node({"a": text({10: THEIR, 18: THEIR})}, (0,))]
    _, ours, theirs, *made = plant(folder, *story, *(Node(files, (1, 2)) for files in results))
    by_hand, whole_side, more = differences(folder, scratch, ours, theirs, made)
    for one in (by_hand, whole_side):
        assert one is not None
        assert [(path, hunk.note, hunk.removed) for path, hunk in one.unexplained] == [
            ("a", "mode 100644 became 100755", ())
        ]
    assert more is not None
    assert [(hunk.note, hunk.added) for _, hunk in more.unexplained] == [
        ("mode 100644 became 100755", ()),
        ("", ("evil",)),
    ]


def test_a_tree_written_in_another_way_is_not_explained(tmp_path: Path, scratch: Path) -> None:
    """Mode 100664 is read as 100644: another tree, in which no difference is found."""
    folder = initialise(tmp_path / "repo")
    story = [Node({"a": b"a\n"}), Node({"a": b"b\n"}, (0,)), Node({"a": b"a\n", "c": b"c\n"}, (0,))]
    _, ours, theirs = plant(folder, *story)
    blobs = [subprocess.check_output(["git", "rev-parse", name], cwd=folder) for name in (f"{ours}:a", f"{theirs}:c")]
    raw = b"".join(
        b"100664 %s\0%s" % (name, bytes.fromhex(oid.decode())) for name, oid in zip((b"a", b"c"), blobs, strict=True)
    )
    command = ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"]
    tree = subprocess.check_output(command, cwd=folder, input=raw).decode().strip()
    with MergeAgain(opened(folder), str(scratch)) as again:
        (found,) = again.differences([Recorded(commit="c" * 40, ours=ours, theirs=theirs, tree=tree)])
    ((path, hunk),) = found.unexplained
    assert path == "."
    assert "written in another way" in hunk.note


@pytest.mark.usefixtures("git")
def test_settings_attributes_and_drivers_of_the_machine_do_not_count(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    attributes = b"* merge=mine conflict-marker-size=20 text=auto\n"
    base = {".gitattributes": attributes, "a": text(), "old": text(lines=CRLF)}
    ours = {".gitattributes": attributes, "a": text({10: OUR}), "new": text(lines=CRLF)}
    theirs = {".gitattributes": attributes, "a": text({10: THEIR}), "old": text({5: b"5\r\n"}, CRLF)}
    good = {".gitattributes": attributes, "a": text({10: X}), "new": text({5: b"5\r\n"}, CRLF)}
    folder = initialise(tmp_path / "repo")
    story = [Node(base), Node(ours, (0,)), Node(theirs, (0,)), Node(good, (1, 2)), Node({**good, "b": X}, (1, 2))]
    _, first, second, honest, evil = plant(folder, *story)
    (folder / ".gitattributes").write_bytes(attributes)
    (folder / ".git" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "info" / "attributes").write_bytes(attributes)
    (folder / ".git" / ".gitattributes").write_bytes(attributes)
    settings = {
        "merge.mine.driver": f"touch '{ran}'; true",
        "merge.renames": "false",
        "merge.renameLimit": "1",
        "merge.directoryRenames": "true",
        "merge.conflictStyle": "diff3",
        "merge.renormalize": "true",
        "diff.renames": "false",
        "diff.algorithm": "patience",
        "core.bare": "true",
        "core.bigFileThreshold": "1",
    }
    for name, value in settings.items():
        subprocess.run(["git", "config", name, value], cwd=folder, check=True)
        subprocess.run(["git", "config", "--file", str(tmp_path / "global"), name, value], check=True)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "global"))
    fine, odd = differences(folder, scratch, first, second, [honest, evil])
    assert fine is not None
    assert fine.unexplained == ()
    assert fine.resolved == ("a",)
    assert odd is not None
    assert [(path, hunk.added) for path, hunk in odd.unexplained] == [("b", ("evil",))]
    assert not ran.exists()


@pytest.mark.usefixtures("git")
def test_two_thousand_merges_in_one_batch(tmp_path: Path, scratch: Path) -> None:
    folder = initialise(tmp_path / "repo")
    case = CASES["clean"]
    results = [Node(case.honest[0], (1, 2))] * 1999 + [Node(case.evil[0][0], (1, 2))]
    _, ours, theirs, *made = plant(folder, Node(case.base), Node(case.ours, (0,)), Node(case.theirs, (0,)), *results)
    found = differences(folder, scratch, ours, theirs, made)
    assert [number for number, one in enumerate(found) if one is not None] == [1999]


class Planted(NamedTuple):
    folder: Path
    ours: str
    theirs: str
    merge: str


def conflict(folder: Path, *options: str) -> Planted:
    """A repository with a conflict in `a` that was resolved by hand."""
    case = CASES["content"]
    initialise(folder, *options)
    story = [Node(case.base), Node(case.ours, (0,)), Node(case.theirs, (0,)), Node(case.honest[3], (1, 2))]
    _, ours, theirs, merge = plant(folder, *story)
    return Planted(folder, ours, theirs, merge)


@pytest.mark.usefixtures("git")
@pytest.mark.parametrize(
    "name", ["with space", "co:lon", 'qu"ote', "back\\slash", "new\nline", "café", "-option", "#x"]
)
def test_the_repository_is_left_as_it_was_wherever_it_lies(name: str, tmp_path: Path) -> None:
    planted = conflict(tmp_path / name / "repo")
    before = sorted(path.relative_to(planted.folder) for path in planted.folder.rglob("*"))
    scratch = tmp_path / name / 'scr:"atch'
    scratch.mkdir()
    (found,) = differences(planted.folder, scratch, planted.ours, planted.theirs, [planted.merge])
    assert found is not None
    assert found.unexplained == ()
    assert sorted(path.relative_to(planted.folder) for path in planted.folder.rglob("*")) == before


@pytest.mark.usefixtures("git")
def test_a_repository_that_borrows_objects_by_a_relative_path(tmp_path: Path, scratch: Path) -> None:
    planted = conflict(tmp_path / "lender", "--bare")
    borrower = initialise(tmp_path / "borrower", "--bare")
    (borrower / "objects" / "info").mkdir(exist_ok=True)
    (borrower / "objects" / "info" / "alternates").write_text("../../lender/objects\n")
    (found,) = differences(borrower, scratch, planted.ours, planted.theirs, [planted.merge])
    assert found is not None
    assert found.unexplained == ()


@pytest.mark.usefixtures("git")
def test_a_partial_clone_fetches_what_it_needs(tmp_path: Path, scratch: Path) -> None:
    planted = conflict(tmp_path / 'the "origin"')
    for setting in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        subprocess.run(["git", "config", setting, "true"], cwd=planted.folder, check=True)
    subprocess.run(["git", "update-ref", "refs/heads/main", planted.merge], cwd=planted.folder, check=True)
    url = "file://" + str(planted.folder).replace('"', "%22").replace(" ", "%20")
    clone = tmp_path / 'back\\slash and "quote"'
    subprocess.run(["git", "clone", "-q", "--bare", "--filter=blob:none", url, str(clone)], check=True)
    absent = subprocess.run(
        ["git", "rev-list", "--objects", "--all", "--missing=print"], cwd=clone, capture_output=True, check=True
    ).stdout
    assert b"\n?" in absent
    attributes, ran = tmp_path / "attributes", tmp_path / "ran"
    attributes.write_text("* merge=mine\n")
    for name, value in (("core.attributesFile", str(attributes)), ("merge.mine.driver", f"touch {ran}")):
        subprocess.run(["git", "config", name, value], cwd=clone, check=True)
    (found,) = differences(clone, scratch, planted.ours, planted.theirs, [planted.merge])
    assert found is not None
    assert found.resolved == ("a",)
    assert found.unexplained == ()
    assert not ran.exists()


def test_a_shallow_clone_is_merged_from_where_it_was_cut(tmp_path: Path, scratch: Path) -> None:
    planted = conflict(tmp_path / "origin")
    subprocess.run(["git", "update-ref", "refs/heads/main", planted.merge], cwd=planted.folder, check=True)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=2", f"file://{planted.folder}", str(clone)], check=True)
    (found,) = differences(clone, scratch, planted.ours, planted.theirs, [planted.merge])
    assert found is not None
    assert found.resolved  # without the base both sides added everything


def test_a_store_without_packs(tmp_path: Path, scratch: Path) -> None:
    planted = conflict(tmp_path / "repo")
    packs = planted.folder / ".git" / "objects" / "pack"
    for pack in packs.glob("*.pack"):
        content = pack.read_bytes()
        pack.unlink()
        subprocess.run(["git", "unpack-objects", "-q"], cwd=planted.folder, input=content, check=True)
    shutil.rmtree(packs)
    (found,) = differences(planted.folder, scratch, planted.ours, planted.theirs, [planted.merge])
    assert found is not None
    assert found.unexplained == ()


def test_nothing_to_merge_starts_nothing(tmp_path: Path, scratch: Path) -> None:
    planted = conflict(tmp_path / "repo")
    with MergeAgain(opened(planted.folder), str(scratch)) as again:
        again.git.program = "/nowhere/git"
        assert list(again.merge([])) == []


def test_a_missing_commit_is_an_error(tmp_path: Path, scratch: Path) -> None:
    planted = conflict(tmp_path / "repo")
    with MergeAgain(opened(planted.folder), str(scratch)) as again, pytest.raises(GitError, match="merge-tree"):
        list(again.merge([(planted.ours, "1" * 40)]))
    assert list(scratch.iterdir()) == []


def test_a_git_that_ends_early_is_an_error(tmp_path: Path, scratch: Path) -> None:
    planted = conflict(tmp_path / "repo")
    fake = tmp_path / "git"
    fake.write_text('#!/bin/sh\nprintf "1\\0%s\\0" 123\n')
    fake.chmod(0o755)
    with MergeAgain(opened(planted.folder), str(scratch)) as again:
        again.git.program = str(fake)
        with pytest.raises(GitError, match="before all merges were made"):
            list(again.merge([(planted.ours, planted.theirs)]))


def test_an_old_git_cannot_make_merges_again(tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = opened(initialise(tmp_path / "repo"))
    monkeypatch.setattr(merges, "git_version", lambda git: (2, 38, 1))
    with pytest.raises(UndeterminedError, match=r"2\.38\.1 is too old to make merges again: 2\.39 or newer"):
        MergeAgain(repository, str(scratch))
    assert list(scratch.iterdir()) == []


def test_a_scratch_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = conflict(tmp_path / "repo")
    with pytest.raises(GitError, match="no scratch folder") as raised:
        MergeAgain(opened(planted.folder), str(tmp_path / "nowhere"))
    assert "TMPDIR" in raised.value.remedy

    def full(path: str) -> None:
        raise OSError(28, "No space left on device")

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(os, "makedirs", full)
    with pytest.raises(GitError, match="No space left") as raised:
        MergeAgain(opened(planted.folder), str(scratch))
    assert "TMPDIR" in raised.value.remedy
    assert list(scratch.iterdir()) == []


@pytest.mark.usefixtures("git")
def test_what_is_staged_is_written_to_the_scratch_folder_only(tmp_path: Path, scratch: Path) -> None:
    planted = conflict(tmp_path / "repo")
    subprocess.run(["git", "reset", "-q", "--hard", planted.merge], cwd=planted.folder, check=True)
    (planted.folder / "new").write_bytes(b"new\n")
    subprocess.run(["git", "add", "new"], cwd=planted.folder, check=True)
    objects = sorted((planted.folder / ".git" / "objects").rglob("*"))
    repository = opened(planted.folder)
    with MergeAgain(repository, str(scratch)) as again:
        tree = again.write_index(repository)
        assert again.git.text("ls-tree", "--name-only", tree).split("\n") == ["a", "b", "new"]
    assert sorted((planted.folder / ".git" / "objects").rglob("*")) == objects
    subprocess.run(["git", "reset", "-q", "--hard", planted.ours], cwd=planted.folder, check=True)
    subprocess.run(["git", "merge", "-q", planted.theirs], cwd=planted.folder, capture_output=True, check=False)
    with MergeAgain(repository, str(scratch)) as again, pytest.raises(GitError, match="write-tree"):
        again.write_index(repository)


def test_trees_of_the_story(tmp_path: Path) -> None:
    planted = conflict(tmp_path / "repo")
    assert len(set(trees(opened(planted.folder), [planted.ours, planted.theirs, planted.merge]))) == 3
