"""Has `git fetch` bring recorded evidence along: one more refspec for each remote, and its removal.

A remote that fetches nothing by configuration is left alone: a refspec would change what a bare `git fetch` of it
does. What evidence is, is left to `evidence`.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.git.repository import Repository, read_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# A glob, because a refspec without one makes every fetch fail as long as the server has no evidence.
_SOURCE = "+refs/rollback-guard/evidence*:"
_TARGET = "refs/rollback-guard/remotes/{}/evidence*"


class RefspecStep(NamedTuple):
    """One value of remote.<name>.fetch that is to be added or taken away."""

    remote: str
    value: str
    add: bool


def evidence_refspec(remote: str) -> str:
    """The refspec that brings a remote's evidence into a ref of its own.

    >>> evidence_refspec("origin")
    '+refs/rollback-guard/evidence*:refs/rollback-guard/remotes/origin/evidence*'
    """
    return _SOURCE + _TARGET.format(remote)


def plan_refspecs(repository: Repository, *, wanted: bool = True) -> tuple[RefspecStep, ...]:
    """What it takes that every remote's evidence is fetched, or with `wanted` False that none is.

    A refspec of ours that bears another remote's name, left by `git remote rename`, goes as well.
    """
    steps = []
    config = read_config(repository, r"^remote\..*\.(url|fetch)$")
    for key, values in config.items():
        remote, _, variable = key[len("remote.") :].rpartition(".")
        if variable != "fetch":
            continue
        ours = [value for value in values if _is_ours(value)]
        right = evidence_refspec(remote)
        fitting = wanted and f"remote.{remote}.url" in config and len(ours) < len(values) and _is_ref(repository, right)
        steps += [
            RefspecStep(remote, value, add=False) for value in dict.fromkeys(ours) if value != right or not wanted
        ]
        if fitting and right not in ours:
            steps.append(RefspecStep(remote, right, add=True))
    return tuple(steps)


def _is_ours(value: str) -> bool:
    before, _, after = _TARGET.partition("{}")
    return value.startswith(_SOURCE + before) and value.endswith(after)


def _is_ref(repository: Repository, refspec: str) -> bool:
    """A remote may bear a name that no ref can; a refspec with it would make every fetch fail."""
    ref = refspec.partition(":")[2].rstrip("*")
    return repository.git.run("check-ref-format", ref, accept=(0, 1)).returncode == 0


def change_refspecs(repository: Repository, steps: Sequence[RefspecStep]) -> None:
    """Do what was planned, in this repository's own configuration."""
    for step in steps:
        key = f"remote.{step.remote}.fetch"
        if step.add:
            repository.git.run("config", "--local", "--add", key, step.value)
        else:  # 5: it stands in somebody's own configuration, which is theirs
            repository.git.run("config", "--local", "--fixed-value", "--unset-all", key, step.value, accept=(0, 5))
