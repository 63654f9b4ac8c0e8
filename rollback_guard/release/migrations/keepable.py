"""Which migration files can stay beside a release's code: those whose work stays, if the code can still load them."""

from __future__ import annotations

import re

from rollback_guard.git.listing import Listed, list_tree
from rollback_guard.git.objects import ObjectReader, TooLargeError
from rollback_guard.git.repository import Repository
from rollback_guard.release.migrations.keep import paths_to_keep, why_none_is_kept
from rollback_guard.release.migrations.model import Report
from rollback_guard.release.migrations.own_code import imported_from, missing_for

LIMIT = 1 << 20  # bytes of one file that is read


def kept_paths(repository: Repository, report: Report, stable: str, begun: str) -> tuple[tuple[str, ...], str]:
    """The files of the migrations since `stable` that stay when production goes back there from `begun` (commits).

    All or none of them; and why none, in a clause. Raises: GitError where git breaks off.
    """
    paths = paths_to_keep(report)
    if not paths:
        return (), why_none_is_kept(report)
    if not any(path.endswith(".py") for path in paths):
        return paths, ""
    now, then = (dict(list_tree(repository.git, f"{rev}^{{tree}}")) for rev in (begun, stable))
    together = {**then, **{path: now[path] for path in paths if path in now}}
    with ObjectReader(repository.git) as objects:
        for path in paths:
            if path in now and (lacking := _lacking(objects, path, now, then, together)):
                return (), f"the migration files go too: {path} would not find {lacking}, which the release has not"
    return paths, ""


def _lacking(
    objects: ObjectReader, path: str, now: dict[str, Listed], then: dict[str, Listed], together: dict[str, Listed]
) -> str:
    source = _text(objects, now[path])
    missing = missing_for(path, source, now.keys(), together.keys())
    if missing:
        return missing
    for file, name in imported_from(path, source, now.keys()):
        changed = file in then and then[file] != now[file] and name != "*"
        if changed and re.search(rf"\b{re.escape(name)}\b", _text(objects, then[file])) is None:
            return f"{name} in {file}"
    return ""


def _text(objects: ObjectReader, listed: Listed) -> str:
    """A file's text; "" for what is too large to be read or not here, which then has nothing in it."""
    try:
        blob = objects.read(listed.oid, limit=LIMIT)
    except TooLargeError:
        return ""
    return "" if blob is None else blob.data.decode("utf-8", "replace")
