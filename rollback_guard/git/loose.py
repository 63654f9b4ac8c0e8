"""Objects written one by one into a folder of objects, as git itself would write them: for what nobody keeps.

What is kept goes through `git.fast_import`. Source: gitformat-loose(5), Documentation/git-hash-object.txt.
"""

from __future__ import annotations

import hashlib
import os
import zlib

from rollback_guard.git.process import encode

NOBODY = b"nobody <nobody@localhost> 0 +0000"


def write_loose(folder: str, kind: str, data: bytes, *, object_format: str) -> str:
    """Write an object that git can read from that folder; its oid. What is there already is left alone."""
    whole = b"%s %d\0%s" % (kind.encode("ascii"), len(data), data)
    oid = hashlib.new(object_format, whole, usedforsecurity=False).hexdigest()
    path = os.path.join(folder, oid[:2], oid[2:])
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(zlib.compress(whole, 1))
    return oid


def write_commit(folder: str, tree: str, parents: tuple[str, ...], *, object_format: str) -> str:
    """A commit of nobody's, for git to find a merge base by."""
    lines = [b"tree " + encode(tree), *(b"parent " + encode(parent) for parent in parents)]
    lines += [b"author " + NOBODY, b"committer " + NOBODY, b"", b""]
    return write_loose(folder, "commit", b"\n".join(lines), object_format=object_format)
