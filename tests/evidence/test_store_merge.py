"""Two stores become one that has everything of both, whatever one of them did to it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from rollback_guard.errors import GitError, UndeterminedError
from rollback_guard.evidence import store_merge
from rollback_guard.evidence.store import record
from rollback_guard.evidence.store_merge import Merged, merge
from rollback_guard.evidence.store_paths import EVIDENCE, MOST, folder_of
from rollback_guard.git.refs import is_ancestor
from rollback_guard.git.repository import Repository
from tests.evidence.stores import entry, everything, files_of, key, made, name_of, path_of, planted, tip_of, writing
from tests.support.gits import Files, Link, Submodule

THEIRS = "refs/rollback-guard/remotes/origin/evidence"


@pytest.fixture(params=["sha1", "sha256"])
def repository(path_of_repo: Path, request: pytest.FixtureRequest) -> Repository:
    return made(path_of_repo, object_format=request.param)


@pytest.fixture
def ours(path_of_repo: Path) -> Repository:
    """A store that has "one" and "two"."""
    repository = made(path_of_repo)
    record(repository, [entry("one")])
    record(repository, [entry("two")])
    return repository


def files(*texts: str) -> dict[str, bytes]:
    return {path_of(text): text.encode() for text in texts}


def parents(repository: Repository, rev: str = EVIDENCE) -> list[str]:
    return repository.git.text("rev-parse", f"{rev}^@").split()


def test_diverged_stores_become_one(repository: Repository) -> None:
    record(repository, [entry("both"), entry("ours")])
    theirs = planted(repository, files("both", "theirs"), ref=THEIRS)
    before = tip_of(repository)
    merged = merge(repository, theirs, name="origin")
    assert merged == Merged(tip=tip_of(repository), added=1)
    assert everything(repository) == {"both", "ours", "theirs"}
    assert parents(repository) == [before, theirs]
    assert repository.git.text("log", "-1", "--format=%s", EVIDENCE) == "evidence: union with origin"
    assert merge(repository, theirs) == Merged(tip=merged.tip)
    assert merge(repository, theirs, join=True).tip == merged.tip


def test_where_there_is_no_store_theirs_is_ours(repository: Repository) -> None:
    theirs = planted(repository, files("theirs"), ref=THEIRS)
    assert merge(repository, theirs) == Merged(tip=theirs, added=1)
    assert merge(repository, theirs) == Merged(tip=theirs)
    assert everything(repository) == {"theirs"}


def test_one_that_only_has_more_is_followed(ours: Repository) -> None:
    theirs = planted(ours, {**files_of(ours), **files("three")}, ref=THEIRS, onto=tip_of(ours))
    assert merge(ours, theirs) == Merged(tip=theirs, added=1)
    assert tip_of(ours) == theirs


@pytest.mark.parametrize("forward", [True, False], ids=["forward", "rewritten"])
def test_what_they_deleted_stays(ours: Repository, forward: bool) -> None:
    before = tip_of(ours)
    theirs = planted(ours, files("two", "three"), ref=THEIRS, onto=before if forward else "")
    merge(ours, theirs)
    assert everything(ours) == {"one", "two", "three"}
    assert parents(ours) == [before, theirs]


def test_one_that_lost_everything_moves_nothing_unless_it_is_to_be_pushed_to(ours: Repository) -> None:
    before = tip_of(ours)
    theirs = planted(ours, {"README.md": b"empty"}, ref=THEIRS, onto=before)
    merged = merge(ours, theirs)
    assert merged == Merged(tip=before, skipped=("/README.md: no evidence lies there",))
    joined = merge(ours, theirs, join=True)
    assert parents(ours, joined.tip or "") == [before, theirs]
    assert everything(ours) == {"one", "two"}
    assert "README.md" not in files_of(ours)


def test_what_they_wrote_over_stays_as_it_was(ours: Repository) -> None:
    forged: Files = {**files("three"), path_of("one"): b"forged", path_of("two"): Link(b"one")}
    theirs = planted(ours, forged, ref=THEIRS, onto=tip_of(ours))
    merged = merge(ours, theirs)
    assert merged.added == 1
    assert sorted(line.rpartition(": ")[2] for line in merged.skipped) == [
        "a symbolic link",
        "its name is not the digest of its content",
    ]
    assert everything(ours) == {"one", "two", "three"}
    assert files_of(ours)[path_of("one")] == b"one"


def test_a_true_entry_takes_the_place_of_a_false_one(ours: Repository) -> None:
    planted(ours, {**files("one"), path_of("two"): b"forged"})
    merge(ours, planted(ours, files("two"), ref=THEIRS))
    assert everything(ours) == {"one", "two"}


def test_what_is_no_evidence_is_not_taken_over(ours: Repository) -> None:
    odd: Files = {
        **files("three"),
        "sign-off/link": Link(b"/etc"),
        f"sign-off/{key('x')[:2]}/{key('x')}": Submodule("3" * 40),
        folder_of("sign-off", key("change")) + "/sub/deep/er.json": b"deep",
        path_of("y" * 70_000): b"y" * 70_000,
        f"waiver/00/{key('z')}/{name_of('z')}": b"z",
        **{f"more/{number:02}": b"more" for number in range(30)},
    }
    theirs = planted(ours, odd, ref=THEIRS)
    merged = merge(ours, theirs)
    assert everything(ours) == {"one", "two", "three"}
    assert set(files_of(ours)) == {
        *files("one", "two", "three"),
        *(f"about/11/{'1' * 40}/{name_of(t)}" for t in ("one", "two")),
    }
    assert len(merged.skipped) == store_merge.TOLD
    assert merged.skipped[-1] == "and 16 more"


def test_a_flood_about_one_binding_is_not_taken_over(ours: Repository) -> None:
    flood = {path_of(f"n {number}"): f"n {number}".encode() for number in range(MOST - 1)}
    theirs = planted(ours, {**flood, path_of("other", about="x"): b"other"}, ref=THEIRS)
    merged = merge(ours, theirs)
    assert merged.skipped == (f"{folder_of('sign-off', key('change'))}: more than 1,000 entries",)
    assert everything(ours) == {"one", "two", "other"}
    assert merge(ours, theirs).added == 0


def test_what_cannot_be_read_moves_nothing(ours: Repository) -> None:
    before = tip_of(ours)
    theirs = planted(ours, files("three"), ref=THEIRS)
    blob = ours.git.text("rev-parse", f"{theirs}:{path_of('three')}")
    Path(ours.objects_dir, blob[:2], blob[2:]).unlink(missing_ok=True)
    for pack in Path(ours.objects_dir, "pack").glob("*.pack"):
        raise AssertionError(pack)
    with pytest.raises(GitError, match="missing"):
        merge(ours, theirs)
    with pytest.raises(UndeterminedError, match="holds no tree"):
        merge(ours, "4" * 40)
    assert tip_of(ours) == before


def test_records_meanwhile_are_not_lost(ours: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = planted(ours, {**files_of(ours), **files("theirs")}, ref=THEIRS, onto=tip_of(ours))
    calls: list[str] = []

    def meanwhile(repository: Repository, old: str, new: str) -> bool:
        if not calls:
            calls.append(record(repository, [entry("meanwhile")]))
        return is_ancestor(repository, old, new)

    monkeypatch.setattr(store_merge, "is_ancestor", meanwhile)
    merge(ours, theirs)
    assert everything(ours) == {"one", "two", "theirs", "meanwhile"}
    assert parents(ours) == [calls[0], theirs]


def test_killed_before_the_ref_moves(ours: Repository) -> None:
    before = tip_of(ours)
    theirs = planted(ours, files("theirs"), ref=THEIRS)
    code = """
import signal
from rollback_guard.evidence import store_moves
from rollback_guard.evidence.store_merge import merge
store_moves.update_refs = lambda *args, **options: os.kill(os.getpid(), signal.SIGKILL)
merge(repo, sys.argv[1])
"""
    process = writing(Path(ours.git.cwd), code, theirs)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert tip_of(ours) == before
    merge(ours, theirs)
    assert everything(ours) == {"one", "two", "theirs"}
