"""The same on the history of a public repository, of which a clone is given: ten thousand landings taken back.

What it is measured on is borrowed from the clone, which stays as it is.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess

from benchmarks.many import MOST, MOST_PLAN, plan, seconds
from benchmarks.places import Places
from benchmarks.repositories import STABLE, Restorer, git
from benchmarks.revert import LEAST, aside, require_reverted, revert
from benchmarks.table import Row
from benchmarks.timing import Timing, WrongResultError, measure

LANDINGS, FEWER = 10_000, 1_000


def run(places: Places, runs: int, clones: tuple[str, ...]) -> tuple[list[Row], list[Timing]]:
    """Time a revert and a plan in each. Raises: WrongResultError where the result is not the older tree."""
    rows: list[Row] = []
    timings: list[Timing] = []
    for clone in clones:
        for part in (_one, _beside_git):
            found = part(places, runs, os.path.abspath(clone))
            rows += found[0]
            timings += found[1]
    return rows, timings


def _one(places: Places, runs: int, clone: str) -> tuple[list[Row], list[Timing]]:
    folder = os.path.join(places.out, f"public-{_name(clone)}.git")
    shutil.rmtree(folder, ignore_errors=True)
    git(places.out, places.env, "clone", "-q", "--shared", "--bare", "--single-branch", "--no-tags", clone, folder)
    git(folder, places.env, "config", "gc.auto", "0")
    head = git(folder, places.env, "rev-parse", "HEAD")
    git(folder, places.env, "update-ref", "refs/heads/main", head)
    try:
        older = git(folder, places.env, "rev-parse", f"{head}~{LANDINGS}")
    except subprocess.CalledProcessError:
        raise WrongResultError(f"{clone} has no {LANDINGS:,} landings on its line of first parents") from None
    git(folder, places.env, "tag", "-a", "-m", "For the benchmark", STABLE, older)
    restore = Restorer(folder, places.env)
    subject = f"Revert of 10,000 landings of {_name(clone)} at {head[:12]}"
    whole = revert(places, f"guard revert, {_name(clone)}", folder, STABLE, restore)
    planned = plan(places, f"guard revert --plan, {_name(clone)}", folder, STABLE)
    measure([whole], 1, warm=0)
    ends = [git(folder, places.env, "rev-parse", f"{rev}^{{tree}}") for rev in ("main", older)]
    made = git(folder, places.env, "rev-list", "--count", f"{head}..main")
    if ends[0] != ends[1] or made != str(LANDINGS):
        raise WrongResultError(f"{whole.name}: {ends[0]} after {made} commits, not {ends[1]}")
    restore()
    found = measure([planned, whole], runs)
    restore()
    rows = [seconds(subject, found[whole.name], MOST), seconds(subject, found[planned.name], MOST_PLAN)]
    return rows, list(found.values())


def _beside_git(places: Places, runs: int, clone: str) -> tuple[list[Row], list[Timing]]:
    """A thousand landings, beside one `git revert` of the same in a work tree; both must end in the older tree."""
    name, folder = _name(clone), os.path.join(places.out, f"public-{_name(clone)}")
    shutil.rmtree(folder, ignore_errors=True)
    git(places.out, places.env, "clone", "-q", "--shared", "--single-branch", "--no-tags", clone, folder)
    git(folder, places.env, "config", "gc.auto", "0")
    git(folder, places.env, "checkout", "-q", "-B", "main")
    head = git(folder, places.env, "rev-parse", "HEAD")
    older = git(folder, places.env, "rev-parse", f"{head}~{FEWER}")
    git(folder, places.env, "tag", "-a", "-m", "For the benchmark", STABLE, older)
    restore = Restorer(folder, places.env)
    ours = aside(places, f"guard revert --as, 1,000 landings of {name}", folder, STABLE, restore)
    landings = _with_content(folder, places, older)
    command = ("git", "revert", "-m", "1", "--no-edit", *landings)
    theirs = ours._replace(name=f"git revert -m 1, {len(landings):,} landings of {name}", command=command)
    require_reverted(places, ours, STABLE, FEWER)
    require_reverted(places, theirs, STABLE, len(landings), of=FEWER)
    found = measure([ours, theirs], runs, warm=0)
    restore()
    subject = f"Revert of 1,000 landings of {name} at {head[:12]}"
    ratio = found[theirs.name].median / found[ours.name].median
    row = seconds(subject, found[ours.name], MOST)._replace(
        ratio=ratio, against="faster than git revert", target=f"≥ {LEAST}", met=ratio >= LEAST
    )
    peer = seconds(subject, found[theirs.name], MOST)._replace(kind="peer", target="", met=None)
    return [row, peer], list(found.values())


def _with_content(folder: str, places: Places, older: str) -> list[str]:
    """The landings since a commit that changed a file, newest first: at any other one `git revert` stops."""
    lines = git(folder, places.env, "log", "--first-parent", "--format=%H %T", f"{older}~1..main").split("\n")
    pairs = [line.split() for line in lines]
    return [one[0] for one, before in itertools.pairwise(pairs) if one[1] != before[1]]


def _name(clone: str) -> str:
    """What a clone is called: by its folder, or by the one above a folder that says nothing."""
    last = os.path.basename(clone)
    return os.path.basename(os.path.dirname(clone)) if last in (".git", "repo") else last.removesuffix(".git")
