"""Filters that fail when files are written: nothing moves; and what is said where the work tree did not follow."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rollback_guard.errors import RefusedError
from rollback_guard.git.filters import failing_filter
from rollback_guard.git.refs import update_refs
from rollback_guard.release import moving
from tests.release.stories import TAG, begun, everything, executed, opened, planned
from tests.support.builder import RepositoryBuilder


def filtered(path: Path, *, required: str = "true") -> RepositoryBuilder:
    """A release with two files that a filter writes; afterwards one is changed, and one is gone."""
    repo = begun(path)
    store = path.parent / "store"
    script = path.parent / "smudge"
    script.write_text(f"#!/bin/sh\ntest -e '{store}' || {{ echo 'store: no route to host' >&2; exit 2; }}\ncat\n")
    script.chmod(0o755)
    store.write_text("")
    repo.git("config", "filter.store.smudge", str(script))
    repo.git("config", "filter.store.clean", "cat")
    repo.git("config", "filter.store.required", required)
    repo.write_file("assets/.gitattributes", "*.bin filter=store\n")
    repo.commit("Pictures", assets__a_dot_bin="a\n", assets__b_dot_bin="b\n")
    repo.git("tag", "-d", TAG)
    repo.stable_tag(TAG)
    repo.git("rm", "-q", "assets/a.bin")
    repo.commit("Break", assets__b_dot_bin="bad\n", app_dot_py="price = 7\n")
    return repo


def test_a_filter_that_fails_moves_nothing(path_of_repo: Path) -> None:
    repo = filtered(path_of_repo)
    (path_of_repo.parent / "store").unlink()
    before = everything(repo)
    with pytest.raises(RefusedError, match="nothing was moved: store: no route to host") as caught:
        executed(repo, planned(repo))
    assert "guard revert --branch main" in caught.value.remedy
    assert everything(repo) == before
    (path_of_repo.parent / "store").write_text("")
    executed(repo, planned(repo))
    assert repo.git("status", "--porcelain") == ""
    assert (repo.path / "assets/a.bin").read_text() == "a\n"


def test_a_filter_that_need_not_work_is_not_tried(path_of_repo: Path) -> None:
    repo = filtered(path_of_repo, required="false")
    (path_of_repo.parent / "store").unlink()
    assert failing_filter(opened(repo), "main", TAG) == ""
    executed(repo, planned(repo))
    assert (repo.path / "assets/a.bin").read_text() == "a\n"


def test_files_without_the_filter_are_not_tried(path_of_repo: Path) -> None:
    repo = filtered(path_of_repo)
    (path_of_repo.parent / "store").unlink()
    tip = repo.commit("Price", app_dot_py="price = 8\n")
    assert failing_filter(opened(repo), tip, "main~1") == ""
    assert failing_filter(opened(repo), tip, TAG) != ""


def test_a_filter_that_fails_later_is_said_with_a_way_on(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = filtered(path_of_repo)
    (path_of_repo.parent / "store").unlink()
    monkeypatch.setattr(moving, "failing_filter", lambda *_: "")
    with pytest.raises(RefusedError, match=r"main is at [0-9a-f]{40} now, but .*: (fatal|error): .*filter") as caught:
        executed(repo, planned(repo))
    assert repo.tree("main") == repo.tree(TAG)
    (path_of_repo.parent / "store").write_text("")
    subprocess.run(caught.value.remedy, shell=True, cwd=repo.path, check=True, capture_output=True, env=os.environ)
    assert repo.git("status", "--porcelain") == ""


def test_a_lock_is_named_before_and_after_the_move(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = filtered(path_of_repo)
    lock = repo.path / ".git/index.lock"
    lock.write_text("")
    before = everything(repo)
    with pytest.raises(RefusedError, match=r"locked: .*index\.lock is there") as caught:
        executed(repo, planned(repo))
    assert caught.value.remedy.startswith(f"rm {lock}   #")
    assert everything(repo) == before
    lock.unlink()
    real = update_refs

    def update_and_lock(*args: object, **options: object) -> None:
        real(*args, **options)  # type: ignore[arg-type]
        lock.write_text("")

    monkeypatch.setattr(moving, "update_refs", update_and_lock)
    with pytest.raises(RefusedError, match=r"now, but the work tree here is not: .*index\.lock") as caught:
        executed(repo, planned(repo))
    subprocess.run(caught.value.remedy, shell=True, cwd=repo.path, check=True, capture_output=True, env=os.environ)
    assert repo.git("status", "--porcelain") == ""
