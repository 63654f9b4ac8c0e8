"""Signing with real keys and a real agent; nobody is waited for who is not there."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_guard.errors import GuardError, RefusedError, UndeterminedError, UsageError
from rollback_guard.evidence import signer
from rollback_guard.evidence.signer import Check, Verifier, has_terminal, public_key_of, sign
from rollback_guard.evidence.sshsig import armored, read_sshsig
from tests.evidence.values import Pair, make_pair
from tests.support.architecture import ROOT

DATA = b"DSSEv1 4 type 4 data"
SPACE = "rollback-guard.sign-off.qa"


@pytest.fixture(autouse=True)
def nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that run in somebody's terminal must not ask there; no agent of the machine is asked either."""
    monkeypatch.setattr(signer, "has_terminal", lambda: False)
    for name in ("SSH_AUTH_SOCK", "SSH_AGENT_PID", "DISPLAY", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path)


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An agent of the test's own, under a path that is short enough for a socket."""
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "agent")
    # In the foreground, so that its end can be waited for: it removes its socket itself.
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()  # what it says when it listens
    monkeypatch.setenv("SSH_AUTH_SOCK", path)
    try:
        yield path
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
        shutil.rmtree(folder)


def add(pair: Pair, **env: str) -> None:
    subprocess.run(["ssh-add", pair.path], check=True, capture_output=True, env={**os.environ, **env})


def holds(key: str, pair: Pair) -> bool:
    """Whether signing with it gives what verifies as this pair's."""
    blob = sign(DATA, key=key, namespace=SPACE, environ=os.environ, public_key=pair.key.blob)
    return Verifier(os.environ).verify([Check(data=DATA, blob=blob, namespace=SPACE, key=pair.key)]) == [True]


def fault(key: str, kind: type[GuardError], **env: str) -> str:
    """The message and remedy when a key cannot sign."""
    with pytest.raises(kind) as caught:
        sign(DATA, key=key, namespace=SPACE, environ={**os.environ, **env})
    assert caught.value.remedy
    return f"{caught.value.message} → {caught.value.remedy}"


def fake_keygen(folder: Path, script: str) -> str:
    """A PATH on which ssh-keygen is that script."""
    folder.mkdir(exist_ok=True)
    program = folder / "ssh-keygen"
    program.write_text(script)
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize(("kind", "bits"), [("ed25519", 0), ("ecdsa", 256), ("ecdsa", 521), ("rsa", 2048)])
def test_plain_keys_sign(tmp_path: Path, kind: str, bits: int) -> None:
    pair = make_pair(tmp_path, kind=kind, bits=bits)
    assert holds(pair.path, pair)
    assert holds(pair.path + ".pub", pair)
    assert public_key_of(pair.path, os.environ) == public_key_of(pair.path + ".pub", os.environ) == pair.key.blob


def test_a_key_is_named_as_git_names_it(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(pair.path).parent
    monkeypatch.setenv("HOME", str(home))
    assert holds("~/jane", pair)
    monkeypatch.chdir(home)
    assert holds("jane", pair)
    Path(pair.path).rename(home / "-jane")
    Path(pair.path + ".pub").rename(home / "-jane.pub")
    assert holds("-jane", pair)
    assert "there is no key ~/jane" in fault("~/jane", UsageError, HOME="")


def test_an_agent_signs_with_what_it_holds(agent: str, pair: Pair) -> None:
    add(pair)
    os.unlink(pair.path)
    assert holds(pair.path + ".pub", pair)
    assert holds(pair.line, pair)
    assert holds("key::" + pair.line, pair)
    for key in (pair.path + ".pub", pair.line, "key::" + pair.line):
        assert public_key_of(key, os.environ) == pair.key.blob
    other = make_pair(Path(pair.path).parent, "other")
    for key in (other.line, "key::" + other.line):
        assert "the ssh-agent does not hold the private part" in fault(key, RefusedError)
    os.unlink(other.path)
    assert "ssh-add -l" in fault(other.path + ".pub", RefusedError)


def test_an_agent_serves_a_key_with_a_passphrase(agent: str, tmp_path: Path) -> None:
    pair = make_pair(tmp_path, secret="secret")
    asker = tmp_path / "asker"
    asker.write_text("#!/bin/sh\necho secret\n")
    asker.chmod(0o755)
    assert "ssh-add" in fault(pair.path, RefusedError)
    add(pair, SSH_ASKPASS=str(asker), SSH_ASKPASS_REQUIRE="force")
    assert holds(pair.path, pair)


def test_a_public_key_alone_needs_an_agent(pair: Pair) -> None:
    os.unlink(pair.path)
    assert "no ssh-agent is running here" in fault(pair.path + ".pub", RefusedError)
    assert "no ssh-agent is running here" in fault(pair.line, RefusedError)
    assert "cannot be reached" in fault(pair.line, RefusedError, SSH_AUTH_SOCK=pair.path)


@pytest.mark.parametrize("form", ["RFC4716", "PEM", "PKCS8"])
def test_a_passphrase_that_nobody_can_type_is_an_error_at_once(tmp_path: Path, form: str) -> None:
    path = str(tmp_path / "key")
    kind = ["-t", "rsa", "-b", "2048", "-m", form]
    subprocess.run(["ssh-keygen", "-q", *kind, "-N", "secret", "-f", path], check=True)
    asker = tmp_path / "asker"
    asker.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\necho secret\n")
    asker.chmod(0o755)
    wanted = f"the key {path} has a passphrase, and there is no terminal to ask for it → ssh-add {path}"
    assert wanted in fault(path, RefusedError, SSH_ASKPASS=str(asker), SSH_ASKPASS_REQUIRE="force", DISPLAY=":9")
    os.unlink(path + ".pub")
    assert wanted in fault(path, RefusedError)
    with pytest.raises(RefusedError, match="has a passphrase"):
        public_key_of(path, os.environ)
    assert not (tmp_path / "asked").exists()


def test_a_private_key_alone_is_enough(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    os.unlink(pair.path + ".pub")
    for terminal in (False, True):
        monkeypatch.setattr(signer, "has_terminal", lambda there=terminal: there)
        assert public_key_of(pair.path, os.environ) == pair.key.blob
        assert holds(pair.path, pair)


def test_a_private_key_of_the_old_form_needs_its_public_part(tmp_path: Path) -> None:
    pair = make_pair(tmp_path, kind="rsa", bits=2048)
    old = ["ssh-keygen", "-q", "-p", "-N", "", "-m", "PEM", "-f", pair.path]
    subprocess.run(old, check=True, capture_output=True)
    assert holds(pair.path, pair)
    os.unlink(pair.path + ".pub")
    assert public_key_of(pair.path, os.environ) == pair.key.blob
    remedy = fault(pair.path, RefusedError).rpartition(" → ")[2]
    assert remedy == f"ssh-keygen -y -f {pair.path} > {pair.path}.pub"
    subprocess.run(remedy, shell=True, check=True)
    assert holds(pair.path, pair)


def test_what_is_no_key_is_a_usage_error(tmp_path: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no key /none" in fault("/none", UsageError)
    assert "there is no key" in fault(str(tmp_path), UsageError)
    assert "there is no key 0xDEADBEEF" in fault("0xDEADBEEF", UsageError)
    text = tmp_path / "text"
    text.write_bytes(b"hello \xff\n")
    assert "is no key that can sign here: it must be a public key" in fault(str(text), UsageError)
    assert "is no key that can sign here" in fault("key::ssh-ed25519 AAAA", UsageError)
    assert "is no key that can sign here" in fault("ssh-ed25519 AAAA", UsageError)
    with pytest.raises(UsageError, match="is no key that can sign here"):
        public_key_of("key::x", os.environ)
    broken = tmp_path / "broken"
    broken.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAA\n")
    broken.chmod(0o600)
    assert "could not be used (ssh-keygen says: " in fault(str(broken), RefusedError)
    with pytest.raises(RefusedError, match="could not be used"):
        public_key_of(str(broken), os.environ)

    def no(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(signer, "open", no, raising=False)
    assert f"the key {pair.path} cannot be read: Permission denied → ls -l" in fault(pair.path, UsageError)


def test_a_public_key_that_is_another_ones_is_found_out(pair: Pair, tmp_path: Path) -> None:
    """The .pub file says whose decision it would be; the signature is by the private key."""
    other = make_pair(tmp_path, "other")
    shutil.copy(other.path + ".pub", pair.path + ".pub")
    assert public_key_of(pair.path, os.environ) == other.key.blob
    with pytest.raises(RefusedError):  # newer ones see it themselves
        sign(DATA, key=pair.path, namespace=SPACE, environ=os.environ, public_key=other.key.blob)
    os.unlink(pair.path + ".pub")
    with pytest.raises(RefusedError, match="another key's"):
        sign(DATA, key=pair.path, namespace=SPACE, environ=os.environ, public_key=other.key.blob)


def test_without_ssh_keygen(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_keygen(tmp_path / "here", "#!/bin/sh\ntouch ran\n")
    monkeypatch.chdir(tmp_path / "here")
    for path in ("", ":", ".", str(tmp_path)):
        assert "ssh-keygen is not installed" in fault(pair.path, UndeterminedError, PATH=path)
    assert not (tmp_path / "here" / "ran").exists()
    path = fake_keygen(tmp_path / "broken", "\x7fELF no program")
    assert "ssh-keygen could not be started: Exec format error" in fault(pair.path, UndeterminedError, PATH=path)


def test_an_ssh_keygen_that_is_too_old(pair: Pair, tmp_path: Path) -> None:
    path = fake_keygen(tmp_path / "old", "#!/bin/sh\necho 'unknown option -- Y' >&2\necho usage: >&2\nexit 1\n")
    assert "this ssh-keygen is too old" in fault(pair.path, UndeterminedError, PATH=path)
    assert "OpenSSH 8.1" in fault(pair.path, UndeterminedError, PATH=path)


def test_no_answer_is_not_waited_for(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do the programs stay that ssh-keygen has started to ask for something."""
    path = fake_keygen(tmp_path / "slow", f"#!/bin/sh\nsleep 600 &\necho $! > {tmp_path}/pid\nwait\n")
    monkeypatch.setattr(signer, "TIMEOUT", 0.5)
    assert "no answer within 0 seconds, and there is no terminal" in fault(pair.path, RefusedError, PATH=path)
    pid = (tmp_path / "pid").read_text().strip()
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_an_interrupt_ends_ssh_keygen(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fake_keygen(tmp_path / "slow", "#!/bin/sh\nexec sleep 600\n")
    started: list[subprocess.Popen[bytes]] = []

    def interrupted(self: subprocess.Popen[bytes], *_: object, **__: object) -> None:
        started.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    monkeypatch.setattr(signer, "has_terminal", lambda: True)
    with pytest.raises(KeyboardInterrupt):
        sign(DATA, key=pair.path, namespace=SPACE, environ={**os.environ, "PATH": path})
    assert [process.returncode for process in started] == [-9]


def test_what_ssh_keygen_makes_is_looked_at(pair: Pair, tmp_path: Path) -> None:
    path = fake_keygen(tmp_path / "mad", "#!/bin/sh\ncat > /dev/null\necho done\n")
    assert "made something that cannot be used" in fault(pair.path, UndeterminedError, PATH=path)
    other = armored(sign(DATA, key=pair.path, namespace="git", environ=os.environ))
    (tmp_path / "signature").write_bytes(other)
    path = fake_keygen(tmp_path / "other", f"#!/bin/sh\ncat > /dev/null\ncat {tmp_path}/signature\n")
    assert "signed for something else" in fault(pair.path, UndeterminedError, PATH=path)


def test_nothing_is_left_behind(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    before = sorted(os.listdir(tmp_path))
    assert holds(pair.path, pair)
    assert fault(pair.line, RefusedError)
    assert sorted(os.listdir(tmp_path)) == before
    assert os.listdir(scratch) == []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    assert "no temporary file could be written" in fault(pair.path, UndeterminedError)


TYPING = """
import os, sys
os.close(os.open(os.ttyname(0), os.O_RDWR))  # a session without a terminal gets this one
from rollback_guard.evidence.signer import sign
sys.stdout.buffer.write(sign(b"data", key=sys.argv[1], namespace="n", environ=os.environ))
"""


def test_in_a_terminal_the_passphrase_is_asked_for(tmp_path: Path) -> None:
    pair = make_pair(tmp_path, secret="secret")
    ours, theirs = os.openpty()
    command = [sys.executable, "-c", TYPING, pair.path]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    try:
        shown = b""
        while b"passphrase" not in shown:
            ready, _, _ = select.select([ours], [], [], 60)
            assert ready, shown
            shown += os.read(ours, 1000)
        os.write(ours, b"secret\n")
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert process.returncode == 0
    assert read_sshsig(out).public_key == pair.key.blob
    assert b"secret" not in shown


def test_a_terminal_in_whose_background_we_are_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def opened(path: str, flags: int) -> int:
        assert path == "/dev/tty"
        return real(os.devnull, flags)

    def missing(*_: object) -> int:
        raise OSError(6, "No such device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", opened)
        patch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
        foreground = has_terminal()
        patch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp() + 1)
        background = has_terminal()
        patch.setattr(os, "tcgetpgrp", missing)
        gone = has_terminal()
        patch.setattr(os, "open", missing)
        none = has_terminal()
    assert (foreground, background, gone, none) == (True, False, False, False)
