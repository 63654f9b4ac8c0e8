"""What a signature says of itself, read to its last byte."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.evidence.signer import sign
from rollback_guard.evidence.sshsig import (
    MOST_BYTES,
    SignatureFormatError,
    SshSig,
    armored,
    read_sshsig,
    unarmored,
)
from rollback_guard.evidence.verifier import _KNOWN_SIGNATURE
from rollback_guard.policy.keys import parse_key, read_base64
from tests.evidence.values import make_pair
from tests.policy.test_keys import RSA, SK_ED25519, string
from tests.policy.test_read import KEY

GOOD = read_base64(_KNOWN_SIGNATURE)
PUBLIC = parse_key(KEY)[1]
PROPER = string(b"ssh-ed25519", bytes(64))


def made(
    *,
    head: bytes = b"SSHSIG\0\0\0\1",
    key: bytes = PUBLIC,
    namespace: bytes = b"file",
    reserved: bytes = b"",
    hashed: bytes = b"sha512",
    signature: bytes = PROPER,
    more: bytes = b"",
) -> bytes:
    return head + string(key, namespace, reserved, hashed, signature) + more


@pytest.mark.parametrize(("kind", "bits"), [("ed25519", 0), ("ecdsa", 384), ("rsa", 2048)])
def test_what_ssh_keygen_makes_is_read(tmp_path: Path, kind: str, bits: int) -> None:
    pair = make_pair(tmp_path, kind=kind, bits=bits)
    (tmp_path / "data").write_bytes(b"data")
    command = ["ssh-keygen", "-Y", "sign", "-f", pair.path, "-n", "file", str(tmp_path / "data")]
    subprocess.run(command, check=True, capture_output=True)
    text = (tmp_path / "data.sig").read_bytes()
    blob = unarmored(text)
    proper = "rsa-sha2-512" if kind == "rsa" else pair.key.type
    assert read_sshsig(blob) == SshSig(public_key=pair.key.blob, namespace="file", hash="sha512", type=proper)
    assert armored(blob) == text
    assert unarmored(text.rstrip(b"\n").replace(b"\n", b"\r\n")) == blob


def test_a_hardware_key_adds_its_flags() -> None:
    key = parse_key(SK_ED25519)[1]
    signature = string(b"sk-ssh-ed25519@openssh.com", bytes(64)) + b"\x01\0\0\0\x07"
    found = read_sshsig(made(key=key, signature=signature))
    assert (found.type, found.flags) == ("sk-ssh-ed25519@openssh.com", 1)
    for wrong in (signature[:-5], signature[:-1], signature + b"\0", b"", PROPER + b"\x01\0\0\0\x07"):
        with pytest.raises(SignatureFormatError):
            read_sshsig(made(key=key, signature=wrong))


@pytest.mark.parametrize(
    ("blob", "reason"),
    [
        (b"", "is no SSH signature of version 1"),
        (made(head=b"SSHSIH\0\0\0\1"), "is no SSH signature of version 1"),
        (made(head=b"SSHSIG\0\0\0\2"), "is no SSH signature of version 1"),
        (made(head=b"SSHSIG"), "is no SSH signature of version 1"),
        (made()[:-1], "ends too early"),
        (made(more=b"\0"), "ends too early"),
        (made(more=string(b"")), "too few or too many parts"),
        (b"SSHSIG\0\0\0\1" + string(PUBLIC, b"file", b"", b"sha512"), "too few or too many parts"),
        (made(key=b""), "a key of a type that is not accepted"),
        (made(key=b"\0"), "ends too early"),
        (made(key=string(b"ssh-dss", b"x")), "a key of a type that is not accepted: ssh-dss"),
        (made(key=string(b"\xff")), "is no text where it must be"),
        (made(key=string(b"ssh-ed25519", bytes(31))), "is no ssh-ed25519 key"),
        (made(key=PUBLIC + string(b"more")), "is no ssh-ed25519 key"),
        (made(namespace=b""), "has no namespace"),
        (made(namespace=b"\xff"), "is no text where it must be"),
        (made(reserved=b"x"), "fills what is reserved"),
        (made(hashed=b"sha1"), "another hash"),
        (made(hashed=b"\xff"), "is no text where it must be"),
        (made(signature=b""), "does not fit its key"),
        (made(signature=string(b"ssh-ed25519")), "does not fit its key"),
        (made(signature=string(b"ssh-ed25519", b"")), "does not fit its key"),
        (made(signature=string(b"ssh-ed25519", bytes(64), b"")), "does not fit its key"),
        (made(signature=string(b"ssh-rsa", bytes(64))), "does not fit its key"),
        (made(signature=string(b"\xff", bytes(64))), "is no text where it must be"),
        (made(key=parse_key(RSA)[1], signature=string(b"ssh-rsa", bytes(256))), "does not fit its key"),
        (made(signature=PROPER + bytes(MOST_BYTES)), "is too long"),
    ],
)
def test_what_is_no_signature_has_a_reason(blob: bytes, reason: str) -> None:
    with pytest.raises(SignatureFormatError) as caught:
        read_sshsig(blob)
    assert reason in caught.value.reason


@pytest.mark.parametrize("hashed", [b"sha256", b"sha512"])
def test_both_hashes_are_read(hashed: bytes) -> None:
    assert read_sshsig(made(hashed=hashed)).hash == hashed.decode()


ARMOUR = armored(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        GOOD,
        ARMOUR[1:],
        b"\n" + ARMOUR,
        ARMOUR + b"\n",
        ARMOUR + b"more",
        ARMOUR.replace(b"SSH", b"PGP"),
        ARMOUR.replace(b"-----END SSH SIGNATURE-----\n", b""),
        b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
        b"-----BEGIN SSH SIGNATURE-----\n\n-----END SSH SIGNATURE-----\n",
        ARMOUR.replace(b"U1NI", b"U1N I"),
        ARMOUR.replace(b"U1NI", b"U1N-"),
        ARMOUR.replace(b"JxQQ=", b"JxQR="),
        ARMOUR.replace(b"JxQQ=", b"JxQQ"),
        ARMOUR.replace(b"JxQQ=", b"JxQQ=="),
        ARMOUR.replace(b"U1NI", b"U1NI" * MOST_BYTES),
    ],
)
def test_armour_has_one_spelling(text: bytes) -> None:
    with pytest.raises(SignatureFormatError):
        unarmored(text)


@given(st.binary(min_size=1, max_size=400))
def test_armour_survives(blob: bytes) -> None:
    assert unarmored(armored(blob)) == blob


@given(st.binary(max_size=200), st.integers(0, len(GOOD)), st.binary(max_size=3))
def test_random_bytes_are_read_or_refused(blob: bytes, place: int, more: bytes) -> None:
    for one in (blob, b"SSHSIG\0\0\0\1" + blob, GOOD[:place] + more + GOOD[place + len(more) :]):
        try:
            assert isinstance(read_sshsig(one), SshSig)
        except SignatureFormatError:
            continue
        assert len(one) == len(GOOD)
    with pytest.raises(SignatureFormatError):
        unarmored(blob)


def test_what_is_signed_here_says_what_for(tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    blob = sign(b"x", key=pair.path, namespace="rollback-guard.sign-off.qa", environ=os.environ)
    assert read_sshsig(blob).namespace == "rollback-guard.sign-off.qa"
