"""One person's OpenPGP public key as a policy has it: the block that `gpg --armor --export` prints.

Only its outer form is read here, so that a key is exactly one key, and so that a private one is never listed.
Whether a signature is good is left to gpg, which git runs. Pure.
Source: RFC 9580, 4.2 (packets), 5.5 (keys), 6 (armor); RFC 4880 for version 4 fingerprints.
"""

from __future__ import annotations

from typing import NamedTuple

BEGIN = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
END = "-----END PGP PUBLIC KEY BLOCK-----"
MOST_BYTES = 128 * 1024  # of one block: a key with many certifications may have some 30 KiB
FORM = (
    "must be an OpenPGP public key, the block that is printed by: gpg --armor --export-options export-minimal --export"
)
PUBLIC, SECRET = (6,), (5, 7)  # packet types of a primary public key, and of secret ones


class PgpKey(NamedTuple):
    """A public key: the fingerprint of its primary key (upper-case hex), and its packets."""

    fingerprint: str
    packets: bytes


def read_pgp_key(text: str) -> PgpKey:
    """The key in an armoured block. Raises: ValueError with the reason, in words."""
    packets = _unarmoured(text)
    primary: list[bytes] = []
    for kind, body in _split(packets):
        if kind in SECRET:
            raise ValueError("is a private key: nobody else may ever see it, so revoke it, and list a public one")
        if kind in PUBLIC:
            primary.append(body)
    if len(primary) != 1:
        raise ValueError(f"holds {len(primary)} keys: each is listed by itself")
    return PgpKey(fingerprint=_fingerprint(primary[0]), packets=packets)


def explain_fault(text: str) -> str:
    """What is wrong with a block, or ""."""
    try:
        read_pgp_key(text)
    except ValueError as fault:
        return str(fault)
    return ""


def _unarmoured(text: str) -> bytes:
    import base64

    lines = [line.rstrip(" \t\r") for line in text.strip().split("\n")]
    if "-----BEGIN PGP PRIVATE KEY BLOCK-----" in lines:
        raise ValueError("is a private key: nobody else may ever see it, so revoke it, and list a public one")
    if len(text) > MOST_BYTES:
        raise ValueError(f"has {len(text):,} characters; at most {MOST_BYTES:,} are read")
    if len(lines) < 4 or lines[0] != BEGIN or lines[-1] != END:
        raise ValueError(FORM)
    blank = lines.index("") if "" in lines else 0
    if not blank or not all(": " in line for line in lines[1:blank]):
        raise ValueError("is damaged: behind its first line stand headers, then an empty line, then base64")
    body = lines[blank + 1 : -1]
    checksum = body.pop() if body and body[-1].startswith("=") else ""
    try:
        packets = base64.b64decode("".join(body), validate=True)
        wanted = base64.b64decode(checksum[1:], validate=True) if checksum else None
    except ValueError:
        raise ValueError("is damaged: it is no base64") from None
    if not packets or (wanted is not None and wanted != _crc24(packets)):
        raise ValueError("is damaged: its checksum does not fit")
    return packets


def _crc24(data: bytes) -> bytes:
    """Source: RFC 4880, 6.1."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return (crc & 0xFFFFFF).to_bytes(3, "big")


def _split(data: bytes) -> list[tuple[int, bytes]]:
    """Type and body of each packet. Raises: ValueError when the data is no row of packets, to its last byte."""
    found = []
    at = 0
    while at < len(data):
        first = data[at]
        if not first & 0x80:
            raise ValueError("is damaged: it holds something that is no packet")
        if first & 0x40:
            kind, (length, start) = first & 0x3F, _new_length(data, at + 1)
        else:
            kind, width = first >> 2 & 0x0F, 1 << (first & 3)
            start = at + 1 + width
            length = int.from_bytes(data[at + 1 : start], "big") if width < 8 else -1
        if length < 0 or start + length > len(data):
            raise ValueError("is damaged: it ends too early")
        found.append((kind, data[start : start + length]))
        at = start + length
    return found


def _new_length(data: bytes, at: int) -> tuple[int, int]:
    """The length of a packet's body and where it begins; -1 for a partial one, which no key has."""
    first = data[at] if at < len(data) else 224
    if first < 192:
        return first, at + 1
    if first < 224:
        second = data[at + 1] if at + 1 < len(data) else 0
        return (first - 192 << 8) + second + 192, at + 2
    if first == 255:
        return int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
    return -1, at + 1


def _fingerprint(body: bytes) -> str:
    import hashlib

    if body[:1] != b"\x04":
        raise ValueError("is a key of another version than 4, which is what gpg makes")
    return hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).hexdigest().upper()
