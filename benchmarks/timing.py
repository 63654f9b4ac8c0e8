"""Timing of whole processes, interleaved: A B A B …, so that a busy machine is busy for both.

What is run, and which numbers matter, is left to the subjects; how it is shown, to `table`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Optional

KIB = 1024 if sys.platform == "darwin" else 1  # ru_maxrss counts bytes there, KiB elsewhere; source: getrusage(2)


class Contender(NamedTuple):
    """One command to time. `prepare` runs before each run and is not timed; `expect` are the right exit codes."""

    name: str
    command: tuple[str, ...]
    cwd: str
    env: Mapping[str, str]
    stdin: bytes = b""
    expect: tuple[int, ...] = (0,)
    prepare: Optional[Callable[[], None]] = None


class Timing(NamedTuple):
    """The runs of one contender, in seconds: wall time, and processor time of the process and its children."""

    name: str
    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median wall time."""
        return statistics.median(self.wall)

    @property
    def median_cpu(self) -> float:
        """Median processor time."""
        return statistics.median(self.cpu)

    @property
    def quartiles(self) -> tuple[float, float]:
        """First and third quartile of the wall time."""
        if len(self.wall) < 2:
            return self.wall[0], self.wall[0]
        first, _, third = statistics.quantiles(self.wall, n=4, method="inclusive")
        return first, third


class WrongResultError(Exception):
    """A contender ended with an exit code that it should not have: what is fast and wrong is not measured."""


def run_once(contender: Contender) -> tuple[float, float]:
    """Wall time and processor time of one run.

    Raises: WrongResultError when the exit code is not an expected one.
    """
    if contender.prepare is not None:
        contender.prepare()
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
        given.write(contender.stdin)
        given.seek(0)
        began = time.perf_counter()
        process = subprocess.Popen(
            contender.command,
            cwd=contender.cwd,
            env=dict(contender.env),
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in contender.expect:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip()
            raise WrongResultError(f"{contender.name} ended with {process.returncode}: {said[-2000:]}")
    return wall, usage.ru_utime + usage.ru_stime


def measure(contenders: Sequence[Contender], runs: int, *, warm: int = 1) -> dict[str, Timing]:
    """Run all contenders in turn, `runs` rounds after `warm` rounds that do not count. Each round begins elsewhere."""
    wall: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    cpu: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(-warm, runs):
        first = number % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            seconds, worked = run_once(contender)
            if number >= 0:
                wall[contender.name].append(seconds)
                cpu[contender.name].append(worked)
    return {name: Timing(name=name, wall=tuple(wall[name]), cpu=tuple(cpu[name])) for name in wall}


REPORTER = """\
import os, resource, sys
status = os.spawnvp(os.P_WAIT, sys.argv[2], sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)
"""


def peak_memory(contender: Contender) -> float:
    """Peak resident memory in MiB of the largest process that the contender is or starts.

    A process is counted at least as large as what started it, so a small reporter starts each, never this one.
    Raises: WrongResultError.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "peak")
        run_once(contender._replace(command=(sys.executable, "-I", "-S", "-c", REPORTER, place, *contender.command)))
        return read_peak(place)


def read_peak(path: str) -> float:
    """MiB from a file that holds a `ru_maxrss`."""
    with open(path, encoding="ascii") as file:
        return int(file.read()) / KIB / 1024
