"""Objects by name, many of them through one `git cat-file --batch` process."""

from __future__ import annotations

import subprocess
from typing import NamedTuple

from rollback_guard.errors import GitError, GuardError
from rollback_guard.git.process import FETCH_ALL, Git, decode, encode, stop

PARTIAL = r"^(extensions\.partialclone|remote\..*\.promisor)$"  # settings of a clone that lacks objects


class Blob(NamedTuple):
    """An object as it is stored: full oid, type ("blob", "commit", "tree", "tag"), bytes."""

    oid: str
    type: str
    data: bytes


class TooLargeError(GuardError):
    """An object is larger than the reader would take."""

    def __init__(self, name: str, size: int, limit: int) -> None:
        super().__init__(f"{name} has {size:,} bytes; at most {limit:,} are read")
        self.size = size


class ObjectReader:
    """Reads objects by any name that git understands, such as `HEAD:rollback-guard.toml`.

    One process serves all reads; close it, or use it in a `with`.
    """

    def __init__(self, git: Git) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._git = git

    def __enter__(self) -> ObjectReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            stop(self._process)
            self._process = None

    def read(self, name: str, *, limit: int = 1 << 26) -> Blob | None:
        """The object of that name, or None when there is none.

        Raises: TooLargeError above `limit` bytes; GitError when git breaks off.
        """
        if "\n" in name:
            return None
        if self._process is None:
            self._process = self._git.start("cat-file", "--batch", stdin=subprocess.PIPE, quiet=True)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(encode(name) + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass
        header = process.stdout.readline()
        if not header.endswith(b"\n"):
            raise self._broken_off(f"while it looked for {name}")
        words = header[:-1].rsplit(b" ", 2)
        if words[-1] in (b"missing", b"ambiguous") or len(words) < 3 or not words[2].isdigit():
            return None
        size = int(words[2])
        if size > limit:
            self.close()
            raise TooLargeError(name, size, limit)
        data = process.stdout.read(size)
        if process.stdout.read(1) != b"\n" or len(data) != size:
            raise self._broken_off(f"in the middle of {name}")
        return Blob(oid=decode(words[0]), type=decode(words[1]), data=data)

    def _broken_off(self, when: str) -> GitError:
        """Why git ended: in a partial clone it ends when an object is still at the remote and cannot be had."""
        self.close()
        try:
            partial = self._git.run("config", "--get-regexp", PARTIAL, accept=(0, 1)).stdout
        except GuardError:
            partial = b""
        if partial.startswith((b"extensions.", b"remote.")):
            message = f"this is a partial clone, and git could not get what it lacks from the remote {when}"
            return GitError(message, remedy=FETCH_ALL)
        return GitError(f"git cat-file ended {when}", remedy="git fsck")
