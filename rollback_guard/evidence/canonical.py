"""JSON in the one spelling that evidence has: sorted keys, no blanks, ASCII, no number that is not whole.

Two readers of one document can differ over doubled keys, over numbers that are none and over depth; here each
of these is refused, and so is every spelling but our own, so that what was signed is what everybody reads.
What the documents mean is left to `evidence.statement` and `evidence.envelope`. Pure.
"""

from __future__ import annotations

import json
from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

MOST_DIGITS = 15  # of a number, so that a double holds it too


class FormatError(ValueError):
    """Bytes that are no evidence, with the reason in words: the base of every reader's error here."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def render_json(document: Any) -> bytes:
    """The one spelling of a document."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def read_json(data: bytes, *, most: int) -> dict[str, Any]:
    """The document in bytes that are its one spelling, of at most `most` bytes. Raises: FormatError."""
    if len(data) > most:
        raise FormatError(f"has {len(data):,} bytes; at most {most:,} are read")
    try:
        document = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
        spelling = render_json(document)
    except FormatError:
        raise
    except RecursionError:
        raise FormatError("is nested too deeply") from None
    except UnicodeDecodeError:
        raise FormatError("is no UTF-8") from None
    except ValueError:
        raise FormatError("is no JSON") from None
    if spelling != data:
        raise FormatError("is not written in the one way that is accepted: sorted keys, no blanks, ASCII")
    if not isinstance(document, dict):
        raise FormatError("is no JSON object")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FormatError("has a key twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise FormatError("holds a number that is too large")
    return int(digits)


def _refuse_number(text: str) -> NoReturn:
    raise FormatError(f"holds the number {text[:20]}: only whole ones are read")


def fields(value: Any, names: Sequence[str], where: str) -> tuple[Any, ...]:
    """The values of an object that has exactly these keys, in their order. Raises: FormatError."""
    if not isinstance(value, dict):
        raise FormatError(f"{where} is no object")
    missing = [name for name in names if name not in value]
    unknown = [name for name in value if name not in names]
    if missing:
        raise FormatError(f"{where} lacks {missing[0]}")
    if unknown:
        raise FormatError(f"{where} has the unknown key {unknown[0][:40]}")
    return tuple(value[name] for name in names)
