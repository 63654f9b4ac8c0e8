"""What every framework's module offers, so that the comparison need not know one from another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from rollback_guard.release.migrations.model import Parsed


class Reader(Protocol):
    """One framework. Pure: it is handed paths and bytes. It never raises for what a file holds."""

    def claims(self, path: str) -> bool:
        """Whether a file may be, or belong to, a migration of this framework, by its path alone; cheap."""

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        """The migrations that the files make up. `files`: all files of one tree that `claims` said yes to.

        A file that is no migration after all (another framework's, a plain module) is left out; one that is
        a migration but cannot be read has one step of effect "unknown".
        """
