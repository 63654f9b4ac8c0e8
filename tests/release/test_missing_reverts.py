"""RG404: what production took back is not called stable, by a command or by a push."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rollback_guard.entry.judge import judge_updates
from rollback_guard.entry.question import Question
from rollback_guard.errors import RefusedError, UndeterminedError
from rollback_guard.facts import missing_reverts as facts_module
from rollback_guard.facts.model import Known, Unknown
from rollback_guard.facts.push import Update
from rollback_guard.facts.surroundings import read_surroundings
from rollback_guard.gate.verdict import Outcome
from rollback_guard.policy.model import Policy, Production
from rollback_guard.release.missing_reverts import require_no_missing_reverts
from tests.release.stories import opened
from tests.support.builder import POLICY, RepositoryBuilder
from tests.support.facts import outcome_of

PATTERNS = Policy(version=1, production=Production(branches=("main", "legacy")))


def story(path: Path) -> tuple[RepositoryBuilder, str]:
    """`main` reverted the merge that the tag `landing` names; `legacy` was cut before. The revert's oid."""
    repo = RepositoryBuilder(path)
    repo.write_file("rollback-guard.toml", POLICY)
    repo.commit("Begin", app_dot_py="a\n")
    repo.branch("feature")
    repo.commit("Basket", basket_dot_py="x\n")
    repo.checkout("main")
    repo.merge("feature")
    repo.git("tag", "landing")
    repo.git("branch", "legacy")
    repo.git("revert", "--no-edit", "-m", "1", "HEAD", **repo.as_person("jane"))
    back = repo.head()
    repo.commit("On", on_dot_py="x\n")
    return repo, back


def required(repo: RepositoryBuilder, rev: str, branch: str = "main", policy: Policy | None = PATTERNS) -> None:
    require_no_missing_reverts(
        opened(repo), policy, str(repo.path.parent), commit=repo.head(rev), branch=branch, tip=repo.head(branch)
    )


def test_an_older_commit_that_still_has_it(path_of_repo: Path) -> None:
    repo, back = story(path_of_repo)
    required(repo, "main")
    required(repo, back)
    required(repo, "landing~1")
    with pytest.raises(RefusedError, match="RG404 missing-revert") as refused:
        required(repo, "landing")
    assert f"main reverted {repo.head('landing')[:12]} \"Merge branch 'feature'\" by {back[:12]}" in str(refused.value)
    assert refused.value.remedy.startswith(f"guard release {back[:12]} ")
    with pytest.raises(RefusedError):
        required(repo, "landing", policy=None)


def test_another_production_branch_that_never_got_the_revert(path_of_repo: Path) -> None:
    repo, back = story(path_of_repo)
    with pytest.raises(RefusedError) as refused:
        required(repo, "legacy", "legacy")
    assert refused.value.remedy.startswith(f"git cherry-pick {back[:12]} ")
    required(repo, "legacy", "legacy", policy=None)
    repo.checkout("legacy")
    repo.git("cherry-pick", back, **repo.as_person("jane"))
    required(repo, "legacy", "legacy")
    repo.git("reset", "-q", "--hard", "landing")
    repo.git("rm", "-q", "basket.py")
    repo.commit("The basket goes")  # the same, and no message says it
    required(repo, "legacy", "legacy")


def test_what_was_reapplied_is_stable_again(path_of_repo: Path) -> None:
    repo, back = story(path_of_repo)
    repo.git("revert", "--no-edit", back, **repo.as_person("jane"))
    required(repo, "landing")
    required(repo, "legacy", "legacy")


def test_a_refusal_names_three(path_of_repo: Path) -> None:
    repo, _ = story(path_of_repo)
    for number in range(4):
        repo.commit(f"Number {number}", **{f"n{number}_dot_py": "x\n"})
    repo.git("tag", "four")
    for number in range(4):
        repo.git("revert", "--no-edit", f"four~{number}", **repo.as_person("jane"))
    with pytest.raises(RefusedError, match=r"; and 1 more$"):
        required(repo, "four")


def test_a_shallow_clone_cannot_tell(path_of_repo: Path) -> None:
    repo, _ = story(path_of_repo)
    where = path_of_repo.parent / "shallow"
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(where))
    clone = RepositoryBuilder.__new__(RepositoryBuilder)
    clone.path = where
    with pytest.raises(UndeterminedError, match="shallow"):
        required(clone, "main")
    assert isinstance(facts_module.collect_missing_reverts(opened(clone), clone.head(), (), str(where)), Unknown)


def pushed(repo: RepositoryBuilder, name: str, rev: str) -> Outcome:
    """What a push of a tag is told by RG404."""
    repo.git("tag", "-f", "-a", "-m", "x", name, rev, **repo.as_person("jane"))
    repository = opened(repo)
    question = Question(repository, read_surroundings(repository), int(time.time()))
    update = Update(ref=f"refs/tags/{name}", old=None, new=repo.git("rev-parse", f"refs/tags/{name}"))
    verdict = judge_updates(question, [update], stage="push", name=Known("github.com/acme/shop"))
    return outcome_of(verdict.changes[0], "RG404")


def test_a_push_of_a_stable_tag_is_asked_the_same(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo, back = story(path_of_repo)
    assert pushed(repo, "stable/2026.11.22.1", "landing").answer == "violated"
    assert pushed(repo, "stable/2026.11.22.1", back).answer == "satisfied"
    assert pushed(repo, "v1", "landing").answer == "not-applicable"
    assert pushed(repo, "revoked/stable/2026.11.22.1", "landing").answer == "not-applicable"
    assert pushed(repo, "stable/2026.11.22.2", "landing^{tree}").answer == "not-applicable"

    def broken(*_args: object) -> None:
        raise UndeterminedError("git is too old", remedy="get a newer one")

    monkeypatch.setattr(facts_module, "find_missing_reverts", broken)
    assert pushed(repo, "stable/2026.11.22.1", "landing").answer == "undetermined"


def test_a_server_looks_at_its_own_branches(path_of_repo: Path) -> None:
    repo, _ = story(path_of_repo)
    where = path_of_repo.parent / "server.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(where))
    server = RepositoryBuilder.__new__(RepositoryBuilder)
    server.path, server.clock = where, repo.clock
    assert pushed(server, "stable/2026.11.22.1", "landing").answer == "violated"


@pytest.mark.parametrize("picked", ["landing", "landing^2"])
@pytest.mark.parametrize("sign", [True, False])
def test_what_was_picked_to_another_branch(path_of_repo: Path, picked: str, sign: bool) -> None:
    """`cherry-pick -x` says whence it comes; a pick without it cannot be told, and taking it back counts by content."""
    repo, _ = story(path_of_repo)
    repo.git("checkout", "-q", "-B", "legacy", "landing~1")
    repo.commit("Old", old_dot_py="as it was\n")
    mainline = ("-m", "1") if picked == "landing" else ()
    repo.git("cherry-pick", *(("-x",) if sign else ()), *mainline, picked, **repo.as_person("jane"))
    pick = repo.head()
    if not sign:
        required(repo, "legacy", "legacy")
        return
    with pytest.raises(RefusedError, match="RG404 missing-revert") as refused:
        required(repo, "legacy", "legacy")
    assert f"main reverted {repo.head('landing')[:12]}" in str(refused.value)
    repo.git("rm", "-q", "basket.py")
    repo.commit("Out by hand")
    required(repo, "legacy", "legacy")
    repo.git("reset", "-q", "--hard", pick)
    adapted = repo.commit("Adapt", basket_dot_py="y\n")
    with pytest.raises(RefusedError, match="RG404 missing-revert"):
        required(repo, "legacy", "legacy")
    for taken in (pick, repo.head("landing")):  # the revert of the pick, and what a pick of the revert says
        repo.git("reset", "-q", "--hard", adapted)
        repo.commit(f"Out\n\nThis reverts commit {taken}.", basket_dot_py="")
        required(repo, "legacy", "legacy")
    repo.git("rm", "-q", "basket.py")
    repo.commit("Empty as it was")
    repo.git("cherry-pick", "-x", *mainline, picked, **repo.as_person("jane"))  # and here it is once more
    with pytest.raises(RefusedError, match="RG404 missing-revert"):
        required(repo, "legacy", "legacy")
