"""Built-in functions and methods of texts, lists and dictionaries, on values that are known. Everything else is UNREAD.

Nothing here grows beyond MOST_LENGTH, whatever a file asks for.
"""

from __future__ import annotations

import re

from rollback_guard.release.migrations.python_values import Arguments, Made, Opaque, Ref, Template, Value, words

MOST_LENGTH = 1_000_000
MOST_RANGE = 1000


class TooMuchError(Exception):
    """A file that asks for more work than reading it is worth."""


class _Unread:
    """What could not be computed."""


UNREAD = _Unread()
# Those that only look at what they are given, or make something of it.
_HARMLESS = words(
    """
    abs all any bool bytes callable dict dir enumerate float frozenset hasattr hash id int isinstance issubclass iter
    len list max min next object print range repr reversed round set slice sorted str sum tuple type zip
    """
)
_BUILTINS = _HARMLESS | words(
    """
    classmethod compile delattr eval exec filter getattr globals input locals map open property setattr staticmethod
    super vars __import__
    """
)
_ERROR = re.compile(r"[A-Z][A-Za-z]*(?:Error|Exception|Warning)|StopIteration|SystemExit|KeyboardInterrupt")
_PERCENT = re.compile(r"%(?:\((\w+)\))?([sd%])")
_BRACES = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*|[0-9]{0,3})\}")


def is_builtin(name: str) -> bool:
    """Whether Python itself knows a name."""
    return name in _BUILTINS or _ERROR.fullmatch(name) is not None


def builtin(name: str, arguments: Arguments) -> Value:
    """What a built-in function gives; UNREAD where calling it may do anything."""
    given = arguments.positional
    plain = arguments.whole and not arguments.named and len(given) == 1
    first = given[0] if given else None
    if name in ("list", "tuple", "set", "frozenset", "sorted", "reversed", "iter"):
        if arguments.whole and not given and not arguments.named:
            return []
        if plain and isinstance(first, (list, dict)):
            return list(reversed(list(first))) if name == "reversed" else list(first)
    elif name == "enumerate" and plain and isinstance(first, list):
        return [[number, value] for number, value in enumerate(first)]
    elif name == "zip" and arguments.whole and not arguments.named and all(isinstance(v, list) for v in given):
        return [list(row) for row in zip(*[v for v in given if isinstance(v, list)], strict=False)]
    elif name == "range" and arguments.whole:
        return _range(given)
    elif name == "dict" and arguments.whole and not given:
        return dict(arguments.named)
    elif name == "str" and plain and isinstance(first, (str, int)):
        return str(first)
    elif name == "len" and plain and isinstance(first, str):
        return len(first)
    if name in _HARMLESS:
        return Opaque(f"what {name}() gives")
    return Made(Ref(f"builtins.{name}"), arguments) if _ERROR.fullmatch(name) else UNREAD


def _range(given: tuple[Value, ...]) -> Value:
    numbers = [one for one in given if isinstance(one, int) and abs(one) < 1 << 62]
    if not 1 <= len(numbers) <= 3 or len(numbers) != len(given) or (len(numbers) == 3 and numbers[2] == 0):
        return Opaque("a range")
    wanted = range(*numbers)
    return list(wanted) if len(wanted) <= MOST_RANGE else Opaque("a long range")


def method(of: str | list[Value] | dict[Value, Value], name: str, arguments: Arguments) -> Value:
    """What a method of a known value gives; UNREAD where it may change the value in a way that is not followed."""
    if isinstance(of, str):
        return _of_text(of, name, arguments)
    if isinstance(of, list):
        return _of_list(of, name, arguments)
    return _of_dictionary(of, name, arguments)


def _of_text(text: str, name: str, arguments: Arguments) -> Value:
    given = arguments.positional
    first = given[0] if given else None
    if name == "format":
        return _format(text, arguments)
    if name == "join" and isinstance(first, list):
        between: list[Value] = [one for part in first for one in (text, part)]
        return concatenated(between[1:])
    plain = arguments.whole and not given and not arguments.named
    if plain and name in ("strip", "lower", "upper", "title", "lstrip", "rstrip"):
        changed = {"strip": text.strip, "lower": text.lower, "upper": text.upper, "title": text.title}
        return {**changed, "lstrip": text.lstrip, "rstrip": text.rstrip}[name]()
    if plain and name in ("split", "splitlines"):
        return list(text.split() if name == "split" else text.splitlines())
    if name == "split" and len(given) == 1 and isinstance(first, str) and first:
        return list(text.split(first))
    if name == "replace" and len(given) == 2:
        old, new = given
        if isinstance(old, str) and isinstance(new, str) and len(text) + text.count(old) * len(new) <= MOST_LENGTH:
            return text.replace(old, new)
    return Opaque("a text that is put together")


def _of_list(items: list[Value], name: str, arguments: Arguments) -> Value:
    given = arguments.positional
    if arguments.whole and len(given) == 1 and not arguments.named:
        (first,) = given
        if name in ("append", "add"):
            items.append(first)
            return None
        if name in ("extend", "update") and isinstance(first, list):
            extend(items, first)
            return None
    return Opaque(f"what {name}() gives") if name in ("copy", "index", "count") else UNREAD


def _of_dictionary(known: dict[Value, Value], name: str, arguments: Arguments) -> Value:
    if name == "items":
        return [[key, value] for key, value in known.items()]
    if name == "keys":
        return list(known)
    if name == "values":
        return list(known.values())
    if name == "get":
        key = arguments.get(0, "key")
        return known.get(key, arguments.get(1, "default")) if isinstance(key, (str, int)) else Opaque("a key")
    return UNREAD


def extend(items: list[Value], more: list[Value]) -> None:
    """Lengthen a list. Raises: TooMuchError."""
    if len(items) + len(more) > MOST_RANGE * 10:
        raise TooMuchError
    items.extend(list(more))


def percent(text: str, value: Value) -> Value:
    """`text % value`, for the simplest of formats."""
    given = list(value) if isinstance(value, list) else [value]
    pieces: list[Value] = []
    at = 0
    for found in _PERCENT.finditer(text):
        pieces.append(text[at : found.start()])
        at = found.end()
        if found[2] == "%":
            pieces.append("%")
        elif found[1] is not None:
            pieces.append(value.get(found[1]) if isinstance(value, dict) else Opaque("a format"))
        else:
            pieces.append(given.pop(0) if given else Opaque("a format"))
    pieces.append(text[at:])
    if any(isinstance(one, str) and "%" in one for one in pieces[::2]):
        return Opaque("a format that is not read")
    return concatenated(pieces)


def _format(text: str, arguments: Arguments) -> Value:
    pieces: list[Value] = []
    at = 0
    count = 0
    for found in _BRACES.finditer(text):
        pieces.append(text[at : found.start()])
        at = found.end()
        key = found[1]
        if key is None:
            pieces.append(found[0][0])
        elif key == "":
            pieces.append(arguments.get(count, "", Opaque("a format")))
            count += 1
        elif key.isdecimal():
            pieces.append(arguments.get(int(key), "", Opaque("a format")))
        else:
            pieces.append(arguments.get(None, key, Opaque("a format")))
    pieces.append(text[at:])
    if any(isinstance(one, str) and ("{" in one or "}" in one) for one in pieces[::2]):
        return Opaque("a format that is not read")
    return concatenated(pieces)


def concatenated(pieces: list[Value]) -> Value:
    """A text put together of values; a Template where one of them is not known. Raises: TooMuchError."""
    parts: list[str] = []
    length = 0
    for piece in pieces:
        if not isinstance(piece, (str, int)):
            return Template("".join(parts)) if parts and "".join(parts) else Opaque("a text that is put together")
        parts.append(str(piece))
        length += len(parts[-1])
        if length > MOST_LENGTH:
            raise TooMuchError
    return "".join(parts)
