"""RG205: a role asks for a proof that a trailer does not have, or a signature does not verify."""

from __future__ import annotations

from rollback_guard.facts.model import Change, Message, Unknown
from rollback_guard.gate.people import called, person_of, written
from rollback_guard.gate.proofs import Standing, decided, first_unknown, signing, stand
from rollback_guard.gate.rule import Case, Rule, answered, not_applicable, undetermined
from rollback_guard.gate.signoffs import bearer_in_words, is_key_of, parse_signer
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.policy.model import Policy, SignOff

ID = "RG205"
NAME = "sign-off-unproven"


def evaluate(case: Case) -> Outcome:
    """Trailers without the signature that their role asks for; signatures that do not verify."""
    policy, change = case.policy, case.change
    if policy is None or not policy.sign_off:
        return not_applicable(ID, NAME, "the policy asks for no sign-offs")
    beyond = tuple(role for role in policy.sign_off if role.proof != "trailer")
    unknown = first_unknown(change.messages, change.survey, change.decisions) if beyond else None
    if unknown is not None:
        return undetermined(ID, NAME, unknown, "evidence")
    findings: list[Finding] = []
    open_questions: list[Finding] = []
    notes: list[str] = []
    for role in policy.sign_off:
        standing = stand(policy, role, change, case.as_of)
        faulty = _faulty(change, role)
        if standing.complete(role) or role.proof == "trailer":
            notes += [f"{one.message}; it counts for nothing" for one in faulty]
        else:
            findings += faulty
        if role.proof != "trailer" and not isinstance(change.messages, Unknown):
            unsigned = _unsigned(policy, change, role, change.messages.value, standing)
            if role.proof == "signature":
                findings += unsigned
            elif not standing.complete(role):  # a review on the forge may be behind it
                open_questions += unsigned
            notes += _unnamed(policy, role, change.messages.value, standing)
    return answered(
        ID, NAME, tuple(dict.fromkeys(findings)), tuple(dict.fromkeys(open_questions)), *dict.fromkeys(notes)
    )


def _faulty(change: Change, role: SignOff) -> list[Finding]:
    return [
        Finding(
            subject=role.role,
            message=f"{role.role} signed in the name of {one.claimed}: {one.fault}",
            remedy=f"guard evidence show {one.digest[:12]}   # then have it signed again",
        )
        for one in decided(change)
        if one.role == role.role and one.fault and not one.stale
    ]


def _unsigned(
    policy: Policy, change: Change, role: SignOff, messages: tuple[Message, ...], standing: Standing
) -> list[Finding]:
    """Trailers that name somebody who has not signed."""
    found = []
    for message in messages:
        for trailer in message.trailers:
            signer = parse_signer(trailer.value) if is_key_of(role, trailer.key) else None
            person = person_of(policy, signer.email) if signer is not None else None
            if signer is None or (person is not None and person.id in standing.signers):
                continue
            found.append(
                Finding(
                    subject=role.role,
                    message=f"{role.trailer}: {written(signer)} on {bearer_in_words(message, change)} is only text: "
                    "there is no signature of that person on this change",
                    remedy=signing(role, change, after="   # by that person; or take the line out of the message"),
                )
            )
    return found


def _unnamed(policy: Policy, role: SignOff, messages: tuple[Message, ...], standing: Standing) -> list[str]:
    """Signatures of people whom the message that lands does not name, as notes."""
    landing = [message for message in messages if message.bearer == "landing"]
    named = set()
    for trailer in (one for message in landing for one in message.trailers if is_key_of(role, one.key)):
        signer = parse_signer(trailer.value)
        person = person_of(policy, signer.email) if signer is not None else None
        named |= {person.id} if person is not None else set()
    unnamed = sorted(standing.signers - named) if landing else []
    return [f"{called(policy, one)} signed as {role.role}, and the message has no trailer of it" for one in unnamed]


RULE = Rule(
    id=ID,
    name=NAME,
    title="a trailer without the proof that the policy asks for, or a proof that does not verify",
    why="""Anybody can type `QA-by: Quinn Lee`. A trailer is a note between people who trust one another; a review on
a forge shows that somebody was logged in; a signature shows that somebody held the key. The policy says which of
them a role needs, and less than that does not count. A trailer that nobody signed stays in history for ever and
reads like a sign-off, so it is refused even where others have signed.""",
    example="""The role `uat` has `proof = "signature"`, and the merge bears a `UAT-by` line of somebody who has signed
nothing; or an envelope was edited after it was signed. Reviews on a forge cannot be read by this version: a role
with `proof = "forge"` is complete when enough people have signed, and undetermined until then.""",
    needs=("the proof that each role asks for", "the recorded evidence", "the trailers that count"),
    offline=True,
    remedy="""Have the person sign (`guard sign uat --into main`), or take the line out of the message. Let git write
it: `prepare-commit-msg` fills in the trailers of those who have signed.""",
    evaluate=evaluate,
)
