"""The runner: what it keeps out, what it says when git fails, and that it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from rollback_guard.errors import GitError, UndeterminedError, UsageError
from rollback_guard.git import process
from rollback_guard.git.process import Git, decode, encode, read_version, require_version, scrubbed, stop
from rollback_guard.git.streams import feed, split_stream


def script(folder: Path, body: str) -> Git:
    """A program that stands in for git."""
    path = folder / "fake-git"
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(0o755)
    return Git(cwd=str(folder), env=dict(os.environ), program=str(path))


def children() -> list[str]:
    """Our child processes, dead and waiting ones included."""
    out = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True).stdout
    return [line for line in out.splitlines() if not line.rstrip().endswith(" ps")]


def test_only_harmless_variables_of_git_are_kept() -> None:
    environ = {
        "PATH": "/bin",
        "LANG": "de_DE.UTF-8",
        "LC_ALL": "fr_FR.UTF-8",
        "LANGUAGE": "de",
        "GIT_DIR": "/evil",
        "GIT_INDEX_FILE": "/evil",
        "GIT_OBJECT_DIRECTORY": "/evil",
        "GIT_CONFIG_PARAMETERS": "'core.fsmonitor=evil'",
        "GIT_CONFIG_COUNT": "1",
        "GIT_EXTERNAL_DIFF": "evil",
        "GIT_PAGER": "evil",
        "GIT_TRACE": "1",
        "GIT_REPLACE_REF_BASE": "refs/evil",
        "GIT_SHALLOW_FILE": "/evil",
        "GIT_SSH_COMMAND": "ssh -x",
        "GIT_CONFIG_GLOBAL": "/mine",
    }
    kept = scrubbed(environ)
    assert {name for name in kept if name.startswith("GIT_")} == {
        "GIT_SSH_COMMAND",
        "GIT_CONFIG_GLOBAL",
        *(name for name in process.FIXED if name.startswith("GIT_")),
    }
    assert (kept["LC_ALL"], kept["LANGUAGE"], kept["PATH"]) == ("C", "", "/bin")
    hook = scrubbed(environ, hook=True)
    assert (hook["GIT_DIR"], hook["GIT_OBJECT_DIRECTORY"]) == ("/evil", "/evil")
    assert "GIT_CONFIG_COUNT" not in hook


def test_the_command_names_its_repository() -> None:
    git = Git(cwd="/", env={"A": "1"}, git_dir="/x/.git", work_tree="/x", program="/bin/git")
    command = git.command(["log"], config=("-c", "a.b=c"))
    assert command[:3] == ["/bin/git", "--git-dir=/x/.git", "--work-tree=/x"]
    assert command[-3:] == ["-c", "a.b=c", "log"]
    more = git.with_env(B="2")
    assert (more.env, more.git_dir, more.work_tree, more.cwd, more.program) == (
        {"A": "1", "B": "2"},
        "/x/.git",
        "/x",
        "/",
        "/bin/git",
    )
    assert git.env == {"A": "1"}


def test_git_that_is_missing(tmp_path: Path) -> None:
    git = Git(cwd=str(tmp_path), env=dict(os.environ), program="no-such-git")
    with pytest.raises(UsageError, match="not installed, or not on the PATH") as raised:
        git.run("version")
    assert "install git" in raised.value.remedy


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    git = Git(cwd=str(tmp_path / "gone"), env=dict(os.environ))
    with pytest.raises(UsageError, match="gone does not exist"):
        git.run("version")


def test_git_that_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "git").write_text("")
    git = Git(cwd=str(tmp_path), env=dict(os.environ), program=str(tmp_path / "git"))
    with pytest.raises(GitError, match="could not be started: Permission denied"):
        git.run("version")


def test_a_failure_says_the_last_line_and_keeps_the_rest(tmp_path: Path) -> None:
    git = script(tmp_path, 'echo "warning: x" >&2; printf "fatal: bad \\377" >&2; exit 3')
    with pytest.raises(GitError) as raised:
        git.run("log")
    assert raised.value.message == "git log failed: fatal: bad \udcff"
    assert raised.value.status == 3
    assert raised.value.stderr == "warning: x\nfatal: bad \udcff"
    assert git.run("log", accept=(0, 3)).returncode == 3
    with pytest.raises(GitError, match="git log failed: fatal: this"):
        script(tmp_path, 'echo "error: x\nfatal: this\nuse that" >&2; exit 1').run("log")
    with pytest.raises(GitError, match="git log failed: exit status 5"):
        script(tmp_path, "exit 5").run("log")


def test_input_and_text(tmp_path: Path) -> None:
    git = script(tmp_path, "cat; echo")
    assert git.text("x", stdin=b"a\xe9") == "a\udce9"
    assert git.text("x") == ""


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    git = script(tmp_path, "exec cat /dev/zero >/dev/null")
    before = children()
    with pytest.raises(GitError, match="git gc took longer than 0 seconds"):
        git.run("gc", timeout=0.05)
    assert children() == before


def test_what_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE", 0.05)
    started = script(tmp_path, "trap '' TERM; echo ready; while :; do :; done").start("gc")
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"
    stop(started)
    assert started.returncode == -signal.SIGKILL


def test_an_interrupted_run_reaps_its_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = script(tmp_path, "exec cat /dev/zero >/dev/null")
    before = children()

    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(subprocess.Popen, "communicate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            git.run("gc")
    assert children() == before


def test_interrupted_reading_reaps_the_process(tmp_path: Path) -> None:
    git = script(tmp_path, "exec cat /dev/zero")
    before = children()
    pieces = git.chunks("log", size=10)
    assert len(next(pieces)) <= 10
    assert children() != before
    with pytest.raises(KeyboardInterrupt):
        pieces.throw(KeyboardInterrupt)  # type: ignore[attr-defined]
    assert children() == before


def test_ending_a_process_that_reads_no_more(tmp_path: Path) -> None:
    started = script(tmp_path, "exec <&-; echo closed; exec cat /dev/zero >/dev/null").start("x", stdin=subprocess.PIPE)
    assert started.stdout is not None
    assert started.stdin is not None
    assert started.stdout.readline() == b"closed\n"
    started.stdin.write(b"never read")
    stop(started)
    assert started.returncode == -signal.SIGTERM


@pytest.mark.parametrize("size", [0, 10, 100_000])
def test_pieces_come_whole_whatever_the_input_is(size: int, tmp_path: Path) -> None:
    assert b"".join(script(tmp_path, "cat").chunks("x", stdin=b"x" * size)) == b"x" * size


def test_a_flood_of_warnings_blocks_nothing(tmp_path: Path) -> None:
    git = script(tmp_path, "head -c 3000000 /dev/zero >&2; echo done")
    assert b"".join(git.chunks("x")) == b"done\n"


def test_a_stream_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="git log failed: fatal: because"):
        list(script(tmp_path, 'echo some; echo "fatal: because" >&2; exit 128').chunks("log"))
    once = script(tmp_path, f"[ -e {tmp_path}/second ] || {{ touch {tmp_path}/second; exit 9; }}")
    with pytest.raises(GitError, match="git log failed: exit status 9"):
        list(once.chunks("log"))


def test_a_stream_that_cannot_start_leaves_nothing_open(tmp_path: Path) -> None:
    opened = len(os.listdir("/proc/self/fd"))
    with pytest.raises(UsageError):
        list(Git(cwd=str(tmp_path), env={}, program="no-such-git").chunks("log", stdin=b"x"))
    assert len(os.listdir("/proc/self/fd")) == opened


def test_no_temporary_file_for_large_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(GitError, match="no temporary file could be written") as raised:
        feed(b"x" * 10_000)
    assert "TMPDIR" in raised.value.remedy


@pytest.mark.parametrize(
    ("pieces", "parts"),
    [
        ([], []),
        ([b"a"], [[b"a"]]),
        ([b"a\0"], [[b"a"]]),
        ([b"a\0b\0c"], [[b"a", b"b"], [b"c"]]),
        ([b"a", b"b\0", b"\0", b"c"], [[b"ab"], [b""], [b"c"]]),
        ([b"\0\0"], [[b"", b""]]),
    ],
)
def test_a_stream_is_cut_at_its_separators(pieces: list[bytes], parts: list[list[bytes]]) -> None:
    assert list(split_stream(pieces, b"\0")) == parts


def test_bytes_survive_as_text() -> None:
    raw = bytes(range(256))
    assert encode(decode(raw)) == raw


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("git version 2.39.5", (2, 39, 5)),
        ("git version 2.39.5 (Apple Git-154)", (2, 39, 5)),
        ("git version 2.45.0.windows.1", (2, 45, 0)),
        ("git version 2.50.GIT", (2, 50)),
        ("git version 2x", (0,)),
        ("no git at all", (0,)),
    ],
)
def test_versions(said: str, version: tuple[int, ...]) -> None:
    assert read_version(said) == version


def test_a_version_that_is_wanted() -> None:
    require_version((2, 31), (2, 31), "to run")
    require_version((3, 0), (2, 31), "to run")
    with pytest.raises(UndeterminedError, match=r"git 2\.30\.9 is too old to run: 2\.31 or newer is needed"):
        require_version((2, 30, 9), (2, 31), "to run")
