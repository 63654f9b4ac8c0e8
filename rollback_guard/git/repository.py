"""Which repository this is: where it lies, what kind it is, which branch is checked out.

Reading objects is left to `git.objects`, refs to `git.refs`, history to `git.log`.
"""

from __future__ import annotations

import os
from typing import NamedTuple, Optional

from rollback_guard.errors import GitError, UndeterminedError, UsageError
from rollback_guard.git.process import Git, decode, encode, read_version, scrubbed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

QUESTIONS = (
    "--absolute-git-dir",
    "--git-common-dir",
    "--is-bare-repository",
    "--is-shallow-repository",
    "--show-object-format",
)


class Repository(NamedTuple):
    """One repository. Paths are absolute; `work_tree` is None in a bare repository."""

    git: Git
    git_dir: str
    common_dir: str
    work_tree: Optional[str]
    bare: bool
    shallow: bool
    object_format: str  # "sha1" or "sha256"
    checked_out: str = ""  # full name of the branch when it was opened; "" where `current_branch` must be asked

    @property
    def zero(self) -> str:
        """The oid that stands for "none" in hooks."""
        return "0" * (64 if self.object_format == "sha256" else 40)

    @property
    def objects_dir(self) -> str:
        """Where objects are written: the quarantine inside a receiving hook."""
        return self.git.env.get("GIT_OBJECT_DIRECTORY", os.path.join(self.common_dir, "objects"))


def open_repository(cwd: str, environ: Mapping[str, str], *, hook: bool = False, program: str = "git") -> Repository:
    """The repository that `cwd` is in; in a hook, the one that git started it for.

    Raises: UsageError when there is none or git refuses to use it, or git is missing;
    UndeterminedError when git is too old to answer.
    """
    env = scrubbed(environ, hook=hook)
    git = Git(cwd=cwd, env=env, program=program)
    process = git.run("rev-parse", *QUESTIONS, "--show-toplevel", "--symbolic-full-name", "HEAD", accept=(0, 128, 129))
    answers, top, head = _sorted_out(decode(process.stdout).split("\n"), process.returncode)
    if head is None and answers[0]:
        asked = [git.run("rev-parse", question, accept=(0, 128, 129)) for question in (*QUESTIONS, "--show-toplevel")]
        answers = [decode(answer.stdout)[:-1] for answer in asked]
        top = answers.pop()
    if answers[-1] not in ("sha1", "sha256"):
        raise _not_usable(git, cwd, decode(process.stderr))
    git_dir = answers[0]
    bare = answers[2] == "true"
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR"):
        env.pop(name, None)
    for name in ("GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH", "GIT_INDEX_FILE"):
        if name in env:
            env[name] = os.path.join(cwd, env[name])
    return Repository(
        git=Git(cwd=top or git_dir, env=env, git_dir=git_dir, work_tree=top or None, program=program),
        git_dir=git_dir,
        common_dir=os.path.normpath(os.path.join(cwd, answers[1])),
        work_tree=top or None,
        bare=bare,
        shallow=answers[3] == "true",
        object_format=answers[4],
        checked_out=head if head is not None and head.startswith("refs/heads/") else "",
    )


def _sorted_out(lines: list[str], status: int) -> tuple[list[str], str, str | None]:
    """The answers, the work tree's top, and HEAD's name; None for it when the lines cannot be told apart.

    They cannot where a path has a newline in it, or HEAD is ambiguous. git gives up at the top when there is
    no work tree, and at HEAD, which it then repeats, when there is no commit yet.
    """
    count = len(QUESTIONS)
    answers, rest = lines[:count], lines[count:-1]
    sound = len(answers) == count and answers[-1] in ("sha1", "sha256")
    if sound and status and not rest:
        return answers, "", ""
    if sound and len(rest) == 2 and (rest[1] == "HEAD" or (not status and rest[1].startswith("refs/"))):
        return answers, rest[0], rest[1]
    return answers, "", None


def _not_usable(git: Git, cwd: str, stderr: str) -> UsageError | UndeterminedError:
    version = git_version(git)
    if version < (2, 31):
        return UndeterminedError(
            f"git {'.'.join(map(str, version))} is too old: 2.31 or newer is needed", remedy="install a newer git"
        )
    said = stderr.strip().splitlines()
    return UsageError(
        f"{cwd} is not a repository that git can use" + (f": {said[0]}" if said else ""),
        remedy="change to a folder of the repository, or create one with: git init",
    )


def git_version(git: Git) -> tuple[int, ...]:
    """The version of the git that is run, as numbers."""
    return read_version(Git(cwd=git.cwd, env=git.env, program=git.program).text("version"))


def current_branch(repository: Repository) -> str | None:
    """Full name of the branch that is checked out, born or not; None when HEAD is detached."""
    process = repository.git.run("symbolic-ref", "-q", "HEAD", accept=(0, 1))
    return decode(process.stdout).strip() or None


def read_config(repository: Repository, pattern: str) -> dict[str, list[str]]:
    """All configuration whose key matches a pattern of git's `--get-regexp`; keys folded as git folds them."""
    process = repository.git.run("config", "-z", "--get-regexp", pattern, accept=(0, 1))
    found: dict[str, list[str]] = {}
    for entry in decode(process.stdout).split("\0"):
        if entry:
            key, _, value = entry.partition("\n")
            found.setdefault(key, []).append(value)
    return found


def operation_in_progress(repository: Repository) -> str | None:
    """The operation that somebody began here and did not finish, by its git command, or None."""
    for name, command in (
        ("MERGE_HEAD", "merge"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
        ("rebase-merge", "rebase"),
        ("rebase-apply", "rebase"),
        ("BISECT_LOG", "bisect"),
    ):
        if os.path.exists(os.path.join(repository.git_dir, name)):
            return command
    return None


class Scratch:
    """A folder for objects that nobody will keep: git reads the repository and writes here.

    With it, a merge can be computed in a read-only repository, and a check leaves nothing behind.
    """

    def __init__(self, repository: Repository, folder: str) -> None:
        self.path = os.path.join(folder, f"rollback-guard-{os.getpid()}-{os.urandom(6).hex()}")
        try:
            os.mkdir(self.path, 0o700)
        except OSError as error:
            raise GitError(
                f"no scratch folder could be made in {folder}: {error.strerror}",
                remedy="point TMPDIR at a folder that can be written",
            ) from None
        others = repository.git.env.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "")
        alternates = quote_alternate(repository.objects_dir) + (f":{others}" if others else "")
        self.git = repository.git.with_env(GIT_OBJECT_DIRECTORY=self.path, GIT_ALTERNATE_OBJECT_DIRECTORIES=alternates)
        self.git.env.pop("GIT_QUARANTINE_PATH", None)

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *exc: object) -> None:
        remove_tree(self.path)


def remove_tree(path: str) -> None:
    """Remove a folder of ours with everything in it; what is gone already does not matter."""
    try:
        entries = list(os.scandir(path))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            remove_tree(entry.path)
        else:
            try:
                os.unlink(entry.path)
            except OSError:
                pass
    try:
        os.rmdir(path)
    except OSError:
        pass


def quote_alternate(path: str) -> str:
    """A path as git wants it in GIT_ALTERNATE_OBJECT_DIRECTORIES: C-quoted when it would be misread.

    Source: git(1), GIT_ALTERNATE_OBJECT_DIRECTORIES.
    """
    if path.isascii() and not any(character in path for character in ':"\\\n'):
        return path
    quoted = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in (34, 92) else f"\\{byte:03o}" for byte in encode(path)
    )
    return f'"{quoted}"'
