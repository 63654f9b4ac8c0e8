"""Stable tags as a policy has them: which names they bear, and whose they may be. Pure."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.policy.model import Policy

REVOKED = "revoked/"  # a tag of this name on a stable tag says that it is stable no more
DATE = r"(?P<date>[0-9]+(?:\.[0-9]+)*)"
NUMBER = r"(?P<number>[0-9]{1,18})"


def name_pattern(pattern: str) -> re.Pattern[str]:
    """The names that a policy's `release.tag` stands for: {date} digits and dots, {number} digits."""
    parts = re.split(r"(\{date\}|\{number\})", pattern)
    seen: set[str] = set()
    text = ""
    for part in parts:
        if part in ("{date}", "{number}"):
            kind = DATE if part == "{date}" else NUMBER
            text += f"(?P={part[1:-1]})" if part in seen else kind
            seen.add(part)
        else:
            text += re.escape(part)
    return re.compile(text, re.ASCII)


def signers_of(policy: Policy | None) -> tuple[str, ...] | None:
    """The public keys of the people who may sign stable tags; None when no signature is asked for."""
    return keys_of_taggers(policy) if policy is not None and policy.release.signed else None


def keys_of_taggers(policy: Policy) -> tuple[str, ...]:
    """The public keys of the people who may tag stable releases; nobody named means everybody known."""
    allowed = policy.members_of(policy.release.by)
    return tuple(key for person in policy.people if not allowed or person.id in allowed for key in person.keys)


def may_tag(policy: Policy, email: str) -> bool:
    """Whether an e-mail address is that of somebody who may tag stable releases; nobody named means everybody known."""
    person = policy.person_of(email)
    return person is not None and (not policy.release.by or person.id in policy.members_of(policy.release.by))


def address_of(tagger: str) -> str:
    """The e-mail address of `Jane Doe <jane@acme.example>`."""
    return tagger.rpartition("<")[2].rstrip(">")
