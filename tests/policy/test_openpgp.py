"""OpenPGP keys in a policy: one public key a block, to the letter, and never a private one."""

from __future__ import annotations

import base64

import pytest

from rollback_guard.policy.openpgp import BEGIN, END, MOST_BYTES, _crc24, explain_fault, read_pgp_key
from tests.support.pgp import JANE_BLOCK, JANE_FINGERPRINT

PACKETS = read_pgp_key(JANE_BLOCK).packets


def block(packets: bytes, *, headers: str = "", checksum: str | None = None) -> str:
    """Packets in an armoured block."""
    own = "=" + base64.b64encode(_crc24(packets)).decode() if checksum is None else checksum
    body = base64.b64encode(packets).decode()
    lines = [BEGIN, *([headers] if headers else []), "", body, *([own] if own else []), END]
    return "\n".join(lines) + "\n"


def old(kind: int, body: bytes) -> bytes:
    """A packet in the older form, with a length of four bytes."""
    return bytes([0x80 | kind << 2 | 2]) + len(body).to_bytes(4, "big") + body


def new(kind: int, body: bytes) -> bytes:
    """A packet in the newer form, with a length of five bytes."""
    return bytes([0xC0 | kind, 255]) + len(body).to_bytes(4, "big") + body


def test_a_key_as_gpg_prints_it() -> None:
    key = read_pgp_key(JANE_BLOCK)
    assert key.fingerprint == JANE_FINGERPRINT
    assert explain_fault(JANE_BLOCK) == ""


@pytest.mark.parametrize(
    "text",
    [
        block(PACKETS),
        block(PACKETS, headers="Comment: of Jane"),
        block(PACKETS, checksum=""),
        "\n" + block(PACKETS).replace("\n", "\r\n") + "\n\n",
        block(PACKETS + new(13, b"x" * 200)),
        block(PACKETS + bytes([0xC0 | 13, 3]) + b"abc" + bytes([0xC0 | 13, 192, 8]) + b"y" * 200),
        block(PACKETS + bytes([0x80 | 13 << 2 | 1, 0, 2]) + b"ab"),
    ],
)
def test_every_form_of_it_is_the_same_key(text: str) -> None:
    assert read_pgp_key(text).fingerprint == JANE_FINGERPRINT


def test_a_key_of_many_bits_has_a_long_packet() -> None:
    body = b"\x04" + bytes(5000)
    assert len(read_pgp_key(block(new(6, body))).fingerprint) == 40
    assert read_pgp_key(block(new(6, body))).fingerprint == read_pgp_key(block(old(6, body))).fingerprint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be an OpenPGP public key"),
        (BEGIN, "must be an OpenPGP public key"),
        ("ssh-ed25519 AAAA", "must be an OpenPGP public key"),
        (JANE_BLOCK.replace(END, ""), "must be an OpenPGP public key"),
        (JANE_BLOCK.replace("PUBLIC", "PRIVATE"), "is a private key"),
        (block(old(5, b"\x04abc")), "is a private key"),
        (block(old(7, b"\x04abc") + PACKETS), "is a private key"),
        (block(PACKETS, headers="nothing"), "is damaged: behind its first line"),
        (block(PACKETS).replace("\n\n", "\n"), "is damaged: behind its first line"),
        (block(PACKETS, checksum="=AAAA"), "is damaged: its checksum"),
        (block(PACKETS, checksum="=!!"), "is damaged: it is no base64"),
        (block(PACKETS).replace("m", "!", 1), "is damaged: it is no base64"),
        (f"{BEGIN}\n\n\n{END}", "is damaged: its checksum"),
        (block(PACKETS + PACKETS), "holds 2 keys"),
        (block(old(13, b"Jane")), "holds 0 keys"),
        (block(b"\x00abc"), "is damaged: it holds something that is no packet"),
        (block(PACKETS[:-1]), "is damaged: it ends too early"),
        (block(bytes([0x80 | 6 << 2 | 3]) + b"x"), "is damaged: it ends too early"),
        (block(bytes([0xC0 | 6, 230]) + b"x" * 300), "is damaged: it ends too early"),
        (block(bytes([0xC0 | 6])), "is damaged: it ends too early"),
        (block(bytes([0xC0 | 6, 200])), "is damaged: it ends too early"),
        (block(old(6, b"\x06" + bytes(40))), "is a key of another version"),
        (block(new(13, bytes(MOST_BYTES)) + PACKETS), "at most 131,072 are read"),
    ],
)
def test_what_is_no_such_key(text: str, said: str) -> None:
    assert said in explain_fault(text)
