"""A backup's SQL, put back by the client program into a database: whole and without one error, or not at all."""

from __future__ import annotations

import subprocess
import threading

from rollback_guard.backup.engines.mariadb_address import option_file
from rollback_guard.backup.engines.mariadb_connection import explain, identify, session
from rollback_guard.backup.engines.mariadb_dump import TRAILER
from rollback_guard.backup.engines.mariadb_fingerprint import collect_fingerprint
from rollback_guard.backup.engines.mariadb_programs import clean, code_of, find_program
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

    from rollback_guard.backup.engines.mariadb_address import Address
    from rollback_guard.backup.model import Fingerprint

_CHUNK = 1 << 20
_SAID = 1 << 16  # bytes of stderr that are looked at


class MariaDBTarget:
    """A database that a backup is restored into. `held`: its events sleep until it takes the source's place."""

    def __init__(self, address: Address, environ: Mapping[str, str], *, held: bool = False) -> None:
        self._address = address
        self._environ = environ
        self._held = held
        with session(address) as opened:
            self.identity = identify(opened)

    @property
    def address(self) -> Address:
        """Where it is, for the self-test."""
        return self._address

    def restore(self, stream: BinaryIO) -> None:
        """Put a backup back. Raises: UndeterminedError at its first error, or where its last line is missing.

        The client program is happy with half a backup, cut between two statements: what ends it is looked for here.
        """
        program = find_program("client", self._address.dialect, self._environ)
        options = ["--binary-mode", "--batch", "--default-character-set=utf8mb4", "--max-allowed-packet=1G"]
        options.append(f"--init-command=SET @rollback_guard_held = {'1' if self._held else 'NULL'}")
        with option_file(self._address) as number:
            child = subprocess.Popen(
                [program.path, f"--defaults-file=/dev/fd/{number}", *options, "--", self._address.database],
                env=clean(self._environ),
                pass_fds=(number,),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            with child:
                try:
                    self._feed(child, stream)
                finally:
                    child.kill()

    def _feed(self, child: subprocess.Popen[bytes], stream: BinaryIO) -> None:
        assert child.stdin is not None
        said: list[bytes] = []
        listener = threading.Thread(target=_listen, args=(child, said), daemon=True)
        listener.start()
        last, whole = b"", True
        try:
            while chunk := stream.read(_CHUNK):
                last = (last + chunk)[-len(TRAILER) :]
                child.stdin.write(chunk)
            whole = last == TRAILER
            if not whole:
                child.kill()  # before it takes the end of what it got for the end of all
            child.stdin.close()
        except BrokenPipeError:
            pass  # it gave up, or was killed
        code = child.wait()
        listener.join()
        if not whole:
            raise UndeterminedError(
                "the backup is cut off: its last line, '-- Dump completed', is not there", remedy="guard backup list"
            )
        if code:
            raise explain(code_of(b"".join(said)) or 2013, self._address, doing="while a backup was restored")

    def fingerprint(self) -> Fingerprint:
        """What is in it now."""
        with session(self._address) as opened:
            return collect_fingerprint(opened)

    def environment(self) -> Mapping[str, str]:
        """Variables by which a check reaches it: a URL, and what the client program itself looks at."""
        return environment_of(self._address)


def environment_of(address: Address) -> dict[str, str]:
    """Variables for a check."""
    found = {"GUARD_SCRATCH": address.url, "GUARD_SCRATCH_DATABASE": address.database}
    if address.socket:
        return {**found, "MYSQL_UNIX_PORT": address.socket}
    return {**found, "MYSQL_HOST": address.host, "MYSQL_TCP_PORT": str(address.port)}


def _listen(child: subprocess.Popen[bytes], said: list[bytes]) -> None:
    """Keep the end of what it says on stderr, of which only the number of an error is ever told."""
    assert child.stderr is not None
    for line in child.stderr:
        said[:] = [*said[-9:], line[-_SAID:]]
