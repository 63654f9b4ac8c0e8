"""Whatever breaks around a hook: the push must not be taken, and the exit code is one of those documented."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.attacks.conftest import EXIT_CODES, HOOK, Scene, ran
from tests.support.architecture import ROOT

REAL_GIT = shutil.which("git") or "/usr/bin/git"
SUBCOMMANDS = (
    *("rev-parse", "cat-file", "for-each-ref", "log", "merge-base", "merge-tree", "diff-tree", "config"),
    *("symbolic-ref", "version", "show-ref", "rev-list"),
)


def wrapper(folder: Path, subcommand: str, reaction: str) -> str:
    """A `git` that does something else for one subcommand; the folder to put first on PATH."""
    folder.mkdir(exist_ok=True)
    script = folder / "git"
    script.write_text(f'#!/bin/sh\nfor word; do [ "$word" = {subcommand} ] && {reaction}\ndone\nexec {REAL_GIT} "$@"\n')
    script.chmod(0o755)
    return str(folder)


def hook_line(scene: Scene, ref: str = "refs/heads/main", rev: str = "main") -> bytes:
    return f"{scene.on_server('rev-parse', 'main')} {scene.repo.head(rev)} {ref}\n".encode()


def receive(scene: Scene, stdin: bytes, **env: str) -> int:
    """The installed pre-receive, as the server would start it; objects of the clone lent to it."""
    objects = str(scene.repo.path / ".git" / "objects")
    done = ran(
        str(scene.server / "hooks" / "pre-receive"),
        cwd=scene.server, stdin=stdin, GIT_DIR=".", GIT_ALTERNATE_OBJECT_DIRECTORIES=objects, **env,
    )  # fmt: skip
    assert "\x1b" not in done.err
    return done.code


@pytest.fixture
def direct(scene: Scene) -> Scene:
    """main is one direct commit ahead of the server."""
    scene.signed("Direct", app_dot_py="price = 9\n")
    return scene


@pytest.fixture
def evil_merge(scene: Scene) -> Scene:
    """main is one evil merge ahead, so that all of git that the guard uses is used."""
    scene.repo.git("merge", "-q", "--no-commit", "--no-ff", "release/1.4")
    scene.repo.commit("Merge branch 'release/1.4'", app_dot_py="import evil\n")
    return scene


@pytest.mark.parametrize(
    "reaction",
    ["exit 1", "exit 128", "exit 0", "kill -9 $$", "exec echo", "exec head -c 10000 /dev/zero", "exec false"],
    ids=["1", "128", "silent", "killed", "nonsense", "zeros", "false"],
)
@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_git_fails_for_one_subcommand(evil_merge: Scene, tmp_path: Path, subcommand: str, reaction: str) -> None:
    path = wrapper(tmp_path / "bin", subcommand, reaction)
    code = receive(evil_merge, hook_line(evil_merge), PATH=f"{path}:{os.environ['PATH']}")
    assert code in EXIT_CODES
    assert code != 0


@pytest.mark.parametrize("count", range(1, 26, 2))
def test_git_dies_at_the_nth_call(evil_merge: Scene, tmp_path: Path, count: int) -> None:
    counter = tmp_path / "count"
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "git"
    script.write_text(
        f'#!/bin/sh\necho x >> "{counter}"\n[ "$(wc -l < "{counter}")" -eq {count} ] && exit 1\nexec {REAL_GIT} "$@"\n'
    )
    script.chmod(0o755)
    code = receive(evil_merge, hook_line(evil_merge), PATH=f"{folder}:{os.environ['PATH']}")
    assert code in EXIT_CODES
    assert code != 0


def test_git_is_gone(direct: Scene, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    code = receive(direct, hook_line(direct), PATH=str(tmp_path / "bin"))
    assert code in (2, 3, 4)


def test_hook_is_killed(direct: Scene, tmp_path: Path) -> None:
    """git kills nobody; somebody else does: the hook's own process dies by SIGKILL."""
    folder = tmp_path / "bin"
    path = wrapper(folder, "for-each-ref", "kill -9 $PPID")
    before = direct.refs()
    done = direct.push("main", PATH=f"{path}:{os.environ['PATH']}")
    assert done.code != 0
    assert direct.refs() == before


def test_python_is_gone(direct: Scene) -> None:
    hook = direct.server / "hooks" / "pre-receive"
    hook.write_text(hook.read_text().replace(os.path.abspath(__import__("sys").executable), "/nowhere/python3"))
    direct.refused("main", code=3)


@pytest.mark.parametrize("what", ["rollback_guard", "rollback_guard/gate", "rollback_guard/entry/judge.py"])
def test_package_is_gone_or_half_gone(direct: Scene, tmp_path: Path, what: str) -> None:
    shutil.copytree(ROOT / "rollback_guard", tmp_path / "copy" / "rollback_guard")
    hook = direct.server / "hooks" / "pre-receive"
    copied = str(tmp_path / "copy")
    text = hook.read_text().replace(f"{ROOT}/rollback_guard", f"{copied}/rollback_guard")
    hook.write_text(
        text.replace(f"['{ROOT}'", f"['{copied}'").replace(f"'\"'\"'{ROOT}'\"'\"'", f"'\"'\"'{copied}'\"'\"'")
    )
    direct.refused("main", rules=("RG101",))
    gone = tmp_path / "copy" / what
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    before = direct.refs()
    done, said = direct.push_traced("main")
    assert done.code != 0
    assert direct.refs() == before
    assert said in (1, 2, 3)


@pytest.mark.parametrize("stage", ["pre-receive", "pre-push", "pre-commit"])
def test_shared_hook_without_python(direct: Scene, tmp_path: Path, stage: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").symlink_to(REAL_GIT)
    code = ran(str(ROOT / "hooks" / stage), cwd=direct.repo.path, PATH=str(folder)).code
    assert code in EXIT_CODES
    assert code != 0


@pytest.mark.parametrize("folder", ["/nowhere", "/proc", "/dev/null", "/dev/full"])
def test_no_scratch_folder(evil_merge: Scene, folder: str) -> None:
    code = receive(evil_merge, hook_line(evil_merge), TMPDIR=folder)
    assert code in (1, 2, 4)


@pytest.mark.parametrize("redirect", ["2>&-", "2>/dev/full", ">&- 2>&-", "<&-", ">/dev/full 2>/dev/full"])
def test_streams_closed_or_full(direct: Scene, redirect: str) -> None:
    hook = direct.server / "hooks" / "pre-receive"
    line = hook_line(direct)
    objects = str(direct.repo.path / ".git" / "objects")
    done = ran(
        "sh", "-c", f'"{hook}" {redirect}', cwd=direct.server, stdin=line, GIT_DIR=".",
        GIT_ALTERNATE_OBJECT_DIRECTORIES=objects,
    )  # fmt: skip
    assert done.code in EXIT_CODES
    assert done.code != 0


@pytest.mark.parametrize("limit", ["-v 60000", "-n 4", "-f 0", "-s 64"])
def test_limits_of_the_machine(direct: Scene, limit: str) -> None:
    hook = direct.server / "hooks" / "pre-receive"
    objects = str(direct.repo.path / ".git" / "objects")
    done = ran(
        "sh", "-c", f'ulimit {limit} && "{hook}"', cwd=direct.server, stdin=hook_line(direct), GIT_DIR=".",
        GIT_ALTERNATE_OBJECT_DIRECTORIES=objects,
    )  # fmt: skip
    assert done.code != 0


def lines(scene: Scene) -> dict[str, bytes]:
    old, new = scene.on_server("rev-parse", "main").encode(), scene.repo.head("main").encode()
    return {
        "two-words": old + b" " + new + b"\n",
        "four-words": old + b" " + new + b" refs/heads/main x\n",
        "tabs": old + b"\t" + new + b"\trefs/heads/main\n",
        "two-spaces": old + b"  " + new + b" refs/heads/main\n",
        "short-oid": old[:12] + b" " + new + b" refs/heads/main\n",
        "upper-oid": old.upper() + b" " + new.upper() + b" refs/heads/main\n",
        "option-oid": b"--all " + new + b" refs/heads/main\n",
        "caret": b"^" + old[1:] + b" " + new + b" refs/heads/main\n",
        "carriage-return": old + b" " + new + b" refs/heads/main\r\n",
        "nul": old + b" " + new + b" refs/heads/main\0\n",
        "binary": bytes(range(256)) * 40,
        "only-spaces": b"   \n",
        "no-newline": old + b" " + new + b" refs/heads/main",
        "unknown-object": old + b" " + b"1" * 40 + b" refs/heads/main\n",
        "unknown-old": b"1" * 40 + b" " + new + b" refs/heads/main\n",
        "wrong-length": b"0" * 64 + b" " + new + b" refs/heads/main\n",
        "both-zero": b"0" * 40 + b" " + b"0" * 40 + b" refs/heads/main\n",
        "false-create": b"0" * 40 + b" " + new + b" refs/heads/main\n",
        "false-old": new + b" " + new + b" refs/heads/main\n",
        "too-much": (old + b" " + new + b" refs/heads/x\n") * 200_000,
        "empty": b"",
        "newlines": b"\n\n\n",
    }


@pytest.mark.parametrize(
    "name",
    [
        *("two-words", "four-words", "tabs", "two-spaces", "short-oid", "upper-oid", "option-oid", "caret"),
        *("carriage-return", "binary", "only-spaces", "no-newline", "unknown-object", "unknown-old"),
        *("wrong-length", "both-zero", "false-create", "too-much"),
        "nul",
        "empty",
        "newlines",
    ],
)
def test_malformed_input(direct: Scene, name: str) -> None:
    code = receive(direct, lines(direct)[name])
    assert code in EXIT_CODES
    assert code not in (0, 3)


@pytest.mark.parametrize("arguments", [(), ("nothing",), ("pre-receive", "x"), ("pre-push",), ("pre-push", "x")])
def test_odd_arguments(direct: Scene, arguments: tuple[str, ...]) -> None:
    line = f"refs/heads/main {direct.repo.head('main')} refs/heads/main {direct.on_server('rev-parse', 'main')}\n"
    done = ran(*HOOK, *arguments, cwd=direct.repo.path, stdin=line.encode())
    assert done.code in (1, 2)
