"""Temporary names tell who writes: which machine, which process and since when. So what a dead one left is known."""

from __future__ import annotations

import os
import re
import secrets
import socket

DAY = 86400.0
_NAME = re.compile(r"\.tmp-([A-Za-z0-9_.]*)-(\d{1,10})-(\d{1,20})-[0-9a-f]{8}")
_STARTED = 19  # of the words behind the command's name in /proc/…/stat


def temporary_name() -> str:
    """A name for a file that is being written, by this process."""
    pid = os.getpid()
    return f".tmp-{_machine()}-{pid}-{_started(pid) or 0}-{secrets.token_hex(4)}"


def is_temporary(name: str) -> bool:
    """Whether a file bears such a name."""
    return _NAME.fullmatch(name) is not None


def is_left_over(name: str, modified: float, now: float) -> bool:
    """Whether it was left by a writer that is gone: a process of this machine that ended, or any, a day ago.

    A process of this machine that still runs is never taken for gone, however long it writes.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return False
    if found[1] != _machine():
        return now - modified > DAY
    started = _started(int(found[2]))
    return started is None or (started != 0 and started != int(found[3]))


def _machine() -> str:
    return re.sub(r"[^A-Za-z0-9_.]", "_", socket.gethostname())[:60]


def _started(pid: int) -> int | None:
    """When a process started, in the kernel's ticks; 0 where that cannot be told; None when there is no process."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:
        pass  # somebody else's
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            words = stream.read().rpartition(b")")[2].split()
    except OSError:
        return 0  # no such file system here
    return int(words[_STARTED])
