"""Judges a move of the evidence ref on a server: it only ever grows, and only by what is evidence.

Reading what an envelope says is left to whoever is given as `readable`; whether its signature is good, to the
gate, when it is asked about a change.
"""

from __future__ import annotations

from rollback_guard.errors import GuardError
from rollback_guard.evidence.store_paths import EVIDENCE, LARGEST, MOST, Folder, Sieve, differing_folders, root_of
from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import decode
from rollback_guard.git.refs import is_ancestor
from rollback_guard.git.repository import Repository
from rollback_guard.git.streams import split_stream
from rollback_guard.git.tree_walk import TREE_LIMIT, read_folder, read_items
from rollback_guard.policy.paths import OURS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Readable = Callable[[str, bytes], str]

ADDITIONS = 10_000  # envelopes that one push may bring
OBJECTS = 20  # that one envelope may need, when each was recorded by a commit of its own
# Bytes of one object, in the history too: of an envelope, a folder, a commit with its message.
_MOST = {b"blob": LARGEST, b"tree": 1 << 22, b"commit": 1 << 12}
TOLD = 10  # reasons that are given


def judge_ref(ref: str) -> str:
    """Why a ref may not be pushed to a server: "" unless it lies beside the evidence ref, where others would fetch it.

    The evidence ref itself is judged by `judge_move`.
    """
    if ref == EVIDENCE or not (ref + "/").startswith(OURS):
        return ""
    return f"{ref}: below {OURS} only {EVIDENCE} is kept on a server"


def judge_move(repository: Repository, old: str | None, new: str | None, readable: Readable) -> tuple[str, ...]:
    """Why the evidence ref may not move from one oid to another (None: there is none); () when it may.

    `readable` takes a folder and an envelope's bytes, and says why that cannot lie there, or "". At most TOLD reasons.
    """
    if new is None:
        return ("evidence is never deleted",)
    try:
        with ObjectReader(repository.git) as objects:
            reason = _shape(repository, objects, old, new)
            if reason:
                return (reason,)
            reasons = []
            for reason in _reasons(repository, objects, old, new, readable):
                reasons.append(reason)
                if len(reasons) == TOLD:
                    break
            return tuple(reasons)
    except GuardError as error:
        return (f"it cannot be read: {error.message}",)


def _shape(repository: Repository, objects: ObjectReader, old: str | None, new: str) -> str:
    commit = objects.read(new)
    if commit is None or commit.type != "commit":
        return "it would be no commit"
    was = None if old is None else objects.read(old)
    if was is not None and was.type == "commit" and not is_ancestor(repository, was.oid, new):
        return f"it only moves forward: {new[:12]} does not hold {was.oid[:12]} (guard evidence fetch, then push again)"
    return ""


def _reasons(
    repository: Repository, objects: ObjectReader, old: str | None, new: str, readable: Readable
) -> Iterator[str]:
    yield from _bulk(repository, objects, new)
    sieve = Sieve(objects)
    before = None if old is None else _root(objects, old)
    names: set[str] = set()  # of envelopes: each lies in two folders
    for folder in differing_folders(objects, before, root_of(objects, new)):
        yield from _losses(sieve, folder)
        yield from _additions(sieve, folder, readable, names)
        if len(names) > ADDITIONS:
            yield f"more than {ADDITIONS:,} envelopes in one push"
            return


def _root(objects: ObjectReader, old: str) -> str | None:
    """The tree that was there; None where the ref named something that is no store, from before the gate stood here."""
    was = objects.read(old)
    return None if was is not None and was.type == "blob" else root_of(objects, old)


def _bulk(repository: Repository, objects: ObjectReader, new: str) -> Iterator[str]:
    """What would be stored although the tip's tree does not show it: history is kept as well."""
    brought = dict(_new_objects(repository, new))
    if len(brought) > ADDITIONS * OBJECTS:
        yield f"it brings more than {ADDITIONS * OBJECTS:,} objects in one push"
        return
    shown = frozenset(oid for oid, _ in _new_objects(repository, f"{new}^{{tree}}"))
    stdin = b"".join(oid + b"\n" for oid in brought)
    layout = "--batch-check=%(objecttype) %(objectsize) %(objectname)"
    for lines in split_stream(repository.git.chunks("cat-file", layout, stdin=stdin), b"\n"):
        for line in lines:
            kind, size, oid = (*line.split(b" "), b"", b"")[:3]
            short, most = decode(oid[:12]), _MOST.get(kind, 0)
            if not size.isdigit() or int(size) > most:  # what is no object has no size
                yield f"its history holds {short}, a {decode(kind)} of more than {most:,} bytes"
                return
            hidden = kind != b"commit" and oid not in shown
            if hidden and not (kind == b"tree" and _is_part(objects, decode(oid), f"{new}:{decode(brought[oid])}")):
                yield f"its history holds {short}, which is nowhere in what would be there now"
                return


def _is_part(objects: ObjectReader, oid: str, now: str) -> bool:
    """Whether a folder of the history has only names that are in the same place now: evidence only grows."""
    there = objects.read(now, limit=TREE_LIMIT) if "\n" not in now else None
    return there is not None and read_folder(objects, oid).keys() <= read_items(there).keys()


def _new_objects(repository: Repository, rev: str) -> Iterator[tuple[bytes, bytes]]:
    """The oids that a revision brings, each with its path there; a few more than may come at most."""
    count = 0
    for lines in split_stream(repository.git.chunks("rev-list", "--objects", rev, "--not", "--all"), b"\n"):
        for line in lines:
            oid, _, path = line.partition(b" ")
            yield oid, path
        count += len(lines)
        if count > ADDITIONS * OBJECTS:
            return


def _losses(sieve: Sieve, folder: Folder) -> Iterator[str]:
    for name, item in folder.old.items():
        if folder.new.get(name) != item and not sieve.fault(folder.path, item):
            how = "altered" if name in folder.new else "removed"
            yield f"{folder.path}/{name} would be {how}; evidence only grows"


def _additions(sieve: Sieve, folder: Folder, readable: Readable, names: set[str]) -> Iterator[str]:
    added = [item for name, item in folder.new.items() if folder.old.get(name) != item]
    if added and len(folder.new) > MOST:
        yield f"{folder.path} would have more than {MOST:,} entries"
        return
    for item in added:
        names.add(item.name)
        reason = sieve.fault(folder.path, item) or readable(folder.path, sieve.read(item)[1])
        if reason:
            yield f"{folder.path}/{item.name}: {reason}"
