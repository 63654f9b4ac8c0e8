"""The beginning of what `pg_dump -Fc` writes: its table of contents, which stands before all data.

Three things are taken from it that are nowhere else: the state of sequences as the dump has it (a sequence follows no
snapshot), the roles and the encoding that a restore needs, and which version wrote it.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

NEWEST = (1, 16)  # the format that PostgreSQL 17 and 18 write
OLDEST = (1, 12)
LONGEST = 1 << 28  # bytes of one definition
_CHUNK = 1 << 16
_KEPT = frozenset({"SEQUENCE SET", "ACL", "DEFAULT ACL", "POLICY", "DATABASE", "EXTENSION"})
_SET = re.compile(r", (-?\d+), (true|false)\);\s*\Z")
_NAME = r'(?:"(?:[^"]|"")+"|[^\s",;()]+)'
_GRANTED = re.compile(rf"(?:GRANT|REVOKE) .*? (?:TO|FROM) ({_NAME})(?: WITH GRANT OPTION)?;$", re.DOTALL | re.MULTILINE)
_BY_DEFAULT = re.compile(rf"ALTER DEFAULT PRIVILEGES FOR ROLE ({_NAME})")
_POLICY = re.compile(
    rf"CREATE POLICY {_NAME} ON {_NAME}(?:\.{_NAME})?(?: AS RESTRICTIVE)?(?: FOR \w+)? TO ({_NAME}(?:, {_NAME})*)"
)
_WITH = re.compile(rf"CREATE DATABASE {_NAME} WITH (.*);\s*\Z", re.DOTALL)
_TABLESPACE = re.compile(rf" TABLESPACE = {_NAME}")


class Entry(NamedTuple):
    """One thing in an archive. `definition` only where something is taken from it."""

    kind: str
    schema: str
    tag: str
    owner: str
    definition: str


class Head(NamedTuple):
    """What stands before the data. `raw`: every byte that was read, a little of what follows included."""

    raw: bytes
    server: str  # version that was dumped
    program: str  # version of pg_dump
    entries: tuple[Entry, ...]


def read_head(stream: BinaryIO) -> Head:
    """Read an archive up to its data. Raises: UndeterminedError for what is no archive, or half of one."""
    reader = _Reader(stream)
    if reader.take(5) != b"PGDMP":
        raise _odd("it does not begin as an archive of pg_dump does")
    version = (reader.byte(), reader.byte())
    reader.byte()
    if not OLDEST <= version <= NEWEST:
        raise UndeterminedError(
            f"pg_dump wrote an archive of format {version[0]}.{version[1]}, which this version cannot read",
            remedy="pip install --upgrade rollback-guard",
        )
    reader.integers, reader.offsets = reader.byte(), reader.byte()
    if reader.byte() != 1 or reader.integers > 8 or reader.offsets > 8:
        raise _odd("it is no archive in pg_dump's custom format")
    if version >= (1, 15):
        reader.byte()
    else:
        reader.integer()
    for _ in range(7):
        reader.integer()
    reader.text()
    server, program = reader.text() or "", reader.text() or ""
    count = reader.integer()
    return Head(
        entries=tuple([_entry(reader, version) for _ in range(count)]), server=server, program=program, raw=reader.raw()
    )


def _entry(reader: _Reader, version: tuple[int, int]) -> Entry:
    reader.integer()
    reader.integer()
    reader.text()
    reader.text()
    tag, kind = reader.text() or "", reader.text() or ""
    reader.integer()
    definition = reader.text() or ""
    reader.text()
    reader.text()
    schema = reader.text() or ""
    reader.text()
    if version >= (1, 14):
        reader.text()
    if version >= (1, 16):
        reader.integer()
    owner = reader.text() or ""
    reader.text()
    while reader.text() is not None:
        pass
    reader.take(1 + reader.offsets)
    return Entry(kind, schema, tag, owner, definition if kind in _KEPT else "")


class _Reader:
    """Numbers and texts of an archive, as its own header says that they are laid out."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._at = 0
        self.integers = 4
        self.offsets = 8

    def take(self, count: int) -> bytes:
        while len(self._buffer) - self._at < count:
            more = self._stream.read(_CHUNK)
            if not more:
                raise _odd("it ends within its table of contents")
            self._buffer += more
        self._at += count
        return bytes(self._buffer[self._at - count : self._at])

    def byte(self) -> int:
        return self.take(1)[0]

    def integer(self) -> int:
        sign = self.byte()
        value = int.from_bytes(self.take(self.integers), "little")
        return -value if sign else value

    def text(self) -> Optional[str]:
        length = self.integer()
        if length > LONGEST:
            raise _odd("its table of contents is damaged")
        return None if length < 0 else self.take(length).decode("utf-8", "surrogateescape")

    def raw(self) -> bytes:
        return bytes(self._buffer)


def _odd(why: str) -> UndeterminedError:
    return UndeterminedError(f"the backup cannot be read: {why}", remedy="guard backup create")


def read_sequences(head: Head) -> dict[tuple[str, str], tuple[str, str]]:
    """How the archive leaves each sequence, by schema and name: its last value, whether that was handed out."""
    found = {}
    for one in head.entries:
        said = _SET.search(one.definition) if one.kind == "SEQUENCE SET" else None
        if said is not None:
            found[one.schema, one.tag] = (said[1], said[2])
    return found


def read_roles(head: Head) -> frozenset[str]:
    """Names of all roles that the archive speaks of."""
    written: list[str] = []
    for one in head.entries:
        if one.kind in ("ACL", "DEFAULT ACL"):
            written += _GRANTED.findall(one.definition) + _BY_DEFAULT.findall(one.definition)
        elif one.kind == "POLICY":
            policy = _POLICY.match(one.definition)
            written += re.findall(_NAME, policy[1]) if policy is not None else []
    named = {one[1:-1].replace('""', '"') if one.startswith('"') else one for one in written}
    return frozenset((named | {one.owner for one in head.entries}) - {"", "PUBLIC", "public"})


def read_options(head: Head) -> str:
    """What `CREATE DATABASE … WITH` needs so that the database is like the archive's; "" where it does not say."""
    for one in head.entries:
        said = _WITH.search(one.definition) if one.kind == "DATABASE" else None
        if said is not None:
            return _TABLESPACE.sub("", said[1])
    return ""
