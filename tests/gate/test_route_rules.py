"""RG101 to RG104: where a change comes from, which repository holds it, how production moves."""

from __future__ import annotations

from typing import Any

import pytest

from rollback_guard.facts.model import Known
from rollback_guard.policy.model import Production, Route
from tests.support.facts import SHALLOW, a_change, a_landing, a_policy, a_survey, judge, outcome_of

# What lands on production, and what RG101 and RG102 say of it.
LANDINGS = [
    ("merge of a route branch", {}, "satisfied", "satisfied"),
    ("merge of another branch", {"branches": Known(("feature/x",))}, "satisfied", "violated"),
    ("merge of nothing known", {"branches": Known(())}, "satisfied", "violated"),
    ("merge, unknown", {"branches": SHALLOW}, "satisfied", "undetermined"),
    ("merge of production itself", {"branches": Known(("main",))}, "satisfied", "violated"),
    ("merge that claims a squash", {"branches": Known(()), "squash_of": "release/1.4"}, "satisfied", "violated"),
    ("fast-forward of a route branch", {"heads": ()}, "satisfied", "satisfied"),
    ("fast-forward of another", {"heads": (), "branches": Known(("main", "feature/x"))}, "satisfied", "violated"),
    ("direct", {"heads": (), "branches": Known(("main",))}, "violated", "violated"),
    ("direct, on no branch", {"heads": (), "branches": Known(())}, "violated", "violated"),
    ("direct, on production's other branch", {"heads": (), "branches": Known(("live",))}, "violated", "violated"),
    ("no merge, unknown", {"heads": (), "branches": SHALLOW}, "undetermined", "undetermined"),
    ("squash", {"heads": (), "branches": Known(()), "squash_of": "hotfix/1"}, "satisfied", "satisfied"),
    ("squash, else unknown", {"heads": (), "branches": SHALLOW, "squash_of": "hotfix/1"}, "satisfied", "satisfied"),
    ("squash of another", {"heads": (), "branches": Known(()), "squash_of": "feature/x"}, "violated", "violated"),
]
TWO_LIVE = a_policy(production=Production(branches=("main", "live"), repositories=None))


@pytest.mark.parametrize(("landing", "rg101", "rg102"), [one[1:] for one in LANDINGS], ids=[one[0] for one in LANDINGS])
def test_each_landing(landing: dict[str, Any], rg101: str, rg102: str) -> None:
    change = a_change(stage="push", move="forward", landings=Known((a_landing(), a_landing(**landing))))
    verdict = judge(TWO_LIVE, change)
    assert (outcome_of(verdict, "RG101").answer, outcome_of(verdict, "RG102").answer) == (rg101, rg102)


def test_what_is_known_to_be_wrong_is_said_although_another_landing_is_unknown() -> None:
    landings = (a_landing(heads=(), branches=SHALLOW), a_landing(heads=(), branches=Known(("main",))))
    verdict = judge(a_policy(), a_change(stage="push", landings=Known(landings)))
    assert (outcome_of(verdict, "RG101").answer, outcome_of(verdict, "RG102").answer) == ("violated", "violated")


def test_unknown_landings_are_undetermined() -> None:
    verdict = judge(a_policy(), a_change(stage="push", landings=SHALLOW))
    assert (outcome_of(verdict, "RG101").answer, outcome_of(verdict, "RG102").answer) == ("undetermined",) * 2
    assert outcome_of(verdict, "RG101").findings[0].remedy == "git fetch --unshallow"


def test_a_direct_commit_is_named_with_a_way_out() -> None:
    landing = a_landing(heads=(), branches=Known(()), commit="1234567890abcdef", subject="quick fix")
    finding = outcome_of(judge(a_policy(), a_change(landings=Known((landing,)))), "RG101").findings[0]
    assert finding.subject == "commit 1234567890ab"
    assert "quick fix" in finding.message
    assert finding.remedy.startswith("git branch hotfix/12345678 1234567890abcdef")


def test_a_branch_name_in_a_remedy_cannot_run_anything() -> None:
    target = "refs/heads/$(reboot)'"
    landing = a_landing(heads=(), branches=Known(()))
    policy = a_policy(production=Production(branches=("**",)), route=(Route(into="**", from_=("release/*",)),))
    finding = outcome_of(judge(policy, a_change(target=target, landings=Known((landing,)))), "RG101").findings[0]
    assert "'$(reboot)'\\'''" in finding.remedy


# RG102 before anything landed

SOURCES = [
    ({"source": Known(("release/1.4", "feature/x"))}, "satisfied", "comes from release/1.4"),
    ({"source": Known(("feature/x",))}, "violated", "comes from feature/x"),
    ({"source": Known(("main",))}, "violated", "on no branch but main"),
    ({"source": Known(())}, "violated", "approved: release/*, hotfix/*"),
    ({"source": SHALLOW}, "undetermined", "the history is shallow"),
    ({"claimed_source": "release/1.4"}, "satisfied", "comes from release/1.4"),
    ({"claimed_source": "refs/heads/release/1.4"}, "satisfied", "comes from release/1.4"),
    ({"claimed_source": "feature/x", "source": Known(("feature/x", "release/1.4"))}, "violated", "feature/x"),
    ({"claimed_source": "main"}, "violated", "main"),
    ({"claimed_source": "hotfix/9"}, "violated", "not reachable from branch hotfix/9"),
    ({"claimed_source": "hotfix/9", "source": SHALLOW}, "undetermined", "the history is shallow"),
]


@pytest.mark.parametrize(("changed", "answer", "said"), SOURCES)
def test_the_source(changed: dict[str, Any], answer: str, said: str) -> None:
    outcome = outcome_of(judge(a_policy(), a_change(**changed)), "RG102")
    assert outcome.answer == answer
    assert said in " ".join([*outcome.notes, *(finding.message for finding in outcome.findings)])


@pytest.mark.parametrize("route", [(), (Route(into="live/*", from_=("release/*",)),)])
def test_without_a_route_into_the_target_nothing_may_land(route: Any) -> None:
    outcome = outcome_of(judge(a_policy(route=route), a_change(landings=SHALLOW)), "RG102")
    assert (outcome.answer, outcome.findings[0].message) == ("violated", "no approved route leads into main")


def test_a_route_may_lead_into_many_branches() -> None:
    policy = a_policy(production=Production(branches=("live/*",)), route=(Route(into="live/*", from_=("**",)),))
    assert judge(policy, a_change(target="refs/heads/live/eu")).source == "refs/heads/main"


# RG103

REPOSITORIES = [
    (Known("https://token@GitHub.com:443/acme/shop.git"), "satisfied"),
    (Known("git@github.com:jane/shop.git"), "violated"),
    (Known(""), "violated"),
    (SHALLOW, "undetermined"),
]


@pytest.mark.parametrize(("repository", "answer"), REPOSITORIES)
def test_the_repository(repository: Any, answer: str) -> None:
    outcome = outcome_of(judge(a_policy(), a_change(repository=repository)), "RG103")
    assert outcome.answer == answer


def test_the_policy_may_leave_the_repositories_open() -> None:
    policy = a_policy(production=Production(branches=("main",)))
    assert outcome_of(judge(policy, a_change(repository=SHALLOW)), "RG103").answer == "not-applicable"


def test_a_token_in_a_url_is_not_shown() -> None:
    outcome = outcome_of(judge(a_policy(), a_change(repository=Known("https://s3cret@github.com/x/y"))), "RG103")
    assert "s3cret" not in repr(outcome)


# RG104


@pytest.mark.parametrize(
    ("move", "answer"),
    [
        ("none", "not-applicable"),
        ("create", "satisfied"),
        ("forward", "satisfied"),
        ("rewind", "violated"),
        ("delete", "violated"),
    ],
)
def test_production_only_moves_forward(move: str, answer: str) -> None:
    outcome = outcome_of(judge(a_policy(), a_change(stage="push", move=move)), "RG104")
    assert outcome.answer == answer
    assert all("guard revert" in finding.remedy for finding in outcome.findings)


def test_a_chain_that_was_swapped_is_told_of_what_will_land_and_of_what_landed() -> None:
    for stage, said in (("receive", "would get another history"), ("landed", "its first-parent chain was swapped")):
        outcome = outcome_of(judge(a_policy(), a_change(stage=stage, move="aside")), "RG104")
        assert outcome.answer == "violated"
        assert said in outcome.findings[0].message


@pytest.mark.parametrize(
    ("claimed", "named", "source"),
    [
        ("feature/x", "release/1.4", "feature/x"),
        ("refs/heads/feature/x", None, "feature/x"),
        (None, "feature/x", "feature/x"),
        (None, "main", "release/1.4"),
        ("main", None, "release/1.4"),
        (None, None, "release/1.4"),
    ],
)
def test_source_of_several_branches_at_one_commit(claimed: str | None, named: str | None, source: str) -> None:
    branches = Known(("feature/a", "feature/x", "main", "release/1.4"))
    change = a_change(source=branches, claimed_source=claimed, named_source=named)
    assert judge(a_policy(), change).source == f"refs/heads/{source}"


def test_branch_of_a_route_that_was_named_is_the_one_that_is_told() -> None:
    change = a_change(source=Known(("release/1.4", "release/2")), named_source="release/2")
    assert outcome_of(judge(a_policy(), change), "RG102").notes == ("comes from release/2",)


def test_production_is_no_way_into_itself() -> None:
    outcome = outcome_of(judge(a_policy(), a_change(claimed_source="main")), "RG102")
    assert outcome.answer == "violated"
    assert outcome.findings[0].message.startswith("main is what the change would land on, and no way into itself")


def test_moving_production_back_is_judged_by_that_alone() -> None:
    change = a_change(stage="receive", move="rewind", survey=Known(a_survey(count=0)), messages=Known(()))
    verdict = judge(a_policy(), change)
    assert (verdict.decision, verdict.source) == ("deny", None)
    assert [one.rule for one in verdict.outcomes if one.answer == "violated"] == ["RG104"]
    assert outcome_of(verdict, "RG201").notes == ("the branch is moved back; nothing lands",)
    assert outcome_of(judge(a_policy(), change._replace(survey=Known(a_survey()))), "RG201").answer == "violated"
