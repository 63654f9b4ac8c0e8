"""Judges what the tests covered, branches included: 95 % of the package, all of the enforcement path.

Run after pytest wrote its data: `python -m tests.support.coverage_gate`. Which modules are the
enforcement path is read from their imports (`tests.support.architecture`), not listed here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.architecture import ROOT, enforcement_path, read_package

TOTAL = 95.0
REPORT = ROOT / ".coverage.json"


def judge(report: Mapping[str, Any], strict: Mapping[str, bool]) -> tuple[str, list[str]]:
    """One line about the whole, and a sentence for each shortfall.

    `report` is what `coverage json` writes; `strict` says of every module, by path, whether all of it
    must be covered. A module that the report does not know was never measured, and falls short too.
    """
    files: Mapping[str, Any] = report["files"]
    total = float(report["totals"]["percent_covered"])
    wrong = [f"{path}: not measured" for path in sorted(strict) if path not in files]
    for path in sorted(path for path, all_of_it in strict.items() if all_of_it and path in files):
        found = files[path]
        if found["missing_lines"] or found["missing_branches"]:
            lines = ranges(found["missing_lines"])
            gone = set(found["missing_lines"])
            arrows = ", ".join(f"{start}→{end}" for start, end in found["missing_branches"] if not {start, end} & gone)
            missing = "; ".join(part for part in (lines and f"lines {lines}", arrows and f"branches {arrows}") if part)
            wrong.append(f"{path}: the enforcement path must be covered whole; missing {missing}")
    if total < TOTAL:
        least = sorted((f["summary"]["percent_covered"], path) for path, f in files.items())[:8]
        wrong.append(f"the package is covered to {total:.2f} %, and {TOTAL:.0f} % is asked for; least covered:")
        wrong += [f"  {percent:6.2f} % {path}" for percent, path in least]
    count = sum(strict.values())
    return f"coverage with branches: {total:.2f} % of the package; {count} modules of the enforcement path", wrong


def ranges(numbers: list[int]) -> str:
    """Line numbers, runs of them as one.

    >>> ranges([3, 4, 5, 9])
    '3-5, 9'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs)


def main() -> int:
    """Write coverage's report beside its data, and judge it."""
    subprocess.run([sys.executable, "-m", "coverage", "json", "-q", "-o", str(REPORT)], cwd=ROOT, check=True)
    report = json.loads(Path(REPORT).read_text(encoding="utf-8"))
    modules = read_package(ROOT)
    path = enforcement_path(modules)
    strict = {module.path: name in path for name, module in modules.items() if module.tree.body}
    line, wrong = judge(report, strict)
    for sentence in wrong:
        print(sentence)
    print(f"{line}: {'falls short' if wrong else 'as asked'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
