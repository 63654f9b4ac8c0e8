"""Conflicts that somebody resolved before, resolved again as git remembers it (`git rerere`), without a work tree.

git's memory is read and not written: what it would note of a conflict that it does not know stays in a scratch
folder. Whether to use it is the caller's to say. Source: git-rerere(1), Documentation/technical/rerere.txt.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from rollback_guard.git.process import Git, decode, encode
from rollback_guard.git.repository import Repository, read_config, remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MEMORY = "rr-cache"
MOST = 20_000  # remembered conflicts that are looked at
MARKERS = (b"<<<<<<< ", b"=======", b">>>>>>> ")


class Conflicted(NamedTuple):
    """One file in conflict: `ours` and `theirs` are mode and oid, `text` has the markers."""

    path: str
    ours: str
    theirs: str
    text: bytes


def remembers(repository: Repository) -> bool:
    """Whether git would look into its memory here: as set, else where there is one already."""
    set_so = read_config(repository, r"^rerere\.enabled$").get("rerere.enabled", [""])[-1]
    there = os.path.isdir(os.path.join(repository.common_dir, MEMORY))
    return there and set_so.lower() not in ("false", "no", "off", "0")


class Memory:
    """A scratch copy of what git remembers, with a work tree of its own. Use it in a `with`."""

    def __init__(self, repository: Repository, git: Git, folder: str) -> None:
        self._git_dir = os.path.join(folder, "rerere.git")
        self._tree = os.path.join(folder, "rerere")
        self._folder = folder
        for path in (os.path.join(self._git_dir, "refs"), os.path.join(self._git_dir, MEMORY), self._tree):
            os.makedirs(path)
        width = 1 if repository.object_format == "sha256" else 0
        extension = f"[extensions]\n\tobjectFormat = {repository.object_format}\n" if width else ""
        config = f"[core]\n\trepositoryFormatVersion = {width}\n\tbare = false\n{extension}[rerere]\n\tenabled = true\n"
        for name, text in (("HEAD", "ref: refs/heads/none\n"), ("config", config)):
            with open(os.path.join(self._git_dir, name), "w", encoding="utf-8") as file:
                file.write(text)
        _copy_memory(os.path.join(repository.common_dir, MEMORY), os.path.join(self._git_dir, MEMORY))
        env = {**git.env, "GIT_INDEX_FILE": os.path.join(self._git_dir, "index")}
        self._git = Git(cwd=self._tree, env=env, git_dir=self._git_dir, work_tree=self._tree, program=git.program)

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *exc: object) -> None:
        remove_tree(self._git_dir)
        remove_tree(self._tree)

    def resolve(self, conflicts: Sequence[Conflicted]) -> dict[str, str]:
        """The oids of the files that git resolves by itself, by path.

        What a conflict is remembered by is its content; its file is given a name of ours, whatever the tree calls it.
        """
        remove_tree(self._tree)
        os.makedirs(self._tree)
        lines = []
        for number, one in enumerate(conflicts):
            with open(os.path.join(self._tree, str(number)), "wb") as file:
                file.write(one.text)
            lines += [f"{one.ours} 2\t{number}\0", f"{one.theirs} 3\t{number}\0"]
        self._git.run("read-tree", "--empty")
        self._git.run("update-index", "-z", "--index-info", stdin=encode("".join(lines)))
        self._git.run("rerere", accept=(0, 1))
        found = {}
        for number, one in enumerate(conflicts):
            with open(os.path.join(self._tree, str(number)), "rb") as file:
                after = file.read()
            if after != one.text and not any(line.startswith(MARKERS) for line in after.split(b"\n")):
                oid = decode(self._git.run("hash-object", "-w", "--no-filters", "--stdin", stdin=after).stdout)
                found[one.path] = oid.strip()
        return found


def _copy_memory(source: str, target: str) -> None:
    """Copy what git remembers; what cannot be read is forgotten."""
    try:
        entries = sorted(os.scandir(source), key=lambda entry: entry.name)[:MOST]
    except OSError:
        return
    for entry in entries:
        if not entry.is_dir(follow_symlinks=False):
            continue
        os.makedirs(os.path.join(target, entry.name), exist_ok=True)
        for name in os.listdir(entry.path):
            if name.partition(".")[0] in ("preimage", "postimage"):
                with open(os.path.join(entry.path, name), "rb") as old:
                    data = old.read()
                with open(os.path.join(target, entry.name, name), "wb") as new:
                    new.write(data)
