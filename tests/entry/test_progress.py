"""The line that says how far a command has come: on a terminal only, never in the way of the result."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.entry import progress as progress_module
from rollback_guard.entry.cli import audit as audit_module
from rollback_guard.entry.cli.main import main
from rollback_guard.entry.judge_history import LandedVerdict, iter_audit
from rollback_guard.entry.progress import ERASE, Progress, ProofLine, count_commits, wants_progress
from tests.cli.test_explain import landed
from tests.release.stories import opened
from tests.support.builder import shop
from tests.support.commands import guard


class Terminal(io.StringIO):
    """A terminal that tells when something was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person without patience, at a terminal."""
    monkeypatch.setattr(progress_module, "PATIENCE", 0)
    monkeypatch.setattr(progress_module, "PACE", 0.001)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_it_is_for_terminals_that_somebody_looks_at(monkeypatch: pytest.MonkeyPatch, at_once: None) -> None:
    assert wants_progress(Terminal())
    assert not wants_progress(io.StringIO())
    assert not wants_progress(None)
    closed = Terminal()
    closed.close()
    assert not wants_progress(closed)
    for name, value in (("CI", "true"), ("TERM", "dumb")):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            assert not wants_progress(Terminal())


def test_the_line_counts_and_is_gone_at_the_end(at_once: None) -> None:
    terminal = Terminal()
    asked: list[int] = []
    with Progress("judging", lambda: asked.append(1) or 5000, stream=terminal) as progress:  # type: ignore[func-returns-value]
        assert terminal.written.wait(20)
        with progress.away(io.StringIO()):
            assert not terminal.getvalue().endswith(ERASE)
        with progress.away(terminal):
            assert terminal.getvalue().endswith(ERASE)
            before = terminal.getvalue()
        terminal.written.clear()
        assert terminal.written.wait(20)
        assert terminal.getvalue() != before
    assert terminal.getvalue().startswith(f"{ERASE}guard: judging 5,000 commits, 0 s")
    assert terminal.getvalue().endswith(ERASE)
    assert asked == [1]


@pytest.mark.parametrize(
    ("total", "done", "line"),
    [
        (5000, 0, "guard: judging 5,000 commits, 4 s"),
        (5000, 1200, "guard: judging 1,200 of 5,000 commits, 300 a second"),
        (0, 1200, "guard: judging 1,200 commits, 300 a second"),
        (0, 0, "guard: judging commits, 4 s"),
    ],
)
def test_words_of_the_line(total: int, done: int, line: str) -> None:
    progress = Progress("judging", lambda: total, stream=Terminal())
    for _ in range(done):
        progress.advance()
    progress.draw()
    assert progress.line(4.0) == line


@pytest.mark.parametrize("quiet", [True, False])
def test_nothing_where_nobody_looks(quiet: bool, at_once: None) -> None:
    stream = Terminal() if quiet else io.StringIO()
    with Progress("judging", lambda: 1, stream=stream, quiet=quiet) as progress, progress.away(stream):
        pass
    assert stream.getvalue() == ""


def test_what_fails_for_the_line_stops_nothing(at_once: None) -> None:
    asked = threading.Event()

    def fail() -> int:
        asked.set()
        raise OSError("no git")

    with Progress("judging", fail, stream=Terminal()):
        assert asked.wait(20)

    class Full(Terminal):
        def write(self, text: str) -> int:
            self.written.set()
            raise OSError(28, "No space left on device")

    full = Full()
    with Progress("judging", lambda: 1, stream=full):
        assert full.written.wait(20)


def test_a_commit_is_counted_once(path_of_repo: Path) -> None:
    repo = landed(path_of_repo)
    where = opened(repo)
    assert count_commits(where, repo.head("main"), None) == 6
    assert count_commits(where, repo.head("main"), None, "--first-parent") == 3
    assert count_commits(where, repo.head("main"), repo.head("main~1"), "--first-parent") == 1
    assert count_commits(where, "0" * 40, None) == 0


@pytest.mark.parametrize(("layout", "shown"), [("text", True), ("json", False)])
def test_an_audit_on_a_terminal(
    layout: str, shown: bool, path_of_repo: Path, monkeypatch: pytest.MonkeyPatch, at_once: None
) -> None:
    """The lines of the result are whole; a document that is shown there itself is left alone."""
    repo = landed(path_of_repo)
    terminal = Terminal()

    def slow(*args: Any, **more: Any) -> Iterator[LandedVerdict]:
        for one in iter_audit(*args, **more):
            assert not shown or terminal.written.wait(20)
            yield one

    monkeypatch.setattr(audit_module, "iter_audit", slow)
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(repo.path)
    assert main(["audit", "main", "--format", layout]) == 1
    text = terminal.getvalue()
    assert (ERASE in text) == ("guard: judging 3 commits" in text) == shown
    if shown:
        left = [line.rpartition(ERASE)[2] for line in text.split("\n")]
        assert [line.split("  ")[0] for line in left if line and not line.startswith(" ")] == ["DENIED", "DENIED"]


def test_a_check_that_nobody_watches_is_silent(path_of_repo: Path, at_once: None) -> None:
    repo = shop(path_of_repo)
    assert guard(repo.path, "check", "--into", "main").err == ""


def test_how_far_a_proof_has_come(at_once: None) -> None:
    stream = Terminal()
    with ProofLine(stream=stream) as line:
        assert line.line(3.2) == "guard: proving, 3 s"
        line.tell("shop-db", "restored")
        stream.written.clear()
        assert stream.written.wait(20)
    assert "guard: proving shop-db, as far as restored, 0 s" in stream.getvalue()
    assert stream.getvalue().endswith(ERASE)
