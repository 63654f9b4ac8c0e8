"""`guard check` over a long line of commits: beside the bare `git log` that it needs, and gitlint; its memory."""

from __future__ import annotations

import os
import tempfile

from benchmarks import repositories
from benchmarks.places import Places
from benchmarks.table import Row, timed
from benchmarks.timing import Contender, Timing, measure, peak_memory, read_peak, run_once
from rollback_guard.git.log import LogFormat

SUBJECT = "Check of 10,000 commits with trailers"
MEMORY = "Memory of a check (peak)"
COMMITS = 10_000
FEW, MORE = 10, 60  # commits given to gitlint; the difference is what a commit costs
SIZES = (1_000, 10_000, 50_000)
FLAT = 1.25  # the longest range may take this much of the memory of the shortest
RANGE = "main..release/x"

# Runs guard in this very process, and writes its own peak, without that of its git processes.
OWN_PEAK = """\
import resource, sys
from rollback_guard.entry.cli.main import main
status = main(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
sys.exit(status)
"""


def check(places: Places, folder: str) -> Contender:
    """`guard check` of the whole line, which is allowed."""
    return Contender("guard check", places.guard("check", "--into", "main", "--head", "release/x"), folder, places.env)


def log(places: Places, folder: str) -> Contender:
    """`git log` with exactly the fields and options that `guard check` reads."""
    options = ("--encoding=UTF-8", "--no-color", "--no-mailmap", "--no-show-signature", LogFormat().pretty)
    return Contender("git log, same fields", ("git", "log", "-z", *options, RANGE), folder, places.env)


def gitlint(places: Places, folder: str, commits: int) -> Contender:
    """gitlint over the newest commits of the line."""
    span = f"release/x~{commits}..release/x"
    return Contender(f"gitlint --commits, {commits}", places.peer("gitlint", "--commits", span), folder, places.env)


def run(places: Places, runs: int) -> tuple[list[Row], list[Timing]]:
    """Time and memory."""
    folders = {size: os.path.join(places.out, f"linear-{size}") for size in SIZES}
    for size, folder in folders.items():
        repositories.write(folder, places.env, repositories.linear(size))
    rows, timings = _times(places, folders[COMMITS], folders[SIZES[-1]], runs)
    return rows + _memory(places, folders), timings


def _times(places: Places, folder: str, longer: str, runs: int) -> tuple[list[Row], list[Timing]]:
    mine, bare = check(places, folder), log(places, folder)
    few, more = gitlint(places, folder, FEW), gitlint(places, folder, MORE)
    # Five times as many show what is a commit's cost and what is the start's.
    mine_longer = check(places, longer)._replace(name=f"guard check, {SIZES[-1]:,} commits")
    bare_longer = log(places, longer)._replace(name=f"git log, same fields, {SIZES[-1]:,} commits")
    found = measure([mine, bare, few, more, mine_longer, bare_longer], runs)
    guard, git, low, high = (found[one.name] for one in (mine, bare, few, more))
    each = (high.median - low.median) / (MORE - FEW)
    whole = high.median + each * (COMMITS - MORE)
    ratio, faster = guard.median / git.median, each * COMMITS / guard.median
    rows = [
        timed(SUBJECT, "ours", guard)._replace(ratio=ratio, against="bare git log", target="≤ 3", met=ratio <= 3),
        timed(SUBJECT, "peer", git),
        timed(SUBJECT, "information", found[mine_longer.name])._replace(
            ratio=found[mine_longer.name].median / found[bare_longer.name].median, against="bare git log"
        ),
        timed(SUBJECT, "information", found[bare_longer.name]),
        timed(SUBJECT, "peer", high),
        Row(
            subject=SUBJECT,
            name="gitlint --commits, 10,000",
            kind="peer",
            value=whole,
            note=f"extrapolated, {each * 1000:.0f} ms each",
        ),
        Row(
            subject=SUBJECT,
            name="guard check, per commit",
            kind="ours",
            value=guard.median / COMMITS * 1e6,
            unit="µs",
            ratio=faster,
            against="faster than gitlint",
            target="≥ 100",
            met=faster >= 100,
        ),
    ]
    return rows, list(found.values())


def _memory(places: Places, folders: dict[int, str]) -> list[Row]:
    rows: list[Row] = []
    first = 0.0
    for size, folder in folders.items():
        own = _own_peak(places, folder)
        first = first or own
        ratio = own / first
        longest = size == SIZES[-1]
        rows.append(
            Row(
                subject=MEMORY,
                name=f"guard check, {size:,} commits",
                kind="ours",
                value=own,
                unit="MiB",
                ratio=ratio,
                against=f"{SIZES[0]:,} commits",
                target=f"≤ {FLAT}" if longest else "",
                met=ratio <= FLAT if longest else None,
            )
        )
    for size, folder in folders.items():
        peak = peak_memory(log(places, folder))
        rows.append(
            Row(subject=MEMORY, name=f"bare git log, {size:,} commits", kind="information", value=peak, unit="MiB")
        )
    return rows


def _own_peak(places: Places, folder: str) -> float:
    """Peak of guard's own process, in MiB; the shell between keeps the size of this process out of it."""
    base = check(places, folder)
    with tempfile.TemporaryDirectory() as scratch:
        place = os.path.join(scratch, "peak")
        python = (os.path.join(places.ours, "python"), "-c", OWN_PEAK, place)
        run_once(base._replace(command=("/bin/sh", "-c", '"$@"; exit $?', "sh", *python, *base.command[1:])))
        return read_peak(place)
