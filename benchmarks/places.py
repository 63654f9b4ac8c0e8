"""What is needed before anything is timed: our wheel and the peers, each installed in a venv of its own.

All are ordinary, not editable, installs: an editable one starts slower, and nobody deploys it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple, Optional

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.path.join(ROOT, "benchmarks", "peers.txt")
COMMITLINT = ("@commitlint/cli", "@commitlint/config-conventional")


class Places(NamedTuple):
    """Where programs are. `commitlint` is None when there is no npm, with the reason in `left_out`."""

    out: str
    ours: str  # folder of programs
    peers: str  # folder of programs
    commitlint: Optional[str]
    left_out: str
    env: dict[str, str]

    def guard(self, *args: str) -> tuple[str, ...]:
        """The command `guard …`."""
        return (os.path.join(self.ours, "guard"), *args)

    def hook(self, *args: str) -> tuple[str, ...]:
        """The command `guard-hook …`."""
        return (os.path.join(self.ours, "guard-hook"), *args)

    def peer(self, *args: str) -> tuple[str, ...]:
        """A peer's command."""
        return (os.path.join(self.peers, args[0]), *args[1:])


def environment(home: str) -> dict[str, str]:
    """An environment in which nobody's own git configuration counts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT", "PYTHON"))}
    person = {"NAME": "Jane Doe", "EMAIL": "jane@shop.example"}
    names = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in person.items()}
    fixed = {"HOME": home, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_EDITOR": "true"}
    return {**kept, **names, **fixed, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}


def prepare(out: str, peers: str | None, say: Callable[[str], None]) -> Places:
    """Install everything that is not there yet; ours is installed anew each time."""
    os.makedirs(os.path.join(out, "home"), exist_ok=True)
    say("installing rollback_guard from a wheel")
    ours = _venv(os.path.join(out, "ours"))
    wheels = os.path.join(out, "wheel")
    shutil.rmtree(wheels, ignore_errors=True)
    _call(sys.executable, *PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, ROOT)
    (wheel,) = (os.path.join(wheels, name) for name in os.listdir(wheels))
    _call(
        os.path.join(ours, "python"), *PIP, "install", f"{wheel}[postgresql,mariadb]"
    )  # what it depends on, the first time
    _call(os.path.join(ours, "python"), *PIP, "install", "--force-reinstall", "--no-deps", wheel)
    if peers is None:
        peers = os.path.join(out, "peers")
    stamp = os.path.join(peers, ".ready")
    if not os.path.exists(stamp) or os.path.getmtime(stamp) < os.path.getmtime(PEERS):
        say("installing the peers")
        _call(os.path.join(_venv(peers), "python"), *PIP, "install", "--requirement", PEERS)
        with open(stamp, "w", encoding="ascii"):
            pass
    commitlint, left_out = _commitlint(os.path.join(out, "node"), say)
    return Places(
        out=out,
        ours=ours,
        peers=os.path.join(peers, "bin"),
        commitlint=commitlint,
        left_out=left_out,
        env=environment(os.path.join(out, "home")),
    )


PIP = ("-m", "pip", "--disable-pip-version-check", "-qq")


def _venv(folder: str) -> str:
    programs = os.path.join(folder, "bin")
    if not os.path.exists(os.path.join(programs, "python")):
        _call(sys.executable, "-m", "venv", folder)
    return programs


def _commitlint(folder: str, say: Callable[[str], None]) -> tuple[str | None, str]:
    program = os.path.join(folder, "node_modules", ".bin", "commitlint")
    if os.path.exists(program):
        return program, ""
    npm = shutil.which("npm")
    if npm is None:
        return None, "commitlint: left out, there is no npm here"
    say("installing commitlint")
    os.makedirs(folder, exist_ok=True)
    try:
        _call(npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, *COMMITLINT)
    except subprocess.CalledProcessError:
        return None, "commitlint: left out, npm could not install it"
    return program, ""


def _call(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
