"""Hooks on real repositories: real commits and pushes, beside real pre-commit, prek and hooks of others.

The gate is replaced by a stand-in that records how it was called and then hands over as the gate does;
what the gate decides is tested elsewhere.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import rollback_guard
from rollback_guard.errors import RefusedError, UsageError
from rollback_guard.git.hook_files import (
    Program,
    carry_out,
    plan_install,
    plan_uninstall,
    render_hook,
    require_own_folder,
    this_program,
)
from rollback_guard.git.hooks import (
    CLIENT_STAGES,
    HooksPath,
    displaced_hook,
    find_hooks,
    hooks_folder,
    hooks_path,
    look,
    run_displaced,
)
from rollback_guard.git.repository import Repository, open_repository
from tests.support.builder import RepositoryBuilder
from tests.support.requirements import require

ROOT = Path(rollback_guard.__file__).parent.parent
SHARED = ROOT / "hooks"
STAND_IN = """\
import os, sys

def run():
    arguments = sys.argv[1:]
    with open({log!r}, "a") as log:
        if arguments[0] == "--self":
            _, self_path, stage, *rest = arguments
        else:
            self_path, (stage, *rest) = "", arguments
        stdin = sys.stdin.buffer.read() if stage in ("pre-push", "pre-receive") else None
        log.write("guard " + repr([stage, rest, stdin]) + "\\n")
    if os.path.exists({log!r} + ".deny"):
        sys.exit(1)
    if self_path:
        from rollback_guard.git.hooks import displaced_hook, run_displaced
        path = displaced_hook(self_path, stage)
        if path:
            sys.exit(run_displaced(path, rest, stdin))
"""


class Site:
    """A repository with a commit, a remote, and a stand-in for the gate."""

    def __init__(self, folder: Path) -> None:
        self.builder = RepositoryBuilder(folder / "repo")
        self.builder.commit("Begin", app_dot_py="1\n")
        self.path = folder / "repo"
        self.log = folder / "log"
        self.server = RepositoryBuilder(folder / "server.git", bare=True)
        self.builder.git("remote", "add", "origin", str(self.server.path))
        package = folder / "it's a \u00e9 place" / "rollback_guard"
        (package / "entry").mkdir(parents=True)
        (package / "__init__.py").write_text(f"__path__.append({str(ROOT / 'rollback_guard')!r})\n")
        (package / "entry" / "__init__.py").write_text("")
        (package / "entry" / "hook.py").write_text(STAND_IN.format(log=str(self.log)))
        self.program = Program(
            interpreter=sys.executable,
            package=str(package / "entry" / "hook.py"),
            folders=(str(package.parent),),
        )

    @property
    def repository(self) -> Repository:
        return open_repository(str(self.path), os.environ)

    @property
    def hooks(self) -> Path:
        return Path(hooks_folder(self.repository))

    def install(self) -> list[str]:
        steps = plan_install(str(self.hooks), CLIENT_STAGES, self.program)
        carry_out(str(self.hooks), steps)
        return [step.action for step in steps]

    def uninstall(self) -> list[str]:
        steps = plan_uninstall(str(self.hooks), CLIENT_STAGES)
        carry_out(str(self.hooks), steps)
        return [step.action for step in steps]

    def hook(self, name: str, body: str, mode: int = 0o755) -> Path:
        """A hook of somebody else."""
        self.hooks.mkdir(exist_ok=True)
        path = self.hooks / name
        path.write_text(body)
        path.chmod(mode)
        return path

    def other(self, name: str, mode: int = 0o755) -> Path:
        """A hook of somebody else that records its arguments and input."""
        return self.hook(name, f'#!/bin/sh\n(echo "other $*"; cat) >> {self.log}\n', mode)

    def commit(self, message: str = "More") -> subprocess.CompletedProcess[str]:
        self.builder.write_file("app.py", self.builder.git("rev-list", "--count", "HEAD") + message)
        return self.run("git", "commit", "-qam", message)

    def push(self, *refs: str) -> subprocess.CompletedProcess[str]:
        return self.run("git", "push", "-q", "origin", *refs)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.path, capture_output=True, text=True, check=False)

    def recorded(self) -> str:
        text = self.log.read_text() if self.log.exists() else ""
        self.log.unlink(missing_ok=True)
        return text

    def snapshot(self) -> dict[str, tuple[int, str]]:
        """Every file in the hook folder: mode, and bytes or link target."""
        return {
            entry.name: (
                stat.S_IMODE(entry.lstat().st_mode),
                os.readlink(entry) if entry.is_symlink() else entry.read_bytes().hex(),
            )
            for entry in sorted(self.hooks.iterdir())
        }


@pytest.fixture(autouse=True)
def tools_of_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """pre-commit and prek are in the environment that runs the tests, which need not be activated."""
    monkeypatch.setenv("PATH", os.path.join(sys.prefix, "bin"), prepend=os.pathsep)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_git_runs_every_stage_with_its_arguments_and_input(site: Site) -> None:
    assert site.install() == ["written"] * 5
    assert site.commit().returncode == 0
    stages = [line.split("'")[1] for line in site.recorded().splitlines()]
    assert stages == ["pre-commit", "prepare-commit-msg", "commit-msg"]
    site.builder.branch("topic", "HEAD~1")
    site.builder.commit("Aside", b_dot_txt="b\n")
    site.builder.checkout("main")
    assert site.run("git", "merge", "-q", "--no-edit", "topic").returncode == 0
    assert "guard ['pre-merge-commit', [], None]" in site.recorded()
    assert site.push("main", "topic").returncode == 0
    head, topic = site.builder.head(), site.builder.head("topic")
    text = site.recorded()
    assert f"['pre-push', ['origin', '{site.server.path}']" in text
    assert f"refs/heads/main {head} refs/heads/main {'0' * 40}" in text
    assert f"refs/heads/topic {topic} refs/heads/topic {'0' * 40}" in text


def test_a_refusal_stops_the_commit_and_the_hook_behind_ours(site: Site) -> None:
    site.other("pre-commit")
    site.install()
    Path(str(site.log) + ".deny").touch()
    before = site.builder.head()
    assert site.commit().returncode != 0
    assert site.builder.head() == before
    assert "other" not in site.recorded()


def test_another_hook_runs_after_ours_with_the_same_arguments_and_input(site: Site) -> None:
    before_text = site.other("pre-push").read_bytes()
    site.install()
    assert site.push("main").returncode == 0
    lines = site.recorded().splitlines()
    assert lines[0].startswith("guard ['pre-push', ['origin'")
    assert lines[1] == f"other origin {site.server.path}"
    assert lines[2].startswith("refs/heads/main ")
    assert (site.hooks / "pre-push.guarded").read_bytes() == before_text


def test_another_hook_that_refuses_still_refuses(site: Site) -> None:
    site.hook("commit-msg", "#!/bin/sh\nexit 7\n")
    site.install()
    assert site.commit().returncode != 0
    assert "'commit-msg'" in site.recorded()


def test_installing_twice_changes_nothing_and_updates_what_is_old(site: Site) -> None:
    site.other("pre-commit")
    site.install()
    before = site.snapshot()
    assert site.install() == ["unchanged"] * 5
    assert site.snapshot() == before
    (site.hooks / "pre-push").chmod(0o644)
    old = site.hooks / "commit-msg"
    old.write_bytes(old.read_bytes() + b"# older\n")
    assert site.install() == ["unchanged", "unchanged", "unchanged", "updated", "updated"]
    assert site.snapshot() == before


def test_uninstalling_leaves_every_byte_as_it_was(site: Site) -> None:
    site.other("pre-commit")
    site.other("commit-msg", mode=0o644)
    (site.hooks / "pre-push").symlink_to("../../elsewhere")
    before = site.snapshot()
    site.install()
    assert site.snapshot() != before
    assert site.uninstall() == ["restored", "removed", "removed", "restored", "restored"]
    assert site.snapshot() == before
    assert site.uninstall() == ["absent"] * 5
    assert site.snapshot() == before


def test_a_hook_that_git_would_not_run_is_not_run_by_ours(site: Site) -> None:
    site.other("pre-commit", mode=0o644)
    site.install()
    assert site.commit().returncode == 0
    assert "other" not in site.recorded()


def test_a_linked_hook_is_kept_as_a_link_and_runs(site: Site) -> None:
    real = site.other("somewhere")
    (site.hooks / "pre-commit").symlink_to("somewhere")
    site.install()
    assert site.commit().returncode == 0
    assert "other " in site.recorded()
    assert os.readlink(site.hooks / "pre-commit.guarded") == "somewhere"
    assert real.exists()


def test_a_script_without_a_first_line_runs_as_git_runs_it(site: Site) -> None:
    site.hook("pre-commit", f"echo plain >> '{site.log}'\n")
    site.install()
    assert site.commit().returncode == 0
    assert "plain" in site.recorded()


def test_nothing_is_touched_when_one_hook_cannot_be_kept(site: Site) -> None:
    site.other("pre-push")
    site.install()
    site.other("pre-push")  # somebody writes over ours
    (site.hooks / "pre-commit").unlink()
    before = site.snapshot()
    with pytest.raises(RefusedError, match="replaced after `guard install`"):
        site.install()
    assert site.snapshot() == before
    assert "kept" in site.uninstall()
    assert (site.hooks / "pre-push.guarded").exists()


def test_a_folder_in_a_hooks_place_is_said(site: Site) -> None:
    (site.hooks / "pre-push").mkdir(parents=True)
    with pytest.raises(RefusedError, match="pre-push is a folder") as caught:
        site.install()
    assert caught.value.remedy.startswith("mv ")
    assert not (site.hooks / "pre-commit").exists()


def test_a_hook_put_aside_comes_back_although_ours_was_deleted(site: Site) -> None:
    site.other("pre-push")
    before = site.snapshot()
    site.install()
    (site.hooks / "pre-push").unlink()
    site.uninstall()
    assert site.snapshot() == before


def test_a_copy_of_ours_is_never_handed_over_to(site: Site) -> None:
    site.install()
    shutil.copy(site.hooks / "pre-commit", site.hooks / "pre-commit.guarded")
    assert site.commit().returncode == 0
    assert site.recorded().count("'pre-commit'") == 1
    site.uninstall()
    assert not (site.hooks / "pre-commit.guarded").exists()


@pytest.mark.parametrize("value", ["githooks", ".config/git hooks"])
def test_a_relative_hooks_path_counts_from_the_top(site: Site, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site.builder.git("config", "core.hooksPath", value)
    below = site.path / "sub"
    below.mkdir()
    repository = open_repository(str(below), os.environ)
    assert hooks_folder(repository) == str(site.path / value)
    assert hooks_path(repository) == HooksPath(scope="local", value=value)
    site.install()
    assert site.commit().returncode == 0
    assert "'pre-commit'" in site.recorded()


def test_a_linked_work_tree_shares_the_hooks(site: Site, tmp_path: Path) -> None:
    site.builder.git("worktree", "add", "-q", "-b", "topic", str(tmp_path / "linked"))
    linked = open_repository(str(tmp_path / "linked"), os.environ)
    assert hooks_folder(linked) == str(site.hooks)
    site.install()
    done = subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path / "linked", check=False)
    assert done.returncode == 0
    assert "'pre-commit'" in site.recorded()


def test_a_hooks_path_for_every_repository_is_refused() -> None:
    with pytest.raises(RefusedError, match="every repository"):
        require_own_folder("/x", HooksPath(scope="global", value="/x"))


def test_a_hooks_path_that_is_no_folder_is_said() -> None:
    with pytest.raises(UsageError, match="no folder") as caught:
        require_own_folder(os.devnull, HooksPath(scope="local", value=os.devnull))
    assert caught.value.remedy == "git config --unset core.hooksPath && guard install"
    with pytest.raises(UsageError, match="no folder"):
        require_own_folder(os.devnull, None)
    require_own_folder("/nowhere", None)


def test_a_folder_that_cannot_be_written_is_said(site: Site) -> None:
    steps = plan_install("/proc/no such folder", ["pre-push"], site.program)
    with pytest.raises(UsageError, match="cannot be changed") as caught:
        carry_out("/proc/no such folder", steps)
    assert caught.value.remedy.startswith("ls -ld '/proc/no such folder'")


def test_no_half_written_hook_is_left_behind(site: Site) -> None:
    (step,) = plan_install(str(site.hooks), ["pre-push"], site.program)
    blocked = step._replace(aside=(str(site.hooks / "not there"), str(site.hooks / "x")))
    with pytest.raises(UsageError):
        carry_out(str(site.hooks), [blocked])
    assert not [name for name in os.listdir(site.hooks) if name.startswith("pre-push.") and "sample" not in name]


def test_a_hook_says_so_when_its_python_is_gone(site: Site) -> None:
    site.program = site.program._replace(interpreter="/not/here/python")
    site.install()
    done = site.commit()
    assert done.returncode != 0
    assert "run: guard install" in done.stderr
    hook = look(str(site.hooks / "pre-commit"))
    assert hook.interpreter == "/not/here/python"
    assert hook.package == site.program.package


def test_a_path_that_is_no_utf8_survives(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(str(tmp_path)) + b"/caf\xe9")
    program = Program(interpreter=name, package=name + "/x", folders=(name,))
    path = tmp_path / "hook"
    path.write_bytes(render_hook("pre-push", program))
    assert look(str(path)).interpreter == name
    assert look(str(path)).package == name + "/x"


def test_a_hook_of_ours_that_was_edited_is_still_ours(tmp_path: Path) -> None:
    path = tmp_path / "hook"
    path.write_text("#!/bin/sh\n# rollback-guard native hook 1\nexec it's\n")
    assert (look(str(path)).owner, look(str(path)).interpreter) == ("guard", None)


def test_what_installs_is_what_runs() -> None:
    program = this_program()
    assert program.interpreter == sys.executable
    assert program.package == str(ROOT / "rollback_guard" / "entry" / "hook.py")
    assert program.folders[0] == str(ROOT)


def test_a_python_that_does_not_know_itself_cannot_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(UsageError):
        this_program()


def test_the_exit_status_of_a_displaced_hook_is_kept(tmp_path: Path) -> None:
    hook = tmp_path / "h"
    hook.write_text("#!/bin/sh\nkill -TERM $$\n")
    hook.chmod(0o755)
    assert run_displaced(str(hook), [], b"") == 128 + 15
    hook.write_text("#!/bin/sh\nexit 5\n")
    assert run_displaced(str(hook), [], b"never read" * 100_000) == 5
    hook.write_text("exit 6\n")
    assert run_displaced(str(hook), [], None) == 6
    hook.write_text("#!/not/there\n")
    with pytest.raises(UsageError, match="could not be started"):
        run_displaced(str(hook), [], None)


def test_a_displaced_hook_is_found_beside_a_bare_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hook = tmp_path / "pre-push.guarded"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    assert displaced_hook("pre-push", "pre-push") == "./pre-push.guarded"
    assert displaced_hook("hooks/pre-push", "pre-push") is None


@pytest.mark.parametrize("tool", ["pre-commit", "prek"])
@pytest.mark.parametrize("order", ["before", "after"])
def test_beside_pre_commit_in_both_orders(site: Site, tool: str, order: str) -> None:
    program = require(tool, install="pip install pre-commit prek")
    site.builder.commit("Configure", **{"_dot_pre-commit-config_dot_yaml": config(site.log)})
    types = ["-t", "pre-commit", "-t", "pre-push", "-t", "commit-msg"]
    if order == "before":
        site.install()
    assert site.run(program, "install", *types).returncode == 0
    if order == "after":
        site.install()
    owners = {found.stage: (found.main.owner, found.ours) for found in find_hooks(str(site.hooks), CLIENT_STAGES)}
    assert [owner for owner, _ in owners.values()] == ["pre-commit", "guard", "guard", "pre-commit", "pre-commit"]
    assert all(ours is not None for _, ours in owners.values())
    done = site.commit()
    assert done.returncode == 0, done.stderr
    text = site.recorded()
    assert "guard ['pre-commit', []" in text
    assert "local hook ran" in text
    assert "guard ['commit-msg', ['.git/COMMIT_EDITMSG']" in text
    done = site.push("main", "HEAD:refs/heads/second")
    assert done.returncode == 0, done.stderr
    text = site.recorded()
    assert "refs/heads/second" in text, "the native hook sees every ref of the push"
    assert f"['pre-push', ['origin', '{site.server.path}']" in text
    site.uninstall()
    assert site.commit("again").returncode == 0
    assert "guard" not in site.recorded()
    assert site.run(program, "uninstall", *types).returncode == 0
    assert not [name for name in os.listdir(site.hooks) if not name.endswith(".sample")]


@pytest.mark.parametrize("tool", ["pre-commit", "prek"])
def test_a_refusal_of_ours_stops_what_pre_commit_would_allow(site: Site, tool: str) -> None:
    program = require(tool, install="pip install pre-commit prek")
    site.builder.commit("Configure", **{"_dot_pre-commit-config_dot_yaml": config(site.log)})
    assert site.run(program, "install", "-t", "pre-push").returncode == 0
    site.install()
    Path(str(site.log) + ".deny").touch()
    assert site.push("main").returncode != 0
    assert site.server.git("for-each-ref") == ""


def test_a_hook_that_pre_commit_runs_is_kept_behind_ours(site: Site) -> None:
    program = require("pre-commit", install="pip install pre-commit")
    site.builder.commit("Configure", **{"_dot_pre-commit-config_dot_yaml": config(site.log)})
    site.other("pre-push")
    before = site.snapshot()
    assert site.run(program, "install", "-t", "pre-push").returncode == 0
    with_pre_commit = site.snapshot()
    site.install()
    assert site.push("main").returncode == 0
    text = site.recorded()
    assert "guard ['pre-push'" in text
    assert f"other origin {site.server.path}" in text
    site.uninstall()
    assert site.snapshot() == with_pre_commit
    assert site.run(program, "uninstall", "-t", "pre-push").returncode == 0
    assert site.snapshot() == before


def config(log: Path) -> str:
    return (
        "default_install_hook_types: [pre-commit]\n"
        "repos:\n"
        "  - repo: local\n"
        "    hooks:\n"
        "      - id: here\n"
        "        name: here\n"
        f"        entry: sh -c 'echo local hook ran >> {log}'\n"
        "        language: system\n"
        "        always_run: true\n"
        "        pass_filenames: false\n"
        "        stages: [pre-commit]\n"
    )


def test_shared_hooks_are_one_text_of_at_most_15_lines() -> None:
    texts = {name: (SHARED / name).read_text() for name in (*CLIENT_STAGES, "pre-receive")}
    assert len(set(texts.values())) == 1
    assert len(texts["pre-push"].splitlines()) <= 15
    assert all(os.access(SHARED / name, os.X_OK) for name in texts)
    assert sorted(texts) == sorted(entry.name for entry in SHARED.iterdir())


def test_hooks_are_clean_shell(tmp_path: Path) -> None:
    program = require("shellcheck", install="apt-get install shellcheck")
    (tmp_path / "pre-push").write_bytes(render_hook("pre-push", this_program()))
    files = [*SHARED.iterdir(), tmp_path / "pre-push"]
    done = subprocess.run([program, *map(str, files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("layout", ["checkout", "wheel"])
def test_shared_hooks_run_with_nothing_installed(site: Site, tmp_path: Path, layout: str) -> None:
    root = tmp_path / 'a "bare" checkout'
    hooks = root / "hooks" if layout == "checkout" else root / "rollback_guard" / "hooks"
    shutil.copytree(Path(site.program.package).parent.parent, root / "rollback_guard")
    shutil.copytree(SHARED, hooks)
    site.builder.git("config", "core.hooksPath", str(hooks))
    assert site.install() == ["kept"] * 5
    assert site.uninstall() == ["kept"] * 5
    assert site.commit().returncode == 0
    assert "guard ['pre-commit', [], None]" in site.recorded()
    server = site.server.path / "hooks"
    server.mkdir(exist_ok=True)
    (server / "pre-receive").symlink_to(hooks / "pre-receive")
    assert site.push("main").returncode == 0
    assert "guard ['pre-receive', [], b'0000" in site.recorded()


def test_a_shared_hook_that_was_copied_away_says_what_to_do(site: Site) -> None:
    site.hooks.mkdir(exist_ok=True)
    shutil.copy(SHARED / "pre-commit", site.hooks / "pre-commit")
    done = site.commit()
    assert done.returncode != 0
    assert "run: guard install" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_shared_hook_under_another_name_knows_its_stage(site: Site) -> None:
    root = site.path.parent / "checkout"
    shutil.copytree(Path(site.program.package).parent.parent, root / "rollback_guard")
    shutil.copytree(SHARED, root / "hooks")
    link = site.hooks / "pre-push.legacy"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(root / "hooks" / "pre-push")
    done = subprocess.run([str(link), "origin"], input=b"", check=False)
    assert done.returncode == 0
    assert site.recorded() == "guard ['pre-push', ['origin'], b'']\n"
