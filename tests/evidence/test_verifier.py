"""Checking signatures: the right answer, once each, whatever the machine's settings are."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from rollback_guard.errors import UndeterminedError
from rollback_guard.evidence import verifier
from rollback_guard.evidence.keys import fault_at, read_key
from rollback_guard.evidence.signer import sign
from rollback_guard.evidence.verifier import Check, Verifier
from rollback_guard.policy.keys import render_base64
from tests.evidence.test_signer import fake_keygen
from tests.evidence.values import Pair, make_pair
from tests.policy.test_keys import string

REAL = shutil.which("ssh-keygen") or ""
SPACE = "rollback-guard.waiver"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("keys"), "omar")


def check_of(pair: Pair, data: bytes = b"data", namespace: str = SPACE) -> Check:
    blob = sign(data, key=pair.path, namespace=namespace, environ=os.environ)
    return Check(data=data, blob=blob, namespace=namespace, key=pair.key)


def counting(folder: Path) -> dict[str, str]:
    """An environment in which ssh-keygen notes each of its runs in `folder`/log."""
    path = fake_keygen(folder / "counting", f'#!/bin/sh\necho "$*" >> {folder}/log\nexec {REAL} "$@"\n')
    return {"PATH": path}


def runs(folder: Path) -> int:
    log = folder / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def raised(check: Check, path: str) -> str:
    with pytest.raises(UndeterminedError) as caught:
        Verifier({"PATH": path}).verify([check])
    assert caught.value.remedy
    return caught.value.message


def test_answers_come_in_the_order_of_the_checks(pair: Pair, other: Pair) -> None:
    good = check_of(pair)
    checks = [
        good,
        good._replace(data=b"other"),
        check_of(other),
        good._replace(key=other.key),
        good._replace(namespace="rollback-guard.verdict"),
        good._replace(blob=check_of(other).blob),
        good._replace(blob=good.blob[:-1] + bytes([good.blob[-1] ^ 1])),
        good._replace(blob=good.blob[:-1]),
        good._replace(blob=b""),
        good,
    ]
    wanted = [True, False, True, False, False, False, False, False, False, True]
    assert Verifier(os.environ).verify(checks) == wanted
    assert Verifier(os.environ).verify([]) == []


@pytest.mark.parametrize("namespace", ["git", "file", "rollback-guard.sign-off.qa"])
def test_a_signature_for_something_else_does_not_verify(pair: Pair, namespace: str) -> None:
    check = check_of(pair, namespace=namespace)
    assert Verifier(os.environ).verify([check, check._replace(namespace=SPACE)]) == [True, False]


def test_nothing_is_verified_twice(pair: Pair, tmp_path: Path) -> None:
    checks = [check_of(pair, data) for data in (b"1", b"2", b"3")]
    found = Verifier(counting(tmp_path))
    assert found.verify([*checks, *checks]) == [True] * 6
    assert found.verify(checks) == [True] * 3
    assert runs(tmp_path) == 3
    assert found.verify([checks[0], checks[0]._replace(data=b"4")]) == [True, False]
    assert runs(tmp_path) == 4  # it has verified something, so it needs no test of itself


def test_what_does_not_fit_costs_no_process(pair: Pair, other: Pair, tmp_path: Path) -> None:
    good = check_of(pair)
    checks = [good._replace(key=other.key), good._replace(namespace="git"), good._replace(blob=b"x")]
    assert Verifier(counting(tmp_path)).verify(checks) == [False] * 3
    assert runs(tmp_path) == 0


def test_a_first_answer_of_no_is_held_against_a_signature_that_is_good(pair: Pair, tmp_path: Path) -> None:
    found = Verifier(counting(tmp_path))
    bad = check_of(pair)._replace(data=b"other")
    assert found.verify([bad]) == [False]
    assert found.verify([bad._replace(data=b"another")]) == [False]
    assert runs(tmp_path) == 3
    path = fake_keygen(tmp_path / "never", "#!/bin/sh\nexit 255\n")
    assert "cannot verify even a signature that is known to be good" in raised(check_of(pair), path)


def test_settings_have_no_say(pair: Pair, tmp_path: Path) -> None:
    script = f'#!/bin/sh\nenv | sort > {tmp_path}/env\npwd >> {tmp_path}/env\nexec {REAL} "$@"\n'
    environ = {"PATH": fake_keygen(tmp_path / "seen", script), "HOME": str(tmp_path), "SSH_AUTH_SOCK": "/x", "TZ": "X9"}
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("nonsense\n")
    assert Verifier(environ).verify([check_of(pair)]) == [True]
    seen = (tmp_path / "env").read_text().splitlines()
    assert {line.partition("=")[0] for line in seen} <= {"LC_ALL", "PATH", "PWD", "OLDPWD", "SHLVL", "_", "/"}
    assert seen[-1] == "/"


def test_dates_are_not_left_to_ssh_keygen(pair: Pair) -> None:
    """Its clock is the machine's; a key that has expired since must still prove what it signed in its time."""
    old = read_key("jane", f'valid-after="20000101",valid-before="20000102" {pair.line}')
    check = check_of(pair)._replace(key=old)
    assert Verifier(os.environ).verify([check]) == [True]
    assert fault_at(old, 946_684_800) == ""
    assert fault_at(old, 1_795_392_000) == "the key expired on 2000-01-02T00:00:00Z"


def test_an_ssh_keygen_that_cannot_answer_is_no_answer(pair: Pair, tmp_path: Path) -> None:
    check = check_of(pair)
    old = fake_keygen(tmp_path / "old", "#!/bin/sh\necho 'unknown option -- Y' >&2\nexit 1\n")
    assert "too old" in raised(check, old)
    assert "ended with the status 7" in raised(check, fake_keygen(tmp_path / "odd", "#!/bin/sh\nexit 7\n"))
    assert "ended with the status -9" in raised(check, fake_keygen(tmp_path / "killed", "#!/bin/sh\nkill -9 $$\n"))
    assert "could not be started" in raised(check, fake_keygen(tmp_path / "broken", "\x7fELF"))
    assert "not installed" in raised(check, "")
    assert "not installed" in raised(check, "relative:.")


def test_one_that_fails_ends_the_others(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    script = '#!/bin/sh\ncase "$*" in */0.sig*) exit 7;; esac\nexec sleep 600\n'
    checks = [check_of(pair, data) for data in (b"1", b"2", b"3", b"4")]
    with pytest.raises(UndeterminedError, match="status 7"):
        Verifier({"PATH": fake_keygen(tmp_path / "slow", script)}).verify(checks)


def test_as_many_at_once_as_there_are_processors(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    real, waiting = subprocess.Popen.wait, verifier._start
    now, most = [0], [0]

    def start(*args: object) -> object:
        now[0] += 1
        most[0] = max(most[0], now[0])
        return waiting(*args)  # type: ignore[arg-type]

    def wait(self: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        now[0] -= 1
        return real(self, timeout)

    checks = [check_of(pair, b"%d" % number) for number in range(7)]
    monkeypatch.setattr(verifier, "_start", start)
    monkeypatch.setattr(subprocess.Popen, "wait", wait)
    for processors, wanted in ((3, 3), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda found=processors: found)
        now[0] = most[0] = 0
        assert Verifier(os.environ).verify(checks) == [True] * 7
        assert (now[0], most[0]) == (0, wanted)


def test_a_disk_that_takes_nothing(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = check_of(pair)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(verifier, "open", full, raising=False)
        assert raised(check, os.environ["PATH"]) == "no temporary file could be written: No space left on device"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    assert "no temporary file could be written" in raised(check, os.environ["PATH"])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_hardware_key_verifies(tmp_path: Path) -> None:
    """What a FIDO key would answer, with openssl in its place. Source: OpenSSH's PROTOCOL.u2f."""

    def openssl(*args: str) -> bytes:
        return subprocess.run(["openssl", *args], cwd=tmp_path, check=True, capture_output=True).stdout

    openssl("genpkey", "-algorithm", "ed25519", "-out", "key.pem")
    public = openssl("pkey", "-in", "key.pem", "-pubout", "-outform", "DER")[-32:]
    kind = b"sk-ssh-ed25519@openssh.com"
    key = read_key("jane", f"{kind.decode()} {render_base64(string(kind, public, b'ssh:'))} token")
    signed = b"SSHSIG" + string(SPACE.encode(), b"", b"sha512", hashlib.sha512(b"data").digest())
    told = b"\x01\0\0\0\x09"  # touched, for the ninth time
    (tmp_path / "told").write_bytes(hashlib.sha256(b"ssh:").digest() + told + hashlib.sha256(signed).digest())
    openssl("pkeyutl", "-sign", "-rawin", "-inkey", "key.pem", "-in", "told", "-out", "answer")
    proper = string(kind, (tmp_path / "answer").read_bytes()) + told
    blob = b"SSHSIG\0\0\0\1" + string(key.blob, SPACE.encode(), b"", b"sha512", proper)
    check = Check(data=b"data", blob=blob, namespace=SPACE, key=key)
    assert Verifier(os.environ).verify([check, check._replace(data=b"other")]) == [True, False]
