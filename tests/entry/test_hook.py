"""What every hook does besides judging: usage, crashes, interruption, streams that are closed, hooks of others."""

from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rollback_guard.entry import crash, exit_codes, hook, hook_commit, wiring
from rollback_guard.errors import (
    GitError,
    GuardError,
    PolicyError,
    RefusedError,
    UndeterminedError,
    UsageError,
)
from rollback_guard.facts.commit import MESSAGE_LIMIT
from rollback_guard.gate.verdict import Verdict
from tests.support.builder import POLICY, RepositoryBuilder, shop
from tests.support.commands import Said, call_hook

pytestmark = pytest.mark.measured

HOOK = (sys.executable, "-c", "from rollback_guard.entry.hook import run; run()")


@pytest.fixture
def on_main(path_of_repo: Path) -> RepositoryBuilder:
    repo = shop(path_of_repo)
    repo.checkout("main")
    return repo


def test_help_and_wrong_usage(tmp_path: Path) -> None:
    for args, code in ((("--help",), 0), (("-h",), 0), ((), 2), (("post-commit",), 2), (("--self",), 2)):
        said = call_hook(tmp_path, *args)
        assert (said.code, said.out) == (code, "")
        assert said.err.startswith("usage: guard-hook STAGE")
        assert all(stage in said.err for stage in hook.STAGES)


def test_arguments_come_from_the_command_line(on_main: RepositoryBuilder) -> None:
    done = subprocess.run([*HOOK, "pre-commit"], cwd=on_main.path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "RG101" in done.stderr


@pytest.mark.parametrize("stage", ["commit-msg", "prepare-commit-msg"])
def test_stage_without_the_path_that_git_gives(stage: str, on_main: RepositoryBuilder) -> None:
    said = call_hook(on_main.path, stage)
    assert said.code == 2
    assert "needs the path" in said.err


def test_message_that_cannot_be_read(on_main: RepositoryBuilder) -> None:
    assert "cannot be read" in call_hook(on_main.path, "commit-msg", "gone").err
    on_main.git("merge", "-q", "--no-ff", "--no-commit", "release/1.4")
    said = call_hook(on_main.path, "prepare-commit-msg", "gone", "merge")
    assert said.code == 2
    assert "cannot be read" in said.err
    (on_main.path / "huge").write_bytes(b"x" * (MESSAGE_LIMIT + 1))
    said = call_hook(on_main.path, "commit-msg", "huge")
    assert said.code == 2
    assert "write a shorter one" in said.err


def test_message_is_only_prepared_for_a_merge_into_production(on_main: RepositoryBuilder) -> None:
    message = on_main.path / "message"
    for branch, args in (("main", ()), ("main", ("commit",)), ("main", ("squash",)), ("release/1.4", ("merge",))):
        on_main.checkout(branch)
        message.write_text("Merge")
        assert call_hook(on_main.path, "prepare-commit-msg", "message", *args) == Said(0, "", "")
        assert message.read_text() == "Merge"


def test_broken_policy_does_not_stop_the_message_from_being_prepared(path_of_repo: Path) -> None:
    repo = shop(path_of_repo, policy="version = 7\n")
    (repo.path / "message").write_text("More")
    assert call_hook(repo.path, "prepare-commit-msg", "message").code == 0
    assert call_hook(repo.path, "commit-msg", "message").code == 2


@pytest.mark.parametrize(
    ("text", "code"), [(POLICY, 0), (POLICY.replace("into", "intoo"), 2), ("version = 1", 2), (None, 2)]
)
def test_policy_stage(text: str | None, code: int, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "rollback-guard.toml").write_text(text)
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    for args in ((), ("rollback-guard.toml",)):
        said = call_hook(tmp_path, "policy", *args)
        assert said.code == code
        assert bool(said.err) == bool(code)
    if code == 0:
        assert call_hook(tmp_path, "policy", "rollback-guard.toml", "sub/pyproject.toml").code == 0


def test_crash_in_a_hook(on_main: RepositoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> int:
        token = "hunter2"
        raise ZeroDivisionError(token)

    monkeypatch.setattr(hook_commit, "decide_commit", fail)
    args = ("--self", "/home/hunter2/hook", "pre-commit", "hunter2", "--url=hunter2", "-hunter2", "--hunter2 x")
    said = call_hook(on_main.path, *args, environ={"TMPDIR": str(tmp_path), "SECRET": "hunter2"})
    assert (said.code, said.out) == (3, "")
    assert "nothing was allowed" in said.err
    (report,) = tmp_path.glob("rollback-guard-crash-*")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text()
    assert "hunter2" not in text
    assert "command: pre-commit --url\n" in text
    assert "error: ZeroDivisionError" in text


def test_report_of_a_crash_goes_to_tmp_when_nothing_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "")
    said = crash.record_crash(ValueError("hunter2"), ["check", "x" * 31, "--" + "y" * 31])
    path = Path(said.split("report: ")[1].splitlines()[0])
    try:
        assert path.parent == Path("/tmp")
        assert "command: check\n" in path.read_text()
    finally:
        path.unlink()


def test_interrupted(on_main: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(hook_commit, "decide_commit", interrupted)
    assert call_hook(on_main.path, "pre-commit") == Said(130, "", "interrupted; nothing was allowed\n")


def test_sigint_from_outside(on_main: RepositoryBuilder) -> None:
    """While the hook waits for git's input."""
    process = subprocess.Popen(
        [*HOOK, "pre-receive"], cwd=on_main.path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    children = Path(f"/proc/{process.pid}/wchan")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and children.exists() and "pipe" not in children.read_text():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err


@pytest.mark.parametrize("stream", [None, "closed", "full"])
def test_exit_code_stands_when_stderr_does_not(
    stream: str | None, on_main: RepositoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    broken = {None: None, "closed": io.StringIO(), "full": Full()}[stream]
    if stream == "closed" and broken is not None:
        broken.close()
    monkeypatch.chdir(on_main.path)
    monkeypatch.setattr(sys, "stderr", broken)
    assert hook.main(["pre-commit"]) == 1
    assert hook.main(["no-such"]) == 2
    assert hook.main(["commit-msg"]) == 2
    if stream == "full":
        wiring.hook_text(Verdict(decision="allow", as_of=0, changes=()), "pre-commit")


def test_hook_of_others_runs_after_ours_and_only_when_ours_allowed(path_of_repo: Path) -> None:
    repo = shop(path_of_repo)
    folder = repo.path / ".git" / "hooks"
    folder.mkdir(exist_ok=True)
    theirs = folder / "pre-push.guarded"
    theirs.write_text(f'#!/bin/sh\ncat > "{repo.path}/got"\necho "$@" >> "{repo.path}/got"\nexit 7\n')
    theirs.chmod(0o755)
    oid, zero = repo.head(), "0" * 40
    own = str(folder / "pre-push")
    line = f"refs/heads/release/1.4 {oid} refs/heads/topic {zero}\n"
    said = call_hook(repo.path, "--self", own, "pre-push", "origin", "url", stdin=line.encode())
    assert said.code == 7
    assert (repo.path / "got").read_text() == f"{line}origin url\n"
    (repo.path / "got").unlink()
    bad = f"refs/heads/release/1.4 {oid} refs/tags/main {zero}\n"
    assert call_hook(repo.path, "--self", own, "pre-push", "origin", "url", stdin=bad.encode()).code == 1
    assert not (repo.path / "got").exists()
    theirs.unlink()
    assert call_hook(repo.path, "--self", own, "pre-push", "origin", "url", stdin=line.encode()).code == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PolicyError("x"), 2),
        (UsageError("x"), 2),
        (RefusedError("x"), 1),
        (UndeterminedError("x"), 4),
        (GitError("x"), 4),
        (GuardError("x"), 2),
    ],
)
def test_exit_code_of_each_family(error: GuardError, code: int) -> None:
    assert exit_codes.of_error(error) == code


def test_exit_code_of_each_decision() -> None:
    assert [exit_codes.of_decision(one) for one in ("allow", "deny", "undetermined")] == [0, 1, 4]


def test_not_a_repository_and_git_missing(tmp_path: Path, on_main: RepositoryBuilder) -> None:
    assert call_hook(tmp_path, "pre-commit", environ={"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}).code == 2
    said = call_hook(on_main.path, "pre-commit", environ={"PATH": ""})
    assert said.code == 2
    assert "git is not installed" in said.err


def test_reports_are_private_whatever_the_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = os.umask(0)
    try:
        crash.record_crash(ValueError(), [])
    finally:
        os.umask(before)
    (report,) = tmp_path.iterdir()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert "command:\n" in report.read_text()


def test_streams_that_fill_up_at_the_end_do_not_change_the_exit_code(on_main: RepositoryBuilder) -> None:
    for streams in ("2>/dev/full", ">/dev/full 2>/dev/full", "2>&-", ">&- 2>&-"):
        script = f'exec "$@" {streams}'
        done = subprocess.run(["sh", "-c", script, "sh", *HOOK, "pre-commit"], cwd=on_main.path)
        assert done.returncode == 1, streams


def test_server_that_is_told_of_nothing(on_main: RepositoryBuilder) -> None:
    said = call_hook(on_main.path, "pre-receive", stdin=b"\n")
    assert said.code == 2
    assert "no ref at all" in said.err
