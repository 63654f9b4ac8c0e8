"""`guard` itself: what ends a run, and with which exit code."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from rollback_guard.entry import wiring
from rollback_guard.entry.cli import check as check_module
from rollback_guard.entry.cli import main as main_module
from rollback_guard.errors import GuardError
from tests.support.builder import shop
from tests.support.commands import guard

pytestmark = pytest.mark.measured

GUARD = (sys.executable, "-c", "from rollback_guard.entry.cli.main import run; run()")


def test_list_of_commands_and_version(tmp_path: Path) -> None:
    said = guard(tmp_path, "--help")
    assert said.code == 0
    for name, text in main_module.COMMANDS.items():
        assert name in said.out
        assert text[:20] in said.out
    assert guard(tmp_path, "--version").out.startswith("guard, version ")


@pytest.mark.parametrize("name", sorted(main_module.COMMANDS))
def test_every_command_has_help_with_an_example(name: str, tmp_path: Path) -> None:
    said = guard(tmp_path, name, "--help")
    assert said.code == 0
    if name != "policy":
        assert f"guard {name}" in said.out


@pytest.mark.parametrize("args", [("no-such",), ("check", "--no-such"), ("check", "--format", "xml"), ("audit",)])
def test_wrong_usage(args: tuple[str, ...], tmp_path: Path) -> None:
    said = guard(tmp_path, *args)
    assert said.code == 2
    assert "Error" in said.err
    assert said.out == ""


def test_crash_gives_a_private_report_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        password = "hunter2-in-a-variable"
        raise RuntimeError(f"secret {password} in a message")

    monkeypatch.setattr(check_module, "ask", fail)
    repo = shop(tmp_path / "repo")
    env = {"TMPDIR": str(tmp_path), "DATABASE_URL": "postgres://u:hunter2-in-the-environment@h"}
    said = guard(repo.path, "check", "--head", "hunter2-as-a-value", "--repository=https://u:hunter2-url@h/x", **env)
    assert said.code == 3
    (report,) = tmp_path.glob("rollback-guard-crash-*.txt")
    assert str(report) in said.err
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text()
    assert "hunter2" not in text + said.err
    assert "command: check --head --repository\n" in text
    assert "error: RuntimeError" in text
    assert "test_main.py" in text


def test_crash_on_a_machine_where_no_report_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(check_module, "ask", fail)
    said = guard(shop(tmp_path / "repo").path, "check", TMPDIR=str(tmp_path / "gone"))
    assert said.code == 3
    assert "no report could be written" in said.err
    assert "error: KeyError" in said.err
    assert "secret" not in said.err


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), click.Abort()])
def test_interrupted(stop: BaseException, path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object) -> None:
        raise stop

    monkeypatch.setattr(check_module, "ask", interrupted)
    said = guard(shop(path_of_repo).path, "check")
    assert (said.code, said.out) == (130, "")
    assert "interrupted" in said.err


def test_sigint_from_outside(path_of_repo: Path, tmp_path: Path) -> None:
    """A git that hangs, and ^C while guard waits for it."""
    repo = shop(path_of_repo)
    begun = tmp_path / "begun"
    slow = tmp_path / "git"
    slow.write_text(f"#!/bin/sh\ntouch {begun}\nexec sleep 30\n")
    slow.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        [*GUARD, "check"], cwd=repo.path, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    deadline = time.monotonic() + 20
    while not begun.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, b"")
    assert b"interrupted" in err
    assert b"Traceback" not in err


def test_reader_that_stops_early(path_of_repo: Path) -> None:
    """As `guard check --verbose | head -1` does, when head ends before guard writes."""
    repo = shop(path_of_repo)
    read, write = os.pipe()
    process = subprocess.Popen([*GUARD, "check", "--verbose"], cwd=repo.path, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    os.close(read)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == b""


def test_folder_that_is_gone(tmp_path: Path) -> None:
    script = f"import os; os.mkdir('d'); os.chdir('d'); os.rmdir('../d'); {GUARD[2]}"
    done = subprocess.run([sys.executable, "-c", script, "check"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "the present folder is gone" in done.stderr


def test_error_of_no_family_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise GuardError("a \x1b[31mred\x1b[0m message", remedy="do this")

    monkeypatch.setattr(check_module, "ask", fail)
    said = guard(shop(tmp_path / "repo").path, "check")
    assert said.code == 2
    assert "do this" in said.err
    assert "\x1b" not in said.err


def test_colour_width_and_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        encoding: str | None = "UTF-8"

        def __init__(self, tty: bool, columns: int | None = 100) -> None:
            self._tty, self._columns = tty, columns

        def isatty(self) -> bool:
            return self._tty

        def fileno(self) -> int:
            return 1

    def columns(_: int) -> os.terminal_size:
        return os.terminal_size((20, 10))

    def no_terminal(_: int) -> os.terminal_size:
        raise OSError

    screen, pipe = Terminal(True), Terminal(False)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert (wiring.wants_colour(screen), wiring.wants_colour(pipe)) == (True, False)  # type: ignore[arg-type]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert wiring.wants_colour(pipe)  # type: ignore[arg-type]
    monkeypatch.setenv("TERM", "dumb")
    assert not wiring.wants_colour(screen)  # type: ignore[arg-type]
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wiring.wants_colour(screen)  # type: ignore[arg-type]
    monkeypatch.setattr(os, "get_terminal_size", columns)
    assert (wiring.width_of(pipe), wiring.width_of(screen)) == (80, 40)  # type: ignore[arg-type]
    monkeypatch.setattr(os, "get_terminal_size", no_terminal)
    assert wiring.width_of(screen) == 80  # type: ignore[arg-type]
    assert not wiring.plain_letters(screen)  # type: ignore[arg-type]
    screen.encoding = None
    assert wiring.plain_letters(screen)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_text_that_the_terminal_cannot_show(encoding: str, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    repo.git("branch", "-m", "feature/\N{SNOWMAN}")
    env = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run([*GUARD, "check", "--into", "main"], cwd=repo.path, env=env, capture_output=True)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"RG102" in done.stdout
    done.stdout.decode(encoding)


@pytest.mark.parametrize("layout", ["text", "json"])
def test_a_full_disk_is_an_error_and_no_decision(layout: str, path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    with open("/dev/full", "wb") as full:
        command = [*GUARD, "check", "--into", "main", "--format", layout]
        done = subprocess.run(command, cwd=repo.path, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == b"guard: the result could not be written: No space left on device\n"


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-", "2>&-"])
def test_closed_streams_change_no_decision(closed: str, path_of_repo: Path, tmp_path: Path) -> None:
    repo = shop(path_of_repo)
    for command, code in (("check --into main", 0), ("audit main", 1), ("no-such", 2)):
        script = f'exec "$0" -c "$1" {command} {closed}'
        env = {**os.environ, "TMPDIR": str(tmp_path)}
        done = subprocess.run(["sh", "-c", script, sys.executable, GUARD[2]], cwd=repo.path, env=env)
        assert done.returncode == code
    assert not [name for name in os.listdir(tmp_path) if name.startswith("rollback-guard-crash")]
