"""Sign-offs as trailers: reading them off the messages that count, and what makes one valid.

A trailer counts on the head commit and on the commit that lands, nowhere else (design, section 5).
Shared by RG106 and RG201 to RG206; each of those says which flaw it reports.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.facts.model import Change, Identity, Message
from rollback_guard.gate.people import Makers, is_maker, person_of
from rollback_guard.policy.model import Person, Policy, SignOff

DAY = 86400  # seconds; a clock may be this far ahead before a date counts as false


class Seen(NamedTuple):
    """One sign-off trailer of one role, and what is to be said of it."""

    role: SignOff
    identity: Identity
    person: Optional[Person]
    message: Message
    maker: bool  # its signer made a part of the change
    named: bool  # the role names its signer
    late: str  # why its date does not count, or ""

    @property
    def valid(self) -> bool:
        """Whether it counts towards the role."""
        return self.named and not self.maker and not self.late


def parse_signer(value: str) -> Identity | None:
    """The identity in a trailer's value, `Name <email>`, or None when it has another form."""
    name, opened, rest = value.strip().partition("<")
    email, closed, after = rest.partition(">")
    well_formed = opened and closed and not after and "<" not in email and name.strip()
    if not well_formed or "@" not in email or email != email.strip() or any(map(str.isspace, email)):
        return None
    return Identity(name=name.strip(), email=email)


def is_key_of(role: SignOff, key: str) -> bool:
    """Whether a trailer's key is the role's, whatever its case."""
    return key.casefold() == role.trailer.casefold()


def lateness(role: SignOff, time: int | None, as_of: int) -> str:
    """Why a sign-off of that time (Unix seconds; None is now) is out of date at `as_of`, or ""."""
    if time is None:
        return ""
    if time > as_of + DAY:
        return "its date lies in the future"
    if role.max_age is not None and as_of - time > role.max_age:
        return f"it is {in_words(as_of - time)} old, and may be {in_words(role.max_age)}"
    return ""


def in_words(seconds: int) -> str:
    """A duration as the policy writes it: `14d`, `36h`, `90m`, `10s`."""
    for unit, size in (("d", DAY), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def seen_sign_offs(
    policy: Policy, messages: tuple[Message, ...], makers: Makers, as_of: int, *, role: SignOff | None = None
) -> tuple[Seen, ...]:
    """Every well-formed sign-off of the policy's roles (or of one) on the messages that count."""
    roles = policy.sign_off if role is None else (role,)
    found = []
    for one in roles:
        allowed = policy.members_of(one.by)
        for message in messages:
            for trailer in message.trailers:
                signer = parse_signer(trailer.value) if is_key_of(one, trailer.key) else None
                if signer is None:
                    continue
                person = person_of(policy, signer.email)
                found.append(
                    Seen(
                        role=one,
                        identity=signer,
                        person=person,
                        message=message,
                        maker=is_maker(makers, signer, person),
                        named=person is not None and person.id in allowed,
                        late=lateness(one, message.time, as_of),
                    )
                )
    return tuple(found)


def valid_signers(seen: tuple[Seen, ...]) -> frozenset[str]:
    """The ids of the people whose sign-offs count, each once."""
    return frozenset(one.person.id for one in seen if one.valid and one.person is not None)


def bearer_in_words(message: Message, change: Change) -> str:
    """The commit that bears a trailer, for a finding."""
    if message.commit:
        return f"commit {message.commit[:12]}"
    return "the commit in the making" if change.head is None else "the merge in the making"
