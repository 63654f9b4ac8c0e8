"""Whose a key is: the keys of a policy's people, by what a signature holds of them.

How a key is read, and when it counts, is left to `policy.keys` and `policy.openpgp`. Pure.
"""

from __future__ import annotations

from rollback_guard.policy.keys import Key, fault_at, read_key
from rollback_guard.policy.openpgp import read_pgp_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.policy.model import Policy

__all__ = ["Key", "fault_at", "keys_of", "pgp_keys_of", "read_key"]


def keys_of(policy: Policy) -> dict[bytes, Key]:
    """The keys of all people, by blob. The policy's reader refuses one that two people have."""
    found: dict[bytes, Key] = {}
    for person in policy.people:
        for line in person.keys:
            try:
                key = read_key(person.id, line)
            except ValueError:  # a policy that nobody read: what is no key is nobody's
                continue
            found.setdefault(key.blob, key)
    return found


def pgp_keys_of(policy: Policy) -> dict[str, tuple[str, bytes]]:
    """The people and packets of all OpenPGP keys, by the fingerprint of the primary key."""
    found: dict[str, tuple[str, bytes]] = {}
    for person in policy.people:
        for block in person.openpgp:
            try:
                key = read_pgp_key(block)
            except ValueError:  # as above
                continue
            found.setdefault(key.fingerprint, (person.id, key.packets))
    return found
