"""Which migration files stay when the code goes back: those whose work stays in the database.

A framework that finds a migration in the database's own list and not among the files stops, or forgets that it ran.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.release.migrations.model import Report


def paths_to_keep(report: Report) -> tuple[str, ...]:
    """The files of the migrations that came since, sorted; () where the database does not stay as it is."""
    if report.decision != "code-only":
        return ()
    return tuple(sorted({path for one in report.migrations if one.state == "added" for path in one.paths}))


def why_none_is_kept(report: Report) -> str:
    """Why migration files go with the code, where there are any; "" where they stay."""
    if report.decision == "down-migration":
        return "the migration files go too, since the database is migrated down first, with the code that is there now"
    if report.decision == "restore":
        return "the migration files go too, since the database is restored to before them"
    return ""
