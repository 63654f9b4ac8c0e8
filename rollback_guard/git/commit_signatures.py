"""Commits as they were signed: who git says committed them, the signature, and the very bytes that it is over.

Whether a signature is good is left to `evidence.verifier` and `git.openpgp`, whose it must be to whoever asks.
Source: git's commit.c, parse_signed_commit; Documentation/gitformat-signature.txt.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.git.process import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.git.objects import Blob

SSH = b"-----BEGIN SSH SIGNATURE-----"
_SIGNED_IN = {40: b"gpgsig", 64: b"gpgsig-sha256"}  # the header of a repository's own kind of oids


class SignedCommit(NamedTuple):
    """One commit. `signature` is b"" when it bears none; `time` is the committer's, in Unix seconds."""

    commit: str
    name: str
    email: str
    time: int
    signature: bytes
    payload: bytes  # what is signed

    @property
    def by_ssh(self) -> bool:
        return self.signature.startswith(SSH)


def read_signed_commit(commit: Blob) -> SignedCommit:
    """A commit object taken apart. Every signature header is left out of what is signed, as git leaves it out."""
    head, blank, body = commit.data.partition(b"\n\n")
    kept: list[bytes] = []
    signatures: dict[bytes, list[bytes]] = {}
    name, inside = b"", False
    for line in head.split(b"\n"):
        if line.startswith(b" ") and inside:
            signatures[name].append(line[1:])
            continue
        name, _, value = line.partition(b" ")
        inside = name.startswith(b"gpgsig")
        if inside:
            signatures.setdefault(name, []).append(value)
        else:
            kept.append(line)
    own = signatures.get(_SIGNED_IN[len(commit.oid)], [])
    who, _, when = _committer(kept).rpartition(b"> ")
    seconds = when.partition(b" ")[0]
    person, _, email = who.rpartition(b"<")
    return SignedCommit(
        commit=commit.oid,
        name=decode(person.strip()),
        email=decode(email.strip()),
        time=int(seconds) if seconds.isdigit() and len(seconds) < 16 else 0,
        signature=b"".join(line + b"\n" for line in own),
        payload=b"\n".join(kept) + blank + body,
    )


def _committer(lines: list[bytes]) -> bytes:
    return next((line.partition(b" ")[2] for line in lines if line.startswith(b"committer ")), b"")
