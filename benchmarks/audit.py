"""What many merges cost: `guard audit` of a production branch, and `guard check` of a branch full of merges."""

from __future__ import annotations

import json
import os
import subprocess

from benchmarks import repositories
from benchmarks.places import Places
from benchmarks.repositories import STABLE, git
from benchmarks.table import Row, timed
from benchmarks.timing import Contender, Timing, measure
from rollback_guard.git.log import LogFormat

AUDIT = "Audit of 1,000 merges that landed"
CHECK = "Check of a branch with 1,000 merges (RG105)"
MERGES, FILES = 1_000, 5_000


def run(places: Places, runs: int) -> tuple[list[Row], list[Timing]]:
    """Time both."""
    landed = os.path.join(places.out, "landed")
    repositories.write(landed, places.env, repositories.merged(MERGES, FILES, branches=MERGES))
    branch = os.path.join(places.out, "full-of-merges")
    repositories.write(branch, places.env, repositories.merged(MERGES, FILES, onto="release/x"))
    since = f"{STABLE}..main"
    audit = Contender(
        "guard audit", places.guard("audit", "main", "--since", STABLE), landed, places.env, expect=(0, 1, 4)
    )
    log = Contender(
        "git log, same fields", ("git", "log", "-z", "--topo-order", LogFormat(text=True).pretty, since), landed,
        places.env,
    )  # fmt: skip
    check = Contender("guard check", places.guard("check", "--into", "main", "--head", "release/x"), branch, places.env)
    again = Contender(
        "git log --remerge-diff", ("git", "log", "--merges", "--remerge-diff", "--format=%H", "main..release/x"),
        branch, places.env,
    )  # fmt: skip
    found = measure([audit, log, check, again], runs)
    commits = int(git(landed, places.env, "rev-list", "--count", since))
    ratio = found[audit.name].median / found[log.name].median
    speed = commits / found[audit.name].median
    merges = found[check.name].median / found[again.name].median
    rows = [
        timed(AUDIT, "ours", found[audit.name])._replace(ratio=ratio, against="bare git log", note=_decisions(audit)),
        timed(AUDIT, "peer", found[log.name]),
        Row(subject=AUDIT, name="guard audit, commits a second", kind="ours", value=speed, unit="/s"),
        timed(CHECK, "ours", found[check.name])._replace(ratio=merges, against="git log --remerge-diff"),
        timed(CHECK, "peer", found[again.name]),
    ]
    return rows, list(found.values())


def _decisions(audit: Contender) -> str:
    """How many landings were judged how, so that a number is known to stand for work."""
    command = [*audit.command, "--format", "json"]
    done = subprocess.run(command, cwd=audit.cwd, env=dict(audit.env), stdout=subprocess.PIPE, check=False)
    decisions = [commit["decision"] for commit in json.loads(done.stdout)["commits"]]
    return ", ".join(f"{decisions.count(name):,} {name}" for name in dict.fromkeys(decisions))
