"""What a backup that is compared costs with the engine's own tools alone: dump, restore into scratch, compare.

Run as `python -m benchmarks.bare_pair ENGINE SOURCE FOLDER`. It checks nothing that is not checked here: row counts and
one checksum a table, by the shortest query that gives them. Its scratch servers are as private as ours.
"""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from typing import Any

DEBIAN = "/usr/lib/postgresql/15/bin"
SUMS = """SELECT format('SELECT %L, count(*), sum(hashtextextended(t::text, 0)) FROM %I.%I t', c.relname, n.nspname,
  c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY 1"""


def run(*command: str, **options: Any) -> str:
    """Run a command to its end; what it printed."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def nobody() -> dict[str, Any]:
    """How a server is started that must not be root's."""
    if os.geteuid():
        return {}
    account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def postgresql(source: str, folder: str) -> None:
    """`pg_dump -Fc`, `pg_restore` into a new cluster, and a checksum of every table on both sides."""
    dump = os.path.join(folder, "bare.dump")
    run(f"{DEBIAN}/pg_dump", "-Fc", "-Z0", "-f", f"{dump}.raw", "-d", source)
    run("zstd", "-q", "-f", "-3", "-T2", "--rm", f"{dump}.raw", "-o", dump)
    scratch = tempfile.mkdtemp(prefix="bare-", dir="/tmp")
    try:
        shutil.chown(scratch, "nobody") if not os.geteuid() else None
        data, who = os.path.join(scratch, "data"), {"cwd": scratch, **nobody()}
        run(f"{DEBIAN}/initdb", "-A", "trust", "-N", "-U", "scratch", "-D", data, **who)
        settings = f"-c listen_addresses='' -c unix_socket_directories={scratch} -c fsync=off -c full_page_writes=off"
        settings += " -c synchronous_commit=off -c autovacuum=off -c max_wal_size=4GB -c maintenance_work_mem=256MB"
        control = (f"{DEBIAN}/pg_ctl", "-s", "-w", "-D", data)
        run(*control, "-l", os.path.join(scratch, "log"), "-o", settings, "start", **who)
        try:
            target = f"postgresql://scratch@/shop?host={scratch}"
            run("createdb", "-h", scratch, "-U", "scratch", "shop")
            with subprocess.Popen(["zstd", "-q", "-d", "-c", dump], stdout=subprocess.PIPE) as unpacked:
                run(f"{DEBIAN}/pg_restore", "-e", "-1", "-O", "-x", "-d", target, stdin=unpacked.stdout)
            before, after = (sums(one) for one in (source, target))
        finally:
            run(*control, "-m", "immediate", "stop", **who)
    finally:
        shutil.rmtree(scratch)
        os.unlink(dump)
    assert before == after != "", (before, after)


def sums(source: str) -> str:
    """The checksums of all tables."""
    psql = (f"{DEBIAN}/psql", "-X", "-A", "-t", "-d", source)
    return "".join(run(*psql, "-c", query) for query in run(*psql, "-c", SUMS).splitlines())


def sqlite(source: str, folder: str) -> None:
    """SQLite's online backup, compressed, unpacked again, and a checksum of every row on both sides."""
    copy, packed, scratch = (os.path.join(folder, f"bare.{end}") for end in ("copy", "zst", "scratch"))
    with sqlite3.connect(source) as one, sqlite3.connect(copy) as other:
        one.backup(other)
    run("zstd", "-q", "-f", "-3", "-T2", copy, "-o", packed)
    run("zstd", "-q", "-f", "-d", packed, "-o", scratch)
    before, after = (sqlite_sums(path) for path in (copy, scratch))
    for path in (copy, packed, scratch):
        os.unlink(path)
    assert before == after, (before, after)


def sqlite_sums(path: str) -> list[tuple[str, int]]:
    """A sum over the digests of all rows of every table."""
    import hashlib

    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = []
    for name in tables:
        total = 0
        for row in connection.execute(f'SELECT * FROM "{name}"'):
            total += int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=16).digest(), "big")
        found.append((name, total))
    connection.close()
    return found


if __name__ == "__main__":
    {"postgresql": postgresql, "sqlite": sqlite}[sys.argv[1]](*sys.argv[2:4])
