"""Environment, settings, replace refs, grafts, shallow history, files beside: none of it may change a verdict."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.attacks.conftest import GUARD, Scene, ran
from tests.support.builder import SIGNED, RepositoryBuilder

ENVIRONMENTS: tuple[dict[str, str], ...] = (
    {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.bare", "GIT_CONFIG_VALUE_0": "false"},
    {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.worktree", "GIT_CONFIG_VALUE_0": "/"},
    {"GIT_CONFIG_PARAMETERS": "'rollback-guard.repository'='x'"},
    {"GIT_NAMESPACE": "x"},
    {"GIT_REPLACE_REF_BASE": "refs/heads/"},
    {"GIT_GRAFT_FILE": "/tmp/x"},
    {"GIT_SHALLOW_FILE": "/dev/null"},
    {"GIT_LITERAL_PATHSPECS": "0", "GIT_GLOB_PATHSPECS": "1"},
    {"GIT_DEFAULT_HASH": "sha256"},
    {"GIT_TRACE": "1", "GIT_TRACE2": "1", "GIT_CURL_VERBOSE": "1"},
    {"GIT_EXTERNAL_DIFF": "false", "GIT_DIFF_OPTS": "-u99"},
    {"GIT_PAGER": "false", "PAGER": "false"},
    {"LC_ALL": "xx", "LANG": "de_DE.UTF-8", "LANGUAGE": "de"},
    {"LC_ALL": "C"},
    {"PYTHONPATH": "/nowhere", "PYTHONSTARTUP": "/nowhere", "PYTHONHOME": "/nowhere"},
    {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    {"PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2", "PYTHONINSPECT": "1"},
    {"GITHEAD_x": "y", "PRE_COMMIT_TO_REF": "x", "PRE_COMMIT_REMOTE_BRANCH": "x"},
    {"TERM": "xterm-256color", "FORCE_COLOR": "1", "NO_COLOR": ""},
    {"TZ": "Mars/Olympus", "COLUMNS": "-1"},
)
NAMES = ["-".join(env) for env in ENVIRONMENTS]


@pytest.fixture
def direct(scene: Scene) -> Scene:
    scene.signed("Direct", app_dot_py="price = 9\n")
    return scene


def hook(scene: Scene, stdin: str, **env: str) -> int:
    objects = str(scene.repo.path / ".git" / "objects")
    return ran(
        str(scene.server / "hooks" / "pre-receive"), cwd=scene.server, stdin=stdin.encode(),
        **{"GIT_DIR": ".", "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects, **env},
    ).code  # fmt: skip


@pytest.mark.parametrize("env", ENVIRONMENTS, ids=NAMES)
def test_environment_of_the_server_s_hook(direct: Scene, env: dict[str, str]) -> None:
    line = f"{direct.on_server('rev-parse', 'main')} {direct.repo.head()} refs/heads/main\n"
    assert hook(direct, line, **env) == 1


@pytest.mark.parametrize("env", ENVIRONMENTS, ids=NAMES)
def test_environment_of_a_check(direct: Scene, env: dict[str, str]) -> None:
    if any(name.startswith("PYTHON") for name in env):
        pytest.skip("the command is started by that Python")
    done = direct.guard("check", "--base", "HEAD~1", "--head", "HEAD", "--into", "main", **env)  # type: ignore[arg-type]
    assert done.code == 1


CONFIG = (
    ("log.showSignature", "true"),
    ("log.mailmap", "true"),
    ("log.follow", "true"),
    ("trailer.R.key", "Reviewed-by"),
    ("trailer.separators", "%"),
    ("diff.renames", "copies"),
    ("diff.orderFile", "/dev/null"),
    ("diff.noprefix", "true"),
    ("diff.external", "false"),
    ("diff.ignoreSubmodules", "all"),
    ("merge.renames", "false"),
    ("merge.default", "ours"),
    ("merge.conflictStyle", "zdiff3"),
    ("core.attributesFile", "/nowhere"),
    ("core.quotePath", "true"),
    ("core.useReplaceRefs", "true"),
    ("core.pager", "false"),
    ("core.fsmonitor", "touch pwned; false"),
    ("core.sshCommand", "touch pwned; false"),
    ("core.commentChar", "R"),
    ("color.ui", "always"),
    ("init.defaultBranch", "elsewhere"),
    ("alias.log", "!touch pwned"),
    ("pager.log", "touch pwned"),
    ("format.pretty", "%s"),
    ("remote.origin.mirror", "true"),
    ("grep.fallbackToNoIndex", "true"),
)


@pytest.mark.parametrize(("key", "value"), CONFIG, ids=[key for key, _ in CONFIG])
def test_hostile_settings(direct: Scene, key: str, value: str) -> None:
    for folder in (direct.repo.path, direct.server):
        subprocess.run(["git", "config", key, value], cwd=folder, check=True)
    done = direct.guard("check", "--base", "HEAD~1", "--head", "HEAD", "--into", "main", "--format", "json")
    assert done.code == 1
    line = f"{direct.on_server('rev-parse', 'main')} {direct.repo.head()} refs/heads/main\n"
    assert hook(direct, line) == 1
    assert not (direct.repo.path / "pwned").exists()
    assert not (direct.server / "pwned").exists()


def test_encoding_of_the_log(direct: Scene) -> None:
    direct.repo.git("config", "i18n.logOutputEncoding", "UTF-16")
    assert direct.guard("check", "--base", "HEAD~1", "--head", "HEAD", "--into", "main").code == 1


def test_replace_ref_on_the_server(direct: Scene) -> None:
    """The direct commit is replaced by a merge that would be fine; it does not count."""
    repo = direct.repo
    good = direct.commit_tree(repo.tree("release/1.4"), "Merge", repo.head("main~1"), repo.head("release/1.4"))
    direct.admin(f"{good}:refs/replace/{repo.head()}")
    direct.refused("main", rules=("RG101",))


def test_grafts_on_the_server(direct: Scene) -> None:
    repo = direct.repo
    (direct.server / "info").mkdir(exist_ok=True)
    (direct.server / "info" / "grafts").write_text(f"{repo.head()} {repo.head('main~1')} {repo.head('release/1.4')}\n")
    direct.refused("main", rules=("RG101",))


def test_shallow_server(scene: Scene) -> None:
    """The author's commit lies beyond where the server's history was cut: nobody knows who made what."""
    repo = scene.repo
    repo.checkout("release/1.4")
    scene.signed("Once more", more_dot_py="more\n")
    (scene.server / "shallow").write_text(f"{repo.head('release/1.4~1')}\n{repo.head('main')}\n")
    before = scene.refs()
    done = scene.push("release/1.4:main")
    assert done.code != 0
    assert scene.refs() == before


def test_shallow_clone_is_checked(scene: Scene, tmp_path: Path) -> None:
    scene.repo.git("clone", "-q", "--depth=1", "--no-single-branch", f"file://{scene.server}", str(tmp_path / "s"))
    done = ran(*GUARD, "check", "--into", "main", "--head", "origin/release/1.4", cwd=tmp_path / "s")
    assert done.code in (1, 4)


def test_pushed_from_a_shallow_clone(scene: Scene, tmp_path: Path) -> None:
    scene.repo.git("clone", "-q", "--depth=1", f"file://{scene.server}", str(tmp_path / "s"))
    shallow = RepositoryBuilder.__new__(RepositoryBuilder)
    shallow.path, shallow.clock = tmp_path / "s", scene.repo.clock
    shallow.commit(f"Direct\n\n{SIGNED}", app_dot_py="price = 9\n")
    before = scene.refs()
    assert ran("git", "push", "origin", "main", cwd=shallow.path).code != 0
    assert scene.refs() == before


def test_python_files_of_the_pushed_repository(direct: Scene) -> None:
    """Hooks start in the repository; a module of its own there must not be imported."""
    for folder in (direct.repo.path, direct.server):
        for name in (
            "subprocess",
            "json",
            "tomllib",
            "os",
            "rollback_guard",
            "sitecustomize",
            "marshal",
            "re",
            "click",
        ):
            (folder / f"{name}.py").write_text("open('pwned', 'w').close()\nraise SystemExit(0)\n")
    direct.refused("main", rules=("RG101",))
    assert not (direct.server / "pwned").exists()


def test_python_files_beside_native_client_hooks(direct: Scene) -> None:
    assert direct.guard("install").code == 0
    for name in ("subprocess", "json", "tomllib", "os", "rollback_guard", "sitecustomize", "marshal", "re"):
        (direct.repo.path / f"{name}.py").write_text("open('pwned', 'w').close()\nraise SystemExit(0)\n")
    done = ran("git", "commit", "--allow-empty", "-m", "x", cwd=direct.repo.path)
    assert done.code != 0
    assert direct.push("main").code != 0
    assert not (direct.repo.path / "pwned").exists()
    done = ran(str(direct.repo.path / ".git" / "hooks" / "pre-commit"), cwd=direct.repo.path, PYTHONPATH=".")
    assert done.code == 1
    assert not (direct.repo.path / "pwned").exists()


def test_push_options(direct: Scene) -> None:
    direct.on_server("config", "receive.advertisePushOptions", "true")
    direct.refused("-o", "skip-guard", "-o", "ci.skip", "main", rules=("RG101",))


def test_alternates_that_hold_the_change(scene: Scene, tmp_path: Path) -> None:
    scene.repo.git("clone", "-q", "--bare", str(scene.repo.path), str(tmp_path / "other.git"))
    scene.signed("Direct", app_dot_py="price = 9\n")
    scene.repo.git("push", "-q", str(tmp_path / "other.git"), "main")
    (scene.server / "objects" / "info").mkdir(exist_ok=True)
    (scene.server / "objects" / "info" / "alternates").write_text(f"{tmp_path}/other.git/objects\n")
    scene.refused("main", rules=("RG101",))


def test_policy_s_object_is_gone(direct: Scene) -> None:
    """A damaged server must not look like one without a policy."""
    blob = direct.on_server("rev-parse", "main:rollback-guard.toml")
    direct.on_server("symbolic-ref", "HEAD", "refs/heads/release/1.4")
    found = direct.server / "objects" / blob[:2] / blob[2:]
    if not found.exists():
        for pack in list((direct.server / "objects" / "pack").glob("*.pack")):
            data = pack.read_bytes()
            for old in (direct.server / "objects" / "pack").glob(f"{pack.stem}.*"):
                old.unlink()
            subprocess.run(["git", "unpack-objects", "-q"], cwd=direct.server, input=data, check=True)
    os.chmod(found, 0o644)
    found.unlink()
    before = direct.refs()
    assert direct.push("main").code != 0
    assert direct.refs() == before


def test_policy_s_object_is_gone_for_another_production_branch(scene: Scene) -> None:
    """As above, but nothing else says that the branch is production."""
    repo = scene.repo
    text = (repo.path / "rollback-guard.toml").read_text().replace('branches = ["main"]', 'branches = ["live"]')
    repo.git("checkout", "-q", "-b", "live")
    repo.write_file("rollback-guard.toml", text.replace('into = "main"', 'into = "live"'))
    repo.commit("Live")
    repo.git("checkout", "-q", "-b", "develop")
    repo.git("rm", "-q", "rollback-guard.toml")
    repo.commit("No policy here")
    scene.admin("live", "develop")
    scene.on_server("symbolic-ref", "HEAD", "refs/heads/develop")
    scene.on_server("update-ref", "-d", "refs/heads/main")
    blob = repo.git("rev-parse", "live:rollback-guard.toml")
    repo.checkout("live")
    repo.write_file("rollback-guard.toml", text)
    repo.commit("Direct", app_dot_py="price = 9\n")
    scene.refused("live", rules=("RG101",))
    found = scene.server / "objects" / blob[:2] / blob[2:]
    os.chmod(found, 0o644)
    found.unlink()
    before = scene.refs()
    assert scene.push("live").code != 0
    assert scene.refs() == before
