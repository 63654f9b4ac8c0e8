"""Filters that git runs when it writes files (git-lfs, for one): whether those of the files that come would fail.

Source: gitattributes(5), `filter`. Only a filter that is `required` can fail; what others refuse is written as it is.
"""

from __future__ import annotations

import os

from rollback_guard.git.complaint import first_lines
from rollback_guard.git.listing import changed_between
from rollback_guard.git.process import decode, encode
from rollback_guard.git.repository import Repository, read_config
from rollback_guard.git.scratch import private_folder

_TRUE = frozenset({"true", "yes", "on", "1", ""})


def failing_filter(repository: Repository, old: str, new: str) -> str:
    """What git says when it writes the files that `new` has and `old` has not, into a folder aside; "" if it can.

    Only files with a required filter are tried. Where `new` has other attributes than the work tree, it is these that
    choose the files, and those of the work tree that are used.
    """
    drivers = _required(repository)
    if not drivers:
        return ""
    with private_folder() as folder:
        git = repository.git.with_env(GIT_INDEX_FILE=os.path.join(folder, "index"))
        changes = changed_between(git, f"{old}^{{tree}}", f"{new}^{{tree}}")
        coming = [one.path for one in changes if one.new is not None and one.new.plain]
        git.run("read-tree", new)
        asked = git.run("check-attr", "--cached", "-z", "--stdin", "filter", stdin=_joined(coming))
        fields = decode(asked.stdout).split("\0")
        filtered = [path for path, value in zip(fields[0::3], fields[2::3], strict=False) if value in drivers]
        if not filtered:
            return ""
        process = git.run(
            *("checkout-index", f"--prefix={folder}/files/", "-z", "--stdin"),
            stdin=_joined(filtered),
            accept=(0, 1, 128),
        )
        return "" if process.returncode == 0 else first_lines(process.stderr) or "a filter failed"


def _required(repository: Repository) -> frozenset[str]:
    """The names of filters that write files and must not fail."""
    config = read_config(repository, r"^filter\..*\.(smudge|process|required)$")
    names = {key[len("filter.") :].rpartition(".")[0] for key in config if not key.endswith(".required")}
    return frozenset(name for name in names if config.get(f"filter.{name}.required", ["no"])[-1].lower() in _TRUE)


def _joined(paths: list[str]) -> bytes:
    return encode("".join(f"{path}\0" for path in paths))
