"""RG403 and RG404: what was reverted on production, and comes without its content, or is called stable."""

from __future__ import annotations

from typing import Any

import pytest

from rollback_guard.facts.model import Fact, Known, MissingRevert, Unknown, Unrelanded
from rollback_guard.gate.verdict import Outcome
from tests.support.facts import BASE, HEAD, MERGE, a_change, a_policy, judge, outcome_of

LOST = Unrelanded(commit=MERGE, subject="Merge branch 'basket'", revert=BASE, how="merged")


def rg403(*found: Unrelanded, **overrides: Any) -> Outcome:
    return outcome_of(judge(a_policy(), a_change(unrelanded=Known(found), **overrides)), "RG403")


def test_work_that_would_come_by_half_is_refused_with_what_brings_all_of_it() -> None:
    outcome = rg403(LOST)
    assert outcome.answer == "violated"
    (finding,) = outcome.findings
    assert finding.subject == MERGE[:12]
    assert finding.message == (
        f"main reverted {MERGE[:12]} \"Merge branch 'basket'\" by {BASE[:12]}, and never took it back. "
        "To git it is merged: this would bring only what was made on top of it"
    )
    assert finding.remedy.startswith(f"guard reland {MERGE[:12]} --branch main ")


def test_what_began_in_between_is_refused_where_it_builds_on_it_and_noted_elsewhere() -> None:
    touched = LOST._replace(how="touched", paths=("app.py", "b.py"))
    outcome = rg403(touched, named_source="it's/mine")
    assert outcome.answer == "violated"
    assert "touches the same files, app.py, b.py:" in outcome.findings[0].message
    assert outcome.findings[0].remedy == (
        f"guard reland {MERGE[:12]} --branch main --source 'it'\\''s/mine'   # or, to go on without it: git merge main"
    )
    outcome = rg403(LOST._replace(how="held"), source=Known(("main", "fast")))
    assert (outcome.answer, outcome.findings) == ("satisfied", ())
    assert outcome.notes == (
        f"{MERGE[:12]} \"Merge branch 'basket'\" is in its history and was reverted by {BASE[:12]}: "
        "nothing of it comes with this",
        f"where that is this branch's own work: guard reland {MERGE[:12]} --branch main --source fast brings it too",
    )


@pytest.mark.parametrize("source", [Known(("one", "two")), Known(()), Unknown("not looked for")])
def test_a_branch_without_one_name_is_left_to_whoever_reads(source: Fact[tuple[str, ...]]) -> None:
    outcome = rg403(LOST._replace(how="touched", paths=("app.py",)), source=source)
    assert " --branch main --source BRANCH   # " in outcome.findings[0].remedy


def test_what_was_relanded_and_reverted_again_has_one_remedy_that_names_all_of_it() -> None:
    outcome = rg403(LOST, LOST._replace(commit=HEAD), LOST._replace(commit="f" * 40, how="held"))
    assert [one.subject for one in outcome.findings] == [MERGE[:12], HEAD[:12]]
    (remedy,) = {one.remedy for one in outcome.findings}
    assert remedy == f"guard reland {MERGE[:12]} {HEAD[:12]} --branch main   # a branch with all of it"


def test_what_is_not_known_is_undetermined_and_what_landed_is_not_asked() -> None:
    verdict = judge(a_policy(), a_change(unrelanded=Unknown("history was cut", "git fetch --unshallow")))
    outcome = outcome_of(verdict, "RG403")
    assert (verdict.decision, outcome.answer, outcome.findings[0].subject) == ("undetermined", "undetermined", "main")
    assert rg403(LOST, stage="landed").answer == "not-applicable"


def rg404(found: Fact[tuple[MissingRevert, ...]] | None, production: bool = False) -> Outcome:
    change = a_change(target="refs/tags/stable/1", production=production, stage="push", missing_reverts=found)
    return outcome_of(judge(a_policy(), change), "RG404")


def test_a_stable_tag_on_what_was_reverted_is_refused() -> None:
    outcome = rg404(Known((MissingRevert(commit=HEAD, subject="Basket", revert=BASE, branch="main"),)))
    assert outcome.answer == "violated"
    assert outcome.findings[0].message == (
        f'main reverted {HEAD[:12]} "Basket" by {BASE[:12]}, and what is tagged still has it'
    )
    assert rg404(Known(())).answer == "satisfied"
    assert rg404(Unknown("history was cut")).answer == "undetermined"
    assert rg404(None).answer == "not-applicable"
    assert rg404(None, production=True).answer == "not-applicable"
