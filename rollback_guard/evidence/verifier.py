"""Checks signatures, by `ssh-keygen -Y verify`, several at once and none twice in a run.

Nothing of the caller's settings has a say: ssh-keygen is given the one key that must have signed, and an
environment of its own. An ssh-keygen that cannot verify at all is told from a signature that does not verify
by a signature that is known to be good. Whether the key counted at that moment is left to `policy.keys`.
"""

from __future__ import annotations

import os
import subprocess
from collections import deque
from typing import NamedTuple

from rollback_guard.errors import UndeterminedError
from rollback_guard.evidence.canonical import FormatError
from rollback_guard.evidence.sshsig import armored, read_sshsig
from rollback_guard.git.scratch import private_folder, unwritable
from rollback_guard.policy.keys import Key, read_base64, read_key, render_base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Question = tuple[bytes, bytes, str, bytes]

FAILED = 255  # the exit status of ssh-keygen for a signature that does not verify, and for other troubles
SIGNER = "signer"  # the name that the only key in the list of signers has
# A key that was thrown away, and its signature over "rollback-guard" for the namespace below.
SELF_TEST = "rollback-guard.self-test"
_KNOWN_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYxGDEvRSV8lW+S51e0wvdVhXXeRuUo4Iwz812GKjf0"
_KNOWN_SIGNATURE = (
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgZjEYMS9FJXyVb5LnV7TC91WFdd5G5SjgjDPzXYYqN/QAAAAYcm9sbGJhY2stZ3Vh"
    "cmQuc2VsZi10ZXN0AAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5AAAAQNIPnRaFVNhFh4IgLXUirCxwJP0C4K9x763OvrIHuhNv"
    "SvGzv4LqZXXKWe+ZcYa/EGQwKmGaP4YlpkZloV/JxQQ="
)


class Check(NamedTuple):
    """One signature to check: the bytes that were signed, the binary SSHSIG, and what it must be for and by."""

    data: bytes
    blob: bytes
    namespace: str
    key: Key


class Verifier:
    """Checks signatures and remembers the answers. `environ` says where ssh-keygen is, and nothing else."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: dict[Question, bool] = {}
        self._trusted = False

    def verify(self, checks: Sequence[Check]) -> list[bool]:
        """Whether each signature verifies, in the order of the checks.

        Raises: UndeterminedError when ssh-keygen is missing, too old, or cannot verify what is known to be good.
        """
        asked = [_question(check) for check in checks]
        waiting: dict[Question, Check] = {}
        for question, check in zip(asked, checks, strict=True):
            if question not in self._known:
                if _fits(check):
                    waiting[question] = check
                else:
                    self._known[question] = False
        if waiting:
            answers = dict(zip(waiting, self._ask(list(waiting.values())), strict=True))
            if not self._trusted and not all(answers.values()) and self._ask([_known_good()]) != [True]:
                raise UndeterminedError(
                    "ssh-keygen cannot verify even a signature that is known to be good",
                    remedy="ssh-keygen -Y verify   # what does it say? whoami must know this user",
                )
            self._trusted = True
            self._known.update(answers)
        return [self._known[question] for question in asked]

    def _ask(self, checks: list[Check]) -> list[bool]:
        """The answers of ssh-keygen, as many processes at once as there are processors."""
        program = find_keygen(self._environ)
        most = os.cpu_count() or 1
        answers: list[bool] = []
        running: deque[subprocess.Popen[bytes]] = deque()
        with private_folder() as folder:
            try:
                for number, check in enumerate(checks):
                    if len(running) >= most:
                        answers.append(_answer(running[0]))
                        running.popleft()
                    running.append(_start(program, check, os.path.join(folder, str(number))))
                while running:
                    answers.append(_answer(running[0]))
                    running.popleft()
            finally:
                for process in running:
                    process.kill()
                    process.wait()
        return answers


def _known_good() -> Check:
    key = read_key("nobody", _KNOWN_KEY)
    return Check(data=b"rollback-guard", blob=read_base64(_KNOWN_SIGNATURE), namespace=SELF_TEST, key=key)


def find_keygen(environ: Mapping[str, str]) -> str:
    """The path of ssh-keygen. A folder on the PATH that is none from the root is not looked in.

    Raises: UndeterminedError.
    """
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, "ssh-keygen")
        if os.path.isabs(folder) and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise UndeterminedError(
        "ssh-keygen is not installed, or not on the PATH: it makes and checks signatures",
        remedy="install OpenSSH 8.1 or newer, for example: apt-get install openssh-client",
    )


def too_old() -> UndeterminedError:
    """The error for an ssh-keygen that does not know what it is asked for."""
    return UndeterminedError(
        "this ssh-keygen is too old: it knows no signatures (-Y), which came with OpenSSH 8.1",
        remedy="ssh -V   # then install OpenSSH 8.1 or newer, for example: apt-get install openssh-client",
    )


def not_started(error: OSError) -> UndeterminedError:
    """The error for an ssh-keygen that is there and does not run."""
    return UndeterminedError(f"ssh-keygen could not be started: {error.strerror}", remedy="ssh -V   # does ssh run?")


def _question(check: Check) -> Question:
    import hashlib

    return hashlib.sha256(check.data).digest(), check.blob, check.namespace, check.key.blob


def _fits(check: Check) -> bool:
    """Whether the signature is at all for that, by that key; ssh-keygen is asked the same again."""
    try:
        said = read_sshsig(check.blob)
    except FormatError:
        return False
    return (said.public_key, said.namespace) == (check.key.blob, check.namespace)


def _start(program: str, check: Check, path: str) -> subprocess.Popen[bytes]:
    """Write down what ssh-keygen reads, and start it."""
    signers = f"{SIGNER} {check.key.type} {render_base64(check.key.blob)}\n".encode("ascii")
    for suffix, content in ((".data", check.data), (".sig", armored(check.blob)), (".signers", signers)):
        _write(path + suffix, content)
    data = os.open(path + ".data", os.O_RDONLY)
    try:
        return subprocess.Popen(
            [
                program,
                "-Y",
                "verify",
                "-f",
                path + ".signers",
                "-I",
                SIGNER,
                "-n",
                check.namespace,
                "-s",
                path + ".sig",
            ],
            env={"PATH": os.defpath, "LC_ALL": "C"},
            cwd="/",
            stdin=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise not_started(error) from None
    finally:
        os.close(data)


def _write(path: str, content: bytes) -> None:
    try:
        with open(path, "wb", buffering=0) as file:
            file.write(content)
    except OSError as error:
        raise unwritable(error) from None


def _answer(process: subprocess.Popen[bytes]) -> bool:
    status = process.wait()
    if status in (0, FAILED):
        return status == 0
    if status == 1:
        raise too_old()
    raise UndeterminedError(f"ssh-keygen ended with the status {status}", remedy="ssh-keygen -Y verify   # try it")
