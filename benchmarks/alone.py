"""`guard revert --mode only` beside `git revert` of the same merges in a work tree, in trees of two sizes."""

from __future__ import annotations

import os

from benchmarks import repositories
from benchmarks.places import Places
from benchmarks.repositories import ASIDE, NEARER, Restorer, git
from benchmarks.table import Row, timed
from benchmarks.timing import Contender, Timing, WrongResultError, measure

SUBJECT = "Merges undone alone (only)"
MERGES = 100
SIZES = (5_000, 50_000)
LEAST = 2  # times faster than git revert
AGAINST = "faster than git revert"


def only(places: Places, name: str, folder: str, revs: str, restore: Restorer) -> Contender:
    """`guard revert --mode only` onto a new branch: each commit by a merge of its own, no work tree touched."""
    where = ("--branch", "main", "--as", ASIDE.removeprefix("refs/heads/"))
    command = places.guard("revert", "--mode", "only", revs, *where, "--yes", "--reason", "The checkout fails")
    return Contender(name, command, folder, places.env, prepare=restore)


def git_revert(places: Places, name: str, folder: str, revs: str, restore: Restorer) -> Contender:
    """One `git revert` of the same merges, in the work tree that it needs."""
    merges = git(folder, places.env, "rev-list", "--first-parent", revs).split()
    command = ("git", "revert", "-m", "1", "--no-edit", *merges)
    return Contender(name, command, folder, places.env, prepare=restore)


def require_same(places: Places, ours: Contender, theirs: Contender) -> None:
    """Run both once: the same number of commits, and the same tree. Raises: WrongResultError."""
    measure([theirs], 1, warm=0)
    folder, env = ours.cwd, places.env
    made = git(folder, env, "rev-parse", "main^{tree}"), git(folder, env, "rev-list", "--count", "ORIG..main")
    measure([ours], 1, warm=0)
    mine = git(folder, env, "rev-parse", f"{ASIDE}^{{tree}}"), git(folder, env, "rev-list", "--count", f"main..{ASIDE}")
    if made != mine:
        raise WrongResultError(f"{ours.name}: {mine[1]} commits to the tree {mine[0]}, git: {made[1]} to {made[0]}")


def run(places: Places, runs: int) -> tuple[list[Row], list[Timing]]:
    """One merge and a hundred, in each tree."""
    rows: list[Row] = []
    timings: list[Timing] = []
    for size in SIZES:
        folder = os.path.join(places.out, f"alone-{size}")
        repositories.write(folder, places.env, repositories.merged(MERGES + 1, size, nearer=MERGES))
        git(folder, places.env, "tag", "ORIG", "main")
        restore = Restorer(folder, places.env)
        for count, revs in ((MERGES, f"{NEARER}..ORIG"), (1, "ORIG~1..ORIG")):
            what = f"{count:,} merge{'s' if count > 1 else ''}, {size:,} files"
            ours = only(places, f"guard revert --mode only, {what}", folder, revs, restore)
            theirs = git_revert(places, f"git revert -m 1, {what}", folder, revs, restore)
            require_same(places, ours, theirs)
            found = measure([ours, theirs], runs)
            restore()
            mine, peer = found[ours.name], found[theirs.name]
            row = timed(SUBJECT, "information", mine)._replace(ratio=peer.median / mine.median, against=AGAINST)
            if size == SIZES[-1] and count == MERGES:
                row = row._replace(kind="ours", target=f"≥ {LEAST}", met=peer.median / mine.median >= LEAST)
            rows += [row, timed(SUBJECT, "peer", peer)]
            timings += found.values()
    return rows, timings
