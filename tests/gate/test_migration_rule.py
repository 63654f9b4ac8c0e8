"""RG402: migrations that cannot be undone, by value: who is told what, and what lets one pass."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from rollback_guard.facts.model import Known, Restoration, RiskyMigration, SignedWaiver, Unknown
from rollback_guard.gate.verdict import Outcome
from rollback_guard.policy.model import Backup, Policy, Waiver
from tests.support.facts import JANE, NOW, SHALLOW, a_change, a_policy, an_attestation, judge, outcome_of

RISKY = RiskyMigration(
    path="db/migrations/7_less.sql",
    id="7_less",
    framework="sql",
    state="added",
    reasons=("has no way back", "drops column orders.note"),
)
BACKUP = Backup(name="shop-db", engine="sqlite", source="shop.db", by=("@release",), max_age=3600)
PLAIN = a_policy()
WAIVING = a_policy(waiver=Waiver(by=("omar", "tess"), count=2))
BACKED = WAIVING._replace(backup=(BACKUP,))


def rg402(*found: RiskyMigration, policy: Policy = PLAIN, **overrides: Any) -> Outcome:
    return outcome_of(judge(policy, a_change(irreversible=Known(found), **overrides)), "RG402")


def test_each_migration_without_a_way_back_is_a_finding() -> None:
    assert rg402().answer == "satisfied"
    outcome = rg402(RISKY, RISKY._replace(path="db/8_x.sql", state="renamed", reasons=()))
    assert outcome.answer == "violated"
    assert [(one.subject, one.message, one.remedy) for one in outcome.findings] == [
        (RISKY.path, "cannot be undone: has no way back, drops column orders.note", "write its way back"),
        ("db/8_x.sql", "cannot be undone", "write its way back"),
    ]
    (finding,) = rg402(RISKY._replace(reasons=("x" * 1000, "b", "c", "d"))).findings
    assert finding.message == f"cannot be undone: {'x' * 200}…, b, c and 1 more"


def test_what_landed_must_stay_as_it_ran() -> None:
    deleted = RISKY._replace(state="deleted", path="db/it's.sql", reasons=("was deleted after it may have run",))
    (finding,) = rg402(deleted).findings
    assert finding.message == "was deleted after it may have run"
    command = shlex.split(finding.remedy, comments=True)
    assert command == ["git", "restore", "--source=main", "--", "db/it's.sql"]
    edited = RISKY._replace(state="edited", reasons=("was edited after it may have run",))
    (finding,) = rg402(edited).findings
    assert shlex.split(finding.remedy, comments=True) == ["git", "show", f"main:{RISKY.path}", ">", RISKY.path]
    (finding,) = rg402(edited._replace(old_path="old/7.sql")).findings
    assert shlex.split(finding.remedy, comments=True) == ["git", "show", "main:old/7.sql", ">", RISKY.path]


def test_what_loses_data_or_is_taken_back_is_noted() -> None:
    outcome = rg402(RISKY._replace(risk="lossy"), RISKY._replace(risk="taken-back", state="deleted"))
    assert (outcome.answer, outcome.findings) == ("satisfied", ())
    lossy, back = outcome.notes
    assert lossy == f'"{RISKY.path}" has a way back that loses data: has no way back, drops column orders.note'
    assert back.startswith(f'"{RISKY.path}" is taken back by a revert; the database stays as it left it')
    assert len(rg402(RISKY, RISKY._replace(risk="lossy")).notes) == 1


def attested(**overrides: Any) -> dict[str, Any]:
    return {"backups": Known((an_attestation(source="shop.db", engine="sqlite", **overrides),))}


def test_a_backup_covers_what_cannot_be_undone() -> None:
    outcome = rg402(RISKY, policy=BACKED, **attested())
    assert (outcome.answer, outcome.findings) == ("satisfied", ())
    said = "cannot be undone: has no way back, drops column orders.note; covered by shop-db of 2026-11-18T11:05:40Z"
    assert outcome.notes == (f'"{RISKY.path}" {said}',)
    assert rg402(policy=BACKED).answer == "satisfied"
    assert rg402(RISKY._replace(risk="lossy"), policy=BACKED).answer == "satisfied"


@pytest.mark.parametrize(
    ("facts", "answer", "said"),
    [
        ({}, "violated", "No backup covers it: there is no attestation of shop-db that counts"),
        (attested(level="restored"), "violated", "No backup covers it: the backup shop-db is proven restored"),
        (attested(snapshot=NOW - 7200), "violated", "the backup shop-db is 2 hours old, and may be 60 minutes old"),
        (attested(artefact=SHALLOW), "undetermined", "may be gone or changed: the history is shallow"),
        ({"backups": SHALLOW}, "undetermined", "No backup covers it: the history is shallow"),
    ],
)
def test_a_backup_that_does_not_stand_covers_nothing(facts: dict[str, Any], answer: str, said: str) -> None:
    outcome = rg402(RISKY, policy=BACKED, **facts)
    assert outcome.answer == answer
    assert said in outcome.findings[0].message
    assert outcome.findings[0].message.startswith("cannot be undone: has no way back")


def test_files_bring_no_rows_back() -> None:
    uploads = BACKUP._replace(name="uploads", engine="directory", source="/srv/uploads")
    only_files = WAIVING._replace(backup=(uploads,))
    assert rg402(RISKY, policy=only_files, **attested(name="uploads")).findings[0].message.endswith("orders.note")
    both = WAIVING._replace(backup=(BACKUP, uploads))
    assert rg402(RISKY, policy=both, **attested()).answer == "satisfied"
    two = WAIVING._replace(backup=(BACKUP, BACKUP._replace(name="other")))
    assert "no attestation of other" in rg402(RISKY, policy=two, **attested()).findings[0].message


def test_while_a_merge_is_made_backups_are_not_asked_for() -> None:
    for stage in ("merge", "message"):
        outcome = rg402(RISKY, policy=BACKED, stage=stage)
        assert outcome.answer == "not-applicable"
        assert "whether a backup covers it is asked at the push" in outcome.notes[0]
        assert rg402(RISKY, stage=stage).answer == "violated"


def test_what_is_not_known_and_what_landed() -> None:
    found = outcome_of(judge(PLAIN, a_change(irreversible=Unknown("a blob is missing", "git fetch"))), "RG402")
    assert (found.answer, found.findings[0].subject, found.findings[0].remedy) == ("undetermined", "main", "git fetch")
    assert rg402(RISKY, stage="landed").answer == "not-applicable"
    assert rg402(RISKY, production=False).answer == "not-applicable"
    assert rg402(RISKY, stage="push", move="rewind", head="b" * 40).answer == "violated"


def waiver(person: str, rule: str = "RG402") -> SignedWaiver:
    return SignedWaiver(
        rule=rule,
        person=person,
        claimed=person,
        time=NOW - 60,
        expires=NOW + 3600,
        reason="nobody reads it",
        incident="",
        digest=person + rule,
    )


@pytest.mark.parametrize("policy", [WAIVING, BACKED])
def test_somebody_may_answer_for_it(policy: Policy) -> None:
    assert 'guard waive RG402 --into main --reason "' in rg402(RISKY, policy=policy).findings[0].remedy
    waivers = Known(tuple(waiver(who, rule) for who in ("omar", "tess") for rule in ("RG301", "RG402")))
    change = a_change(irreversible=Known((RISKY,)), waivers=waivers)
    verdict = judge(policy, change)
    assert (verdict.decision, outcome_of(verdict, "RG402").answer) == ("allow", "waived")
    alone = judge(policy, change._replace(waivers=Known((waiver("omar"),))))
    assert alone.decision != "allow"
    assert "waived by 1 of 2 people" in outcome_of(alone, "RG402").notes[-1]


def test_a_way_back_brings_nothing_new_past_it() -> None:
    """Going to a stable release may also mean going forward to it again."""
    back = Restoration(tag="stable/1", commit="b" * 40, committers=(JANE,))
    assert rg402(RISKY, restoration=back).answer == "violated"
    assert rg402(RISKY._replace(risk="taken-back"), restoration=back).answer == "satisfied"


def test_what_is_not_looked_into_is_for_somebody_to_look_into() -> None:
    one = RISKY._replace(reasons=("is a submodule in the place of migrations, which is not looked into",))
    assert "have somebody look into what it leads to" in rg402(one).findings[0].remedy
