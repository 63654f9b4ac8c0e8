"""RG304: a backup's artefact is gone, or is not what was attested."""

from __future__ import annotations

from rollback_guard.gate.backups import judge_part
from rollback_guard.gate.rule import Case, Rule, not_applicable
from rollback_guard.gate.verdict import Outcome

ID = "RG304"
NAME = "backup-tampered"


def evaluate(case: Case) -> Outcome:
    """One finding for each backup whose artefact is not there as it was attested."""
    if case.change.stage == "landed":
        return not_applicable(ID, NAME, "it has landed; artefacts of that time may have been removed since")
    return judge_part(ID, NAME, case, "guard backup create NAME   # and find out who touched the store")


RULE = Rule(
    id=ID,
    name=NAME,
    title="a backup's artefact is gone, or its bytes do not match the attested digest",
    why="""An attestation says what was true when it was signed. What counts is what can be restored now, so the
artefact is looked at again whenever a change is judged: it must lie in the store that the policy names, under the
name that was attested, an ordinary file that is not reached by a way out of the store, with the very bytes. Where
the store cannot be seen from, the rule is undetermined, which blocks: nobody is believed.""",
    example="""Somebody cleaned up `backups/`, or put a newer dump under the same name: denied, although the
attestation is good.""",
    needs=("the recorded attestations", "the artefact in its store"),
    offline=True,
    remedy="""`guard backup create shop-db`. A check on a machine that does not have the store says undetermined:
have the gate run where the store is, or keep backups where it can read them.""",
    evaluate=evaluate,
)
