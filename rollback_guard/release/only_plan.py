"""The digest and the JSON of a plan to undo some commits alone. Pure: the same plan gives the same bytes."""

from __future__ import annotations

from rollback_guard.release.model import Dependent, OnlyPlan, Result, Undo
from rollback_guard.release.plan import FORMAT, digest_of, migrations_documents, printable, result_document


def only_digest(plan: OnlyPlan) -> str:
    """`sha256:` and the hex digest of what decides what is done."""
    return digest_of(
        {
            "format": FORMAT,
            "mode": "only",
            "branch": plan.branch,
            "tip": plan.tip,
            "commits": [one.commit for one in plan.undone],
            "tree": plan.tree,
            "target": plan.target,
        }
    )


def only_document(plan: OnlyPlan, result: Result | None) -> dict[str, object]:
    """The plan's JSON: the keys of every revert, with the conflicts of each commit and who built on what is there."""
    return {
        "format": FORMAT,
        "mode": "only",
        "branch": printable(plan.branch),
        "tip": plan.tip,
        "target": printable(plan.target),
        "stable": None,
        "reverts": [undo_document(one) for one in plan.undone],
        "dependents": [dependent_document(one) for one in plan.dependents],
        "closed-set": list(plan.closed),
        **migrations_documents(plan.migrations),
        "notes": [printable(note) for note in plan.notes],
        "digest": only_digest(plan),
        "result": None if result is None else result_document(result),
    }


def undo_document(one: Undo) -> dict[str, object]:
    """One commit that is undone, and what is in conflict."""
    return {
        "commit": one.commit,
        "mainline": one.mainline,
        "subject": printable(one.subject),
        "author": printable(one.author),
        "tree": one.tree,
        "empty": one.empty,
        "conflicts": [
            {"path": printable(path.path), "kinds": list(path.kinds), "remembered": path.remembered}
            for path in one.conflicts
        ],
    }


def dependent_document(one: Dependent) -> dict[str, object]:
    """A later commit that touches what is in conflict."""
    return {
        "commit": one.commit,
        "subject": printable(one.subject),
        "author": printable(one.author),
        "paths": [printable(path) for path in one.paths],
    }
