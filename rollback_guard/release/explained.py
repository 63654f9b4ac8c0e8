"""What a way back does besides, as values; finding it is left to `explain`, saying it to `sentences`."""

from __future__ import annotations

from typing import NamedTuple, Optional


class Submodule(NamedTuple):
    """A submodule that goes to another commit; None where it is not there. `direction`: older, newer, or "" unknown."""

    path: str
    old: Optional[str]
    new: Optional[str]
    direction: str = ""


class Explained(NamedTuple):
    """What a person would otherwise find out afterwards."""

    cancels: tuple[tuple[str, str], ...] = ()  # a revert and what it took back, where both go
    submodules: tuple[Submodule, ...] = ()
    pointers: int = 0  # LFS pointers that come back
    missing: tuple[str, ...] = ()  # of these: paths whose content is not here
    collisions: tuple[tuple[str, str], ...] = ()  # paths that are one where case does not count
