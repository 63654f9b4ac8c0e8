"""Where `guard policy` reads policies and scenarios from: a file, stdin, the work tree, or a commit.

What is in them is left to `policy.read` and `gate.scenario`.
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple, Optional

from rollback_guard.errors import GuardError, UsageError
from rollback_guard.facts.policy_source import read_policy_at
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.refs import require_commit
from rollback_guard.git.repository import Repository, open_repository
from rollback_guard.policy.model import Policy
from rollback_guard.policy.paths import POLICY_PATHS
from rollback_guard.policy.read import read_policy
from rollback_guard.policy.toml import LIMIT

START = "guard init   # writes a commented policy from what it finds here"
READ_AT_MOST = 16 * LIMIT  # a pyproject.toml may hold more than a policy


class Source(NamedTuple):
    """The bytes of a file. `path` is for messages and tells pyproject.toml apart; `rev` is the commit asked."""

    data: bytes
    path: str
    rev: Optional[str] = None


def here() -> Repository | None:
    """The repository that the present folder is in, or None."""
    try:
        return open_repository(os.getcwd(), os.environ)
    except (GuardError, FileNotFoundError):
        return None


def read_file(path: str) -> Source:
    """A file's bytes, or stdin's for `-`.

    Raises: UsageError when it is missing, a directory, or cannot be read.
    """
    if path == "-":
        return Source(sys.stdin.buffer.read(READ_AT_MOST), "<stdin>")
    try:
        with open(path, "rb") as file:
            return Source(file.read(READ_AT_MOST), path)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file", remedy="guard policy check --help") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy=f"ls -l {path}") from None
    except ValueError:  # a NUL in the name
        raise UsageError(f"{path!r} is no path", remedy="guard policy check --help") from None


def find_policy(file: str | None, rev: str | None) -> tuple[Policy, Source]:
    """The policy that a command is about, and where it was read: `file`, at `rev` when given, else the work tree's.

    Raises: UsageError when there is none; PolicyError when it cannot be understood.
    """
    if rev is None and file is not None:
        source = read_file(file)
        policy = read_policy(source.data, path=source.path)
        if policy is None:
            raise UsageError(f"{file} has no table [tool.rollback-guard]", remedy=START)
        return policy, source
    repository = open_repository(os.getcwd(), os.environ)
    if rev is not None:
        return _in_commit(repository, file, rev)
    return _in_work_tree(repository)


def _in_work_tree(repository: Repository) -> tuple[Policy, Source]:
    if repository.work_tree is None:
        raise UsageError("a bare repository has no work tree to read", remedy="guard policy check --rev main")
    for name in POLICY_PATHS:
        full = os.path.join(repository.work_tree, name)
        if os.path.lexists(full):
            source = read_file(full)._replace(path=name)
            policy = read_policy(source.data, path=name)
            if policy is not None:
                return policy, source
    raise UsageError(f"there is no {POLICY_PATHS[0]} at {repository.work_tree}", remedy=START)


def _in_commit(repository: Repository, file: str | None, rev: str) -> tuple[Policy, Source]:
    """A path is taken from the repository's root, as git does."""
    commit = require_commit(repository, rev, "--rev")
    paths = POLICY_PATHS if file is None else (file,)
    with ObjectReader(repository.git) as objects:
        error = read_policy_at(objects, commit).error if file is None else None
        if error is not None:  # a link or submodule too, which the gate does not read either
            raise error
        for path in paths:
            blob = objects.read(f"{commit}:{path}", limit=READ_AT_MOST)
            if blob is None or blob.type != "blob":
                continue
            policy = read_policy(blob.data, path=path)
            if policy is not None:
                return policy, Source(blob.data, path, commit)
    raise UsageError(f"{rev} holds no {paths[0]}", remedy=f"git ls-tree --name-only {rev}")


def read_beside(scenarios: str, path: str) -> Policy:
    """The policy that a scenario file names, relative to that file.

    Raises: UsageError, PolicyError.
    """
    folder = "." if scenarios == "<stdin>" else os.path.dirname(scenarios)
    policy, _ = find_policy(os.path.normpath(os.path.join(folder, path)), None)
    return policy
