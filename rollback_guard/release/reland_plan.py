"""The digest and the JSON of a plan to bring reverted commits again. Pure: the same plan gives the same bytes."""

from __future__ import annotations

from rollback_guard.release.model import PathConflict, RelandPlan, Result
from rollback_guard.release.only_plan import dependent_document, undo_document
from rollback_guard.release.plan import digest_of, printable, result_document

FORMAT = "rollback-guard/reland-plan/1"


def reland_digest(plan: RelandPlan) -> str:
    """`sha256:` and the hex digest of what decides what is done."""
    return digest_of(
        {
            "format": FORMAT,
            "way": plan.way,
            "branch": plan.branch,
            "tip": plan.tip,
            "target": plan.target,
            "commits": [[one.commit, one.again] for one in plan.undone],
            "source": None if plan.source is None else plan.source.tip,
            "tree": plan.tree,
            "writes": plan.writes,
        }
    )


def reland_document(plan: RelandPlan, result: Result | None) -> dict[str, object]:
    """The plan's JSON; bytes that are no UTF-8 are shown as `\\xff`."""
    source = plan.source
    return {
        "format": FORMAT,
        "way": plan.way,
        "branch": printable(plan.branch),
        "tip": plan.tip,
        "target": printable(plan.target) if plan.writes else None,
        "reverted": [
            {
                "commit": one.commit,
                "subject": printable(one.subject),
                "author": printable(one.author),
                "landing": one.landing,
                "revert": one.revert,
            }
            for one in plan.reverted
        ],
        "reapplies": [{**undo_document(one), "again": one.again} for one in plan.undone],
        "source": None
        if source is None
        else {
            "branch": printable(source.branch),
            "commit": source.tip,
            "newer": source.newer,
            "tree": source.tree,
            "conflicts": [_conflict_document(one) for one in source.conflicts],
        },
        "dependents": [dependent_document(one) for one in plan.dependents],
        "notes": [printable(note) for note in plan.notes],
        "digest": reland_digest(plan),
        "result": None if result is None else result_document(result),
    }


def _conflict_document(one: PathConflict) -> dict[str, object]:
    return {"path": printable(one.path), "kinds": list(one.kinds), "remembered": one.remembered}
