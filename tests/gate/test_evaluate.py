"""The whole decision: what is asked at which stage, RG001 and RG002, restorations, and the verdict's fields."""

from __future__ import annotations

from typing import Any

import pytest

from rollback_guard.facts.model import Known, Restoration, Touched, Unknown
from rollback_guard.gate.registry import RULE_NAMES
from rollback_guard.gate.verdict import PolicyUsed
from rollback_guard.policy.model import Policy, Production, Release, Route
from tests.support.facts import (
    BASE,
    HEAD,
    JANE,
    OMAR,
    QA,
    REVIEW,
    REVIEWED,
    SHALLOW,
    STRANGER,
    TESTED,
    TREE,
    USED,
    a_change,
    a_landing,
    a_message,
    a_policy,
    a_survey,
    answers_of,
    judge,
    outcome_of,
)

ALL = {rule for rule, _ in RULE_NAMES}
BESIDE = {"RG401", "RG404"}  # what is judged of refs beside production alone
BACKUPS = {f"RG30{number}" for number in range(1, 7)}  # the policy of these tests names none
POLICY_ONLY = Known(Touched(governing=("rollback-guard.toml",)))
POLICY_AND_MORE = Known(Touched(governing=("rollback-guard.toml",), others=True))
IN_THE_MAKING = Unknown("the commit is not made yet")


def asked(verdict: Any) -> set[str]:
    return {rule for rule, answer in answers_of(verdict).items() if answer != "not-applicable"}


def test_a_change_in_order_is_allowed_and_every_rule_answers_in_the_order_of_ids() -> None:
    verdict = judge(a_policy(), a_change())
    assert verdict.decision == "allow"
    assert tuple((outcome.rule, outcome.name) for outcome in verdict.outcomes) == RULE_NAMES
    assert set(answers_of(verdict).values()) == {"satisfied", "not-applicable"}


def test_the_verdict_repeats_what_was_judged() -> None:
    verdict = judge(a_policy(), a_change(missing=("other refs",)))
    assert verdict._replace(outcomes=()) == verdict._replace(
        decision="allow",
        repository="github.com/acme/shop",
        target="refs/heads/main",
        source="refs/heads/release/1.4",
        base=BASE,
        head=HEAD,
        result_tree=TREE,
        commits=3,
        missing=("other refs",),
        policy=USED,
        outcomes=(),
    )


def test_what_is_unknown_is_none_in_the_verdict() -> None:
    unknown = a_change(repository=SHALLOW, base=SHALLOW, result_tree=SHALLOW, survey=SHALLOW, source=SHALLOW)
    verdict = judge(a_policy(), unknown)
    assert (verdict.repository, verdict.base, verdict.result_tree, verdict.commits, verdict.source) == (None,) * 5
    assert verdict.decision == "undetermined"


@pytest.mark.parametrize(
    ("changed", "source"),
    [
        ({"source": Known(("feature/x", "hotfix/2"))}, "refs/heads/hotfix/2"),
        ({"source": Known(("feature/x", "main"))}, "refs/heads/feature/x"),
        ({"source": Known(("main",))}, None),
        ({"claimed_source": "refs/heads/release/1.4"}, "refs/heads/release/1.4"),
        ({"claimed_source": "feature/x", "source": Known(())}, "refs/heads/feature/x"),
        ({"source": SHALLOW, "landings": Known((a_landing(),))}, "refs/heads/release/1.4"),
        (
            {"source": SHALLOW, "landings": Known((a_landing(branches=SHALLOW, squash_of="release/2"),))},
            "refs/heads/release/2",
        ),
        ({"source": SHALLOW, "landings": SHALLOW}, None),
    ],
)
def test_the_source_is_a_branch_of_a_route_else_the_first_known(changed: dict[str, Any], source: str | None) -> None:
    assert judge(a_policy(), a_change(**changed)).source == source


def test_without_a_policy_the_source_is_the_first_known() -> None:
    assert judge(None, a_change(source=Known(("feature/x",)))).source == "refs/heads/feature/x"


# Stages


@pytest.mark.parametrize("stage", ["commit", "merge", "push", "receive", "range", "landed"])
def test_beside_production_only_the_names_are_looked_at(stage: str) -> None:
    verdict = judge(a_policy(), a_change(stage=stage, target="refs/heads/feature/x", production=False))
    assert (verdict.decision, asked(verdict)) == ("allow", {"RG108"})


def test_beside_production_a_message_is_also_looked_through_for_near_misses() -> None:
    change = a_change(stage="message", target="refs/heads/feature/x", production=False)
    assert asked(judge(a_policy(), change)) == {"RG108", "RG206"}
    assert asked(judge(None, change)) == {"RG108"}


def test_a_ref_beside_production_may_always_be_deleted() -> None:
    verdict = judge(a_policy(), a_change(stage="push", target="refs/tags/main", production=False, move="delete"))
    assert (verdict.decision, asked(verdict)) == ("allow", set())


def test_before_a_commit_only_its_branch_is_judged() -> None:
    verdict = judge(a_policy(), a_change(stage="commit", head=None, messages=IN_THE_MAKING, survey=IN_THE_MAKING))
    assert (verdict.decision, asked(verdict)) == ("deny", {"RG001", "RG101", "RG108"})


def test_a_commit_with_its_message_is_judged_by_branch_and_message() -> None:
    verdict = judge(a_policy(), a_change(stage="message", head=None))
    assert (verdict.decision, asked(verdict)) == ("deny", {"RG001", "RG101", "RG108", "RG206"})


def test_before_a_merge_its_message_is_not_judged() -> None:
    verdict = judge(a_policy(), a_change(stage="merge", messages=IN_THE_MAKING))
    assert verdict.decision == "allow"
    left_out = ALL - asked(verdict)
    assert left_out == {"RG002", "RG104", "RG106", *(f"RG20{number}" for number in range(1, 8)), *BESIDE, *BACKUPS}
    assert outcome_of(verdict, "RG201").notes == ("the merge's message is not written yet; commit-msg judges it",)


@pytest.mark.parametrize("stage", ["message", "push", "receive", "range", "landed"])
def test_a_merge_with_its_message_is_judged_by_everything(stage: str) -> None:
    verdict = judge(a_policy(), a_change(stage=stage, move="forward", landings=Known((a_landing(),))))
    left_out = {"RG002", *BESIDE, *BACKUPS, *(["RG402", "RG403"] if stage == "landed" else [])}
    assert (verdict.decision, ALL - asked(verdict)) == ("allow", left_out)


def test_a_deletion_of_production_is_denied_without_asking_for_sign_offs() -> None:
    verdict = judge(a_policy(), a_change(stage="push", move="delete", head=None, messages=IN_THE_MAKING))
    assert (verdict.decision, asked(verdict)) == ("deny", {"RG001", "RG103", "RG104", "RG108"})


EMPTY = {"survey": Known(a_survey(count=0)), "messages": Known(()), "source": Known(())}


@pytest.mark.parametrize("stage", ["push", "receive", "range"])
def test_a_change_of_nothing_is_allowed(stage: str) -> None:
    verdict = judge(a_policy(), a_change(stage=stage, **EMPTY))
    assert (verdict.decision, asked(verdict)) == ("allow", {"RG001", "RG108"})


@pytest.mark.parametrize(
    "changed",
    [
        {"survey": SHALLOW},
        {"landings": Known((a_landing(),))},
        {"landings": SHALLOW},
        {"move": "forward"},
        {"move": "forward", "base": SHALLOW},
        {"move": "rewind", "base": Known(HEAD)},
        {"stage": "merge"},
        {"stage": "message"},
    ],
)
def test_a_change_is_only_empty_when_that_is_known(changed: dict[str, Any]) -> None:
    assert judge(a_policy(), a_change(**{**EMPTY, **changed})).decision != "allow"


def test_a_push_of_the_tip_that_is_there_is_empty() -> None:
    verdict = judge(a_policy(), a_change(**{**EMPTY, "stage": "push", "move": "forward", "base": Known(HEAD)}))
    assert verdict.decision == "allow"


# RG001


def test_rg001_without_a_policy_nothing_else_can_be_judged() -> None:
    verdict = judge(None, a_change(stage="push", move="forward"))
    assert (verdict.decision, asked(verdict)) == ("deny", {"RG001", "RG108"})
    finding = outcome_of(verdict, "RG001").findings[0]
    assert "main has no policy" in finding.message
    assert "guard init" in finding.remedy


@pytest.mark.parametrize("proposed", [None, a_policy()])
def test_rg001_a_project_that_comes_to_an_empty_server_is_told_the_order(proposed: Policy | None) -> None:
    first = a_change(stage="receive", move="create", base=Known(None), touched=POLICY_AND_MORE)
    (finding,) = outcome_of(judge(None, first, proposed=proposed), "RG001").findings
    assert finding.remedy.startswith("on the server: guard install --server --uninstall")
    later = first._replace(base=Known(BASE))
    assert "--uninstall" not in outcome_of(judge(None, later, proposed=proposed), "RG001").findings[0].remedy


@pytest.mark.parametrize("move", ["delete", "rewind"])
def test_rg104_holds_without_a_policy(move: str) -> None:
    answers = answers_of(judge(None, a_change(stage="push", move=move)))
    assert (answers["RG001"], answers["RG104"]) == ("violated", "violated")


def test_rg001_the_change_that_brings_only_the_policy_is_judged_by_it() -> None:
    verdict = judge(None, a_change(touched=POLICY_ONLY), proposed=a_policy())
    assert verdict.decision == "allow"
    assert outcome_of(verdict, "RG001").notes == (
        "production has no policy yet: judged by the one that this change brings",
    )
    assert outcome_of(verdict, "RG002").answer == "not-applicable"
    unsigned = a_change(touched=POLICY_ONLY, messages=Known((a_message(),)))
    assert answers_of(judge(None, unsigned, proposed=a_policy()))["RG201"] == "violated"


def test_rg001_the_change_that_brings_the_policy_may_touch_nothing_else() -> None:
    verdict = judge(None, a_change(touched=POLICY_AND_MORE), proposed=a_policy())
    assert verdict.decision == "deny"
    assert "may touch nothing else" in outcome_of(verdict, "RG001").findings[0].message
    assert asked(verdict) == {"RG001", "RG108"}


def test_rg001_the_policy_that_a_change_brings_must_be_readable() -> None:
    verdict = judge(None, a_change(touched=POLICY_ONLY), proposed_error="line 3: unknown key")
    assert "line 3: unknown key" in outcome_of(verdict, "RG001").findings[0].message


@pytest.mark.parametrize("proposed", [None, a_policy()])
def test_rg001_is_undetermined_when_the_touched_files_are_unknown(proposed: Any) -> None:
    verdict = judge(None, a_change(touched=SHALLOW), proposed=proposed)
    assert (verdict.decision, asked(verdict)) == ("undetermined", {"RG001", "RG108"})


# RG002

WEAKER = a_policy(sign_off=(REVIEW,))
STRICTER = a_policy(sign_off=(REVIEW, QA._replace(count=2)))
ONLY_REVIEWED = Known((a_message(REVIEWED),))
RG002_CASES = [
    ("untouched", {}, None, "", "not-applicable"),
    ("passes both", {"touched": POLICY_AND_MORE}, WEAKER, "", "satisfied"),
    ("same policy", {"touched": POLICY_AND_MORE}, a_policy(), "", "satisfied"),
    ("weakened", {"touched": POLICY_AND_MORE, "messages": ONLY_REVIEWED}, WEAKER, "", "violated"),
    ("stricter", {"touched": POLICY_AND_MORE}, STRICTER, "", "violated"),
    ("unreadable", {"touched": POLICY_AND_MORE}, None, "line 2", "violated"),
    ("deleted", {"touched": POLICY_AND_MORE}, None, "", "violated"),
    ("workflow only", {"touched": Known(Touched((".github/workflows/ci.yml",)))}, None, "", "satisfied"),
    ("the other file", {"touched": Known(Touched(("pyproject.toml",)))}, None, "", "satisfied"),
    ("unknown", {"touched": SHALLOW}, None, "", "undetermined"),
    ("unknown fact", {"touched": POLICY_AND_MORE, "merges": SHALLOW}, WEAKER, "", "undetermined"),
    ("merge, unknown", {"touched": SHALLOW, "stage": "merge"}, None, "", "not-applicable"),
    ("merge, known", {"touched": POLICY_AND_MORE, "stage": "merge"}, WEAKER, "", "satisfied"),
    ("commit", {"touched": POLICY_AND_MORE, "stage": "commit"}, WEAKER, "", "not-applicable"),
]


@pytest.mark.parametrize(("changed", "proposed", "error", "answer"), [one[1:] for one in RG002_CASES])
def test_rg002(changed: dict[str, Any], proposed: Any, error: str, answer: str) -> None:
    verdict = judge(a_policy(), a_change(**changed), proposed=proposed, proposed_error=error)
    assert outcome_of(verdict, "RG002").answer == answer


def test_rg002_names_the_policy_and_the_rules_that_it_fails_under() -> None:
    stricter = judge(a_policy(), a_change(touched=POLICY_AND_MORE), proposed=STRICTER)
    finding = outcome_of(stricter, "RG002").findings[0]
    assert finding.subject == "the policy that the change brings"
    assert "RG201 sign-off-missing" in finding.message
    assert "rollback-guard.toml" in finding.message
    weakened = judge(a_policy(), a_change(touched=POLICY_AND_MORE, messages=ONLY_REVIEWED), proposed=WEAKER)
    assert [one.subject for one in outcome_of(weakened, "RG002").findings] == ["the policy in force"]


def test_rg002_takes_a_touched_pyproject_for_a_deleted_policy_where_that_is_not_ruled_out() -> None:
    touched = Known(Touched(("pyproject.toml",)))
    used = PolicyUsed(commit=None, path="another.toml", digest=None, what_if=True)
    verdict = judge(a_policy(), a_change(touched=touched), used=used)
    assert "deletes the policy" in outcome_of(verdict, "RG002").findings[0].message


# Going back to a stable release

DIRECT = a_landing(heads=(), branches=Known(("main",)))
GONE_BACK: dict[str, Any] = {
    "stage": "push",
    "move": "forward",
    "landings": Known((DIRECT,)),
    "messages": Known((a_message(),)),
    "base_in_head": Known(True),
}


def restored(*committers: Any) -> Restoration:
    return Restoration(tag="stable/2026.11.20.1", commit=BASE, committers=committers)


def test_going_back_to_a_stable_release_needs_no_route_and_no_sign_offs() -> None:
    assert judge(a_policy(), a_change(**GONE_BACK)).decision == "deny"
    verdict = judge(a_policy(), a_change(**GONE_BACK, restoration=restored(JANE)))
    assert verdict.decision == "allow"
    for rule in ("RG101", "RG102", "RG106", "RG201", "RG204"):
        assert outcome_of(verdict, rule).notes == ("goes back to stable/2026.11.20.1, whose tree it equals",)


def test_anybody_known_may_go_back_when_nobody_is_named_for_releases() -> None:
    change = a_change(**GONE_BACK, restoration=restored(OMAR))
    assert judge(a_policy(release=Release()), change).decision == "allow"


@pytest.mark.parametrize(
    ("policy", "committers", "why"),
    [
        (a_policy(), (JANE, OMAR), "Omar Haddad <omar@acme.example> may not release"),
        (a_policy(), (JANE, STRANGER), "is none of the people"),
        (a_policy(release=Release()), (STRANGER,), "is none of the people"),
        (a_policy(), (), "who committed it is not known"),
        (a_policy(sign_off=(REVIEW, QA._replace(proof="signature"))), (JANE,), "who made that tag is not proven"),
    ],
)
def test_going_back_is_judged_like_any_change_when_somebody_else_does_it(
    policy: Any, committers: Any, why: str
) -> None:
    verdict = judge(policy, a_change(**GONE_BACK, restoration=restored(*committers)))
    assert verdict.decision == "deny"
    assert why in outcome_of(verdict, "RG101").notes[-1]


def test_going_back_that_nobody_proves_to_have_made_or_with_another_policy() -> None:
    policy = a_policy(sign_off=(REVIEW, QA._replace(proof="signature")), release=Release(by=("@release",), signed=True))
    unproven = restored(JANE)._replace(unproven="it bears no signature")
    verdict = judge(policy, a_change(**GONE_BACK, restoration=unproven))
    assert verdict.decision == "deny"
    assert "nobody proves to have made it: it bears no signature" in outcome_of(verdict, "RG101").notes[-1]
    assert judge(a_policy(), a_change(**GONE_BACK, restoration=unproven)).decision == "allow"
    other = judge(a_policy(), a_change(**GONE_BACK, restoration=restored(JANE)), proposed=a_policy(sign_off=()))
    assert other.decision == "deny"
    assert "with another policy than the one in force" in outcome_of(other, "RG101").notes[-1]
    kept = judge(a_policy(), a_change(**GONE_BACK, restoration=restored(JANE)._replace(kept=True)))
    assert "with the migration files that stay" in outcome_of(kept, "RG101").notes[-1]


def test_going_back_to_a_signed_release_needs_no_new_signatures() -> None:
    policy = a_policy(sign_off=(REVIEW, QA._replace(proof="signature")), release=Release(by=("@release",), signed=True))
    verdict = judge(policy, a_change(**GONE_BACK, restoration=restored(JANE)))
    assert answers_of(verdict)["RG101"] == "satisfied"
    assert answers_of(verdict)["RG201"] == "satisfied"


def test_the_rules_that_go_back_freely_still_ask_for_facts_elsewhere() -> None:
    change = a_change(**{**GONE_BACK, "merges": SHALLOW}, restoration=restored(JANE))
    assert judge(a_policy(), change).decision == "undetermined"


def test_a_policy_may_make_several_branches_production() -> None:
    policy = a_policy(
        production=Production(branches=("main", "live")), route=(Route(into="live", from_=("main",)),), sign_off=()
    )
    verdict = judge(policy, a_change(target="refs/heads/live", source=Known(("main", "live"))))
    assert (verdict.decision, verdict.source) == ("allow", "refs/heads/main")


def test_a_production_policy_without_demands_still_answers() -> None:
    bare = a_policy(people=(), sign_off=(), production=Production(branches=("main",)))
    verdict = judge(bare, a_change(messages=Known((a_message(TESTED),))))
    assert verdict.decision == "allow"
    assert {rule for rule in ALL if answers_of(verdict)[rule] == "not-applicable"} >= {"RG103", "RG107", "RG201"}
