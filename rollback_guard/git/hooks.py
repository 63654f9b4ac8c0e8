"""Where a repository's hooks lie, whose they are, and running one that ours stands before.

Installing and removing is left to `git.hook_files`, what a hook decides to `entry.hook`.

How a hook of ours is called, and how it lives beside others:

- Every hook that `guard install` writes runs `entry.hook.run()` with
  `sys.argv[1:] == ["--self", "$0", STAGE, *git's own arguments]`; the shared ones in hooks/ run it with
  `[STAGE, *git's own arguments]`. Standard input is git's own.
- A hook that was there before is kept beside ours as STAGE.guarded. After the gate allowed, `entry.hook`
  asks `displaced_hook(self_path, stage)` and, when there is one, ends with what
  `run_displaced(path, arguments, stdin)` returns. `stdin` is what was read of git's input, or None when
  nothing was: the displaced hook then reads git's own.
- Where pre-commit or prek has its own hook, ours is STAGE.legacy, which they run themselves with the same
  arguments and input.
"""

from __future__ import annotations

import os
from typing import NamedTuple, Optional

from rollback_guard.git.process import decode
from rollback_guard.git.repository import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    Owner = Literal["nobody", "guard", "shared", "pre-commit", "other"]

CLIENT_STAGES = ("pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "pre-push")
SERVER_STAGES = ("pre-receive",)
MARKER = "# rollback-guard native hook 1"
SHARED_MARKER = MARKER + ", shared"
LEGACY = ".legacy"
GUARDED = ".guarded"
# What pre-commit (every version of its script) and prek write into the hooks that they make.
# Source: pre_commit/commands/install_uninstall.py (CURRENT_HASH, PRIOR_HASHES); prek's hook script.
PRE_COMMIT_IDS = (
    b"138fd403232d2ddd5efb44317e38bf03",
    b"4d9958c90bc262f47553e2c073f14cfe",
    b"d8ee923c46731b42cd95cc869add4062",
    b"49fd668cb42069aa1b6048464be5d395",
    b"79f09a650522a87b0da915d0d983b2de",
    b"e358c9dae00eac5d06b38dfdb1e33a8c",
    b"182c10f181da4464a3eec51b83331688",
)
LONGEST = 1 << 16  # bytes of a hook that are looked at


class Hook(NamedTuple):
    """One file that may be a hook. `interpreter` and `package` are what a hook of ours was written for."""

    path: str
    owner: Owner
    executable: bool = False
    folder: bool = False
    interpreter: Optional[str] = None
    package: Optional[str] = None  # path of the package's entry/hook.py


class StageHooks(NamedTuple):
    """The three files of one stage: git's own, the one that pre-commit runs, the one that ours runs."""

    stage: str
    main: Hook
    legacy: Hook
    guarded: Hook

    @property
    def ours(self) -> Hook | None:
        """The hook of ours that git or pre-commit would run for this stage, or None."""
        if self.main.owner in ("guard", "shared"):
            return self.main
        if self.main.owner == "pre-commit" and self.legacy.owner in ("guard", "shared"):
            return self.legacy
        return None


class HooksPath(NamedTuple):
    """core.hooksPath as it is set: in which scope (local, worktree, global, system, command), to what."""

    scope: str
    value: str


def hooks_folder(repository: Repository) -> str:
    """The folder in which git looks for hooks; a relative core.hooksPath counts from where hooks run."""
    path = repository.git.text("rev-parse", "--git-path", "hooks")
    return os.path.normpath(os.path.join(repository.git.cwd, path))


def hooks_path(repository: Repository) -> HooksPath | None:
    """core.hooksPath, or None when it is not set."""
    process = repository.git.run("config", "--show-scope", "-z", "--get", "core.hooksPath", accept=(0, 1))
    fields = decode(process.stdout).split("\0")
    return HooksPath(scope=fields[0], value=fields[1]) if len(fields) > 1 else None


def find_hooks(folder: str, stages: Sequence[str]) -> tuple[StageHooks, ...]:
    """What lies in a hook folder for each stage."""
    found = []
    for stage in stages:
        path = os.path.join(folder, stage)
        found.append(
            StageHooks(
                stage=stage,
                main=look(path),
                legacy=look(path + LEGACY),
                guarded=look(path + GUARDED),
            )
        )
    return tuple(found)


def look(path: str) -> Hook:
    """Whose hook a file is, by what it says itself; links are followed."""
    if not os.path.lexists(path):
        return Hook(path=path, owner="nobody")
    if os.path.isdir(path):
        return Hook(path=path, owner="other", folder=True)
    try:
        with open(path, "rb") as file:
            text = file.read(LONGEST)
    except OSError:  # a link to nowhere, or not ours to read: somebody else's in any case
        return Hook(path=path, owner="other")
    executable = os.access(path, os.X_OK)
    lines = decode(text).splitlines()
    if SHARED_MARKER in lines:
        return Hook(path=path, owner="shared", executable=executable)
    if MARKER in lines:
        interpreter, package = _written_for(decode(text))
        return Hook(path=path, owner="guard", executable=executable, interpreter=interpreter, package=package)
    owner: Owner = "pre-commit" if any(known in text for known in PRE_COMMIT_IDS) else "other"
    return Hook(path=path, owner=owner, executable=executable)


def _written_for(text: str) -> tuple[str | None, str | None]:
    """The interpreter and package file that a hook of ours tests for before it runs them."""
    import shlex

    try:
        words = shlex.split(text, comments=True)
        return words[words.index("-x") + 1], words[words.index("-f") + 1]
    except (ValueError, IndexError):
        return None, None


def displaced_hook(self_path: str, stage: str) -> str | None:
    """The hook that ours stands before, by the path under which ours was started; None when there is none.

    One that is not executable is not run, as git would not. One that is ours again is not run either.
    """
    path = os.path.join(os.path.dirname(self_path), stage + GUARDED)
    if not os.access(path, os.X_OK) or os.path.isdir(path) or look(path).owner in ("guard", "shared"):
        return None
    return path if os.path.dirname(path) else os.path.join(os.curdir, path)


def run_displaced(hook_path: str, argv: Sequence[str], stdin: bytes | None) -> int:
    """Run a displaced hook with git's arguments and input; its exit status (128 + N when signal N ended it).

    `stdin` None lets it read what git gives. A script without a first line `#!` is run by sh, as git does.
    """
    import errno
    import subprocess

    command = [hook_path, *argv]
    try:
        status = subprocess.run(command, input=stdin, check=False).returncode
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            from rollback_guard.errors import UsageError

            raise UsageError(
                f"the hook {hook_path} could not be started: {error.strerror}", remedy=f"look at it: {hook_path}"
            ) from None
        status = subprocess.run(["/bin/sh", *command], input=stdin, check=False).returncode
    return 128 - status if status < 0 else status
