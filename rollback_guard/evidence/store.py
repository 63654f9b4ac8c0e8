"""Recorded evidence in a ref of the repository: looked up by binding, added to, listed.

A look-up reads the four tree objects on its way, however large the store is. The shape of the tree is left to
`evidence.store_paths`, moving the ref to `evidence.store_moves`, joining two stores to `evidence.store_merge`,
other machines to `evidence.remote`; and whether a signature is good, to others altogether.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from rollback_guard.errors import GitError, UndeterminedError, UsageError
from rollback_guard.evidence.store_moves import Step, advance
from rollback_guard.evidence.store_paths import (
    ABOUT,
    EVIDENCE,
    KINDS,
    LARGEST,
    MOST,
    ONCE,
    SUFFIX,
    TRACKING,
    Sieve,
    differing_folders,
    folder_of,
    is_key,
    root_of,
)
from rollback_guard.git.objects import Blob, ObjectReader, TooLargeError
from rollback_guard.git.refs import list_refs
from rollback_guard.git.repository import read_config
from rollback_guard.git.tree_walk import TREE_LIMIT, Item, read_folder, read_items
from rollback_guard.git.tree_writes import NewFile
from rollback_guard.git.trees import entry_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rollback_guard.git.repository import Repository

    Tell = Callable[[str], object]

FETCHED = os.path.join("rollback-guard", "fetched")  # an empty file: a remote was asked and had nothing


class Entry(NamedTuple):
    """What is to be recorded: an envelope, the key of what it is bound to, and the commit that it speaks of."""

    kind: str  # one of KINDS
    key: str
    head: str
    data: bytes


class Stored(NamedTuple):
    """An envelope as it lies in the store. Its name is the digest of its bytes."""

    name: str  # <sha256>.json
    oid: str
    data: bytes


class Listed(NamedTuple):
    """An envelope with the place where it lies."""

    kind: str
    key: str
    stored: Stored


def evidence_refs(repository: Repository) -> tuple[str, ...]:
    """The refs that hold evidence here: ours, and what was last seen of each remote's.

    Raises: UndeterminedError when one of them names no commit: what was recorded there cannot be read.
    """
    found = []
    for ref in list_refs(repository, EVIDENCE, TRACKING):
        remote = ref.name[len(TRACKING) : -len("/evidence")]
        seen = ref.name == f"{TRACKING}{remote}/evidence" and "/evidence/" not in f"/{remote}/"
        if ref.name != EVIDENCE and not seen:
            continue
        if ref.commit != ref.oid:
            raise UndeterminedError(
                f"{ref.name} is no commit, so what was recorded there cannot be read",
                remedy=f"git update-ref -d {ref.name}   # then: guard evidence fetch",
            )
        found.append(ref.name)
    return tuple(found)


def fetched_at(repository: Repository) -> int | None:
    """When a remote was last asked for evidence and had none, in Unix seconds, 0 for never; None without a remote."""
    if not read_config(repository, r"^remote\..*\.url$"):
        return None
    try:
        return int(os.stat(os.path.join(repository.common_dir, FETCHED)).st_mtime)
    except OSError:
        return 0


def note_fetched(repository: Repository) -> None:
    """Note that a remote was asked, and has no evidence; where nothing can be written, nothing is noted."""
    path = os.path.join(repository.common_dir, FETCHED)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8"):
            os.utime(path)
    except OSError:
        pass


def look_up(
    objects: ObjectReader, refs: Sequence[str], kind: str, key: str, *, tell: Tell | None = None
) -> tuple[Stored, ...]:
    """All evidence of a kind about one binding, over all refs (or commits) together, each envelope once, by name.

    `tell` hears of everything that lies there and is none. Raises: UndeterminedError when a folder has
    MOST entries, is malformed, or something is missing here.
    """
    return _Reading(objects, refs, tell).folder(kind, key)


def look_up_about(
    objects: ObjectReader, refs: Sequence[str], heads: Sequence[str], *, tell: Tell | None = None
) -> tuple[Stored, ...]:
    """All evidence of any kind that speaks of one of these commits (full oids). Otherwise as `look_up`."""
    reading = _Reading(objects, refs, tell)
    found = {one.name: one for head in dict.fromkeys(heads) for one in reading.folder(ABOUT, head)}
    return tuple(found[name] for name in sorted(found))


class _Reading:
    """Folders of the store of some refs; what two of them need is read once."""

    def __init__(self, objects: ObjectReader, refs: Sequence[str], tell: Tell | None = None) -> None:
        self._objects = objects
        self._refs = refs
        self._tell = tell or (lambda reason: None)
        self._sieve = Sieve(objects)
        self._upper: dict[str, dict[str, Item]] = {}

    def folder(self, kind: str, key: str) -> tuple[Stored, ...]:
        """The evidence in one folder, over all refs."""
        if not is_key(kind, key):
            raise ValueError(f"no evidence of the kind {kind!r} lies under {key!r}")
        path, found = folder_of(kind, key), {}
        for oid in dict.fromkeys(self._find(ref, kind, key) for ref in self._refs):
            items = {} if oid is None else read_items(self._tree(oid, path))
            if len(items) >= MOST:  # full: what somebody could not record any more might have been a rejection
                raise too_many(path)
            for item in items.values():
                fault = self._sieve.fault(path, item)
                if fault:
                    self._tell(f"{path}/{item.name}: {fault}")
                else:
                    found[item.name] = Stored(name=item.name, oid=item.oid, data=self._sieve.read(item)[1])
        return tuple(found[name] for name in sorted(found))

    def _find(self, ref: str, kind: str, key: str) -> str | None:
        """The oid of the tree of a folder, found from the root down; None when there is none."""
        at, path = f"{ref}^{{tree}}", ref
        for name in (kind, key[:2]):
            if at not in self._upper:
                self._upper[at] = read_items(self._tree(at, path))
            item = self._upper[at].get(name)
            if item is None or not item.folder:
                return None
            at, path = item.oid, name
        # Among hundreds, in a large store; the name is too long to be found in an object id.
        entry = entry_of(self._tree(at, path), key)
        return entry.oid if entry is not None and entry.kind == "folder" else None

    def _tree(self, name: str, path: str) -> Blob:
        try:
            found = self._objects.read(name, limit=TREE_LIMIT)
        except TooLargeError:
            raise too_many(path) from None
        if found is None:
            raise GitError(f"the evidence in {path} is missing here", remedy="git fsck --connectivity-only")
        return found


def too_many(path: str) -> UndeterminedError:
    """The error for a folder that holds more than anybody reads."""
    return UndeterminedError(
        f"the evidence in {path} has more entries than are read",
        remedy="guard evidence list   # somebody filled the store; an administrator of the server can clean it",
    )


def list_all(repository: Repository, refs: Sequence[str] | None = None, *, kind: str = "") -> Iterator[Listed]:
    """Everything in the store, by kind, binding and name, as it is read; what is no evidence is left out.

    `refs`: else all that `evidence_refs` knows. With `kind`, only that. Raises: GitError when something is missing
    or malformed.
    """
    from heapq import merge

    with ObjectReader(repository.git) as objects:
        sieve = Sieve(objects)
        revs = evidence_refs(repository) if refs is None else refs
        roots = [root_of(objects, rev) for rev in revs]
        if kind:
            items = (read_folder(objects, root).get(kind) for root in roots)
            roots = [item.oid for item in items if item is not None and item.folder]
        before = ("", "")
        walks = (_walk(objects, root, kind) for root in dict.fromkeys(roots))
        for path, item in merge(*walks, key=lambda one: (one[0], one[1].name)):
            found, _, rest = path.partition("/")
            if (path, item.name) == before or found == ABOUT or sieve.fault(path, item):
                continue
            before = (path, item.name)
            stored = Stored(name=item.name, oid=item.oid, data=sieve.read(item)[1])
            yield Listed(kind=found, key=rest.partition("/")[2], stored=stored)


def _walk(objects: ObjectReader, root: str, kind: str) -> Iterator[tuple[str, Item]]:
    for folder in differing_folders(objects, None, root, kind=kind):
        for name in sorted(folder.new):
            yield folder.path, folder.new[name]


def record(repository: Repository, entries: Sequence[Entry], *, message: str = "") -> str:
    """Add envelopes to the store; the commit that has them. What is there already is not written again.

    `message` goes into the commit's subject, for example "sign-off qa approve". Raises: UsageError for an envelope
    that is too large, or when git does not know who works here; RefusedError when nothing can be written here.
    """
    told = message or ", ".join(dict.fromkeys(entry.kind for entry in entries))
    subject = f"evidence: {' '.join(told.split())}\n"
    wanted = tuple(dict.fromkeys(place for entry in entries for place in _places(entry)))

    def decide(objects: ObjectReader, tip: str | None) -> Step | None:
        missing = _missing(objects, tip, wanted)
        if not missing:
            return None
        return Step(parents=() if tip is None else (tip,), files=missing, message=subject)

    return advance(repository, decide) or ""


class _Place(NamedTuple):
    """Where an envelope is to lie."""

    kind: str
    key: str
    name: str
    data: bytes


def _places(entry: Entry) -> tuple[_Place, ...]:
    import hashlib

    if entry.kind not in KINDS or not is_key(entry.kind, entry.key) or not is_key(ABOUT, entry.head):
        raise ValueError(f"no evidence of the kind {entry.kind!r} lies under {entry.key!r}, about {entry.head!r}")
    if len(entry.data) > LARGEST:
        raise UsageError(
            f"the {entry.kind} has {len(entry.data):,} bytes; at most {LARGEST:,} are recorded",
            remedy="say it in fewer words",
        )
    name = hashlib.sha256(entry.data).hexdigest() + SUFFIX
    own = _Place(kind=entry.kind, key=entry.key, name=name, data=entry.data)
    return (own,) if entry.kind in ONCE else (own, own._replace(kind=ABOUT, key=entry.head))


def _missing(objects: ObjectReader, tip: str | None, wanted: Sequence[_Place]) -> tuple[NewFile, ...]:
    """What of it the store does not have. Raises: UndeterminedError where a folder is full."""
    reading = _Reading(objects, () if tip is None else (tip,))
    have: dict[str, set[str]] = {}
    files = []
    for place in wanted:
        path = folder_of(place.kind, place.key)
        if path not in have:
            have[path] = {one.name for one in reading.folder(place.kind, place.key)}
        if place.name not in have[path]:
            have[path].add(place.name)
            files.append(NewFile(path=f"{path}/{place.name}", data=place.data))
    return tuple(files)
