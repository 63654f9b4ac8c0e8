"""The attributes that a tree's own `.gitattributes` files give, as one file that git reads without a work tree.

Source: gitattributes(5). Deeper files win over those above them, which is the order in which they are written here.
"""

from __future__ import annotations

from rollback_guard.git.objects import ObjectReader
from rollback_guard.git.process import Git, decode, encode
from rollback_guard.git.streams import split_stream

NAME = ".gitattributes"
LIMIT = 100 << 20  # bytes; git reads no larger ones
_SPECIAL = frozenset("*?[\\")


def read_attributes(git: Git, tree: str) -> bytes:
    """What `info/attributes` must say so that each path has the attributes that a work tree of that tree gives it."""
    found: list[tuple[str, str]] = []
    for parts in split_stream(git.chunks("ls-tree", "-r", "-z", "--full-tree", tree), b"\0"):
        for part in parts:
            if part.endswith(b".gitattributes"):
                head, _, path = decode(part).partition("\t")
                folder, _, name = path.rpartition("/")
                if name == NAME and head.startswith("100"):
                    found.append((folder, head.split(" ")[2]))
    lines: list[str] = []
    with ObjectReader(git) as objects:
        for folder, oid in sorted(found, key=lambda one: (one[0].count("/"), one[0])):
            blob = objects.read(oid, limit=LIMIT)
            if blob is not None:
                lines += [moved for line in decode(blob.data).split("\n") if (moved := _moved(line, folder))]
    return encode("".join(f"{line}\n" for line in lines))


def _moved(line: str, folder: str) -> str:
    """One line as it reads at the top, or "" for one that says nothing."""
    text = line.strip(" \t\r")
    if not text or text.startswith(("#", "!")):
        return ""
    if not folder:
        return text
    if text.startswith("[attr]"):  # only the topmost file may define macros
        return ""
    pattern, rest = _pattern(text)
    prefix = "".join(f"\\{one}" if one in _SPECIAL else one for one in folder)
    if pattern.startswith("/"):
        whole = prefix + pattern
    else:
        whole = f"{prefix}/{pattern}" if "/" in pattern.rstrip("/") else f"{prefix}/**/{pattern}"
    return f"{_quoted(whole)} {rest}"


def _pattern(text: str) -> tuple[str, str]:
    """The pattern, unquoted, and the attributes behind it."""
    if not text.startswith('"'):
        pattern, _, rest = text.replace("\t", " ").partition(" ")
        return pattern, rest.strip()
    escaped, raw = False, ""
    for place, character in enumerate(text[1:], start=1):
        if character == '"' and not escaped:
            return raw.replace('\\"', '"').replace("\\\\", "\\"), text[place + 1 :].strip()
        escaped = character == "\\" and not escaped
        raw += character
    return text, ""


def _quoted(pattern: str) -> str:
    if not any(one in pattern for one in ' \t"') and not pattern.startswith("#"):
        return pattern
    return '"' + pattern.replace("\\", "\\\\").replace('"', '\\"') + '"'
