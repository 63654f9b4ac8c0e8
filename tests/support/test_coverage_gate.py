"""The coverage gate falls for every way of falling short."""

from __future__ import annotations

from typing import Any

from tests.support.coverage_gate import judge


def report(total: float = 97.0, **files: tuple[list[int], list[list[int]]]) -> dict[str, Any]:
    return {
        "totals": {"percent_covered": total},
        "files": {
            name: {"missing_lines": lines, "missing_branches": branches, "summary": {"percent_covered": 50.0}}
            for name, (lines, branches) in files.items()
        },
    }


def test_enough_is_enough() -> None:
    line, wrong = judge(report(a=([], []), b=([1], [])), {"a": True, "b": False})
    assert wrong == []
    assert line == "coverage with branches: 97.00 % of the package; 1 modules of the enforcement path"


def test_one_line_or_one_branch_of_the_enforcement_path_is_too_much() -> None:
    _, wrong = judge(report(a=([3, 4], [[2, 3]]), b=([], [[5, -1]])), {"a": True, "b": True})
    assert wrong == [
        "a: the enforcement path must be covered whole; missing lines 3-4",
        "b: the enforcement path must be covered whole; missing branches 5→-1",
    ]


def test_a_module_that_was_never_measured_does_not_pass() -> None:
    _, wrong = judge(report(), {"a": False})
    assert wrong == ["a: not measured"]


def test_the_package_as_a_whole_has_a_threshold() -> None:
    _, wrong = judge(report(94.99, a=([1], [])), {"a": False})
    assert wrong[0] == "the package is covered to 94.99 %, and 95 % is asked for; least covered:"
