"""Why pg_dump or pg_restore failed, by what they said, without what they said: they quote rows."""

from __future__ import annotations

import re
from typing import NamedTuple

from rollback_guard.errors import UndeterminedError


class Cause(NamedTuple):
    """A reason, and the words by which it is known."""

    words: bytes
    meaning: str
    remedy: str


_ENTRY = re.compile(rb"from TOC entry \d+; \d+ \d+ (.*) \S+$", re.MULTILINE)
_COPIED = re.compile(rb'^pg_restore: error: COPY failed for table "([^"]*)": ', re.MULTILINE)
_AGAIN = "look into the server's log, then do it again"
_CAUSES = (
    Cause(
        rb"No space left on device|could not extend file",
        "the server's disk is full",
        "make room on it, then do it again",
    ),
    Cause(
        rb"lock timeout|statement timeout",
        "a table is locked by somebody",
        "wait until whoever holds it is done: SELECT * FROM pg_locks",
    ),
    Cause(rb"end of file|could not find block ID", "the backup ends too early", "guard backup create"),
    Cause(rb"unsupported version", "the backup is of a newer PostgreSQL", "install a newer pg_restore"),
    Cause(rb"server version mismatch", "pg_dump is older than the server", "install a newer pg_dump"),
    Cause(
        rb"role \"[^\"]*\" does not exist",
        "a role is missing on that server",
        "CREATE ROLE … NOLOGIN, on that server",
    ),
    Cause(
        rb"extension \"[^\"]*\" is not available|could not open extension control file",
        "an extension is missing on that server",
        "install the extension's package on that server",
    ),
    Cause(rb"max_locks_per_transaction", "the server is out of locks", "raise max_locks_per_transaction there"),
    Cause(rb"row-level security", "row security hides rows from the role", "ALTER ROLE … BYPASSRLS"),
    Cause(
        rb"permission denied|must be owner|must be able to|must be superuser",
        "the role may not do it",
        "GRANT pg_read_all_data TO …; to restore, the role must be the owner or a superuser",
    ),
    Cause(
        rb"terminating connection|closed the connection|no connection to the server", "the connection was lost", _AGAIN
    ),
    Cause(
        rb"password authentication failed|no password supplied",
        "the server refused the password",
        "psql, with the same connection string",
    ),
    Cause(
        rb"unsupported XML feature|is not supported (?:by|in) this build",
        "that server was built without something that the backup needs",
        "use a server like the source, with ICU and XML",
    ),
    Cause(rb"already exists", "something of it is there already", "look at what template1 holds on that server"),
)


def failure(program: str, status: int, said: bytes) -> UndeterminedError:
    """The error for a program that failed. Its own words are not told."""
    entry = _ENTRY.search(said)
    copied = _COPIED.search(said)
    found = b"table " + copied[1] if copied is not None else b"" if entry is None else entry[1]
    where = f" at {found.decode(errors='replace')}" if found else ""
    for cause in _CAUSES:
        if re.search(cause.words, said):
            return UndeterminedError(f"{program} failed{where}: {cause.meaning}", remedy=cause.remedy)
    return UndeterminedError(
        f"{program} failed{where} with status {status}; what it said may hold data and is not told",
        remedy=_AGAIN,
    )
