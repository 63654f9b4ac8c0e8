"""The scene of every attack: a bare server with the native pre-receive hook, and an attacker's clone without hooks.

The server is reached by a real `git push` over file://. It is built once a session and copied for each test.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.builder import POLICY, SIGNED, RepositoryBuilder

EXIT_CODES = (0, 1, 2, 3, 4, 130)
GUARD = (sys.executable, "-c", "from rollback_guard.entry.cli.main import run; run()")
HOOK = (sys.executable, "-I", "-c", "from rollback_guard.entry.hook import run; run()")
STABLE = "stable/2026.5.28.1"


class Ran(NamedTuple):
    """A process that ended: its exit code and what it wrote, bytes that are no UTF-8 as surrogates."""

    code: int
    out: str
    err: str


def ran(*command: str, cwd: Path, stdin: bytes | None = None, **env: str) -> Ran:
    """Run a command to its end, whatever its exit code."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, input=b"" if stdin is None else stdin, capture_output=True
    )
    return Ran(done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="replace"))


def child_of(event: dict[str, Any]) -> tuple[str, int]:
    """Which child of which git an event of git's trace is about."""
    return event["sid"], event.get("child_id", -1)


class Scene:
    """`repo` is the attacker's clone, `server` the bare repository. Tests ask whether the server's refs moved."""

    def __init__(self, folder: Path) -> None:
        self.server = folder / "server.git"
        self.repo = RepositoryBuilder(folder / "clone")

    def on_server(self, *args: str) -> str:
        """What git says in the bare repository, as its administrator."""
        return subprocess.run(
            ["git", *args], cwd=self.server, check=True, capture_output=True, text=True, errors="surrogateescape"
        ).stdout.strip()

    def refs(self) -> dict[str, str]:
        """Every ref of the server."""
        lines = self.on_server("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
        return {name: oid for oid, _, name in (line.partition(" ") for line in lines)}

    def push(self, *args: str, **env: str) -> Ran:
        """A real push to the server."""
        return ran("git", "push", f"file://{self.server}", *args, cwd=self.repo.path, **env)  # type: ignore[arg-type]

    def admin(self, *refspecs: str) -> None:
        """Put refs on the server past the hook: how things came to be before the attack."""
        hook = self.server / "hooks" / "pre-receive"
        aside = hook.rename(self.server / "pre-receive.away")
        self.repo.git("push", "-q", "--force", f"file://{self.server}", *refspecs)
        aside.rename(hook)

    def refused(self, *args: str, rules: tuple[str, ...] = (), code: int | None = 1, **env: str) -> Ran:
        """A push that must be refused, with every ref as it was, for the reasons named, and no escape sequence."""
        before = self.refs()
        done, said = self.push_traced(*args, **env)
        assert self.refs() == before, f"the server took it: {done.err}"
        assert done.code != 0, done.err
        assert "pre-receive hook declined" in done.err, done.err
        assert "\x1b" not in done.err
        for rule in rules:
            assert rule in done.err, done.err
        if code is not None:
            assert said == code, done.err
        return done

    def push_traced(self, *args: str, **env: str) -> tuple[Ran, int | None]:
        """A real push, and the exit code of the server's hook as git saw it; None when git started none."""
        trace = self.server / "trace"
        done = self.push(*args, **{**env, "GIT_TRACE2_EVENT": str(trace)})
        events = [json.loads(line) for line in trace.read_text(errors="replace").splitlines()]
        trace.unlink()
        hooks = {child_of(one) for one in events if one.get("child_class") == "hook"}
        codes = [one["code"] for one in events if one["event"] == "child_exit" and child_of(one) in hooks]
        assert len(codes) <= 1, events
        return done, codes[0] if codes else None

    def taken(self, *args: str, **env: str) -> Ran:
        """A push that the server must take: what an honest team does beside the attack."""
        done = self.push(*args, **env)
        assert done.code == 0, done.err
        return done

    def guard(self, *args: str, cwd: Path | None = None, **env: str) -> Ran:
        """The command line, in the attacker's clone or elsewhere."""
        done = ran(*GUARD, *args, cwd=cwd or self.repo.path, **env)  # type: ignore[arg-type]
        assert done.code in EXIT_CODES, done.err
        return done

    def policy(self, text: str) -> str:
        """Put another policy on production as it was before the attack; production's new tip."""
        self.repo.checkout("main")
        self.repo.write_file("rollback-guard.toml", text)
        tip = self.repo.commit("Change the policy", by="uma")
        self.admin("main")
        return tip

    def signed(self, message: str, *, by: str = "jane", **files: str) -> str:
        """A commit on the present branch that bears the sign-offs of omar, quinn and uma."""
        return self.repo.commit(f"{message}\n\n{SIGNED}", by=by, **files)

    def raw_commit(self, text: str | bytes) -> str:
        """A commit object of exactly these bytes."""
        data = text.encode() if isinstance(text, str) else text
        return self.repo.git("hash-object", "-w", "-t", "commit", "--stdin", "--literally", stdin=data)

    def commit_tree(self, tree: str, message: str, *parents: str, by: str = "jane") -> str:
        """A commit of any tree and parents, signed as a person of the story."""
        options = [part for parent in parents for part in ("-p", parent)]
        return self.repo.git("commit-tree", tree, *options, "-m", message, **self.repo.as_person(by))


def scene_of(folder: Path, repo: RepositoryBuilder, *, name: str) -> Scene:
    """A guarded server, empty, beside a clone that stands in `clone` of the folder; both bear the repository's name."""
    server = RepositoryBuilder(folder / "server.git", bare=True)
    made = ran(*GUARD, "install", "--server", "--repository", str(server.path), cwd=folder)
    assert made.code == 0, made.err
    for one in (server, repo):
        one.git("config", "rollback-guard.repository", name)
    server.git("config", "receive.fsckObjects", "false")
    scene = Scene(folder)
    scene.repo = repo
    return scene


@pytest.fixture(scope="session")
def built_scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """main: the policy and an app; then release/1.3, merged and tagged stable; release/1.4 is signed and waits."""
    folder = tmp_path_factory.mktemp("scene")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        repo = RepositoryBuilder(folder / "clone")
        repo.write_file("rollback-guard.toml", POLICY)
        repo.commit("Begin the shop", app_dot_py="price = 1\n", lib_dot_py="".join(f"line {n}\n" for n in range(40)))
        repo.branch("release/1.3")
        repo.commit(f"Release 1.3\n\n{SIGNED}", by="jane", app_dot_py="price = 2\n")
        repo.checkout("main")
        repo.merge("release/1.3", by="jane")
        repo.stable_tag(STABLE)
        repo.branch("release/1.4")
        repo.commit("Raise the price", by="jane", app_dot_py="price = 3\n")
        repo.commit(f"Release 1.4\n\n{SIGNED}", by="jane", version_dot_txt="1.4\n")
        server = RepositoryBuilder(folder / "server.git", bare=True)
        repo.git("push", "-q", str(server.path), "main", "release/1.3", "release/1.4", STABLE)
        made = ran(*GUARD, "install", "--server", "--repository", str(server.path), cwd=folder)
        assert made.code == 0, made.err
        # Whatever git would refuse by itself, the gate has to withstand alone; the tests of that switch it on again.
        server.git("config", "receive.fsckObjects", "false")
    return folder


@pytest.fixture
def scene(built_scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A copy of the scene; the clone stands on main. Crash reports stay in the test's own folder."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    folder = tmp_path / "scene"
    shutil.copytree(built_scene, folder, symlinks=True)
    made = Scene(folder)
    made.repo.clock += 86_400
    made.repo.checkout("main")
    return made


@pytest.fixture
def main_tip(scene: Scene) -> str:
    """Where production stands before the attack."""
    return scene.repo.head("main")
