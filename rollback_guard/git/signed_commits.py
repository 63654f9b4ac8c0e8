"""New commits that git signs, one process each: nothing else reaches every key, agent and card that git can use.

What is signed is written into a quarantine, and packed there, so that it is kept like any other commit.
"""

from __future__ import annotations

import os

from rollback_guard.errors import RefusedError
from rollback_guard.git.fast_import import NewCommit, Quarantine, identity
from rollback_guard.git.process import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def write_signed_commits(
    quarantine: Quarantine, parent: str, commits: Iterable[NewCommit], check: Callable[[str], str]
) -> str:
    """Write commits as `git.fast_import.write_commits` does, each signed as git is set here; the oid of the last.

    `check` says of the first one why its signature would not count, or "": before a card is touched a thousand times.
    Raises: UsageError when git does not know who works here; RefusedError when git cannot sign, or `check` says no.
    """
    identity(quarantine, "GIT_COMMITTER_IDENT")
    before, first = parent, True
    others: list[str] = []
    for commit in commits:
        others += commit.others
        parents = [word for one in (before, *commit.others) for word in ("-p", one)]
        tree = commit.tree or quarantine.git.text("hash-object", "-t", "tree", "-w", "--stdin", stdin=b"")
        process = quarantine.git.run(
            "commit-tree", "-S", *parents, "-F", "-", tree,
            stdin=commit.message, config=("-c", "i18n.commitEncoding=UTF-8"), accept=(0, 1, 128),
        )  # fmt: skip
        if process.returncode != 0:
            said = decode(process.stderr).strip().splitlines()
            raise RefusedError(
                "git could not sign a revert commit" + (f": {said[0]}" if said else ""),
                remedy="git config user.signingKey   # which key git signs with; ssh-add -l: whether it is there",
            )
        before = decode(process.stdout).strip()
        fault = check(before) if first else ""
        if fault:
            raise RefusedError(
                f"the revert commits would not count: {fault}",
                remedy="git config user.signingKey PATH-OF-A-LISTED-KEY   # they are `keys` of [people.ID]",
            )
        first = False
    gather(quarantine, before, parent, *others)
    return before


def gather(quarantine: Quarantine, new: str, *old: str) -> None:
    """Pack everything that a commit has and others have not into the quarantine, from wherever git finds it."""
    folder = os.path.join(quarantine.path, "pack")
    os.makedirs(folder, exist_ok=True)
    before = os.listdir(folder)
    revs = "".join(f"{rev}\n" for rev in (new, *(f"^{one}" for one in old)))
    out = quarantine.git.run(
        "pack-objects", "--quiet", "--revs", "--delta-base-offset", os.path.join(folder, "pack"),
        stdin=encode(revs), config=("-c", "pack.packSizeLimit=0"),
    ).stdout  # fmt: skip
    kept = decode(out).strip()
    for name in before:
        if kept not in name:
            os.unlink(os.path.join(folder, name))
