"""New commits whose trees exist already, written in one `git fast-import` and kept only when they are proven.

Nothing is computed or unpacked: each commit names its tree, so the time does not grow with the number of
files. They are written into a quarantine folder inside the object store; whoever dies before `keep`, or
between it and the update of a ref, leaves nothing that any ref reaches.
"""

from __future__ import annotations

import os
import subprocess
from typing import NamedTuple, Optional

from rollback_guard.errors import GitError, RefusedError, UsageError
from rollback_guard.git.process import decode, encode, failed, stop
from rollback_guard.git.repository import Repository, quote_alternate, remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# fast-import wants a branch to write to; it is reset to nothing before each commit and at the end, and a
# branch that is nothing is never stored.
SCRATCH = b"refs/rollback-guard/scratch"
# `git prune` removes what is left of folders of this name. Source: git's tmp-objdir.c and builtin/prune.c.
PREFIX = "tmp_objdir-rollback-guard-"


class NewCommit(NamedTuple):
    """A commit to be written: its tree (None: the empty one), its whole message, and what else it merges."""

    tree: Optional[str]
    message: bytes
    others: tuple[str, ...] = ()


# fast-import deflates each object anew, and glibc gives the memory back and takes it again each time: with
# some slack it needs less than half the time. Other C libraries pass these over.
ROOMY = {
    "MALLOC_TOP_PAD_": str(8 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
}


class Quarantine:
    """A folder for new objects beside the repository's own, read and written by `git`; gone at the end."""

    def __init__(self, repository: Repository) -> None:
        self.home = repository.objects_dir
        self.path = os.path.join(self.home, f"{PREFIX}{os.getpid()}-{os.urandom(6).hex()}")
        try:
            os.mkdir(self.path, 0o700)
        except OSError as error:
            raise RefusedError(
                f"nothing can be written to {self.home}: {error.strerror}",
                remedy="make the repository writable, or run this where it is",
            ) from None
        others = repository.git.env.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "")
        alternates = quote_alternate(self.home) + (f":{others}" if others else "")
        self.git = repository.git.with_env(GIT_OBJECT_DIRECTORY=self.path, GIT_ALTERNATE_OBJECT_DIRECTORIES=alternates)

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(self, *exc: object) -> None:
        remove_tree(self.path)

    def keep(self) -> None:
        """Move the packs into the repository: synced, and the index last, which alone makes a pack seen."""
        source = os.path.join(self.path, "pack")
        target = os.path.join(self.home, "pack")
        os.makedirs(target, exist_ok=True)
        for name in sorted(os.listdir(source), key=lambda name: (name.endswith(".idx"), name)):
            path = os.path.join(source, name)
            sync(path)
            keep_file(path, os.path.join(target, name))
        sync(target)


def keep_file(path: str, target: str) -> None:
    """Give one finished file its place. A pack's name tells its content, so one that is there stays."""
    if not os.path.exists(target):
        os.rename(path, target)


def sync(path: str) -> None:
    """Have what a file or folder holds on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_commits(quarantine: Quarantine, parent: str, commits: Iterable[NewCommit]) -> str:
    """Write commits, each the child of the one before and the first of `parent`; the oid of the last.

    Author and committer are who git says is working here.
    Raises: UsageError when git does not know that; GitError when a tree is missing.
    """
    author = identity(quarantine, "GIT_AUTHOR_IDENT")
    committer = identity(quarantine, "GIT_COMMITTER_IDENT")
    people = b"author %s\ncommitter %s\n" % (author, committer)
    process = quarantine.git.with_env(**ROOMY).start(
        "fast-import",
        "--done",
        "--quiet",
        "--date-format=raw",
        stdin=subprocess.PIPE,
        # A third of the time is deflating; a commit of some hundred bytes saves a third of them by it.
        # A hook on refs has nothing to judge here, where none is stored; it is asked when the branch moves.
        config=("-c", "fastimport.unpackLimit=0", "-c", "pack.packSizeLimit=0", "-c", "pack.compression=0")
        + ("-c", f"core.hooksPath={os.devnull}"),
    )
    assert process.stdin is not None
    try:
        try:
            process.stdin.writelines(_stream(parent, people, commits))  # it says nothing before it has read all
        except BrokenPipeError:
            pass  # it says why
        out, err = process.communicate()
    finally:
        stop(process)
    if process.returncode != 0:
        raise failed("fast-import", process.returncode, err)
    oid = decode(out).strip()
    if len(oid) != len(parent):
        raise GitError("git fast-import did not say what it wrote", remedy="git --version   # 2.31 or newer is needed")
    return oid


def _stream(parent: str, people: bytes, commits: Iterable[NewCommit]) -> Iterator[bytes]:
    before, mark = encode(parent), 0
    for mark, commit in enumerate(commits, start=1):
        # `merge` without `from` begins with no files, so that no tree is ever read. Source: git-fast-import(1).
        yield b"reset %s\ncommit %s\nmark :%d\n%sdata %d\n%s\nmerge %s\n" % (
            SCRATCH, SCRATCH, mark, people, len(commit.message), commit.message, before,
        )  # fmt: skip
        yield from (b"merge %s\n" % encode(other) for other in commit.others)
        yield b"deleteall\n\n" if commit.tree is None else b'M 040000 %s ""\n\n' % encode(commit.tree)
        before = b":%d" % mark
    yield b"get-mark :%d\nreset %s\n\ndone\n" % (mark, SCRATCH)


def identity(quarantine: Quarantine, name: str) -> bytes:
    """Who git says is working here, with the time: `GIT_AUTHOR_IDENT` or `GIT_COMMITTER_IDENT`. Raises: UsageError."""
    process = quarantine.git.run("var", name, accept=(0, 1, 128))
    if process.returncode != 0:
        raise UsageError(
            "git does not know who you are",
            remedy='git config user.name "Your Name" && git config user.email you@example.com',
        )
    return process.stdout.strip()
