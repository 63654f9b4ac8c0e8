"""A digest of what a change does to a tree, which stays the same where the base moves on under it.

Two changes have the same digest when their patches are the same letter for letter (white space counts), at the
same places, with the same lines around each hunk, whatever else is in the trees. So it
survives a clean rebase, a squash, another message, another base that leaves those lines where they are; not a
conflict resolved by hand. Line numbers count: the same lines may stand in a file twice.
"""

from __future__ import annotations

from rollback_guard.git.process import Git
from rollback_guard.git.streams import split_stream

# Nothing that settings or attributes say may change what is read: no drivers, no renames, every file as text.
_OPTIONS = (
    *("-r", "-p", "--text", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv", "--submodule=short"),
    *("--ignore-submodules=none", "--diff-algorithm=myers"),
    *("-U3", "--inter-hunk-context=0", "--no-indent-heuristic", "--src-prefix=a/", "--dst-prefix=b/", "-O/dev/null"),
)
_CONFIG = ("-c", "diff.suppressBlankEmpty=false")


def change_digest(git: Git, base: str, tree: str) -> str:
    """`sha256:` and the hex digest of what leads from one commit or tree to another, read as it comes.

    Left out are blob names, whose contents the hunks show, and what git puts behind a hunk's place.
    """
    from hashlib import sha256

    digest = sha256()
    for lines in split_stream(git.chunks("diff-tree", *_OPTIONS, base, tree, "--", config=_CONFIG), b"\n"):
        for line in lines:
            if line.startswith(b"index "):
                said = b"index" + line[len(b"index ") :].partition(b" ")[2]  # the mode, where it did not change
            elif line.startswith(b"@@ "):
                said = line[: line.index(b" @@", 2) + 3]
            else:
                said = line
            digest.update(b"%d:" % len(said))
            digest.update(said)
    return f"sha256:{digest.hexdigest()}"
