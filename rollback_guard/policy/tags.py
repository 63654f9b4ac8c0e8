"""Stable tags as a policy has them: which names they bear, and whose they may be. Pure."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.policy.model import Policy

REVOKED = "revoked/"  # a tag of this name on a stable tag says that it is stable no more
DATE = r"(?P<date>[0-9]+(?:\.[0-9]+)*)"
NUMBER = r"(?P<number>[0-9]{1,18})"


def explain_fault(pattern: str) -> str:
    """What is wrong with a policy's `release.tag`, or ""."""
    filled = pattern.replace("{date}", "1").replace("{number}", "1")
    if "{number}" not in pattern:
        return "must hold {number}, or two releases of one day would have one name"
    if "{" in filled or "}" in filled:
        return "may only hold the fields {date} and {number}"
    bad = any(part in filled for part in ("..", "@{", "//", " ", "~", "^", ":", "?", "*", "[", "\\", "/."))
    if bad or filled[0] in "-/." or filled.endswith((".lock", "/", ".")):
        return "is no name that git accepts for a tag"
    return ""


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


OPENPGP = "openpgp"  # before an OpenPGP key's fingerprint and packets, where other keys have their type


def signers_of(policy: Policy | None) -> tuple[str, ...] | None:
    """The public keys of the people who may sign stable tags; None when no signature is asked for."""
    return keys_of_taggers(policy) if policy is not None and policy.release.signed else None


def keys_of_taggers(policy: Policy) -> tuple[str, ...]:
    """The public keys of the people who may tag stable releases; nobody named means everybody known.

    SSH keys as `policy.keys.render_signer` writes them; OpenPGP keys as `openpgp`, the fingerprint, and the packets
    in base64.
    """
    from rollback_guard.policy.keys import read_key, render_base64, render_signer
    from rollback_guard.policy.openpgp import read_pgp_key

    allowed = policy.members_of(policy.release.by)
    found = []
    for person in policy.people:
        if allowed and person.id not in allowed:
            continue
        for line in (*person.keys, *person.openpgp):
            try:
                if line in person.openpgp:
                    key = read_pgp_key(line)
                    found.append(f"{OPENPGP} {key.fingerprint} {render_base64(key.packets)}")
                else:
                    found.append(render_signer(read_key(person.id, line)))
            except ValueError:  # a policy that nobody read: what is no key is nobody's
                continue
    return tuple(found)


def may_tag(policy: Policy, email: str) -> bool:
    """Whether an e-mail address is that of somebody who may tag stable releases; nobody named means everybody known."""
    person = policy.person_of(email)
    return person is not None and (not policy.release.by or person.id in policy.members_of(policy.release.by))


def address_of(tagger: str) -> str:
    """The e-mail address of `Jane Doe <jane@acme.example>`."""
    return tagger.rpartition("<")[2].rstrip(">")
