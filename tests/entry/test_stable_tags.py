"""Which tags of a push are judged, and by whose policy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_guard.entry.judge import judge_updates
from rollback_guard.entry.question import Question
from rollback_guard.errors import UndeterminedError
from rollback_guard.facts import stable_tag
from rollback_guard.facts.model import Known, Stage, Unknown
from rollback_guard.facts.push import Update
from rollback_guard.facts.stable_tag import Ground, collect_tag_faults
from rollback_guard.facts.surroundings import read_surroundings
from rollback_guard.gate.verdict import Outcome
from rollback_guard.git.repository import open_repository
from rollback_guard.policy.read import read_policy
from tests.release.stories import opened
from tests.support.builder import POLICY, RepositoryBuilder, shop

TAG = "stable/2026.5.28.1"
BARE = 'version = 1\n\n[production]\nbranches = ["main"]\n'
NOW = 1_790_000_000


def outcome(repo: RepositoryBuilder, *updates: Update, stage: Stage = "push") -> Outcome:
    """What RG401 says of the first ref of a push."""
    repository = open_repository(str(repo.path), os.environ, hook=True)
    question = Question(repository, read_surroundings(repository), NOW)
    verdict = judge_updates(question, updates, stage=stage, name=Known("github.com/acme/shop"))
    return next(one for one in verdict.changes[0].outcomes if one.rule == "RG401")


def tagged(repo: RepositoryBuilder, rev: str, *, by: str = "jane", name: str = TAG) -> Update:
    """A stable tag made, and pushed for the first time."""
    repo.stable_tag(name, rev, by=by)
    return Update(ref=f"refs/tags/{name}", old=None, new=repo.git("rev-parse", f"refs/tags/{name}"))


def test_sound_moved_deleted_and_other_tags(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    update = tagged(repo, "main")
    assert outcome(repo, update).answer == "satisfied"
    assert outcome(repo, update._replace(old=update.new)).answer == "not-applicable"
    assert outcome(repo, update, update._replace(ref="refs/tags/v1")).answer == "satisfied"
    assert outcome(repo, update._replace(old=repo.head("main"))).answer == "violated"
    assert outcome(repo, update._replace(new=None, old=update.new)).answer == "violated"
    gone = outcome(repo, update._replace(old="0" * 39 + "1"))
    assert "guard release revoke stable/2026.5.28.1 --reason WHY" in gone.findings[0].remedy
    assert outcome(repo, update._replace(ref="refs/tags/v1")).answer == "not-applicable"
    assert outcome(repo, update._replace(ref="refs/heads/topic", new=repo.head("main"))).answer == "not-applicable"


def test_what_a_clone_knows_of_its_remote_counts(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("remote", "add", "origin", "x")
    repo.checkout("main")
    old = repo.head("main")
    repo.commit("New", x="x")
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    repo.git("update-ref", "refs/heads/main", old)
    assert outcome(repo, tagged(repo, "refs/remotes/origin/main")).answer == "satisfied"


def test_a_branch_that_is_only_now_made(path_of_repo: Path) -> None:
    repo = shop(path_of_repo, policy=POLICY.replace('branches = ["main"]', 'branches = ["main", "live/*"]'))
    repo.checkout("main")
    old = repo.head("main")
    new = repo.commit("New", x="x")
    repo.git("update-ref", "refs/heads/main", old)
    tag = tagged(repo, new)
    assert outcome(repo, tag).answer == "violated"
    assert outcome(repo, tag, Update(ref="refs/heads/live/1", old=None, new=new)).answer == "satisfied"
    assert outcome(repo, tag, Update(ref="refs/heads/topic", old=None, new=new)).answer == "violated"
    assert outcome(repo, tag, Update(ref="refs/heads/main", old=old, new=None)).answer == "violated"


def test_each_branch_has_its_own_policy(path_of_repo: Path) -> None:
    """omar may release live/1, whose policy says so, and nothing else."""
    repo = shop(path_of_repo, policy=POLICY.replace('branches = ["main"]', 'branches = ["main", "live/*"]'))
    repo.checkout("main")
    repo.git("checkout", "-q", "-b", "live/1")
    repo.write_file("rollback-guard.toml", POLICY.replace('by = ["jane"]', 'by = ["omar"]'))
    repo.commit("Ours")
    assert outcome(repo, tagged(repo, "live/1", by="omar")).answer == "satisfied"
    repo.checkout("main")
    repo.commit("Next", x="x")
    assert outcome(repo, tagged(repo, "main", by="omar", name="stable/1.2")).answer == "violated"


@pytest.mark.parametrize("text", ["", "version = 2\n", BARE.replace("main", "live")])
def test_without_a_policy_that_protects_itself_tags_are_tags(path_of_repo: Path, text: str) -> None:
    repo = RepositoryBuilder(path_of_repo)
    if text:
        repo.write_file("rollback-guard.toml", text)
    repo.commit("Begin", x="x")
    assert outcome(repo, tagged(repo, "main", by="eve")).answer == "not-applicable"


def test_where_nobody_is_known_anybody_may(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.write_file("rollback-guard.toml", BARE)
    repo.commit("Begin", x="x")
    assert outcome(repo, tagged(repo, "main", by="eve")).answer == "satisfied"


def test_what_cannot_be_verified_here_is_undetermined(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = shop(path_of_repo)
    update = tagged(repo, "main")

    def fails(*_: object, **__: object) -> str:
        raise UndeterminedError("gpg is not here", remedy="install it")

    monkeypatch.setattr(stable_tag, "fault_of", fails)
    policy = read_policy(POLICY.encode(), path="x")
    assert policy is not None
    ground = Ground(branch="main", policy=policy, tips=(repo.head("main"),))
    assert isinstance(collect_tag_faults(opened(repo), update, [ground], as_of=NOW), Unknown)
    assert outcome(repo, update).answer == "undetermined"


def test_revocations(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    tagged(repo, "main")

    def revoked(target: str, *, by: str = "jane", stable: str = TAG) -> Outcome:
        repo.git("tag", "-f", "-a", "-m", "bad", f"revoked/{stable}", target, **repo.as_person(by))
        new = repo.git("rev-parse", f"refs/tags/revoked/{stable}")
        return outcome(repo, Update(ref=f"refs/tags/revoked/{stable}", old=None, new=new))

    assert revoked(TAG).answer == "satisfied"
    by_another = revoked(TAG, by="omar")
    assert by_another.answer == "violated"
    assert by_another.findings[0].remedy.startswith(f"guard release revoke {TAG} --reason WHY   # by somebody")
    assert "not of a tag" in revoked("main").findings[0].message
    assert "which is not what stable/1.2 is here" in revoked(TAG, stable="stable/1.2").findings[0].message
    repo.git("tag", "-a", "-m", "x", "other", "main", **repo.as_person("jane"))
    assert "which is not what" in revoked("other").findings[0].message


def test_dates_and_commits(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    assert "main itself never was" in outcome(repo, tagged(repo, "release/1.4")).findings[0].message
    repo.clock = NOW + 90_000
    assert "dated in the future" in outcome(repo, tagged(repo, "main", name="stable/1.2")).findings[0].message
