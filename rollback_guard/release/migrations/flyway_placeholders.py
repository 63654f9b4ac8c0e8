"""Flyway's placeholders: what stands for `${name}` in a migration, as far as the repository's settings say.

A placeholder that nothing here says anything of stays, as a name of which nothing is known. How settings outside of
`flyway.conf` and `flyway.toml` (build files, Spring, the environment) are written is not known here.
Source: Redgate's documentation of Flyway, "Migration placeholders".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rollback_guard.release.migrations.model import Step
from rollback_guard.release.migrations.sql import LONGEST, read_steps
from rollback_guard.release.migrations.sql_files import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_FILE = re.compile(r"(?:[^/]*[.-])?flyway[^/]*\.(?:conf|toml|properties)", re.IGNORECASE)
_SECTION = re.compile(r"[ \t]*\[+[ \t]*([A-Za-z0-9_.\"-]+)[ \t]*\]+.*")
_NAME = re.compile(r"[A-Za-z0-9_.:-]+")
_PLAIN = re.compile(r"[A-Za-z0-9_.:-]*")
_KEY = "placeholders."


class Placeholders(NamedTuple):
    """Every value that some setting gives a name; and what a placeholder begins and ends with."""

    values: dict[str, frozenset[str]]
    marks: tuple[tuple[str, str], ...]

    def steps_of(self, data: bytes) -> tuple[Step, ...]:
        """What a file of SQL does once its placeholders are filled in."""
        text = text_of(data)
        for begin, end in self.marks:
            if begin not in text:
                continue
            found = re.compile(re.escape(begin) + "([A-Za-z0-9_.:-]+)" + re.escape(end))
            names = frozenset(found.findall(text))
            vague = sorted(name for name in names if self._is_vague(name))
            if vague:
                return (Step(effect="unknown", what=f"holds a placeholder with several values: {vague[0]}"),)
            filled = {name: min(self.values.get(name.lower(), {f"${{{name}}}"})) for name in names}
            if text.count(begin) * max((len(value) for value in filled.values()), default=0) > LONGEST:
                return (Step(effect="unknown", what="is too long with its placeholders filled in, and was not read"),)
            text = _fill(found, text, filled)
        return read_steps(text)

    def _is_vague(self, name: str) -> bool:
        """Whether it matters which of several values a placeholder has: names are alike, statements are not."""
        values = self.values.get(name.lower(), frozenset())
        return len(values) > 1 and any(_PLAIN.fullmatch(value) is None for value in values)


def _fill(found: re.Pattern[str], text: str, values: dict[str, str]) -> str:
    return found.sub(lambda match: values[match.group(1)], text)


def is_settings(name: str) -> bool:
    """Whether a file's name is one of those that Flyway is set up in."""
    return _FILE.fullmatch(name) is not None


def read_settings(files: Iterable[bytes]) -> Placeholders:
    """What the settings say of placeholders. A file in another form says nothing."""
    values: dict[str, set[str]] = {}
    begins, ends = {"${"}, {"}"}
    for data in files:
        section = ""
        for line in text_of(data).split("\n"):
            heading = _SECTION.fullmatch(line)
            if heading is not None:
                section = heading.group(1) + "."
                continue
            before, equals, after = line.partition("=")
            if not equals or _NAME.fullmatch(before.strip()) is None:
                continue
            name, value = (section + before.strip()).lower(), _unquoted(after.strip())
            if _KEY in name:
                values.setdefault(name.partition(_KEY)[2], set()).add(value)
            elif name.endswith("placeholderprefix") and value:
                begins.add(value)
            elif name.endswith("placeholdersuffix") and value:
                ends.add(value)
    marks = tuple((begin, end) for begin in sorted(begins)[:4] for end in sorted(ends)[:4])
    return Placeholders(values={name: frozenset(found) for name, found in values.items()}, marks=marks)


def _unquoted(value: str) -> str:
    """A value without the quotes of TOML."""
    for quote in ('"""', "'''", '"', "'"):
        if len(value) >= 2 * len(quote) and value.startswith(quote) and value.endswith(quote):
            return value[len(quote) : -len(quote)]
    return value
