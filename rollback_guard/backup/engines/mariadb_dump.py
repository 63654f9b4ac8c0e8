"""The dump program as a process: when it has begun to read, what it writes, and whether that is all of it."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from contextlib import contextmanager

from rollback_guard.backup.engines.mariadb_address import option_file
from rollback_guard.backup.engines.mariadb_connection import explain, identifier
from rollback_guard.backup.engines.mariadb_programs import clean, code_of
from rollback_guard.backup.engines.mariadb_tables import HISTORY, OURS, inexact
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from rollback_guard.backup.engines.mariadb_address import Address
    from rollback_guard.backup.engines.mariadb_programs import Program
    from rollback_guard.backup.engines.mariadb_tables import Table

TRAILER = b"-- Dump completed\n"
_PATIENCE = 60  # seconds until it reads its first table
_BEGUN = b"-- Retrieving table structure for table"
_CHUNK = 1 << 20
_COLUMN = b"  `"  # a line that declares one; rows have no line of their own, for their line feeds are escaped
_OPTIONS = (
    *("--single-transaction", "--quick", "--hex-blob", "--skip-add-locks", "--skip-triggers", "--skip-routines"),
    *("--skip-events", "--skip-dump-date", "--no-tablespaces", "--default-character-set=utf8mb4", "--verbose"),
    "--max-allowed-packet=1G",
)


@contextmanager
def dumping(
    address: Address, tables: Sequence[Table], views: Sequence[str], program: Program, environ: Mapping[str, str]
) -> Iterator[Dump]:
    """The dump program, from its first word to its end."""
    name = address.database
    options = [*_OPTIONS, *(f"--ignore-table={name}.{one}" for one in (*OURS, *views))]
    if program.dialect == "mysql":
        options += ["--column-statistics=0", "--set-gtid-purged=OFF"]
    elif any(table.kind == HISTORY for table in tables):
        options.append("--dump-history")
    options += [f"--ignore-table-data={name}.{one.name}" for one in tables if rounded(one, address)]
    with option_file(address) as number:
        child = subprocess.Popen(
            [program.path, f"--defaults-file=/dev/fd/{number}", *options, "--", name],
            env=clean(environ),
            pass_fds=(number,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        own = any(f"nextval({identifier(name)}." in column.default for one in tables for column in one.columns)
        running = Dump(child, address, identifier(name).encode() + b"." if own else b"")
        try:
            yield running
        finally:
            running.end()


def rounded(table: Table, address: Address) -> bool:
    """Whether we write a table's rows, and the dump program does not; MySQL's cannot leave out the rows alone."""
    return address.dialect == "mariadb" and inexact(table)


class Dump:
    """The dump program, as it runs. What it says on stderr is looked at, and never shown."""

    def __init__(self, child: subprocess.Popen[bytes], address: Address, own: bytes) -> None:
        self._child = child
        self._address = address
        self._own = own
        self.moment = time.time()
        self._reading = threading.Event()
        self._said = b""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        stderr = self._child.stderr
        assert stderr is not None
        for line in stderr:
            if line.startswith(_BEGUN):
                self._reading.set()
            elif not line.startswith(b"-- "):
                self._said = line
        self._reading.set()

    def begun(self) -> None:
        """Wait until it reads its first table, or has ended, which `copy` looks at."""
        if not self._reading.wait(_PATIENCE):
            raise UndeterminedError(f"the dump of {self._address.place} does not begin", remedy="guard backup create")

    def copy(self, sink: BinaryIO) -> None:
        """All that it says but its last line, without which it is not whole."""
        stdout = self._child.stdout
        assert stdout is not None
        waiting = b""
        while chunk := stdout.read(_CHUNK):
            waiting = self._rewrite(waiting + chunk)
            last = waiting.rfind(b"\n") + 1
            begun = last if waiting.startswith(_COLUMN, last) else len(waiting)
            cut = max(0, min(begun, len(waiting) - len(TRAILER)))
            sink.write(waiting[:cut])
            waiting = waiting[cut:]
        code = self._child.wait()
        self._listener.join()
        if code or not waiting.endswith(TRAILER):
            raise explain(code_of(self._said) or 2013, self._address, doing="while it was dumped")
        sink.write(waiting[: -len(TRAILER)])

    def _rewrite(self, text: bytes) -> bytes:
        """Columns that take values of a sequence name the database, and shall not: a copy has another name."""
        if not self._own or b"nextval(" + self._own not in text:
            return text
        return re.sub(rb"(?m)^(  `[^\n]*?nextval\()" + re.escape(self._own), rb"\1", text)

    def end(self) -> None:
        """Whether or not it was read to its end."""
        self._child.kill()
        self._child.wait()
        self._listener.join()
        for stream in (self._child.stdout, self._child.stderr):
            assert stream is not None
            stream.close()
