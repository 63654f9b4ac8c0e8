"""The package as people get it: built once into an sdist and a wheel, installed into environments of their own.

Nothing is downloaded: the build runs with the tools of the environment that runs the tests, and the
runtime dependencies are lent from there. What is installed is the wheel alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

from tests.support.architecture import ROOT


class Built(NamedTuple):
    """Paths of what a build made."""

    wheel: Path
    sdist: Path


class Environment(NamedTuple):
    """An environment with the package in it."""

    root: Path
    packages: Path

    def program(self, name: str) -> str:
        """The path of one of its programs."""
        return str(self.root / "bin" / name)


def run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a command that must succeed, and return what it prints."""
    done = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(folder: Path) -> Built:
    """Build the sdist from the checkout, and the wheel from the sdist: so the sdist is shown to be whole."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return Built(wheel=wheel, sdist=sdist)


def install(folder: Path, *what: str) -> Environment:
    """A new environment with a wheel, or with `--editable PATH`, and the runtime dependencies lent to it."""
    run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    python = str(folder / "bin" / "python")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "-q", "--no-deps", "--no-index", "--no-build-isolation", *what, env=lending(os.environ.copy()))
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Environment(root=folder, packages=packages)


def lending(env: dict[str, str]) -> dict[str, str]:
    """The environment in which another interpreter finds this one's build tools."""
    env["PYTHONPATH"] = sysconfig.get_path("purelib")
    return env
