"""A report as a document for programs; the keys are a contract. Writing it as text is left to `report.json_text`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rollback_guard.release.migrations.model import Migration, Report

FORMAT = "rollback-guard/migrations/1"


def document_of(report: Report) -> dict[str, Any]:
    """A report in the form `rollback-guard/migrations/1`; the verdict is null where no migration differs."""
    return {
        "format": FORMAT,
        "decision": report.decision,
        "verdict": report.verdict,
        "migrations": [_migration(one) for one in report.migrations],
        "problems": list(report.problems),
    }


def _migration(migration: Migration) -> dict[str, Any]:
    return {
        "framework": migration.framework,
        "id": migration.id,
        "path": migration.path,
        "paths": list(migration.paths),
        "state": migration.state,
        "verdict": migration.verdict,
        "reasons": list(migration.reasons),
        "down": migration.down,
        "old-path": migration.old_path or None,
    }
