"""TOML that nobody vouches for: a bound on its size, no crash on its depth, every refusal with its line.

What the tables mean is left to `policy.structs` and its callers.
"""

from __future__ import annotations

import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from rollback_guard.errors import PolicyError
from rollback_guard.policy.problems import Problem

LIMIT = 256 * 1024  # bytes; the policy of a thousand people has about 100 KiB
MOST_DOTS = 64  # parts of one dotted key: tomllib takes quadratic time in their number


def parse_toml(data: bytes, *, path: str, remedy: str) -> tuple[dict[str, Any], str]:
    """The tables in a file's bytes, and its text as lines are counted in it. `path` is for messages.

    Raises: PolicyError when it is too large, no UTF-8, no TOML, or nested too deeply.
    """
    if len(data) > LIMIT:
        message = f"has {len(data):,} bytes; at most {LIMIT:,} are read"
        raise refusal((Problem(path, None, "", message),), remedy)
    text = _decoded(data, path, remedy)
    line = _overlong_key(text)
    if line:
        raise refusal((Problem(path, line, "", f"has a key of more than {MOST_DOTS} parts"),), remedy)
    try:
        return tomllib.loads(text), text
    except RecursionError:
        problem = Problem(path, None, "", "is nested too deeply")
    except ValueError as error:  # TOMLDecodeError is one; so is a number of more digits than Python takes
        problem = _from_error(error, path, text)
    raise refusal((problem,), remedy)


def refusal(problems: tuple[Problem, ...], remedy: str) -> PolicyError:
    """The error that carries these problems; its message says the first one and how many there are."""
    first = problems[0]
    line = "" if first.line is None else f"line {first.line}"
    said = ": ".join(part for part in (line, first.key, first.message) if part)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return PolicyError(f"{first.file} cannot be used: {said}{more}", remedy=remedy, problems=problems)


def _decoded(data: bytes, path: str, remedy: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        message = "is UTF-16: TOML is UTF-8, so save it as UTF-8"
        raise refusal((Problem(path, 1, "", message),), remedy)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"holds the byte 0x{data[error.start]:02x}, which is no UTF-8"
        raise refusal((Problem(path, line, "", message),), remedy) from None


def _overlong_key(text: str) -> int:
    """The line of a dotted key of more parts than anybody needs, or 0."""
    if text.count(".") <= MOST_DOTS:
        return 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > MOST_DOTS:
            chain = 0
            for part in line.split("."):
                chain = chain + 1 if _is_key(part.strip()) else 0
                if chain > MOST_DOTS:
                    return number
    return 0


def _is_key(part: str) -> bool:
    if len(part) >= 2 and part[0] == part[-1] and part[0] in "\"'":
        return True
    return part.replace("-", "").replace("_", "").isalnum()


def _from_error(error: ValueError, path: str, text: str) -> Problem:
    """A parser's complaint as a problem: `Invalid value (at line 3, column 5)` is taken apart."""
    message, _, place = str(error).rpartition(" (at ")
    if place.startswith("line "):
        number = place[5:].partition(",")[0]
        return Problem(path, int(number), "", f"is no TOML: {message}")
    if place.startswith("end of document"):
        return Problem(path, text.count("\n") + 1, "", f"is no TOML: {message} at the end of the file")
    return Problem(path, None, "", f"is no TOML: {error}")
