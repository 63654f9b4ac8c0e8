"""What a migration has made so far: harm to it is no harm, and what it made to run by itself is not to be trusted.

Names are compared as `sql_cursor` gives them. What a statement does is left to the modules that read statements.
"""

from __future__ import annotations

from rollback_guard.release.migrations.model import Effect, Step
from rollback_guard.release.migrations.sql_cursor import shown
from rollback_guard.release.migrations.sql_lexer import Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 160  # characters of what a step says


def step(effect: Effect, what: str) -> Step:
    """A step whose words fit on a line."""
    what = " ".join(what.split())
    return Step(effect=effect, what=what if len(what) <= _LONGEST else what[: _LONGEST - 1] + "…")


class Made:
    """Grows statement by statement. No statement takes longer for what the ones before it made."""

    def __init__(self) -> None:
        self.tables: set[str] = set()
        self._columns: dict[str, set[str]] = {}  # by table
        self._within: list[tuple[str, str]] | None = None  # what a block made: tables, as ("", name), and columns
        self._runs: set[str] = set()  # last parts of names that run statements when they are used
        self._fires: set[tuple[str, str]] = set()  # events, and tables on which they run statements

    def forget(self) -> None:
        """From here on the same names may mean others: another schema or database is the present one."""
        self.tables.clear()
        self._columns.clear()

    def add_table(self, table: str) -> None:
        """A table is ours."""
        if self._within is not None and table not in self.tables:
            self._within.append(("", table))
        self.tables.add(table)

    def add_column(self, table: str, column: str) -> None:
        """A column of a table is ours."""
        known = self._columns.setdefault(table, set())
        if self._within is not None and column not in known:
            self._within.append((table, column))
        known.add(column)

    def has_column(self, table: str, column: str) -> bool:
        """Whether a column is ours."""
        return column in self._columns.get(table, ())

    def drop_column(self, table: str, column: str) -> None:
        """A column is no longer ours, or no longer there."""
        self._columns.get(table, set()).discard(column)

    def begin_block(self) -> None:
        """What is made from here on may have been there before: whoever wrote it passes over the error."""
        self._within = []

    def end_block(self) -> None:
        """What was made since the block began is not ours for sure."""
        for table, name in self._within or ():
            if table:
                self.drop_column(table, name)
            else:
                self.tables.discard(name)
        self._within = None

    def rename(self, old: str, new: str) -> None:
        """A table goes from one name to another."""
        own = old in self.tables
        self.drop(old)
        self.drop(new)
        if own:
            self.add_table(new)

    def drop(self, table: str) -> None:
        """A table is no longer ours, or no longer there."""
        self.tables.discard(table)
        self._columns.pop(table, None)

    def runs(self, name: str) -> None:
        """Whatever mentions this name runs statements that were written here."""
        self._runs.add(_last(name))

    def fires(self, event: str, table: str) -> None:
        """This event on this table runs statements that were written here."""
        self._fires.add((event, _last(table)))

    def run_by(self, tokens: Iterable[Token], event: str = "") -> str:
        """The name by which a statement runs what was written here; "" if it does not."""
        if not self._runs and not self._fires:
            return ""
        for token in tokens:
            name = _last(shown(token))
            if name and (name in self._runs or (event, name) in self._fires):
                return token.text
        return ""


def _last(name: str) -> str:
    return name.rpartition(".")[2].strip('"').lower()
