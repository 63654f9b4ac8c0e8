"""What a tree object holds, read to the letter, and where two trees differ, looked for only below what differs.

Names of a tree that somebody else wrote are data: one that git itself would never write is an error. What an
entry means is left to whoever asks.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.errors import GitError
from rollback_guard.git.process import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.git.objects import Blob, ObjectReader

TREE_LIMIT = 1 << 24  # bytes of one tree object that are read: some 150,000 entries
FILE, FOLDER = "100644", "40000"


class Item(NamedTuple):
    """One entry of a tree object: its mode as git writes it (octal, no leading zero), name and oid."""

    mode: str
    name: str
    oid: str

    @property
    def folder(self) -> bool:
        return self.mode == FOLDER


class Difference(NamedTuple):
    """A path that holds something else in two trees; None where it holds nothing, or a folder that was looked into."""

    path: str
    old: Optional[Item]
    new: Optional[Item]


def read_items(tree: Blob) -> dict[str, Item]:
    """The entries of a tree object by name.

    Raises: GitError when it is no tree, is cut off, or holds a name twice, an empty one or one with a slash.
    """
    data, width, at = tree.data, len(tree.oid) // 2, 0
    items: dict[str, Item] = {}
    while tree.type == "tree" and at < len(data):
        space = data.find(b" ", at)
        end = data.find(b"\0", space + 1)
        after = end + 1 + width
        name = decode(data[space + 1 : end])
        if space <= at or end <= space + 1 or after > len(data) or "/" in name or name in items:
            break
        items[name] = Item(mode=decode(data[at:space]), name=name, oid=data[end + 1 : after].hex())
        at = after
    if tree.type != "tree" or at != len(data):
        raise GitError(f"the tree {tree.oid} is malformed", remedy="git fsck")
    return items


def read_folder(objects: ObjectReader, oid: str | None) -> dict[str, Item]:
    """The entries of the tree of that oid; none for None.

    Raises: GitError when it is missing or malformed; TooLargeError above TREE_LIMIT.
    """
    if oid is None:
        return {}
    tree = objects.read(oid, limit=TREE_LIMIT)
    if tree is None:
        raise GitError(f"the tree {oid} is missing here", remedy="git fsck --connectivity-only")
    return read_items(tree)


def compare_trees(
    objects: ObjectReader, old: str | None, new: str | None, *, depth: int, path: str = ""
) -> Iterator[Difference]:
    """Where two trees (oids; None: nothing) differ, in the order of names.

    Folders are looked into down to `depth` levels, and only where their oids differ; a folder at the last level is
    told of as one entry, so that the work never grows with what lies below. Raises: as `read_folder`.
    """
    before, after = read_folder(objects, old), read_folder(objects, new)
    for name in sorted(before.keys() | after.keys()):
        left, right = before.get(name), after.get(name)
        if left == right:
            continue
        below = [item.oid if item is not None and item.folder else None for item in (left, right)]
        if depth > 1 and any(below):
            yield from compare_trees(objects, *below, depth=depth - 1, path=f"{path}{name}/")
            left, right = left if below[0] is None else None, right if below[1] is None else None
        if left is not None or right is not None:
            yield Difference(path=path + name, old=left, new=right)
