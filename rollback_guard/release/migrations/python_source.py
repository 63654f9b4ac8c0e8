"""A Python file's bytes as a syntax tree, or the reason why there is none. Nothing of the file is run.

What the tree means is left to `python_run`.
Source: https://docs.python.org/3/reference/lexical_analysis.html.
"""

from __future__ import annotations

import ast
import re
import warnings

MOST_BYTES = 1_000_000
# Python 3.10 overflows its own stack, and is gone, on an expression of some ten thousand members. Nobody writes that.
MOST_MEMBERS = 10_000

# Only encodings that spell ASCII as ASCII: what people see in a review is then what Python sees.
_ENCODINGS = frozenset(
    ("utf-8", "utf8", "utf-8-sig", "u8", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1", "iso-8859-15")
    + ("cp1250", "cp1251", "cp1252", "koi8-r")
)
_DECLARED = re.compile(rb"[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\r|\n)")
_MEMBER = re.compile(r"[.(\[+*/%@&|^<>!-]|\b(?:if|and|or|not|in|is)\b")
_TOKEN = re.compile(
    r"""
      (?P<comment> \#[^\r\n]* ) | (?P<joined> \\(?:\r\n|\r|\n) )
    | (?P<string> (?P<prefix>\b[a-zA-Z]{1,2})?
        (?: \"{3} (?:[^\\\"]|\\.|\"(?!\"\"))* (?:\"{3})? | '{3} (?:[^\\']|\\.|'(?!''))* (?:'{3})?
          | \" (?:[^\\\"\r\n]|\\.)* \"? | ' (?:[^\\'\r\n]|\\.)* '? ) )
    | (?P<open> [(\[{] ) | (?P<close> [)\]}] ) | (?P<line> \r\n|\r|\n ) | (?P<end> [,;:] | =(?!=) )
    | (?P<member> [.+*/%@&|^<>!-] | \b(?:if|and|or|not|in|is)\b )
    """,
    re.VERBOSE | re.DOTALL,
)


class SourceError(Exception):
    """Why a file cannot be read, as the end of a sentence that begins with the file."""


def read_source(data: bytes) -> ast.Module:
    """The tree of a file. Raises: SourceError."""
    if len(data) > MOST_BYTES:
        raise SourceError(f"has {len(data):,} bytes; at most {MOST_BYTES:,} are read")
    text = read_text(data)
    if _is_endless(text):
        raise SourceError("has an expression that is too long to read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python will not know some day
            return ast.parse(text)
    except SyntaxError as fault:
        raise SourceError(f"is no Python that can be read here: line {fault.lineno or 1}") from None
    except (ValueError, RecursionError, MemoryError):  # a NUL; nested too deeply
        raise SourceError("is no Python that can be read here") from None


def read_text(data: bytes) -> str:
    """The characters of a file, by the encoding that it declares as Python reads it. Raises: SourceError."""
    marked = data.startswith(b"\xef\xbb\xbf")
    found = _DECLARED.match(data, 3 if marked else 0)
    if found is None:
        first = _BLANK.match(data, 3 if marked else 0)  # the second line counts where the first holds no code
        found = _DECLARED.match(data, first.end()) if first else None
    name = found[1].decode("ascii", "replace").lower().replace("_", "-") if found else "utf-8"
    if name not in _ENCODINGS and not name.startswith("utf-8-"):
        raise SourceError("declares an encoding that is not read here")
    if name.startswith(("utf-8", "utf8", "u8")) or marked:
        name = "utf-8"
    try:
        return data[3 if marked else 0 :].decode(name)
    except UnicodeDecodeError:
        raise SourceError(f"is not encoded as {name}") from None


def _is_endless(text: str) -> bool:
    """Whether one expression has more members than Python can be trusted with."""
    if sum(1 for _ in _MEMBER.finditer(text)) <= MOST_MEMBERS:
        return False
    counts = [0]  # members since the last separator, for every bracket that is open
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "string":
            if "f" in (token["prefix"] or "").lower():  # what it embeds is parsed too
                counts[-1] += len(_MEMBER.findall(token[0]))
        elif kind == "open":
            counts[-1] += 1
            counts.append(0)
        elif kind == "close" and len(counts) > 1:
            counts.pop()
        elif kind == "end" or (kind == "line" and len(counts) == 1):
            counts[-1] = 0
        elif kind == "member":
            counts[-1] += 1
        if counts[-1] > MOST_MEMBERS:
            return True
    return False
