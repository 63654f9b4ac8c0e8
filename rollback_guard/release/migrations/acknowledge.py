"""What a developer may say in a migration's own file: that it has no way back, and why that is so.

A line of its own, in the file's comment syntax: `# guard: irreversible because it only fills a cache`. Who asks for
that, and when, is left to `entry.hook_migrations`.
"""

from __future__ import annotations

import re

from rollback_guard.release.migrations.model import Migration

SENTENCE = "guard: irreversible because"
# How a comment begins and ends, by the file's ending. JSON has none, so nothing can be said there.
_COMMENTS: dict[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(("py", "rb", "yaml", "yml", "sh", "bash", "ps1"), (("#", ""),)),
    **dict.fromkeys(("go", "java", "kt", "kts", "groovy", "scala", "cypher", "cypherl"), (("//", ""),)),
    **dict.fromkeys(("sql", "pgsql", "psql", "mysql", "cql"), (("--", ""), ("/*", "*/"))),
    "xml": (("<!--", "-->"),),
}
_MEANS_SOMETHING = re.compile(r"\w\W*\w")


def acknowledged(path: str, data: bytes) -> str:
    """The reason that a file gives for being irreversible; "" where it says nothing, or no reason."""
    text = data.decode("utf-8", "replace")
    for begin, end in _comments(path):
        pattern = rf"^[ \t]*{re.escape(begin)}[ \t]*{re.escape(SENTENCE)}[ \t]+([^\r\n]*)"
        for match in re.finditer(pattern, text, re.MULTILINE):
            said, closed, _ = match[1].partition(end) if end else (match[1], "", "")
            if bool(closed) == bool(end) and _MEANS_SOMETHING.search(said):
                return said.strip()
    return ""


def remedies_for(migration: Migration) -> tuple[str, ...]:
    """What to do about a migration that cannot be undone: one of these."""
    path = _quoted(migration.old_path or migration.path)
    if migration.state == "deleted":
        return (f"git restore --source=HEAD --staged --worktree -- {path}",)
    instead = "write the way back"
    if migration.state == "edited":
        instead = f"git restore --source=HEAD --staged -- {path}   # and let a new migration do it"
    said = (
        f"or say in the file why that is right: {begin} {SENTENCE} REASON {end}".rstrip()
        for begin, end in _comments(migration.path)[:1]
    )
    return (instead, *said)


def _comments(path: str) -> tuple[tuple[str, str], ...]:
    return _COMMENTS.get(path.rpartition(".")[2].lower(), ())


def _quoted(path: str) -> str:
    """A path for a POSIX shell."""
    return path if re.fullmatch(r"[\w@%+=:,./-]+", path, re.ASCII) else "'" + path.replace("'", "'\"'\"'") + "'"
