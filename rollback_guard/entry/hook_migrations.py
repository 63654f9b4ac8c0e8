"""The hook of staged migrations: tells whoever commits one that it has no way back, before it can be deployed.

It needs no policy, and no branch is told from another, but that what production does not have yet may be edited.
It ends after two git processes where no migration is staged.
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from rollback_guard.errors import UsageError
from rollback_guard.git.objects import ObjectReader, TooLargeError
from rollback_guard.git.process import decode
from rollback_guard.git.repository import Repository, open_repository
from rollback_guard.policy.paths import DEFAULT_BRANCHES, HEADS, REMOTE
from rollback_guard.release.migrations.acknowledge import acknowledged, remedies_for
from rollback_guard.release.migrations.collect import FILE_LIMIT, collect_staged_migrations
from rollback_guard.release.migrations.model import Migration, Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ONLY = "--only"  # of the files that are there, those alone that follow: what pre-commit's `files` and `exclude` leave


class Staged(NamedTuple):
    """The migrations that are staged, and the reasons that files give for having no way back: path, reason."""

    report: Report
    reasons: tuple[tuple[str, str], ...] = ()

    @property
    def refused(self) -> tuple[Migration, ...]:
        """Those without a way back that say nothing about it."""
        said = {path for path, _ in self.reasons}
        found = (one for one in self.report.migrations if one.verdict == "irreversible")
        return tuple(one for one in found if one.state == "deleted" or said.isdisjoint(one.paths))

    @property
    def exit_code(self) -> int:
        return 1 if self.refused else 0


def decide_migrations(rest: list[str], environ: Mapping[str, str]) -> int:
    """`guard-hook migrations [--only] [FILE...]`: may the staged migrations be committed as they are?"""
    from rollback_guard.entry.wiring import plain_letters, say
    from rollback_guard.report.migrations_text import render_staged

    staged = read_staged(rest, environ)
    text = render_staged(
        tuple((one, remedies_for(one)) for one in staged.refused),
        tuple(one for one in staged.report.migrations if one.verdict == "lossy-down"),
        staged.report.problems,
        ascii_only=plain_letters(sys.stderr),
    )
    if text:
        try:
            say(text, err=True)
        except (AttributeError, OSError, ValueError, UsageError):
            pass  # stderr is closed, or a full disk: the exit code says it
    return staged.exit_code


def staged_document(staged: Staged) -> dict[str, Any]:
    """The same as a document: a report of migrations, with what their files say."""
    from rollback_guard.release.migrations.document import document_of

    said = [{"path": path, "reason": reason} for path, reason in staged.reasons]
    return {**document_of(staged.report), "acknowledged": said}


def read_staged(rest: list[str], environ: Mapping[str, str]) -> Staged:
    """The staged migrations that are asked about: all, or of those that are there only the named ones.

    Raises: UsageError in a bare repository; GitError when git breaks off.
    """
    repository = open_repository(os.getcwd(), environ, hook=True)
    if repository.work_tree is None:
        raise UsageError("nothing is staged in a bare repository", remedy="guard hook migrations   # in a clone of it")
    paths = None
    if rest:
        paths = tuple(_below(repository.work_tree, name) for name in rest if name != ONLY)
    report = collect_staged_migrations(repository, paths, production=lambda: _production(repository))
    irreversible = (one for one in report.migrations if one.verdict == "irreversible" and one.state != "deleted")
    return Staged(report=report, reasons=_reasons(repository, tuple(p for one in irreversible for p in one.paths)))


def _below(top: str, name: str) -> str:
    """A file's path from the repository's top, as git spells it."""
    path = os.path.relpath(os.path.realpath(os.path.dirname(name) or "."), os.path.realpath(top))
    folder = "" if path == "." else path.replace(os.sep, "/") + "/"
    return decode(os.fsencode(folder + os.path.basename(name)))


def _production(repository: Repository) -> tuple[str, ...]:
    """Full names of the production branches: as the policies say, else those that would be it."""
    from rollback_guard.facts.policy_source import literal_branches, policies_for

    with ObjectReader(repository.git) as objects:
        found = [one.policy for one in policies_for(objects, "HEAD", *DEFAULT_BRANCHES) if one.policy is not None]
    names = dict.fromkeys(name for policy in found for name in literal_branches(policy))
    if found:
        return tuple(prefix + name for name in names for prefix in (HEADS, REMOTE))
    return DEFAULT_BRANCHES


def _reasons(repository: Repository, paths: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """What the staged files themselves say."""
    found: list[tuple[str, str]] = []
    with ObjectReader(repository.git) as objects:
        for path in dict.fromkeys(paths):
            try:
                blob = objects.read(f":0:{path}", limit=FILE_LIMIT)
            except TooLargeError:
                continue
            reason = acknowledged(path, blob.data) if blob is not None else ""
            if reason:
                found.append((path, reason))
    return tuple(found)
