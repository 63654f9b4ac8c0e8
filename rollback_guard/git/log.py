"""History as a stream: one `git log` process for a whole range, fields and trailer blocks as git found them.

Messages are bytes with an encoding; git re-encodes them to UTF-8 where the commit says how, and what is
still no UTF-8 survives as surrogates. Deciding which commits matter is left to `facts`.
"""

from __future__ import annotations

from rollback_guard.git.process import Git, decode, encode
from rollback_guard.git.streams import split_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# The fields of one record, by position.
COMMIT, TREE, PARENTS, AUTHOR, AUTHOR_EMAIL, COMMITTER, COMMITTER_EMAIL, TIME, SUBJECT, TRAILERS, TEXT = range(11)


class LogFormat:
    """The format of one run. Trailers come as the block in which git found them, letter for letter.

    git would also take them apart, but by the settings of the repository: `trailer.<name>.key` rewrites
    keys, so that a line "R: Omar" becomes a review.
    """

    __slots__ = ("fields", "pretty")

    def __init__(self, *, text: bool = False) -> None:
        names = ["%H", "%T", "%P", "%an", "%ae", "%cn", "%ce", "%ct", "%s", "%(trailers)"] + (["%B"] if text else [])
        self.fields = len(names)
        self.pretty = "--format=tformat:" + "%x00".join(names)

    def trailers(self, field: bytes) -> tuple[tuple[str, str], ...]:
        """The trailers of a record as (key, value), unfolded, in the order written."""
        if not field:
            return ()
        found: list[tuple[str, list[str]]] = []
        last = False
        for line in decode(field).split("\n"):
            if last and line[:1] in (" ", "\t", "\r"):
                found[-1][1].append(line)
                continue
            key, separator, value = line.partition(":")
            key = key.rstrip(" \t")
            # Source: git's trailer.c, find_separator: ASCII letters, digits and `-`.
            last = bool(separator) and key.isascii() and key.replace("-", "").isalnum()
            if last:
                found.append((key, [value]))
        return tuple((key, " ".join(" ".join(parts).split())) for key, parts in found)


def trailer_finder(keys: Iterable[str]) -> Callable[[bytes], tuple[tuple[str, str], ...]]:
    """A function that finds the trailers of some keys (ASCII, folded by case) in a record's field.

    It answers what `LogFormat.trailers` would for them, without taking every other line apart.
    """
    import re

    wanted = b"|".join(re.escape(encode(key)) for key in sorted(keys))
    lines = re.compile(rb"^(" + wanted + rb")[ \t]*:([^\n]*(?:\n[ \t\r][^\n]*)*)", re.MULTILINE | re.IGNORECASE)

    def find(field: bytes) -> tuple[tuple[str, str], ...]:
        return tuple((decode(key), " ".join(decode(value).split())) for key, value in lines.findall(field))

    return find


def read_log(git: Git, layout: LogFormat, *args: str, stdin: bytes | None = None) -> Iterator[list[bytes]]:
    """Records of `git log` with that layout, each a list of `layout.fields` fields, as they come.

    `args` are oids and options of ours, never names that somebody else chose; with `stdin` revisions are
    read from there as well, one a line.
    """
    fields = layout.fields
    command = ["log", "-z", "--encoding=UTF-8", "--no-color", "--no-mailmap", "--no-show-signature", layout.pretty]
    more = ["--stdin"] if stdin is not None else ["--end-of-options"]
    # Without the `--`, git refuses an oid after which somebody has named a file.
    command += [*args[: _options(args)], *more, *args[_options(args) :], "--"]
    # A line that begins like a comment would not count when git looks for the trailers.
    output = git.chunks(*command, stdin=stdin, config=("-c", "core.commentChar=#"))
    rest: list[bytes] = []
    for found in split_stream(output, b"\0"):
        parts = rest + found if rest else found
        whole = len(parts) - len(parts) % fields
        for start in range(0, whole, fields):
            yield parts[start : start + fields]
        rest = parts[whole:]


def _options(args: tuple[str, ...]) -> int:
    """How many of the arguments, from the left, are options."""
    count = 0
    while count < len(args) and args[count].startswith("--"):
        count += 1
    return count
