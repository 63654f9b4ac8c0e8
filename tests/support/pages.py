"""Pages of the documentation that are run: their `console` blocks, command by command, as on somebody's terminal.

What a command says must be what the page shows, but for what differs each time: ids, digests, dates, tags named after
the day, times taken, sizes. Each id stands for one thing all over the page: what it stood for once it stands for again,
also in the commands that are run. `…` alone in a line stands for any lines, at a line's end for the rest of it.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.architecture import ROOT

QUESTION = "[y/N]: "
ENDS_WITH = re.compile(r"# exit (\d+)$")
VARIES = re.compile(
    r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\bstable/\d+\.\d+\.\d+\.\d+|\b[0-9a-f]{7,64}\b"
    r"|\b\d{8}T\d{6}Z-[0-9a-f]{6}\b|\d{8}_\d{6}_[0-9a-f]{4}\b"  # ids of backups and of restores
    r"|\b\d+ of \d+(?= changes told)"
    r"|\b\d+\.\d\d? s\b|\b\d+ (?:d|h|min|s)(?: \d+ (?:h|min|s))?(?= old| ago)|\b\d+(?:\.\d)? (?:bytes|[KMG]iB)\b",
    re.ASCII,
)

GAP = re.compile(" {2,}")


class Command(NamedTuple):
    """One command of a page, with what the page shows for it."""

    line: int
    text: str
    shown: tuple[str, ...]

    @property
    def code(self) -> int:
        """The exit code that the page tells, else 0."""
        told = ENDS_WITH.search(self.text)
        return int(told[1]) if told is not None else 0


class Section(NamedTuple):
    """A heading, and the commands below it."""

    title: str
    commands: tuple[Command, ...]


def sections_of(page: str) -> Iterator[Section]:
    """The parts of a page that have `console` blocks."""
    title, inside = "", False
    found: list[Command] = []
    for number, line in enumerate(page.split("\n"), start=1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            found.append(Command(line=number, text=line[2:], shown=()))
        elif inside:
            found[-1] = found[-1]._replace(shown=(*found[-1].shown, line))
        elif line.startswith("#"):
            if found:
                yield Section(title=title, commands=tuple(found))
            title, found = line.lstrip("# "), []
    if found:
        yield Section(title=title, commands=tuple(found))


class Reader:
    """Somebody who follows a page in one folder, and compares."""

    def __init__(self, folder: Path, env: Mapping[str, str], places: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.places = dict(places or {})  # what stands on the page for what is here: paths
        self.env = {**env, "TERM": "dumb", "GIT_PAGER": "cat", "COLUMNS": "80"}
        self.meant: dict[str, str] = {}  # what varies, as the page has it: as it is

    def follow(self, command: Command) -> list[str]:
        """Run one command; what is wrong with it, in sentences."""
        code, said = self._run(self._as_here(command.text), answer=any(QUESTION in line for line in command.shown))
        wrong = [] if code == command.code else [f"it ends with {code}"]
        if not self._same(command.shown, tuple(said)):
            wrong.append("it says:\n" + "\n".join(said) + "\n, and the page shows:\n" + "\n".join(command.shown))
        return [f"line {command.line}: $ {command.text}: {one}" for one in wrong]

    def _as_here(self, text: str) -> str:
        for shown, here in self.places.items():
            text = text.replace(shown, here)
        return VARIES.sub(lambda match: self._here(match[0]) or match[0], text)

    def _here(self, word: str) -> str | None:
        """What a word of the page stands for by now; an id may be shortened."""
        for mine, theirs in self.meant.items():
            if mine.startswith(word) and (mine == word or "." not in word):
                return theirs[: len(word)] if len(theirs) > len(word) and mine != word else theirs
        return None

    def _same(self, shown: tuple[str, ...], said: tuple[str, ...]) -> bool:
        if not shown or not said:
            return shown == said or set(shown) == {"…"}
        if shown[0] == "…":
            return any(self._same(shown[1:], said[count:]) for count in range(len(said) + 1))
        before = dict(self.meant)
        if self._line(shown[0], said[0]) and self._same(shown[1:], said[1:]):
            return True
        self.meant = before
        return False

    def _line(self, shown: str, said: str) -> bool:
        cut = shown.endswith("…")
        mine, theirs = VARIES.findall(shown), VARIES.findall(said)
        text, other = (GAP.sub("  ", VARIES.sub("\0", line)) for line in (shown, said))  # columns follow what varies
        text = text[:-1] if cut else text
        if not (other.startswith(text) if cut else other == text):
            return False
        return all(self._stands_for(one, another) for one, another in zip(mine, theirs, strict=False))

    def _stands_for(self, mine: str, theirs: str) -> bool:
        if " " in mine or ":" in mine:  # moments and times taken
            return True
        if "/" not in mine and len(mine) != len(theirs) and not (len(mine) < 16 and len(theirs) < 16):
            return False
        known = self._here(mine)
        if known is not None:
            return theirs.startswith(known) or known.startswith(theirs)
        longer = next((one for one in self.meant if "/" not in one and mine.startswith(one)), None)
        if longer is not None and not theirs.startswith(self.meant[longer]):
            return False
        self.meant[mine] = theirs
        return True

    def _run(self, text: str, *, answer: bool) -> tuple[int, list[str]]:
        """On a terminal, with a "y" typed where the page shows the question."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        process = subprocess.Popen(
            ["sh", "-c", text], cwd=self.folder, env=self.env, stdout=theirs, stderr=theirs,
            stdin=theirs if answer else subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        data = b""
        try:
            while piece := os.read(ours, 1 << 16):
                data += piece
                if answer and data.endswith(QUESTION.encode()):
                    os.write(ours, b"y\n")
        except OSError:  # how Linux says that the other end is closed
            pass
        os.close(ours)
        said = data.decode(errors="replace").replace("\r", "").removesuffix("\n")
        for shown, here in self.places.items():
            said = said.replace(here, shown)
        lines = said.split("\n")
        return process.wait(), [line.rstrip() for line in lines] if data else []


def guard_on_path(programs: Path) -> dict[str, str]:
    """An environment in which `guard` is this checkout's, written to a new folder."""
    programs.mkdir()
    code = "from rollback_guard.entry.cli.main import run; run()"
    program = programs / "guard"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(code)} "$@"\n')
    program.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
