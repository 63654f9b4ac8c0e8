"""What a way back means for the database, in lines: the decision, then each migration, then what is wrong."""

from __future__ import annotations

from rollback_guard.report.visible import visible
from rollback_guard.report.wording import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.release.migrations.model import Migration, Report

SHOWN = 20
DECISIONS = {
    "code-only": "the database stays as it is",
    "down-migration": "the database is migrated down before: run the ways back, newest first, with the code of now",
    "restore": "the database must be restored from a backup: a way back is missing, or loses what was stored",
}


def render_migrations(report: Report | None, since: str) -> list[str]:
    """Nothing where there is no migration."""
    if report is None or not (report.migrations or report.problems):
        return []
    lines = []
    if report.migrations:
        what = counted(len(report.migrations), "migration", "migrations")
        lines.append(f"{what} since {since}: {DECISIONS[report.decision]}")
        width = max(len(one.verdict) for one in report.migrations[:SHOWN])
        lines += [_line(one, width) for one in report.migrations[:SHOWN]]
        if len(report.migrations) > SHOWN:
            lines.append(f"  and {len(report.migrations) - SHOWN:,} more")
    lines += [f"  {visible(problem)}" for problem in report.problems[:SHOWN]]
    return [*lines, ""]


def _line(one: Migration, width: int) -> str:
    state = "" if one.state == "added" else f" ({one.state})"
    reason = f": {visible(one.reasons[0])}" if one.reasons and not one.expands else ""
    return f"  {one.verdict:<{width}}  {visible(one.path)}{state}{reason}"
