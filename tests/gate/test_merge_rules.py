"""RG105 to RG107: merges, the base that was signed against, and who made the change."""

from __future__ import annotations

from typing import Any

import pytest

from rollback_guard.facts.model import Hunk, Known, Maker, MergeCheck
from tests.support.facts import (
    BASE,
    HEAD,
    JANE,
    JANE_AT_HOME,
    MERGE,
    NOW,
    OMAR,
    OTHER_TREE,
    QA,
    QUINN,
    REVIEW,
    REVIEWED,
    SHALLOW,
    STRANGER,
    TESTED,
    a_change,
    a_message,
    a_policy,
    a_survey,
    a_trailer,
    judge,
    outcome_of,
)

# RG105


def rg105(*merges: MergeCheck) -> Any:
    return outcome_of(judge(a_policy(), a_change(merges=Known(merges))), "RG105")


def test_an_evil_merge_is_named_with_its_places_and_lines() -> None:
    hunks = (
        Hunk(path="src/price.py", line=12, removed=("  total = net",), added=("  total = 0", "x" * 80, "third")),
        Hunk(path="logo.png", line=1, note="binary file differs"),
    )
    outcome = rg105(MergeCheck(commit=MERGE, subject="Merge it", kind="unexplained", hunks=hunks))
    assert outcome.answer == "violated"
    finding = outcome.findings[0]
    assert finding.subject == f"merge {MERGE[:12]}"
    assert 'src/price.py:12 removed "total = net" added "total = 0" "' in finding.message
    assert "x" * 60 + '…" and 1 lines more; logo.png:1 binary file differs' in finding.message


def test_an_evil_merge_of_many_places_shows_five() -> None:
    hunks = tuple(Hunk(path=f"file{number}", line=1, added=("x",)) for number in range(7))
    message = rg105(MergeCheck(commit=MERGE, subject="s", kind="unexplained", hunks=hunks)).findings[0].message
    assert "file4" in message
    assert "file5" not in message
    assert message.endswith("; and 2 more places")


def test_an_octopus_is_refused_and_a_resolved_conflict_is_noted() -> None:
    resolved = MergeCheck(commit=BASE, subject="s", kind="resolved", conflicts=("a.txt", "b.txt"))
    assert rg105(resolved).answer == "satisfied"
    outcome = rg105(resolved, MergeCheck(commit=MERGE, subject="s", kind="octopus"))
    assert outcome.answer == "violated"
    assert len(outcome.findings) == 1
    assert outcome.notes == (f"merge {BASE[:12]}: conflicts resolved by hand in a.txt, b.txt",)


def test_merges_that_could_not_be_made_again_are_undetermined() -> None:
    assert outcome_of(judge(a_policy(), a_change(merges=SHALLOW)), "RG105").answer == "undetermined"


# RG106

BEHIND: dict[str, Any] = {"base_in_head": Known(False), "result_tree": Known(OTHER_TREE)}
ON_MERGE = a_message(REVIEWED, bearer="landing", commit=MERGE, tree=OTHER_TREE)
TREES_UNKNOWN: dict[str, Any] = {"base_in_head": Known(False)}
RG106_CASES: list[tuple[str, dict[str, Any], str]] = [
    ("base is in the head", {}, "satisfied"),
    ("same tree", {"base_in_head": Known(False)}, "satisfied"),
    ("same tree, base unknown", {"base_in_head": SHALLOW}, "satisfied"),
    ("behind", BEHIND, "violated"),
    ("behind, signed on the merge", {**BEHIND, "messages": Known((a_message(REVIEWED), ON_MERGE))}, "satisfied"),
    ("behind, not signed", {**BEHIND, "messages": Known((a_message(TESTED),))}, "satisfied"),
    (
        "behind, the merge signed by its maker",
        {
            **BEHIND,
            "messages": Known((a_message(REVIEWED), a_message(a_trailer("Reviewed-by", JANE), bearer="landing"))),
        },
        "violated",
    ),
    ("base unknown", {**BEHIND, "base_in_head": SHALLOW}, "undetermined"),
    ("base unknown, not signed", {**BEHIND, "base_in_head": SHALLOW, "messages": Known(())}, "satisfied"),
    ("messages unknown", {**BEHIND, "messages": SHALLOW}, "undetermined"),
    ("makers unknown", {**BEHIND, "survey": SHALLOW}, "undetermined"),
    ("head tree unknown", {**TREES_UNKNOWN, "head_tree": SHALLOW}, "undetermined"),
    ("result tree unknown", {**TREES_UNKNOWN, "result_tree": SHALLOW}, "undetermined"),
]


@pytest.mark.parametrize(("changed", "answer"), [one[1:] for one in RG106_CASES], ids=[one[0] for one in RG106_CASES])
def test_rg106(changed: dict[str, Any], answer: str) -> None:
    assert outcome_of(judge(a_policy(), a_change(**changed)), "RG106").answer == answer


def test_rg106_says_what_was_signed_and_what_would_land() -> None:
    finding = outcome_of(judge(a_policy(), a_change(**BEHIND)), "RG106").findings[0]
    assert finding.message == (
        "review was given on the head's tree dddddddddddd, but the result would be eeeeeeeeeeee: "
        "main has moved on since"
    )
    assert finding.remedy.startswith("git merge main")


def test_rg106_says_what_is_wrong_although_another_role_is_unknown() -> None:
    policy = a_policy(sign_off=(REVIEW, QA._replace(binding="result")))
    messages = Known((a_message(REVIEWED, TESTED), a_message(TESTED, bearer="landing")))
    outcome = outcome_of(judge(policy, a_change(**BEHIND, messages=messages)), "RG106")
    assert [finding.subject for finding in outcome.findings] == ["review"]


@pytest.mark.parametrize("sign_off", [(), (QA,)])
def test_rg106_only_concerns_roles_bound_to_the_result(sign_off: Any) -> None:
    assert outcome_of(judge(a_policy(sign_off=sign_off), a_change(**BEHIND)), "RG106").answer == "not-applicable"


# RG107


def rg107(*makers: Maker) -> Any:
    return outcome_of(judge(a_policy(), a_change(survey=Known(a_survey(*makers)))), "RG107")


def test_every_author_and_committer_must_be_somebody() -> None:
    assert rg107(Maker(JANE_AT_HOME, "author", HEAD), Maker(OMAR, "committer", HEAD)).answer == "satisfied"
    outcome = rg107(
        Maker(STRANGER, "author", MERGE),
        Maker(STRANGER._replace(email="MALLORY@evil.example"), "committer", HEAD),
        Maker(STRANGER, "author", HEAD),
        Maker(QUINN, "author", HEAD),
    )
    assert outcome.answer == "violated"
    assert [finding.message for finding in outcome.findings] == [
        f"Mallory <mallory@evil.example> is none of the people, but author and committer of commit {MERGE[:12]}"
    ]


def test_a_co_author_need_not_be_known() -> None:
    assert rg107(Maker(STRANGER, "co-author", HEAD)).answer == "satisfied"


def test_without_people_nobody_is_a_stranger_and_unknown_makers_are_undetermined() -> None:
    assert outcome_of(judge(a_policy(people=()), a_change()), "RG107").answer == "not-applicable"
    assert outcome_of(judge(a_policy(), a_change(survey=SHALLOW)), "RG107").answer == "undetermined"


def test_time_has_no_say_in_who_is_known() -> None:
    assert outcome_of(judge(a_policy(), a_change(), as_of=NOW * 2), "RG107").answer == "satisfied"
