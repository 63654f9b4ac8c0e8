"""Which gits the contract is tested with, and stories planted through one `git fast-import`.

The newer git is installed by `make .venv/.parts`; `tests.support.requirements` finds it, or skips.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Union

import pytest

from rollback_guard.git.merges import Difference, MergeAgain, Recorded
from rollback_guard.git.repository import Repository, open_repository
from tests.support.requirements import require_newer_git

GITS = ("system", "newer")
FORMATS = ("sha1", "sha256")


def use_git(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the tests' git, and the guard's, the one of that name."""
    if name == "newer":
        newer = require_newer_git()
        monkeypatch.setenv("PATH", os.path.dirname(newer.program) + os.pathsep + os.environ["PATH"])
        for variable, value in newer.env.items():
            monkeypatch.setenv(variable, value)
        said = subprocess.run(["git", "version"], capture_output=True, text=True, check=True).stdout
        assert re.match(r"git version 2\.5\d", said), said


class Link(NamedTuple):
    """A symbolic link in a tree."""

    target: bytes


class Program(NamedTuple):
    """An executable file in a tree."""

    content: bytes


class Submodule(NamedTuple):
    """A submodule in a tree."""

    oid: str


Entry = Union[bytes, Link, Program, Submodule]
Files = Mapping[str, Entry]


class Node(NamedTuple):
    """A commit by what it holds; parents by their number in the story."""

    files: Files
    parents: tuple[int, ...] = ()


def initialise(folder: Path, *options: str) -> Path:
    """A new repository."""
    subprocess.run(["git", "init", "-q", "-b", "main", *options, str(folder)], check=True)
    return folder


def plant(folder: Path, *story: Node) -> list[str]:
    """Write the commits of a story; their oids. No ref is made and no work tree touched."""
    stream = b""
    for number, node in enumerate(story, 1):
        stream += b"reset refs/heads/planted\ncommit refs/heads/planted\nmark :%d\n" % number
        stream += b"committer Jane Doe <jane@acme.example> %d +0000\ndata 0\n" % (1_780_000_000 + number)
        stream += b"".join(
            b"%s :%d\n" % (b"merge" if place else b"from", parent + 1) for place, parent in enumerate(node.parents)
        )
        stream += b"deleteall\n" + b"".join(_entry(path, entry) for path, entry in node.files.items())
    stream += b"reset refs/heads/planted\n\n"
    stream += b"".join(b"get-mark :%d\n" % number for number in range(1, len(story) + 1)) + b"done\n"
    command = ["git", "fast-import", "--quiet", "--done", "--force"]
    done = subprocess.run(command, cwd=folder, input=stream, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().split()


def _entry(path: str, entry: Entry) -> bytes:
    raw = path.encode("utf-8", "surrogateescape")
    quoted = b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    if isinstance(entry, Submodule):
        return b"M 160000 %s %s\n" % (entry.oid.encode(), quoted)
    if isinstance(entry, bytes):
        mode, data = b"100644", entry
    elif isinstance(entry, Link):
        mode, data = b"120000", entry.target
    else:
        mode, data = b"100755", entry.content
    return b"M %s inline %s\ndata %d\n%s\n" % (mode, quoted, len(data), data)


def opened(folder: Path) -> Repository:
    """The repository in a folder, with the environment of the test."""
    return open_repository(str(folder), os.environ)


def trees(repository: Repository, commits: list[str]) -> list[str]:
    """The trees of commits."""
    stdin = "".join(f"{commit}^{{tree}}\n" for commit in commits).encode()
    return repository.git.text("cat-file", "--batch-check=%(objectname)", stdin=stdin).split("\n")


def differences(folder: Path, scratch: Path, ours: str, theirs: str, results: list[str]) -> list[Difference | None]:
    """What merges of the same two parents hold beyond their automatic merge; None where there is nothing to say."""
    repository = opened(folder)
    recorded = [
        Recorded(commit=commit, ours=ours, theirs=theirs, tree=tree)
        for commit, tree in zip(results, trees(repository, results), strict=True)
    ]
    with MergeAgain(repository, str(scratch)) as again:
        found = {one.commit: one for one in again.differences(recorded)}
    assert list(scratch.iterdir()) == []
    return [found.get(commit) for commit in results]
