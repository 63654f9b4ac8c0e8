"""History as a stream: one `git log` process for a whole range, fields and trailers as git parsed them.

Messages are bytes with an encoding; git re-encodes them to UTF-8 where the commit says how, and what is
still no UTF-8 survives as surrogates. Deciding which commits matter is left to `facts`.
"""

from __future__ import annotations

import os

from rollback_guard.git.process import Git, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# The fields of one record, by position.
COMMIT, TREE, PARENTS, AUTHOR, AUTHOR_EMAIL, COMMITTER, COMMITTER_EMAIL, TIME, SUBJECT, TRAILERS, TEXT = range(11)


class LogFormat:
    """The format of one run. Trailers are joined by separators that no author can foresee."""

    __slots__ = ("fields", "item", "key", "pretty")

    def __init__(self, *, text: bool = False) -> None:
        nonce = os.urandom(8).hex()
        self.item = f"\x1e{nonce}"
        self.key = f"\x1d{nonce}"
        trailers = f"%(trailers:only=true,unfold=true,separator=%x1e{nonce},key_value_separator=%x1d{nonce})"
        names = ["%H", "%T", "%P", "%an", "%ae", "%cn", "%ce", "%ct", "%s", trailers] + (["%B"] if text else [])
        self.fields = len(names)
        self.pretty = "--format=tformat:" + "%x00".join(names)

    def trailers(self, field: bytes) -> tuple[tuple[str, str], ...]:
        """The trailers of a record as (key, value), in the order written."""
        if not field:
            return ()
        found = []
        for item in decode(field).split(self.item):
            key, separator, value = item.partition(self.key)
            if separator:
                found.append((key.strip(), " ".join(value.split())))
        return tuple(found)


def read_log(git: Git, layout: LogFormat, *args: str, stdin: bytes | None = None) -> Iterator[list[bytes]]:
    """Records of `git log` with that layout, each a list of `layout.fields` fields, as they come.

    `args` are oids and options of ours, never names that somebody else chose; with `stdin` revisions are
    read from there as well, one a line.
    """
    fields = layout.fields
    command = ["log", "-z", "--encoding=UTF-8", "--no-color", "--no-mailmap", "--no-show-signature", layout.pretty]
    more = ["--stdin"] if stdin is not None else ["--end-of-options"]
    tail = b""
    rest: list[bytes] = []
    for piece in git.chunks(*command, *args[: _options(args)], *more, *args[_options(args) :], stdin=stdin):
        parts = (tail + piece).split(b"\0")
        tail = parts.pop()
        if rest:
            parts = rest + parts
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
