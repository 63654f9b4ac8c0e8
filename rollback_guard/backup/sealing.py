"""Encryption of backups with age: to X25519 recipients (`age1…`) and to SSH public keys; memory stays flat.

`pyrage` (extra `encrypt`) pushes and pulls by itself, so it runs in a thread behind a pipe. What it says is not told:
only whether a key fits. Errors: UsageError for what is no recipient or no key file, UndeterminedError for the rest.
"""

from __future__ import annotations

import io
import os
import shlex
import stat
import threading
from contextlib import contextmanager
from typing import NamedTuple

from rollback_guard.errors import UndeterminedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, BinaryIO

MOST_KEY_FILE = 64 * 1024  # bytes
_BUFFER = 256 * 1024
_LOCKED = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")


class Recipients(NamedTuple):
    """To whom backups are encrypted, each able to decrypt by itself."""

    parsed: tuple[Any, ...]


class Keys(NamedTuple):
    """What decrypts. Nothing of it is shown."""

    parsed: tuple[Any, ...]

    def __repr__(self) -> str:
        return "Keys(…)"


class SealedError(UndeterminedError):
    """Bytes that these keys do not decrypt."""


def read_recipients(texts: Sequence[str]) -> Recipients:
    """Recipients, as `age-keygen -y` or a `.pub` file writes them. Raises: UsageError, UndeterminedError."""
    pyrage = _pyrage()
    found = []
    for text in texts:
        reader = pyrage.ssh.Recipient if text.startswith("ssh-") else pyrage.x25519.Recipient
        try:
            found.append(reader.from_str(text.strip()))
        except pyrage.RecipientError:
            raise UsageError(
                f"{text[:60]!r} is no recipient that age encrypts to: age1…, ssh-ed25519 … or ssh-rsa …",
                remedy="age-keygen -y KEY-FILE",
            ) from None
    return Recipients(tuple(found))


def read_keys(path: str) -> Keys:
    """The keys in a file that only its owner may read: as age-keygen writes it, or an OpenSSH private key.

    Raises: UsageError for what is none, or is protected by a passphrase; UndeterminedError when it cannot be read.
    """
    pyrage, quoted = _pyrage(), shlex.quote(path)
    try:
        with open(path, "rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            data = stream.read(MOST_KEY_FILE)
    except OSError as error:
        raise UndeterminedError(
            f"the key file {path} cannot be read: {error.strerror}", remedy=f"ls -l {quoted}"
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise UsageError(f"others may read the key file {path}", remedy=f"chmod 600 {quoted}")
    if data.startswith(_LOCKED):
        raise UsageError(
            f"the key file {path} is protected by a passphrase, which nobody can be asked for here",
            remedy=f"(umask 077 && age -d {quoted} > key.txt)",
        )
    try:
        if data.startswith(b"-----BEGIN"):
            return Keys((pyrage.ssh.Identity.from_buffer(data),))
        lines = [one.strip() for one in data.decode("ascii").splitlines()]
        found = tuple(pyrage.x25519.Identity.from_str(one) for one in lines if one and not one.startswith("#"))
    except (pyrage.IdentityError, UnicodeDecodeError) as error:
        if "decrypted first" in str(error):
            raise UsageError(
                f"the key file {path} is protected by a passphrase, which nobody can be asked for here",
                remedy=f"ssh-keygen -p -N '' -f {quoted}",
            ) from None
        found = ()
    if not found:
        raise UsageError(
            f"{path} holds no key that age can use: AGE-SECRET-KEY-1…, or an OpenSSH one of kind ed25519 or rsa",
            remedy="age-keygen -o key.txt",
        )
    return Keys(found)


@contextmanager
def sealing(sink: BinaryIO, recipients: Recipients) -> Iterator[BinaryIO]:
    """A sink that encrypts into another one; all is there when the block ends."""
    encrypt = _pyrage().encrypt_io
    got, put = os.pipe()
    source, target = open(got, "rb", buffering=_BUFFER), _Kept(sink)  # noqa: SIM115  # the worker closes it
    worker = _Worker(lambda: encrypt(source, target, recipients.parsed), target, source.close)
    inner = _Pipe(put, worker)
    try:
        yield inner  # type: ignore[misc]  # as a BinaryIO it is only written to
    finally:
        inner.close()
        worker.join()
    if worker.error is not None:
        raise worker.error


def unsealing(source: BinaryIO, keys: Keys) -> Unsealed:
    """What another stream holds, decrypted. Closed before its end, it reads no further."""
    return Unsealed(source, keys)


class Unsealed(io.RawIOBase):
    """Decrypted bytes. Raises at its end, or before: SealedError; what reading the source raised."""

    def __init__(self, source: BinaryIO, keys: Keys) -> None:
        super().__init__()
        decrypt = _pyrage().decrypt_io
        got, put = os.pipe()
        self._stream = io.BufferedReader(io.FileIO(got), _BUFFER)
        kept, sink = _Kept(source), open(put, "wb", buffering=0)  # noqa: SIM115  # the worker closes it
        self._worker = _Worker(lambda: decrypt(kept, sink, keys.parsed), kept, sink.close)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._stream.readinto(buffer)
        if not count:
            self._worker.join()
            if self._worker.error is not None:
                raise self._worker.error
        return count

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._worker.join()
        super().close()


class _Worker(threading.Thread):
    """Runs age. `error`: why it failed, an error of the stream it worked on rather than its own words for that."""

    def __init__(self, work: Callable[[], None], stream: _Kept, done: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.error: BaseException | None = None
        self._work = work
        self._stream = stream
        self._done = done
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except BaseException:
            self.error = self._stream.error or SealedError(
                "the backup cannot be decrypted with this key", remedy="guard backup prove --identity KEY-FILE"
            )
        finally:
            self._done()


class _Kept(io.RawIOBase):
    """A stream that keeps its first error: age would tell it in its own words."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except BaseException as error:
            self.error = error
            raise

    def write(self, data: Any) -> int:
        try:
            return self._stream.write(data)
        except BaseException as error:
            self.error = error
            raise

    def flush(self) -> None:
        pass


class _Pipe(io.RawIOBase):
    """The end of a pipe that is written to; when nobody reads any more, why not."""

    def __init__(self, descriptor: int, worker: _Worker) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._worker = worker

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except BrokenPipeError:
            self._worker.join()
            raise self._worker.error or SealedError("the backup cannot be encrypted", remedy="guard doctor") from None
        return size

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def _pyrage() -> Any:
    try:
        import pyrage
    except ImportError:
        raise UndeterminedError(
            "what encrypts backups is not installed", remedy="pip install 'rollback-guard[encrypt]'"
        ) from None
    return pyrage
