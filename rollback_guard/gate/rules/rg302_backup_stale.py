"""RG302: a backup is too old, or protects another commit of production."""

from __future__ import annotations

from rollback_guard.gate.backups import judge_part
from rollback_guard.gate.rule import Case, Rule
from rollback_guard.gate.verdict import Outcome

ID = "RG302"
NAME = "backup-stale"


def evaluate(case: Case) -> Outcome:
    """One finding for each backup whose newest attestation is of another time than it must be."""
    return judge_part(ID, NAME, case, "guard backup create NAME")


RULE = Rule(
    id=ID,
    name=NAME,
    title="a backup is older than max-age, or was taken before the production commit that it must protect",
    why="""A restore loses what was written since the snapshot, so the policy says how much that may be. The age is
counted from the snapshot to the moment of the verdict, not from when somebody signed, and a snapshot of the future
is none. And it has to protect the very commit that production is at: a backup of before the last deployment has
another schema, and nobody has shown that the code which runs now can live with it. Afterwards, `guard audit` counts
to when it landed.""",
    example="""`max-age = "1h"`, and the newest backup of `shop-db` is three hours old. Or it is ten minutes old,
but `main` has moved since.""",
    needs=("the recorded attestations", "the policy's backups", "where production stands"),
    offline=True,
    remedy="""`guard backup create shop-db`, at the commit where production is now. When several landings are pushed
at once, a backup of where production stood before the push protects them all.""",
    evaluate=evaluate,
)
