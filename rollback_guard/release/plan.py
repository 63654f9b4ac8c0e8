"""The digest and the JSON of a revert's plan. Pure: the same plan gives the same bytes."""

from __future__ import annotations

from rollback_guard.release.migrations.document import document_of
from rollback_guard.release.model import Plan, Result
from rollback_guard.release.sentences import sentences_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.release.explained import Explained
    from rollback_guard.release.migrations.model import Report

FORMAT = "rollback-guard/revert-plan/1"
SET = "rollback-guard/revert-set/1"


def notes_of(plan: Plan) -> tuple[str, ...]:
    """Everything that a person must know before the plan is carried out."""
    return (*plan.notes, *sentences_of(plan.explained))


def plan_digest(plan: Plan) -> str:
    """`sha256:` and the hex digest of what decides what the revert does: canonical JSON, keys sorted.

    Subjects and authors are implied by the commits, notes are for people, and the reason is only said in
    messages; none of them is in it.
    """
    return digest_of(
        {
            "format": FORMAT,
            "mode": plan.mode,
            "branch": plan.branch,
            "tip": plan.tip,
            "stable": {"tag": plan.stable.tag, "commit": plan.stable.commit, "tree": plan.stable.tree},
            "commits": [revert.commit for revert in plan.reverts],
            "bring": None if plan.bring is None else plan.bring.commit,
            "keep": None if plan.keep is None else plan.keep.tree,
            "target": plan.target,
        }
    )


def set_digest(plans: tuple[Plan, ...]) -> str:
    """The digest of several plans that are carried out as one."""
    return digest_of({"format": SET, "plans": [plan_digest(plan) for plan in plans]})


def digest_of(decisive: dict[str, object]) -> str:
    """`sha256:` and the hex digest of canonical JSON, keys sorted."""
    import hashlib
    import json

    text = json.dumps(decisive, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("ascii")).hexdigest()


def set_document(plans: list[tuple[Plan, Result | None]]) -> dict[str, object]:
    """The JSON of several plans that are carried out as one."""
    return {
        "format": SET,
        "plans": [plan_document(plan, result) for plan, result in plans],
        "digest": set_digest(tuple(plan for plan, _ in plans)),
    }


def plan_document(plan: Plan, result: Result | None) -> dict[str, object]:
    """The plan's JSON. Source of the keys: design, section 7; bytes that are no UTF-8 are shown as `\\xff`."""
    stable = plan.stable
    bring = plan.bring
    return {
        "format": FORMAT,
        "mode": plan.mode,
        "branch": printable(plan.branch),
        "tip": plan.tip,
        "target": printable(plan.target),
        "stable": {
            "tag": printable(stable.tag),
            "commit": stable.commit,
            "tree": stable.tree,
            "ancestor": stable.ancestor,
        },
        "reverts": [
            {
                "commit": revert.commit,
                "mainline": revert.mainline,
                "subject": printable(revert.subject),
                "author": printable(revert.author),
            }
            for revert in plan.reverts
        ],
        "bring": None if bring is None else {"commit": bring.commit, "tree": bring.tree, "onto": bring.onto},
        **migrations_documents(plan.migrations),
        "kept": [] if plan.keep is None else [printable(path) for path in plan.keep.paths],
        **_explained_documents(plan.explained),
        "notes": [printable(note) for note in notes_of(plan)],
        "digest": plan_digest(plan),
        "result": None if result is None else result_document(result),
    }


def migrations_documents(report: Report | None) -> dict[str, object]:
    """What the migrations of a range ask for: the keys of every revert's plan. Null where they were not looked for."""
    if report is None:
        return {"migrations": None, "needs-restore": None, "database": None}
    document = document_of(report)
    return {
        "migrations": [{key: _printable_all(value) for key, value in one.items()} for one in document["migrations"]],
        "needs-restore": report.decision == "restore",
        "database": {
            "decision": report.decision,
            "verdict": report.verdict,
            "problems": _printable_all(document["problems"]),
        },
    }


def _printable_all(value: object) -> object:
    if isinstance(value, list):
        return [_printable_all(one) for one in value]
    return printable(value) if isinstance(value, str) else value


def _explained_documents(explained: Explained) -> dict[str, object]:
    return {
        "cancels": [{"revert": revert, "reverted": reverted} for revert, reverted in explained.cancels],
        "submodules": [
            {"path": printable(one.path), "from": one.old, "to": one.new, "direction": one.direction or None}
            for one in explained.submodules
        ],
        "lfs": {"pointers": explained.pointers, "missing": [printable(path) for path in explained.missing]},
        "collisions": [[printable(one), printable(other)] for one, other in explained.collisions],
    }


def result_document(result: Result) -> dict[str, object]:
    """What was done, read back; `residue` is there where something is in the tree besides the release's."""
    document: dict[str, object] = {
        "ref": printable(result.ref),
        "commit": result.commit,
        "tree": result.tree,
        "tree-equals-stable": result.equals_stable,
    }
    if result.residue:
        document["residue"] = [printable(path) for path in result.residue]
    return document


def printable(text: str) -> str:
    """The text without lone surrogates, which JSON readers refuse."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
