"""A bare server that is reached over file://, with the native pre-receive hook, and clones with native hooks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from rollback_guard.git.hook_files import carry_out, plan_install, this_program
from rollback_guard.git.hooks import CLIENT_STAGES, SERVER_STAGES, hooks_folder
from rollback_guard.git.repository import open_repository
from tests.support.builder import RepositoryBuilder
from tests.support.commands import Said

NAME = "github.com/acme/shop"


def install_hooks(folder: Path, *, server: bool = False) -> Path:
    """What `guard install` does; the folder of the hooks.

    Where coverage is measured, they run with `site`, by which coverage reaches other processes.
    """
    hooks = hooks_folder(open_repository(str(folder), os.environ))
    stages = SERVER_STAGES if server else CLIENT_STAGES
    carry_out(hooks, plan_install(hooks, stages, this_program()))
    if "COVERAGE_PROCESS_CONFIG" in os.environ:
        for stage in stages:
            file = Path(hooks, stage)
            file.write_text(file.read_text().replace(" -I -S -c ", " -c "))
    return Path(hooks)


def run_git(folder: Path, *args: str, **env: str) -> Said:
    """git as somebody runs it, hooks and all."""
    done = subprocess.run(
        ["git", *args],
        cwd=folder,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return Said(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


class Server:
    """A bare repository. It is filled before its hook is installed."""

    def __init__(self, folder: Path, *, object_format: str = "sha1", branch: str = "main") -> None:
        self.builder = RepositoryBuilder(folder, object_format=object_format, bare=True, branch=branch)
        self.path = folder
        self.url = f"file://{folder}"

    def takes(self, repo: RepositoryBuilder, *refspecs: str) -> None:
        """Take refs before anything is installed."""
        repo.git("push", "-q", "--no-verify", self.url, *refspecs)

    def guarded(self, name: str = NAME) -> Server:
        """Install pre-receive, and tell the server its name."""
        install_hooks(self.path, server=True)
        self.builder.git("config", "rollback-guard.repository", name)
        return self

    def tip(self, ref: str = "refs/heads/main") -> str:
        """The oid of a ref, "" when there is none."""
        return self.builder.git("rev-parse", "--verify", "--quiet", ref, check=False)


def serving(repo: RepositoryBuilder, folder: Path, *refspecs: str, object_format: str = "sha1") -> Server:
    """A guarded server that has these refs of a repository, which has it as origin from now on."""
    server = Server(folder, object_format=object_format)
    server.takes(repo, *(refspecs or ("main",)))
    repo.git("remote", "add", "origin", server.url)
    repo.git("fetch", "-q", "origin")
    return server.guarded()
