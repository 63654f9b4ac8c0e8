"""When something happens that nobody foresaw: a report file with what a maintainer needs, and no secrets.

The report holds the error's type, the code's own frames (file, line, function: no values) and versions;
never the environment, arguments' values or file contents.
"""

from __future__ import annotations

import os
import sys
import time
import traceback

from rollback_guard import __version__


def render_crash(error: BaseException, arguments: list[str], *, now: float) -> str:
    """The report's text. Of the arguments only commands and option names are kept, no values."""
    words = arguments[2:] if arguments[:1] == ["--self"] else arguments
    kept = [name for name in (word.partition("=")[0] for word in words) if name.startswith("--") and _is_word(name)]
    command = next((word for word in words[:1] if _is_word(word)), "")
    frames = traceback.extract_tb(error.__traceback__)
    lines = [
        f"rollback_guard {__version__} · Python {sys.version.split()[0]} · {sys.platform}",
        f"time: {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now))}",
        f"command: {command} {' '.join(kept)}".rstrip(),
        f"error: {type(error).__name__}",
        "frames:",
        *(f"  {os.path.basename(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames),
    ]
    return "\n".join(lines) + "\n"


def _is_word(text: str) -> bool:
    """Whether an argument has the form of a command's, a stage's or an option's name."""
    return len(text) <= 30 and all(one == "-" or "a" <= one <= "z" for one in text)


def record_crash(error: BaseException, arguments: list[str]) -> str:
    """Write the report to a private file in the temporary folder; the message for the person."""
    text = render_crash(error, arguments, now=time.time())
    folder = os.environ.get("TMPDIR") or "/tmp"
    path = os.path.join(folder, f"rollback-guard-crash-{os.getpid()}-{os.urandom(4).hex()}.txt")
    where = f"report: {path}"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        where = f"no report could be written to {folder}; it says:\n{text}"
    return (
        f"guard crashed ({type(error).__name__}): this is a bug in rollback_guard, and nothing was allowed\n"
        f"{where}\n"
        "→ please open an issue with that report"
    )
