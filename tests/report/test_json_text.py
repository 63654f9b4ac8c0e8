"""The JSON is exactly the contract, and always JSON."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.errors import PolicyError, UsageError
from rollback_guard.gate.verdict import ChangeVerdict, Verdict
from rollback_guard.policy.problems import Problem
from rollback_guard.report.json_text import (
    change_document,
    error_document,
    iter_audit_json,
    render_json,
    verdict_document,
)
from tests.report.values import (
    AS_OF,
    BASE,
    COMMIT,
    DIRECT,
    HEAD,
    HOLDS,
    HOSTILE,
    POLICY,
    TREE,
    UNSURE,
    change,
    finding,
    hostile_changes,
    hostile_verdicts,
    obeyed,
    outcome,
    verdict,
)

DOCUMENT = {
    "format": "rollback-guard/verdict/1",
    "decision": "deny",
    "as-of": "2026-11-22T20:00:00Z",
    "changes": [
        {
            "decision": "deny",
            "repository": "github.com/acme/shop",
            "target": "refs/heads/main",
            "source": "refs/heads/release/1.4",
            "base": BASE,
            "head": HEAD,
            "result-tree": TREE,
            "commits": 12,
            "coverage": {"complete": False, "missing": ["deletions"]},
            "policy": {"commit": COMMIT, "path": "rollback-guard.toml", "digest": "sha256:" + "0" * 64},
            "outcomes": [
                {
                    "rule": "RG201",
                    "name": "sign-off-missing",
                    "outcome": "violated",
                    "findings": [{"subject": "uat", "message": "m", "remedy": "guard sign uat"}],
                    "notes": [],
                },
                {
                    "rule": "RG102",
                    "name": "unapproved-route",
                    "outcome": "satisfied",
                    "findings": [],
                    "notes": ["over release/*"],
                },
            ],
        }
    ],
}


def strict(text: str) -> Any:
    """The value of a JSON text, refusing what only Python takes for JSON."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    assert text.isascii()
    assert obeyed(text) == []
    return json.loads(text, parse_constant=refuse)


def test_a_verdict_is_the_contract() -> None:
    missing = outcome("RG201", "sign-off-missing", "violated", finding("uat", "m"))
    made = verdict(change(missing, HOLDS, missing=("deletions",)))
    assert verdict_document(made) == DOCUMENT
    assert json.loads(render_json(verdict_document(made))) == DOCUMENT


def test_another_policy_says_so() -> None:
    document = verdict_document(verdict(change(HOLDS, policy=POLICY._replace(what_if=True, commit=None))))
    assert document["changes"][0]["policy"] == {
        "commit": None,
        "path": "rollback-guard.toml",
        "digest": POLICY.digest,
        "what-if": True,
    }
    assert document["changes"][0]["coverage"] == {"complete": True, "missing": []}


def test_text_is_given_as_it_is_where_json_can_carry_it() -> None:
    text = 'é 語 \x1b[31m\n::error::x "q" \\ ##[add-mask]x \u2028'
    assert strict(render_json({"a": text, "b": [text], "ü": None, "n": 1})) == {
        "a": text,
        "b": [text],
        "ü": None,
        "n": 1,
    }
    assert strict(render_json({"a": "caf\udce9 \ud800 é"})) == {"a": "caf\\xe9 \\ud800 é"}


@given(hostile_verdicts)
@HOSTILE
def test_a_verdict_is_always_json(made: Verdict) -> None:
    document = strict(render_json(verdict_document(made)))
    assert document["decision"] == made.decision
    assert [len(one["outcomes"]) for one in document["changes"]] == [len(one.outcomes) for one in made.changes]
    json.dumps(document, ensure_ascii=False).encode("utf-8")


@given(st.lists(st.tuples(st.sampled_from((BASE, HEAD)), hostile_changes), max_size=3))
@HOSTILE
def test_an_audit_in_pieces_is_the_audit(items: list[tuple[str, ChangeVerdict]]) -> None:
    text = "".join(iter_audit_json(iter(items), as_of=AS_OF))
    document = strict(text)
    whole = [{"commit": commit, **change_document(one)} for commit, one in items]
    assert document["commits"] == json.loads(render_json({"all": whole}))["all"]
    assert text == render_json(document) + "\n"


def audited(items: list[tuple[str, ChangeVerdict]]) -> Any:
    """The document of an audit."""
    return strict("".join(iter_audit_json(items, as_of=AS_OF)))


def test_an_audit_counts_and_decides() -> None:
    items = [(BASE, change(HOLDS)), (HEAD, change(UNSURE)), (COMMIT, change(DIRECT)), (TREE, change(HOLDS))]
    document = audited(items)
    assert list(document) == ["format", "commits", "decision", "counts", "as-of"]
    assert document["format"] == "rollback-guard/audit/1"
    assert document["counts"] == {"allow": 2, "deny": 1, "undetermined": 1}
    assert document["decision"] == "deny"
    assert list(document["commits"][0])[:2] == ["commit", "decision"]
    assert audited([]) == {
        "format": "rollback-guard/audit/1",
        "commits": [],
        "decision": "allow",
        "counts": {"allow": 0, "deny": 0, "undetermined": 0},
        "as-of": "2026-11-22T20:00:00Z",
    }


def test_an_audit_holds_one_commit_at_a_time() -> None:
    taken: list[int] = []

    def items() -> Any:
        for number in range(3):
            taken.append(number)
            yield BASE, change(HOLDS)

    pieces = iter_audit_json(items(), as_of=AS_OF)
    next(pieces)
    assert taken == []
    next(pieces)
    assert taken == [0]


def test_an_error_document() -> None:
    problem = Problem(file="rollback-guard.toml", line=3, key="version", message="must be 1", nearest="")
    error = PolicyError("the policy is invalid", remedy="guard policy check", problems=(problem,))
    assert error_document(error, 2) == {
        "format": "rollback-guard/error/1",
        "error": "the policy is invalid",
        "remedy": "guard policy check",
        "exit-code": 2,
        "problems": [
            {"file": "rollback-guard.toml", "line": 3, "key": "version", "message": "must be 1", "nearest": None}
        ],
    }
    assert error_document(UsageError("no"), 2)["problems"] == []
