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
    """Grows statement by statement."""

    def __init__(self) -> None:
        self.tables: set[str] = set()
        self.columns: set[tuple[str, str]] = set()
        self._runs: set[str] = set()  # last parts of names that run statements when they are used
        self._fires: set[tuple[str, str]] = set()  # events, and tables on which they run statements

    def forget(self) -> None:
        """From here on the same names may mean others: another schema or database is the present one."""
        self.tables.clear()
        self.columns.clear()

    def rename(self, old: str, new: str) -> None:
        """A table goes from one name to another."""
        own = old in self.tables
        self.drop(old)
        self.drop(new)
        if own:
            self.tables.add(new)

    def drop(self, table: str) -> None:
        """A table is no longer ours, or no longer there."""
        self.tables.discard(table)
        self.columns = {one for one in self.columns if one[0] != table}

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
