"""RG306: evidence that is pushed is none, or evidence that is there already would be lost."""

from __future__ import annotations

from rollback_guard.gate.rule import Case, Rule, judge, not_applicable
from rollback_guard.gate.verdict import Finding, Outcome

ID = "RG306"
NAME = "attestation-invalid"


def evaluate(case: Case) -> Outcome:
    """One finding for each reason why the evidence ref may not move as it is asked to."""
    faults = case.change.evidence_faults
    if faults is None:
        return not_applicable(ID, NAME, "no evidence is moved")
    remedy = "guard evidence push   # it joins what is there; nothing recorded is ever taken away"
    return judge(ID, NAME, tuple(Finding(subject=case.change.target, message=one, remedy=remedy) for one in faults))


RULE = Rule(
    id=ID,
    name=NAME,
    title="evidence is removed, altered, or is none: what is signed is only ever added to",
    why="""Whoever can take a rejection away, or put something else in the place of a sign-off, decides what the gate
sees. So a server takes new envelopes and nothing else: no deletion, no move backwards, no file that is not named
by its own digest, no link, no submodule, nothing that cannot be read as a statement, lies in another place than it
says, or bears no signature by somebody of the policy of a production branch, and no flood. What the signer may is
asked when a change is judged, by the policy that judges it.""",
    example="""`git push --force origin :refs/rollback-guard/evidence`, after a rejection was recorded.""",
    needs=("the evidence that is there, and the evidence that is pushed",),
    offline=True,
    remedy="""`guard evidence push` fetches what others recorded, joins it with yours, and pushes both.""",
    evaluate=evaluate,
)
