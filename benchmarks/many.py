"""Reverts of ten thousand merges in a bare repository: time, the plan's time, and guard's own peak of memory."""

from __future__ import annotations

import os
import tempfile

from benchmarks import repositories
from benchmarks.check import OWN_PEAK
from benchmarks.places import Places
from benchmarks.repositories import STABLE, Restorer
from benchmarks.revert import bare_clone, require_reverted, revert
from benchmarks.table import Row, timed
from benchmarks.timing import Contender, Timing, measure, read_peak, run_once

SUBJECT = "Revert of 10,000 merges, bare"
MEMORY = "Memory of a revert (peak)"
MERGES, FEWER, FILES = 10_000, 1_000, 5_000
MOST, MOST_PLAN = 3.0, 2.0  # seconds
FLAT = 1.25  # ten times the merges may take this much of the memory


def plan(places: Places, name: str, folder: str, tag: str) -> Contender:
    """`guard revert --plan`, which lists every commit and writes nothing."""
    command = places.guard("revert", "--to", tag, "--branch", "main", "--plan")
    return Contender(name, command, folder, places.env)


def run(places: Places, runs: int) -> tuple[list[Row], list[Timing]]:
    """Time and memory, in bare clones of histories that were made for it."""
    folders = {}
    for merges in (FEWER, MERGES):
        source = os.path.join(places.out, f"many-{merges}")
        repositories.write(source, places.env, repositories.merged(merges, FILES))
        folders[merges] = bare_clone(places, source)
    rows, timings = _times(places, folders[MERGES], runs)
    return rows + _memory(places, folders), timings


def _times(places: Places, folder: str, runs: int) -> tuple[list[Row], list[Timing]]:
    restore = Restorer(folder, places.env)
    whole = revert(places, "guard revert, 10,000 merges", folder, STABLE, restore)
    planned = plan(places, "guard revert --plan, 10,000 merges", folder, STABLE)
    require_reverted(places, whole, STABLE, MERGES)
    restore()
    found = measure([planned, whole], runs)
    restore()
    return (
        [seconds(SUBJECT, found[whole.name], MOST), seconds(SUBJECT, found[planned.name], MOST_PLAN)],
        list(found.values()),
    )


def seconds(subject: str, timing: Timing, most: float) -> Row:
    """A row that is held to a number of seconds."""
    return timed(subject, "ours", timing)._replace(target=f"≤ {most:g} s", met=timing.median <= most)


def _memory(places: Places, folders: dict[int, str]) -> list[Row]:
    rows: list[Row] = []
    for words in ("--plan", "--yes"):
        first = 0.0
        for merges, folder in folders.items():
            own = own_peak(places, folder, words)
            first = first or own
            row = Row(
                subject=MEMORY,
                name=f"guard revert {words}, {merges:,} merges",
                kind="ours",
                value=own,
                unit="MiB",
                ratio=own / first,
                against=f"{FEWER:,} merges",
            )
            if merges == MERGES:
                row = row._replace(target=f"≤ {FLAT}", met=own / first <= FLAT)
            rows.append(row)
    return rows


def own_peak(places: Places, folder: str, words: str) -> float:
    """Peak of guard's own process, in MiB; the shell between keeps the size of this process out of it."""
    restore = Restorer(folder, places.env)
    with tempfile.TemporaryDirectory() as scratch:
        place = os.path.join(scratch, "peak")
        python = (os.path.join(places.ours, "python"), "-c", OWN_PEAK, place)
        command = ("revert", "--to", STABLE, "--branch", "main", words, "--reason", "The checkout fails")
        shell = ("/bin/sh", "-c", '"$@"; exit $?', "sh", *python, *command)
        run_once(Contender(f"peak of {words}", shell, folder, places.env))
        restore()
        return read_peak(place)
