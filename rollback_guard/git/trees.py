"""One entry of a tree object: its mode and what it names. Reading the tree's bytes is left to `git.objects`."""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.git.process import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from rollback_guard.git.objects import Blob

    Kind = Literal["file", "link", "submodule", "folder"]


class TreeEntry(NamedTuple):
    """What lies under a name: a file of any mode, a symbolic link, a submodule, a folder."""

    kind: Kind
    oid: str


def entry_of(tree: Blob, name: str) -> Optional[TreeEntry]:
    """The entry of a tree with that name (no path), or None.

    Looked for as bytes, because a root folder may hold 50,000 entries; the name with what stands around it is too
    long to be found inside an object id. Source: git's tree-walk.c, and object_type() in object.h.
    """
    mark = b" " + encode(name) + b"\0"
    place = tree.data.find(mark)
    if place < 0:
        return None
    mode = tree.data[max(0, place - 6) : place]
    start = place + len(mark)
    kind: Kind = "submodule"  # as git takes everything that is none of the others
    if mode.endswith(b"40000"):  # five digits: before them stands the last byte of another id
        kind = "folder"
    elif mode.startswith(b"10"):  # 100644 and 100755, and 100664 of an old git
        kind = "file"
    elif mode.startswith(b"12"):
        kind = "link"
    return TreeEntry(kind=kind, oid=tree.data[start : start + len(tree.oid) // 2].hex())
