"""`guard reland`: which way is right, said and written; conflicts as data; the steps that it shares with revert."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from rollback_guard.entry.reland_asked import AskedAgain, ask_for_reland
from rollback_guard.entry.revert_jobs import Options
from rollback_guard.errors import GitError, RefusedError, UsageError
from rollback_guard.release.model import PathConflict
from rollback_guard.release.reland_run import execute_reland, new_commits, prove_reland
from tests.cli.test_revert import Guard, guard
from tests.facts.test_unrelanded import LINES, fix, kinds, revert, reverted, shop
from tests.release.stories import TAG, everything, opened, quarantines
from tests.release.test_crash import DRIVER
from tests.support.builder import RepositoryBuilder
from tests.support.signing import key_of

__all__ = ["guard"]


def on_top(path: Path) -> tuple[RepositoryBuilder, str, str]:
    """`feature` landed, was reverted, and has a fix on top; `main` is checked out. The landing and the revert."""
    repo, back = reverted(path)
    fix(repo)
    repo.checkout("main")
    return repo, repo.head("landing"), back


@pytest.mark.parametrize("named", ["landing", "main", "feature~1", "feature~2", "main~2..main"])
def test_fixed_on_top_whatever_is_named(guard: Guard, path_of_repo: Path, named: str) -> None:
    repo, landing, back = on_top(path_of_repo)
    before = everything(repo)
    plan = guard(repo.path, "reland", named, "--plan", "--format", "json")
    assert plan.code == 0, plan.err
    assert everything(repo) == before
    assert (plan.json["format"], plan.json["way"]) == ("rollback-guard/reland-plan/1", "fixed-on-top")
    assert [one["commit"] for one in plan.json["reverted"]] == [landing]
    assert [(one["commit"], one["again"]) for one in plan.json["reapplies"]] == [(back, False)]
    assert (plan.json["source"]["branch"], plan.json["source"]["newer"]) == ("feature", 1)
    done = guard(repo.path, "reland", named, "--execute", plan.json["digest"], "--format", "json")
    assert done.code == 0, done.err
    name = f"reland/{landing[:12]}"
    assert done.json["result"] == {
        "ref": f"refs/heads/{name}",
        "commit": repo.head(name),
        "tree": repo.tree(name),
        "tree-equals-stable": None,
    }
    assert repo.head("main") == back
    assert repo.git("rev-list", "--first-parent", f"main..{name}").count("\n") == 1
    assert repo.head(f"{name}^2") == repo.head("feature")
    assert sorted(repo.git("ls-tree", "--name-only", name).split("\n")) == [
        "app.py",
        "basket.py",
        "fix.py",
        "rollback-guard.toml",
    ]
    assert "line 5: basket" in repo.git("show", f"{name}:app.py")
    assert kinds(repo, name) == []  # RG403 has nothing against it
    assert opened(repo).git.run("fsck", "--strict").returncode == 0
    assert quarantines(repo) == []
    repo.merge(name)
    assert kinds(repo, "feature") == []
    again = guard(repo.path, "reland", "landing")
    assert again.code == 1
    assert "which was reverted itself" in again.err


def test_the_text_says_which_way_and_why(guard: Guard, path_of_repo: Path) -> None:
    repo, landing, back = on_top(path_of_repo)
    said = guard(repo.path, "reland", "landing", "--plan", "--as", "again/basket", "--reason", "it's mended")
    assert said.out.startswith("Written to the new branch again/basket, on top of main, which stays as it is\nFixed on")
    assert f"  revert {back[:12]}  Jane Doe" in said.out
    assert f"  merge feature at {repo.head('feature')[:12]}, 1 newer commit\n" in said.out
    words = shlex.split(said.out.strip().rpartition("→ ")[2])
    done = guard(repo.path, *words[1:])
    assert done.code == 0, done.err
    assert done.out.endswith("→ git push origin again/basket\n")
    assert repo.git("log", "-1", "--format=%B", "again/basket~1").rstrip() == (
        f"Reapply \"Merge branch 'feature'\"\n\nThis reverts commit {back}.\n\nReason: it's mended"
    )
    assert repo.git("log", "-1", "--format=%B", "again/basket").rstrip() == (
        "Merge branch 'feature' into again/basket\n\nReason: it's mended"
    )
    assert repo.git("reflog", "-1", "--format=%gs", "again/basket") == f"guard reland: {landing}"
    taken = guard(repo.path, "reland", "landing", "--as", "again/basket")
    assert (taken.code, "exists already" in taken.err) == (1, True)


def test_rebuilt_is_merged_plainly(guard: Guard, path_of_repo: Path) -> None:
    repo, _, back = on_top(path_of_repo)
    repo.git("checkout", "-q", "-B", "feature", "landing~1")
    repo.commit("Begin the basket", basket_dot_py="items = [0]\n")
    before = everything(repo)
    said = guard(repo.path, "reland", "landing", "--yes")
    assert said.code == 0, said.err
    assert said.out.startswith("Nothing to reland: merge feature as usual\nRebuilt: feature made its commits anew")
    assert "note: 1 of 2 reverted commits are in feature anew" in said.out
    assert said.out.endswith("→ guard check --into main --head feature   # as for any other change\n")
    assert everything(repo) == before
    plan = guard(repo.path, "reland", "landing", "--plan", "--format", "json").json
    assert (plan["way"], plan["target"], plan["reapplies"]) == ("rebuilt", None, [])
    done = guard(repo.path, "reland", "landing", "--as", "again", "--yes")
    assert done.code == 0, done.err
    assert (repo.head("again^1"), repo.head("again^2")) == (back, repo.head("feature"))
    assert repo.git("show", "again:basket.py") == "items = [0]"


def test_rebuilt_on_top_of_production(guard: Guard, path_of_repo: Path) -> None:
    """It has the old commits, and the revert, by production's line alone."""
    repo, _, _ = on_top(path_of_repo)
    repo.branch("anew", "main")
    repo.commit("The basket, otherwise", basket_dot_py="items = {}\n")
    plan = guard(repo.path, "reland", "landing", "--source", "anew", "--plan")
    assert "\nRebuilt: anew made its commits anew" in plan.out
    assert "no commit of anew bears the subject of a reverted one: is it the right branch?" in plan.out


def test_a_branch_that_took_the_revert_in(guard: Guard, path_of_repo: Path) -> None:
    repo, _, back = on_top(path_of_repo)
    repo.checkout("feature")
    repo.merge("main")
    fix(repo)
    plan = guard(repo.path, "reland", "landing", "--plan", "--format", "json")
    assert (plan.json["way"], plan.json["source"]["branch"]) == ("fixed-on-top", "feature")
    done = guard(repo.path, "reland", "landing", "--yes")
    assert done.code == 0, done.err
    assert "basket.py" in repo.git("ls-tree", "--name-only", f"reland/{repo.head('landing')[:12]}")
    revert(repo, back)
    said = guard(repo.path, "reland", "landing", "--plan")
    assert said.out.startswith("Nothing to reland: merge feature as usual\nReapplied: feature has the revert, and rev")


def test_as_it_was(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    back = revert(repo, "landing", "-m", "1")
    said = guard(repo.path, "reland", back, "--plan")
    assert "\nAs it was: no branch goes on from it, so main gets back what the revert took\n" in said.out
    named = guard(repo.path, "reland", back, "--source", "feature", "--yes")
    assert named.code == 0, named.err
    assert "note: feature has nothing that is not there already" in named.out
    assert repo.tree(f"reland/{repo.head('landing')[:12]}") == repo.tree("landing")


def test_what_is_there_already_by_content(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    revert(repo, "landing", "-m", "1")
    repo.git("checkout", "-q", "landing", "--", ".")
    repo.commit("By hand")
    said = guard(repo.path, "reland", "landing", "--yes")
    assert said.code == 0, said.err
    assert said.out.startswith("Nothing to reland: its content is in main already\n")
    assert "(nothing of it is left)" in said.out
    assert not said.out.rstrip().rpartition("\n")[2].startswith("→")


def test_each_and_a_part_of_it(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.stable_tag(TAG)
    repo.commit("One", one_dot_py="1\n")
    repo.commit("Two", two_dot_py="2\n")
    assert guard(repo.path, "revert", "--yes").code == 0
    assert repo.tree("main") == repo.tree(TAG)
    plan = guard(repo.path, "reland", f"{TAG}..main", "--plan", "--format", "json").json
    assert [one["subject"] for one in plan["reverted"]] == ["Two", "One"]
    assert [one["subject"] for one in plan["reapplies"]] == ['Revert "One"', 'Revert "Two"']
    done = guard(repo.path, "reland", "main~2", "main~4", "--yes")
    assert done.code == 0, done.err
    assert "note: 1 of the commits named is not reverted, and stays as it is\n" in done.out
    more = guard(repo.path, "reland", "main~2", "main~4", "main~5", "--plan", "--as", "x")
    assert "note: 2 of the commits named are not reverted, and stay as they are\n" in more.out
    name = f"reland/{repo.head('main~2')[:12]}"
    assert repo.git("diff", "--name-only", "main", name) == "two.py"


def test_single_as_a_whole_and_one_of_it(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.stable_tag(TAG)
    repo.commit("One", one_dot_py="1\n")
    repo.branch("side")
    repo.commit("Side", side_dot_py="s\n")
    repo.checkout("main")
    side = repo.merge("side")
    before = repo.tree("main")
    assert guard(repo.path, "revert", "--mode", "single", "--yes").code == 0
    assert guard(repo.path, "reland", "main", "--as", "whole", "--yes").code == 0
    assert repo.tree("whole") == before
    assert guard(repo.path, "reland", "main~2..main~1", "main~2", "--as", "both", "--yes").code == 0
    assert repo.tree("both") == before
    said = guard(repo.path, "reland", side, "--as", "one", "--yes")
    assert said.code == 0, said.err
    assert f"  make again {side[:12]}" in said.out
    assert repo.git("diff", "--name-only", "main", "one") == "side.py"
    assert repo.git("log", "-1", "--format=%B", "one").rstrip() == (
        f"Reapply \"Merge branch 'side'\"\n\nThis reapplies commit {side}."
    )
    repo.merge("one")
    again = guard(repo.path, "reland", side)
    assert (again.code, "no commit there says that it was reverted" in again.err) == (1, True)
    rest = guard(repo.path, "reland", "main~1", "--plan", "--format", "json").json
    assert [one["subject"] for one in rest["reverted"]] == ["One"]


def test_a_merge_within_what_single_took_back_cannot_come_alone(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.branch("release")
    repo.branch("inner")
    repo.commit("Inner", inner_dot_py="s\n")
    repo.checkout("release")
    inner = repo.merge("inner")
    repo.checkout("main")
    repo.merge("release")
    repo.commit("One", one_dot_py="1\n")
    repo.commit(
        f"Out\n\nThis reverts commit {inner}.\nThis reverts commit {repo.head('main')}.", one_dot_py="", inner_dot_py=""
    )
    said = guard(repo.path, "reland", inner)
    assert said.code == 1
    assert "which of its parents is the mainline cannot be told" in said.err


def test_reverted_reapplied_and_reverted(guard: Guard, path_of_repo: Path) -> None:
    repo, landing, back = on_top(path_of_repo)
    again = revert(repo, back)
    third = revert(repo, again)
    for named in (landing, back, again, third):
        plan = guard(repo.path, "reland", named, "--plan", "--format", "json").json
        assert [one["commit"] for one in plan["reapplies"]] == [third], named
    last = revert(repo, third)
    said = {named: guard(repo.path, "reland", named) for named in (landing, back, again, third, last)}
    assert {one.code for one in said.values()} == {1}
    assert f"by {back[:12]}, which was reverted itself by {again[:12]}: it is there" in said[landing].err
    assert "is not reverted on main any more: it came again since" in said[last].err


@pytest.mark.parametrize("deleted", [False, True])
def test_a_branch_cut_after_the_revert_that_merged_the_old_one(guard: Guard, path_of_repo: Path, deleted: bool) -> None:
    """What the gate refuses is not called rebuilt, named or found."""
    repo, landing, back = on_top(path_of_repo)
    repo.branch("release/2")
    repo.merge("feature")
    repo.commit("Release 2", version_dot_txt="2\n")
    repo.checkout("main")
    if deleted:
        repo.git("branch", "-D", "feature")
    assert kinds(repo, "release/2") == [(landing, "merged")]
    named = guard(repo.path, "reland", "landing", "--source", "release/2", "--plan", "--format", "json").json
    assert (named["way"], named["source"]["branch"]) == ("fixed-on-top", "release/2")
    assert [one["commit"] for one in named["reapplies"]] == [back]
    assert named["notes"] == []
    done = guard(repo.path, "reland", "landing", "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert done.json["source"]["branch"] == ("release/2" if deleted else "feature")
    name = f"reland/{landing[:12]}"
    assert kinds(repo, name) == []
    files = repo.git("ls-tree", "--name-only", name).split("\n")
    assert {"basket.py", "fix.py"} <= set(files)
    repo.merge(name)
    assert kinds(repo, "release/2") == []


def test_a_branch_cut_after_the_revert_that_put_it_back_by_hand(guard: Guard, path_of_repo: Path) -> None:
    repo, _, _ = on_top(path_of_repo)
    repo.branch("release/2")
    repo.merge("feature")
    repo.git("checkout", "landing", "--", "basket.py", "app.py")
    repo.commit("All of it")
    repo.checkout("main")
    assert kinds(repo, "release/2") == []
    said = guard(repo.path, "reland", "landing", "--source", "release/2", "--plan", "--format", "json").json
    assert said["way"] == "rebuilt"
    repo.commit("In the way", fix_dot_py="else\n")
    said = guard(repo.path, "reland", "landing", "--source", "release/2", "--plan", "--format", "json").json
    assert said["way"] == "fixed-on-top"  # in conflict it cannot be seen what it would give


def test_the_note_on_a_landing_by_fast_forward_names_what_brings_it(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.branch("fast")
    one = repo.commit("One", by="omar", one_dot_py="1\n")
    two = repo.commit("Two", by="omar", two_dot_py="2\n")
    repo.checkout("main")
    repo.git("merge", "-q", "--ff-only", "fast")
    revert(repo, two)
    revert(repo, one)
    repo.checkout("fast")
    fix(repo)
    repo.checkout("main")
    checked = guard(repo.path, "check", "--into", "main", "--head", "fast", "--format", "json")
    outcome = next(one for one in checked.json["changes"][0]["outcomes"] if one["rule"] == "RG403")
    assert outcome["findings"] == []
    command = outcome["notes"][-1].removeprefix("where that is this branch's own work: ").removesuffix(" brings it too")
    done = guard(repo.path, *shlex.split(command)[1:], "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert (done.json["way"], done.json["source"]["branch"]) == ("fixed-on-top", "fast")
    files = repo.git("ls-tree", "--name-only", done.json["result"]["commit"]).split("\n")
    assert {"one.py", "two.py", "fix.py"} <= set(files)


def test_relanded_gone_on_with_and_reverted_again(guard: Guard, path_of_repo: Path) -> None:
    """The one remedy of the gate, pasted, gives all of it; the name that it would take is taken from last time."""
    repo, landing, _ = on_top(path_of_repo)
    first = f"reland/{landing[:12]}"
    assert guard(repo.path, "reland", "landing", "--yes").code == 0
    second = repo.merge(first)
    revert(repo, second, "-m", "1")
    repo.checkout("feature")
    repo.commit("Mend it once more", by="omar", more_dot_py="x\n")
    repo.checkout("main")
    repo.git("update-ref", f"refs/remotes/origin/{first}-2", first)
    denied = guard(repo.path, "check", "--into", "main", "--head", "feature", "--format", "json")
    outcome = next(one for one in denied.json["changes"][0]["outcomes"] if one["rule"] == "RG403")
    (remedy,) = {one["remedy"] for one in outcome["findings"]}
    assert all(one[:12] in remedy for one in (landing, second))
    done = guard(repo.path, *shlex.split(remedy, comments=True)[1:], "--yes", "--format", "json")
    assert done.code == 0, done.err
    name = done.json["result"]["ref"].removeprefix("refs/heads/")
    assert kinds(repo, name) == []
    files = repo.git("ls-tree", "--name-only", name).split("\n")
    assert {"basket.py", "fix.py", "more.py"} <= set(files)
    last = guard(repo.path, "reland", landing, "--plan", "--format", "json").json
    assert last["target"] == f"refs/heads/{first}-3"
    assert f"{first}-2 exists already, so the new branch is {first}-3" in last["notes"]


def test_a_forges_button(guard: Guard, path_of_repo: Path) -> None:
    """The revert lies on a branch of its own, and names the request; so does whoever asks."""
    repo = shop(path_of_repo)
    repo.git("commit", "-q", "--amend", "-m", "Merge pull request #12 from acme/feature", **repo.as_person("jane"))
    landing = repo.head()
    repo.branch("revert-12-feature")
    repo.git("revert", "--no-commit", "-m", "1", "HEAD")
    back = repo.commit('Revert "Basket"\n\nReverts acme/shop#12')
    repo.checkout("main")
    merged = repo.merge("revert-12-feature", message="Merge pull request #13 from acme/revert-12-feature")
    repo.checkout("feature")
    fix(repo)
    assert kinds(repo, "feature") == [(landing, "merged")]
    for named in ("#12", "#13", merged, back):
        plan = guard(repo.path, "reland", named, "--plan", "--format", "json").json
        assert [one["commit"] for one in plan["reapplies"]] == [back], named
    repo.git("branch", "-m", "feature", "kept")
    assert guard(repo.path, "reland", "#12", "--plan", "--format", "json").json["source"]["branch"] == "kept"


def test_what_was_reverted_alone_within_a_landing(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    revert(repo, "feature")
    plan = guard(repo.path, "reland", "landing", "--plan", "--format", "json").json
    assert [one["commit"] for one in plan["reverted"]] == [repo.head("feature")]
    said = guard(repo.path, "reland", "feature~1")
    assert (said.code, "no commit there says that it was reverted" in said.err) == (1, True)


def test_what_was_never_there(guard: Guard, path_of_repo: Path) -> None:
    repo, _, _ = on_top(path_of_repo)
    said = guard(repo.path, "reland", "feature")
    assert said.code == 1
    assert "is not in main, so nothing of it was reverted there" in said.err
    said = guard(repo.path, "reland", repo.git("rev-list", "--max-parents=0", "main"))
    assert "no commit there says that it was reverted" in said.err
    assert guard(repo.path, "reland").code == 2
    assert guard(repo.path, "reland", "landing", "--plan", "--execute", "x").code == 2
    assert guard(repo.path, "reland", "landing", "--source", "nowhere").code == 2
    assert guard(repo.path, "reland", "landing", "--execute", "0" * 64).code == 1
    assert guard(repo.path, "reland", "landing").code == 2  # nobody to ask


def test_several_branches_go_on(guard: Guard, path_of_repo: Path) -> None:
    repo, _, _ = on_top(path_of_repo)
    repo.branch("other", "feature~1")
    repo.commit("Mend it otherwise", other_dot_py="x\n")
    repo.branch("longer", "feature")
    repo.commit("Go on", longer_dot_py="x\n")
    repo.branch("cut", "landing")
    repo.commit("Not of it", cut_dot_py="x\n")
    said = guard(repo.path, "reland", "landing")
    assert said.code == 1
    assert "several branches go on from what was reverted: longer, other" in said.err
    assert said.err.rstrip().endswith("→ guard reland REV --source longer")
    plan = guard(repo.path, "reland", "landing", "--source", "cut", "--plan", "--format", "json").json
    assert plan["way"] == "fixed-on-top"
    shown = guard(repo.path, "reland", "landing", "--source", "cut", "--plan").out
    assert "--source cut" in shown.rpartition("→ ")[2]
    repo.git("update-ref", "refs/remotes/origin/far", "other")
    repo.git("branch", "-D", "other")
    plan = guard(repo.path, "reland", "landing", "--source", "far", "--as", "x", "--yes", "--format", "json").json
    assert plan["source"]["branch"] == "origin/far"
    assert repo.git("log", "-1", "--format=%s", "x") == "Merge remote-tracking branch 'origin/far' into x"


def test_a_branch_that_has_a_part(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.branch("more")
    repo.commit("More", more_dot_py="x\n")
    repo.checkout("main")
    more = repo.merge("more")
    revert(repo, more, "-m", "1")
    revert(repo, "landing", "-m", "1")
    repo.checkout("feature")
    fix(repo)
    plan = guard(repo.path, "reland", "landing", more, "--plan")
    assert "note: feature has nothing of 1 of them, which come back as they were" in plan.out
    assert "merge feature" in plan.out


def test_conflicts_are_told_before_anything_is_written(guard: Guard, path_of_repo: Path) -> None:
    repo, landing, back = on_top(path_of_repo)
    repo.commit("Line 5 as well", app_dot_py=LINES.replace("line 5\n", "line 5: taken\n"))
    before = everything(repo)
    said = guard(repo.path, "reland", "landing", "--yes")
    assert said.code == 1
    assert said.out.startswith("In conflict: this cannot come again on main by itself; nothing was changed\n")
    assert "      app.py: CONFLICT (contents)" in said.out
    assert "Line 5 as well" in said.out
    assert said.out.endswith(
        f"→ git switch -c reland/{landing[:12]} {repo.head('main')[:12]} && git revert {back[:12]} && "
        "git merge feature   # and resolve what is in conflict\n"
    )
    assert everything(repo) == before
    plan = guard(repo.path, "reland", "landing", "--plan", "--format", "json")
    assert (plan.code, plan.json["reapplies"][0]["conflicts"][0]["path"]) == (1, "app.py")
    assert plan.json["dependents"][0]["paths"] == ["app.py"]


@pytest.mark.parametrize("rebuilt", [False, True])
def test_a_conflict_of_the_branch_itself(guard: Guard, path_of_repo: Path, rebuilt: bool) -> None:
    repo, _, _ = on_top(path_of_repo)
    if rebuilt:
        repo.git("checkout", "-q", "-B", "feature", "landing~1")
        fix(repo)
    else:
        repo.checkout("feature")
    text = (repo.path / "app.py").read_text()
    repo.commit("Line 30", app_dot_py=text.replace("line 30\n", "line 30: a\n"))
    repo.checkout("main")
    repo.commit("Line 30 as well", app_dot_py=LINES.replace("line 30\n", "line 30: b\n"))
    said = guard(repo.path, "reland", "landing")
    assert said.code == 1
    assert "      app.py: CONFLICT (contents)" in said.out
    assert "git merge feature   # and resolve" in said.out
    plan = guard(repo.path, "reland", "landing", "--format", "json").json
    assert plan["source"]["conflicts"] == [{"path": "app.py", "kinds": ["CONFLICT (contents)"], "remembered": False}]


def test_a_part_of_single_in_conflict(guard: Guard, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.stable_tag(TAG)
    one = repo.commit("One", app_dot_py=(repo.path / "app.py").read_text().replace("line 20\n", "line 20: one\n"))
    repo.commit("Two", two_dot_py="2\n")
    assert guard(repo.path, "revert", "--mode", "single", "--yes").code == 0
    text = (repo.path / "app.py").read_text()
    repo.commit("Three", app_dot_py=text.replace("line 20\n", "line 20: three\n"))
    said = guard(repo.path, "reland", one)
    assert f"git cherry-pick {one[:12]}   # and resolve" in said.out


def test_pushed(guard: Guard, path_of_repo: Path) -> None:
    repo, landing, _ = on_top(path_of_repo)
    where = path_of_repo.parent / "origin.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(where))
    repo.git("remote", "add", "origin", str(where))
    repo.git("fetch", "-q", "origin")
    done = guard(repo.path, "reland", "landing", "--push", "--yes")
    assert done.code == 0, done.err
    assert "pushed to origin" in done.err
    assert repo.git("--git-dir", str(where), "rev-parse", f"reland/{landing[:12]}") == repo.head(
        f"reland/{landing[:12]}"
    )


def test_a_push_that_is_not_taken(guard: Guard, path_of_repo: Path) -> None:
    repo, landing, _ = on_top(path_of_repo)
    where = path_of_repo.parent / "origin.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(where))
    (where / "hooks" / "pre-receive").write_text("#!/bin/sh\nexit 1\n")
    (where / "hooks" / "pre-receive").chmod(0o755)
    repo.git("remote", "add", "origin", str(where))
    done = guard(repo.path, "reland", "landing", "--push", "--yes")
    assert done.code == 1
    assert f"git branch -D -- reland/{landing[:12]}" in done.err


def test_a_landing_that_names_no_branch_that_is_here(guard: Guard, path_of_repo: Path) -> None:
    repo, _, _ = on_top(path_of_repo)
    repo.git("branch", "-D", "feature")
    assert guard(repo.path, "reland", "landing", "--plan", "--format", "json").json["way"] == "as-it-was"
    repo.branch("x", "landing~1")
    repo.commit("Other", x_dot_py="x\n")
    repo.checkout("main")
    merged = repo.merge("x", message="A merge of something")
    revert(repo, merged, "-m", "1")
    repo.git("branch", "-D", "x")
    assert guard(repo.path, "reland", merged, "--plan", "--format", "json").json["way"] == "as-it-was"


def test_signed_where_git_is_set_so(guard: Guard, path_of_repo: Path) -> None:
    repo, landing, _ = on_top(path_of_repo)
    repo.git("config", "gpg.format", "ssh")
    repo.git("config", "commit.gpgSign", "true")
    repo.git("config", "user.signingKey", str(key_of("jane")))
    done = guard(repo.path, "reland", "landing", "--yes")
    assert done.code == 0, done.err
    name = f"reland/{landing[:12]}"
    for rev in (name, f"{name}~1"):
        assert "gpgsig" in repo.git("cat-file", "commit", rev)
    assert repo.head(f"{name}^2") == repo.head("feature")


def test_a_plan_that_cannot_be_carried_out_and_a_proof_that_fails(path_of_repo: Path) -> None:
    repo, _, _ = on_top(path_of_repo)
    repository = opened(repo)
    with ExitStack() as stack:
        job = ask_for_reland(repository, AskedAgain(revs=("landing",)), Options(), stack)
        plan, source = job.plan, job.plan.source
        assert source is not None
        conflicts = (PathConflict(path="x", kinds=("CONFLICT (contents)",)),)
        in_conflict = plan._replace(source=source._replace(conflicts=conflicts))
        with pytest.raises(RefusedError, match="there are conflicts"):
            execute_reland(repository, job.undoing, in_conflict, "")
        with pytest.raises(UsageError, match="nothing to write"):
            execute_reland(repository, job.undoing, plan._replace(writes=False), "")
        with pytest.raises(GitError, match="not those of the plan"):
            prove_reland(job.undoing.git, plan, plan.tip, new_commits(plan, ""))
        turned = plan._replace(source=source._replace(tip=repo.head("landing")))
        with pytest.raises(GitError, match="not those of the plan"):
            prove_reland(job.undoing.git, plan, repo.head("main"), new_commits(turned, ""))


STEPS = [
    ("rollback_guard.release.writing", "", "write_commits", "after", False),
    ("rollback_guard.release.reland_run", "", "prove_reland", "after", False),
    ("rollback_guard.git.fast_import", "Quarantine", "keep", "after", False),
    ("rollback_guard.release.moving", "", "update_refs", "before", False),
    ("rollback_guard.release.moving", "", "update_refs", "after", True),
]


@pytest.mark.parametrize(("module", "owner", "name", "after", "made"), STEPS, ids=lambda value: str(value))
def test_killed_it_leaves_no_ref_or_the_branch(
    path_of_repo: Path, module: str, owner: str, name: str, after: str, made: bool
) -> None:
    repo, landing, _ = on_top(path_of_repo)
    refs = repo.git("for-each-ref")
    driver = DRIVER.replace('main(["revert", "--yes"])', 'main(["reland", "landing", "--yes"])')
    assert driver != DRIVER
    command = [sys.executable, "-c", driver, module, owner, name, after]
    done = subprocess.run(command, cwd=repo.path, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    new = set(repo.git("for-each-ref").split("\n")) - set(refs.split("\n"))
    assert [line.rpartition("\t")[2] for line in new] == ([f"refs/heads/reland/{landing[:12]}"] if made else [])
    assert repo.git("status", "--porcelain") == ""
