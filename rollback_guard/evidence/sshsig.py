"""The signature format of `ssh-keygen -Y`: what a signature says of itself. Whether it is true is left to `signer`.

Source: OpenSSH's PROTOCOL.sshsig; RFC 8332 for RSA, PROTOCOL.u2f for hardware keys. Pure.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from rollback_guard.evidence.canonical import FormatError
from rollback_guard.policy.keys import TYPES, check_blob, render_base64, split_strings

MAGIC = b"SSHSIG"
VERSION = 1
HASHES = ("sha256", "sha512")
MOST_BYTES = 16 * 1024  # of a signature; one by the longest RSA key has 4 KiB
BEGIN = b"-----BEGIN SSH SIGNATURE-----"
END = b"-----END SSH SIGNATURE-----"
WIDTH = 70  # base64 characters in a line, as ssh-keygen writes them


class SignatureFormatError(FormatError):
    """Bytes that are no SSH signature; `reason` in words."""


class SshSig(NamedTuple):
    """What a signature says of itself. `flags` is what a hardware key adds: bit 0, somebody touched it."""

    public_key: bytes
    namespace: str
    hash: str
    type: str  # of the signature, such as ssh-ed25519 or rsa-sha2-512
    flags: Optional[int] = None


def read_sshsig(blob: bytes) -> SshSig:
    """What the binary signature says. Raises: SignatureFormatError unless it is one to its last byte."""
    try:
        return _read(blob)
    except UnicodeDecodeError:
        raise SignatureFormatError("the signature is no text where it must be") from None
    except ValueError as fault:
        raise SignatureFormatError(f"the signature {fault}") from None


def _read(blob: bytes) -> SshSig:
    if len(blob) > MOST_BYTES:
        raise ValueError("is too long")
    if blob[:6] != MAGIC or int.from_bytes(blob[6:10], "big") != VERSION:
        raise ValueError("is no SSH signature of version 1")
    parts = split_strings(blob[10:])
    if len(parts) != 5:
        raise ValueError("is damaged: it has too few or too many parts")
    public_key, namespace, reserved, hashed, signature = parts
    kind = split_strings(public_key)[0].decode("ascii") if public_key else ""
    if kind not in TYPES:
        raise ValueError(f"is by a key of a type that is not accepted: {kind[:40]}")
    check_blob(kind, public_key)
    if not namespace or reserved:
        raise ValueError("has no namespace, or fills what is reserved")
    if hashed.decode("ascii") not in HASHES:
        raise ValueError("uses another hash than sha256 and sha512")
    made, flags = _read_signature(kind, signature)
    return SshSig(
        public_key=public_key, namespace=namespace.decode("utf-8"), hash=hashed.decode("ascii"), type=made, flags=flags
    )


def _read_signature(kind: str, signature: bytes) -> tuple[str, int | None]:
    """The type of the signature proper, and a hardware key's flags, behind which stands its counter."""
    hardware = kind.startswith("sk-")
    proper = signature[:-5] if hardware else signature
    parts = split_strings(proper)
    made = parts[0].decode("ascii") if len(parts) == 2 else ""
    fitting = ("rsa-sha2-256", "rsa-sha2-512") if kind == "ssh-rsa" else (kind,)
    if made not in fitting or not parts[1]:
        raise ValueError("does not fit its key")
    return made, signature[-5] if hardware else None


def armored(blob: bytes) -> bytes:
    """The signature as ssh-keygen writes it into a file."""
    text = render_base64(blob).encode("ascii")
    lines = [text[start : start + WIDTH] for start in range(0, len(text), WIDTH)]
    return b"\n".join((BEGIN, *lines, END, b""))


def unarmored(text: bytes) -> bytes:
    """The binary signature in an armoured one; white space is only where lines end. Raises: SignatureFormatError."""
    import base64

    lines = text.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
    if len(text) > 2 * MOST_BYTES or len(lines) < 3 or lines[0] != BEGIN or lines[-1] != END:
        raise SignatureFormatError("the signature is no armoured SSH signature")
    body = b"".join(lines[1:-1])
    try:
        blob = base64.b64decode(body, validate=True)
    except ValueError:
        blob = b""
    if not blob or base64.b64encode(blob) != body:
        raise SignatureFormatError("the signature is damaged: it is no base64")
    return blob
