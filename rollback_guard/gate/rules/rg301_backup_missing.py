"""RG301: no attestation of a backup that the policy names counts."""

from __future__ import annotations

from rollback_guard.facts.backup_model import Attestation
from rollback_guard.gate.backups import Standing, ask
from rollback_guard.gate.rule import Case, Rule, judge
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import in_utc

ID = "RG301"
NAME = "backup-missing"


def evaluate(case: Case) -> Outcome:
    """One finding for each backup of which nothing is attested."""
    standings = ask(ID, NAME, case)
    if isinstance(standings, Outcome):
        return standings
    findings = [
        Finding(
            subject=one.backup.name,
            message=f"nobody attests a backup of {one.backup.name}{_beside(one)}",
            remedy=f"guard backup create {one.backup.name}   # or, if somebody did: guard evidence fetch",
        )
        for one in standings
        if one.best is None
    ]
    return judge(ID, NAME, tuple(findings), *(_words(one.best) for one in standings if one.best is not None))


def _words(one: Attestation) -> str:
    return f"{one.name}: of {in_utc(one.snapshot)}, proven {one.level}"


def _beside(standing: Standing) -> str:
    return "; what is recorded of it does not count" if standing.refused else ""


RULE = Rule(
    id=ID,
    name=NAME,
    title="no attestation of a backup that the policy names",
    why="""What goes wrong with a release is not always the code. Before anything lands, the state that it may spoil
has to lie somewhere safe, and somebody who may say so has to have signed that it does. The gate reads signed
attestations, not schedules: a job that was to run at night is none. It asks when a change is pushed or checked, not
while commits are made; and not of a change that brings the policy which names the backup, nor of one that goes back
to a stable release.""",
    example="""The policy has `[[backup]] name = "shop-db"`, and nobody has backed it up since `main` moved to where
it is and never before. The change is denied.""",
    needs=("the recorded attestations", "the policy's backups", "where production stands"),
    offline=True,
    remedy="""`guard backup create shop-db` takes the backup, proves it by restoring it, and records the
attestation; it needs the key of somebody whom `by` of that `[[backup]]` names. If that was done elsewhere: `guard
evidence fetch`. When the database is what is broken, `guard waive RG301 --reason "…"`.""",
    evaluate=evaluate,
)
