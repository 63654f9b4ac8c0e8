"""The pages under docs/rules/ are those of the registry, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_guard.gate.registry import RULES
from rollback_guard.gate.rule import Rule
from rollback_guard.report.rule_page import render_rule_page, render_rule_text

PAGES = Path(__file__).parents[2] / "docs" / "rules"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.id))
def test_the_page_is_what_the_rule_says(rule: Rule) -> None:
    page = PAGES / f"{rule.id}.md"
    assert page.read_text(encoding="utf-8") == render_rule_page(rule), "run: python docs/generate.py"


def test_there_is_no_page_without_a_rule() -> None:
    assert sorted(path.stem for path in PAGES.glob("*.md")) == [rule.id for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.id))
def test_the_text_for_a_terminal_says_the_same_in_narrow_lines(rule: Rule) -> None:
    text = render_rule_text(rule, width=80)
    assert text.startswith(f"{rule.id} {rule.name}\n")
    assert max(map(len, text.splitlines())) <= 80
    flowing = " ".join(text.split())
    for part in (rule.title, rule.why, rule.example, rule.remedy, *rule.needs):
        assert " ".join(part.split()) in flowing


def test_a_rule_that_asks_a_server_says_so() -> None:
    assert "asks a server" in render_rule_text(RULES[0]._replace(offline=False))
