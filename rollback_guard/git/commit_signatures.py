"""Commits as they were signed: who committed them, the signature, and the very bytes that it is over.

A commit can be written so that two readers see two people in it; here it must say one thing, to the letter.
Whether a signature is good is left to `evidence.verifier` and `git.openpgp`, whose it must be to whoever asks.
Source: git's commit.c, parse_signed_commit; Documentation/gitformat-signature.txt.
"""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.git.openpgp import PGP_SIGNATURE
from rollback_guard.git.process import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollback_guard.git.objects import Blob

SSH = b"-----BEGIN SSH SIGNATURE-----"
PGP = PGP_SIGNATURE.encode()
SIGNED_IN = {40: b"gpgsig", 64: b"gpgsig-sha256"}  # the header of a repository's own kind of oids
ODD = "its header can be read in two ways"
# In these, no byte below 128 is ever part of another character, so that a header's lines are what they seem.
_PLAIN_ENCODINGS: tuple[str, ...] = (
    "utf-8",
    "utf8",
    "us-ascii",
    "ascii",
    "latin1",
    "latin-1",
    "iso-8859-",
    "iso8859-",
    "windows-125",
)
_PLAIN_ENCODINGS += ("cp125", "koi8-r", "koi8-u", "euc-jp", "euc-kr", "gb2312")


class SignedCommit(NamedTuple):
    """One commit. `signature` is b"" when it bears none; `time` is the committer's, in Unix seconds.

    `odd` says why nobody can tell who committed it, or "".
    """

    commit: str
    name: str
    email: str
    time: int
    signature: bytes
    payload: bytes  # what is signed
    odd: str = ""

    @property
    def by_ssh(self) -> bool:
        return self.signature.startswith(SSH)

    @property
    def by_openpgp(self) -> bool:
        return self.signature.startswith(PGP)


def read_signed_commit(commit: Blob) -> SignedCommit:
    """A commit object taken apart. Both signature headers are left out of what is signed, as git leaves them out."""
    head, blank, body = commit.data.partition(b"\n\n")
    kept: list[bytes] = []
    signatures: dict[bytes, list[bytes]] = {}
    name, inside = b"", False
    for line in head.split(b"\n"):
        if line.startswith(b" ") and inside:
            signatures[name].append(line[1:])
            continue
        name, _, value = line.partition(b" ")
        inside = name in SIGNED_IN.values()
        if inside:
            signatures.setdefault(name, []).append(value)
        else:
            kept.append(line)
    own = signatures.get(SIGNED_IN[len(commit.oid)], [])
    committer = next((line.partition(b" ")[2] for line in kept if line.startswith(b"committer ")), b"")
    who, _, when = committer.rpartition(b"> ")
    seconds = when.partition(b" ")[0]
    person, _, email = who.rpartition(b"<")
    return SignedCommit(
        commit=commit.oid,
        name=decode(person.strip()),
        email=decode(email),
        time=int(seconds) if seconds.isdigit() and len(seconds) < 16 else 0,
        signature=b"".join(line + b"\n" for line in own),
        payload=b"\n".join(kept) + blank + body,
        odd=_why_odd(kept),
    )


def _why_odd(lines: list[bytes]) -> str:
    """Why a commit's header does not say one thing only, or ""."""
    names = [line.partition(b" ")[0] for line in lines if not line.startswith(b" ")]
    for once in (b"author", b"committer", b"tree"):
        if names.count(once) != 1:
            return ODD
    if any(b"\0" in line for line in lines):
        return ODD
    if any(name.startswith(b"gpgsig") for name in names) or names.count(b"encoding") > 1:
        return ODD
    for line in lines:
        name, _, value = line.partition(b" ")
        if name in (b"author", b"committer") and (value.count(b"<") != 1 or value.count(b">") != 1):
            return ODD
        if name == b"encoding" and not decode(value).lower().startswith(_PLAIN_ENCODINGS):
            return f"its header is written in the encoding {decode(value)[:40]}"
    return ""
