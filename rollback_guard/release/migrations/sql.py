"""SQL text into the steps of a migration, without knowing which database it is meant for.

Databases take the same text apart differently: what is a comment to one is a statement to another. Where that can
make a difference, each way is read. A reading that no server would run, because a quote stays open or a statement
begins like none, is not what runs; of the others the steps of all count, so that the worst decides.
How statements are split is left to `sql_lexer`, what each does to `sql_statements`.
"""

from __future__ import annotations

import re

from rollback_guard.release.migrations.model import Step
from rollback_guard.release.migrations.sql_lexer import MYSQL, POSTGRESQL, SQLITE, Dialect, split_statements
from rollback_guard.release.migrations.sql_statements import begins, read_statements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollback_guard.release.migrations.sql_lexer import Statement

LONGEST = 1_000_000  # characters that are read: a migration is written by hand, and a hook must answer
# What dialects read differently: \' # /* */ $$ [ ] -- without a blank, a lone carriage return, DELIMITER.
_AMBIGUOUS = re.compile(r"[\\#$\[]|/\*|--(?![ \t\r\n]|\Z)|\r(?!\n)|^[ \t]*DELIMITER", re.IGNORECASE | re.MULTILINE)
# Settings by which a server takes backslashes the other way.
_TURNED = re.compile("sql_mode|standard_conforming_strings|backslash_quote", re.IGNORECASE)


def read_steps(text: str) -> tuple[Step, ...]:
    """What SQL text (one or more statements of PostgreSQL, MySQL, MariaDB or SQLite) does, in its order.

    Statements that change nothing that stays have no step: no steps at all means that it does nothing. What cannot
    be read is a step of effect "unknown". Never raises.
    """
    if len(text) > LONGEST:
        return (Step(effect="unknown", what=f"is longer than {LONGEST} characters and was not read"),)
    if "\0" in text:
        return (Step(effect="unknown", what="holds a NUL character: it is no SQL"),)
    found: list[tuple[Step, ...]] = []
    best: tuple[Statement, ...] = ()
    least = len(text) + 1
    for dialect in _dialects(text):
        statements = split_statements(text, dialect)
        faults = _faults(statements)
        if not faults:
            found.append(read_statements(statements))
        elif faults < least:
            least, best = faults, statements
    if not found:
        return read_statements(best)
    return found[0] if len(found) == 1 else _worst_of(found)


def _worst_of(found: list[tuple[Step, ...]]) -> tuple[Step, ...]:
    """The steps of all readings, each once; what is unknown is told as the first that does not know it says it."""
    told: dict[Step, None] = {}
    for steps in found:
        known = any(one.effect == "unknown" for one in told)
        told.update((one, None) for one in steps if not (known and one.effect == "unknown"))
    return tuple(told)


def _dialects(text: str) -> Iterator[Dialect]:
    yield POSTGRESQL
    if _AMBIGUOUS.search(text) is None:
        return
    others = (SQLITE, MYSQL, MYSQL._replace(conditional=False))  # a comment for a newer server is one
    yield from others
    if "\\" in text and _TURNED.search(text) is not None:
        for dialect in (POSTGRESQL, *others):
            yield dialect._replace(backslash=not dialect.backslash)


def _faults(statements: tuple[Statement, ...]) -> int:
    """How many statements no server would run."""
    return sum(bool(one.problem) or not begins(one) for one in statements)
