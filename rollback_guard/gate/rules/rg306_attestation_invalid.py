"""RG306: evidence that is pushed is none, or would be lost; or no attestation of a backup is by somebody who may."""

from __future__ import annotations

from rollback_guard.gate.backups import ask
from rollback_guard.gate.rule import Case, Rule, judge
from rollback_guard.gate.verdict import Finding, Outcome

ID = "RG306"
NAME = "attestation-invalid"

TOLD = 5  # attestations of one backup that are told of


def evaluate(case: Case) -> Outcome:
    """One finding for each reason why the evidence ref may not move so, or why nothing attests a backup."""
    faults = case.change.evidence_faults
    if faults is None:
        return _attestations(case)
    remedy = "guard evidence push   # it joins what is there; nothing recorded is ever taken away"
    return judge(ID, NAME, tuple(Finding(subject=case.change.target, message=one, remedy=remedy) for one in faults))


def _attestations(case: Case) -> Outcome:
    """What is refused is a finding where nothing else attests that backup, else a note: anybody could record some."""
    standings = ask(ID, NAME, case)
    if isinstance(standings, Outcome):
        return standings
    findings, notes = [], []
    for standing in standings:
        name = standing.backup.name
        remedy = f"guard backup attest {name}   # by somebody whom `by` of that [[backup]] names"
        for message in standing.refused[:TOLD]:
            if standing.best is not None:
                notes.append(f"{name}: {message}")
            else:
                findings.append(Finding(subject=name, message=f"{name}: {message}", remedy=remedy))
    return judge(ID, NAME, tuple(findings), *notes)


RULE = Rule(
    id=ID,
    name=NAME,
    title="evidence is removed, altered, or is none; or nothing attests a backup but what does not verify, or is by "
    "somebody who may not",
    why="""Whoever can take a rejection away, or put something else in the place of a sign-off, decides what the
gate sees. So a server takes new envelopes and nothing else: no deletion, no move backwards, no file that is not
named by its own digest, no link, no submodule, nothing that cannot be read as a statement, lies in another place
than it says, or bears no signature by somebody of the policy of a production branch, and no flood. What the signer
may is asked when a change is judged, by the policy that judges it.

Where the policy names backups, an attestation counts when its signature verifies by a key that production lists, at
a moment when that key counted, and its signer is among `by` of that `[[backup]]`. Where another one counts, what
does not is a note; where none does, each is a finding here, beside RG301. No waiver excuses from this: whoever may
attest records one, however little it proves, and what that lacks can be waived.""",
    example="""`git push --force origin :refs/rollback-guard/evidence`, after a rejection was recorded.""",
    needs=("the evidence that is there, and the evidence that is pushed", "the recorded attestations of backups"),
    offline=True,
    remedy="""`guard evidence push` fetches what others recorded, joins it with yours, and pushes both. A backup is
attested anew by somebody who may: `guard backup attest shop-db`.""",
    evaluate=evaluate,
)
