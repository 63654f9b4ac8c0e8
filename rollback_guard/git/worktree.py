"""Work trees: where a branch is checked out, what is not committed there, and moving one from tree to tree.

Whether that is wanted is decided in `release`.
"""

from __future__ import annotations

import os
import shlex
import time
from typing import NamedTuple

from rollback_guard.errors import GitError
from rollback_guard.git.complaint import telling_line
from rollback_guard.git.process import decode
from rollback_guard.git.repository import Repository, current_branch

ATTEMPTS = 20  # how often another one may hold the index
PAUSE = 0.05  # seconds before the next attempt
TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess


class Checkouts(NamedTuple):
    """Where a branch is checked out: in the work tree that we stand in, and in which others."""

    here: bool
    elsewhere: tuple[str, ...]


def find_checkouts(repository: Repository, ref: str) -> Checkouts:
    """The work trees whose HEAD is that branch (full name). A bare repository's own HEAD does not count."""
    here = repository.work_tree is not None and current_branch(repository) == ref
    own = os.path.realpath(repository.work_tree) if repository.work_tree is not None and here else None
    elsewhere: list[str] = []
    for block in repository.git.text("worktree", "list", "--porcelain").split("\n\n"):
        lines = block.split("\n")
        path = lines[0].partition(" ")[2]
        if f"branch {ref}" in lines and "bare" not in lines and (own is None or os.path.realpath(path) != own):
            elsewhere.append(path)
    return Checkouts(here=here, elsewhere=tuple(elsewhere))


def is_being_rebased(repository: Repository, ref: str) -> bool:
    """Whether a rebase of that branch was begun here and is not finished; HEAD is detached meanwhile."""
    for folder in ("rebase-merge", "rebase-apply"):
        try:
            with open(os.path.join(repository.git_dir, folder, "head-name"), "rb") as file:
                if decode(file.read()).strip() == ref:
                    return True
        except OSError:
            continue
    return False


def uncommitted_paths(repository: Repository) -> tuple[str, ...]:
    """Tracked paths whose index or file differs from HEAD.

    What is inside a submodule does not count: neither its files nor which of its commits is checked out are
    touched when the outer work tree moves.
    """
    # Two quick looks first, since nearly always nothing differs; `status` then says what does.
    staged = repository.git.run("diff-index", "--cached", "--quiet", "HEAD", "--", accept=(0, 1, 128)).returncode
    if _refresh(repository) and staged == 0:
        return ()
    out = repository.git.run(
        "status", "--porcelain=v2", "-z", "--untracked-files=no", "--ignore-submodules=dirty", "--no-renames"
    ).stdout
    found = []
    for entry in decode(out).split("\0"):
        words = entry.split(" ", 10 if entry.startswith("u") else 8)
        if words[0] == "u" or (words[0] == "1" and not (words[1][0] == "." and words[2].startswith("S"))):
            found.append(words[-1])
    return tuple(found)


def overwritten_paths(repository: Repository, old: str, new: str) -> tuple[str, ...]:
    """Files that git does not track, ignored or not, which stand where tree `new` puts what `old` has not."""
    assert repository.work_tree is not None
    out = repository.git.run("diff-tree", "-r", "-z", "--no-renames", "--name-status", old, new).stdout
    fields = decode(out).split("\0")[:-1]
    status = dict(zip(fields[1::2], fields[0::2], strict=True))
    leaving = {path for path, letter in status.items() if letter == "D"}
    found: list[str] = []
    for path, letter in status.items():
        if letter == "A":
            found += _in_the_way(repository.work_tree, path, leaving)
    return tuple(dict.fromkeys(found))


def _in_the_way(top: str, path: str, leaving: set[str]) -> list[str]:
    parts = path.split("/")
    for depth in range(1, len(parts)):
        folder = "/".join(parts[:depth])
        place = os.path.join(top, folder)
        if os.path.lexists(place) and (os.path.islink(place) or not os.path.isdir(place)):
            return [] if folder in leaving else [folder]
    place = os.path.join(top, path)
    if not os.path.lexists(place):
        return []
    if os.path.islink(place) or not os.path.isdir(place):
        return [path]
    inside = []
    for folder, _, names in os.walk(place):
        below = os.path.relpath(folder, top).replace(os.sep, "/")
        inside += [f"{below}/{name}" for name in names if f"{below}/{name}" not in leaving]
    return inside


def try_move(repository: Repository, old: str, new: str) -> bool:
    """Whether `move_work_tree` would be carried out; nothing is changed but what git remembers of file times."""
    if _read_tree(repository, "-n", old, new).returncode == 0:
        return True
    _refresh(repository)  # a file that was only touched looks changed until git has compared it
    return _read_tree(repository, "-n", old, new).returncode == 0


def index_lock(repository: Repository) -> str | None:
    """The file by which git keeps others from its index, where it is there: of a git that runs, or that was killed."""
    path = os.path.join(repository.git_dir, "index.lock")
    return path if os.path.lexists(path) else None


def held_lock(repository: Repository) -> str | None:
    """The same, when it does not go away in a moment: an editor or another guard looks and is done."""
    for _ in range(ATTEMPTS):
        if index_lock(repository) is None:
            return None
        time.sleep(PAUSE)
    return index_lock(repository)


def unlocking(lock: str) -> str:
    """The command that takes such a file away."""
    return f"rm {shlex.quote(lock)}"


def move_work_tree(repository: Repository, old: str, new: str) -> None:
    """Take index and work tree from one commit's tree to another's, keeping what neither of them has.

    Raises: GitError when a file changed meanwhile: then nothing was moved; or when a file could not be written.
    """
    command = f"git read-tree -m -u {old} {new}"
    lock = held_lock(repository)
    if lock is not None:
        raise GitError(f"{lock} is there", remedy=f"{unlocking(lock)} && {command}   # if no other git runs here")
    if not try_move(repository, old, new):
        raise GitError("something in it changed meanwhile", remedy=command)
    process = _read_tree(repository, "-u", old, new)
    if process.returncode != 0:
        said = telling_line(process.stderr)
        raise GitError(said, remedy="git reset --hard   # when what it says is mended: the branch has moved already")


def _refresh(repository: Repository) -> bool:
    """Have git compare the files whose times changed with its index; whether none of them differs from it."""
    return repository.git.run("update-index", "--refresh", "--ignore-submodules", accept=(0, 1, 128)).returncode == 0


def _read_tree(repository: Repository, how: str, old: str, new: str) -> subprocess.CompletedProcess[bytes]:
    options = ("-n", "-u") if how == "-n" else (how,)
    for _ in range(ATTEMPTS):
        done = repository.git.run("read-tree", "-m", *options, "--no-recurse-submodules", old, new, accept=(0, 1, 128))
        if done.returncode == 0 or index_lock(repository) is None:
            break
        time.sleep(PAUSE)  # an editor, or another guard, looks at this moment
    return done
