"""Moves the evidence ref on, by compare-and-swap: of many who write at once, none loses what another wrote.

New objects are complete and in place before the ref names them, so whoever is killed leaves the old store or the
new one. What is added is left to `evidence.store` and `evidence.store_merge`.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from rollback_guard.errors import RefusedError
from rollback_guard.evidence.store_paths import EVIDENCE
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import encode
from rollback_guard.git.refs import list_refs, update_refs
from rollback_guard.git.tree_writes import LooseQuarantine, NewFile, write_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Optional

    from rollback_guard.git.repository import Repository

    Decide = Callable[[ObjectReader, Optional[str]], Optional["Step"]]

ATTEMPTS = 300  # how often others may be faster before somebody gives up
STUCK = 12  # how often git may refuse although nobody moved the ref: another one holds the lock, or nobody ever will
PAUSE = 0.03  # seconds, at most, before the next attempt


class Step(NamedTuple):
    """How the store is to move on: to a commit that is here already, or to a new one."""

    commit: str = ""
    parents: tuple[str, ...] = ()
    files: tuple[NewFile, ...] = ()
    message: str = ""


def read_tip(repository: Repository, ref: str = EVIDENCE) -> str | None:
    """The commit of exactly that ref, None when there is none.

    Raises: RefusedError when it names something else.
    """
    found = [one for one in list_refs(repository, ref) if one.name == ref]
    if found and found[0].commit != found[0].oid:
        raise RefusedError(
            f"{ref} is no commit, so nothing can be added to it",
            remedy=f"git update-ref -d {ref}   # then: guard evidence fetch",
        )
    return found[0].oid if found else None


def advance(repository: Repository, decide: Decide) -> str | None:
    """Move the store on from wherever it is; where it is then.

    `decide` is asked again each time that somebody else was faster; None from it ends the matter. Whoever dies
    meanwhile leaves the store as it was. Raises: RefusedError when git does not let the ref move.
    """
    attempts = unmoved = 0
    while True:
        tip = read_tip(repository)
        with ObjectReader(repository.git) as objects:
            step = decide(objects, tip)
        if step is None:
            return tip
        new = step.commit or write_step(repository, step)
        try:
            update_refs(repository, ((EVIDENCE, new, tip or repository.zero),), reason="guard: evidence")
            return new
        except RefusedError as error:
            attempts += 1
            unmoved += read_tip(repository) == tip
            if attempts == ATTEMPTS or unmoved == STUCK:
                raise _stuck(repository, error) from None
        pause()


def write_step(repository: Repository, step: Step) -> str:
    """Write a step's commit, and move nothing to it yet; its oid."""
    with LooseQuarantine(repository) as quarantine:
        new = write_files(quarantine, step.parents, step.files, encode(step.message))
        quarantine.keep()
    return new


def pause() -> None:
    """Wait a moment of no fixed length, so that those who were in each other's way are not again."""
    import random
    import time

    time.sleep(random.uniform(0, PAUSE))


def _stuck(repository: Repository, error: RefusedError) -> RefusedError:
    lock = os.path.join(repository.common_dir, *EVIDENCE.split("/")) + ".lock"
    if os.path.exists(lock):
        import shlex

        return RefusedError(error.message, remedy=f"rm {shlex.quote(lock)}   # when no git runs here any more")
    return RefusedError(error.message, remedy=f"git rev-parse {EVIDENCE}   # see the message; then run this again")
