"""As of when something that landed is judged, and where it came from by what people signed of it."""

from __future__ import annotations

from typing import Any

import pytest

from rollback_guard.facts.model import Known, SignedDecision, SignedWaiver, Unknown
from rollback_guard.gate.moments import MOST, moments
from rollback_guard.gate.verdict import ChangeVerdict
from rollback_guard.policy.model import Policy, Waiver
from tests.support.facts import (
    DAY,
    HEAD,
    MERGE,
    NOW,
    QA,
    REVIEW,
    a_change,
    a_landing,
    a_message,
    a_policy,
    answers_of,
    judge,
    outcome_of,
)

LONG_AGO = NOW - 300 * DAY
TERMS = Waiver(by=("omar", "quinn"), count=1, max_age=DAY)
POLICY = a_policy(
    sign_off=(REVIEW._replace(proof="signature", max_age=14 * DAY), QA._replace(proof="signature", max_age=14 * DAY)),
    waiver=TERMS,
)


def said(person: str, role: str, time: int, decision: Any = "approve", **more: Any) -> SignedDecision:
    binding = next(one.binding for one in POLICY.sign_off if one.role == role)
    return SignedDecision(
        role=role,
        decision=decision,
        person=person,
        claimed=person,
        time=time,
        binding=binding,
        digest=f"{time}",
        **more,
    )


def both(time: int, **more: Any) -> tuple[SignedDecision, ...]:
    return said("omar", "review", time, **more), said("quinn", "qa", time, **more)


def landed(*decisions: SignedDecision, plain: bool = False, made: int = LONG_AGO, **more: Any) -> ChangeVerdict:
    """The verdict of today on a merge, or on a plain commit, that was made long ago."""
    landing = a_landing(heads=() if plain else (HEAD,), branches=more.pop("branches", Known(("release/1.4",))))
    fields: dict[str, Any] = {
        "stage": "landed",
        "landings": Known((landing,)),
        "messages": Known((a_message(bearer="landing", commit=MERGE, time=made),)),
        "decisions": Known(decisions),
    }
    policy: Policy = more.pop("policy", POLICY)
    return judge(policy, a_change(**{**fields, **more}))


def test_max_age_is_measured_when_it_landed() -> None:
    assert landed(*both(LONG_AGO - DAY)).decision == "allow"
    assert answers_of(landed(*both(LONG_AGO - 20 * DAY)))["RG204"] == "violated"
    # A squash may have been made before it was signed: it landed no earlier than that.
    assert landed(*both(LONG_AGO + 40 * DAY), plain=True).decision == "allow"
    assert (
        landed(said("omar", "review", LONG_AGO), said("quinn", "qa", LONG_AGO + 15 * DAY), plain=True).decision
        == "deny"
    )
    assert (
        landed(said("omar", "review", LONG_AGO), said("quinn", "qa", LONG_AGO + 13 * DAY), plain=True).decision
        == "allow"
    )


def test_where_nobody_knows_what_was_signed_nobody_knows_the_moment() -> None:
    for plain in (False, True):
        assert landed(decisions=Unknown("the store cannot be read"), plain=plain).decision == "undetermined"


def test_what_is_signed_again_later_unmakes_nothing() -> None:
    assert landed(*both(LONG_AGO), said("omar", "review", NOW - DAY), plain=True).decision == "allow"


def test_a_merge_that_was_signed_after_it_was_made_may_have_landed_before() -> None:
    found = landed(*both(LONG_AGO + 2 * DAY))
    assert found.decision == "undetermined"
    (review, _) = outcome_of(found, "RG201").findings
    assert "review was signed after the merge was made" in review.message
    assert "whether it had landed by then" in review.message
    assert landed(said("omar", "review", LONG_AGO + 2 * DAY)).decision == "deny"  # and nobody tested it
    assert landed(*both(LONG_AGO + 2 * DAY), said("quinn", "qa", LONG_AGO, "reject")).decision == "deny"


def test_refusals_that_come_later_unmake_no_merge() -> None:
    late = said("quinn", "qa", LONG_AGO + 5 * DAY, "reject")
    assert landed(*both(LONG_AGO), late).decision == "allow"
    withdrawn = said("quinn", "qa", LONG_AGO + 5 * DAY, "withdraw")
    assert landed(*both(LONG_AGO), withdrawn).decision == "allow"
    # Of a plain commit nobody can tell whether it landed before they said no.
    assert landed(*both(LONG_AGO), late, plain=True).decision == "deny"
    assert landed(*both(LONG_AGO), withdrawn, plain=True).decision == "deny"


def waiver(person: str, time: int, rule: str = "RG201", lasts: int = DAY) -> SignedWaiver:
    return SignedWaiver(
        rule=rule,
        person=person,
        claimed=person,
        time=time,
        expires=time + lasts,
        reason="down",
        incident="",
        digest=f"{person}{time}",
    )


def test_a_waiver_counts_when_it_landed() -> None:
    lone = Known((waiver("omar", LONG_AGO - 60),))
    for plain in (False, True):
        assert answers_of(landed(waivers=lone, plain=plain))["RG201"] == "waived"
    late = Known((waiver("omar", LONG_AGO + 40 * DAY),))
    assert answers_of(landed(waivers=late, plain=True))["RG201"] == "waived"
    found = outcome_of(landed(waivers=late), "RG201")
    assert (found.answer, found.notes[-1]) == (
        "undetermined",
        "whether it had landed before it was waived is not known here",
    )
    two = POLICY._replace(waiver=TERMS._replace(count=2))
    assert answers_of(landed(waivers=late, policy=two))["RG201"] == "violated"
    expired = Known((waiver("omar", LONG_AGO - 2 * DAY),))
    assert answers_of(landed(waivers=expired))["RG201"] == "violated"


def test_the_moments_of_one_commit_are_bounded() -> None:
    every = tuple(said("omar", "review", LONG_AGO + number) for number in range(100))
    junk = tuple(said("jane", "review", LONG_AGO - 7 + number) for number in range(100))
    change = a_change(
        stage="landed",
        landings=Known((a_landing(heads=()),)),
        messages=Known((a_message(bearer="landing", time=LONG_AGO),)),
        decisions=Known(every),
        waivers=Unknown("not here"),
    )
    found = moments(POLICY, change, NOW)
    assert (len(found), found[0], found[-2:]) == (MOST, LONG_AGO, (LONG_AGO + 99, NOW))
    assert moments(POLICY, change._replace(decisions=Known(junk)), NOW) == (LONG_AGO, NOW)
    waived = change._replace(decisions=Known(()), waivers=Known((waiver("omar", NOW - 5), waiver("jane", NOW - 4))))
    assert moments(POLICY, waived, NOW) == (LONG_AGO, NOW - 5, NOW)
    assert moments(POLICY, change._replace(messages=Unknown("not here")), NOW) == (NOW,)
    assert moments(None, change._replace(decisions=Unknown("not here")), NOW) == (LONG_AGO, NOW)
    assert moments(POLICY, change._replace(stage="range"), NOW) == (NOW,)


GONE = Unknown("that branch was deleted")
SOURCE = "refs/heads/release/1.4"


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("branches", [GONE, Known(()), Known(("main",))])
def test_a_branch_that_is_gone_is_known_from_what_was_signed(plain: bool, branches: Any) -> None:
    found = landed(*both(LONG_AGO, source=SOURCE), plain=plain, branches=branches)
    assert (found.decision, found.source) == ("allow", SOURCE)
    route = outcome_of(found, "RG102")
    assert route.notes[0].startswith("signed as coming from release/1.4 by Omar Haddad")
    if plain:
        assert outcome_of(found, "RG101").notes == route.notes


def test_what_was_signed_names_a_branch_only_after_it_landed() -> None:
    change = a_change(source=Known(("main",)), decisions=Known(both(NOW - 60, source=SOURCE)))
    assert answers_of(judge(POLICY, change))["RG102"] == "violated"


@pytest.mark.parametrize(
    "decisions",
    [
        (said("jane", "review", LONG_AGO, source=SOURCE),),  # she made it
        (said("quinn", "review", LONG_AGO, source=SOURCE),),  # the role does not name them
        (said("omar", "review", LONG_AGO, source=SOURCE, fault="it does not verify"),),
        (said("omar", "review", LONG_AGO, source=SOURCE, stale="it was given on another commit"),),
        (said("omar", "review", LONG_AGO, "reject", source=SOURCE),),
        (said("omar", "review", LONG_AGO - 30 * DAY, source=SOURCE),),  # too old
    ],
)
def test_what_does_not_count_names_no_branch(decisions: tuple[SignedDecision, ...]) -> None:
    found = answers_of(landed(*decisions, plain=True, branches=Known(())))
    assert (found["RG101"], found["RG102"]) == ("violated", "violated")


def test_signed_without_naming_a_branch_nobody_can_tell() -> None:
    found = landed(*both(LONG_AGO), plain=True, branches=Known(()))
    for rule in ("RG101", "RG102"):
        outcome = outcome_of(found, rule)
        assert outcome.answer == "undetermined"
        assert "no branch that is here brought it" in outcome.findings[0].message
    for named in ("refs/heads/feature/x", "refs/heads/main"):  # no approved route; it may have had another name later
        found = landed(*both(LONG_AGO, source=named), plain=True, branches=Known(()))
        assert "which is no approved way" in outcome_of(found, "RG102").findings[0].message
    unknown = landed(*both(LONG_AGO), survey=Unknown("shallow"), plain=True, branches=Known(()))
    assert answers_of(unknown)["RG101"] == "violated"


def test_what_landed_is_not_to_be_signed_any_more() -> None:
    """Whatever is wrong with what was signed, the way on is another one than to sign."""
    stale = both(LONG_AGO, stale="it was given on another commit")
    based = both(LONG_AGO, stale="it was given on another base", other_base=True)
    rejected = said("quinn", "qa", LONG_AGO, "reject")
    for decisions in ((), stale, based, (rejected,)):
        for outcome in landed(*decisions).outcomes:
            assert not any("guard sign" in finding.remedy for finding in outcome.findings), outcome
