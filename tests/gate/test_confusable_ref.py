"""RG108 and the look-alikes: what is taken for production, and what only looks as if."""

from __future__ import annotations

import time
from typing import Any

import pytest

from rollback_guard.facts.model import Known
from rollback_guard.gate.lookalike import Lookalikes, coarse_key, confusable, hidden_characters, reads_as
from rollback_guard.policy.model import Production, Route
from tests.support.facts import SHALLOW, a_change, a_policy, judge, outcome_of

ALIKE = [
    ("main", "MAIN"),
    ("main", "mаin"),  # Cyrillic а
    ("main", "ΜAIN"),  # Greek capital Mu
    ("main", "ｍａｉｎ"),  # fullwidth
    ("main", "maın"),  # dotless i
    ("main", "ma1n"),
    ("main", "ma\u200bin"),
    ("main", "ma\ufe0fin"),
    ("release", "reIease"),
    ("release", "re1ease"),
    ("prod", "pr0d"),
    ("straße", "STRASSE"),
    ("café", "cafe\u0301"),
    ("a/b", "a∕b"),
    ("a-b", "a‐b"),
    ("lo", "10"),
]
APART = [
    ("main", "main"),
    ("main", "mane"),
    ("tail", "tall"),
    ("main", "mains"),
    ("release/1.10", "release/1.1"),
    ("release/1.0", "release/1.1"),
    ("café", "cafe"),
    ("главная", "main"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_are_taken_for_one_another(one: str, other: str) -> None:
    assert confusable(one, other)
    assert confusable(other, one)
    assert coarse_key(one) == coarse_key(other)
    assert Lookalikes(one).has(other)
    assert Lookalikes(other).has(one)


@pytest.mark.parametrize(("one", "other"), APART)
def test_names_that_are_not(one: str, other: str) -> None:
    assert not confusable(one, other)
    assert not Lookalikes(one).has(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("main", "rnain"),
        ("main", "RNAIN".lower()),
        ("web", "vveb"),
        ("WEB", "VVEB"),
        ("prod", "procl"),
        ("main", "rnа1n"),
    ],
)
def test_two_letters_that_look_like_one(one: str, other: str) -> None:
    assert reads_as(one, other)
    assert reads_as(other, one)
    assert coarse_key(one) == coarse_key(other)
    assert not confusable(one, other)
    assert not reads_as(one, one)


@pytest.mark.parametrize(("one", "other"), [("modern", "modern"), ("d", "ci"), ("main", "mains"), ("RN", "m")])
def test_letters_that_do_not(one: str, other: str) -> None:
    assert not reads_as(one, other)


def test_hidden_characters_are_named_once() -> None:
    assert hidden_characters("feature/müller") == ()
    assert hidden_characters("a\u202eb\u200bc\u202e\u3164\x07 ") == ("U+202E", "U+200B", "U+3164", "U+0007")
    assert hidden_characters("naïve\u00a0x") == ("U+00A0",)


POLICY = a_policy()


def rg108(policy: Any = POLICY, **changed: Any) -> Any:
    return outcome_of(judge(policy, a_change(**changed)), "RG108")


def beside(name: str, *refs: str, **changed: Any) -> Any:
    """A push of another ref than production."""
    return rg108(stage="push", target=name, production=False, refs=Known(refs), **changed)


REFS_BESIDE_MAIN = [
    ("refs/heads/MAIN", "git branch -m -- MAIN another-name"),
    ("refs/remotes/origin/MAIN", "git push origin --delete refs/heads/MAIN"),
    ("refs/heads/mаin", "git branch -m -- 'mаin' another-name"),
    ("refs/tags/main", "git tag -d -- main   # here; on the remote: git push origin --delete refs/tags/main"),
    ("refs/tags/Main", "git tag -d -- Main   # here; on the remote: git push origin --delete refs/tags/Main"),
    ("refs/tags/live", "git tag -d -- live   # here; on the remote: git push origin --delete refs/tags/live"),
]
TWO_LIVE = a_policy(production=Production(branches=("main", "live", "eu/*")))


@pytest.mark.parametrize(("ref", "remedy"), REFS_BESIDE_MAIN)
def test_what_is_taken_for_production_blocks_production(ref: str, remedy: str) -> None:
    outcome = rg108(TWO_LIVE, refs=Known(("refs/heads/main", "refs/remotes/origin/main", ref)))
    assert outcome.answer == "violated"
    assert [(finding.subject, finding.remedy) for finding in outcome.findings] == [(ref, remedy)]


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/main",
        "refs/remotes/origin/main",
        "refs/remotes/upstream/main",
        "refs/remotes/odd",
        "refs/heads/mains",
        "refs/tags/v1",
        "refs/tags/eu/west",
        "refs/notes/MAIN",
        "refs/pull/1/head",
    ],
)
def test_what_is_not_taken_for_production_does_not(ref: str) -> None:
    assert rg108(TWO_LIVE, refs=Known((ref,))).answer == "satisfied"


def test_each_name_is_reported_once_wherever_it_is() -> None:
    refs = ("refs/heads/MAIN", "refs/remotes/origin/MAIN", "refs/remotes/fork/MAIN")
    assert [finding.subject for finding in rg108(refs=Known(refs)).findings] == ["refs/heads/MAIN"]


BAD_NAMES = [
    ("refs/heads/fea\u200bture", "characters that nobody sees: U+200B"),
    ("refs/heads/a\u202eb", "U+202E"),
    ("refs/heads/-d", "read as an option"),
    ("refs/heads/HEAD", "a name of git's own"),
    ("refs/heads/@", "a name of git's own"),
    ("refs/heads/refs/heads/x", "taken for refs/heads/x"),
    ("refs/heads/origin/main", "taken for the production branch main of origin"),
    ("refs/heads/fork/main", "taken for the production branch main of fork"),
    ("refs/heads/remotes/origin/main", "taken for the production branch main of origin"),
    ("refs/heads/heads/main", "taken for the production branch main"),
    ("refs/heads/origin/eu/west", "taken for the production branch eu/west of origin"),
    ("refs/heads/MAIN", "the branch MAIN is taken for the production branch main"),
    ("refs/tags/main", "the tag main bears the name of the production branch main"),
    ("refs/tags/Live", "the tag Live is taken for the production branch live"),
]


@pytest.mark.parametrize(("name", "said"), BAD_NAMES)
def test_a_name_that_must_not_be_pushed(name: str, said: str) -> None:
    change = a_change(stage="push", target=name, production=False, refs=Known(("refs/remotes/fork/x",)))
    outcome = outcome_of(judge(TWO_LIVE, change), "RG108")
    assert outcome.answer == "violated"
    assert said in outcome.findings[0].message


@pytest.mark.parametrize(
    "name",
    [
        "refs/heads/feature/main",
        "refs/heads/origin/feature",
        "refs/heads/heads",
        "refs/heads/tags/cleanup",
        "refs/heads/origin",
        "refs/tags/v1.0",
        "refs/notes/main",
        "refs/heads/mаin-menu",
    ],
)
def test_a_name_that_may_be_pushed(name: str) -> None:
    change = a_change(stage="push", target=name, production=False, refs=Known(("refs/heads/main",)))
    assert outcome_of(judge(TWO_LIVE, change), "RG108").answer == "satisfied"


def test_two_production_branches_may_look_alike_when_the_policy_says_so() -> None:
    policy = a_policy(production=Production(branches=("main", "Main*")))
    change = a_change(stage="push", target="refs/heads/Main", production=True, refs=Known(()))
    assert outcome_of(judge(policy, change), "RG108").answer == "satisfied"


def test_a_branch_must_not_be_taken_for_another_that_exists() -> None:
    outcome = beside("refs/heads/Fix/1", "refs/heads/fix/1", "refs/heads/Fix/1", "refs/remotes/origin/Fix/1")
    assert [finding.message for finding in outcome.findings] == ["Fix/1 is taken for fix/1, which exists"]
    assert beside("refs/heads/fix/tail", "refs/heads/fix/tall").answer == "satisfied"
    assert beside("refs/tags/V1", "refs/tags/v1").answer == "satisfied"


def test_likeness_to_production_is_said_once() -> None:
    assert len(beside("refs/heads/MAIN", "refs/heads/main").findings) == 1


def test_the_branch_that_a_change_claims_to_come_from_is_looked_at_too() -> None:
    assert rg108(claimed_source="release/1.4").answer == "satisfied"
    assert "taken for the production branch main" in rg108(claimed_source="Main").findings[0].message
    assert "taken for release/1.4" in rg108(claimed_source="release/l.4").findings[0].message


def test_without_a_policy_the_target_is_the_production_that_is_known() -> None:
    assert rg108(None, refs=Known(("refs/tags/main",))).answer == "violated"
    assert rg108(None, claimed_source="origin/main").answer == "violated"
    assert (
        rg108(None, target="refs/heads/main", production=False, refs=Known(("refs/tags/main",))).answer == "satisfied"
    )


def test_unknown_refs_are_undetermined_unless_the_name_itself_is_bad() -> None:
    assert rg108(refs=SHALLOW).answer == "undetermined"
    assert rg108(refs=SHALLOW, claimed_source="-x").answer == "violated"


def test_fifty_thousand_refs_take_no_time_to_speak_of() -> None:
    many = [f"refs/remotes/origin/{number:04x}" for number in range(25_000)]
    many += [f"refs/tags/v{number}" for number in range(25_000)]
    change = a_change(refs=Known((*many, "refs/heads/mаin")))
    before = time.process_time()
    outcome = outcome_of(judge(a_policy(), change), "RG108")
    assert time.process_time() - before < 2  # generous: about 0.05 s on a slow machine
    assert [finding.subject for finding in outcome.findings] == ["refs/heads/mаin"]


ROUTED = a_policy(
    production=Production(branches=("main", "live/*")), route=(Route(into="main", from_=("release/*", "develop")),)
)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("refs/heads/clevelop", "clevelop is taken for develop, which is production or may come to it"),
        ("refs/heads/live/clevon", "satisfied"),
        ("refs/heads/1ive/clevon", "1ive/clevon is taken for live/devon, which is production or may come to it"),
        ("refs/heads/rnain", "the branch rnain is taken for the production branch main"),
        ("refs/heads/modem", "satisfied"),
        ("refs/heads/release/modem", "satisfied"),
        ("refs/tags/stab1e/2026.5.28.1", "the tag stab1e/2026.5.28.1 is taken for a stable release's"),
        ("refs/tags/stable/2026.5.28.1", "satisfied"),
        ("refs/tags/stable/x.1", "satisfied"),
        ("refs/tags/v1", "satisfied"),
    ],
)
def test_what_reads_as_a_name_that_counts(name: str, said: str) -> None:
    refs = Known(("refs/heads/main", "refs/heads/develop", "refs/heads/modern", "refs/remotes/origin/live/devon"))
    for policy in (ROUTED, None):
        found = rg108(policy, stage="receive", target=name, production=False, refs=refs)
        if said == "satisfied" or (policy is None):
            assert found.answer == "satisfied"
        else:
            assert said in found.findings[0].message


def test_refs_of_remotes_are_nothing_for_a_server() -> None:
    for ref in ("refs/remotes/origin/HEAD", "refs/remotes/x"):
        assert rg108(stage="receive", target=ref, production=False).answer == "violated"
        assert rg108(stage="range", target=ref, production=False).answer == "satisfied"


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("refs/HEADS/topic", "taken for refs/heads/ where case does not count"),
        ("refs/remotes/origin/main", "taken for the production branch main"),
        ("refs/refs/heads/main", "taken for the production branch main"),
        ("refs/replace/0123456789012345678901234567890123456789", "another object in place of the one that is judged"),
    ],
)
def test_refs_beside_branches_and_tags(ref: str, said: str) -> None:
    found = outcome_of(judge(a_policy(), a_change(target=ref, production=False)), "RG108")
    assert found.answer == "violated"
    assert said in found.findings[0].message
