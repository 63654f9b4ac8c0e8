"""What every field of a record and a proof must be, whether it is about to be written or was read. Pure.

Text may hold anything that a file's or a table's name can, bytes that are no UTF-8 as surrogates too; it is bounded.
"""

from __future__ import annotations

import calendar
import re
import time

from rollback_guard.backup.model import Artefact, Difference, Identity, Item, Proof, Record
from rollback_guard.backup.stored import is_stored_name
from rollback_guard.evidence.canonical import FormatError
from rollback_guard.policy.model import LEVELS
from rollback_guard.policy.scalars import is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

MOST = 10**15  # of any number: bytes, rows
_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6,16}", re.ASCII)
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})?")
_ODD = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # surrogates that no byte is read as
_LAST = 253402300799  # the last second of the year 9999
_LONG, _SHORT, _NAME = 4096, 200, 8192  # characters
_FAULT = 16_000
_TOOLS, _CHECKS = 100, 200


def is_id(text: str) -> bool:
    """Whether it may be the id of a backup.

    >>> is_id("20261127T183000Z-3f9a1c"), is_id("latest")
    (True, False)
    """
    return _ID.fullmatch(text) is not None


def render_moment(seconds: float) -> str:
    """A moment in RFC 3339.

    >>> render_moment(1795804200.25)
    '2026-11-27T18:30:00.250Z'
    """
    thousandths = round(seconds * 1000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(thousandths // 1000))
    return f"{whole}.{thousandths % 1000:03}Z"


def read_moment(text: Any, name: str) -> float:
    """The other way round. Raises: FormatError."""
    found = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if found is not None:
        *parts, thousandths = (int(one) for one in found.groups())
        try:
            moment = (calendar.timegm((*parts, 0, 0, 0)) * 1000 + thousandths) / 1000
        except ValueError:  # the thirteenth month
            moment = -1.0
        if 0 <= moment <= _LAST and render_moment(moment) == text:
            return moment
    raise FormatError(f"{name} is no moment such as 2026-11-27T18:30:00.250Z, from 1970 on")


def read_span(value: Any, name: str) -> float:
    """Whole milliseconds as seconds. Raises: FormatError."""
    number(value, name)
    return float(value / 1000)


def read_pairs(value: Any, name: str) -> tuple[tuple[Any, Any], ...]:
    """A list of pairs. Raises: FormatError."""
    if not isinstance(value, list) or any(not isinstance(one, list) or len(one) != 2 for one in value):
        raise FormatError(f"{name} are no pairs")
    return tuple((one[0], one[1]) for one in value)


def check_record(record: Record) -> None:
    """All of a record but its fingerprint. Raises: FormatError."""
    _one_of(record.id, is_id, "id")
    for name in ("set", "name"):
        _one_of(getattr(record, name), _is_short_name, name)
    for name in ("source", "position"):
        text(getattr(record, name), name, _LONG)
    _one_of(record.commit, _COMMIT.fullmatch, "commit")
    for name in ("begun", "snapshot", "ended"):
        _moment(getattr(record, name), name)
    _check_identity(record.identity)
    _check_artefact(record.artefact, record.name, record.id)
    if len(record.tools) > _TOOLS:
        raise FormatError("tools are too many")
    for tool in record.tools:
        _texts(tool, "a tool", _SHORT)
    _span(record.skew, "skew")


def check_proof(backup: str, proof: Proof) -> None:
    """All of a proof but its differences. Raises: FormatError."""
    _one_of(backup, is_id, "backup")
    if proof.level is not None and proof.level not in LEVELS:
        raise FormatError("level is none")
    _moment(proof.when, "when")
    _span(proof.seconds, "seconds")
    text(proof.fault, "fault", _FAULT)
    if len(proof.checks) > _CHECKS:
        raise FormatError("checks are too many")
    for name, passed in proof.checks:
        text(name, "a check", _SHORT)
        if not isinstance(passed, bool):
            raise FormatError("a check neither passed nor failed")


def check_item(item: Item) -> None:
    """Raises: FormatError."""
    _part(item)
    text(item.digest, "an item's digest", _SHORT)
    if item.rows is not None:
        number(item.rows, "rows")


def check_difference(one: Difference) -> None:
    """Raises: FormatError."""
    _part(one)
    if one.what not in ("missing", "added", "changed"):
        raise FormatError("a difference is none")
    for rows in one.rows:
        if rows is not None:
            number(rows, "rows")


def text(value: Any, name: str, most: int = _LONG) -> None:
    """Raises: FormatError for what is no text, is too long, or holds surrogates that no byte is read as."""
    if not isinstance(value, str) or len(value) > most or not (value.isascii() or _ODD.search(value) is None):
        raise FormatError(f"{name} is no text of at most {most:,} characters")


def number(value: Any, name: str) -> None:
    """Raises: FormatError for what is no whole number from 0 on."""
    if type(value) is not int or not 0 <= value < MOST:
        raise FormatError(f"{name} is no number that can be")


def _check_identity(identity: Identity) -> None:
    _one_of(identity.engine, _is_short_name, "engine")
    _texts(identity[1:], "the identity", _LONG)


def _check_artefact(artefact: Artefact, name: str, id: str) -> None:
    """It is the backup's own: a record cannot point to another's file."""
    text(artefact.file, "the artefact's file", _LONG)
    own = f"{name}/{id}."
    if (
        not is_stored_name(artefact.file)
        or artefact.file[: len(own)] != own
        or ".json" in artefact.file[len(own) - 1 :]
    ):
        raise FormatError("the artefact's file is not that of this backup")
    _one_of(artefact.digest, _HEX.fullmatch, "the artefact's digest")
    number(artefact.size, "size")
    number(artefact.content, "content")
    _texts((artefact.compression, artefact.encryption), "the artefact", _SHORT)


def _is_kind(rest: str) -> bool:
    """What stands behind the id in an artefact's name, and cannot be mistaken for a record's."""
    return rest[:1] == "." and ".json" not in rest


def _part(one: Item | Difference) -> None:
    part, kind, name = one[:3]
    if part not in ("schema", "content"):
        raise FormatError("an item is neither of the schema nor of the content")
    text(kind, "an item's kind", _SHORT)
    text(name, "an item's name", _NAME)


def _is_short_name(value: str) -> bool:
    return is_name(value) and len(value) <= _SHORT


def _one_of(value: Any, fits: Any, name: str) -> None:
    if not isinstance(value, str) or not fits(value):
        raise FormatError(f"{name} is not what it must be")


def _texts(values: Iterable[Any], name: str, most: int) -> None:
    for one in values:
        text(one, name, most)


def _moment(value: Any, name: str) -> None:
    if not isinstance(value, (int, float)) or not 0 <= value <= _LAST:
        raise FormatError(f"{name} is no moment from 1970 to 9999")


def _span(value: Any, name: str) -> None:
    if not isinstance(value, (int, float)) or not 0 <= value < 10**9:
        raise FormatError(f"{name} is no span of time")
