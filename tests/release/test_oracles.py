"""The oracles themselves: on a small history they agree with git, and they notice when ours would be wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.oracles import tags
from benchmarks.oracles.__main__ import main
from benchmarks.oracles.peer import Peer
from rollback_guard.git.conflicts import Automatic
from rollback_guard.git.merges import MergeAgain
from rollback_guard.release.model import Plan
from rollback_guard.release.revert import plan_revert
from tests.release.stories import land
from tests.support.builder import RepositoryBuilder, told_once

LINES = [f"line {number}\n" for number in range(1, 31)]


def text(**changed: str) -> str:
    """The lines, some of them changed: `l15="a"`."""
    lines = list(LINES)
    for name, to in changed.items():
        lines[int(name[1:]) - 1] = f"{to}\n"
    return "".join(lines)


def said(repo: RepositoryBuilder, reverted: str, **files: str) -> str:
    """A commit whose message says that it reverts another one, whatever it does."""
    return repo.commit(f'Revert "it"\n\nThis reverts commit {reverted}.', **files)


@told_once
def history(path: Path) -> RepositoryBuilder:
    """Reverts of every kind, and four tags on one line of commits, one beside it."""
    repo = RepositoryBuilder(path)
    repo.commit("Begin", a_dot_txt=text())
    repo.stable_tag("v1")
    first = repo.commit("Line 3", a_dot_txt=text(l3="three"))
    middle = repo.commit("Line 15", a_dot_txt=text(l3="three", l15="fifteen"))
    said(repo, first, a_dot_txt=text(l15="fifteen"))  # as git does it
    repo.stable_tag("v2")
    merge = land(repo, "feature/one", one_dot_py="1\n")
    repo.git("rm", "-q", "one.py")
    said(repo, merge, other_dot_py="more than git would do\n")
    repo.git("tag", "v3")
    again = repo.commit("Line 15 again", a_dot_txt=text(l15="again"))
    said(repo, middle, a_dot_txt=text())  # a conflict, which somebody resolved
    said(repo, again)  # another one
    said(repo, first)  # nothing is left of it
    repo.branch("elsewhere")
    beside = repo.commit("Beside", b_dot_txt="b\n")
    repo.git("tag", "beside")
    repo.checkout("main")
    said(repo, beside)  # this branch does not have it
    said(
        repo, repo.git("commit-tree", "-m", "Alone", f"{first}^{{tree}}", **repo.as_person("omar"))
    )  # no common history
    said(repo, "0123456789abcdef0123456789abcdef01234567")  # nobody has it
    repo.stable_tag("v4")
    repo.git("tag", "also-v4")
    return repo


def asked(repo: RepositoryBuilder, *more: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and the JSON of the one repository."""
    file = repo.path.parent / "found.json"
    status = main(["--repository", str(repo.path), "--json", str(file), *more])
    (one,) = json.loads(file.read_text())["repositories"]
    return status, one


def test_both_agree_on_every_kind_of_revert_and_every_pair_of_tags(
    path_of_repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = history(path_of_repo)
    before = repo.git("for-each-ref") + repo.git("count-objects", "-v")
    status, found = asked(repo, "--closed")
    assert (status, found["replays"]["differences"], found["tags"]["differences"]) == (0, [], [])
    counted = {key: found["replays"][key] for key in found["replays"] if key != "differences"}
    assert counted == {
        "messages": 8, "unknown": 1, "replayed": 7, "clean": 2, "conflicts": 2, "nothing": 1, "refused": 2, "unread": 0,
        "author_same": 1, "author_different": 1, "closed": 2, "absent": [],
    }  # fmt: skip
    # v2, v3, v4 and the one beside lie above v1, and so on: 1 + 2 + 3 + 3.
    assert (found["tags"]["tags"], found["tags"]["pairs"], found["tags"]["planned"]) == (4, 9, 9)
    assert (found["tags"]["executed"], found["tags"]["neighbours"]) == (9, 3)
    assert repo.git("for-each-ref") + repo.git("count-objects", "-v") == before
    out = capsys.readouterr().out
    assert repo.head() in out
    assert len([line for line in out.split("\n") if line.startswith("|")]) == 3


def test_where_the_budget_ends_pairs_are_planned_and_neighbours_are_still_carried_out(path_of_repo: Path) -> None:
    status, found = asked(history(path_of_repo), "--part", "tags", "--budget", "0")
    assert (status, found["replays"]) == (0, None)
    assert (found["tags"]["planned"], found["tags"]["executed"], found["tags"]["neighbours"]) == (9, 0, 4)


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (lambda onto: Automatic(tree=onto), "ours: nothing"),
        (lambda onto: Automatic(tree=onto, conflicts=(("b.txt", ("CONFLICT",)),)), "conflict: git a.txt; ours b.txt"),
    ],
)
def test_a_merge_that_is_wrong_is_noticed(
    path_of_repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: Any, kind: str
) -> None:
    monkeypatch.setattr(MergeAgain, "reverse", lambda self, onto, away, back: wrong(onto))
    status, found = asked(history(path_of_repo), "--part", "replays")
    assert status == 1
    assert any(kind in line for line in found["replays"]["differences"])
    assert "DIFFERENT" in capsys.readouterr().err


def test_refusing_what_could_be_undone_is_noticed_and_so_is_the_opposite(
    path_of_repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollback_guard.release.only_units._outside", lambda git, commits, tip: frozenset(commits))
    status, found = asked(history(path_of_repo), "--part", "replays")
    assert (status, found["replays"]["refused"], len(found["replays"]["differences"])) == (1, 2, 5)
    monkeypatch.setattr("rollback_guard.release.only_units._outside", lambda git, commits, tip: frozenset())
    status, found = asked(RepositoryBuilder(path_of_repo), "--part", "replays")
    assert status == 1
    assert "ours should have refused" in found["replays"]["differences"][0]


@pytest.mark.parametrize("budget", ["0", "1000"])
def test_a_revert_to_another_tree_is_noticed(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch, budget: str) -> None:
    def plan(*args: Any, **options: Any) -> Plan:
        made = plan_revert(*args, **options)
        reverts = [
            one._replace(tree=made.reverts[0].tree) if one.tree == made.reverts[-1].tree else one
            for one in made.reverts
        ]
        return made._replace(reverts=tuple(reverts))

    monkeypatch.setattr(tags, "plan_revert", plan)
    status, found = asked(history(path_of_repo), "--part", "tags", "--budget", budget)
    assert status == 1
    assert found["tags"]["differences"]


def test_a_snapshot_without_the_content_of_a_large_file_is_compared_all_the_same(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin", a_dot_txt=text(), big_file="large\n")
    first = repo.commit("Line 3", a_dot_txt=text(l3="three"))
    said(repo, first, a_dot_txt=text())
    blob = repo.git("rev-parse", "HEAD:big_file")
    os.unlink(path_of_repo / ".git" / "objects" / blob[:2] / blob[2:])
    status, found = asked(repo, "--part", "replays")
    assert (status, found["replays"]["clean"], found["replays"]["absent"]) == (0, 1, ["big_file"])


def test_what_git_itself_cannot_do_is_counted_and_not_compared(
    path_of_repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Peer, "stand_at", lambda self, commit: self.git("no-such-command"))
    status, found = asked(history(path_of_repo), "--part", "replays")
    assert (status, found["replays"]["unread"], found["replays"]["refused"]) == (0, 5, 2)


def test_a_sample_is_every_nth_revert_and_newer_tag(path_of_repo: Path) -> None:
    status, found = asked(history(path_of_repo), "--every", "3")
    assert (status, found["replays"]["replayed"], found["tags"]["tags"]) == (0, 3, 2)


def test_names_belong_to_repositories() -> None:
    with pytest.raises(SystemExit):
        main(["--repository", "a", "--repository", "b", "--name", "a"])
