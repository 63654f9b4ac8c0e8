"""Smoke tests of what the business lives on: each check of the policy is run once, within its time.

A check asks a URL or runs a command. What it may have read is not kept: a result says whether it passed, how long it
took, and in a few words why not. What follows from it is left to whoever asks.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import IO, NamedTuple

from rollback_guard.policy.model import Smoke

LARGEST = 1 << 20  # bytes of an answer in which the text is looked for
SHOWN = 200  # characters of what a command said last
AGENT = "rollback-guard-smoke"
_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)\}", re.ASCII)


class SmokeResult(NamedTuple):
    """What came of one check. `detail`: why it failed, "" when it passed. `seconds` on the clock."""

    name: str
    passed: bool
    seconds: float
    detail: str = ""


def run_smoke(checks: Sequence[Smoke], environ: Mapping[str, str], folder: str) -> tuple[SmokeResult, ...]:
    """Every check, in the policy's order, the next one whatever the one before gave. Commands run in `folder`."""
    results = []
    for check in checks:
        begun = time.monotonic()
        detail = _ask(check, environ) if check.run is None else _run(check, environ, folder)
        took = time.monotonic() - begun
        results.append(SmokeResult(name=check.name, passed=not detail, seconds=took, detail=detail))
    return tuple(results)


class Ended(NamedTuple):
    """How a command ended. `fault`: why it does not pass, "" when it does; `said`: the last line that it wrote."""

    fault: str
    said: str = ""


def _run(check: Smoke, environ: Mapping[str, str], folder: str) -> str:
    assert check.run is not None
    ended = run_command(check.run, environ, folder, check.timeout)
    return ended.fault + (f": {ended.said}" if ended.fault and ended.said else "")


def run_command(command: Sequence[str], environ: Mapping[str, str], folder: str, timeout: int) -> Ended:
    """Run a command of the policy's. It is ended with all that it started when its time, in seconds, is over."""
    try:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return Ended(f"{command[0]} could not be started: {getattr(error, 'strerror', None) or error}")
    assert process.stdout is not None
    tail = _Tail(process.stdout)
    try:
        code = process.wait(timeout=timeout)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        _end_group(process)
    said = tail.last_line()
    if code is None:
        return Ended(f"it had not ended after {timeout} s")
    if code < 0:
        return Ended(f"it was ended by signal {-code}", said)
    return Ended("" if code == 0 else f"it ended with {code}", said)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever of the command still runs: what it left in the background would hold the pipe open."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


class _Tail:
    """The end of what a process writes, read as it comes, so that it never waits for us."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._end = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._stream:
            while piece := self._stream.read(1 << 13):
                self._end = (self._end + piece)[-4096:]

    def last_line(self) -> str:
        self._thread.join(timeout=5)
        lines = self._end.decode("utf-8", "replace").split("\n")
        return next((line.strip()[:SHOWN] for line in reversed(lines) if line.strip()), "")


def _ask(check: Smoke, environ: Mapping[str, str]) -> str:
    """Why an address does not answer as it should, or ""."""
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in environ:
            missing.append(name)
        return environ.get(name, "")

    url = _VARIABLE.sub(value, check.url or "")
    if missing:
        return f"the environment has no {', '.join(dict.fromkeys(missing))}"
    if not url.lower().startswith(("http://", "https://")):
        return "its url is no http or https address"
    answer: list[str] = []
    # A server that sends a byte now and then would keep any timeout of a socket from ending.
    thread = threading.Thread(target=lambda: answer.append(_fetch(url, check)), daemon=True)
    thread.start()
    thread.join(timeout=check.timeout)
    return answer[0] if answer else f"there was no whole answer after {check.timeout} s"


def _fetch(url: str, check: Smoke) -> str:
    expected = check.expect_status
    try:
        request = urllib.request.Request(url, headers={"User-Agent": AGENT})
        try:
            with urllib.request.urlopen(request, timeout=check.timeout) as response:
                status, body = response.status, response.read(LARGEST)
        except urllib.error.HTTPError as error:
            with error:
                status, body = error.code, error.read(LARGEST)
    except (OSError, ValueError, HTTPException) as error:  # URLError is an OSError
        reason = getattr(error, "reason", None) or error
        return f"it does not answer: {getattr(reason, 'strerror', None) or type(reason).__name__}"
    if status != expected if expected is not None else not 200 <= status < 300:
        return f"it answers {status}, not {expected or '200 to 299'}"
    if check.expect_text is not None and check.expect_text.encode() not in body:
        return f"its answer does not hold {check.expect_text!r}"
    return ""
