"""Write the pages that the code knows best: docs/rules/<id>.md, docs/policy.md and docs/scenarios.md.

    python docs/generate.py [DIR]      DIR is docs when not given

Run by `make docs`; tests fail when a page is left behind. Pages of rules that are no more are removed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rollback_guard.gate import scenario_model
from rollback_guard.gate.registry import RULES
from rollback_guard.report.policy_page import render_policy_page, render_scenario_page
from rollback_guard.report.rule_page import render_rule_page


def main(arguments: list[str]) -> int:
    """Write the pages and say which changed."""
    folder = Path(arguments[0]) if arguments else Path(__file__).parent
    pages = {folder / "rules" / f"{rule.id}.md": render_rule_page(rule) for rule in RULES}
    for path in sorted((folder / "rules").glob("RG*.md")):
        if path not in pages:
            path.unlink()
            print(f"removed {path.name}")
    pages[folder / "policy.md"] = render_policy_page()
    pages[folder / "scenarios.md"] = render_scenario_page(
        scenario_model.ScenarioFile, vars(scenario_model), scenario_model.SCENARIO_DOCS
    )
    for path, text in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
