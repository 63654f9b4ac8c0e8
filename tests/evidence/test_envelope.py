"""Envelopes: the standard's own example, one spelling, one signature, and readers of other makers."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_guard.evidence.canonical import render_json
from rollback_guard.evidence.envelope import (
    MOST_BYTES,
    Envelope,
    EnvelopeError,
    envelope_name,
    pae,
    read_envelope,
    render_envelope,
    signature_of,
)
from rollback_guard.evidence.signer import Check, Verifier
from rollback_guard.evidence.sshsig import armored
from rollback_guard.evidence.statement import PAYLOAD_TYPE, namespace_of, read_statement, render_statement
from rollback_guard.policy.keys import fingerprint_of
from tests.evidence.values import BACKUP, SIGN_OFF, VERDICT, WAIVER, Pair, make_pair, signed

KEYID = fingerprint_of(b"key")
PLAIN = Envelope(payload=b"{}", keyid=KEYID, sig=b"signature")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("keys"))


def refused(data: bytes) -> str:
    with pytest.raises(EnvelopeError) as caught:
        read_envelope(data)
    return caught.value.reason


def document(**changes: Any) -> bytes:
    """An envelope's bytes with other values in it, in the one spelling."""
    found = json.loads(render_envelope(PLAIN))
    return render_json({name: value for name, value in {**found, **changes}.items() if value is not ...})


def test_the_test_vector_of_dsse() -> None:
    """Source: https://github.com/secure-systems-lab/dsse, protocol.md, "Test Vectors"."""
    encoded = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == encoded
    assert pae("", b"") == b"DSSEv1 0  0 "
    assert pae("ü", b"\xff") == b"DSSEv1 2 \xc3\xbc 1 \xff"


def test_the_bytes_of_an_envelope() -> None:
    assert render_envelope(PLAIN) == (
        b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":'
        b'[{"keyid":"' + KEYID.encode() + b'","sig":"c2lnbmF0dXJl"}]}'
    )
    assert read_envelope(render_envelope(PLAIN)) == PLAIN
    assert envelope_name(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.json"


@given(st.builds(Envelope, payload=st.binary(min_size=1), keyid=st.just(KEYID), sig=st.binary(min_size=1)))
def test_every_envelope_survives(envelope: Envelope) -> None:
    assert read_envelope(render_envelope(envelope)) == envelope


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    assert refused(data)


SIGNATURE = {"keyid": KEYID, "sig": "c2lnbmF0dXJl"}
STRANGER = {"keyid": fingerprint_of(b"stranger"), "sig": "c2lnbmF0dXJl"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        # Another spelling of the same thing would be another name in the store.
        (render_envelope(PLAIN) + b"\n", "not written in the one way"),
        (json.dumps(json.loads(render_envelope(PLAIN))).encode(), "not written in the one way"),
        (render_envelope(PLAIN).replace(b'{"payload":', b'{"payload":"e30=","payload":'), "has a key twice"),
        (render_envelope(PLAIN).replace(b'"sig":', b'"sig":"","sig":'), "has a key twice"),
        (b"[" * 30000, "nested too deeply"),
        (b'{"payload":' + b"[" * 9000 + b"]" * 9000 + b"}", "nested too deeply"),
        (render_envelope(PLAIN).replace(b"e30=", b"A" * MOST_BYTES), "at most 65,536 are read"),
        (document(more=1), "the envelope has the unknown key more"),
        (document(payload=...), "the envelope lacks payload"),
        (document(signatures=...), "the envelope lacks signatures"),
        # Other payload types are for other readers.
        (document(payloadType="http://example.com/HelloWorld"), "only application/vnd.in-toto+json is read"),
        (document(payloadType="application/vnd.in-toto+JSON"), "only application/vnd.in-toto+json is read"),
        (document(payloadType=None), "only application/vnd.in-toto+json is read"),
        # A signature stripped, doubled, or added by a stranger.
        (document(signatures=[]), "has 0 signatures"),
        (document(signatures=[SIGNATURE, SIGNATURE]), "has 2 signatures"),
        (document(signatures=[SIGNATURE, STRANGER]), "has 2 signatures"),
        (document(signatures=SIGNATURE), "has 0 signatures"),
        (document(signatures=["x"]), "the signature is no object"),
        (document(signatures=[{"sig": "eA=="}]), "the signature lacks keyid"),
        (document(signatures=[{**SIGNATURE, "cert": "x"}]), "the signature has the unknown key cert"),
        (document(signatures=[{**SIGNATURE, "keyid": ""}]), "names no key"),
        (document(signatures=[{**SIGNATURE, "keyid": None}]), "names no key"),
        (document(signatures=[{**SIGNATURE, "keyid": "MD5:" + KEYID[7:]}]), "names no key"),
        (document(signatures=[{**SIGNATURE, "keyid": KEYID[:-1]}]), "names no key"),
        (document(signatures=[{**SIGNATURE, "keyid": KEYID[:-1] + "_"}]), "names no key"),
        (document(signatures=[{**SIGNATURE, "keyid": "SHA256:eA="}]), "names no key"),
        # Base64 has one spelling too.
        (document(signatures=[{**SIGNATURE, "sig": ""}]), "the signature is no base64"),
        (document(signatures=[{**SIGNATURE, "sig": 1}]), "the signature is no text"),
        (document(payload=None), "the payload is no text"),
        (document(payload=""), "the payload is no base64"),
        (document(payload="e30"), "the payload is no base64"),
        (document(payload="e30=="), "the payload is no base64"),
        (document(payload="e31="), "the payload is no base64"),
        (document(payload="e3 0="), "the payload is no base64"),
        (document(payload="e30=\n"), "the payload is no base64"),
        (document(payload="-_8="), "the payload is no base64"),
        (document(payload="e30=e30="), "the payload is no base64"),
        (document(payload="é30="), "the payload is no base64"),
    ],
)
def test_another_envelope_is_refused(data: bytes, reason: str) -> None:
    assert reason in refused(data)


def test_what_could_not_be_read_again_is_not_written() -> None:
    with pytest.raises(EnvelopeError, match="names no key"):
        render_envelope(PLAIN._replace(keyid="SHA256:"))
    with pytest.raises(EnvelopeError, match="at most"):
        render_envelope(PLAIN._replace(payload=bytes(MOST_BYTES)))


def test_an_envelope_names_the_key_of_its_signature(pair: Pair) -> None:
    envelope = signed(SIGN_OFF, pair)
    assert signature_of(envelope).public_key == pair.key.blob
    assert signature_of(envelope).namespace == "rollback-guard.sign-off.qa"
    with pytest.raises(EnvelopeError, match="another key than the one of its signature"):
        signature_of(envelope._replace(keyid=KEYID))
    with pytest.raises(EnvelopeError, match="is no SSH signature"):
        signature_of(PLAIN)


def verifies(envelope: Envelope, pair: Pair) -> bool:
    """What a reader does with an envelope: the namespace comes from what the payload says."""
    namespace = namespace_of(read_statement(envelope.payload))
    check = Check(data=pae(PAYLOAD_TYPE, envelope.payload), blob=envelope.sig, namespace=namespace, key=pair.key)
    return Verifier(os.environ).verify([check]) == [True]


def test_signatures_do_not_move_between_envelopes(pair: Pair) -> None:
    one, other = signed(SIGN_OFF, pair), signed(SIGN_OFF._replace(decision="reject"), pair)
    assert verifies(one, pair)
    assert verifies(other, pair)
    assert not verifies(one._replace(sig=other.sig), pair)
    assert not verifies(other._replace(sig=one.sig), pair)


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "uat"},
        {"decision": "reject"},
        {"head": "9" * 40},
        {"signer": "omar"},
        {"time": SIGN_OFF.time + 1},
        {"comment": ""},
        {"policy_digest": "sha256:" + "b" * 64},
        {"binding": SIGN_OFF.binding._replace(repository="github.com/acme/other")},
        {"binding": SIGN_OFF.binding._replace(target="refs/heads/maintenance")},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_signature_is_on_every_word_of_a_statement(pair: Pair, changes: dict[str, Any]) -> None:
    other = render_statement(SIGN_OFF._replace(**changes))
    assert not verifies(signed(SIGN_OFF, pair)._replace(payload=other), pair)


def test_a_signature_of_git_or_of_another_kind_is_none_of_ours(pair: Pair) -> None:
    """Even over exactly the bytes that would have to be signed."""
    others = ("git", "file", "rollback-guard.waiver", "rollback-guard.sign-off.uat", "rollback-guard.sign-off.qa2")
    for namespace in others:
        assert not verifies(signed(SIGN_OFF, pair, namespace=namespace), pair)
    for statement in (SIGN_OFF, WAIVER, VERDICT, BACKUP):
        assert verifies(signed(statement, pair), pair)


def test_anybody_can_verify_by_hand(pair: Pair, tmp_path: Path) -> None:
    """With nothing of ours but the format: the envelope's JSON, and `ssh-keygen -Y verify` over the encoding."""
    envelope = json.loads(render_envelope(signed(SIGN_OFF, pair)))
    payload = base64.b64decode(envelope["payload"])
    data = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
    (tmp_path / "sig").write_bytes(armored(base64.b64decode(envelope["signatures"][0]["sig"])))
    (tmp_path / "signers").write_text(f"jane@acme.example {pair.line}\n")
    command = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "jane@acme.example", "-s", "sig", "-n"]
    for namespace, wanted in (("rollback-guard.sign-off.qa", 0), ("rollback-guard.sign-off.uat", 255), ("git", 255)):
        done = subprocess.run([*command, namespace], cwd=tmp_path, input=data, capture_output=True, check=False)
        assert done.returncode == wanted, done.stderr


def test_securesystemslib_reads_our_envelopes(pair: Pair) -> None:
    dsse = pytest.importorskip("securesystemslib.dsse", reason="securesystemslib is not installed")
    for statement in (SIGN_OFF, BACKUP):
        ours = signed(statement, pair)
        theirs = dsse.Envelope.from_dict(json.loads(render_envelope(ours)))
        assert theirs.payload == ours.payload
        assert theirs.pae() == pae(PAYLOAD_TYPE, ours.payload)
        (signature,) = theirs.signatures.values()
        assert (signature.keyid, bytes.fromhex(signature.signature)) == (ours.keyid, ours.sig)
        assert json.loads(render_envelope(ours)) == theirs.to_dict()


def test_in_toto_reads_our_statements() -> None:
    module = pytest.importorskip("in_toto_attestation.v1.statement", reason="in-toto-attestation is not installed")
    formats = pytest.importorskip("google.protobuf.json_format")
    for statement in (SIGN_OFF, WAIVER, VERDICT):
        payload = render_statement(statement)
        parsed = formats.Parse(payload, module.spb.Statement())
        module.Statement.copy_from_pb(parsed).validate()
        again = json.loads(formats.MessageToJson(parsed))
        assert again == json.loads(payload)
