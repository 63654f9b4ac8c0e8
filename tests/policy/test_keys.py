"""A person's key: one spelling each, dates in UTC, and what ssh-keygen makes is what is read."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.policy.keys import (
    Key,
    explain_fault,
    fault_at,
    fingerprint_of,
    parse_key,
    read_base64,
    read_key,
    read_moment,
    render_base64,
    render_signer,
    split_strings,
)
from tests.policy.test_read import KEY

ED25519 = KEY.split()[1]
NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z


def string(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def line_of(kind: str, *parts: bytes) -> str:
    return f"{kind} {render_base64(string(kind.encode(), *parts))}"


def number(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


MODULUS = (1 << 2047) + 1
RSA = line_of("ssh-rsa", number(65537), number(MODULUS))
POINT = b"\x04" + bytes(64)
SK_ED25519 = line_of("sk-ssh-ed25519@openssh.com", bytes(32), b"ssh:")
SK_ECDSA = line_of("sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", POINT, b"ssh:")


@pytest.mark.parametrize(("kind", "bits"), [("ed25519", 256), ("rsa", 2048), ("ecdsa", 256), ("ecdsa", 521)])
def test_what_ssh_keygen_makes_is_read_and_has_its_fingerprint(tmp_path: Path, kind: str, bits: int) -> None:
    path = str(tmp_path / "key")
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-b", str(bits), "-N", "", "-C", "a b", "-f", path], check=True)
    shown = subprocess.run(["ssh-keygen", "-l", "-f", path], check=True, capture_output=True, text=True).stdout
    line = (tmp_path / "key.pub").read_text().strip()
    key = read_key("jane", line)
    assert (key.person, key.type, key.valid_after, key.valid_before) == ("jane", line.split()[0], None, None)
    assert key.fingerprint == shown.split()[1]
    assert render_signer(key) == " ".join(line.split()[:2])


@pytest.mark.parametrize("line", [KEY, RSA, SK_ED25519, SK_ECDSA, f"  {KEY}   Jane's laptop, Zürich "])
def test_every_type_is_read(line: str) -> None:
    kind, blob, after, before = parse_key(line)
    assert kind in line
    assert render_base64(blob) in line
    assert (after, before, explain_fault(line)) == (None, None, "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "must be a public key"),
        ("ssh-ed25519", "must be a public key"),
        ("jane@acme.example " + KEY, "must be a public key"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "must be a public key"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "must be a public key"),
        ("~/.ssh/id_ed25519.pub", "must be a public key"),
        ("valid-after", 'must have valid-after as valid-after="YYYYMMDD"'),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "is a private key"),
        ('namespaces="git" ' + KEY, "has the option namespaces: only valid-after and valid-before are read"),
        ('cert-authority,valid-after="20260101" ' + KEY, "has the option cert-authority"),
        ('valid-after="20260101",namespaces="git" ' + KEY, "has the option namespaces"),
        ('valid-after="20260101",valid-after="20260102" ' + KEY, "has valid-after twice"),
        ("valid-after=20260101 " + KEY, 'must have valid-after as valid-after="YYYYMMDD"'),
        ('valid-after=" ' + KEY, 'must have valid-after as valid-after="YYYYMMDD"'),
        ('valid-after="20260230" ' + KEY, "there is no such day"),
        ('valid-after="2026010112" ' + KEY, "is no date such as"),
        ('valid-after="٢٠٢٦٠١٠١" ' + KEY, "is no date such as"),
        ('valid-after="20260101ZZ" ' + KEY, "is no date such as"),
        ('valid-after="20270101",valid-before="20260101" ' + KEY, "would never count"),
        ('valid-after="20260101"', "must be a public key"),
        (KEY[:-4], "ends too early"),
        (f"ssh-ed25519 {ED25519}=", "no base64"),
        (f"ssh-ed25519 {ED25519[:-1]}", "no base64"),
        ("ssh-ed25519 " + ED25519.replace("+", "-"), "no base64"),
        ("ssh-ed25519 AAAAAA", "no base64"),
        ("ssh-ed25519 " + "A" * 30000, "is too long"),
        (f"ssh-rsa {ED25519}", "another type of key"),
        ("ssh-rsa AAAA", "ends too early"),
        ("ssh-ed25519 AAAAAA==", "another type of key"),
        (line_of("ssh-ed25519", bytes(31)), "is no ssh-ed25519 key"),
        (line_of("ssh-ed25519", bytes(32), b"more"), "is no ssh-ed25519 key"),
        (line_of("ssh-ed25519"), "is no ssh-ed25519 key"),
        (line_of("ecdsa-sha2-nistp256", b"nistp384", POINT), "is no ecdsa-sha2-nistp256 key"),
        (line_of("ecdsa-sha2-nistp256", b"nistp256", POINT[:-1]), "is no ecdsa"),
        (line_of("ecdsa-sha2-nistp256", b"nistp256", b"\x03" + POINT[1:]), "is no ecdsa"),
        (line_of("sk-ssh-ed25519@openssh.com", bytes(32)), "is no sk-ssh"),
        (line_of("sk-ssh-ed25519@openssh.com", bytes(32), b""), "is no sk-ssh"),
        (line_of("ssh-rsa", number(65537)), "is no ssh-rsa key"),
        (line_of("ssh-rsa", number(65537), b"\0" + number(MODULUS)), "is no ssh-rsa key"),
        (line_of("ssh-rsa", number(1), number(MODULUS)), "is no ssh-rsa key"),
        (line_of("ssh-rsa", number(65537), number(MODULUS - 1)), "is no ssh-rsa key"),
        (line_of("ssh-rsa", number(65537), number((1 << 1023) + 1)), "an RSA key of 1024 bits"),
        (line_of("ssh-rsa", number(3), number((1 << 16384) + 1)), "an RSA key of 16385 bits"),
    ],
)
def test_what_is_no_key_has_a_reason(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        parse_key(line)
    assert explain_fault(line) == str(caught.value)


def test_dates_are_utc_and_both_moments_count() -> None:
    key = read_key("jane", f'valid-after="20260101",valid-before="20260101120000Z" {KEY} laptop')
    assert (key.valid_after, key.valid_before) == (NEW_YEAR, NEW_YEAR + 43200)
    assert fault_at(key, NEW_YEAR - 1) == "the key counts from 2026-01-01T00:00:00Z on"
    assert fault_at(key, NEW_YEAR) == fault_at(key, NEW_YEAR + 43200) == ""
    assert fault_at(key, NEW_YEAR + 43201) == "the key expired on 2026-01-01T12:00:00Z"
    assert render_signer(key) == f'valid-after="20260101000000",valid-before="20260101120000" {KEY}'
    assert read_key("jane", f'valid-before="202601011200Z" {KEY}').valid_before == NEW_YEAR + 43200
    assert fault_at(read_key("jane", KEY), 0) == ""


@given(st.integers(min_value=0, max_value=253_402_300_799))
def test_a_moment_is_the_one_that_the_clock_shows(moment: int) -> None:
    assert read_moment(time.strftime("%Y%m%d%H%M%S", time.gmtime(moment))) == moment


@pytest.mark.parametrize("digits", ["19691231", "20261301", "20260001", "20260229", "20260101240000", "00000101", ""])
def test_what_is_no_moment(digits: str) -> None:
    with pytest.raises(ValueError, match="is no date"):
        read_moment(digits)


@given(st.binary(min_size=1, max_size=60))
def test_base64_has_one_spelling(data: bytes) -> None:
    text = render_base64(data)
    assert read_base64(text) == data
    for other in (text + "=", text + "\n", " " + text, text.rstrip("=") if "=" in text else text[:-1]):
        with pytest.raises(ValueError, match="base64"):
            read_base64(other)


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_a_row_of_strings(parts: list[bytes]) -> None:
    assert split_strings(string(*parts)) == parts
    with pytest.raises(ValueError, match="ends too early"):
        split_strings(string(*parts, b"x")[:-1])


@given(st.text(max_size=200))
def test_any_text_is_a_key_or_a_fault(text: str) -> None:
    for line in (text, f"ssh-ed25519 {text}", f"valid-after={text} {KEY}"):
        fault = explain_fault(line)
        if not fault:
            assert isinstance(read_key("jane", line), Key)


def test_a_fingerprint_has_no_padding() -> None:
    assert fingerprint_of(b"") == "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
