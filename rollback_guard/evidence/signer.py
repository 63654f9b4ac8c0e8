"""Makes signatures, by `ssh-keygen -Y sign`, so that plain keys, agents and hardware keys all serve.

Nothing here waits for somebody who is not there: without a terminal no passphrase is asked for. What is
signed is left to `evidence.statement` and `evidence.envelope`; checking signatures to `evidence.verifier`.
Source: ssh-keygen(1); OpenSSH's PROTOCOL.sshsig.
"""

from __future__ import annotations

import os
import signal
import subprocess

from rollback_guard.errors import RefusedError, UndeterminedError, UsageError
from rollback_guard.evidence.canonical import FormatError
from rollback_guard.evidence.sshsig import read_sshsig, unarmored
from rollback_guard.evidence.verifier import Check, Verifier, find_keygen, not_started, too_old
from rollback_guard.git.process import decode
from rollback_guard.git.scratch import private_folder
from rollback_guard.policy.keys import fingerprint_of, parse_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Check", "Verifier", "public_key_of", "sign"]

TIMEOUT = 60.0  # seconds without a terminal: an agent may ask elsewhere, and a hardware key wait for a touch
USAGE = 1  # the exit status of an ssh-keygen that does not know what it is asked for
_ASKING = ("DISPLAY", "WAYLAND_DISPLAY", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE")
_HEAD = 120  # bytes in front of a private key that tell whether it is encrypted; nothing secret is among them
_OPEN_CIPHER = b"b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"  # "openssh-key-v1", and the cipher "none"


def sign(
    data: bytes, *, key: str, namespace: str, environ: Mapping[str, str], public_key: bytes | None = None
) -> bytes:
    """The binary SSHSIG over `data`.

    `key` is the path of a private key, of a public key whose private one an agent holds, or the public key itself
    (`key::ssh-ed25519 AAAA…` or without `key::`), as git's user.signingKey. With `public_key`, a signature by any
    other key is refused. Raises: UsageError, RefusedError, UndeterminedError.
    """
    program = find_keygen(environ)
    with private_folder() as folder:
        path = _key_file(key, environ, folder)
        terminal = has_terminal()
        command = [program, "-Y", "sign", "-f", path, "-n", namespace]
        status, out, said = _run(command, data, environ, terminal=terminal, shown=terminal and _asks_for_touch(path))
        if status == USAGE:
            raise too_old()
        if status != 0:
            raise _refusal(path, key, said, environ, terminal=terminal)
    return _checked(out, namespace, public_key)


def public_key_of(key: str, environ: Mapping[str, str]) -> bytes:
    """The public key (as `policy.keys` has its `blob`) of what `sign` takes as `key`.

    It is read from the file, or from the .pub file beside it; where there is none, ssh-keygen draws it from the
    private key, which may ask for a passphrase. Raises: UsageError, RefusedError, UndeterminedError.
    """
    literal = _literal(key)
    if literal:
        return _blob_of(literal, key)
    path = _existing(key, environ)
    if not _is_private(path):
        return _blob_of(_first_line(path), key)
    if os.path.isfile(path + ".pub"):
        return _blob_of(_first_line(path + ".pub"), path + ".pub")
    terminal = has_terminal()
    status, out, said = _run([find_keygen(environ), "-y", "-f", path], b"", environ, terminal=terminal, shown=False)
    if status != 0:
        raise _refusal(path, key, said, environ, terminal=terminal)
    return _blob_of(decode(out).strip(), key)


def has_terminal() -> bool:
    """Whether somebody can be asked: this process is in the foreground of a terminal.

    One in the background would be stopped as soon as it reads from it.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _run(
    command: list[str], data: bytes, environ: Mapping[str, str], *, terminal: bool, shown: bool
) -> tuple[int, bytes, str]:
    """Exit status, output, and what was said last; with `shown`, it is said to the person instead."""
    env = {**environ, "LC_ALL": "C"}
    if not terminal:
        env = {name: value for name, value in env.items() if name not in _ASKING}
        env["SSH_ASKPASS_REQUIRE"] = "never"
    try:
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if shown else subprocess.PIPE,
            start_new_session=not terminal,  # so that no terminal can be reached
        )
    except OSError as error:
        raise not_started(error) from None
    try:
        out, err = process.communicate(data, timeout=None if terminal else TIMEOUT)
    except subprocess.TimeoutExpired:
        raise RefusedError(
            f"ssh-keygen gave no answer within {TIMEOUT:.0f} seconds, and there is no terminal to ask at",
            remedy="ssh-add -l   # unlock the key in the agent, touch the hardware key, or run this in a terminal",
        ) from None
    finally:
        _end(process, group=not terminal)
    lines = [line.strip() for line in decode(err or b"").splitlines() if line.strip()]
    return process.returncode, out, lines[-1] if lines else ""


def _end(process: subprocess.Popen[bytes], *, group: bool) -> None:
    """End what still runs, with the programs that it started itself to ask for something."""
    if process.poll() is None:
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _key_file(key: str, environ: Mapping[str, str], folder: str) -> str:
    """The path to give to ssh-keygen; a key that is itself the text is written down first."""
    literal = _literal(key)
    if not literal:
        path = _existing(key, environ)
        if not _is_private(path):
            _blob_of(_first_line(path), key)
        return path
    _blob_of(literal, key)
    path = os.path.join(folder, "key.pub")
    with open(path, "w", encoding="utf-8") as file:
        file.write(literal + "\n")
    return path


def _literal(key: str) -> str:
    """The public key that is given instead of a path. Source: git-config(1), user.signingKey."""
    if key.startswith("key::"):
        return key[5:]
    return key if key.startswith("ssh-") and " " in key else ""


def _existing(key: str, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    path = os.path.join(home, key[2:]) if key.startswith("~/") and home else key
    path = os.path.abspath(path)  # so that none is taken for an option
    if path.endswith(".pub") and os.path.isfile(path[:-4]):
        path = path[:-4]  # an agent that holds it is asked first all the same
    if not os.path.isfile(path):
        raise UsageError(
            f"there is no key {key}",
            remedy="ssh-keygen -t ed25519   # then name it: --key ~/.ssh/id_ed25519, or git config user.signingKey",
        )
    return path


def _read(path: str, most: int) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(most)
    except OSError as error:
        raise UsageError(f"the key {path} cannot be read: {error.strerror}", remedy=f"ls -l {path}") from None


def _is_private(path: str) -> bool:
    return _read(path, _HEAD).startswith(b"-----BEGIN ")


def _is_encrypted(path: str) -> bool:
    """Whether the file of a private key says that it has a passphrase."""
    lines = _read(path, _HEAD).split(b"\n")
    if lines[0].startswith(b"-----BEGIN OPENSSH "):
        return not (len(lines) > 1 and lines[1].startswith(_OPEN_CIPHER))
    return b" ENCRYPTED " in lines[0] or b"ENCRYPTED" in b"".join(lines[1:2])


def _first_line(path: str) -> str:
    return _read(path, 1 << 15).partition(b"\n")[0].decode("utf-8", "replace").strip()


def _asks_for_touch(path: str) -> bool:
    """Whether ssh-keygen may have to say that the hardware key waits for a touch."""
    public = path if not _is_private(path) else path + ".pub"
    return not os.path.isfile(public) or _first_line(public).startswith("sk-")


def _blob_of(line: str, name: str) -> bytes:
    try:
        return parse_key(line)[1]
    except ValueError as fault:
        raise UsageError(
            f"{name} is no key that can sign here: it {fault}",
            remedy="--key ~/.ssh/id_ed25519   # a private key, or its .pub file when an agent holds it",
        ) from None


def _refusal(path: str, key: str, said: str, environ: Mapping[str, str], *, terminal: bool) -> RefusedError:
    """Why ssh-keygen could not sign, drawn from the state of things and not from its words."""
    why = f" (ssh-keygen says: {said})" if said else ""
    if not _is_private(path):
        if not environ.get("SSH_AUTH_SOCK"):
            return RefusedError(
                f"only the public part of the key is at {key}, and no ssh-agent is running here{why}",
                remedy='eval "$(ssh-agent)" && ssh-add   # or name the private key with --key',
            )
        return RefusedError(
            f"the ssh-agent does not hold the private part of {key}, or cannot be reached{why}",
            remedy="ssh-add -l   # then ssh-add the key, or name the private key with --key",
        )
    if _is_encrypted(path) and not terminal:
        return RefusedError(
            f"the key {key} has a passphrase, and there is no terminal to ask for it",
            remedy=f"ssh-add {path}   # once, in a terminal; then the agent signs",
        )
    alone = not os.path.isfile(path + ".pub")  # an old form of key does not say what its public part is
    return RefusedError(
        f"the key {key} could not be used{why}",
        remedy=f"ssh-keygen -y -f {path} > {path}.pub" if alone else f"ssh-keygen -y -f {path}   # does it open?",
    )


def _checked(out: bytes, namespace: str, public_key: bytes | None) -> bytes:
    """The signature, once it is what was asked for."""
    try:
        blob = unarmored(out)
        made = read_sshsig(blob)
    except FormatError as fault:
        raise UndeterminedError(
            f"ssh-keygen made something that cannot be used: {fault.reason}", remedy="ssh -V   # which OpenSSH is it?"
        ) from None
    if made.namespace != namespace:
        raise UndeterminedError("ssh-keygen signed for something else than it was asked for", remedy="ssh -V")
    if public_key is not None and made.public_key != public_key:
        raise RefusedError(
            f"the signature is by the key {fingerprint_of(made.public_key)}, not by {fingerprint_of(public_key)}: "
            "the .pub file beside the private key is another key's",
            remedy="ssh-keygen -y -f KEY > KEY.pub",
        )
    return blob
