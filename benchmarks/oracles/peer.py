"""git's own `git revert`, run in a real work tree: what the guard's answer is compared with.

The work tree is that of a throwaway clone, which borrows the objects of the repository that is looked at; nothing is
written there. Which commits are reverted is left to `replay`.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from typing import NamedTuple, Optional

SETTINGS = {
    "gc.auto": "0",
    "core.hooksPath": os.devnull,
    "advice.detachedHead": "false",
    "commit.gpgSign": "false",
}
LACKING = 50  # times that a checkout is tried again without the files that a snapshot lacks
ABSENT = re.compile(rb"unable to read sha1 file of (.+) \([0-9a-f]{40,64}\)")
REPORTED = 300  # bytes of what git said that are kept


class Found(NamedTuple):
    """What undoing one commit gave. `kind`: "clean", "nothing" (left to undo), "conflict", "refused" or "failed"."""

    kind: str
    tree: Optional[str] = None  # of a clean one, and where nothing was left
    paths: tuple[bytes, ...] = ()  # in conflict, sorted
    said: str = ""


class Peer:
    """A clone of a repository in `folder`, and git in it. `program` is the git that is run."""

    def __init__(self, source: str, folder: str, env: Mapping[str, str], program: str = "git") -> None:
        self.folder, self.env, self.program = folder, dict(env), program
        self.absent: set[bytes] = set()  # paths of which the snapshot lacks some content
        self._call("clone", "-q", "--shared", "--no-checkout", "--no-recurse-submodules", source, folder, cwd="/")
        for key, value in SETTINGS.items():
            self.git("config", key, value)

    def _call(self, *args: str, cwd: str) -> bytes:
        command = [self.program, *args]
        return subprocess.run(command, cwd=cwd, env=self.env, check=True, capture_output=True).stdout

    def git(self, *args: str) -> bytes:
        """Run git in the clone; what it prints. Raises: subprocess.CalledProcessError."""
        return self._call(*args, cwd=self.folder)

    def text(self, *args: str) -> str:
        """The same as text without the end of the line."""
        return self.git(*args).decode("utf-8", "surrogateescape").rstrip("\n")

    def stand_at(self, commit: str) -> None:
        """Have a commit checked out, detached, and nothing else in the work tree.

        A snapshot may lack the content of large files. Their paths are left out of the work tree, as a sparse
        checkout does it; the index has them. Raises: subprocess.CalledProcessError.
        """
        for _ in range(LACKING):
            command = [self.program, "checkout", "-q", "--force", "--detach", commit]
            done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True)
            absent = ABSENT.findall(done.stderr)
            if not absent:
                done.check_returncode()
                break
            self._leave_out(absent)
        self.git("clean", "-ffdxq")

    def _leave_out(self, paths: list[bytes]) -> None:
        for path in paths:
            if path in self.absent:
                raise subprocess.CalledProcessError(1, "git checkout", stderr=b"an object is absent: " + path)
            self.absent.add(path)
        escaped = [re.sub(rb"([*?\[\\])", rb"\\\1", path) for path in sorted(self.absent)]
        with open(os.path.join(self.folder, ".git", "info", "sparse-checkout"), "wb") as file:
            file.write(b"/*\n" + b"".join(b"!/%s\n" % path for path in escaped))
        self.git("config", "core.sparseCheckout", "true")
        self.git("read-tree", "--empty")

    def revert(self, onto: str, commit: str, *, mainline: bool) -> Found:
        """What `git revert` of one commit gives in a work tree where `onto` is checked out."""
        args = [*(["-m", "1"] if mainline else []), commit]
        try:
            self.stand_at(onto)
            before = self.text("rev-parse", "HEAD^{tree}")
            done = self._try("revert", "--no-edit", *args)
            tree = ""
            if done.returncode == 0:
                tree = self.text("rev-parse", "HEAD^{tree}")
            elif self.absent and b"git write-tree failed to write a tree" in done.stderr and not self.unmerged():
                # git merged, and then makes no commit of a tree of which the snapshot lacks a file.
                tree = self.text("write-tree", "--missing-ok")
            if tree:
                return Found("nothing" if tree == before else "clean", tree=tree)
            return self._unfinished(done, before)
        except subprocess.CalledProcessError as error:
            return Found("failed", said=_tail(error.stderr))

    def _unfinished(self, done: subprocess.CompletedProcess[bytes], before: str) -> Found:
        paths = self.unmerged()
        if paths:
            return Found("conflict", paths=paths)
        # Where nothing is left to undo, git has no commit to make, and says that by its exit code.
        if done.returncode == 1 and self.text("write-tree", "--missing-ok") == before:
            return Found("nothing", tree=before)
        return Found("failed", said=_tail(done.stderr))

    def has(self, commit: str, ancestor: str) -> bool:
        """Whether a commit has another one in its history, or is it. Raises: subprocess.CalledProcessError."""
        done = self._try("merge-base", "--is-ancestor", ancestor, commit)
        if done.returncode not in (0, 1):
            done.check_returncode()
        return done.returncode == 0

    def unmerged(self) -> tuple[bytes, ...]:
        """The paths in conflict, sorted."""
        entries = self.git("ls-files", "-z", "--unmerged").split(b"\0")[:-1]
        return tuple(sorted({entry.partition(b"\t")[2] for entry in entries}))

    def _try(self, *args: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([self.program, *args], cwd=self.folder, env=self.env, capture_output=True)


def _tail(said: bytes) -> str:
    return " ".join(said[-REPORTED:].decode("utf-8", "replace").split())
