"""Who counts as the same person: e-mail addresses and logins collapse to the people of the policy.

Two addresses are one person when the policy lists both under one, when one bears the person's GitHub login, or
when production's .mailmap says so (which only ever adds: nobody stops being a maker by it). An address that
nothing of this knows is only ever equal to itself, folded by case.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.facts.model import Identity, Maker, Survey
from rollback_guard.policy.identities import noreply_owner
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
    folded = fold_email(email)
    return _addresses.of(policy).get(folded) or noreply_owner(policy.people, folded)


def makers_of(policy: Policy, survey: Survey) -> Makers:
    """The makers of a change, collapsed to people. Who only merged what others made is none of them."""
    involved = [maker for maker in survey.makers if maker.part not in ("merger", "lander")]
    makers = [one for maker in involved for one in (maker.identity, maker.mapped) if one is not None]
    found = {identity.email for identity in makers if identity.email}
    known = [person_of(policy, email) for email in found]
    # Who is named without an address is whoever bears that name; a server may know a login or an id only.
    names = {identity.name.strip().casefold() for identity in makers if not identity.email}
    known += [person for person in policy.people if names & names_of(person)]
    return Makers(
        people=frozenset(person.id for person in known if person),
        emails=frozenset(fold_email(email) for email in found),
    )


def names_of(person: Person) -> frozenset[str]:
    """What a person is called where no address is told, folded by case: name, id and GitHub login."""
    login = (person.github or "").partition("#")[0]
    return frozenset(one.casefold() for one in (person.name, person.id, login) if one)


def is_known(policy: Policy, maker: Maker) -> bool:
    """Whether a maker is one of the people, by their own address or by the one that .mailmap gives."""
    return any(person_of(policy, one.email) is not None for one in (maker.identity, maker.mapped) if one is not None)


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
