"""The benchmarks' entry: installs, runs every subject, prints one table and writes JSON.

Its exit code says whether it ran, never whether a target was met: that is for a person to read.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import alone, audit, backup, check, evidence, hooks, many, public, revert
from benchmarks.places import ROOT, Places, prepare
from benchmarks.table import Row, document, render_table
from benchmarks.timing import Timing, WrongResultError

OUT = os.path.join(ROOT, "benchmarks", "out")
PAGE = os.path.join(ROOT, "docs", "benchmarks.md")
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"
SUBJECTS = "hooks,check,revert,many,alone,audit,evidence,backup"
FEWEST = 15  # runs below which a median is not to be published


def read_arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Side by side with peers.")
    parser.add_argument("--runs", type=int, default=FEWEST, help=f"rounds (default {FEWEST}; fewer only to look)")
    parser.add_argument("--only", default=SUBJECTS, help="subjects, with commas between")
    parser.add_argument("--full", action="store_true", help="git revert of all 1,000 merges too, not extrapolated")
    parser.add_argument(
        "--public", action="append", default=[], metavar="PATH", help="a clone to revert in; repeatable"
    )
    parser.add_argument("--peers", metavar="VENV", help="a venv with benchmarks/peers.txt installed")
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--out", default=OUT, metavar="DIR", help="where repositories, venvs and results go")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.only.split(",")) - set(SUBJECTS.split(","))
    if unknown or arguments.runs < 1:
        parser.error(f"no such subject: {', '.join(sorted(unknown))}" if unknown else "--runs must be 1 or more")
    if arguments.write_docs and (arguments.runs < FEWEST or arguments.only != SUBJECTS):
        parser.error(f"--write-docs wants all subjects and {FEWEST} runs or more")
    return arguments


def describe_machine() -> dict[str, Any]:
    """The machine in general words, and how busy it is."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()
    return {
        "cores": os.cpu_count(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "git": git[2],
        "load": [round(one, 1) for one in os.getloadavg()],
    }


def main(argv: list[str] | None = None) -> int:
    """Run what was asked for."""
    arguments = read_arguments(argv)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    out = os.path.abspath(arguments.out)
    places = prepare(out, None if arguments.peers is None else os.path.abspath(arguments.peers), say)
    subjects: dict[str, Callable[[Places, int], tuple[list[Row], list[Timing]]]] = {
        "hooks": hooks.run,
        "check": check.run,
        "revert": lambda places, runs: revert.run(places, runs, full=arguments.full),
        "many": many.run,
        "alone": alone.run,
        "audit": audit.run,
        "evidence": evidence.run,
        "backup": lambda places, runs: backup.run(places, runs, full=arguments.full),
    }
    if arguments.public:
        subjects["public"] = lambda places, runs: public.run(places, runs, tuple(arguments.public))
    machine, rows, samples = describe_machine(), [], {}
    for name in (*arguments.only.split(","), *(["public"] if arguments.public else [])):
        say(f"{name}: {arguments.runs} rounds")
        try:
            found, timings = subjects[name](places, arguments.runs)
        except WrongResultError as error:
            print(error, file=sys.stderr)
            return 1
        rows += found
        samples[name] = [timing._asdict() for timing in timings]
    machine["load-after"] = [round(one, 1) for one in os.getloadavg()]
    text = _report(rows, machine, arguments)
    print(text)
    result = document(rows, machine, {"runs": arguments.runs, "full": arguments.full}) | {"samples": samples}
    for name, content in (("results.json", json.dumps(result, indent=1)), ("results.md", text)):
        with open(os.path.join(out, name), "w", encoding="utf-8") as file:
            file.write(content + "\n")
    if arguments.write_docs:
        write_page(text)
    say(f"done; also in {os.path.relpath(out)}/results.json and results.md")
    return 0


def write_page(text: str) -> None:
    """Put the results where the page has its marks."""
    with open(PAGE, encoding="utf-8") as file:
        before, _, rest = file.read().partition(BEGIN)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n{text}\n\n{END}{rest.partition(END)[2]}")


def _report(rows: list[Row], machine: dict[str, Any], arguments: argparse.Namespace) -> str:
    words = (
        f"{machine['cores']} cores, {machine['system']} {machine['architecture']}, Python {machine['python']}, "
        f"git {machine['git']}; load {machine['load'][0]} before and {machine['load-after'][0]} after; "
        f"medians of {arguments.runs} interleaved runs"
    )
    warning = "" if arguments.runs >= FEWEST else f"\n\nFewer than {FEWEST} runs: to look at, not to publish."
    missed = [row.name for row in rows if row.met is False]
    last = f"missed: {', '.join(missed)}" if missed else "every target was met"
    return f"{render_table(rows)}\n\n{words}{warning}\n\n{last}"


if __name__ == "__main__":
    sys.exit(main())
