"""Directories as sources of backups: the suite of all engines, and what only a file system can do wrong."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rollback_guard.backup.engines.directory import Directory
from rollback_guard.backup.source import Source
from tests.backup.contract import Contract


def source(text: str | Path, folder: str = "/") -> Source:
    """A source as the policy's words give it."""
    return Source(str(text), str(text), dict(os.environ), folder)


def made_state(folder: Path) -> Path:
    """A folder with a few files, in a folder of its own."""
    path = folder / "production" / "state"
    (path / "inner").mkdir(parents=True)
    (path / "inner" / "file").write_text("content")
    (path / "other").write_text("more")
    return path


class FolderBench:
    """A folder with something of everything."""

    mutations = (
        "a byte",
        "a byte, and the time as before",
        "a mode",
        "a mode of a folder",
        "a target of a link",
        "a hard link that is a copy now",
        "a file that is missing",
        "a file that is new",
        "an empty folder that is missing",
        "a file that is a link to its copy now",
        "names exchanged",
        "an attribute",
        "a setuid bit",
    )

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "a" / "empty").mkdir(parents=True)
        (path / "a" / "text").write_text("words")
        (path / "a" / "other").write_text("worms")
        (path / "a" / "nothing").write_text("")
        (path / "hard").hardlink_to(path / "a" / "text")
        (path / "link").symlink_to("a/text")
        (path / "away").symlink_to("/etc/passwd")
        (path / "nowhere").symlink_to(os.fsdecode(b"no\xffwhere"))
        (path / "new\nline").write_bytes(bytes(range(256)))
        (path / os.fsdecode(b"\xff\xfe")).write_text("not UTF-8")
        (path / "ünï").mkdir(0o555)
        with open(path / "sparse", "wb") as file:
            file.truncate(4_000_000)
            file.seek(2_000_000)
            file.write(b"x" * 300_000)
        program = path / "program"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o4755)
        os.setxattr(program, "user.guard", b"\x00\xff=\n")

    def engine(self) -> Directory:
        """The engine on the folder."""
        return Directory(source(self.path))

    def mutate(self, name: str) -> None:
        """Change one thing."""
        text, other = self.path / "a" / "text", self.path / "a" / "other"
        if name == "a byte, and the time as before":
            before = text.stat()
            text.write_text("WORDS")
            os.utime(text, ns=(before.st_atime_ns, before.st_mtime_ns))
            return
        copy, hard, link = (self.path / one for one in ("copy", "hard", "link"))
        steps: dict[str, tuple[Callable[[], object], ...]] = {
            "a byte": (lambda: text.write_text("wordt"),),
            "a mode": (lambda: text.chmod(0o600),),
            "a mode of a folder": (lambda: (self.path / "a").chmod(0o700),),
            "a target of a link": (link.unlink, lambda: link.symlink_to("a/other")),
            "a hard link that is a copy now": (
                hard.unlink,
                lambda: hard.write_bytes(text.read_bytes()),
                lambda: hard.chmod(0o600),
            ),
            "a file that is missing": ((self.path / "new\nline").unlink,),
            "a file that is new": (lambda: (self.path / "new").write_text(""),),
            "an empty folder that is missing": ((self.path / "a" / "empty").rmdir,),
            "a file that is a link to its copy now": (
                lambda: other.rename(copy),
                lambda: other.symlink_to("../copy"),
            ),
            "names exchanged": (
                lambda: text.rename(self.path / "x"),
                lambda: copy.rename(text),
                lambda: (self.path / "x").rename(copy),
            ),
            "an attribute": (lambda: os.setxattr(self.path / "program", "user.guard", b"\x00\xff=\r"),),
            "a setuid bit": (lambda: (self.path / "program").chmod(0o755),),
        }
        for step in steps[name]:
            step()

    def write(self) -> None:
        """Add a file, change one, remove one."""
        (self.path / "a" / "meanwhile").write_text(f"{len(list(self.path.iterdir()))}")
        (self.path / "a" / "text").write_text("others write")
        (self.path / "hard").unlink(missing_ok=True)

    def odd_session(self) -> None:
        """Touch times, and set what decides how new files look."""
        os.utime(self.path / "a" / "text")
        os.umask(os.umask(0o077))


class TestContract(Contract):
    """What all engines do."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> FolderBench:
        """A bench in a folder of its own."""
        return FolderBench(tmp_path / "production" / "state")
