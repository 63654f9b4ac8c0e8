"""`python -m benchmarks.oracles`: what the guard's reverts give, beside what git gives, on any clone.

Two questions of each repository: the reverts that people made, made again (`replay`), and every pair of tags on a
first-parent chain (`tags`). Nothing is written to the repositories. Exit 1 when anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from typing import Any

from benchmarks.oracles.peer import Peer
from benchmarks.oracles.replay import find_reverts, replay
from benchmarks.oracles.report import RepositoryReport, Snapshot, render, summarise_replays, summarise_tags
from benchmarks.oracles.tags import Throwaway, check_chains, find_chains
from benchmarks.places import environment

FORMAT = "rollback-guard/oracles/1"
REVISIONS = ("--branches", "--tags", "HEAD")
BUDGET = 2_000_000  # revert commits that are written for whole chains of tags
SHOWN = 20  # differences of one repository that are printed


def read_arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.oracles", description="The guard beside git's own.")
    parser.add_argument("--repository", action="append", required=True, metavar="PATH", help="a clone; may be repeated")
    parser.add_argument("--name", action="append", metavar="NAME", help="what to call it, one for each --repository")
    parser.add_argument("--part", choices=["all", "replays", "tags"], default="all")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth revert, and newer tag")
    parser.add_argument("--closed", action="store_true", help="try by git what is proposed where there are conflicts")
    parser.add_argument(
        "--budget", type=int, default=BUDGET, metavar="COMMITS", help="written for whole chains of tags"
    )
    parser.add_argument("--git", default="git", metavar="PROGRAM", help="the git that both sides run")
    parser.add_argument("--json", metavar="FILE", help="write everything there, too")
    arguments = parser.parse_args(argv)
    names = arguments.name or [_name_of(path) for path in arguments.repository]
    if len(names) != len(arguments.repository) or arguments.every < 1:
        parser.error("--name is given once for each --repository, or not at all; --every must be 1 or more")
    arguments.name = names
    return arguments


def _name_of(path: str) -> str:
    whole = os.path.abspath(path)
    last = os.path.basename(whole)
    return os.path.basename(os.path.dirname(whole)) if last in (".git", "repo") else last


def ask(name: str, path: str, arguments: argparse.Namespace) -> RepositoryReport:
    """Everything about one repository."""
    with tempfile.TemporaryDirectory(prefix="oracles-") as folder:
        home = os.path.join(folder, "home")
        os.mkdir(home)
        env = environment(home)
        source = os.path.abspath(path)
        clone = Throwaway(source, os.path.join(folder, "bare.git"), env, arguments.git)
        snapshot = _snapshot(name, clone)
        replays = tags = None
        if arguments.part != "tags":
            peer = Peer(source, os.path.join(folder, "tree"), env, arguments.git)
            reverts = find_reverts(peer, REVISIONS)
            made = reverts.made[:: arguments.every]
            _say(f"{name}: {len(made)} reverts to be made again")
            replays = summarise_replays(
                reverts, tuple(replay(peer, made, closed=arguments.closed)), tuple(sorted(peer.absent))
            )
        if arguments.part != "replays":
            chains = find_chains(clone)[:: arguments.every]
            _say(f"{name}: {sum(len(chain.older) for chain in chains):,} pairs of tags")
            tags = summarise_tags(chains, tuple(check_chains(clone, chains, arguments.budget)))
        return RepositoryReport(snapshot=snapshot, replays=replays, tags=tags)


def _snapshot(name: str, clone: Throwaway) -> Snapshot:
    head, date = clone.git("log", "-1", "--format=%H %cs", "HEAD").split()
    return Snapshot(
        name=name,
        head=head,
        date=date,
        commits=int(clone.git("rev-list", "--count", "HEAD")),
        merges=int(clone.git("rev-list", "--count", "--merges", "HEAD")),
        git=clone.git("version").split()[2],
    )


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    """Ask, print one table, and write the JSON."""
    arguments = read_arguments(argv)
    reports = []
    for name, path in zip(arguments.name, arguments.repository, strict=True):
        reports.append(ask(name, path, arguments))
        for line in reports[-1].differences[:SHOWN]:
            print(f"DIFFERENT in {name}: {line}", file=sys.stderr, flush=True)
    print(render(reports))
    if arguments.json:
        document: dict[str, Any] = {"format": FORMAT, "repositories": [report.document() for report in reports]}
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.write("\n")
    return 1 if any(report.differences for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
