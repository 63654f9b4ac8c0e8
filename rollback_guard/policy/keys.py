"""One person's public key as a policy has it: a line of a .pub file, perhaps with the dates between which it counts.

    valid-after="20260101",valid-before="20270101" ssh-ed25519 AAAA… jane@laptop

Dates are UTC always, with or without a Z, and both moments count as within. Each key has exactly one spelling
that is accepted, so that one key is never two. Signatures are left to `evidence`. Pure.
Source: ssh-keygen(1), ALLOWED SIGNERS; RFC 4253, 6.6 and RFC 5656, 3.1; OpenSSH's PROTOCOL.u2f.
"""

from __future__ import annotations

from time import gmtime, strftime
from typing import NamedTuple, Optional

MOST_BYTES = 16 * 1024  # of one key; the longest that ssh-keygen makes has 2 KiB
LEAST_RSA = 2048  # bits; what ssh asks for too (RequiredRSASize)
MOST_RSA = 16384  # bits; OpenSSH reads no longer ones
OPTIONS = ("valid-after", "valid-before")
FORM = "must be a public key as in a .pub file, such as ssh-ed25519 AAAA…"
_CURVES = {"nistp256": 65, "nistp384": 97, "nistp521": 133}  # bytes of an uncompressed point
TYPES = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    *(f"ecdsa-sha2-{curve}" for curve in _CURVES),
    "ssh-rsa",
)


class Key(NamedTuple):
    """A public key and whose it is. `blob` is what the base64 of a .pub file holds.

    `fingerprint` is "SHA256:…" as `ssh-keygen -l` shows it; the dates are Unix seconds, None for no bound.
    """

    person: str
    type: str
    blob: bytes
    fingerprint: str
    valid_after: Optional[int] = None
    valid_before: Optional[int] = None


def read_key(person: str, line: str) -> Key:
    """A person's key from its line in the policy. Raises: ValueError with the reason, in words."""
    kind, blob, after, before = parse_key(line)
    return Key(
        person=person,
        type=kind,
        blob=blob,
        fingerprint=fingerprint_of(blob),
        valid_after=after,
        valid_before=before,
    )


def parse_key(line: str) -> tuple[str, bytes, int | None, int | None]:
    """Type, blob, first and last moment of a line. Raises: ValueError with the reason, in words."""
    words = [word for word in line.split(" ") if word]
    after = before = None
    if words and words[0] not in TYPES:
        after, before = _read_options(words.pop(0))
    if len(words) < 2 or words[0] not in TYPES:
        raise ValueError(FORM)
    blob = read_base64(words[1])
    check_blob(words[0], blob)
    return words[0], blob, after, before


def explain_fault(line: str) -> str:
    """What is wrong with a line, or ""."""
    try:
        parse_key(line)
    except ValueError as fault:
        return str(fault)
    return ""


def fault_at(key: Key, moment: int) -> str:
    """Why the key does not count at a moment (Unix seconds), or ""."""
    if key.valid_after is not None and moment < key.valid_after:
        return f"the key counts from {_shown(key.valid_after)} on"
    if key.valid_before is not None and moment > key.valid_before:
        return f"the key expired on {_shown(key.valid_before)}"
    return ""


def render_signer(key: Key) -> str:
    """The key as ssh's allowed_signers has it behind the principal, for a reader whose time zone is UTC.

    Dates bear no Z, which ssh-keygen reads from 9.1 on only.
    """
    dates = zip(OPTIONS, (key.valid_after, key.valid_before), strict=True)
    options = ",".join(f'{name}="{_digits(when)}"' for name, when in dates if when is not None)
    return " ".join(part for part in (options, key.type, render_base64(key.blob)) if part)


def fingerprint_of(blob: bytes) -> str:
    """What `ssh-keygen -l` shows of a key: SHA256: and the unpadded base64 of its digest."""
    import hashlib

    return "SHA256:" + render_base64(hashlib.sha256(blob).digest()).rstrip("=")


def read_moment(digits: str) -> int:
    """Unix seconds of YYYYMMDD[HHMM[SS]], UTC. Raises: ValueError when there is no such moment."""
    if len(digits) not in (8, 12, 14) or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{digits[:20]!r} is no date such as 20261231 or 20261231235959")
    whole = digits.ljust(14, "0")
    year, month, day = int(whole[:4]), int(whole[4:6]), int(whole[6:8])
    # Days since 1970-01-01, counted in years that begin in March. Source: H. Hinnant, days_from_civil.
    year -= month <= 2
    days = year * 365 + year // 4 - year // 100 + year // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 719469
    seconds = days * 86400 + int(whole[8:10]) * 3600 + int(whole[10:12]) * 60 + int(whole[12:])
    if seconds < 0 or _digits(seconds) != whole:
        raise ValueError(f"{digits} is no date: there is no such day or time")
    return seconds


def read_base64(text: str) -> bytes:
    """The bytes behind a base64 text in its one spelling: padded, no white space, no bits left over.

    Raises: ValueError.
    """
    import base64

    if len(text) > MOST_BYTES * 4 // 3 + 4:
        raise ValueError("is too long")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    if not data or render_base64(data) != text:
        raise ValueError("is damaged: the part behind the key's type is no base64")
    return data


def render_base64(data: bytes) -> str:
    """Standard base64 with padding, in one line."""
    import base64

    return base64.b64encode(data).decode("ascii")


def split_strings(data: bytes) -> list[bytes]:
    """The strings (a length of 32 bits, then so many bytes) that the data is a row of. Source: RFC 4251, 5.

    Raises: ValueError when it is no such row, to its last byte.
    """
    found = []
    place = 0
    while place < len(data):
        end = place + 4 + int.from_bytes(data[place : place + 4], "big")
        if place + 4 > len(data) or end > len(data):
            raise ValueError("is damaged: it ends too early")
        found.append(data[place + 4 : end])
        place = end
    return found


def check_blob(kind: str, blob: bytes) -> None:
    """Raises: ValueError when the blob is no public key of that type, in the one way to write it."""
    fields = split_strings(blob)
    if not fields or fields[0] != kind.encode():
        raise ValueError(f"is damaged: what is behind {kind} is another type of key")
    hardware = kind.startswith("sk-")
    if kind == "ssh-rsa":
        sound = _is_rsa(fields)
    elif "ed25519" in kind:
        sound = len(fields) == 2 + hardware and len(fields[1]) == 32
    else:
        curve = kind.partition("@")[0].rpartition("-")[2]
        sound = len(fields) == 3 + hardware and fields[1] == curve.encode()
        sound = sound and len(fields[2]) == _CURVES[curve] and fields[2][:1] == b"\x04"
    if not sound or (hardware and not fields[-1]):
        raise ValueError(f"is damaged: it is no {kind} key")


def _is_rsa(fields: list[bytes]) -> bool:
    numbers = [int.from_bytes(field, "big") for field in fields[1:]]
    # RFC 4251: no needless zero in front, and one where the first bit would make it negative.
    written = [number.to_bytes(number.bit_length() // 8 + 1, "big") for number in numbers]
    if len(numbers) != 2 or written != fields[1:] or numbers[0] < 3 or not numbers[0] & numbers[1] & 1:
        return False
    bits = numbers[1].bit_length()
    if not LEAST_RSA <= bits <= MOST_RSA:
        raise ValueError(f"is an RSA key of {bits} bits: from {LEAST_RSA} to {MOST_RSA} are accepted")
    return True


def _read_options(word: str) -> tuple[int | None, int | None]:
    if word.startswith("-----BEGIN"):
        raise ValueError("is a private key: nobody else may ever see it, so make a new one, and list its .pub file")
    if not word.startswith(OPTIONS) and "=" not in word:
        raise ValueError(FORM)
    found: dict[str, int] = {}
    for option in word.split(","):
        name, _, value = option.partition("=")
        if name not in OPTIONS:
            raise ValueError(f"has the option {name[:40]}: only {' and '.join(OPTIONS)} are read")
        if name in found:
            raise ValueError(f"has {name} twice")
        if len(value) < 2 or value[0] + value[-1] != '""':
            raise ValueError(f'must have {name} as {name}="YYYYMMDD"')
        found[name] = read_moment(value[1:-1].removesuffix("Z"))
    after, before = (found.get(name) for name in OPTIONS)
    if after is not None and before is not None and after >= before:
        raise ValueError("would never count: valid-after is not before valid-before")
    return after, before


def _digits(moment: int) -> str:
    return strftime("%Y%m%d%H%M%S", gmtime(moment))


def _shown(moment: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(moment))
