"""RG301 to RG306 by value: what is attested of backups, what of it counts, and what each rule says of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from rollback_guard.facts.backup_model import ArtefactState, Attestation
from rollback_guard.facts.model import Known, Restoration, SignedWaiver, Touched, Unknown
from rollback_guard.gate.backups import CLOCK, counting
from rollback_guard.gate.verdict import Outcome
from rollback_guard.gate.wording import lasting
from rollback_guard.policy.model import Backup, Policy, Waiver
from tests.support.facts import (
    BASE,
    DAY,
    HEAD,
    JANE,
    NOW,
    OMAR,
    QUINN,
    SHALLOW,
    a_change,
    a_landing,
    a_message,
    a_policy,
    a_trailer,
    an_attestation,
    answers_of,
    judge,
    outcome_of,
)

DB = Backup(name="shop-db", engine="postgresql", source="$SHOP_DATABASE_URL", by=("@release",), max_age=3600)
UPLOADS = Backup(name="uploads", engine="directory", source="/srv/uploads", by=("jane", "omar"), max_age=3600)
PLACE = "postgresql://db.acme.example:5432/shop"
POLICY = a_policy(backup=(DB,))
RULES = ("RG301", "RG302", "RG303", "RG304", "RG305", "RG306")


def backed(*found: Attestation, policy: Policy = POLICY, **facts: Any) -> dict[str, Outcome]:
    """The outcomes of the rules about backups."""
    verdict = judge(policy, a_change(**{"backups": Known(found), **facts}))
    return {rule: outcome_of(verdict, rule) for rule in RULES}


def answers(outcomes: dict[str, Outcome]) -> dict[str, str]:
    """What is not as it should be."""
    return {rule: one.answer for rule, one in outcomes.items() if one.answer != "satisfied"}


def message(outcomes: dict[str, Outcome], rule: str) -> str:
    (finding,) = outcomes[rule].findings
    assert finding.subject == "shop-db"
    assert finding.remedy
    return finding.message


def test_a_backup_in_order_satisfies_all_of_them() -> None:
    outcomes = backed(an_attestation())
    assert answers(outcomes) == {}
    assert outcomes["RG301"].notes == ("shop-db: of 2026-11-18T11:05:40Z, proven compared",)
    assert judge(POLICY, a_change(backups=Known((an_attestation(),)))).decision == "allow"


def test_without_backups_in_the_policy_none_is_asked_for() -> None:
    assert set(answers(backed(policy=a_policy())).values()) == {"not-applicable"}


NOT_THERE = dict.fromkeys(("RG302", "RG303", "RG304", "RG305"), "not-applicable")


def test_what_nobody_attests_is_missing() -> None:
    outcomes = backed()
    assert answers(outcomes) == {"RG301": "violated", **NOT_THERE}
    assert message(outcomes, "RG301") == "nobody attests a backup of shop-db"
    assert outcomes["RG301"].findings[0].remedy.startswith("guard backup create shop-db   # ")
    assert outcomes["RG302"].notes == ("shop-db: there is no attestation that counts; RG301 says so",)
    other = backed(an_attestation(name="uploads"))
    assert answers(other)["RG301"] == "violated"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"person": "omar", "claimed": "omar"}, "the policy does not let them attest it"),
        ({"person": None, "fault": "the signature does not verify"}, "the signature does not verify"),
    ],
)
def test_what_counts_for_nothing_is_said(changed: dict[str, Any], why: str) -> None:
    bad = an_attestation(**changed)
    outcomes = backed(bad)
    assert answers(outcomes) == {"RG301": "violated", "RG306": "violated", **NOT_THERE}
    assert message(outcomes, "RG301") == "nobody attests a backup of shop-db; what is recorded of it does not count"
    assert message(outcomes, "RG306").endswith(f"does not count: {why}")
    assert "shop-db: the attestation by " in message(outcomes, "RG306")
    beside = backed(bad, an_attestation())
    assert answers(beside) == {}
    assert beside["RG306"].notes[0].endswith(why)
    assert len(backed(*[bad] * 9)["RG306"].findings) == 5


@pytest.mark.parametrize(
    ("changed", "facts", "said"),
    [
        ({"snapshot": NOW - 3601}, {}, "is 60 minutes old, and may be 60 minutes old"),
        ({"snapshot": NOW - 3 * DAY}, {}, "is 3 days old, and may be 60 minutes old"),
        ({"snapshot": NOW + CLOCK + 1}, {}, "is dated 2026-11-18T11:11:41Z, and it is 2026-11-18T11:06:40Z now"),
        ({"commit": HEAD}, {}, f"protects {HEAD[:12]}, and main is at {BASE[:12]}"),
        ({}, {"protected": HEAD}, f"protects {BASE[:12]}, and main is at {HEAD[:12]}"),
    ],
)
def test_what_is_of_another_time_is_stale(changed: dict[str, Any], facts: dict[str, Any], said: str) -> None:
    outcomes = backed(an_attestation(**changed), **facts)
    assert answers(outcomes) == {"RG302": "violated"}
    assert message(outcomes, "RG302") == f"the backup shop-db {said}"


def test_the_bounds_of_its_age() -> None:
    for snapshot in (NOW - 3600, NOW, NOW + CLOCK):
        assert answers(backed(an_attestation(snapshot=snapshot))) == {}
    pushed = an_attestation(commit=HEAD)
    assert answers(backed(pushed, protected=HEAD)) == {}


def test_what_is_proven_too_little() -> None:
    outcomes = backed(an_attestation(level="schema"))
    assert answers(outcomes) == {"RG303": "violated"}
    assert message(outcomes, "RG303") == "the backup shop-db is proven schema, and the policy asks for compared"
    assert outcomes["RG303"].findings[0].remedy == "guard backup prove shop-db   # then: guard backup attest shop-db"
    assert answers(backed(an_attestation(level="exercised"))) == {}


@pytest.mark.parametrize(
    ("artefact", "answer", "said"),
    [
        (Known(ArtefactState(None)), "violated", "is gone: there is no shop-db/1.zst in its store"),
        (Known(ArtefactState("3" * 64, 10)), "violated", "was changed after it was attested: shop-db/1.zst has other"),
        (Known(ArtefactState("2" * 64, 11)), "violated", "was changed after it was attested"),
        (SHALLOW, "undetermined", "may be gone or changed: the history is shallow"),
        (None, "undetermined", "may be gone or changed: nobody has looked at its artefact"),
    ],
)
def test_its_artefact_is_looked_at(artefact: Any, answer: str, said: str) -> None:
    outcomes = backed(an_attestation(artefact=artefact))
    assert answers(outcomes) == {"RG304": answer}
    assert said in message(outcomes, "RG304")


ORIGINS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"engine": "mariadb"}, {}, "was taken from mariadb $SHOP_DATABASE_URL, and the policy says postgresql $SHOP"),
    ({"source": "$STAGE_URL"}, {}, "was taken from postgresql $STAGE_URL, and the policy says postgresql $SHOP_DATA"),
    ({}, {"identity": "postgresql://db2.acme.example/shop"}, f"was taken of {PLACE}, and the policy says postgresql:"),
    ({"before": ("postgresql://stage:5432/shop", "")}, {}, f"was taken of {PLACE} 7412, and those before of postgres"),
    ({"before": (PLACE, "9999")}, {}, f"was taken of {PLACE} 7412, and those before of {PLACE} 9999"),
    ({"source": "postgresql://stage/shop"}, {"source": "postgresql://jane:s3cret@stage/shop"}, "the policy says post"),
    (
        {"source": ""},
        {"source": "host=db password=s3cret", "identity": "postgresql://x/shop"},
        "policy says postgresql",
    ),
]


@pytest.mark.parametrize(("changed", "written", "said"), ORIGINS)
def test_what_was_taken_of_something_else(changed: dict[str, Any], written: dict[str, Any], said: str) -> None:
    outcomes = backed(an_attestation(**changed), policy=a_policy(backup=(DB._replace(**written),)))
    assert answers(outcomes) == {"RG305": "violated"}
    assert said in message(outcomes, "RG305")
    assert "s3cret" not in message(outcomes, "RG305")


@pytest.mark.parametrize(
    ("changed", "written"),
    [
        ({}, {"identity": "postgresql://db.acme.example/shop"}),
        ({"before": ("postgresql://stage:5432/shop", "1")}, {"identity": PLACE}),
        ({"before": (PLACE, "7412")}, {}),
        ({"before": (PLACE, "")}, {}),
        ({"server": "", "before": (PLACE, "7412")}, {}),
        ({"source": "postgresql://db.acme.example/shop"}, {"source": "postgresql://jane:x@db.acme.example/shop"}),
        ({"source": ""}, {"source": "host=db password=s3cret"}),
    ],
)
def test_what_was_taken_of_the_right_one(changed: dict[str, Any], written: dict[str, Any]) -> None:
    assert answers(backed(an_attestation(**changed), policy=a_policy(backup=(DB._replace(**written),)))) == {}


def test_the_best_of_several_is_taken() -> None:
    old, poor = an_attestation(snapshot=NOW - 1800), an_attestation(snapshot=NOW - 30, level="readable")
    assert answers(backed(poor, old)) == {}
    assert backed(poor, old)["RG301"].notes == backed(old)["RG301"].notes
    unseen = an_attestation(snapshot=NOW - 10, artefact=SHALLOW)
    assert answers(backed(unseen, old)) == {}
    assert answers(backed(unseen, poor)) == {"RG304": "undetermined"}
    also = an_attestation(snapshot=NOW - 30, level="stored", source="$STAGE_URL", digest="0" * 64)
    assert answers(backed(also, poor)) == {"RG303": "violated"}
    stale = an_attestation(snapshot=NOW - 7200, level="stored")
    assert answers(backed(poor, stale)) == {"RG303": "violated"}


def test_every_backup_is_asked_for() -> None:
    both = a_policy(backup=(DB, UPLOADS))
    uploads = an_attestation(name="uploads", engine="directory", source="/srv/uploads", place="directory:/srv/uploads")
    assert answers(backed(an_attestation(), uploads, policy=both)) == {}
    outcomes = backed(uploads._replace(level="stored"), policy=both)
    assert answers(outcomes) == {"RG301": "violated", "RG303": "violated"}
    assert outcomes["RG303"].findings[0].subject == "uploads"
    assert outcomes["RG303"].notes == ("shop-db: there is no attestation that counts; RG301 says so",)


def test_the_artefacts_that_are_worth_a_look_come_best_first() -> None:
    stale, poor, good = (
        an_attestation(digest="1", snapshot=NOW - 7200),
        an_attestation(digest="2", level="stored"),
        an_attestation(digest="3", snapshot=NOW - 1800),
    )
    others = (an_attestation(name="uploads"), an_attestation(person="omar"), an_attestation(fault="x"))
    change = a_change(backups=Known((stale, poor, good, *others)))
    assert counting(POLICY, change, NOW) == [[good, poor, stale]]
    assert counting(a_policy(backup=(DB, UPLOADS)), change._replace(backups=SHALLOW), NOW) == [[], []]


def test_what_is_not_known_is_not_satisfied() -> None:
    assert answers(backed(backups=SHALLOW)) == dict.fromkeys(RULES, "undetermined")


def test_where_nothing_can_be_lost_nothing_is_asked() -> None:
    assert set(answers(backed(base=Known(None))).values()) == {"not-applicable"}


@pytest.mark.parametrize("stage", ["commit", "merge", "message"])
def test_while_a_commit_is_made_backups_are_not_asked_for(stage: str) -> None:
    assert answers(backed(stage=stage)) == dict.fromkeys(RULES, "not-applicable")


@pytest.mark.parametrize("stage", ["push", "receive", "range"])
def test_when_it_is_to_land_they_are(stage: str) -> None:
    assert answers(backed(stage=stage))["RG301"] == "violated"
    assert answers(backed(stage=stage, move="delete", head=None)) == dict.fromkeys(RULES, "not-applicable")


SIGNED = a_message(a_trailer("Reviewed-by", OMAR), a_trailer("QA-by", QUINN))
LANDED_AT = NOW - 36_000
LANDED: dict[str, Any] = {
    "stage": "landed",
    "move": "forward",
    "landings": Known((a_landing(),)),
    "messages": Known((SIGNED, a_message(bearer="landing", time=LANDED_AT))),
}


def test_what_landed_is_judged_as_of_when_it_landed() -> None:
    fresh = an_attestation(snapshot=LANDED_AT - 600, time=LANDED_AT - 500, artefact=None)
    assert answers(backed(fresh, **LANDED)) == {"RG304": "not-applicable"}
    old = fresh._replace(snapshot=LANDED_AT - 3601)
    assert answers(backed(old, **LANDED)) == {"RG302": "violated", "RG304": "not-applicable"}
    # A push comes later than the merge that it brings, by less than a day for all that is known.
    pushed = fresh._replace(snapshot=LANDED_AT + 1800)
    assert answers(backed(pushed, **LANDED)) == {"RG304": "not-applicable"}
    after = fresh._replace(snapshot=LANDED_AT + DAY + 1)
    assert answers(backed(after, **LANDED))["RG302"] == "violated"


def test_what_landed_with_others_may_have_been_protected_by_one_backup() -> None:
    outcomes = backed(an_attestation(commit=HEAD, snapshot=NOW - 36_600), **LANDED)
    assert answers(outcomes) == {"RG302": "undetermined", "RG304": "not-applicable"}
    assert "whether main was there when this landed is not known here" in message(outcomes, "RG302")


def test_what_landed_by_no_merge_landed_when_its_backup_was_fresh() -> None:
    """A commit is made, then backed up for, then pushed as it is: it bears no date of that."""
    squash = {
        **LANDED,
        "landings": Known((a_landing(heads=(), squash_of="release/1.4"),)),
        "messages": Known((SIGNED._replace(bearer="landing", time=NOW - 40 * 3600),)),
    }
    taken = an_attestation(snapshot=LANDED_AT, time=NOW - 35_900, artefact=None)
    assert answers(backed(taken, **squash)) == {"RG304": "not-applicable"}
    assert "RG302" in answers(backed(taken._replace(person="omar"), an_attestation(snapshot=0), **squash))


def test_a_way_back_is_not_held_up_by_a_backup() -> None:
    back = Restoration(tag="stable/1", commit="c" * 40, committers=(JANE,))
    outcomes = backed(restoration=back)
    assert answers(outcomes) == {}
    assert outcomes["RG301"].notes == ("goes back to stable/1, whose tree it equals",)
    stranger = back._replace(committers=())
    assert answers(backed(restoration=stranger))["RG301"] == "violated"


def test_a_policy_that_names_a_backup_can_land() -> None:
    """Nobody can have attested a backup by a policy that is not in force; the next change is asked for it."""
    touched = Known(Touched(governing=("rollback-guard.toml",)))
    verdict = judge(a_policy(), a_change(touched=touched), proposed=POLICY)
    assert (verdict.decision, answers_of(verdict)["RG002"]) == ("allow", "satisfied")
    first = judge(None, a_change(touched=touched), proposed=POLICY)
    assert (first.decision, answers_of(first)["RG301"]) == ("allow", "not-applicable")
    away = judge(POLICY, a_change(touched=touched), proposed=a_policy())
    assert (away.decision, answers_of(away)["RG301"]) == ("deny", "violated")


def waiver(rule: str, person: str = "omar") -> SignedWaiver:
    return SignedWaiver(
        rule=rule,
        person=person,
        claimed=person,
        time=NOW - 60,
        expires=NOW + 3600,
        reason="the database is down",
        incident="",
        digest=rule,
    )


WAIVING = POLICY._replace(waiver=Waiver(by=("omar",)))
SHORTCOMINGS = {
    "RG301": (),
    "RG302": (an_attestation(commit=HEAD),),
    "RG303": (an_attestation(level="stored"),),
    "RG304": (an_attestation(artefact=Known(ArtefactState(None))),),
    "RG305": (an_attestation(source="$STAGE_URL"),),
}


@pytest.mark.parametrize("rule", SHORTCOMINGS)
def test_somebody_may_answer_for_what_a_backup_lacks(rule: str) -> None:
    change = a_change(backups=Known(SHORTCOMINGS[rule]), waivers=Known((waiver(rule),)))
    verdict = judge(WAIVING, change)
    assert (verdict.decision, answers_of(verdict)[rule]) == ("allow", "waived")
    assert judge(POLICY, change).decision == "deny"


def test_nobody_waives_what_does_not_verify_and_what_is_not_known() -> None:
    bad = (an_attestation(fault="the signature does not verify"),)
    waivers = Known((waiver("RG301"), waiver("RG304"), waiver("RG306")))
    verdict = judge(WAIVING, a_change(backups=Known(bad), waivers=waivers))
    assert (verdict.decision, answers_of(verdict)["RG306"]) == ("deny", "violated")
    unseen = judge(WAIVING, a_change(backups=Known((an_attestation(artefact=Unknown("x")),)), waivers=waivers))
    assert unseen.decision == "undetermined"


def test_spans_in_the_largest_unit_of_which_there_are_two() -> None:
    spans = [lasting(one) for one in (1, 90, 3600, 7300, 200_000)]
    assert spans == ["1 second", "90 seconds", "60 minutes", "2 hours", "2 days"]
