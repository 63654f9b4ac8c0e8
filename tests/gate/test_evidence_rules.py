"""Signed decisions and waivers: who counts, on what, until when, and what else the gate says of them."""

from __future__ import annotations

from typing import Any

import pytest

from rollback_guard.facts.model import EarlierTrailer, Known, SignedDecision, SignedWaiver, Trailer, Unknown
from rollback_guard.gate.people import Makers
from rollback_guard.gate.proofs import latest, stand
from rollback_guard.gate.verdict import ChangeVerdict
from rollback_guard.policy.model import Policy, Waiver
from tests.support.facts import (
    DAY,
    MERGE,
    NOW,
    OMAR,
    QA,
    REVIEW,
    REVIEWED,
    TESTED,
    a_change,
    a_landing,
    a_message,
    a_policy,
    a_survey,
    a_trailer,
    answers_of,
    judge,
    outcome_of,
)

GONE = Unknown("the store is damaged", "guard evidence fetch")
SIGNED_QA = QA._replace(proof="signature")
POLICY = a_policy(sign_off=(REVIEW, SIGNED_QA))


def decided(person: str | None = "quinn", decision: str = "approve", **overrides: Any) -> SignedDecision:
    """Quinn's approval as QA, a minute ago."""
    fields: dict[str, Any] = {
        "role": "qa",
        "decision": decision,
        "person": person,
        "claimed": person or "quinn",
        "time": NOW - 60,
        "binding": "head",
        "digest": "ab" * 32,
    }
    return SignedDecision(**{**fields, **overrides})


def verdict(*decisions: SignedDecision, policy: Policy = POLICY, **overrides: Any) -> ChangeVerdict:
    fields: dict[str, Any] = {"messages": Known((a_message(REVIEWED),)), "decisions": Known(decisions)}
    return judge(policy, a_change(**{**fields, **overrides}))


def test_a_signed_approval_counts() -> None:
    found = verdict(decided())
    assert found.decision == "allow"
    assert "qa: Quinn Lee <quinn@acme.example>" in outcome_of(found, "RG201").notes


def test_without_it_the_command_for_it_is_told() -> None:
    outcome = outcome_of(verdict(), "RG201")
    assert outcome.answer == "violated"
    assert outcome.findings[0].remedy == f"guard sign qa --into main --head {'a' * 12}"
    assert outcome_of(verdict(stage="receive"), "RG201").findings[0].remedy == "guard sign qa --into main"


def test_a_signed_approval_counts_where_a_trailer_is_enough() -> None:
    assert verdict(decided(), policy=a_policy()).decision == "allow"
    assert verdict(decided(), policy=a_policy(sign_off=(REVIEW, QA._replace(proof="forge")))).decision == "allow"


def test_a_trailer_alone_does_not_count_where_a_signature_is_asked_for() -> None:
    found = verdict(messages=Known((a_message(REVIEWED, TESTED),)))
    assert [answers_of(found)[rule] for rule in ("RG201", "RG205")] == ["violated", "violated"]
    finding = outcome_of(found, "RG205").findings[0]
    assert "is only text" in finding.message
    assert finding.remedy.startswith("guard sign qa --into main")


def test_a_trailer_of_somebody_else_than_who_signed_is_refused() -> None:
    other = a_trailer("QA-by", OMAR)
    stranger = Trailer("QA-by", "Nobody <no@body.example>")
    found = verdict(decided(), messages=Known((a_message(REVIEWED, other, stranger, TESTED, Trailer("QA-by", "x")),)))
    assert answers_of(found)["RG201"] == "satisfied"
    assert len(outcome_of(found, "RG205").findings) == 2


def test_a_signature_that_the_message_does_not_name_is_noted() -> None:
    landing = a_message(REVIEWED, Trailer("QA-by", "x"), a_trailer("QA-by", OMAR), bearer="landing", commit=MERGE)
    plain = a_message(REVIEWED, bearer="landing", commit=MERGE)
    change: dict[str, Any] = {"stage": "landed", "landings": Known((a_landing(),))}
    note = "Quinn Lee <quinn@acme.example> signed as qa, and the message has no trailer of it"
    assert note in outcome_of(verdict(decided(), messages=Known((plain,)), **change), "RG205").notes
    assert note in outcome_of(verdict(decided(), messages=Known((landing,)), **change), "RG205").notes
    named = a_message(REVIEWED, TESTED, bearer="landing", commit=MERGE)
    assert outcome_of(verdict(decided(), messages=Known((named,)), **change), "RG205").notes == ()


def test_a_forged_trailer_may_be_a_review_on_a_forge() -> None:
    policy = a_policy(sign_off=(REVIEW, QA._replace(proof="forge")))
    both = Known((a_message(REVIEWED, TESTED),))
    assert outcome_of(verdict(policy=policy, messages=both), "RG205").answer == "undetermined"
    other = Known((a_message(REVIEWED, a_trailer("QA-by", OMAR)),))
    assert outcome_of(verdict(decided(), policy=policy, messages=other), "RG205").answer == "satisfied"


def test_a_signature_that_does_not_verify_is_a_finding_where_it_is_missed() -> None:
    bad = decided(None, fault="the signature does not verify")
    finding = outcome_of(verdict(bad), "RG205").findings[0]
    assert finding.message == "qa signed in the name of quinn: the signature does not verify"
    assert finding.remedy.startswith("guard evidence show abababababab")
    found = outcome_of(verdict(bad, decided()), "RG205")
    assert (found.answer, len(found.notes)) == ("satisfied", 1)


@pytest.mark.parametrize(
    ("decision", "rule", "words"),
    [
        (decided("jane"), "RG202", "made or pushed a part of it"),
        (decided("omar"), "RG203", "the role does not name them"),
        (decided("omar", "reject"), "RG203", "the role does not name them"),
        (decided(stale="it was given on commit cafe"), "RG204", "it was given on commit cafe"),
        (decided(time=NOW - 20 * DAY), "RG204", "and may be 14d"),
    ],
)
def test_what_does_not_count_is_named_where_it_is_missed_and_noted_where_not(
    decision: SignedDecision, rule: str, words: str
) -> None:
    policy = a_policy(sign_off=(REVIEW, SIGNED_QA._replace(by=("quinn", "tess", "jane"))))
    outcome = outcome_of(verdict(decision, policy=policy), rule)
    assert outcome.answer == "violated"
    assert words in outcome.findings[0].message
    found = outcome_of(verdict(decision, decided("tess"), policy=policy), rule)
    assert found.answer == "satisfied"
    assert any(words in note for note in found.notes)


def test_what_was_signed_on_another_base_is_said_by_rg106_alone() -> None:
    role = SIGNED_QA._replace(binding="result")
    moved = decided(stale="it was given when main was at cafe", other_base=True, binding="result")
    found = verdict(moved, policy=a_policy(sign_off=(REVIEW, role)))
    assert answers_of(found)["RG106"] == "violated"
    assert answers_of(found)["RG204"] == "satisfied"
    again = decided("tess", binding="result")
    assert answers_of(verdict(moved, again, policy=a_policy(sign_off=(REVIEW, role))))["RG106"] == "satisfied"


def test_a_rejection_stands_until_the_same_person_takes_it_back() -> None:
    no = decided("tess", "reject", comment="the basket loses items", time=NOW - 30 * DAY)
    outcome = outcome_of(verdict(decided(), no), "RG207")
    assert outcome.answer == "violated"
    assert outcome.findings[0].message == "Tess Ng <tess@acme.example> rejected it as qa: the basket loses items"
    assert verdict(decided(), no, decided("tess", "withdraw")).decision == "allow"
    assert verdict(decided(), no, decided("tess")).decision == "allow"
    later = decided("tess", "reject", time=NOW)
    assert answers_of(verdict(decided(), decided("tess", "withdraw"), later))["RG207"] == "violated"
    assert "rejected it as qa" in outcome_of(verdict(decided(), later), "RG207").findings[0].message


def test_a_rejection_of_something_else_or_by_nobody_is_none() -> None:
    for no in (
        decided("tess", "reject", stale="it was given on commit cafe"),
        decided("tess", "reject", fault="the signature does not verify"),
        decided(None, "reject"),
        decided("omar", "reject"),
        decided("tess", "reject", role="review"),
        decided("tess", "reject", binding="change"),
    ):
        assert answers_of(verdict(decided(), no))["RG207"] == "satisfied"


def test_who_withdrew_has_not_signed_whatever_a_trailer_says() -> None:
    messages = Known((a_message(REVIEWED, TESTED),))
    assert verdict(policy=a_policy(), messages=messages).decision == "allow"
    taken_back = verdict(decided(decision="withdraw"), policy=a_policy(), messages=messages)
    assert answers_of(taken_back)["RG201"] == "violated"


def test_at_the_same_second_no_is_what_counts() -> None:
    yes, no = decided(), decided(decision="reject", digest="00")
    for pair in ((yes, no), (no, yes)):
        assert [one.decision for one in latest(pair, SIGNED_QA)] == ["reject"]


def test_evidence_that_cannot_be_read_is_never_good_news() -> None:
    found = verdict(decisions=GONE)
    assert found.decision == "undetermined"
    for rule in ("RG201", "RG205", "RG207"):
        assert answers_of(found)[rule] == "undetermined"
    standing = stand(a_policy(), QA, a_change(decisions=GONE, messages=GONE), NOW)
    assert standing.unknown == GONE


WAIVING = a_policy(sign_off=(REVIEW, SIGNED_QA), waiver=Waiver(by=("omar", "tess", "jane"), count=2, max_age=DAY))


def waiver(person: str | None = "omar", rule: str = "RG201", **overrides: Any) -> SignedWaiver:
    """Omar's signature under a waiver of RG201, for an hour."""
    fields: dict[str, Any] = {
        "rule": rule,
        "person": person,
        "claimed": person or "omar",
        "time": NOW - 60,
        "expires": NOW + 3600,
        "reason": "the shop is down",
        "incident": "INC-7",
        "digest": "cd" * 32,
    }
    return SignedWaiver(**{**fields, **overrides})


def waived(*waivers: SignedWaiver, policy: Policy = WAIVING, **overrides: Any) -> ChangeVerdict:
    return verdict(policy=policy, waivers=Known(waivers), **overrides)


def test_enough_people_let_one_rule_pass_and_it_stays_in_the_verdict() -> None:
    found = waived(waiver(), waiver("tess"))
    assert found.decision == "allow"
    outcome = outcome_of(found, "RG201")
    assert outcome.answer == "waived"
    assert outcome.findings
    assert outcome.notes[-1] == (
        "waived by Omar Haddad <omar@acme.example>, Tess Ng <tess@acme.example>: the shop is down (INC-7)"
    )
    plain = waived(waiver(incident=""), waiver("tess", incident=""))
    assert outcome_of(plain, "RG201").notes[-1].endswith("the shop is down")


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (waiver("tess", fault="the signature does not verify"), "does not verify"),
        (waiver(None), "it is nobody's"),
        (waiver("quinn"), "does not let them waive"),
        (waiver("jane"), "made a part of the change"),
        (waiver("tess", expires=NOW), "it has expired"),
        (waiver("tess", expires=NOW + 2 * DAY), "longer than the policy allows"),
        (waiver("tess", time=NOW + 2 * DAY, expires=NOW + 2 * DAY + 60), "it was signed after what landed was made"),
    ],
)
def test_a_signature_that_does_not_count_waives_nothing(one: SignedWaiver, why: str) -> None:
    outcome = outcome_of(waived(waiver(), one), "RG201")
    assert outcome.answer == "violated"
    assert any(why in note for note in outcome.notes)
    assert any("1 of 2 people so far" in note for note in outcome.notes)


@pytest.mark.parametrize("one", [waiver("tess", "RG102"), waiver("tess", stale="elsewhere"), waiver()])
def test_another_rule_another_change_and_the_same_person_twice(one: SignedWaiver) -> None:
    assert answers_of(waived(waiver(), one))["RG201"] == "violated"


def test_nobody_counts_while_the_makers_are_unknown() -> None:
    change: dict[str, Any] = {"survey": GONE, "landings": Known((a_landing(branches=Known(())),))}
    outcome = outcome_of(waived(waiver(rule="RG102"), waiver("tess", "RG102"), **change), "RG102")
    assert outcome.answer == "violated"
    assert any("who made the change is not known" in note for note in outcome.notes)


def test_some_rules_nobody_can_waive() -> None:
    found = waived(waiver(rule="RG104"), waiver("tess", "RG104"), move="rewind", stage="push")
    outcome = outcome_of(found, "RG104")
    assert outcome.answer == "violated"
    assert "nobody can waive RG104" in outcome.notes[-1]


def test_without_terms_or_with_evidence_that_is_not_known_nothing_is_waived() -> None:
    assert answers_of(waived(waiver(), waiver("tess"), policy=POLICY))["RG201"] == "violated"
    assert answers_of(judge(WAIVING, a_change(messages=Known(()), waivers=GONE)))["RG201"] == "violated"


def test_earlier_trailers_of_a_role_that_is_signed_are_only_noted() -> None:
    survey = Known(a_survey(earlier=(EarlierTrailer(TESTED, MERGE),)))
    assert answers_of(verdict(decided(), survey=survey))["RG204"] == "satisfied"
    assert answers_of(verdict(survey=survey))["RG204"] == "violated"
    assert Makers(frozenset(), frozenset()).people == frozenset()


def test_evidence_that_is_moved_is_judged_whatever_else_is() -> None:
    ref: dict[str, Any] = {
        "target": "refs/rollback-guard/evidence",
        "production": False,
        "stage": "receive",
        "head": MERGE,
    }
    moved = a_change(**ref, evidence_faults=())
    assert answers_of(judge(POLICY, moved))["RG306"] == "satisfied"
    for policy in (POLICY, None):
        found = judge(policy, moved._replace(evidence_faults=("evidence is never deleted",)))
        assert found.decision == "deny"
        assert outcome_of(found, "RG306").findings[0].message == "evidence is never deleted"
    assert answers_of(judge(POLICY, a_change()))["RG306"] == "not-applicable"


def test_a_waiver_that_held_when_it_landed_holds_for_ever() -> None:
    both = Known((waiver(expires=NOW - 30), waiver("tess", expires=NOW - 30)))
    landing = a_message(REVIEWED, bearer="landing", commit=MERGE, time=NOW - 40)
    messages = Known((landing, a_message(REVIEWED)))
    change = a_change(stage="landed", landings=Known((a_landing(),)), messages=messages, waivers=both)
    assert answers_of(judge(WAIVING, change))["RG201"] == "waived"
    late = landing._replace(time=NOW - 10)
    assert answers_of(judge(WAIVING, change._replace(messages=Known((late,)))))["RG201"] == "violated"


def test_a_rejection_that_was_taken_back_is_still_told_of() -> None:
    """Two clones that have not fetched from one another: the later date counts, and people see that there was a no."""
    no = decided(decision="reject", time=NOW - 7200)
    found = outcome_of(verdict(no, decided()), "RG207")
    assert found.answer == "satisfied"
    assert found.notes == (
        "Quinn Lee <quinn@acme.example> had rejected it as qa on 2026-11-18T09:06:40Z, and approved on "
        "2026-11-18T11:05:40Z",
    )
    withdrawn = outcome_of(verdict(no, decided(decision="withdraw")), "RG207")
    assert "and withdrew that on" in withdrawn.notes[0]
    others: list[dict[str, Any]] = [
        {"stale": "it was given elsewhere"},
        {"fault": "does not verify"},
        {"binding": "change"},
    ]
    for other in others:
        assert outcome_of(verdict(no._replace(**other), decided()), "RG207").notes == ()


def test_a_waiver_is_reviewed_by_somebody_who_had_no_part_in_it() -> None:
    policy = a_policy(waiver=Waiver(by=("omar",), count=1))
    terms: dict[str, Any] = {
        "rule": "RG201",
        "person": "omar",
        "claimed": "omar",
        "time": NOW - 7200,
        "reason": "the shop is down",
        "incident": "",
        "digest": "ab" * 32,
        "expires": NOW - 60,
    }
    landing = a_message(bearer="landing", commit=MERGE, time=NOW - 3600)
    fields: dict[str, Any] = {
        "stage": "landed",
        "messages": Known((landing, a_message())),
        "landings": Known((a_landing(),)),
    }

    def notes(*reviewers: str, **more: Any) -> tuple[str, ...]:
        given = SignedWaiver(**{**terms, **more}, reviewers=reviewers)
        outcome = outcome_of(judge(policy, a_change(**fields, waivers=Known((given,)))), "RG201")
        assert outcome.answer == "waived"
        return outcome.notes

    unreviewed = "it has expired, and nobody has reviewed it: guard waive --review abababababab"
    assert notes()[-1] == unreviewed
    assert notes("omar")[-1] == unreviewed  # signed it
    assert notes("jane")[-1] == unreviewed  # made the change
    assert notes("omar", "tess")[-1] == "reviewed by Tess Ng <tess@acme.example>"
    assert notes(expires=NOW + 60)[-1].startswith("waived by Omar")
