"""As much of SQLite's file format as it takes to find a byte of content: https://sqlite.org/fileformat2.html."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

LEAF, INTERIOR = 13, 5
FIRST_LARGE = 12  # serial types from here on are BLOB (even) or TEXT (odd) of (type - 12) / 2 bytes
NUMBERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8}  # bytes of the serial types of numbers


class Place(NamedTuple):
    """Where a value's last byte lies in the file, and what SQL calls its type."""

    offset: int
    kind: str


def find_values(file: BinaryIO, root: int) -> tuple[Place, ...]:
    """Values of the first rows of a table with row numbers, as far as their first page holds them whole."""
    file.seek(0)
    header = file.read(100)
    size = int.from_bytes(header[16:18], "big")
    size = 65536 if size == 1 else size
    number = root
    while True:
        file.seek((number - 1) * size)
        page = file.read(size)
        start = 100 if number == 1 else 0
        if page[start] == LEAF:
            break
        if page[start] != INTERIOR:
            return ()
        first = int.from_bytes(page[start + 12 : start + 14], "big")
        number = int.from_bytes(page[first : first + 4], "big")
    found: list[Place] = []
    for index in range(int.from_bytes(page[start + 3 : start + 5], "big")):
        at = start + 8 + 2 * index
        cell = int.from_bytes(page[at : at + 2], "big")
        found += _in_cell(page, cell, (number - 1) * size, size - header[20])
    return tuple(found)


def _in_cell(page: bytes, cell: int, base: int, usable: int) -> list[Place]:
    payload, at = _varint(page, cell)
    _, at = _varint(page, at)  # the row's number
    end = at + min(payload, usable - 35)  # a row that is longer goes on elsewhere; its first bytes are here
    if payload > usable - 35:
        least = (usable - 12) * 32 // 255 - 23
        here = least + (payload - least) % (usable - 4)
        end = at + (here if here <= usable - 35 else least)
    length, cursor = _varint(page, at)
    value, found = at + length, []
    while cursor < at + length:
        kind, cursor = _varint(page, cursor)
        bytes_of = (kind - FIRST_LARGE) // 2 if kind >= FIRST_LARGE else NUMBERS.get(kind, 0)
        value += bytes_of
        if value > end:
            break
        if bytes_of:
            name = ("BLOB", "TEXT")[kind % 2] if kind >= FIRST_LARGE else "REAL" if kind == 7 else "INTEGER"
            found.append(Place(base + value - 1, name))
    return found


def _varint(page: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        byte = page[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value << 8 | page[at + 8], at + 9
