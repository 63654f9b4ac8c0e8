"""Undoing commits alone: what git's own revert gives, without a work tree, and conflicts as data."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.git.process import Git
from rollback_guard.release import only
from rollback_guard.release.model import OnlyPlan, Result
from rollback_guard.release.only import Undoing, plan_only
from rollback_guard.release.only_run import execute_only
from rollback_guard.release.only_units import in_order, read_units
from rollback_guard.report.only_text import render_only
from tests.release.stories import begun, busy, everything, land, opened, quarantines
from tests.support.builder import RepositoryBuilder, told_once

LINES = "".join(f"line {number}\n" for number in range(1, 31))


def alone(
    repo: RepositoryBuilder, *revs: str, execute: bool = False, tmp: Path | None = None
) -> tuple[OnlyPlan, Result | None]:
    """The plan of undoing some commits on main, and, if wanted, what carrying it out gave."""
    repository = opened(repo)
    tip = repo.head("main")
    scratch = tmp or repo.path.parent / f"{repo.path.name}-scratch"
    scratch.mkdir(exist_ok=True)
    with Undoing(repository, tip, str(scratch)) as undoing:
        units = read_units(undoing.git, [repo.head(rev) for rev in revs], tip, "main")
        plan = plan_only(undoing, branch="main", target="refs/heads/main", units=units)
        result = execute_only(repository, undoing, plan, "it broke") if execute else None
    assert list(scratch.iterdir()) == []
    return plan, result


@told_once
def numbered(path: Path, *edits: tuple[int, str], object_format: str = "sha1") -> RepositoryBuilder:
    """A file of thirty lines, and commits that each change one of them."""
    repo = RepositoryBuilder(path, object_format=object_format)
    repo.commit("Begin", a_dot_txt=LINES)
    text = LINES.split("\n")
    for line, to in edits:
        text[line - 1] = to
        repo.commit(f"Line {line} is {to}", a_dot_txt="\n".join(text))
    return repo


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_one_commit_from_the_middle(path_of_repo: Path, object_format: str) -> None:
    repo = numbered(path_of_repo, (3, "three"), (15, "fifteen"), (28, "last"), object_format=object_format)
    before = everything(repo)
    plan, _ = alone(repo, "main~1")
    assert everything(repo) == before
    assert not plan.open
    middle = repo.head("main~1")
    _, result = alone(repo, "main~1", execute=True)
    assert result is not None
    assert (result.ref, result.commits, result.equals_stable) == ("refs/heads/main", 1, None)
    assert repo.git("show", "main:a.txt").split("\n")[14] == "line 15"
    assert (repo.path / "a.txt").read_text().count("three") == 1
    assert repo.git("log", "-1", "--format=%B").rstrip() == (
        f'Revert "Line 15 is fifteen"\n\nThis reverts commit {middle}.\n\nReason: it broke'
    )
    assert repo.git("status", "--porcelain") == ""
    assert opened(repo).git.run("fsck", "--strict").returncode == 0
    assert quarantines(repo) == []


def test_a_merge_goes_as_a_whole(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    merge = repo.head("main~1")
    plan, result = alone(repo, "main~1", execute=True)
    assert result is not None
    assert plan.undone[0].mainline == 1
    assert f"This reverts commit {merge}, reversing\nchanges made to {repo.head('main~3')}." in repo.git(
        "log", "-1", "--format=%B"
    )
    assert "one.py" not in repo.git("ls-tree", "-r", "--name-only", "main")
    assert "two.py" in repo.git("ls-tree", "-r", "--name-only", "main")


def test_several_are_undone_newest_first_whatever_the_order(path_of_repo: Path) -> None:
    repo = numbered(path_of_repo, (15, "a"), (15, "b"), (3, "x"))
    plan, result = alone(repo, "main~2", "main~1", "main~2", execute=True)
    assert result is not None
    assert [one.subject for one in plan.undone] == ["Line 15 is b", "Line 15 is a"]
    assert repo.git("show", "main:a.txt").split("\n")[14] == "line 15"
    assert repo.git("log", "-2", "--format=%s").split("\n") == ['Revert "Line 15 is a"', 'Revert "Line 15 is b"']


def test_conflicts_are_data_and_the_smallest_set_is_proposed(path_of_repo: Path) -> None:
    repo = numbered(path_of_repo, (15, "a"), (3, "x"), (15, "b"), (28, "y"), (15, "c"))
    before = everything(repo)
    plan, _ = alone(repo, "main~4")
    assert everything(repo) == before
    assert (plan.open, plan.tree) == (True, None)
    (conflict,) = plan.undone[0].conflicts
    assert (conflict.path, conflict.kinds) == ("a.txt", ("CONFLICT (contents)",))
    assert [one.subject for one in plan.dependents] == [
        "Line 15 is c", "Line 28 is y", "Line 15 is b", "Line 3 is x",
    ]  # fmt: skip
    assert plan.closed == (repo.head("main"), repo.head("main~2"), repo.head("main~4"))
    closed, _ = alone(repo, *plan.closed)
    assert not closed.open
    with pytest.raises(RefusedError, match="there are conflicts"):
        alone(repo, "main~4", execute=True)
    assert everything(repo) == before


def test_where_no_set_can_be_undone_none_is_proposed(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = numbered(path_of_repo, (15, "a"), (15, "b"))
    monkeypatch.setattr(only, "ROUNDS", 0)
    plan, _ = alone(repo, "main~1")
    assert plan.closed == ()
    said = render_only(plan, "sha256:0", execute="guard revert --execute", closed="")
    assert said.split("→ ")[1].startswith("git revert --no-commit COMMIT ")


def test_a_set_of_very_many_is_not_looked_for(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = numbered(path_of_repo, (15, "a"), (3, "x"), (15, "b"))
    assert len(alone(repo, "main~2")[0].closed) == 2
    monkeypatch.setattr(only, "MOST", 2)  # the one that is asked for and both that touch the file
    plan, _ = alone(repo, "main~2")
    assert (len(plan.dependents), plan.closed) == (2, ())


def test_many_commits_take_no_more_questions_than_two(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = numbered(path_of_repo, *((number, "x") for number in range(1, 30)))
    asked: list[tuple[str, ...]] = []
    command = Git.command

    def counted(self: Git, args: Sequence[str], **options: Any) -> list[str]:
        asked.append(tuple(args))
        return command(self, args, **options)

    monkeypatch.setattr(Git, "command", counted)
    counts = []
    for revs in (2, 25):
        commits = repo.git("rev-list", f"--max-count={revs}", "main").split()
        asked.clear()
        assert len(read_units(opened(repo).git, commits, repo.head("main"), "main")) == revs
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_larger_set_is_kept_when_time_is_up(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = numbered(path_of_repo, (15, "a"), (3, "x"), (15, "b"))
    monkeypatch.setattr(only, "TRIES", 0)
    assert len(alone(repo, "main~2")[0].closed) == 3


def test_a_later_merge_that_touches_the_same_is_named_whole(path_of_repo: Path) -> None:
    repo = numbered(path_of_repo, (15, "a"))
    text = LINES.split("\n")
    text[14] = "branch"
    merge = land(repo, "feature/x", a_dot_txt="\n".join(text))
    plan, _ = alone(repo, "main~1")
    assert [one.commit for one in plan.dependents] == [merge]
    assert plan.closed == (merge, repo.head("main~1"))


def test_a_commit_of_a_branch_that_was_merged(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    inside = repo.git("log", "--format=%H", "--grep=^Inner$", "main")
    plan, result = alone(repo, inside, execute=True)
    assert result is not None
    assert plan.undone[0].mainline is None
    assert "inner.py" not in repo.git("ls-tree", "-r", "--name-only", "main")


def test_a_commit_inside_a_merged_branch_depends_on_its_branch(path_of_repo: Path) -> None:
    repo = numbered(path_of_repo)
    repo.branch("feature/x")
    text = LINES.split("\n")
    for to in ("a", "b"):
        text[14] = to
        repo.commit(f"To {to}", a_dot_txt="\n".join(text))
    repo.checkout("main")
    repo.commit("Meanwhile", other_dot_txt="1\n")
    repo.merge("feature/x")
    plan, _ = alone(repo, "feature/x~1")
    assert [one.subject for one in plan.dependents] == ["To b"]
    assert plan.closed == (repo.head("feature/x"), repo.head("feature/x~1"))


def test_a_merge_within_a_merged_branch_has_no_mainline(path_of_repo: Path) -> None:
    repo = busy(path_of_repo)
    inner = repo.head("feature/two")
    with pytest.raises(RefusedError, match="which of its parents is the mainline") as caught:
        alone(repo, inner)
    assert caught.value.remedy.startswith(f"guard revert --mode only {repo.head('main')[:12]}")


def test_a_commit_that_the_branch_does_not_have(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.branch("topic")
    strange = repo.commit("Elsewhere", x_dot_txt="1\n")
    with pytest.raises(RefusedError, match="is not in main"):
        alone(repo, strange)


def test_what_is_undone_already_leaves_nothing(path_of_repo: Path) -> None:
    repo = numbered(path_of_repo, (15, "a"), (3, "x"))
    alone(repo, "main~1", execute=True)
    plan, _ = alone(repo, "main~2")
    assert (plan.empty, plan.undone[0].empty) == (True, True)
    with pytest.raises(UsageError, match="nothing of that is left"):
        alone(repo, "main~2", execute=True)
    plan, result = alone(repo, "main~2", "main~1", execute=True)  # the other one is still there
    assert result is not None
    assert result.commits == 1


def test_the_first_commit_of_all(path_of_repo: Path) -> None:
    repo = RepositoryBuilder(path_of_repo)
    repo.commit("Begin", a_dot_txt="1\n")
    repo.commit("More", b_dot_txt="2\n")
    plan, result = alone(repo, "main~1", execute=True)
    assert result is not None
    assert plan.undone[0].parent is None
    assert repo.git("ls-tree", "-r", "--name-only", "main") == "b.txt"


def test_attributes_of_the_tree_hold(path_of_repo: Path) -> None:
    """merge=union takes both sides, as git's revert in a work tree does."""
    repo = RepositoryBuilder(path_of_repo)
    repo.write_file(".gitattributes", "# none here\n*.bin binary\n")
    repo.write_file("docs/.gitattributes", "[attr]odd merge=union\nCHANGES.* merge=union\n")
    repo.commit("Begin", docs__CHANGES_dot_md="one\n")
    repo.commit("Two", docs__CHANGES_dot_md="one\ntwo\n")
    repo.commit("Three", docs__CHANGES_dot_md="one\ntwo changed\nthree\n")
    repo.git("config", "merge.odd.driver", "false")
    plan, _ = alone(repo, "main~1")
    assert not plan.open
    repo.write_file("docs/.gitattributes", "")
    repo.write_file(".gitattributes", "*.md merge=odd\n")
    repo.commit("No union")
    plan, _ = alone(repo, "main~2")
    assert plan.open
    assert any("merge driver odd is not run" in note for note in plan.notes)


@pytest.mark.parametrize("enabled", ["true", "", "false"])
def test_a_conflict_that_was_resolved_before_is_resolved_again(path_of_repo: Path, enabled: str) -> None:
    repo = numbered(path_of_repo, (15, "a"), (15, "b"))
    repo.git("config", "rerere.enabled", "true")
    repo.git("branch", "elsewhere")
    repo.checkout("elsewhere")
    asked = repo.head("main~1")
    repo.git("revert", "--no-edit", asked, check=False)
    (repo.path / "a.txt").write_text(LINES.replace("line 15\n", "solved\n"))
    repo.git("add", "a.txt")
    repo.git("commit", "-q", "--no-edit")
    repo.checkout("main")
    repo.git("config", "--unset", "rerere.enabled")
    if enabled:
        repo.git("config", "rerere.enabled", enabled)
    memory = sorted((repo.path / ".git/rr-cache").rglob("*"))
    plan, _ = alone(repo, asked)
    assert plan.open == (enabled == "false")
    assert sorted((repo.path / ".git/rr-cache").rglob("*")) == memory
    if not plan.open:
        assert plan.undone[0].conflicts[0].remembered
        alone(repo, asked, execute=True)
        assert "solved\n" in (repo.path / "a.txt").read_text()


def test_a_memory_that_does_not_know_it_changes_nothing(path_of_repo: Path) -> None:
    repo = numbered(path_of_repo, (15, "a"), (15, "b"))
    memory = repo.path / ".git/rr-cache"
    (memory / ("0" * 40)).mkdir(parents=True)
    (memory / "file").write_text("x")
    assert alone(repo, "main~1")[0].open
    assert [path.name for path in memory.iterdir() if path.is_dir()] == ["0" * 40]


def test_renames_modes_links_and_folders(path_of_repo: Path) -> None:
    """A file that was renamed since is found, as git finds it."""
    repo = numbered(path_of_repo, (15, "a"))
    repo.git("mv", "a.txt", "b.txt")
    repo.commit("Rename")
    (repo.path / "b.txt").chmod(0o755)
    repo.commit("Make it run")
    alone(repo, "main~2", execute=True)
    assert repo.git("ls-tree", "main", "b.txt").startswith("100755")
    assert repo.git("show", "main:b.txt").split("\n")[14] == "line 15"


def git_reverts(repo: RepositoryBuilder, folder: Path, commit: str) -> tuple[str, list[str]]:
    """What `git revert` makes of a commit in a work tree of its own: the tree, or the paths in conflict."""
    repo.git("worktree", "add", "-q", "--detach", str(folder), "main")
    merge = ["-m", "1"] if " " in repo.git("log", "-1", "--format=%P", commit) else []
    done = subprocess.run(
        ["git", "-c", "rerere.enabled=false", "revert", "--no-commit", *merge, commit],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    run = ["git", "ls-files", "-u", "-z"] if done.returncode else ["git", "write-tree"]
    out = subprocess.run(run, cwd=folder, capture_output=True, check=True).stdout.decode()
    repo.git("worktree", "remove", "--force", str(folder))
    paths = sorted({line.partition("\t")[2] for line in out.split("\0") if line})
    return ("", paths) if done.returncode else (out.strip(), [])


@pytest.mark.parametrize("seed", range(6))
def test_any_history_is_undone_as_git_would(path_of_repo: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    repo = RepositoryBuilder(path_of_repo)
    files = {f"f{number}.txt": [f"{number}.{line}" for line in range(12)] for number in range(3)}

    def work(subject: str) -> None:
        name = chance.choice(sorted(files))
        what = chance.random()
        if what < 0.1 and len(files) > 1:
            files[f"{name}.moved"] = files.pop(name)
            repo.git("mv", name, f"{name}.moved")
            name = f"{name}.moved"
        elif what < 0.15 and len(files) > 1:
            files.pop(name)
            repo.git("rm", "-q", name)
            repo.commit(subject)
            return
        else:
            files[name][chance.randrange(12)] = subject
        repo.write_file(name, "".join(f"{line}\n" for line in files[name]))
        repo.commit(subject)

    for name, lines in files.items():
        repo.write_file(name, "".join(f"{line}\n" for line in lines))
    repo.commit("Begin")
    for number in range(14):
        if chance.random() < 0.25:
            repo.branch(f"b{number}")
            work(f"on branch {number}")
            repo.checkout("main")
            repo.git("merge", "-q", "--no-ff", "-m", f"Merge {number}", f"b{number}")
        else:
            work(f"work {number}")
    for number, commit in enumerate(repo.git("rev-list", "--first-parent", "main").split()[:-1]):
        plan, _ = alone(repo, commit)
        tree, paths = git_reverts(repo, tmp_path / f"w{number}", commit)
        if tree:
            assert (plan.open, plan.tree) == (False, tree), commit
        else:
            assert sorted({one.path for one in plan.undone[0].conflicts}) == paths, commit


def test_order_of_commits_that_have_nothing_in_common(path_of_repo: Path) -> None:
    repo = begun(path_of_repo)
    repo.git("checkout", "-q", "--orphan", "other")
    other = repo.commit("Another beginning", x_dot_txt="1\n")
    assert set(in_order(opened(repo).git, [other, repo.head("main")])) == {other, repo.head("main")}
    assert in_order(opened(repo).git, []) == []
    assert read_units(opened(repo).git, [], repo.head("main"), "main") == ()
