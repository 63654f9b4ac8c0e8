"""`guard init`'s look at a repository: branches, remotes, who committed. Through GitPython.

Not on the enforcement path. What is made of it is left to `policy.starter`.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from rollback_guard.errors import GitError
from rollback_guard.git.process import FIXED
from rollback_guard.git.refs import HEADS, REMOTES
from rollback_guard.git.repository import Repository, current_branch

TYPE_CHECKING = False
if TYPE_CHECKING:
    import git as gitpython

MOST_COMMITS = 5_000  # the newest ones, whose authors are the team of today
USUAL = ("main", "master", "trunk", "production")


class Survey(NamedTuple):
    """What a repository shows. Authors are (name, e-mail) with .mailmap applied, most commits first."""

    production: str
    branches: tuple[str, ...]
    remotes: tuple[str, ...]  # URLs
    authors: tuple[tuple[str, str], ...]


def survey(repository: Repository) -> Survey:
    """Look at a repository, an empty one too.

    Raises: GitError when it cannot be read.
    """
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import git as gitpython

    try:
        with gitpython.Repo(repository.work_tree or repository.git_dir) as repo:
            # Nothing that the caller's environment says may point these commands at another repository.
            repo.git.update_environment(**FIXED, GIT_DIR=repository.git_dir)
            remotes = tuple(_lines(repo.git.remote()))
            branches = _branches(repo, remotes)
            return Survey(
                production=_production(repository, repo, branches, remotes),
                branches=branches,
                remotes=_urls(repo),
                authors=_authors(repo),
            )
    except gitpython.exc.GitError as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise GitError(f"the repository cannot be read: {said[-1] if said else ''}", remedy="git fsck") from None


def _urls(repo: gitpython.Repo) -> tuple[str, ...]:
    out = str(repo.git.config("-z", "--get-regexp", r"^remote\..*\.url$", with_exceptions=False))
    return tuple(entry.partition("\n")[2] for entry in out.split("\0") if entry)


def _branches(repo: gitpython.Repo, remotes: tuple[str, ...]) -> tuple[str, ...]:
    """Short names of the branches here and on remotes, each once."""
    found: dict[str, None] = {}
    for line in _lines(repo.git.for_each_ref("--format=%(symref)%00%(refname)", HEADS, REMOTES)):
        symref, _, name = line.partition("\0")
        if symref:
            continue
        remote = next(
            (one for one in sorted(remotes, key=len, reverse=True) if name.startswith(f"{REMOTES}{one}/")), None
        )
        found[name[len(HEADS) :] if remote is None else name[len(f"{REMOTES}{remote}/") :]] = None
    return tuple(found)


def _production(
    repository: Repository, repo: gitpython.Repo, branches: tuple[str, ...], remotes: tuple[str, ...]
) -> str:
    """The branch that is taken for production: the remote's own default, a usual name, or the present one."""
    for remote in remotes:
        prefix = f"{REMOTES}{remote}/"
        name = str(repo.git.symbolic_ref("-q", f"{prefix}HEAD", with_exceptions=False))
        if name.startswith(prefix):
            return name[len(prefix) :]
    default = repo.git.config("--get", "init.defaultBranch", with_exceptions=False)
    for usual in (default, *USUAL):
        if usual in branches:
            return str(usual)
    return (current_branch(repository) or f"{HEADS}main").removeprefix(HEADS)


def _authors(repo: gitpython.Repo) -> tuple[tuple[str, str], ...]:
    counts: dict[tuple[str, str], int] = {}
    out = repo.git.log("--all", f"--max-count={MOST_COMMITS}", "--no-show-signature", "--format=%aN%x00%aE", "--")
    for line in _lines(out):
        name, _, email = line.partition("\0")
        counts[name, email] = counts.get((name, email), 0) + 1
    return tuple(sorted(counts, key=lambda author: (-counts[author], author)))


def _lines(out: str) -> list[str]:
    return [line for line in str(out).split("\n") if line]
