"""RG203: a sign-off by somebody whom the role does not name."""

from __future__ import annotations

from rollback_guard.facts.model import Unknown
from rollback_guard.gate.people import Makers, called, written
from rollback_guard.gate.proofs import decided, stand, weigh
from rollback_guard.gate.rule import Case, Rule, judge, not_applicable, undetermined
from rollback_guard.gate.signoffs import Seen, bearer_in_words, seen_sign_offs
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import listed
from rollback_guard.policy.model import Policy

ID = "RG203"
NAME = "sign-off-unauthorised"

_NOBODY = Makers(people=frozenset(), emails=frozenset())  # who made the change is RG202's question


def evaluate(case: Case) -> Outcome:
    """One finding for each sign-off whose signer is unknown or not named by the role."""
    policy, change = case.policy, case.change
    if policy is None or not policy.sign_off:
        return not_applicable(ID, NAME, "the policy asks for no sign-offs")
    if isinstance(change.messages, Unknown):
        return undetermined(ID, NAME, change.messages, "sign-offs")
    findings = [
        Finding(
            subject=seen.role.role,
            message=f"{written(seen.identity)} signs as {seen.role.role} on {bearer_in_words(seen.message, change)}, "
            + _why(seen),
            remedy=f"take that {seen.role.trailer} line out (git commit --amend), and ask one of: {_who(policy, seen)}",
        )
        for seen in seen_sign_offs(policy, change.messages.value, _NOBODY, case.as_of)
        if not seen.named
    ]
    notes = []
    for role in policy.sign_off:
        for one in weigh(policy, role, decided(change), _NOBODY, case.as_of):
            if not one.named and one.decision.decision != "withdraw":
                who = called(policy, str(one.decision.person))
                what = f"{who} signed as {role.role}, but the role does not name them"
                remedy = f"ask one of: {listed(called(policy, each) for each in sorted(policy.members_of(role.by)))}"
                if stand(policy, role, change, case.as_of).complete(role):
                    notes.append(f"{what}; not needed, the role is complete")
                else:
                    findings.append(Finding(subject=role.role, message=what, remedy=remedy))
    return judge(ID, NAME, tuple(dict.fromkeys(findings)), *notes)


def _why(seen: Seen) -> str:
    if seen.person is None:
        return "but that address belongs to none of the people"
    return f"but the role {seen.role.role} does not name {seen.person.name}"


def _who(policy: Policy, seen: Seen) -> str:
    return listed(called(policy, one) for one in sorted(policy.members_of(seen.role.by)))


RULE = Rule(
    id=ID,
    name=NAME,
    title="a sign-off by someone whom the role does not name",
    why="""A sign-off says that somebody with that duty looked. One by anybody else is a mistake or an attempt to look
approved, and both should be seen instead of being passed over.""",
    example="""`QA-by: Omar Haddad <omar@acme.example>`, and Omar is a developer; or an address that nobody has.""",
    needs=("the sign-offs, as trailers or recorded",),
    offline=True,
    remedy="""Remove the trailer and ask somebody whom the role names. If the person should be able to sign, a change
of the policy adds them to the role's `by`; a new address goes to their `emails`.""",
    evaluate=evaluate,
)
