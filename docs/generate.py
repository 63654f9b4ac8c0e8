"""Write docs/rules/<id>.md from the registry, and remove pages of rules that are not in it.

    python docs/generate.py [DIR]      DIR is docs/rules when not given

Run by `make docs`; tests/gate/test_rule_pages.py fails when a page is left behind.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rollback_guard.gate.registry import RULES
from rollback_guard.report.rule_page import render_rule_page


def main(arguments: list[str]) -> int:
    """Write the pages and say which changed."""
    folder = Path(arguments[0]) if arguments else Path(__file__).parent / "rules"
    folder.mkdir(parents=True, exist_ok=True)
    pages = {f"{rule.id}.md": render_rule_page(rule) for rule in RULES}
    for path in sorted(folder.glob("RG*.md")):
        if path.name not in pages:
            path.unlink()
            print(f"removed {path.name}")
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
