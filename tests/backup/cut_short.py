"""Engines in processes of their own that are killed at their n-th step on the file system.

A step is one call of what changes names or makes them last. Nothing is timed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

STEPS = ("link", "rename", "unlink", "mkdir", "rmdir", "fsync")

DRIVER = """
import importlib, os, signal, sys
from rollback_guard.backup.source import Source
module, name, path, after, without, steps, what, *args = sys.argv[1:]
count = 0
def step(real):
    def deadly(*args, **options):
        global count
        said = real(*args, **options)
        count += 1
        if count == int(after):
            os.kill(os.getpid(), signal.SIGKILL)
        return said
    return deadly
def unable(*args, **options):
    raise OSError(1, "Operation not permitted")
module = importlib.import_module(module)
engine = getattr(module, name)(Source(path, path, dict(os.environ), "/"))
for one in steps.split():
    setattr(os, one, step(getattr(os, one)))
if name == "Directory":
    from rollback_guard.backup.engines import directory_swap
    directory_swap.exchange = (lambda one, other: False) if without else step(directory_swap.exchange)
elif without:
    os.link = unable
if what == "swap":
    engine.swap(*args)
elif what == "restore":
    with open(args[1], "rb") as stream:
        engine.beside(args[0]).restore(stream)
else:
    with engine.snapshot():
        os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(engine: object, path: object, after: int, what: str, *args: str, without: bool = False) -> bool:
    """Whether an engine on a path was killed after that many steps; else it came to its end.

    `without`: where the file system cannot do what makes the swap one step.
    """
    made = type(engine)
    words = (made.__module__, made.__name__, str(path), str(after), "1" * without, " ".join(STEPS), what, *args)
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, *words], env=dict(os.environ), capture_output=True, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode != 0


def every_step() -> Iterator[int]:
    """1, 2, …; who asks stops when nothing is left to be killed at."""
    yield from range(1, 100)
    raise AssertionError("it never came to its end")
