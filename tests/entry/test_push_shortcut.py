"""The short way out of pre-push is never taken where the gate would say something."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rollback_guard.entry.hook_push import _is_elsewhere
from rollback_guard.entry.judge import judge_updates
from rollback_guard.entry.question import Question
from rollback_guard.facts.model import Known
from rollback_guard.facts.push import Update
from rollback_guard.facts.surroundings import read_surroundings
from rollback_guard.git.repository import Repository, open_repository
from tests.support.builder import POLICY, RepositoryBuilder, shop

PRODUCTION = ("main", "live/1", "trunk/Eins")
EXISTING = ("topic", "Topic/One", "release/1.4", "feature/l1l", "caf\xe9", "mаy", "a\u2028b", "HEADS/x")
PIECES = st.sampled_from(
    [*"aiIlL1oO0|mnMN-_.@", "main", "live", "topic", "feature", "origin", "Zoo", "heads", "tags", "refs", "remotes"]
    + ["HEAD", "FETCH_HEAD", "release/1.4", "trunk/Eins", "/", "/", "а", "ı", "\u200b", "é", "e\u0301", "One"]
)
NAMES = st.lists(PIECES, min_size=1, max_size=5).map("".join)
PREFIXES = st.sampled_from(["refs/heads/"] * 6 + ["refs/tags/", "refs/remotes/", "refs/"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[RepositoryBuilder, Repository]:
    policy = POLICY.replace('["main"]', '["main", "live/*", "trunk/Eins"]').replace('into = "main"', 'into = "**"')
    repo = shop(tmp_path_factory.mktemp("any") / "repo", policy=policy)
    for name in EXISTING:
        if name != "release/1.4":
            repo.git("update-ref", f"refs/heads/{name}", "HEAD")
    repo.git("update-ref", "refs/remotes/Zoo/other", "HEAD")
    repo.git("update-ref", "refs/remotes/origin/nightly", "HEAD")
    repo.git("tag", "v1")
    return repo, open_repository(str(repo.path), os.environ)


@given(prefix=PREFIXES, name=NAMES, kind=st.sampled_from(["create", "move", "delete"]))
@example(prefix="refs/heads/", name="Zoo/main", kind="create")
@example(prefix="refs/heads/", name="zoo/main", kind="create")
@example(prefix="refs/heads/", name="mɑin", kind="create")
@example(prefix="refs/heads/", name="NIGHTLY", kind="create")
@example(prefix="refs/heads/", name="live/1", kind="delete")
@example(prefix="refs/heads/", name="LIVE/1", kind="create")
@example(prefix="refs/tags/", name="main", kind="create")
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_the_gate_would_name_is_passed_over(
    prefix: str, name: str, kind: str, place: tuple[RepositoryBuilder, Repository]
) -> None:
    repo, repository = place
    old = None if kind == "create" else repo.head("main")
    new = None if kind == "delete" else repo.head("release/1.4")
    update = Update(ref=prefix + name, old=old, new=new)
    if not _is_elsewhere(repository, (update,)):
        return
    question = Question(repository, read_surroundings(repository), 1_800_000_000)
    verdict = judge_updates(question, (update,), stage="push", name=Known("github.com/acme/shop"))
    (change,) = verdict.changes
    assert verdict.decision == "allow", (prefix + name, kind)
    assert {outcome.answer for outcome in change.outcomes} <= {"satisfied", "not-applicable"}
    assert not any(pattern == name for pattern in PRODUCTION)


def test_an_ordinary_topic_takes_the_short_way(place: tuple[RepositoryBuilder, Repository]) -> None:
    repo, repository = place
    for name in ("topic", "fix/cart-2", "release/2.0"):
        assert _is_elsewhere(repository, (Update(ref=f"refs/heads/{name}", old=None, new=repo.head()),))


def test_one_of_many_is_enough(place: tuple[RepositoryBuilder, Repository]) -> None:
    repo, repository = place
    plain = Update(ref="refs/heads/fix/cart-2", old=None, new=repo.head())
    assert not _is_elsewhere(repository, (plain, plain._replace(ref="refs/heads/main")))


def test_machine_s_favourite_branch_name_is_no_source_of_policies(tmp_path: Path) -> None:
    """The gate does not read it either, so both agree."""
    repo = shop(tmp_path / "repo")
    repo.git("config", "init.defaultBranch", "trunk")
    repo.git("branch", "trunk")
    repo.checkout("trunk")
    repo.write_file("rollback-guard.toml", POLICY.replace('["main"]', '["main", "topic"]'))
    repo.commit("Claim topic")
    repo.checkout("release/1.4")
    repository = open_repository(str(repo.path), os.environ)
    update = Update(ref="refs/heads/topic", old=None, new=repo.head())
    assert _is_elsewhere(repository, (update,))
    question = Question(repository, read_surroundings(repository), 1_800_000_000)
    verdict = judge_updates(question, (update,), stage="push", name=Known("x"))
    assert verdict.decision == "allow"
