"""`guard revert` of many merges beside `git revert -m 1` of the same, and in trees of different sizes."""

from __future__ import annotations

import os
import shutil

from benchmarks import repositories
from benchmarks.places import Places
from benchmarks.repositories import ASIDE, NEARER, STABLE, Restorer, git
from benchmarks.table import Row, timed
from benchmarks.timing import Contender, Timing, WrongResultError, measure

SUBJECT = "Revert of 1,000 merges, {:,} files"
SIZES_SUBJECT = "Revert of 1,000 merges by size of the tree"
MERGES, FEWER, FILES = 1_000, 100, 5_000
SIZES = (500, 5_000, 50_000)
GROWTH = 1.25  # the largest tree may take this much of the time of the smallest
LEAST, LEAST_SMALL = 50, 30  # times faster than git revert, among 50,000 files and among 5,000


def revert(places: Places, name: str, folder: str, tag: str, restore: Restorer) -> Contender:
    """`guard revert` to a stable release, in a repository that is brought back before each run."""
    command = places.guard("revert", "--to", tag, "--branch", "main", "--yes", "--reason", "The checkout fails")
    return Contender(name, command, folder, places.env, prepare=restore)


def aside(places: Places, name: str, folder: str, tag: str, restore: Restorer) -> Contender:
    """The same onto a new branch for a pull request: production, and the work tree, stay as they are."""
    one = revert(places, name, folder, tag, restore)
    return one._replace(command=(*one.command, "--as", ASIDE.removeprefix("refs/heads/")))


def git_revert(places: Places, name: str, folder: str, tag: str, restore: Restorer) -> Contender:
    """One `git revert` of all merges above a release, newest first: faster than one process for each."""
    merges = git(folder, places.env, "rev-list", "--first-parent", f"{tag}..main").split()
    command = ("git", "revert", "-m", "1", "--no-edit", *merges)
    return Contender(name, command, folder, places.env, prepare=restore)


def require_reverted(places: Places, contender: Contender, tag: str, merges: int, *, of: int = 0) -> None:
    """Run once, and look: a revert commit for each merge, and the release's tree on the branch; the work tree clean.

    `of`: how many landed since the release, where not all of them are reverted.

    Raises: WrongResultError when that is not so.
    """
    measure([contender], 1, warm=0)
    folder = contender.cwd
    branch = ASIDE if "--as" in contender.command else "main"
    made = git(folder, places.env, "rev-list", "--count", "--first-parent", f"{tag}..{branch}")
    ends = [git(folder, places.env, "rev-parse", f"{rev}^{{tree}}") for rev in (branch, tag)]
    bare = git(folder, places.env, "rev-parse", "--is-bare-repository") == "true"
    dirty = "" if bare else git(folder, places.env, "status", "--porcelain")
    if ends[0] != ends[1] or dirty or made != str((of or merges) + merges):
        raise WrongResultError(
            f"{contender.name}: {branch} is {ends[0]}, {tag} is {ends[1]}, {made} commits above it; {dirty[:200]}"
        )


def bare_clone(places: Places, folder: str) -> str:
    """A fresh bare clone of a repository, beside it."""
    bare = folder + ".git"
    shutil.rmtree(bare, ignore_errors=True)
    git(places.out, places.env, "clone", "-q", "--mirror", folder, bare)
    return bare


def run(places: Places, runs: int, *, full: bool) -> tuple[list[Row], list[Timing]]:
    """Time both questions; each contender's result is checked once, before the timing."""
    folders = {size: os.path.join(places.out, f"merges-{size}") for size in SIZES}
    for size, folder in folders.items():
        repositories.write(folder, places.env, repositories.merged(MERGES, size, nearer=FEWER))
    rows, times = _beside_git(places, folders[FILES], runs, full=full)
    for found in (_in_a_large_tree(places, folders[SIZES[-1]], runs), _by_size(places, folders, runs)):
        rows, times = rows + found[0], times + found[1]
    return rows, times


def _in_a_large_tree(places: Places, folder: str, runs: int) -> tuple[list[Row], list[Timing]]:
    """Beside git once more, where it has more files to look at: a hundred of its reverts, taken ten times."""
    subject = SUBJECT.format(SIZES[-1])
    away = bare_clone(places, folder)
    bare = revert(
        places, f"guard revert, 1,000 merges, bare, {SIZES[-1]:,} files", away, STABLE, Restorer(away, places.env)
    )
    restore = Restorer(folder, places.env)
    theirs = git_revert(places, f"git revert -m 1, 100 merges, {SIZES[-1]:,} files", folder, NEARER, restore)
    require_reverted(places, bare, STABLE, MERGES)
    require_reverted(places, theirs, NEARER, FEWER)
    found = measure([bare, theirs], runs, warm=0)
    restore()
    git_row = _extrapolated(subject, "git revert -m 1, 1,000 merges", found[theirs.name])
    ours = _against(subject, found[bare.name], git_row)
    ratio = ours.ratio or 0.0
    ours = ours._replace(kind="ours", target=f"≥ {LEAST}", met=ratio >= LEAST)
    return [ours, git_row, timed(subject, "peer", found[theirs.name])], list(found.values())


def _extrapolated(subject: str, name: str, timing: Timing) -> Row:
    value = timing.median * MERGES / FEWER
    return Row(subject=subject, name=name, kind="peer", value=value, note="extrapolated, ten times 100")


def _against(subject: str, timing: Timing, git_row: Row) -> Row:
    ratio = git_row.value / timing.median
    return timed(subject, "information", timing)._replace(ratio=ratio, against="faster than git revert")


def _beside_git(places: Places, folder: str, runs: int, *, full: bool) -> tuple[list[Row], list[Timing]]:
    subject = SUBJECT.format(FILES)
    restore = Restorer(folder, places.env)
    mine = revert(places, "guard revert, 1,000 merges", folder, STABLE, restore)
    away = bare_clone(places, folder)
    bare = revert(places, "guard revert, 1,000 merges, bare", away, STABLE, Restorer(away, places.env))
    beside = aside(places, "guard revert --as, 1,000 merges", folder, STABLE, restore)
    near = revert(places, "guard revert, 100 merges", folder, NEARER, restore)
    theirs = git_revert(places, "git revert -m 1, 100 merges", folder, NEARER, restore)
    all_of_them = git_revert(places, "git revert -m 1, 1,000 merges", folder, STABLE, restore)
    expected = [
        (beside, STABLE, MERGES),
        (bare, STABLE, MERGES),
        (mine, STABLE, MERGES),
        (near, NEARER, FEWER),
        (theirs, NEARER, FEWER),
    ]
    expected += [(all_of_them, STABLE, MERGES)] if full else []
    for one, tag, merges in expected:
        require_reverted(places, one, tag, merges)
    found = measure([one for one, _, _ in expected], runs, warm=0)
    restore()
    git_row = _extrapolated(subject, all_of_them.name, found[theirs.name])
    if full:
        git_row = timed(subject, "peer", found[all_of_them.name])
    rows = []
    for one in (beside, bare):
        row = _against(subject, found[one.name], git_row)
        rows.append(row._replace(kind="ours", target=f"≥ {LEAST_SMALL}", met=(row.ratio or 0.0) >= LEAST_SMALL))
    # Where the branch is checked out, both write the files that differ, which takes as long for both.
    rows += [
        _against(subject, found[mine.name], git_row)._replace(name=f"{mine.name}, checked out"),
        git_row,
        timed(subject, "information", found[near.name])._replace(
            ratio=found[theirs.name].median / found[near.name].median, against="faster than git revert"
        ),
        timed(subject, "peer", found[theirs.name]),
    ]
    return rows, list(found.values())


def _by_size(places: Places, folders: dict[int, str], runs: int) -> tuple[list[Row], list[Timing]]:
    """In bare repositories, where the work is; and with a work tree, of which git compares every file."""
    rows: list[Row] = []
    contenders: dict[str, list[Contender]] = {"bare": [], "work tree": []}
    for size, folder in folders.items():
        for kind, place in (("bare", bare_clone(places, folder)), ("work tree", folder)):
            restore = Restorer(place, places.env)
            one = revert(places, f"{kind}, {size:,} files", place, STABLE, restore)
            require_reverted(places, one, STABLE, MERGES)
            contenders[kind].append(one)
    found = measure([*contenders["bare"], *contenders["work tree"]], runs, warm=0)
    for kind, ones in contenders.items():
        smallest, largest = found[ones[0].name].median, ones[-1].name
        for one in ones:
            ratio = found[one.name].median / smallest
            row = timed(SIZES_SUBJECT, "ours" if kind == "bare" else "information", found[one.name])
            row = row._replace(ratio=ratio, against=f"{SIZES[0]} files")
            if kind == "bare" and one.name == largest:
                row = row._replace(target=f"≤ {GROWTH}", met=ratio <= GROWTH)
            rows.append(row)
    for one in (*contenders["bare"], *contenders["work tree"]):
        if one.prepare is not None:
            one.prepare()
    return rows, list(found.values())
