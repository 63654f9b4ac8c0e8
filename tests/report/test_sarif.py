"""SARIF that its official schema accepts, and that GitHub and other readers can place."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from jsonschema.validators import validator_for

from rollback_guard import __version__
from rollback_guard.facts.model import Change, Hunk, Known, MergeCheck
from rollback_guard.gate.registry import RULES
from rollback_guard.gate.rule import Case
from rollback_guard.gate.rules import rg105_evil_merge
from rollback_guard.gate.verdict import Verdict
from rollback_guard.report import sarif
from rollback_guard.report.sarif import render_sarif
from tests.report.values import (
    AS_OF,
    BASE,
    HEAD,
    HOSTILE,
    IDLE,
    MISSING,
    PLAIN,
    POLICY,
    TREE,
    UNSURE,
    WAIVED,
    change,
    finding,
    hostile_verdicts,
    obeyed,
    outcome,
    steers,
    verdict,
)
from tests.support.requirements import require_sarif_schema

URI_REFERENCE = re.compile(r"(?!/)(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+\Z")


def run(made: Verdict) -> dict[str, Any]:
    """The one run of the log."""
    log = json.loads(render_sarif(made))
    assert log["version"] == "2.1.0"
    (only,) = log["runs"]
    assert isinstance(only, dict)
    return only


def placed(result: dict[str, Any]) -> tuple[str, int]:
    physical = result["locations"][0]["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"]


def test_the_driver_documents_every_rule() -> None:
    driver = run(verdict(change(PLAIN)))["tool"]["driver"]
    assert driver["semanticVersion"] == __version__
    assert [rule["id"] for rule in driver["rules"]] == [rule.id for rule in RULES]
    for rule in driver["rules"]:
        assert rule["helpUri"].endswith(f"/docs/rules/{rule['id']}.md")
        assert re.fullmatch(r"[A-Z][A-Za-z]+", rule["name"])
        assert "Remedy: " in rule["help"]["text"]


def test_one_result_for_each_finding() -> None:
    results = run(verdict(change(PLAIN, WAIVED, UNSURE, MISSING)))["results"]
    shown = [(r["ruleId"], r["level"], r.get("suppressions"), r["message"]["text"]) for r in results]
    waiver = [{"kind": "external", "status": "accepted", "justification": "until tomorrow"}]
    assert shown == [
        ("RG201", "error", None, "uat: has 0 of 1 sign-offs\nRemedy: guard sign uat"),
        ("RG201", "error", None, "qa: has 0 of 1 sign-offs\nRemedy: guard sign uat"),
        ("RG201", "error", None, "review: has 0 of 1 sign-offs"),
        ("RG105", "warning", None, "git is too old to make merges again\nRemedy: git --version"),
        ("RG107", "error", waiver, "bot@acme: is none of the people"),
    ]
    for result in results:
        assert RULES[result["ruleIndex"]].id == result["ruleId"]
        assert placed(result) == ("rollback-guard.toml", 1)
        logical = {"name": "main", "fullyQualifiedName": "refs/heads/main", "kind": "ref"}
        assert result["locations"][0]["logicalLocations"] == [logical]


def test_a_waiver_without_notes_and_an_outcome_without_findings() -> None:
    results = run(verdict(change(outcome("RG107", "unknown-identity", "waived"))))["results"]
    assert results[0]["suppressions"] == [{"kind": "external", "status": "accepted"}]
    assert results[0]["message"]["text"] == "unknown-identity"


def test_a_rule_that_the_registry_does_not_know_is_listed() -> None:
    made = run(verdict(change(outcome("RG999", "novel", "violated", finding()))))
    assert made["tool"]["driver"]["rules"][made["results"][0]["ruleIndex"]] == {"id": "RG999", "name": "novel"}


def test_a_denial_without_a_rule_is_a_result() -> None:
    assert run(verdict(change(IDLE)))["results"][0]["ruleId"] == "no-rule-applied"


def test_an_evil_merge_points_at_its_hunk() -> None:
    merge = MergeCheck(
        commit=HEAD, subject="Merge x", kind="unexplained", hunks=(Hunk(path="src/a b/é.py", line=12, added=("x",)),)
    )
    known = Known(TREE)
    proposal = Change(
        stage="range",
        repository=Known("github.com/acme/shop"),
        target="refs/heads/main",
        production=True,
        base=Known(BASE),
        head=HEAD,
        head_tree=known,
        result_tree=known,
        merges=Known((merge,)),
    )
    judged = rg105_evil_merge.evaluate(Case(policy=None, change=proposal, as_of=AS_OF))
    assert placed(run(verdict(change(judged)))["results"][0]) == ("src/a%20b/%C3%A9.py", 12)


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ("cannot be read: caf\udce9.toml:3: x", ("caf%E9.toml", 3)),
        ("cannot be read: \ud800.toml:3", ("%5Cud800.toml", 3)),
        ("cannot be read: a:b.toml:3; x", ("a%3Ab.toml", 3)),
        ("cannot be read: /etc/passwd:3", ("rollback-guard.toml", 1)),
        ("cannot be read: ../x:3", ("rollback-guard.toml", 1)),
        ("cannot be read: x:0", ("rollback-guard.toml", 1)),
        ("cannot be read: x:99999999999999999999", ("rollback-guard.toml", 1)),
        ("nothing named", ("rollback-guard.toml", 1)),
    ],
)
def test_a_policy_problem_points_at_its_line(message: str, place: tuple[str, int]) -> None:
    results = run(verdict(change(outcome("RG001", "policy-missing", "violated", finding("main", message)))))["results"]
    assert placed(results[0]) == place


@pytest.mark.parametrize("path", [None, "/home/jane/new.toml", "../new.toml"])
def test_a_policy_from_elsewhere_is_no_place_in_the_repository(path: str | None) -> None:
    made = change(MISSING, policy=POLICY._replace(path=path))
    assert placed(run(verdict(made))["results"][0]) == ("rollback-guard.toml", 1)


def test_fingerprints_are_stable_and_tell_findings_apart() -> None:
    twice = outcome("RG201", "x", "violated", finding("qa", "3 hours old"), finding("qa", "other"), finding("uat", "m"))
    later = twice._replace(findings=(finding("qa", "4 hours old"), *twice.findings[1:]))
    prints = [r["partialFingerprints"]["rollbackGuard/v1"] for r in run(verdict(change(twice)))["results"]]
    assert len(set(prints)) == 3
    assert prints == [r["partialFingerprints"]["rollbackGuard/v1"] for r in run(verdict(change(later)))["results"]]
    other = run(verdict(change(twice, target="refs/heads/other")))["results"]
    assert prints[0] != other[0]["partialFingerprints"]["rollbackGuard/v1"]


def test_a_strangers_brackets_are_no_link() -> None:
    made = run(verdict(change(outcome("RG101", "x", "violated", finding("[a\\](http://evil.example)", "m", "")))))
    assert made["results"][0]["message"]["text"] == r"\[a\\\](http://evil.example): m"


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("github.com/acme/shop", "https://github.com/acme/shop"),
        ("ssh://git.acme.example:22/shop é.git", "ssh://git.acme.example:22/shop%20%C3%A9.git"),
        ("git.acme.example/a?b#c", "https://git.acme.example/a%3Fb%23c"),
        ("github.com", None),
        ("/srv/git/shop.git", None),
        ("../shop", None),
        ("file:///srv/shop", None),
        ("javascript://x.y/z", None),
        ("user@github.com/acme", None),
        ("host.example:x/y", None),
        ("", None),
        (None, None),
    ],
)
def test_only_an_address_is_a_repository_uri(name: str | None, uri: str | None) -> None:
    provenance = run(verdict(change(PLAIN, repository=name))).get("versionControlProvenance")
    branch = {"revisionId": HEAD, "branch": "release/1.4"}
    assert provenance == (uri and [{"repositoryUri": uri, "mappedTo": {"uriBaseId": "%SRCROOT%"}, **branch}])


def test_provenance_lists_each_revision_once() -> None:
    made = verdict(change(PLAIN), change(PLAIN), change(PLAIN, head=None, source=None))
    assert len(run(made)["versionControlProvenance"]) == 2


def test_what_is_not_covered_or_left_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "_MOST_RESULTS", 2)
    made = run(verdict(change(MISSING, missing=("deletions",))))
    assert len(made["results"]) == 2
    assert [note["message"]["text"] for note in made["invocations"][0]["toolExecutionNotifications"]] == [
        "coverage: partial, not seen: deletions",
        "1 more results are left out",
    ]
    assert made["invocations"][0]["endTimeUtc"] == "2026-11-22T20:00:00Z"
    assert made["properties"] == {"decision": "deny", "what-if": False}


@given(hostile_verdicts)
@HOSTILE
def test_every_log_can_be_placed_and_obeys_nobody(made: Verdict) -> None:
    text = render_sarif(made)
    assert obeyed(text) == []
    only = run(made)
    for result in only["results"]:
        uri, line = placed(result)
        assert URI_REFERENCE.match(uri)
        assert not {"..", "."} & set(uri.split("/"))
        assert 0 < line < 2**31
        assert result["message"]["text"]
        assert steers(result["message"]["text"]) == []


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads(require_sarif_schema().read_text(encoding="utf-8"))


@given(made=hostile_verdicts)
@HOSTILE
def test_the_official_schema_accepts_every_log(schema: Any, made: Verdict) -> None:
    validator = validator_for(schema)
    errors = validator(schema, format_checker=validator.FORMAT_CHECKER).iter_errors(json.loads(render_sarif(made)))
    assert [error.message for error in errors] == []


def test_the_official_schema_refuses_what_is_wrong(schema: Any) -> None:
    log = json.loads(render_sarif(verdict(change(MISSING))))
    log["runs"][0]["results"][0]["level"] = "dreadful"
    assert not validator_for(schema)(schema).is_valid(log)
