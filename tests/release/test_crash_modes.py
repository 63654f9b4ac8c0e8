"""Killed with SIGKILL, every kind of way back leaves the old state or the new one; the command again ends it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.test_revert_more import as_jane, signing_shop, two_branches
from tests.release.stories import TAG, busy, opened, quarantines
from tests.release.test_migrated import EXPAND, FIRST, shop
from tests.release.test_only import numbered
from tests.support.builder import POLICY, RepositoryBuilder
from tests.support.commands import guard
from tests.support.killing import Step, kill

ENGINE, WRITING, MOVING = "release.revert", "release.writing", "release.moving"
KEPT = Step("git.fast_import", "keep", owner="Quarantine")
NOT_YET, MOVED = Step(MOVING, "update_refs", "before"), Step(MOVING, "update_refs")
WITH_THE_FILES = Step(MOVING, "move_work_tree")


class Kind(NamedTuple):
    """A kind of way back: its options, where it can be cut off, and how many commits it makes on each branch."""

    args: tuple[str, ...]
    steps: tuple[Step, ...]  # before any ref moved
    made: dict[str, int]


KINDS = {
    "single": Kind(
        args=("--mode", "single"),
        steps=(Step(WRITING, "write_commits"), Step(ENGINE, "prove"), KEPT),
        made={"main": 1},
    ),
    "only": Kind(
        args=("--mode", "only", "main~1"),
        steps=(
            Step("release.only", "__enter__", owner="Undoing"),
            Step(WRITING, "write_commits"),
            Step("release.only_run", "gather", "before"),
            Step("release.only_run", "gather"),
            Step("release.only_run", "prove_only"),
            KEPT,
        ),
        made={"main": 1},
    ),
    "set": Kind(
        args=("--branch", "main", "--branch", "legacy"),
        steps=(
            Step(WRITING, "write_commits"),
            Step(WRITING, "write_commits", "before", call=2),
            Step(ENGINE, "prove", call=2),
            Step("git.fast_import", "keep_file", call=2),  # one pack is whole, the other is not
            KEPT,
        ),
        made={"main": 1, "legacy": 1},
    ),
    "signed": Kind(
        args=(),
        steps=(
            Step("git.signed_commits", "identity"),
            Step("git.signed_commits", "gather", "before"),
            Step("git.signed_commits", "gather"),
            Step(WRITING, "write_signed_commits"),
            Step(ENGINE, "prove"),
            KEPT,
        ),
        made={"main": 2},
    ),
    "kept": Kind(
        args=(),
        steps=(
            Step("release.migrated", "write_kept"),  # while it is planned
            Step(ENGINE, "write_kept"),
            Step(WRITING, "write_commits"),
            Step(ENGINE, "gather", "before"),
            Step(ENGINE, "gather"),
            Step(ENGINE, "prove"),
            KEPT,
        ),
        made={"main": 2},
    ),
}
CUT = [
    pytest.param(kind, step, moved, id=f"{kind}-{step}")
    for kind, one in KINDS.items()
    for step, moved in [*((step, False) for step in one.steps), (NOT_YET, False), (MOVED, True), (WITH_THE_FILES, True)]
]


def begun(kind: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> RepositoryBuilder:
    """The repository in which a kind of way back is shown."""
    as_jane(monkeypatch)
    if kind == "only":
        return numbered(path, (3, "three"), (15, "fifteen"), (28, "last"))
    if kind == "set":
        return two_branches(path)
    if kind == "signed":
        return signing_shop(path)
    return shop(path, EXPAND, policy=POLICY) if kind == "kept" else busy(path)


def is_back(kind: str, repo: RepositoryBuilder, before: dict[str, str]) -> bool:
    """Whether every branch has what the kind of way back promises, by as many commits as it takes."""
    right = True
    for branch, tip in before.items():
        count = int(repo.git("rev-list", "--count", "--first-parent", f"{tip}..{branch}"))
        right = right and count == KINDS[kind].made[branch]
    if kind == "only":
        return right and "line 15" in repo.git("show", "main:a.txt") and "last" in repo.git("show", "main:a.txt")
    tags = {"main": TAG} if kind != "set" else {"main": "stable/2026.11.22.1", "legacy": "stable/2026.11.23.1"}
    wanted = f"A\t{FIRST}" if kind == "kept" else ""
    return right and all(repo.git("diff", "--name-status", tag, branch) == wanted for branch, tag in tags.items())


@pytest.mark.parametrize(("kind", "step", "moved"), CUT)
def test_killed(kind: str, step: Step, moved: bool, path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = begun(kind, path_of_repo, monkeypatch)
    args = [repo.head(one) if one == "main~1" else one for one in KINDS[kind].args]  # the same commit, later too
    command = ("revert", *args, "--yes", "--reason", "it broke")
    refs, names = repo.git("for-each-ref"), repo.git("for-each-ref", "--format=%(refname)")
    before = {branch: repo.head(branch) for branch in KINDS[kind].made}
    kill(repo.path, step, *command)
    if moved:
        repo.git("reset", "-q", "--hard")  # what docs/release-and-revert.md says to do
    else:
        assert repo.git("for-each-ref") == refs
    assert repo.git("status", "--porcelain") == ""
    again = guard(repo.path, *command)
    assert again.code == 0, again.err
    assert ("Nothing" in again.out) is moved
    assert is_back(kind, repo, before)
    assert repo.git("for-each-ref", "--format=%(refname)") == names
    assert repo.git("status", "--porcelain") == ""
    assert opened(repo).git.run("fsck", "--strict").returncode == 0
    repo.git("prune", "--expire=now")
    assert quarantines(repo) == []


def test_killed_before_its_push_it_says_what_is_left_to_do(path_of_repo: Path, tmp_path: Path) -> None:
    repo = busy(path_of_repo)
    server = tmp_path / "server.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(server))
    repo.git("remote", "add", "origin", f"file://{server}")
    repo.git("fetch", "-q", "origin")
    command = ("revert", "--yes", "--push")
    kill(repo.path, Step("entry.revert_push", "push_watched", "before"), *command)
    assert repo.tree("main") == repo.tree(TAG)
    said = guard(repo.path, *command)
    assert (said.code, said.out.startswith("Nothing to revert: ")) == (0, True)
    (order,) = [line for line in said.out.split("\n") if "has not gone back" in line]
    repo.git(*order.rpartition(": git ")[2].split())
    assert repo.git("ls-remote", "origin", "refs/heads/main").split()[0] == repo.head("main")
    assert "note:" not in guard(repo.path, *command).out
