"""A policy as it is understood, and the pages that describe its keys."""

from __future__ import annotations

import re

import pytest

from rollback_guard.gate import scenario_model
from rollback_guard.gate.scenario import SCENARIO_KINDS
from rollback_guard.policy.kinds import KINDS
from rollback_guard.policy.model import Policy
from rollback_guard.policy.problems import Problem
from rollback_guard.policy.read import read_policy
from rollback_guard.policy.schema import render_schema
from rollback_guard.report.policy_page import KIND_WORDS, render_policy_page, render_scenario_page
from rollback_guard.report.policy_text import (
    Shown,
    check_document,
    in_words,
    patterns_of,
    problem_line,
    render_policy_text,
    show_document,
)
from tests.policy.test_read import KEY, LEAST, OTHER_KEY, WHOLE
from tests.support.architecture import ROOT


def read(text: str) -> Policy:
    policy = read_policy(text.encode(), path="rollback-guard.toml")
    assert policy is not None
    return policy


def matches(policy: Policy) -> dict[str, tuple[str, ...]]:
    found = {"main": ("main", "origin/main"), "release/*": tuple(f"release/{number}" for number in range(10))}
    return {pattern: found.get(pattern, ()) for pattern in patterns_of(policy)}


def test_a_policy_in_words() -> None:
    policy = read(WHOLE.replace(f'keys = ["{KEY} jane"]', f'keys = ["{KEY}", "{OTHER_KEY}"]'))
    text = render_policy_text(Shown(policy, "rollback-guard.toml", "0123abc", matches(policy)))
    lines = text.split("\n")
    assert lines[0] == "rollback-guard.toml at 0123abc: version 1, valid"
    for line in (
        "  main  matches main, origin/main",
        "  repositories: github.com/acme/shop",
        "    from release/*  matches " + ", ".join(f"release/{n}" for n in range(8)) + " and 2 more",
        "    from hotfix/*  !! matches no branch that is here",
        "  jane: Jane Doe <jane@acme.example>, GitHub jane#1234567, 2 keys",
        "  @developers: jane, omar",
        "  review: 1 of jane, omar; as Reviewed-by; proof signature, bound to result, at most 14 days old",
        "  shop-db: postgresql from $SHOP_DATABASE_URL; proven compared, at most 1 hour old; attested by 1 of jane",
        "  2 of jane, omar; good for 1 day at most",
        "  stable releases: tags stable/{date}.{number}, by jane",
        "  redeploy: ./deploy.sh {commit}",
        "  smoke test login: https://shop.acme.example/login answers 200 and contains Sign in, within 30 seconds",
        "  smoke test checkout: run ./smoke/checkout.sh, within 30 seconds",
        "  tell stakeholders: rollback-started, rollback-failed",
    ):
        assert line in lines, line


def test_the_least_policy_says_what_it_leaves_open() -> None:
    text = render_policy_text(Shown(read(LEAST + "[release]\nsigned = true\n[[smoke]]\nname='a'\nurl='x'\n"), "x"))
    for line in (
        "  main",
        "  repositories: any (none is listed)",
        "  none: nothing may come into production",
        "  none are asked for",
        "  nobody may grant one",
        "  stable releases: signed tags stable/{date}.{number}, by everybody among the people",
        "  redeploy: nothing is run",
        "  smoke test a: x, within 30 seconds",
    ):
        assert line in text.split("\n"), line


def test_a_source_that_may_hold_a_password_is_not_shown() -> None:
    policy = read(WHOLE.replace("$SHOP_DATABASE_URL", "postgresql://shop:hunter2@db"))
    assert "hunter2" not in render_policy_text(Shown(policy, "x"))


def test_names_from_the_file_cannot_steer_a_terminal_or_a_build_log() -> None:
    policy = read(WHOLE.replace("Jane Doe", "Jane \u202e##[error]Doe").replace('"./deploy.sh"', '"a\\u001b[31m"'))
    text = render_policy_text(Shown(policy, "::error::x"))
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "##[error]" not in text
    assert not text.startswith("::")


def test_a_policy_for_programs() -> None:
    policy = read(WHOLE)
    document = show_document(Shown(policy, "rollback-guard.toml", None, matches(policy)))
    assert document["format"] == "rollback-guard/policy/1"
    assert document["production"]["branches"] == [{"pattern": "main", "matches": ["main", "origin/main"]}]
    assert document["route"][0]["from"][1] == {"pattern": "hotfix/*", "matches": []}
    assert document["teams"] == {"developers": ["jane", "omar"], "release": ["jane"]}
    assert document["sign-off"][0]["people"] == ["jane", "omar"]
    assert document["sign-off"][0]["max-age"] == 1209600
    assert document["waiver"]["people"] == ["jane", "omar"]
    assert document["release"]["keep-migrations"] is True
    least = show_document(Shown(read(LEAST), "x"))
    assert least["production"]["branches"] == [{"pattern": "main", "matches": None}]
    assert least["waiver"] is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (90, "90 seconds"), (60, "1 minute"), (5400, "90 minutes"), (129600, "36 hours")]
    + [(86400, "1 day"), (1209600, "14 days")],
)
def test_a_duration_in_words(seconds: int, words: str) -> None:
    assert in_words(seconds) == words


def test_a_problem_in_a_line_and_for_programs() -> None:
    problem = Problem("a\x1bb", 3, "by", "is odd", "near")
    assert problem_line(problem) == "a\\x1bb:3: by: is odd (did you mean near?)"
    assert problem_line(Problem("a", None, "", "is odd")) == "a: is odd"
    document = check_document("a", (problem, Problem("a", None, "", "is odd")))
    assert (document["valid"], document["path"]) == (False, "a")
    assert [one["nearest"] for one in document["problems"]] == ["near", None]
    assert check_document("a", ())["valid"] is True


def test_the_pages_are_what_the_declarations_say() -> None:
    policy, scenarios = ROOT / "docs" / "policy.md", ROOT / "docs" / "scenarios.md"
    assert policy.read_text(encoding="utf-8") == render_policy_page(), "docs/policy.md: write it again: make docs"
    page = render_scenario_page(scenario_model.ScenarioFile, vars(scenario_model), scenario_model.SCENARIO_DOCS)
    assert scenarios.read_text(encoding="utf-8") == page, "docs/scenarios.md: write it again: make docs"


def test_the_page_lists_every_key_of_the_schema() -> None:
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", render_policy_page(), flags=re.MULTILINE))
    schema = render_schema()
    tables = [schema]
    keys: set[str] = set()
    while tables:
        table = tables.pop()
        keys |= set(table.get("properties", {}))
        tables += list(table.get("properties", {}).values())
        tables += [table[part] for part in ("items", "additionalProperties") if isinstance(table.get(part), dict)]
    assert keys - listed == set()


def test_every_kind_has_its_words() -> None:
    assert set(KIND_WORDS) == set(KINDS) | set(SCENARIO_KINDS)
