"""The registry: one list, every file of gate/rules in it, ids in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.gate import registry, rules
from rollback_guard.gate.registry import RULE_NAMES, find_rule, load_rule
from rollback_guard.gate.rule import Case
from tests.support.facts import NOW, a_change


def test_every_file_of_a_rule_is_registered_and_every_rule_has_its_file() -> None:
    files = sorted(path.stem for path in Path(rules.__path__[0]).glob("rg*.py"))
    assert files == [f"{rule.id.lower()}_{rule.name.replace('-', '_')}" for rule in registry.RULES]


def test_the_list_is_sorted_and_says_of_each_rule_what_the_rule_says() -> None:
    assert list(RULE_NAMES) == sorted(set(RULE_NAMES))
    assert tuple((rule.id, rule.name) for rule in registry.RULES) == RULE_NAMES


@pytest.mark.parametrize("asked", ["RG201", "rg201", " sign-off-missing ", "Sign-Off-Missing"])
def test_a_rule_is_found_by_id_or_name(asked: str) -> None:
    rule = find_rule(asked)
    assert rule is not None
    assert rule.id == "RG201"


@pytest.mark.parametrize("rule", [rule for rule, _ in RULE_NAMES if rule not in ("RG001", "RG105", "RG108", "RG403")])
def test_a_rule_that_reads_the_policy_never_holds_without_one(rule: str) -> None:
    case = Case(policy=None, change=a_change(), as_of=NOW)
    assert load_rule(rule).evaluate(case).answer == "not-applicable"


def test_what_is_no_rule_is_not_found() -> None:
    assert find_rule("RG999") is None
    with pytest.raises(KeyError):
        load_rule("RG999")
    with pytest.raises(AttributeError):
        _ = registry.NOTHING
