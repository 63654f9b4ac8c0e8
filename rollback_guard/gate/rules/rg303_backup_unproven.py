"""RG303: a backup is not proven as far as the policy asks."""

from __future__ import annotations

from rollback_guard.gate.backups import judge_part
from rollback_guard.gate.rule import Case, Rule
from rollback_guard.gate.verdict import Outcome

ID = "RG303"
NAME = "backup-unproven"


def evaluate(case: Case) -> Outcome:
    """One finding for each backup that is proven less than it must be."""
    return judge_part(ID, NAME, case, "guard backup prove NAME   # then: guard backup attest NAME")


RULE = Rule(
    id=ID,
    name=NAME,
    title="a backup's proof is below the level that the policy asks for",
    why="""A backup that nobody restored is a hope. Tools list half a dump without complaint, a dump that was cut
between two statements restores with exit code 0, and a file that was copied without its log is whole and empty. So
a backup is restored into a place of its own and compared with its source, and the policy says how far that has to
go: stored, digest, readable, restored, schema, compared, exercised.""",
    example="""The policy asks for `level = "compared"`. The backup was restored, but the attestation says
`restored`: nobody looked whether what came back is what was there.""",
    needs=("the recorded attestations", "the policy's backups", "where production stands"),
    offline=True,
    remedy="""`guard backup prove shop-db` restores it into a scratch place and compares; `guard backup attest
shop-db` signs what came of it. The level below which nothing lands is `level` in that `[[backup]]`.""",
    evaluate=evaluate,
)
