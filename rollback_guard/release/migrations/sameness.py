"""Whether a file was edited in what a database sees of it, or only in comments, layout and line endings.

Wherever that cannot be told for sure, the file counts as edited. What a file does is left to the readers.
"""

from __future__ import annotations

import re
from typing import Optional

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast

# What SQL's dialects agree on: strings without backslashes, and comments that all of them skip. A `--` without a
# space behind it is an operator to MySQL; `/*!` and `/*+` are obeyed; PostgreSQL nests block comments.
_SQL = re.compile(
    r"""(?P<kept>'(?:[^'\\]|'')*'|"(?:[^"\\]|"")*"|`[^`]*`|[^\W\d]\w*|[0-9.]+)"""
    r"""|(?P<line>--(?=[ \t\n]|\Z)[^\n\r]*)|(?P<block>/\*(?![!+])(?:(?!/\*|\*/).)*\*/)"""
    r"""|(?P<dollar>\$(?:[^\W\d]\w*)?\$)|(?P<space>[ \t\n]+)|(?P<other>[,;()=<>+%&|!~@:?{}]+|.)""",
    re.DOTALL,
)
# Comments that tools obey, or take for the line at which the way back begins.
_OBEYED = re.compile(
    r"--[^\w+@]*[+@]?\s*(migrate|goose|atlas|liquibase|changeset|rollback|precondition|ups?|downs?|undo|revert|create)\b",
    re.IGNORECASE,
)
# A string, name or comment of one dialect only, or one that never ends; a lone CR ends a comment to some.
_UNSURE = frozenset("'\"`\\#[\r")
_ORDER = frozenset({"dependencies", "replaces", "run_before", "initial"})
# Ruby's strings over several lines, and what makes a line that looks like a comment none.
_RUBY_UNSURE = re.compile(r"<<[~\-\"'`\w]|%[qQwWiIrsx]?[^\w\s=]|^=begin|^__END__|`|\\$", re.MULTILINE)
_RUBY_STRING = re.compile(r""""[^"\\\n]*"|'[^'\\\n]*'""")


def same_text(path: str, old: bytes, new: bytes) -> bool:
    """Whether two states of a file say the same to the database. `path` tells the language, by its ending."""
    if old == new:
        return True
    before, after = _plain(old), _plain(new)
    if before == after:
        return True
    try:
        texts = before.decode(), after.decode()
    except UnicodeDecodeError:
        return False
    reduce = {"py": _python, "sql": _sql, "rb": _ruby}.get(path.rpartition(".")[2].lower())
    if reduce is None:
        return False
    reduced = reduce(texts[0])
    return reduced is not None and reduced == reduce(texts[1])


def _plain(data: bytes) -> bytes:
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n")


def _python(text: str) -> Optional[str]:
    """The program without comments, layout, docstrings, and what only places a migration of Django's in its graph.

    Once a squashed migration has run everywhere, Django has those who build on it point to it, and the squashed one
    forget what it replaced; what a database has been through stays the same.
    """
    import ast
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list):
                orders = isinstance(node, ast.ClassDef) and node.name == "Migration"
                node.body = [  # type: ignore[attr-defined]
                    one for one in body if not _is_text(one) and not (orders and _is_order(one))
                ]
        return ast.dump(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_text(statement: ast.AST) -> bool:
    import ast

    value = getattr(statement, "value", None)
    return isinstance(statement, ast.Expr) and isinstance(value, ast.Constant) and isinstance(value.value, str)


def _is_order(statement: ast.AST) -> bool:
    """`dependencies = [("shop", "0001_initial")]` and the like, of nothing but constants."""
    import ast

    if not isinstance(statement, ast.Assign) or not all(isinstance(one, ast.Name) for one in statement.targets):
        return False
    names = {one.id for one in statement.targets if isinstance(one, ast.Name)}
    literal = (ast.List, ast.Tuple, ast.Constant, ast.Load)
    return names <= _ORDER and all(isinstance(node, literal) for node in ast.walk(statement.value))


def _sql(text: str) -> Optional[str]:
    """The statements with one space for what the dialects agree is layout; None where they may not agree."""
    found: list[str] = []
    at = 0
    while at < len(text):
        match = _SQL.match(text, at)
        assert match is not None  # "other" is any character
        kind, said, at = match.lastgroup, match[0], match.end()
        if kind == "other" and said in _UNSURE:
            return None
        if kind == "dollar":
            end = text.find(said, at)
            if end < 0:
                return None
            said, at = text[match.start() : end + len(said)], end + len(said)
        if kind in ("space", "block") or (kind == "line" and not _OBEYED.match(said)):
            said = " " if not found or found[-1] != " " else ""
        found.append(said)
    return "".join(found).strip()


def _ruby(text: str) -> Optional[str]:
    """The lines that are no comment, without indentation; None where a string may go over several lines."""
    if _RUBY_UNSURE.search(text):
        return None
    lines = [line.strip(" \t") for line in text.split("\n")]
    code = "\n".join(line for line in lines if line and not line.startswith("#"))
    rest = _RUBY_STRING.sub("", code)
    return None if '"' in rest or "'" in rest else code
