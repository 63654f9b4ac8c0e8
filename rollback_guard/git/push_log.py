"""Who pushed which commits to a server, as far as the server is told: one line a commit, only ever added to.

git itself keeps no such record. What follows from it is left to the gate; whether to trust the name, to whoever
runs the server: it comes from the web server, the forge or the line of a key in authorized_keys.
"""

from __future__ import annotations

import os
import stat

from rollback_guard.git.process import decode, encode
from rollback_guard.git.repository import Repository, read_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FILE = os.path.join("rollback-guard", "pushed")
SETTING = "rollback-guard.pusher"  # names the variable, where it is none of these
# git-http-backend, Gitolite, Gitea and Forgejo, GitLab; and what sshd can be told for a key (environment="PUSHER=…").
VARIABLES = ("REMOTE_USER", "GL_USER", "GITEA_PUSHER_NAME", "GL_USERNAME", "PUSHER")
LONGEST = 200  # characters of a name
BATCH = 1000  # lines that are written at once


def pusher_of(repository: Repository, environ: Mapping[str, str]) -> str:
    """The name of whoever pushes, as the server's environment has it; "" when it does not say."""
    own = read_config(repository, r"^rollback-guard\.pusher$").get(SETTING, [])
    names = (environ.get(variable, "") for variable in (own[-1:] if own else VARIABLES))
    return next((" ".join(name.split())[:LONGEST] for name in names if name.strip()), "")


def new_commits(repository: Repository, tips: Iterable[str]) -> tuple[bytes, ...]:
    """The commits (full oids) that objects of any kind bring and that no ref holds yet, newest first."""
    stdin = "".join(f"{tip}\n" for tip in dict.fromkeys(tips))
    if not stdin:
        return ()
    return tuple(repository.git.run("rev-list", "--stdin", "--not", "--all", stdin=encode(stdin)).stdout.split())


def note_pushes(repository: Repository, pusher: str, commits: Sequence[bytes]) -> str:
    """Note that somebody brought these commits; why it could not be noted, or "".

    A push is not refused for that. The file may be written by whoever may write objects.
    """
    if not commits:
        return ""
    path = os.path.join(repository.common_dir, FILE)
    end = encode(f" {pusher}\n")
    try:
        shared = os.stat(os.path.join(repository.common_dir, "objects")).st_mode
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
            os.chmod(os.path.dirname(path), stat.S_IMODE(shared))
        new = not os.path.exists(path)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            if new:
                os.fchmod(descriptor, stat.S_IMODE(shared) & 0o666)
            # Each write goes to the end of the file: of pushes at the same time, no line is torn.
            for first in range(0, len(commits), BATCH):
                os.write(descriptor, b"".join(oid + end for oid in commits[first : first + BATCH]))
        finally:
            os.close(descriptor)
    except OSError as error:
        return f"{path}: {error.strerror}"
    return ""


def read_pushes(repository: Repository, arriving: Mapping[bytes, str]) -> Mapping[bytes, tuple[str, ...]]:
    """The names of those who pushed a commit that no ref held before, by its oid.

    `arriving` is what is being pushed just now, and by whom; all that there is where nothing is noted.
    """
    noted = _noted(os.path.join(repository.common_dir, FILE))
    if not arriving:
        return noted
    return {**noted, **{oid: tuple(dict.fromkeys((name, *noted.get(oid, ())))) for oid, name in arriving.items()}}


class _Noted:
    """What was read last: a run asks for it with every change."""

    __slots__ = ("names", "seen")

    def __init__(self) -> None:
        self.seen: tuple[object, ...] = ()
        self.names: dict[bytes, tuple[str, ...]] = {}


_last = _Noted()


def _noted(path: str) -> dict[bytes, tuple[str, ...]]:
    found: dict[bytes, tuple[str, ...]] = {}
    same: dict[tuple[str, ...], tuple[str, ...]] = {}  # a hundred thousand commits bear a few names
    try:
        with open(path, "rb") as file:
            state = os.fstat(file.fileno())
            seen = (path, state.st_ino, state.st_size, state.st_mtime_ns)
            if seen == _last.seen:
                return _last.names
            for line in file:
                oid, _, name = line.rstrip(b"\n").partition(b" ")
                names = tuple(dict.fromkeys((*found.get(oid, ()), decode(name))))
                found[oid] = same.setdefault(names, names)
    except OSError:
        return {}
    _last.seen, _last.names = seen, found
    return found
