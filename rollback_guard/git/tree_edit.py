"""A tree with some of its entries replaced, written through an index of its own; no work tree is touched."""

from __future__ import annotations

import os

from rollback_guard.git.process import Git, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def edit_tree(git: Git, tree: str, entries: Mapping[str, str], *, folder: str) -> str:
    """The oid of a tree with entries put in: `mode oid` by path, or "" for a path that goes.

    `folder` is where the index is written for the while.
    """
    index = os.path.join(folder, f"index-{os.urandom(6).hex()}")
    own = git.with_env(GIT_INDEX_FILE=index)
    try:
        own.run("read-tree", tree)
        lines = [
            f"{entry} 0\t{path}\0" if entry else f"0 {'0' * len(tree)}\t{path}\0" for path, entry in entries.items()
        ]
        own.run("update-index", "-z", "--index-info", stdin=encode("".join(lines)))
        return own.text("write-tree")
    finally:
        for name in (index, f"{index}.lock"):
            if os.path.exists(name):
                os.unlink(name)
