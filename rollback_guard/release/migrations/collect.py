"""The migrations of a repository: what differs between two of its states, read from Git's objects alone.

Nothing is checked out and nothing is run. Only files that some framework's reader claims are read, each object once,
and none where no such file changed. What a difference means is left to `compare`.
"""

from __future__ import annotations

import os
from typing import Optional

from rollback_guard.errors import GitError, UsageError
from rollback_guard.git.listing import (
    SUBMODULE,
    Change,
    Listed,
    changed_between,
    changed_in_index,
    empty_tree,
    list_tree,
)
from rollback_guard.git.objects import ObjectReader, TooLargeError
from rollback_guard.git.process import FETCH_ALL
from rollback_guard.release.migrations.compare import NOT_READ, compare
from rollback_guard.release.migrations.frameworks import READERS, framework_of, is_folder
from rollback_guard.release.migrations.model import Migration, Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rollback_guard.git.repository import Repository
    from rollback_guard.release.migrations.framework import Reader

FILE_LIMIT = 1 << 20  # bytes of one file that is read
TOTAL_LIMIT = 1 << 26  # bytes of all of them


def collect_migrations(repository: Repository, before: str, after: str) -> Report:
    """What differs between two commits, tags or trees: `before` is gone back to, `after` is what runs.

    Raises: UsageError when one of them is not here; GitError when an object is missing or git breaks off.
    """
    with ObjectReader(repository.git) as objects:
        old, new = _tree(objects, before), _tree(objects, after)
    return collect_changed_migrations(repository, old, tuple(changed_between(repository.git, old, new)))


def collect_changed_migrations(repository: Repository, old: str, changes: Sequence[Change]) -> Report:
    """The same for somebody who knows where a tree (its oid) and a later one differ."""
    readers = _concerned(READERS, (change.path for change in changes))
    with ObjectReader(repository.git) as objects:
        report = _report(objects, repository, old, tuple(changes), readers)
    return report._replace(migrations=(*report.migrations, *_closed_folders(changes)))


def collect_staged_migrations(
    repository: Repository, paths: Optional[Sequence[str]] = None, *, production: Callable[[], Sequence[str]] = tuple
) -> Report:
    """What the index would add to the commit that is checked out; in a merge, what none of its parents has.

    `paths`: of the files that are there, only these are asked about (what is deleted always is). `production`: asked
    for full names of branches where that matters; a migration that none of them has did not run in production yet, so
    that it may still be edited or deleted. Without such a branch nothing is known of that.

    Raises: as `collect_migrations`.
    """
    git = repository.git
    with ObjectReader(git) as objects:
        head = objects.read("HEAD^{tree}")
        old = empty_tree(repository) if head is None else head.oid
        changes = tuple(changed_in_index(git, old))
        told = {change.path for change in changes}
        for parent in _merged(repository):
            told &= {change.path for change in changed_in_index(git, _tree(objects, parent))}
        if paths is not None:
            asked = frozenset(paths)
            told = {change.path for change in changes if change.new is None or change.path in asked} & told
        readers = _concerned(READERS, (change.path for change in changes if change.path in told))
        claimed = (change for change in changes if any(reader.claims(change.path) for reader in readers))
        touched = tuple(change.path for change in claimed if change.old is not None)
        unborn = _not_in_production(objects, touched, production()) if touched else frozenset()
        report = _report(objects, repository, old, changes, readers, unborn)
    found = (*report.migrations, *_closed_folders(change for change in changes if change.path not in unborn))
    return report._replace(migrations=tuple(one for one in found if not told.isdisjoint((*one.paths, one.old_path))))


def _tree(objects: ObjectReader, rev: str) -> str:
    tree = objects.read(f"{rev}^{{tree}}")
    if tree is None:
        raise UsageError(f"{rev} is no commit, tag or tree of this repository", remedy="git fetch --tags")
    return tree.oid


def _merged(repository: Repository) -> tuple[str, ...]:
    """The commits that are being merged. Source: gitrepository-layout(5), MERGE_HEAD."""
    try:
        with open(os.path.join(repository.git_dir, "MERGE_HEAD"), encoding="ascii") as file:
            return tuple(file.read().split())
    except (OSError, UnicodeDecodeError):
        return ()


def _not_in_production(objects: ObjectReader, paths: Iterable[str], production: Sequence[str]) -> frozenset[str]:
    """Those of the paths that no production branch has."""
    branches = [one for one in production if objects.read(f"{one}^{{tree}}") is not None]
    return frozenset(
        path for path in paths if branches and not any(_is_there(objects, f"{one}:{path}") for one in branches)
    )


def _is_there(objects: ObjectReader, name: str) -> bool:
    try:
        return "\n" in name or objects.read(name, limit=FILE_LIMIT) is not None  # such a name cannot be asked for
    except TooLargeError:
        return True


def _concerned(readers: Iterable[Reader], paths: Iterable[str]) -> tuple[Reader, ...]:
    """The readers that claim one of the paths, in their order."""
    names = tuple(paths)
    return tuple(reader for reader in readers if any(map(reader.claims, names)))


def _report(
    objects: ObjectReader,
    repository: Repository,
    old: str,
    changes: tuple[Change, ...],
    readers: tuple[Reader, ...],
    unborn: frozenset[str] = frozenset(),
) -> Report:
    """The comparison of a tree and what the changes make of it; `readers` are those that a change concerns.

    A path of `unborn` counts as not having been there before.
    """
    if not readers:
        return Report()
    before = {path: listed for path, listed in list_tree(repository.git, old) if listed.mode != SUBMODULE}
    after = dict(before)
    for change in changes:
        after.pop(change.path, None)
        if change.new is not None and change.new.mode != SUBMODULE:
            after[change.path] = change.new
        if change.path in unborn:
            before.pop(change.path, None)
    readers, claimed = _claimed(readers, frozenset((*before, *after)))
    first = [change.path for change in changes if change.path in claimed]
    files = _Files(objects)
    for path in (*first, *sorted(claimed)):  # what changed is read first, should it all be too much
        for listed in (state[path] for state in (before, after) if path in state):
            files.read(path, listed)
    report = compare(files.of(before, claimed), files.of(after, claimed), readers)
    unread = {path: why for path in first if (why := files.unread(before.get(path), after.get(path)))}
    told = {path for one in report.migrations for path in (*one.paths, one.old_path)}
    more = (_unread(path, path in before, path in after) for path in unread if path not in told)
    notes = (f"{path} {why}" for path, why in unread.items())
    return Report(migrations=(*report.migrations, *more), problems=(*report.problems, *notes))


def _closed_folders(changes: Iterable[Change]) -> Iterator[Migration]:
    """What stands in a folder of migrations' place and is not looked into: a link, a submodule."""
    for change in changes:
        there = change.new or change.old
        if there is None or there.plain or not is_folder(change.path):
            continue
        what = "a submodule" if there.mode == SUBMODULE else "a symbolic link"
        one = _unread(change.path, change.old is not None, change.new is not None)
        yield one._replace(reasons=(f"is {what} in the place of migrations, which is not looked into",))


def _unread(path: str, before: bool, after: bool) -> Migration:
    """A file that changed, was not read, and of which no reader could make anything without."""
    return Migration(
        framework="sql" if is_folder(path) else framework_of(path),
        id=path.rpartition("/")[2],
        path=path,
        paths=(path,),
        state="edited" if before and after else "added" if after else "deleted",
        verdict="irreversible",
        reasons=("was not read",),
    )


def _claimed(readers: tuple[Reader, ...], paths: frozenset[str]) -> tuple[tuple[Reader, ...], frozenset[str]]:
    """The paths that belong to these readers, and with them the readers that may contest one of those."""
    while True:
        claimed = frozenset(path for path in paths if any(reader.claims(path) for reader in readers))
        more = _concerned(READERS, claimed)
        if len(more) == len(readers):
            return readers, claimed
        readers = more


class _Files:
    """Contents by object, each read once, within the limits; and what was not read, in words."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects
        self._known: dict[Listed, bytes] = {}
        self._room = TOTAL_LIMIT
        self._unread: dict[Listed, str] = {}

    def read(self, path: str, listed: Listed) -> None:
        """Have the content of a file ready; of a link, and beyond the limits, what stands for it."""
        if listed in self._known:
            return
        self._known[listed] = NOT_READ + listed.oid.encode()
        if not listed.plain:
            self._unread[listed] = "is a symbolic link, which is not followed"
            return
        try:
            blob = self._objects.read(listed.oid, limit=min(FILE_LIMIT, self._room))
        except TooLargeError as error:
            most, why = (FILE_LIMIT, "at most") if error.size > FILE_LIMIT else (TOTAL_LIMIT, "of all together")
            self._unread[listed] = f"was not read: it has {error.size:,} bytes; {why} {most:,} are read"
            return
        if blob is None:
            raise GitError(f"the content of {path}, {listed.oid}, is missing here", remedy=FETCH_ALL)
        self._known[listed] = blob.data
        self._room -= len(blob.data)

    def unread(self, *states: Optional[Listed]) -> str:
        """Why a file was not read in one of its states; "" where it was."""
        return next((self._unread[one] for one in states if one in self._unread), "")

    def of(self, state: dict[str, Listed], claimed: frozenset[str]) -> dict[str, bytes]:
        """The claimed files of a tree."""
        return {path: self._known[listed] for path, listed in sorted(state.items()) if path in claimed}
