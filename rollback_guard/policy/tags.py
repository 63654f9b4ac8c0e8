"""Names of stable tags: which names a policy's `release.tag` stands for. Pure."""

from __future__ import annotations

import re

REVOKED = "revoked/"  # a tag of this name on a stable tag says that it is stable no more
DATE = r"(?P<date>[0-9]+(?:\.[0-9]+)*)"
NUMBER = r"(?P<number>[0-9]{1,18})"


def name_pattern(pattern: str) -> re.Pattern[str]:
    """The names that a policy's `release.tag` stands for: {date} digits and dots, {number} digits."""
    parts = re.split(r"(\{date\}|\{number\})", pattern)
    seen: set[str] = set()
    text = ""
    for part in parts:
        if part in ("{date}", "{number}"):
            kind = DATE if part == "{date}" else NUMBER
            text += f"(?P={part[1:-1]})" if part in seen else kind
            seen.add(part)
        else:
            text += re.escape(part)
    return re.compile(text, re.ASCII)
