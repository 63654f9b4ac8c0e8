"""Runs the commands of `guard demo` in its folders, each shown before its output; what they are is in `entry.demo`."""

from __future__ import annotations

import os
import subprocess
import sys

from rollback_guard.errors import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GUARD = [sys.executable, "-c", "from rollback_guard.entry.cli.main import run; run()"]


class Story:
    """Runs commands in the demo's folders and shows them. Every step says which exit codes it expects."""

    def __init__(self, folder: str, echo: Callable[[str], None]) -> None:
        self.folder = folder
        self.clone = os.path.join(folder, "clone")
        self.server = os.path.join(folder, "server.git")
        self._echo = echo
        package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
        self.env = {
            **kept,
            "HOME": folder,
            "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", "")))),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Jane Doe",
            "GIT_AUTHOR_EMAIL": "jane@acme.example",
            "GIT_COMMITTER_NAME": "Jane Doe",
            "GIT_COMMITTER_EMAIL": "jane@acme.example",
            "GIT_EDITOR": "true",
            "NO_COLOR": "1",
        }

    def chapter(self, title: str) -> None:
        """A heading."""
        self._echo(f"\n── {title}")

    def git(self, *args: str, show: bool = True, expect: tuple[int, ...] = (0,), where: str = "") -> str:
        """Run git."""
        return self._run(["git", *args], "git", args, show, expect, where or self.clone)

    def guard(
        self, *args: str, expect: tuple[int, ...] = (0,), where: str = "", brief: bool = False, show: bool = True
    ) -> str:
        """Run guard; `brief` shows the command alone, where its like was shown before."""
        if brief:
            self._echo("$ " + " ".join(["guard", *(_quoted(arg) for arg in args)]))
        return self._run([*GUARD, *args], "guard", args, show and not brief, expect, where or self.clone)

    def python(self, *args: str, show: bool = True) -> str:
        """Run a script of the clone."""
        return self._run([sys.executable, *args], "python3", args, show, (0,), self.clone)

    def write(self, name: str, text: str) -> None:
        """Write a file of the clone."""
        path = os.path.join(self.clone, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def _run(
        self, command: list[str], name: str, args: tuple[str, ...], show: bool, expect: tuple[int, ...], where: str
    ) -> str:
        if show:
            self._echo("$ " + " ".join([name, *(_quoted(arg) for arg in args)]))
        done = subprocess.run(
            command, cwd=where, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        text = done.stdout.decode("utf-8", "replace").replace(self.folder + os.sep, "").rstrip()
        if show and text:
            self._echo("\n".join(f"  {line.rstrip()}" for line in text.splitlines()))
        if done.returncode not in expect and not show:
            self._echo(text)
        if done.returncode not in expect:
            raise RefusedError(
                f"the demo expected {name} {args[0]} to end with {expect[0]}, but it ended with {done.returncode}",
                remedy="this is a bug in rollback_guard or in this machine's git: guard doctor",
            )
        return text


def _quoted(argument: str) -> str:
    if "\n" in argument:
        argument = argument.split("\n", 1)[0] + " …"
    return f'"{argument}"' if any(character in argument for character in " <>…*") else argument
