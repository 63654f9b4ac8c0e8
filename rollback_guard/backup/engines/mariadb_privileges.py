"""Whether a user sees all of a database: what it may not see, a server leaves out without a word."""

from __future__ import annotations

import re

from rollback_guard.backup.engines.mariadb_connection import grant
from rollback_guard.errors import UndeterminedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollback_guard.backup.engines.mariadb_connection import Session

_SIGHT = ("SELECT", "SHOW VIEW", "TRIGGER", "EVENT", "LOCK TABLES", "EXECUTE")


def check_sight(reader: Session) -> None:
    """That nothing is hidden from this user. Raises: UndeterminedError, with the statement that grants it."""
    lacking = missing_privileges([str(row[0]) for row in reader.rows("SHOW GRANTS")], reader.address.database)
    if lacking:
        raise UndeterminedError(
            f"the backup's user may not see all of {reader.address.place}: it lacks {', '.join(lacking)}",
            remedy=grant(reader.address, lacking),
        )


def missing_privileges(grants: Sequence[str], database: str) -> list[str]:
    """Which privileges on all of a database these grants do not give."""
    wide: set[str] = set()
    exact: set[str] = set()
    loose: set[str] = set()
    for line in grants:
        head, found, rest = line.removeprefix("GRANT ").partition(" ON ")
        scope = rest.partition(" TO ")[0]
        if not found or not scope.endswith(".*"):
            continue
        given = set(_SIGHT) if head.startswith("ALL PRIVILEGES") else {one.strip() for one in head.split(",")}
        name = scope[:-2].strip("`").replace("``", "`")
        if name == "*":
            wide |= given
        elif name.replace("\\_", "_").replace("\\%", "%") == database:
            exact |= given
        elif _like(name, database):
            loose |= given
    has = wide | (exact or loose)  # the grant that fits best is the one that counts
    if "ALTER ROUTINE" in has or "SHOW CREATE ROUTINE" in has:
        has.add("EXECUTE")
    return [one for one in _SIGHT if one not in has]


def _like(pattern: str, text: str) -> bool:
    """Whether a name is like a pattern with `%`, `_` and backslashes."""
    parts = re.findall(r"\\.|%|_|[^\\%_]+", pattern)
    found = "".join(".*" if one == "%" else "." if one == "_" else re.escape(one.removeprefix("\\")) for one in parts)
    return re.fullmatch(found, text, re.DOTALL) is not None
