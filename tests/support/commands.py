"""Calls `guard` and `guard-hook` as people and git do, in this process: fast, and measured by coverage."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from rollback_guard.entry import hook
from rollback_guard.entry.cli.main import main


class Said(NamedTuple):
    """An exit code, and what was written to both streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def answers(self) -> dict[str, str]:
        """Rule id: outcome, of a verdict on one change."""
        (change,) = self.json["changes"]
        return {one["rule"]: one["outcome"] for one in change["outcomes"]}

    @property
    def violated(self) -> list[str]:
        """The rules that were broken, over all changes."""
        changes = self.json["changes"]
        return sorted({o["rule"] for change in changes for o in change["outcomes"] if o["outcome"] == "violated"})


def guard(folder: Path, *args: str, **env: str) -> Said:
    """Run a command in a folder, with more of an environment."""
    return _call(lambda: main(list(args)), folder, b"", env)


def guard_reading(folder: Path, stdin: bytes, *args: str) -> Said:
    """Run a command in a folder, with some input."""
    return _call(lambda: main(list(args)), folder, stdin, {})


def check(folder: Path, *args: str, **env: str) -> Said:
    """`guard check --format json`."""
    return guard(folder, "check", "--format", "json", *args, **env)


def call_hook(folder: Path, *args: str, stdin: bytes = b"", environ: dict[str, str] | None = None) -> Said:
    """Run a hook in a folder, with git's input and more of an environment."""
    return _call(lambda: hook.main(list(args)), folder, stdin, environ or {})


def _call(what: Any, folder: Path, stdin: bytes, env: dict[str, str]) -> Said:
    before = Path.cwd()
    streams = [io.TextIOWrapper(io.BytesIO(data), encoding="utf-8") for data in (stdin, b"", b"")]
    with (
        mock.patch.dict(os.environ, env),
        mock.patch.multiple(sys, stdin=streams[0], stdout=streams[1], stderr=streams[2]),
    ):
        os.chdir(folder)
        try:
            code = what()
        finally:
            os.chdir(before)
    texts = []
    for stream in streams[1:]:
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    return Said(code, *texts)
