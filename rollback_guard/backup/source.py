"""Where a backup's source is: the policy's words for it, resolved; nothing of it is ever shown.

A source is written as it is, or as `$NAME` (from the environment), or as `$(command)`: the first line that it prints.
A password can also stay where the engine's own programs look for it: a service file, a password file.
"""

from __future__ import annotations

import re
import shlex
import subprocess

from rollback_guard.errors import UndeterminedError, UsageError
from rollback_guard.policy.sources import named_source, without_secrets

__all__ = ["Source", "named_source", "read_source", "without_secrets"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)
_COMMAND = re.compile(r"\$\((.*)\)", re.DOTALL)
TIMEOUT = 60  # seconds that a command has


class Source:
    """A resolved source. Its text is for the engine alone: `repr` tells only how the policy writes it.

    `named`: as it may be told, `$SHOP_DATABASE_URL` or the text where no secret can be in it. `environ`: what the
    engine's programs may see. `folder`: relative paths are relative to it.
    """

    __slots__ = ("text", "named", "environ", "folder")

    def __init__(self, text: str, named: str, environ: Mapping[str, str], folder: str) -> None:
        self.text = text
        self.named = named
        self.environ = environ
        self.folder = folder

    def __repr__(self) -> str:
        return f"Source({self.named!r})"


def read_source(written: str, environ: Mapping[str, str], folder: str) -> Source:
    """Resolve what the policy writes. Raises: UsageError, UndeterminedError for what cannot be resolved."""
    command = _COMMAND.fullmatch(written)
    if command is not None:
        return Source(_run(command[1], environ, folder), written, environ, folder)
    variable = _VARIABLE.fullmatch(written)
    if variable is None:
        return Source(written, without_secrets(written), environ, folder)
    name = variable[1] or variable[2]
    value = environ.get(name, "")
    if not value:
        raise UndeterminedError(
            f"the environment has no {name}, which says where the backup's source is", remedy=f"export {name}=…"
        )
    return Source(value, written, environ, folder)


def _run(command: str, environ: Mapping[str, str], folder: str) -> str:
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    if not words:
        raise UsageError("the command in a backup's source cannot be read", remedy="guard policy check")
    try:
        process = subprocess.run(
            words,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = "took too long" if isinstance(error, subprocess.TimeoutExpired) else f"cannot be run: {error.strerror}"
        raise UndeterminedError(
            f"{words[0]}, which says where the backup's source is, {why}", remedy=words[0]
        ) from None
    lines = process.stdout.decode("utf-8", "surrogateescape").split("\n")
    if process.returncode or not lines[0].strip():  # what it said may hold the secret
        raise UndeterminedError(
            f"{words[0]}, which says where the backup's source is, ended with {process.returncode} and said nothing",
            remedy=shlex.join(words),
        )
    return lines[0].strip()
