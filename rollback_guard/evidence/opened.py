"""One recorded envelope taken apart: what it says, and where it belongs. Whose it is, is asked elsewhere. Pure."""

from __future__ import annotations

from typing import NamedTuple

from rollback_guard.evidence.canonical import FormatError
from rollback_guard.evidence.envelope import Envelope, envelope_name, read_envelope, signature_of
from rollback_guard.evidence.statement import Statement, kind_of, read_statement, store_key
from rollback_guard.evidence.store_paths import ABOUT, ONCE, SUFFIX, folder_of


class Opened(NamedTuple):
    """An envelope that could be read."""

    id: str  # hex of the SHA-256 of its bytes
    envelope: Envelope
    statement: Statement


def open_envelope(data: bytes) -> Opened | str:
    """An envelope taken apart, or why it cannot be read, to follow "it"."""
    try:
        envelope = read_envelope(data)
        statement = read_statement(envelope.payload)
    except FormatError as fault:
        return fault.reason
    return Opened(id=envelope_name(data).removesuffix(SUFFIX), envelope=envelope, statement=statement)


def why_not_there(folder: str, data: bytes) -> Opened | str:
    """An envelope taken apart, or why it cannot lie in that folder of the store.

    In another folder it would say nothing, and could only be there to fill it up.
    """
    opened = open_envelope(data)
    if isinstance(opened, str):
        return opened
    try:
        signature_of(opened.envelope)
    except FormatError as fault:
        return fault.reason
    statement = opened.statement
    kind = kind_of(statement)
    own = folder_of(kind, store_key(statement))
    right = folder == own or (kind not in ONCE and folder == folder_of(ABOUT, statement.head))
    return opened if right else f"what it says belongs into {own}"
