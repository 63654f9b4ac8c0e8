"""goose: `<version>_<title>.sql` with annotations (`-- +goose Up`, `-- +goose Down`), and migrations written in Go.

What the SQL does is left to `sql`; Go is not read but for whether a way back is there and does anything.
Sources: goose's documentation, "Annotations" and "Go migrations"; internal/sqlparser of pressly/goose.
"""

from __future__ import annotations

import re

from rollback_guard.release.migrations.framework import Reader
from rollback_guard.release.migrations.model import Parsed, Step
from rollback_guard.release.migrations.sql import read_steps
from rollback_guard.release.migrations.sql_files import number, split_path, text_of, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = re.compile(r"([0-9]+)_[^/]*(?<!_test)\.(sql|go)", re.DOTALL)
# What looks like an annotation to a reader, and what goose takes for one.
_LIKE = re.compile(r"^[ \t]*--[ \t]*\+[ \t]*goose\b.*$", re.MULTILINE | re.IGNORECASE)
_ANNOTATION = re.compile(r"--[ \t]*\+goose[ \t]+([a-z]+(?:[ \t]+[a-z]+)?)[ \t\r]*", re.IGNORECASE)
_SETTINGS = frozenset({"no transaction", "envsub on", "envsub off"})
_EMPTY = re.compile(r"(?:[ \t\r\f]*(?:--[^\n]*)?(?:\n|\Z))*")
_REGISTERS = re.compile(r"\bgoose\.Add(?:Named)?Migration(?:NoTx)?(?:Context)?[ \t]*\(([^()]*)\)")
_GO_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_GO_COMMENT = re.compile(r"//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)")


class _Goose:
    def claims(self, path: str) -> bool:
        return _NAME.fullmatch(split_path(path)[1]) is not None

    def read(self, files: Mapping[str, bytes]) -> tuple[Parsed, ...]:
        return tuple(one for path in sorted(files) for one in _read(path, files[path]))


def _read(path: str, data: bytes) -> Iterator[Parsed]:
    folder, name = split_path(path)
    found = _NAME.fullmatch(name)
    assert found is not None  # it was claimed
    if b"goose" not in data.lower():
        return
    version = number(found.group(1))
    parts = _go(text_of(data)) if found.group(2) == "go" else _sql(text_of(data))
    if isinstance(parts, str):
        yield unreadable("goose", version, path, folder, parts)
    elif parts is not None:
        up, down = parts
        yield Parsed(framework="goose", id=version, path=path, paths=(path,), group=folder, up=up, down=down)


Parts = tuple[tuple[Step, ...], "tuple[Step, ...] | None"]


def _sql(text: str) -> Parts | str | None:
    """Both directions; a sentence when goose would not take the file so; None when it is none of goose's."""
    marks: list[tuple[int, int, str]] = []
    inside = False
    for line in _LIKE.finditer(text):
        found = _ANNOTATION.fullmatch(line.group())
        word = "" if found is None else " ".join(found.group(1).lower().split())
        if word in ("statementbegin", "statementend"):
            if inside is (word == "statementbegin") or not marks:
                return "has statements that begin and end in no order"
            inside = not inside
        elif word in ("up", "down") and not inside:
            marks.append((line.start(), line.end(), word))
        elif word not in _SETTINGS:
            return f"has an annotation that goose does not know: {line.group().strip()[:60]}"
    words = [word for _, _, word in marks]
    if not words:
        return None
    if words not in (["up"], ["up", "down"]) or inside:
        return "has other parts than one Up and one Down after it"
    if _EMPTY.fullmatch(text, 0, marks[0][0]) is None:
        return "has statements before its Up"
    if len(marks) == 1:
        return read_steps(text[marks[0][1] :]), None
    return read_steps(text[marks[0][1] : marks[1][0]]), read_steps(text[marks[1][1] :])


def _go(text: str) -> Parts | str | None:
    """Both directions of a migration in Go; None for a program that registers none."""
    code = _GO_COMMENT.sub(" ", text)
    calls = list(_REGISTERS.finditer(code))
    if not calls:
        return "registers a migration in a way that cannot be read" if "goose.Add" in text else None
    arguments = [argument.strip() for argument in calls[0].group(1).split(",")]
    arguments = [argument for argument in arguments if argument][-2:]
    if len(calls) > 1 or len(arguments) != 2:
        return "registers a migration in a way that cannot be read"
    up, down = arguments
    return _runs(code, up), None if down == "nil" else _runs(code, down)


def _runs(code: str, name: str) -> tuple[Step, ...]:
    """The step of a function in Go: none where it is there and only returns nil."""
    if name == "nil":
        return ()
    if _GO_NAME.fullmatch(name):
        body = re.search(rf"\bfunc[ \t]+{name}[ \t]*\([^()]*\)[ \t]*error[ \t]*{{([^{{}}]*)}}", code)
        if body is not None and body.group(1).split() == ["return", "nil"]:
            return ()
    return (Step(effect="destroy", what="runs Go that may change data"),)


READER: Reader = _Goose()
