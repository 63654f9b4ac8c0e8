"""A signed statement as it is kept: a DSSE envelope with exactly one signature, in its one spelling.

Source: https://github.com/secure-systems-lab/dsse, protocol.md and envelope.md. The signature is the binary
SSHSIG over the pre-authentication encoding; what it says is left to `evidence.sshsig`, whether it is true to
`evidence.signer`, and the payload to `evidence.statement`. Pure.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rollback_guard.evidence.canonical import FormatError, fields, read_json, render_json
from rollback_guard.evidence.sshsig import SshSig, read_sshsig
from rollback_guard.evidence.statement import PAYLOAD_TYPE
from rollback_guard.policy.keys import fingerprint_of, render_base64

MOST_BYTES = 64 * 1024  # of an envelope


class EnvelopeError(FormatError):
    """An envelope that cannot be read, or must not be written; `reason` in words."""


class Envelope(NamedTuple):
    """A payload, the fingerprint of the key that is said to have signed it, and the binary SSHSIG."""

    payload: bytes
    keyid: str
    sig: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def render_envelope(envelope: Envelope) -> bytes:
    """The envelope's bytes. Raises: EnvelopeError for one that could not be read again."""
    signature = {"keyid": envelope.keyid, "sig": render_base64(envelope.sig)}
    document = {"payload": render_base64(envelope.payload), "payloadType": PAYLOAD_TYPE, "signatures": [signature]}
    data = render_json(document)
    read_envelope(data)
    return data


def read_envelope(data: bytes) -> Envelope:
    """The envelope in its bytes. Raises: EnvelopeError.

    One with a second signature is refused whole: whoever may write to the store could add one, and the
    envelope of a person's decision would bear another name with every stranger who signs it.
    """
    try:
        document = read_json(data, most=MOST_BYTES)
        payload, kind, signatures = fields(document, ("payload", "payloadType", "signatures"), "the envelope")
        if kind != PAYLOAD_TYPE:
            raise FormatError(f"holds a payload of the type {str(kind)[:80]}: only {PAYLOAD_TYPE} is read")
        if not isinstance(signatures, list) or len(signatures) != 1:
            count = len(signatures) if isinstance(signatures, list) else 0
            raise FormatError(f"has {count} signatures: exactly one is read")
        keyid, sig = fields(signatures[0], ("keyid", "sig"), "the signature")
        if not _is_fingerprint(keyid):
            raise FormatError("names no key: SHA256:…")
        return Envelope(payload=_bytes(payload, "the payload"), keyid=keyid, sig=_bytes(sig, "the signature"))
    except FormatError as fault:
        raise EnvelopeError(fault.reason) from None


def signature_of(envelope: Envelope) -> SshSig:
    """The envelope's signature, of the key that the envelope names. Raises: EnvelopeError."""
    try:
        signature = read_sshsig(envelope.sig)
    except FormatError as fault:
        raise EnvelopeError(fault.reason) from None
    if fingerprint_of(signature.public_key) != envelope.keyid:
        raise EnvelopeError("names another key than the one of its signature")
    return signature


def envelope_name(data: bytes) -> str:
    """The file name under which the store keeps an envelope: the SHA-256 of its bytes."""
    import hashlib

    return hashlib.sha256(data).hexdigest() + ".json"


def _is_fingerprint(keyid: Any) -> bool:
    if not isinstance(keyid, str) or not keyid.startswith("SHA256:"):
        return False
    try:
        return len(_bytes(keyid[7:] + "=", "")) == 32
    except FormatError:
        return False


def _bytes(text: Any, what: str) -> bytes:
    """Standard base64 in its one spelling; bits that are left over must be zero, white space is none of it."""
    import base64

    if not isinstance(text, str):
        raise FormatError(f"{what} is no text")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    if not data or render_base64(data) != text:
        raise FormatError(f"{what} is no base64 in the one way that is accepted")
    return data
