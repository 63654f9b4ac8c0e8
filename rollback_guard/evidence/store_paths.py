"""The shape of the store: which paths its tree has, and which entries are evidence at all.

    sign-off/<xx>/<binding>/<sha256>.json      also the other KINDS; xx: the binding's first two digits
    about/<xx>/<head>/<sha256>.json            the same envelope again, found by the commit that it speaks of; not
                                               of a backup, whose key is made of its name and day as well

Whatever else lies in the tree (links, submodules, other names, content that its name does not fit) is no evidence.
What an envelope says is left to `evidence.envelope`; reading and writing the tree to the other modules of the store.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.errors import GitError
from rollback_guard.git.objects import ObjectReader, TooLargeError
from rollback_guard.git.tree_walk import FILE, TREE_LIMIT, Item, compare_trees, read_folder
from rollback_guard.policy.paths import OURS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

EVIDENCE = f"{OURS}evidence"
TRACKING = f"{OURS}remotes/"
KINDS = ("sign-off", "waiver", "waiver-review", "verdict", "release", "backup")
ABOUT = "about"
ONCE = ("backup",)  # kinds of which nothing lies under `about`: they would fill the folder of one commit
LARGEST = 1 << 16  # bytes of one envelope
MOST = 1000  # entries of one folder: about one binding, or about one head
SUFFIX = ".json"


class Folder(NamedTuple):
    """One folder of which two trees hold something else, with its entries by name in both."""

    path: str
    old: dict[str, Item]
    new: dict[str, Item]


def folder_of(kind: str, key: str) -> str:
    """Where evidence of a kind about one binding lies, or with the kind `about` about one commit.

    >>> folder_of("about", "12ab")
    'about/12/12ab'
    """
    return f"{kind}/{key[:2]}/{key}"


def is_key(kind: str, key: str) -> bool:
    """Whether this can be a binding's key (64 hexadecimal digits), or for `about` an oid."""
    if kind == ABOUT:
        return _is_hex(key, 40) or _is_hex(key, 64)
    return kind in KINDS and _is_hex(key, 64)


def _is_hex(text: str, length: int) -> bool:
    return len(text) == length and not text.strip("0123456789abcdef")


def root_of(objects: ObjectReader, rev: str) -> str:
    """The oid of the store's tree in a ref or commit. Raises: GitError when there is none."""
    tree = objects.read(f"{rev}^{{tree}}", limit=TREE_LIMIT)
    if tree is None:
        raise GitError(f"{rev} holds no tree here", remedy="git fsck --connectivity-only")
    return tree.oid


def differing_folders(objects: ObjectReader, old: str | None, new: str | None, *, kind: str = "") -> Iterator[Folder]:
    """The folders in which two trees (oids; None: an empty one) differ, whatever they hold, as they are read.

    With `kind`, the trees are those below the folder of that kind. Raises: GitError for a tree that is missing or
    malformed; TooLargeError for one beyond any sense.
    """
    for one in compare_trees(objects, old, new, depth=2 if kind else 3, path=f"{kind}/" if kind else ""):
        sides = [(item, item is not None and item.folder) for item in (one.old, one.new)]
        above, _, _ = one.path.rpartition("/")
        odd = [{item.name: item} if item is not None and not folder else {} for item, folder in sides]
        if any(odd):
            yield Folder(path=above, old=odd[0], new=odd[1])
        if any(folder for _, folder in sides):
            oids = (item.oid if item is not None and folder else None for item, folder in sides)
            before, after = (read_folder(objects, oid) for oid in oids)
            yield Folder(path=one.path, old=before, new=after)


class Sieve:
    """Tells evidence from what is none; each blob is looked at once."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects
        self._known: dict[tuple[str, str], tuple[str, bytes]] = {}

    def fault(self, folder: str, item: Item) -> str:
        """Why an entry is no evidence: "" when it is. Raises: GitError when its content is missing here."""
        shape = shape_fault(folder, item)
        return shape or self.read(item)[0]

    def read(self, item: Item) -> tuple[str, bytes]:
        """Why the content is not what its name says, or "" and the content. The last two hundred are remembered."""
        found = self._known.get((item.oid, item.name))
        if found is None:
            found = _read(self._objects, item)
            if len(self._known) >= 200:
                self._known.clear()
            self._known[item.oid, item.name] = found
        return found


def shape_fault(folder: str, item: Item) -> str:
    """Why an entry is no evidence by its path and mode alone, or ""."""
    kind, _, rest = folder.partition("/")
    key = rest.partition("/")[2]
    if folder != folder_of(kind, key) or not is_key(kind, key):
        return "no evidence lies there"
    if item.mode != FILE:
        return {"120000": "a symbolic link", "160000": "a submodule", "40000": "a folder"}.get(
            item.mode, f"mode {item.mode}"
        )
    return "" if item.name.endswith(SUFFIX) and _is_hex(item.name[: -len(SUFFIX)], 64) else "no name of evidence"


def _read(objects: ObjectReader, item: Item) -> tuple[str, bytes]:
    import hashlib

    try:
        blob = objects.read(item.oid, limit=LARGEST)
    except TooLargeError as error:
        return f"{error.size:,} bytes, and at most {LARGEST:,} are read", b""
    if blob is None:
        raise GitError(f"the blob {item.oid} is missing here", remedy="git fsck --connectivity-only")
    if blob.type != "blob" or hashlib.sha256(blob.data).hexdigest() + SUFFIX != item.name:
        return "its name is not the digest of its content", b""
    return "", blob.data
