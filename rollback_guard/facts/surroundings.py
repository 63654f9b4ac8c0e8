"""What a clone knows besides the change: remotes and their addresses, its own name, branches that hold a commit."""

from __future__ import annotations

import os
from typing import NamedTuple

from rollback_guard.facts.model import Fact, Known, Unknown
from rollback_guard.git.refs import HEADS, REMOTES, Ref, list_refs, short_branch
from rollback_guard.git.repository import Repository, read_config
from rollback_guard.policy.repositories import normalise_repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG = r"^(remote\..*\.url|rollback-guard\..*|branch\..*\.remote|init\.defaultbranch)$"


class Surroundings(NamedTuple):
    """Names of remotes, their addresses, and the repository's own name where it was configured."""

    remotes: tuple[str, ...]
    urls: dict[str, str]
    name: str  # rollback-guard.repository, or ""
    default_branch: str  # init.defaultBranch, or ""
    arriving: Mapping[bytes, str] = {}  # commits that a push brings to this server just now, and who pushes


def read_surroundings(repository: Repository) -> Surroundings:
    """One reading of the configuration."""
    config = read_config(repository, CONFIG)
    urls = {
        key[len("remote.") : -len(".url")]: absolute(values[-1], repository.git.cwd)
        for key, values in config.items()
        if key.startswith("remote.") and key.endswith(".url")
    }
    return Surroundings(
        remotes=tuple(urls),
        urls=urls,
        name=config.get("rollback-guard.repository", [""])[-1],
        default_branch=config.get("init.defaultbranch", [""])[-1],
    )


def absolute(url: str, folder: str) -> str:
    """An address that is a relative path as a path from the root, as git takes it; any other as it is."""
    if url.startswith(("./", "../")) or url in (".", ".."):
        return os.path.normpath(os.path.join(folder, url))
    return url


def repository_of(around: Surroundings, *, claimed: str | None = None, remote: str = "origin") -> Fact[str]:
    """Which repository the change goes to: as said, as configured, or as the remote's address says."""
    if claimed:
        return Known(normalise_repository(claimed), "--repository")
    if around.name:
        return Known(normalise_repository(around.name), "rollback-guard.repository")
    if remote in around.urls:
        return Known(normalise_repository(around.urls[remote]), f"remote {remote}")
    if len(around.urls) == 1:
        name, url = next(iter(around.urls.items()))
        return Known(normalise_repository(url), f"remote {name}")
    return Unknown(
        "this clone has no remote that says which repository it is",
        "git remote add origin URL   # or: guard check --repository URL",
    )


def branches_with(repository: Repository, around: Surroundings, commit: str) -> tuple[str, ...]:
    """Short names of the branches, here or as last seen on remotes, from which a commit is reachable."""
    refs = list_refs(repository, HEADS, REMOTES, contains=commit)
    return short_names(refs, around)


def short_names(refs: tuple[Ref, ...], around: Surroundings) -> tuple[str, ...]:
    """Their short names, each once, in the order of the refs."""
    return tuple(dict.fromkeys(short_branch(ref.name, around.remotes) for ref in refs))
