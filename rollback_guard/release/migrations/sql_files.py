"""Files that hold SQL: their bytes as text, and the parts of their paths that name a migration.

What the text does is left to `sql`, which files make a migration to the framework's own module.
"""

from __future__ import annotations

import re
from typing import Optional

from rollback_guard.release.migrations.model import Framework, Parsed, Step
from rollback_guard.release.migrations.sql import LONGEST, read_steps

_DATABASE = re.compile(
    r"[._-](mysql|mariadb|postgres|postgresql|pgsql|cockroach|cockroachdb|sqlite|sqlite3|mssql|sqlserver|oracle)"
    r"(?:\.autocommit)?$",
    re.IGNORECASE,
)
_ZEROS = re.compile(r"0+(?=[0-9])")


def text_of(data: bytes) -> str:
    """A file's text, in the encoding that it says or seems to have.

    Bytes that are no UTF-8 are read one by one as letters: no sign of SQL's is among them.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def steps_of(data: bytes) -> tuple[Step, ...]:
    """What a file of SQL does."""
    if len(data) > 4 * LONGEST:  # so it is, whatever the encoding
        data = data[: 4 * LONGEST + 4]
    return read_steps(text_of(data))


def split_path(path: str) -> tuple[str, str]:
    """The folder and the name of a file."""
    folder, _, name = path.rpartition("/")
    return folder, name


def number(digits: str) -> str:
    """A number without its leading zeros; as text, since it may be of any length."""
    return _ZEROS.sub("", digits, count=1) if digits.startswith("0") else digits


def group_of(folder: str, title: str) -> str:
    """What numbers are counted within: a folder, and in it one database where the files are written for several."""
    found = _DATABASE.search(title)
    return folder if found is None else f"{folder} ({found.group(1).lower()})".lstrip()


def unreadable(framework: Framework, name: str, path: str, group: str, why: str) -> Parsed:
    """A migration of which only that it is one can be told."""
    step = Step(effect="unknown", what=why)
    return Parsed(framework=framework, id=name, path=path, paths=(path,), group=group, up=(step,), down=None)


def one_of_two(
    framework: Framework, name: str, group: str, up: tuple[str, bytes], down: Optional[tuple[str, bytes]]
) -> Parsed:
    """A migration that is a file of SQL, perhaps with another one as its way back."""
    return Parsed(
        framework=framework,
        id=name,
        path=up[0],
        paths=(up[0],) if down is None else (up[0], down[0]),
        group=group,
        up=steps_of(up[1]),
        down=None if down is None else steps_of(down[1]),
    )
