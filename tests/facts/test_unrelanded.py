"""Which branches bring commits without their content, because production took it back; and which do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rollback_guard.facts import commit as commit_module
from rollback_guard.facts.commit import merge_commit
from rollback_guard.facts.model import Change, Known, Unknown, Unrelanded
from rollback_guard.facts.range import Proposal, collect_range
from rollback_guard.facts.surroundings import read_surroundings
from rollback_guard.git import half_merged as module
from rollback_guard.git.process import Git
from tests.facts.test_facts import PARSED, opened
from tests.support.builder import POLICY, RepositoryBuilder, told_once

LINES = "".join(f"line {number}\n" for number in range(1, 41))


@told_once
def shop(path: Path) -> RepositoryBuilder:
    """`main` with a policy and a file of forty lines; `feature` has two commits and is merged."""
    repo = RepositoryBuilder(path)
    repo.write_file("rollback-guard.toml", POLICY)
    repo.commit("Begin", app_dot_py=LINES)
    repo.branch("feature")
    repo.commit("Begin the basket", by="omar", basket_dot_py="items = []\n")
    repo.commit("Show the basket", by="omar", app_dot_py=LINES.replace("line 5\n", "line 5: basket\n"))
    repo.checkout("main")
    repo.merge("feature")
    repo.git("tag", "landing")
    return repo


def revert(repo: RepositoryBuilder, rev: str, *options: str) -> str:
    repo.git("revert", "--no-edit", *options, rev, **repo.as_person("jane"))
    return repo.head()


def reverted(path: Path) -> tuple[RepositoryBuilder, str]:
    """The same, reverted; `feature` is checked out."""
    repo = shop(path)
    back = revert(repo, "landing", "-m", "1")
    repo.checkout("feature")
    return repo, back


def fix(repo: RepositoryBuilder) -> str:
    return repo.commit("Mend the basket", by="omar", fix_dot_py="mended = True\n")


def change_of(repo: RepositoryBuilder, head: str, base: str = "main") -> Change:
    repository = opened(repo)
    proposal = Proposal(stage="range", target="refs/heads/main", base=repo.head(base), head=repo.head(head))
    return collect_range(repository, read_surroundings(repository), PARSED, proposal).change


def found(repo: RepositoryBuilder, head: str, base: str = "main") -> tuple[Unrelanded, ...]:
    fact = change_of(repo, head, base).unrelanded
    assert isinstance(fact, Known), fact
    return fact.value


def kinds(repo: RepositoryBuilder, head: str, base: str = "main") -> list[tuple[str, str]]:
    return [(one.commit, one.how) for one in found(repo, head, base)]


def test_a_branch_that_goes_on_after_its_landing_was_reverted(path_of_repo: Path) -> None:
    repo, back = reverted(path_of_repo)
    fix(repo)
    landing = repo.head("landing")
    assert found(repo, "feature") == (
        Unrelanded(commit=landing, subject="Merge branch 'feature'", revert=back, how="merged"),
    )
    repo.checkout("main")
    repo.merge("feature")
    assert not (repo.path / "basket.py").exists()  # what the rule is about
    assert kinds(repo, "main", back) == [(landing, "merged")]


def test_a_part_of_it_and_what_was_built_on_it(path_of_repo: Path) -> None:
    repo, _ = reverted(path_of_repo)
    repo.branch("half", "feature~1")
    fix(repo)
    repo.branch("stacked", "feature")
    fix(repo)
    landing = repo.head("landing")
    assert kinds(repo, "half") == kinds(repo, "stacked") == [(landing, "merged")]


def test_a_commit_of_it_that_was_reverted_alone(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    revert(repo, "feature")
    repo.checkout("feature")
    fix(repo)
    assert kinds(repo, "feature") == [(repo.head("feature~1"), "merged")]
    revert(repo, "feature~1")  # the branch wants it no more either
    assert kinds(repo, "feature") == []


def test_a_branch_that_has_the_revert_knows(path_of_repo: Path) -> None:
    repo, back = reverted(path_of_repo)
    repo.merge("main")
    fix(repo)
    assert kinds(repo, "feature") == []
    revert(repo, back)
    assert kinds(repo, "feature") == []
    repo.branch("fresh", "main")
    fix(repo)
    assert kinds(repo, "fresh") == []


def test_what_was_reapplied_is_not_lost(path_of_repo: Path) -> None:
    repo, back = reverted(path_of_repo)
    fix(repo)
    repo.checkout("main")
    again = revert(repo, back)
    assert kinds(repo, "feature") == []
    revert(repo, again)
    assert kinds(repo, "feature") == [(repo.head("landing"), "merged")]


def test_what_was_made_anew_is_not_lost(path_of_repo: Path) -> None:
    repo, _ = reverted(path_of_repo)
    fix(repo)
    repo.branch("anew", "main")
    repo.git("cherry-pick", "feature~2", "feature~1", **repo.as_person("omar"))
    assert kinds(repo, "anew") == []
    repo.checkout("main")
    repo.merge("anew")
    assert kinds(repo, "feature") == []


def test_a_squash_that_was_reverted_comes_again_as_a_whole(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("reset", "-q", "--hard", "main~1")
    repo.git("merge", "-q", "--squash", "feature")
    squash = repo.commit("The basket (#1)")
    revert(repo, squash)
    repo.checkout("feature")
    fix(repo)
    assert kinds(repo, "feature") == []
    repo.checkout("main")
    repo.merge("feature")
    assert (repo.path / "basket.py").exists()


def test_a_branch_that_began_between_landing_and_revert(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.branch("other", "landing")
    repo.commit("Something else", other_dot_py="x\n")
    repo.branch("hotfix", "landing")
    repo.commit("Mend what landed", app_dot_py=LINES.replace("line 5\n", "line 5: basket\n").replace("line 30\n", "\n"))
    repo.checkout("main")
    back = revert(repo, "landing", "-m", "1")
    landing = repo.head("landing")
    assert kinds(repo, "other") == [(landing, "held")]
    assert found(repo, "hotfix") == (
        Unrelanded(commit=landing, subject="Merge branch 'feature'", revert=back, how="touched", paths=("app.py",)),
    )


def test_a_branch_that_merged_its_own_landing_back(path_of_repo: Path) -> None:
    """As a long-lived `develop` does: its own work lies on its line, production's landing beside it."""
    repo = shop(path_of_repo)
    repo.checkout("feature")
    repo.merge("main")
    fix(repo)
    repo.checkout("main")
    revert(repo, "landing", "-m", "1")
    assert kinds(repo, "feature") == [(repo.head("landing"), "merged")]


def test_a_landing_by_fast_forward_is_only_noted(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("checkout", "-q", "-B", "main", "feature")
    revert(repo, "feature")
    revert(repo, "feature~1")
    repo.checkout("feature")
    fix(repo)
    assert [how for _, how in kinds(repo, "feature")] == ["held", "held"]


def test_the_first_commit_of_all_that_was_reverted(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    root = repo.git("rev-list", "--max-parents=0", "main")
    repo.branch("other", "landing")
    fix(repo)
    repo.checkout("main")
    repo.commit(f"Begin again\n\nThis reverts commit {root}.", app_dot_py="")
    assert kinds(repo, "other") == [(root, "held")]


def test_a_merge_within_the_change(path_of_repo: Path) -> None:
    repo, back = reverted(path_of_repo)
    fix(repo)
    repo.branch("release/1", "main")
    repo.commit("Something else", other_dot_py="x\n")
    repo.branch("topic", "release/1")
    repo.commit("One more", topic_dot_py="x\n")
    repo.checkout("release/1")
    repo.merge("topic")
    assert kinds(repo, "release/1") == []
    repo.merge("feature")
    landing = repo.head("landing")
    assert kinds(repo, "release/1") == [(landing, "merged")]
    repo.checkout("main")
    repo.commit("Meanwhile", meanwhile_dot_py="x\n")
    assert kinds(repo, "release/1") == [(landing, "merged")]
    repo.checkout("release/1")
    repo.git("tag", "lost")
    again = revert(repo, back)
    assert kinds(repo, "release/1") == []
    revert(repo, again)
    assert kinds(repo, "release/1") == [(landing, "merged")]
    repo.git("checkout", "-q", "-B", "put-back", "lost")
    repo.commit(  # by hand, and no message says it
        "The basket, once more",
        basket_dot_py="items = []\n",
        app_dot_py=LINES.replace("line 5\n", "line 5: basket\n"),
    )
    assert kinds(repo, "put-back") == []
    repo.commit(f"Otherwise\n\nThis reverts commit {back}.", basket_dot_py="items = [1]\n")
    assert kinds(repo, "put-back") == []


def test_a_revert_that_only_a_branch_has_is_its_own_business(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.branch("release/1", "main")
    revert(repo, "landing", "-m", "1")
    repo.checkout("feature")
    fix(repo)
    repo.checkout("release/1")
    repo.merge("feature")
    repo.checkout("main")
    repo.commit(f"Another revert\n\nThis reverts commit {repo.head('main~1')}.", app_dot_py=LINES)
    assert "landing" not in [how for _, how in kinds(repo, "release/1")]
    assert repo.head("landing") not in [commit for commit, _ in kinds(repo, "release/1")]


def test_production_merged_into_the_branch_is_no_merge_of_it(
    path_of_repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = shop(path_of_repo)
    repo.branch("release/1", "main~1")
    repo.merge("main")
    fix(repo)
    asked: list[str] = []
    real = Git.run

    def noted(git: Git, *args: str, **more: Any) -> Any:
        asked.extend(args)
        return real(git, *args, **more)

    monkeypatch.setattr(Git, "run", noted)
    assert kinds(repo, "release/1") == []
    assert "rev-list" in asked
    assert "--octopus" not in asked


def test_a_branch_that_shares_nothing(path_of_repo: Path) -> None:
    repo, _ = reverted(path_of_repo)
    repo.git("checkout", "-q", "--orphan", "alone")
    repo.commit("Begin elsewhere")
    repo.branch("both")
    repo.git("merge", "-q", "--allow-unrelated-histories", "-s", "ours", "-m", "x", "main", **repo.as_person("jane"))
    assert kinds(repo, "alone") == []
    repo.checkout("main")
    repo.git("checkout", "-q", "-b", "taken")
    repo.git("merge", "-q", "--allow-unrelated-histories", "-s", "ours", "-m", "x", "alone", **repo.as_person("jane"))
    repo.commit("On")
    assert kinds(repo, "taken") == []


@pytest.mark.parametrize(
    ("depth", "head", "answer"), [(1, "feature", None), (2, "plain", 0), (4, "feature", 1), (2, "between", None)]
)
def test_shallow_clones(path_of_repo: Path, depth: int, head: str, answer: int | None) -> None:
    repo, _ = reverted(path_of_repo)
    fix(repo)
    repo.branch("plain", "main")
    repo.commit("Plain", plain_dot_py="x\n")
    repo.branch("between", "landing")
    fix(repo)
    if head == "between":  # what was reverted is cut away, and all that differs is here
        repo.git("checkout", "-q", "-B", "main", "landing")
        root = repo.git("rev-list", "--max-parents=0", "main")
        repo.commit(f"Begin again\n\nThis reverts commit {root}.", app_dot_py="")
        repo.git("branch", "-q", "-D", "feature", "plain")
        repo.git("tag", "-d", "landing")
    else:
        repo.checkout("main")
        repo.commit("On", on_dot_py="x\n")
    where = path_of_repo.parent / "shallow"
    repo.git("clone", "-q", f"--depth={depth}", "--no-single-branch", f"file://{repo.path}", str(where))
    clone = RepositoryBuilder.__new__(RepositoryBuilder)
    clone.path = where
    fact = change_of(clone, f"origin/{head}", "origin/main").unrelanded
    assert (len(fact.value) if isinstance(fact, Known) else None) == answer


def test_a_target_that_does_not_exist_yet_took_nothing_back(path_of_repo: Path) -> None:
    repo, _ = reverted(path_of_repo)
    repository = opened(repo)
    proposal = Proposal(stage="receive", target="refs/heads/main", base=None, head=repo.head())
    change = collect_range(repository, read_surroundings(repository), PARSED, proposal).change
    assert change.unrelanded == Known(())


def test_a_merge_that_cannot_be_made_again(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo, _ = reverted(path_of_repo)
    fix(repo)

    def too_old(*_args: object) -> None:
        from rollback_guard.errors import UndeterminedError

        raise UndeterminedError("git is too old", remedy="get a newer one")

    monkeypatch.setattr(module, "MergeAgain", too_old)
    assert change_of(repo, "feature").unrelanded == Unknown("git is too old")


def test_a_conflict_hides_nothing(path_of_repo: Path) -> None:
    repo, _ = reverted(path_of_repo)
    fix(repo)
    repo.commit("Line 7", app_dot_py=(repo.path / "app.py").read_text().replace("line 7\n", "line 7: a\n"))
    repo.checkout("main")
    repo.commit("Line 7 as well", app_dot_py=LINES.replace("line 7\n", "line 7: b\n"))
    change = change_of(repo, "feature")
    assert isinstance(change.result_tree, Unknown)
    assert kinds(repo, "feature") == [(repo.head("landing"), "merged")]


def staged(repo: RepositoryBuilder) -> Change:
    """`feature` being merged into `main`, as it is in the index."""
    repository = opened(repo)
    return merge_commit(
        repository,
        read_surroundings(repository),
        PARSED,
        stage="merge",
        target="refs/heads/main",
        base=repo.head("main"),
        heads=(repo.head("feature"),),
        message=None,
        name=Known("github.com/acme/shop"),
    ).change


def test_a_merge_in_the_making_is_what_is_staged(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo, _ = reverted(path_of_repo)
    fix(repo)
    repo.checkout("main")
    repo.git("merge", "-q", "--no-commit", "--no-ff", "feature")
    landing = repo.head("landing")
    assert staged(repo).unrelanded == Known(
        (Unrelanded(landing, "Merge branch 'feature'", repo.head("main"), "merged"),)
    )
    repo.git("checkout", "-q", "feature", "--", "basket.py", "app.py")
    assert staged(repo).unrelanded == Known(())
    monkeypatch.setattr(commit_module, "collect_range", lambda *_, **__: collected_unknown(repo))
    assert isinstance(staged(repo).unrelanded, Unknown)


def collected_unknown(repo: RepositoryBuilder) -> object:
    from rollback_guard.facts.policy_source import PolicyFound
    from rollback_guard.facts.range import Collected

    change = change_of(repo, "feature")
    return Collected(change._replace(unrelanded=Unknown("history was cut")), PolicyFound(at="nothing"))


@pytest.mark.parametrize("button", [False, True])
def test_a_branch_that_began_while_it_was_reverted(path_of_repo: Path, button: bool) -> None:
    """What came again took no work away: a branch cut in between goes in, whatever it touches."""
    repo = shop(path_of_repo)
    if button:
        repo.branch("revert-1")
    back = revert(repo, "landing", "-m", "1")
    repo.checkout("main")
    if button:
        back = repo.merge("revert-1")
    repo.branch("between")
    repo.commit("At the end", by="omar", app_dot_py=LINES.replace("line 40\n", "line 40: end\n"))
    repo.checkout("main")
    revert(repo, back, *(("-m", "1") if button else ()))
    assert found(repo, "between") == ()
