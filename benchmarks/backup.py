"""`guard backup create` beside the engine's own tools: dump, restore into scratch, compare. Time, memory, downtime.

Servers are made in the folder of results, reached by sockets alone, and stopped at the end. An engine whose programs
are not installed is left out.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.bare_pair import DEBIAN, nobody
from benchmarks.places import ROOT, Places
from benchmarks.repositories import git
from benchmarks.table import Row, timed
from benchmarks.timing import Contender, Timing, WrongResultError, measure, peak_memory

SUBJECT = "Backup taken, restored and compared, {}"
MEMORY = "Memory of a backup (peak of the largest process of ours)"
SCALES = {False: 7, True: 67}  # pgbench's scale: about 100 MB and 1 GB
MOST, MOST_MEMORY, MOST_DOWNTIME = 1.3, 150.0, 1.0
FEWER = 5  # rounds: each takes its time
POLICY = """\
version = 1

[production]
branches = ["main"]

[[route]]
into = "main"
from = ["release/*"]

[people.jane]
name = "Jane Doe"
emails = ["jane@shop.example"]

[[backup]]
name = "database"
engine = "{engine}"
source = "{source}"
by = ["jane"]
max-age = "1h"
store = "file:../backups"
"""


def run(places: Places, runs: int, *, full: bool) -> tuple[list[Row], list[Timing]]:
    """Each engine that is here."""
    rows: list[Row] = []
    timings: list[Timing] = []
    for engine, serving in (("postgresql", _postgresql), ("sqlite", _sqlite)):
        if engine == "postgresql" and not os.path.exists(f"{DEBIAN}/postgres"):
            continue
        folder = os.path.join(places.out, f"backup-{engine}")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        with serving(folder, SCALES[full]) as (source, size):
            found = _one(places, folder, engine, source, size, min(runs, FEWER))
            rows += found[0]
            timings += found[1]
    return rows, timings


def _one(places: Places, folder: str, engine: str, source: str, size: int, runs: int) -> tuple[list[Row], list[Timing]]:
    shop = os.path.join(folder, "shop")
    os.makedirs(shop)
    git(shop, places.env, "init", "-q", "-b", "main")
    with open(os.path.join(shop, "rollback-guard.toml"), "w", encoding="utf-8") as file:
        file.write(POLICY.format(engine=engine, source=source))
    git(shop, places.env, "add", "-A")
    git(shop, places.env, "commit", "-q", "-m", "Policy")

    def clean() -> None:
        shutil.rmtree(os.path.join(folder, "backups"), ignore_errors=True)

    name = f"guard backup create, {engine}"
    command = places.guard("backup", "create", "--no-attest")
    ours = Contender(name, command, shop, {**places.env, "TMPDIR": "/tmp"}, prepare=clean)
    bare = (os.path.join(os.path.dirname(places.ours), "bin", "python"), "-m", "benchmarks.bare_pair", engine, source)
    theirs = Contender(f"{engine}'s own tools", (*bare, folder), ROOT, {**places.env, "TMPDIR": "/tmp"})
    found = measure([ours, theirs], runs)
    mine, peer = found[ours.name], found[theirs.name]
    ratio = mine.median / peer.median
    subject = SUBJECT.format(f"{engine}, {size / 1e6:,.0f} MB")
    rows = [
        timed(subject, "ours", mine)._replace(ratio=ratio, against="their time", target=f"≤ {MOST}", met=ratio <= MOST),
        timed(subject, "peer", peer),
        _memory(ours),
        _downtime(places, shop, engine),
    ]
    return rows, [mine, peer]


def _memory(ours: Contender) -> Row:
    value = peak_memory(ours)
    return Row(
        subject=MEMORY,
        name=ours.name,
        kind="ours",
        value=value,
        unit="MiB",
        target=f"≤ {MOST_MEMORY:g} MiB",
        met=value <= MOST_MEMORY,
    )


def _downtime(places: Places, shop: str, engine: str) -> Row:
    """Of a restore of what was just taken: what the command itself measures between the two renames."""
    command = places.guard("backup", "restore", "database", "--yes", "--format", "json")
    done = subprocess.run(command, cwd=shop, env=dict(places.env), capture_output=True, check=False)
    if done.returncode:
        raise WrongResultError(f"the restore ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    value = float(json.loads(done.stdout)["restores"][0]["downtime-seconds"])
    return Row(
        subject="Downtime of a restore",
        name=f"guard backup restore, {engine}",
        kind="ours",
        value=value,
        target=f"≤ {MOST_DOWNTIME:g} s",
        met=value <= MOST_DOWNTIME,
    )


@contextmanager
def _postgresql(folder: str, scale: int) -> Iterator[tuple[str, int]]:
    """A server with pgbench's tables: how it is reached, and the bytes of its database."""
    place = tempfile.mkdtemp(prefix="bench-", dir="/tmp")  # a socket's path must be short
    if not os.geteuid():
        shutil.chown(place, "nobody")
    data, options = os.path.join(place, "data"), {"cwd": place, "check": True, "stdout": subprocess.DEVNULL, **nobody()}
    subprocess.run([f"{DEBIAN}/initdb", "-A", "trust", "-N", "-U", "bench", "-D", data], **options)
    settings = f"-c listen_addresses='' -c unix_socket_directories={place} -c fsync=off -c max_wal_size=4GB"
    control = [f"{DEBIAN}/pg_ctl", "-s", "-w", "-D", data]
    subprocess.run([*control, "-l", os.path.join(place, "log"), "-o", settings, "start"], **options)
    try:
        subprocess.run(["createdb", "-h", place, "-U", "bench", "shop"], check=True)
        tool = [f"{DEBIAN}/pgbench", "-q", "-i", "-s", str(scale), "-h", place, "-U", "bench", "shop"]
        subprocess.run(tool, check=True, stderr=subprocess.DEVNULL)
        load = [f"{DEBIAN}/pgbench", "-n", "-T", "5", "-h", place, "-U", "bench", "shop"]
        subprocess.run(load, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        size = ["psql", "-h", place, "-U", "bench", "-Atc", "SELECT pg_database_size('shop')", "shop"]
        yield (
            f"postgresql://bench@/shop?host={place}",
            int(subprocess.run(size, check=True, stdout=subprocess.PIPE).stdout),
        )
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **options)
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _sqlite(folder: str, scale: int) -> Iterator[tuple[str, int]]:
    """A database file with as many rows as pgbench would make."""
    path = os.path.join(folder, "shop.db")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    with connection:
        connection.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, branch INTEGER, balance REAL, filler TEXT)")
        rows = ((number, number % 97, number * 0.25, f"{number:084}") for number in range(scale * 100_000))
        connection.executemany("INSERT INTO accounts VALUES (?, ?, ?, ?)", rows)
    connection.close()
    yield path, os.path.getsize(path)
