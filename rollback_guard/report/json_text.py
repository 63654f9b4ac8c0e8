"""Verdicts, audits and errors as JSON for programs; the keys are a contract.

Source: design, section 7. Text is given as it is: JSON escapes it, and only what no JSON can carry (a lone
surrogate, that is a byte that is no UTF-8) is made visible. Pure; who writes it where is left to `entry`.
"""

from __future__ import annotations

from rollback_guard.gate.verdict import decide_all
from rollback_guard.report.visible import visible
from rollback_guard.report.wording import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from rollback_guard.errors import GuardError
    from rollback_guard.gate.verdict import ChangeVerdict, Decision, Outcome, PolicyUsed, Verdict
    from rollback_guard.report.terminal import Problem

VERDICT_FORMAT = "rollback-guard/verdict/1"
AUDIT_FORMAT = "rollback-guard/audit/1"
ERROR_FORMAT = "rollback-guard/error/1"


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """A verdict in the form `rollback-guard/verdict/1`."""
    return {
        "format": VERDICT_FORMAT,
        "decision": verdict.decision,
        "as-of": moment(verdict.as_of),
        "changes": [change_document(change) for change in verdict.changes],
    }


def change_document(change: ChangeVerdict) -> dict[str, Any]:
    """One change of a verdict or of an audit."""
    return {
        "decision": change.decision,
        "repository": change.repository,
        "target": change.target,
        "source": change.source,
        "base": change.base,
        "head": change.head,
        "result-tree": change.result_tree,
        "commits": change.commits,
        "coverage": {"complete": not change.missing, "missing": list(change.missing)},
        "policy": _policy(change.policy),
        "outcomes": [_outcome(outcome) for outcome in change.outcomes],
    }


def iter_audit_json(items: Iterable[tuple[str, ChangeVerdict]], *, as_of: int) -> Iterator[str]:
    """An audit, `(commit, its verdict)` each, in the form `rollback-guard/audit/1`, as pieces of one text.

    One commit is held at a time; a newline ends the text. `as_of` is in Unix seconds.
    """
    counts: dict[Decision, int] = {"allow": 0, "deny": 0, "undetermined": 0}

    def documents() -> Iterator[dict[str, Any]]:
        for commit, change in items:
            counts[change.decision] += 1
            yield {"commit": commit, **change_document(change)}

    yield from _iter_list(AUDIT_FORMAT, "commits", documents())
    yield "," + render_json(_closing(counts, as_of))[1:] + "\n"


def iter_list_json(form: str, key: str, items: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A document of that format with one list in it, as pieces of one text; one item is held at a time."""
    yield from _iter_list(form, key, items)
    yield "\n}\n"


def _iter_list(form: str, key: str, items: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The same without what closes the document."""
    yield f'{{\n  "format": "{form}",\n  "{key}": ['
    before = "\n    "
    for item in items:
        # No string of a JSON text holds a bare newline, so indenting the text is safe.
        yield before + render_json(item).replace("\n", "\n    ")
        before = ",\n    "
    yield "]" if before == "\n    " else "\n  ]"


def error_document(error: GuardError, exit_code: int) -> dict[str, Any]:
    """An error in the form `rollback-guard/error/1`."""
    problems: tuple[Problem, ...] = getattr(error, "problems", ())
    return {
        "format": ERROR_FORMAT,
        "error": error.message,
        "remedy": error.remedy,
        "exit-code": exit_code,
        "problems": [
            {
                "file": problem.file,
                "line": problem.line,
                "key": problem.key,
                "message": problem.message,
                "nearest": problem.nearest or None,
            }
            for problem in problems
        ],
    }


def render_json(document: dict[str, Any]) -> str:
    """The text of a document: ASCII only, always valid, and no line that a build log takes for a command."""
    import json

    text = json.dumps(_carried(document), indent=2, ensure_ascii=True, allow_nan=False)
    return text.replace("##", "#\\u0023")  # the same string to a JSON reader, and no `##[command]`


def _carried(value: Any) -> Any:
    """The value with every lone surrogate made visible."""
    if isinstance(value, str):
        return value if value.isascii() else "".join(visible(c) if "\ud800" <= c <= "\udfff" else c for c in value)
    if isinstance(value, dict):
        return {_carried(key): _carried(one) for key, one in value.items()}
    return [_carried(one) for one in value] if isinstance(value, list) else value


def _closing(counts: dict[Decision, int], as_of: int) -> dict[str, Any]:
    worst = decide_all(tuple(decision for decision, count in counts.items() if count))
    return {"decision": worst, "counts": counts, "as-of": moment(as_of)}


def _policy(policy: PolicyUsed) -> dict[str, Any]:
    document: dict[str, Any] = {"commit": policy.commit, "path": policy.path, "digest": policy.digest}
    return {**document, "what-if": True} if policy.what_if else document


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "name": outcome.name,
        "outcome": outcome.answer,
        "findings": [
            {"subject": finding.subject, "message": finding.message, "remedy": finding.remedy}
            for finding in outcome.findings
        ],
        "notes": list(outcome.notes),
    }
