"""`guard` in processes of their own that are killed at a step, or stop there until another one has gone by.

A step is a function of the package: its module, its class or "", its name, whether before or after it, and at which
call of it. Nothing is timed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.support.commands import Said

DRIVER = """
import importlib, os, signal, sys
from rollback_guard.entry.cli.main import main
module, owner, name, when, call, sent = sys.argv[1:7]
holder = importlib.import_module(module)
holder = getattr(holder, owner) if owner else holder
real = getattr(holder, name)
calls = []
def deadly(*args, **options):
    calls.append(name)
    here = len(calls) == int(call)
    if here and when == "before":
        os.kill(os.getpid(), int(sent))
    said = real(*args, **options)
    if here and when == "after":
        os.kill(os.getpid(), int(sent))
    return said
setattr(holder, name, deadly)
sys.exit(main(sys.argv[7:]))
"""

PLAIN = "from rollback_guard.entry.cli.main import run; run()"


class Step(NamedTuple):
    """Where a process is hit."""

    module: str  # within rollback_guard
    name: str
    when: str = "after"
    owner: str = ""
    call: int = 1

    def __str__(self) -> str:
        number = f"-{self.call}" if self.call > 1 else ""
        return f"{self.when}-{self.owner or self.module.rpartition('.')[2]}.{self.name}{number}"


class Running:
    """A command that stopped at its step, and goes on when it is told to."""

    def __init__(self, folder: Path, step: Step | None, *args: str, sent: int = signal.SIGSTOP) -> None:
        command = [sys.executable, "-c", PLAIN, *args]
        if step is not None:
            words = (f"rollback_guard.{step.module}", step.owner, step.name, step.when, str(step.call), str(int(sent)))
            command = [sys.executable, "-c", DRIVER, *words, *args]
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def stopped(self) -> Running:
        """Wait until it has stopped."""
        _, status = os.waitpid(self._process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            self._process.returncode = os.waitstatus_to_exitcode(status)
            raise AssertionError(f"it did not stop: {self.ended()}")
        return self

    def ended(self) -> Said:
        """Have it go on, to its end."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGCONT)
        out, err = self._process.communicate()
        return Said(self._process.returncode, out.decode(), err.decode())


def stopped(folder: Path, step: Step, *args: str) -> Running:
    """A command that waits at a step."""
    return Running(folder, step, *args).stopped()


def kill(folder: Path, step: Step, *args: str) -> None:
    """A command that is killed at a step, which it must have come to."""
    said = Running(folder, step, *args, sent=signal.SIGKILL).ended()
    assert said.code == -signal.SIGKILL, said


def at_once(*commands: tuple[Path, tuple[str, ...]]) -> list[Said]:
    """What commands said that all ran at the same time."""
    every = [Running(folder, None, *args) for folder, args in commands]
    return [one.ended() for one in every]
