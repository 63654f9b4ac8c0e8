"""Who pushed which commits to a server, as far as the server is told: one line a commit, only ever added to.

git itself keeps no such record. What follows from it is left to the gate; whether to trust the name, to whoever
runs the server: it comes from the web server, the forge or the line of a key in authorized_keys.
"""

from __future__ import annotations

import os

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


def note_pushes(repository: Repository, pusher: str, commits: Sequence[bytes]) -> None:
    """Note that somebody brought these commits.

    Where nothing can be written, nothing is noted: a push is not refused for that.
    """
    if not commits:
        return
    path = os.path.join(repository.common_dir, FILE)
    end = encode(f" {pusher}\n")
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            # Each write goes to the end of the file: of pushes at the same time, no line is torn.
            for first in range(0, len(commits), BATCH):
                os.write(descriptor, b"".join(oid + end for oid in commits[first : first + BATCH]))
        finally:
            os.close(descriptor)
    except OSError:
        pass


def read_pushes(repository: Repository, arriving: Mapping[bytes, str]) -> dict[bytes, tuple[str, ...]]:
    """The names of those who pushed a commit that no ref held before, by its oid.

    `arriving` is what is being pushed just now, and by whom; all that there is where nothing is noted.
    """
    found: dict[bytes, tuple[str, ...]] = {oid: (name,) for oid, name in arriving.items()}
    try:
        with open(os.path.join(repository.common_dir, FILE), "rb") as file:
            for line in file:
                oid, _, name = line.rstrip(b"\n").partition(b" ")
                found[oid] = tuple(dict.fromkeys((*found.get(oid, ()), decode(name))))
    except OSError:
        pass
    return found
