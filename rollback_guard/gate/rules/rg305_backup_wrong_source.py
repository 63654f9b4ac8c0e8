"""RG305: a backup was taken of something else than the policy names."""

from __future__ import annotations

from rollback_guard.gate.backups import judge_part
from rollback_guard.gate.rule import Case, Rule
from rollback_guard.gate.verdict import Outcome

ID = "RG305"
NAME = "backup-wrong-source"


def evaluate(case: Case) -> Outcome:
    """One finding for each backup that was taken of something else."""
    return judge_part(
        ID,
        NAME,
        case,
        "guard backup create NAME   # of the right one; if it has moved, say so in `identity` of that [[backup]]",
    )


RULE = Rule(
    id=ID,
    name=NAME,
    title="a backup was taken of another database, host or directory than the policy names",
    why="""A perfect backup of the staging database saves nothing. Engine and source have to be what the policy
writes. Which database that is, an attestation tells by its place, a URL without user and password, and by what the
server calls itself. The place is compared with `identity` in that `[[backup]]`; where there is none, with what
`source` says of it; and where that says nothing (`$SHOP_DATABASE_URL`), with the first attestation of that name
that counts, its server included. So of the very first one only its signer knows, unless the policy has `identity`.""",
    example="""`SHOP_DATABASE_URL` leads to staging on the machine that took the backup: its attestation says
`postgresql://stage.acme.example:5432/shop`, and all those before said `postgresql://db.acme.example:5432/shop`.""",
    needs=("the recorded attestations", "the policy's backups", "where production stands"),
    offline=True,
    remedy="""Take the backup where the variable leads to the right place. When the database has moved, have a
change land that writes `identity = "postgresql://db2.acme.example:5432/shop"` into that `[[backup]]`; until then,
`guard waive RG305 --reason "…"`.""",
    evaluate=evaluate,
)
