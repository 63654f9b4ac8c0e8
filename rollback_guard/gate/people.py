"""Who counts as the same person: e-mail addresses collapse to the people of the policy.

Two addresses are one person when the policy lists both under one; an address that it does not list is
only ever equal to itself, folded by case.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.facts.model import Identity, Survey
from rollback_guard.policy.model import Person, Policy


class Makers(NamedTuple):
    """Everybody who authored, committed or co-authored a part of a change."""

    people: frozenset[str]  # ids
    emails: frozenset[str]  # folded


class _Addresses:
    """The address book of the policy that was asked last: one policy judges thousands of commits in a row."""

    __slots__ = ("book", "policy")

    def __init__(self) -> None:
        self.policy: Optional[Policy] = None
        self.book: dict[str, Person] = {}

    def of(self, policy: Policy) -> dict[str, Person]:
        if self.policy is not policy:
            self.book = {}
            for person in policy.people:
                for email in person.emails:
                    self.book.setdefault(fold_email(email), person)
            self.policy = policy
        return self.book


_addresses = _Addresses()


def fold_email(email: str) -> str:
    """An e-mail address as it is compared."""
    return email.strip().casefold()


def person_of(policy: Policy, email: str) -> Person | None:
    """The person whom an address belongs to: `Policy.person_of` in constant time."""
    return _addresses.of(policy).get(fold_email(email))


def makers_of(policy: Policy, survey: Survey) -> Makers:
    """The makers of a change, collapsed to people. Who only merged what others made is none of them."""
    makers = [maker.identity for maker in survey.makers if maker.part != "merger"]
    found = {identity.email for identity in makers if identity.email}
    known = [person_of(policy, email) for email in found]
    # Who is named without an address is whoever bears that name.
    names = {identity.name.strip().casefold() for identity in makers if not identity.email}
    known += [person for person in policy.people if person.name.casefold() in names]
    return Makers(
        people=frozenset(person.id for person in known if person),
        emails=frozenset(fold_email(email) for email in found),
    )


def is_maker(makers: Makers, identity: Identity, person: Person | None) -> bool:
    """Whether somebody made a part of the change, under this address or another one of theirs."""
    return fold_email(identity.email) in makers.emails or (person is not None and person.id in makers.people)


def called(policy: Policy, person_id: str) -> str:
    """A person as people say it: `Quinn Lee <quinn@acme.example>`."""
    for person in policy.people:
        if person.id == person_id:
            return f"{person.name} <{person.emails[0]}>" if person.emails else person.name
    return person_id


def written(identity: Identity) -> str:
    """An identity as git writes it."""
    return f"{identity.name} <{identity.email}>"
