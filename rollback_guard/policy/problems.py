"""What is wrong with a file that a team wrote: every problem, with its place and the nearest right name.

Problems are collected under the path of keys that leads to them; their lines are looked up once, at the
end, by `policy.locate`. Showing them is left to `report` and `entry`.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeVar, Union

    T = TypeVar("T")
    Path = tuple[Union[str, int], ...]

# A hostile file may hold a problem a byte; what is beyond these bounds helps nobody.
MOST_PROBLEMS = 500
MOST_NEAREST = 50
MOST_NAMES = 500


class Problem(NamedTuple):
    """One thing that is wrong. `line` counts from 1, None when there is none to point at.

    `key` is dotted, entries of lists counted from 1: `sign-off[2].proof`. `nearest` is the right name
    that was probably meant, or "".
    """

    file: str
    line: Optional[int]
    key: str
    message: str
    nearest: str = ""


class Problems:
    """Collects problems while a file is read; `left_out` counts those beyond the bound."""

    __slots__ = ("found", "left_out")

    def __init__(self) -> None:
        self.found: list[tuple[Path, str, str]] = []
        self.left_out = 0

    def add(
        self, path: Path, message: str, *, wrong: object = None, names: Iterable[str] = (), nearest: str = ""
    ) -> None:
        """Note a problem at a path, with the `nearest` right name, or the one of `names` that is nearest to `wrong`."""
        if len(self.found) >= MOST_PROBLEMS:
            self.left_out += 1
            return
        if not nearest and len(self.found) < MOST_NEAREST:
            nearest = nearest_name(wrong, names)
        self.found.append((path, message, nearest))


class Place:
    """One place in a file that is being read: where a value stands, and where its problems go."""

    __slots__ = ("path", "problems")

    def __init__(self, problems: Problems, path: Path = ()) -> None:
        self.problems = problems
        self.path = path

    def at(self, part: str | int) -> Place:
        """The place of a key of this table, or of an entry (counted from 0) of this list."""
        return Place(self.problems, (*self.path, part))

    def fail(
        self, instead: T, message: str, *, wrong: object = None, names: Iterable[str] = (), nearest: str = ""
    ) -> T:
        """Note a problem here, and go on with another value `instead` so that the rest is looked at too."""
        self.problems.add(self.path, message, wrong=wrong, names=names, nearest=nearest)
        return instead


def dotted(path: Path) -> str:
    """The path as a person writes it: `sign-off[2].by[1]`."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest_name(wrong: object, names: Iterable[str]) -> str:
    """The name that was probably meant, or ""."""
    if not isinstance(wrong, str) or not 0 < len(wrong) <= 64:
        return ""
    candidates = list(names)[:MOST_NAMES]
    if not candidates:
        return ""
    import difflib

    folded = {name.casefold().replace("_", "-"): name for name in reversed(candidates)}
    close = difflib.get_close_matches(wrong.casefold().replace("_", "-"), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else ""
