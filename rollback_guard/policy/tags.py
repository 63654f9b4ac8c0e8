"""Names of stable tags: how the policy's pattern makes one, and how a name is read back. Pure."""

from __future__ import annotations

DATE, NUMBER = "{date}", "{number}"


def render_tag_name(pattern: str, *, date: str, number: int) -> str:
    """The name for a day (`2026.11.22`, UTC) and a number that counts from 1.

    >>> render_tag_name("stable/{date}.{number}", date="2026.11.22", number=1)
    'stable/2026.11.22.1'
    """
    return pattern.replace(DATE, date).replace(NUMBER, str(number))


def read_tag_name(pattern: str, name: str) -> tuple[str, int] | None:
    """(date, number) when a tag's name is of the pattern, else None; parts that the pattern lacks are "" and 0.

    >>> read_tag_name("stable/{date}.{number}", "stable/2026.11.22.3")
    ('2026.11.22', 3)
    """
    found = _match(_pieces(pattern), name)
    if found is None:
        return None
    return found.get(DATE, ""), int(found.get(NUMBER, "0"))


def _pieces(pattern: str) -> list[str]:
    """Literal text and placeholders, in order."""
    pieces: list[str] = []
    rest = pattern
    while rest:
        places = [(rest.index(mark), mark) for mark in (DATE, NUMBER) if mark in rest]
        if not places:
            pieces.append(rest)
            break
        at, mark = min(places)
        if at:
            pieces.append(rest[:at])
        pieces.append(mark)
        rest = rest[at + len(mark) :]
    return pieces


def _match(pieces: list[str], name: str) -> dict[str, str] | None:
    if not pieces:
        return {} if not name else None
    first, rest = pieces[0], pieces[1:]
    if first not in (DATE, NUMBER):
        return _match(rest, name[len(first) :]) if name.startswith(first) else None
    for length in range(min(len(name), 20), 0, -1):
        text = name[:length]
        if not (_is_date(text) if first == DATE else text.isascii() and text.isdigit()):
            continue
        found = _match(rest, name[length:])
        if found is not None and found.get(first, text) == text:
            return {**found, first: text}
    return None


def _is_date(text: str) -> bool:
    """Whether text is year.month.day, as tags are written, or with dashes, as people do."""
    parts = text.replace("-", ".").split(".")
    return len(parts) == 3 and all(part.isascii() and part.isdigit() for part in parts) and len(parts[0]) == 4
