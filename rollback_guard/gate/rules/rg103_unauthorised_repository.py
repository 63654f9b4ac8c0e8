"""RG103: the repository is none of those that may hold production."""

from __future__ import annotations

from rollback_guard.facts.model import Unknown
from rollback_guard.gate.rule import Case, Rule, not_applicable, satisfied, undetermined, violated
from rollback_guard.gate.verdict import Finding, Outcome
from rollback_guard.gate.wording import listed
from rollback_guard.policy.repositories import normalise_repository

ID = "RG103"
NAME = "unauthorised-repository"


def evaluate(case: Case) -> Outcome:
    """Compare the repository's normalised name with the normalised names that the policy lists."""
    policy, fact = case.policy, case.change.repository
    if policy is None:
        return not_applicable(ID, NAME)
    if policy.production.repositories is None:
        return not_applicable(ID, NAME, "the policy names no repositories, so any may hold production")
    if isinstance(fact, Unknown):
        return undetermined(ID, NAME, fact, "repository")
    name = normalise_repository(fact.value)
    allowed = tuple(normalise_repository(one) for one in policy.production.repositories)
    if name in allowed:
        return satisfied(ID, NAME)
    message = f"{name or 'a repository without a name'} is none of the authorised repositories: {listed(allowed)}"
    remedy = "git remote --verbose   # then push to, or check in, an authorised one"
    return violated(ID, NAME, (Finding(subject=name, message=message, remedy=remedy),))


RULE = Rule(
    id=ID,
    name=NAME,
    title="the repository is none of the authorised ones",
    why="""Production is deployed from certain repositories. A fork or a private copy has other people with write
access, other hooks and other reviews; what was approved there was not approved here.""",
    example="""The policy lists `github.com/acme/shop`; a push of `main` goes to `git@github.com:jane/shop.git`.
Scheme, user, port and `.git` make no difference, owner and name do.""",
    needs=("the repository's URL",),
    offline=True,
    remedy="""Push to an authorised repository (`git remote --verbose` shows where you push). If this one should
count, a change of the policy adds it to `production.repositories`.""",
    evaluate=evaluate,
)
