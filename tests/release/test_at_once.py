"""Two leads go back, or tag, at the same moment: one wins, the other is told, and nothing is half done."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from rollback_guard.release.tagging import next_name
from tests.cli.test_release_record import jane, landed
from tests.cli.test_revert_more import two_branches
from tests.release.stories import TAG, busy, opened, quarantines
from tests.release.test_only import numbered
from tests.support.builder import RepositoryBuilder
from tests.support.commands import guard
from tests.support.killing import Step, at_once, stopped
from tests.support.servers import Server
from tests.support.signing import key_of

__all__ = ["jane"]
LAST_MOMENT = Step("release.moving", "update_refs", "before")
WITHOUT_THE_FILES = Step("release.moving", "move_work_tree", "before")
AT_THE_PUSH = Step("entry.releasing", "push_watched", "before")
BOTH = ("main", "legacy")


class Story(NamedTuple):
    """A repository, the way back that two leads take in it, and how many commits each branch gets by one of them."""

    repo: RepositoryBuilder
    command: tuple[str, ...]
    made: dict[str, int]

    def tips(self) -> dict[str, str]:
        """Where the branches are."""
        return {branch: self.repo.head(branch) for branch in self.made}


@pytest.fixture(params=["each", "only", "set"])
def story(request: pytest.FixtureRequest, path_of_repo: Path) -> Story:
    if request.param == "set":
        branches = tuple(word for branch in BOTH for word in ("--branch", branch))
        return Story(two_branches(path_of_repo), ("revert", *branches, "--yes"), dict.fromkeys(BOTH, 1))
    if request.param == "only":
        repo = numbered(path_of_repo, (3, "three"), (15, "fifteen"), (28, "last"))
        return Story(repo, ("revert", "--mode", "only", repo.head("main~1"), "--yes"), {"main": 1})
    return Story(busy(path_of_repo), ("revert", "--yes"), {"main": 3})


def went_back_once(story: Story, before: dict[str, str]) -> None:
    """Every branch has the commits of one way back, the work tree follows, and nothing else is left."""
    repo = story.repo
    for branch, count in story.made.items():
        assert repo.git("rev-list", "--count", "--first-parent", f"{before[branch]}..{branch}") == str(count)
    assert repo.git("status", "--porcelain") == ""
    assert opened(repo).git.run("fsck", "--strict").returncode == 0
    assert quarantines(repo) == []
    assert "Nothing" in guard(repo.path, *story.command).out


def test_whoever_comes_second_is_told(story: Story) -> None:
    before, names = story.tips(), story.repo.git("for-each-ref", "--format=%(refname)")
    second = stopped(story.repo.path, LAST_MOMENT, *story.command)
    first = guard(story.repo.path, *story.command)
    assert first.code == 0, first.err
    tips = story.tips()
    said = second.ended()
    assert (said.code, "no ref was moved" in said.err) == (1, True), said
    assert "somebody may have moved the branch meanwhile" in said.err
    assert story.tips() == tips
    assert story.repo.git("for-each-ref", "--format=%(refname)") == names
    went_back_once(story, before)


def test_whoever_comes_while_the_files_move_changes_nothing(story: Story) -> None:
    """The branch is where it goes, its work tree is not yet: to anybody else that looks like work of somebody's."""
    before = story.tips()
    first = stopped(story.repo.path, WITHOUT_THE_FILES, *story.command)
    tips = story.tips()
    assert tips != before
    second = guard(story.repo.path, *story.command)
    assert "Nothing" in second.out or (second.code, "not committed" in second.err) == (1, True)
    said = first.ended()
    assert said.code == 0, said.err
    assert story.tips() == tips
    went_back_once(story, before)


def test_with_no_order_at_all(story: Story) -> None:
    before = story.tips()
    said = at_once(*((story.repo.path, story.command) for _ in range(3)))
    assert [one.out.count("proven: ") for one in said].count(len(story.made)) == 1
    for one in said:
        assert one.code == 0 or "guard: " in one.err
        assert "report" not in one.err  # nobody crashed
    went_back_once(story, before)


def test_in_two_clones_the_server_takes_one_and_the_other_gets_a_way_on(
    path_of_repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = busy(path_of_repo)
    server = Server(tmp_path / "server.git")
    server.takes(repo, "main", "refs/tags/*")
    repo.git("remote", "add", "origin", server.url)
    repo.git("fetch", "-q", "origin")
    shutil.copytree(repo.path, tmp_path / "other")
    other = RepositoryBuilder(tmp_path / "other")
    tip = repo.head()
    command = ("revert", "--yes", "--push", "--reason", "it broke")
    with monkeypatch.context() as omar:  # two people: the same commits by one person would be one way back
        omar.setenv("GIT_COMMITTER_NAME", "Omar Haddad")
        second = stopped(other.path, Step("entry.revert_push", "push_watched", "before"), *command)
    first = guard(repo.path, *command)
    assert (first.code, server.tip()) == (0, repo.head()), first.err
    said = second.ended()
    assert said.code == 1
    assert "but origin did not take it: " in said.err
    assert "(stale info)" in said.err
    assert server.tip() == repo.head()
    # What it says is what helps, as it is written: back, fetch, forward, and a plan with nothing in it.
    remedy = said.err.split("→ ")[1].strip()
    assert remedy.startswith(f"git reset --keep {tip} && git fetch origin && ")
    words = shlex.split(remedy, comments=True)
    at = max(index for index, word in enumerate(words) if word == "&&")
    subprocess.run(shlex.join(words[:at]).replace("'&&'", "&&"), cwd=other.path, shell=True, check=True)
    assert other.head("main") == server.tip()
    planned = guard(other.path, *words[at + 2 :])
    assert (planned.code, planned.out.startswith("Nothing to revert: ")) == (0, True), planned
    assert other.tree("main") == other.tree(TAG)


@pytest.fixture
def clones(path_of_repo: Path, tmp_path: Path) -> tuple[RepositoryBuilder, RepositoryBuilder, Server]:
    """Two clones of one shop, and its server."""
    repo = landed(path_of_repo)
    server = Server(tmp_path / "server.git")
    server.takes(repo, "main")
    repo.git("remote", "add", "origin", server.url)
    shutil.copytree(repo.path, tmp_path / "other")
    return repo, RepositoryBuilder(tmp_path / "other"), server


def tags_of(repo: RepositoryBuilder) -> dict[str, str]:
    """The objects of a repository's tags."""
    lines = repo.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/tags").split("\n")
    return {name: oid for name, _, oid in (line.partition(" ") for line in lines)}


def recorded(repo: RepositoryBuilder) -> set[str]:
    """The tags that are signed for here."""
    listed = json.loads(guard(repo.path, "evidence", "list", "--all", "--format", "json").out)["evidence"]
    said = [guard(repo.path, "evidence", "show", one["id"]).out for one in listed if one["kind"] == "release"]
    return {word.rstrip(",") for text in said for word in text.split() if word.startswith("stable/")}


COMMAND = ("release", "--push", "--format", "json", "--key")


def test_two_releases_in_two_clones_get_two_numbers(
    clones: tuple[RepositoryBuilder, RepositoryBuilder, Server],
) -> None:
    one, other, server = clones
    command = (*COMMAND, key_of("jane"))
    # The same words by one person in one second would be one tag, and no two numbers would be needed.
    second = stopped(other.path, AT_THE_PUSH, *command, "--message", "Mine")
    first = guard(one.path, *command)
    assert first.code == 0, first.err
    said = second.ended()
    assert said.code == 0, said.err
    assert (first.json["tag"].endswith(".1"), said.json["tag"].endswith(".2")) == (True, True)
    assert tags_of(one) == {first.json["tag"]: first.json["object"]}
    assert tags_of(other) == {said.json["tag"]: said.json["object"]}  # the one that lost its number is gone
    assert tags_of(server.builder) == {**tags_of(one), **tags_of(other)}
    assert (recorded(one), recorded(other)) == (set(tags_of(one)), set(tags_of(other)))


def test_a_number_that_is_taken_in_the_same_clone_after_it_was_chosen(
    clones: tuple[RepositoryBuilder, RepositoryBuilder, Server],
) -> None:
    one = clones[0]
    mine = stopped(one.path, Step("release.tagging", "check_tag_name", "before"), "release", "--format", "json")
    now = int(time.time())
    for moment in (now, now + 86400):  # whatever day it was when the number was chosen
        one.git("tag", "-a", "-m", "Theirs", next_name("stable/{date}.{number}", (), moment), "main~1")
    said = mine.ended()
    assert said.code == 0, said.err
    assert said.json["tag"].endswith(".2")


def test_killed_when_its_number_was_taken_it_says_how_to_go_on(
    clones: tuple[RepositoryBuilder, RepositoryBuilder, Server],
) -> None:
    one, other, server = clones
    command = (*COMMAND, key_of("jane"))
    first = guard(one.path, *command)
    other.git("tag", "-a", "-m", "Mine", first.json["tag"], "main", **other.as_person("jane"))
    said = guard(other.path, "release", "--push")
    assert said.code == 1
    remedy = said.err.split("→ ")[1].strip()
    assert remedy.startswith(f"git tag -d {first.json['tag']} && guard release --push   # ")
    other.git("tag", "-d", first.json["tag"])
    assert guard(other.path, *command).json["tag"].endswith(".2")
    assert len(tags_of(server.builder)) == 2


def test_releases_with_no_order_at_all(clones: tuple[RepositoryBuilder, RepositoryBuilder, Server]) -> None:
    one, other, server = clones
    command = (*COMMAND, key_of("jane"))
    said = at_once((one.path, command), (other.path, command), (other.path, command))
    assert [done.code for done in said] == [0, 0, 0], [one.err or one.out for one in said]
    made = {done.json["tag"]: done.json["object"] for done in said}
    assert tags_of(server.builder) == made
    assert {**tags_of(one), **tags_of(other)} == made
    assert recorded(one) | recorded(other) == set(made)
