"""A verdict as SARIF 2.1.0, for code scanning and other readers of findings.

One result for each finding: violated is an error, undetermined a warning, waived a suppressed error. Every
location has a file beside the ref, because GitHub refuses a whole upload for one result without: the file that
the finding names, else the policy that asks for what is missing.
Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import re

from rollback_guard import __version__
from rollback_guard.policy.paths import POLICY_PATHS
from rollback_guard.report import wording
from rollback_guard.report.json_text import render_json
from rollback_guard.report.visible import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rollback_guard.gate.rule import Rule
    from rollback_guard.gate.verdict import ChangeVerdict, Finding, Outcome, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_HOME = "https://github.com/rollback-guard/rollback_guard"
_MOST_RESULTS = 25_000  # in one run; GitHub refuses more
_PLACED = ("RG001", "RG002", "RG105")  # rules whose findings may name a file and line, after these words
_NAMED = r"(?:explains|cannot be read|policy any more): (.+?):(\d{1,9})(?=[:; ]|$)"
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")  # RFC 3986, 2.3
_SCHEMES = ("http", "https", "ssh", "git")


def render_sarif(verdict: Verdict) -> str:
    """The verdict as one SARIF run, with every rule of the registry documented in it."""
    from rollback_guard.gate.registry import RULES

    descriptors = [_described(rule) for rule in RULES]
    index = {rule.id: number for number, rule in enumerate(RULES)}
    for outcome in (outcome for change in verdict.changes for outcome in wording.weighty(change)):
        if outcome.rule not in index:
            index[outcome.rule] = len(descriptors)
            descriptors.append({"id": visible(outcome.rule), "name": visible(outcome.name)})
    results = _results(verdict, index)
    driver = {
        "name": "rollback-guard",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": _HOME,
        "rules": descriptors,
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "invocations": [_invocation(verdict, len(results))],
        "columnKind": "unicodeCodePoints",
        "results": results[:_MOST_RESULTS],
        "properties": {"decision": verdict.decision, "what-if": any(c.policy.what_if for c in verdict.changes)},
    }
    provenance = _provenance(verdict)
    if provenance:
        run["versionControlProvenance"] = provenance
    return render_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _described(rule: Rule) -> dict[str, Any]:
    why, example, remedy = (" ".join(text.split()) for text in (rule.why, rule.example, rule.remedy))
    text = f"{why}\n\nExample: {example}\n\nRemedy: {remedy}"
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": why},
        "help": {"text": text, "markdown": text},
        "helpUri": f"{wording.PAGES}/{_uri(rule.id)}.md",
        "defaultConfiguration": {"level": "error"},
    }


def _results(verdict: Verdict, index: dict[str, int]) -> list[dict[str, Any]]:
    results = []
    seen: dict[str, int] = {}
    for change in verdict.changes:
        for outcome in wording.weighty(change):
            for finding in outcome.findings or (_bare(outcome),):
                results.append(_result(change, outcome, finding, index[outcome.rule], seen))
        if change.decision == "deny" and wording.tally(change) == "no rule applied":
            results.append(_unruled(change))
    return results


def _unruled(change: ChangeVerdict) -> dict[str, Any]:
    return {
        "ruleId": "no-rule-applied",
        "level": "error",
        "message": {"text": "no rule applied to a change of a production ref"},
        "locations": [_location(change, *_of_policy(change))],
    }


def _bare(outcome: Outcome) -> Finding:
    from rollback_guard.gate.verdict import Finding

    return Finding(subject="", message=outcome.name)


def _result(
    change: ChangeVerdict, outcome: Outcome, finding: Finding, number: int, seen: dict[str, int]
) -> dict[str, Any]:
    said = wording.said(finding)
    text = f"{said}\nRemedy: {visible(finding.remedy)}" if finding.remedy else said
    result: dict[str, Any] = {
        "ruleId": visible(outcome.rule),
        "ruleIndex": number,
        "level": "warning" if outcome.answer == "undetermined" else "error",
        "message": {"text": _linkless(text) or "no message"},
        "locations": [_location(change, *_place(change, outcome, finding))],
        "partialFingerprints": {"rollbackGuard/v1": _fingerprint(change, outcome, finding, seen)},
    }
    if outcome.answer == "waived":
        suppression = {"kind": "external", "status": "accepted"}
        reason = "\n".join(visible(note) for note in outcome.notes)
        result["suppressions"] = [{**suppression, "justification": reason} if reason else suppression]
    return result


def _linkless(text: str) -> str:
    """A message may hold links as `[text](target)`; escaped, a stranger's brackets are only brackets."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]") if "](" in text else text


def _location(change: ChangeVerdict, path: str, line: int) -> dict[str, Any]:
    name = visible(change.target)
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(path), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": line},
        },
        "logicalLocations": [{"name": wording.branch(change.target), "fullyQualifiedName": name, "kind": "ref"}],
    }


def _place(change: ChangeVerdict, outcome: Outcome, finding: Finding) -> tuple[str, int]:
    """The file and line that the finding names as `path:line`, else the policy's."""
    if outcome.rule in _PLACED:
        named = re.search(_NAMED, finding.message)
        if named and _is_inside(named[1]) and int(named[2]):
            return named[1], int(named[2])
    return _of_policy(change)


def _of_policy(change: ChangeVerdict) -> tuple[str, int]:
    path = change.policy.path or ""
    return (path if _is_inside(path) else POLICY_PATHS[0]), 1


def _is_inside(path: str) -> bool:
    """Whether a path can be one in the repository, relative to its root."""
    return not {"", ".", ".."} & set(path.split("/"))


def _uri(path: str) -> str:
    """A relative URI reference for a path, byte for byte where the path is no UTF-8."""
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        raw = visible(path).encode("utf-8")
    return "".join(chr(byte) if chr(byte) in _UNRESERVED else f"%{byte:02X}" for byte in raw)


def _fingerprint(change: ChangeVerdict, outcome: Outcome, finding: Finding, seen: dict[str, int]) -> str:
    """The same for the same finding in the next run: no message, whose ages and counts change, is part of it."""
    from hashlib import sha256

    parts = (change.repository or "", change.target, outcome.rule, finding.subject)
    key = sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()
    seen[key] = seen.get(key, 0) + 1
    return f"{key}:{seen[key]}"


def _invocation(verdict: Verdict, results: int) -> dict[str, Any]:
    notes = [text for text in (wording.coverage(change) for change in verdict.changes) if text]
    if results > _MOST_RESULTS:
        notes.append(f"{results - _MOST_RESULTS:,} more results are left out")
    invocation: dict[str, Any] = {"executionSuccessful": True, "endTimeUtc": wording.moment(verdict.as_of)}
    if notes:
        notifications = [{"level": "warning", "message": {"text": _linkless(note)}} for note in notes]
        invocation["toolExecutionNotifications"] = notifications
    return invocation


def _provenance(verdict: Verdict) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for change in verdict.changes:
        uri = _repository_uri(change.repository or "")
        if uri is None:
            continue
        details: dict[str, Any] = {"repositoryUri": uri, "mappedTo": {"uriBaseId": "%SRCROOT%"}}
        if change.head:
            details["revisionId"] = visible(change.head)
        if change.source:
            details["branch"] = wording.branch(change.source)
        if details not in found:
            found.append(details)
    return found


def _repository_uri(name: str) -> str | None:
    """`https://github.com/acme/shop` of `github.com/acme/shop`; None for what is no address of a host."""
    scheme, separator, rest = name.partition("://")
    if not separator:
        scheme, rest = "https", name
    host, _, path = rest.partition("/")
    bare, _, port = host.partition(":")
    named = bare.isascii() and bare.replace("-", "").replace(".", "").isalnum() and "." in bare.strip(".-")
    if scheme not in _SCHEMES or not named or not path or (port and not (port.isascii() and port.isdigit())):
        return None
    return f"{scheme}://{host.rstrip(':')}/{_uri(path)}"
