"""`guard doctor` on real repositories, one broken in each way that it is there to find."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.entry.cli.main import main
from rollback_guard.facts.installation import collect_installation, default_branch, local_path
from rollback_guard.facts.installation_model import Folder, Installation, PolicySeen, RemoteSeen, StageSeen, Tools
from rollback_guard.facts.surroundings import read_surroundings
from rollback_guard.git.repository import open_repository
from rollback_guard.report.diagnosis import Diagnosis
from rollback_guard.report.doctor_text import diagnose, healthy, render_text
from tests.support.builder import POLICY, RepositoryBuilder, shop
from tests.support.commands import guard
from tests.support.servers import run_git

CONFIG = """\
repos:
  - repo: https://example.test/rollback_guard
    rev: v1
    hooks:
      - id: guard-branch
      - {id: "guard-message"}
      #- id: guard-prepare-message
      - id: guard-push # - id: guard-policy
"""


class Clone:
    """A shop with its server; what doctor says about it, by finding id."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.builder = shop(folder / "repo")
        self.path = folder / "repo"
        self.server = RepositoryBuilder(folder / "server.git", bare=True)
        self.builder.git("remote", "add", "origin", str(self.server.path))
        self.builder.git("push", "-q", "origin", "main")
        self.hooks = self.path / ".git" / "hooks"
        self.capsys = capsys

    def guard(self, *args: str) -> int:
        code = main(list(args))
        self.capsys.readouterr()
        return code

    def doctor(self) -> dict[str, dict[str, Any]]:
        self.capsys.readouterr()
        code = main(["doctor", "--format", "json"])
        value = json.loads(self.capsys.readouterr().out)
        assert value["format"] == "rollback-guard/doctor/1"
        assert value["healthy"] is (code == 0)
        assert value["healthy"] is not any(one["severity"] == "error" for one in value["findings"])
        return {one["id"]: one for one in value["findings"]}

    def installed(self) -> Clone:
        assert self.guard("install") == 0
        assert self.guard("install", "--server", "--repository", str(self.server.path), "--name", "h/p") == 0
        assert self.doctor() == {}
        return self


@pytest.fixture
def clone(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Clone:
    made = Clone(tmp_path, capsys)
    monkeypatch.chdir(made.path)
    return made


def test_a_complete_installation_is_healthy(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.installed()
    below = clone.path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert main(["doctor"]) == 0
    out = clone.capsys.readouterr().out
    assert out.startswith("healthy: the gate is installed here\nversions: guard ")


def test_hooks_that_are_missing(clone: Clone) -> None:
    found = clone.doctor()
    assert found["hook-missing"]["remedy"] == "guard install"
    assert found["server-unguarded"]["severity"] == "error"
    assert main(["doctor"]) == 1
    out = clone.capsys.readouterr().out
    assert "error: pre-push: there is no hook  [hook-missing]\n" in out
    assert "warning: prepare-commit-msg: there is no hook  [hook-missing]\n" in out
    assert "does not bring the evidence that origin has" in out
    assert out.count("→ guard install\n") == 1


def test_a_hook_of_others_in_our_place(clone: Clone) -> None:
    clone.installed()
    (clone.hooks / "pre-push").write_text("#!/bin/sh\n")
    assert "pre-push: a hook is here, and it is not ours" in clone.doctor()["hook-not-ours"]["message"]


def test_hooks_that_cannot_be_executed(clone: Clone) -> None:
    clone.installed()
    (clone.hooks / "pre-push").chmod(0o644)
    assert "pre-push" in clone.doctor()["hook-not-executable"]["message"]


def test_a_hook_that_outlived_its_python(clone: Clone) -> None:
    clone.installed()
    hook = clone.hooks / "pre-push"
    hook.write_text(hook.read_text().replace(sys.executable, "/gone/python"))
    assert "/gone/python" in clone.doctor()["hook-outlived"]["message"]


def test_a_hook_that_outlived_its_package(clone: Clone) -> None:
    clone.installed()
    hook = clone.hooks / "pre-push"
    hook.write_text(hook.read_text().replace("/entry/hook.py", "/gone/hook.py"))
    assert "/gone/hook.py" in clone.doctor()["hook-outlived"]["message"]


def test_hooks_where_git_does_not_look(clone: Clone) -> None:
    clone.installed()
    clone.builder.git("config", "core.hooksPath", "other")
    found = clone.doctor()
    assert "never run" in found["hooks-bypassed"]["message"]
    assert "hook-missing" in found


def test_a_hooks_path_for_every_repository(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gitconfig").write_text(f"[core]\n\thooksPath = {clone.hooks}\n")
    clone.installed()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    clone.builder.git("remote", "remove", "origin")
    found = clone.doctor()
    assert list(found) == ["hooks-path-global", "server-none"]
    assert found["hooks-path-global"]["severity"] == "warning"
    main(["doctor"])
    assert clone.capsys.readouterr().out.startswith("healthy, with 1 warning\n")


def pre_commit_hook(clone: Clone, *stages: str) -> None:
    clone.hooks.mkdir(exist_ok=True)
    for stage in stages:
        (clone.hooks / stage).write_text("#!/bin/sh\n# ID: 138fd403232d2ddd5efb44317e38bf03\n")
        (clone.hooks / stage).chmod(0o755)


def test_pre_commit_that_runs_our_hooks(clone: Clone) -> None:
    clone.guard("install", "--server", "--repository", str(clone.server.path), "--name", "h/p")
    (clone.path / ".pre-commit-config.yaml").write_text(CONFIG)
    assert "not installed for this stage" in clone.doctor()["pre-commit-not-installed"]["message"]
    pre_commit_hook(clone, "pre-commit", "pre-merge-commit", "commit-msg", "pre-push", "prepare-commit-msg")
    found = clone.doctor()
    assert set(found) == {"pre-commit-without-guard", "push-coverage", "evidence-not-fetched"}
    assert found["evidence-not-fetched"]["severity"] == "warning"
    assert found["pre-commit-without-guard"]["severity"] == "warning"
    assert "does not list guard-prepare-message" in found["pre-commit-without-guard"]["message"]
    assert found["push-coverage"]["remedy"] == "guard install"
    clone.guard("install")
    assert clone.doctor() == {}
    (clone.hooks / "pre-push.legacy").chmod(0o644)
    assert "pre-push" in clone.doctor()["hook-not-executable"]["message"]


def test_pre_commit_without_a_configuration(clone: Clone) -> None:
    pre_commit_hook(clone, "pre-push")
    assert "which is missing here" in clone.doctor()["pre-commit-without-guard"]["message"]
    (clone.hooks / "pre-push").chmod(0o644)
    assert "pre-push" in clone.doctor()["hook-not-executable"]["message"]


def test_hooks_that_the_environment_skips(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.installed()
    monkeypatch.setenv("SKIP", "black, guard-push")
    monkeypatch.setenv("PRE_COMMIT_ALLOW_NO_CONFIG", "1")
    clone.capsys.readouterr()
    assert main(["doctor"]) == 1
    out = clone.capsys.readouterr().out
    assert "error: the environment has SKIP=guard-push: " in out
    assert "→ unset SKIP\n" in out
    assert "warning: the environment has PRE_COMMIT_ALLOW_NO_CONFIG=1" in out
    monkeypatch.setenv("SKIP", "black")
    monkeypatch.delenv("PRE_COMMIT_ALLOW_NO_CONFIG")
    assert clone.doctor() == {}


def test_a_shallow_clone(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.builder.git("push", "-q", "origin", "release/1.4")
    url = f"file://{clone.server.path}"
    clone.builder.git("clone", "-q", "--depth=1", "--branch=release/1.4", url, str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    assert clone.doctor()["shallow-clone"]["remedy"] == "git fetch --unshallow"


def test_a_partial_clone_replace_refs_and_grafts(clone: Clone) -> None:
    clone.installed()
    clone.builder.git("config", "remote.origin.promisor", "true")
    clone.builder.git("replace", "HEAD", "HEAD~1")
    (clone.path / ".git" / "info").mkdir(exist_ok=True)
    (clone.path / ".git" / "info" / "grafts").write_text(clone.builder.head() + "\n")
    found = clone.doctor()
    assert set(found) == {"partial-clone", "replace-refs", "grafts"}
    assert {one["severity"] for one in found.values()} == {"warning"}


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_a_git_that_is_too_old(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "git", "echo git version 2.20.1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    found = clone.doctor()
    assert list(found) == ["git-too-old"]
    assert "2.20.1" in found["git-too-old"]["message"]


def test_a_git_that_cannot_merge_by_itself(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.installed()
    real = shutil.which("git")
    program(tmp_path / "bin", "git", f'[ "$1" = version ] && echo git version 2.34.1 || exec {real} "$@"')
    program(tmp_path / "bin", "git", f'case " $* " in *" version ") echo git version 2.34.1;; *) {real} "$@";; esac')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    assert "RG105" in clone.doctor()["git-old"]["message"]


def test_no_ssh_keygen(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.installed()
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for name in ("git", "sh"):
        (bin_ / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(bin_))
    assert clone.doctor()["ssh-keygen-missing"]["severity"] == "warning"
    program(bin_, "ssh-keygen", "exit 1")
    assert clone.doctor()["ssh-keygen-unknown"]["severity"] == "note"
    program(bin_, "ssh", "echo OpenSSH_7.4p1, OpenSSL 1.0.2k >&2")
    assert "7.4" in clone.doctor()["ssh-keygen-old"]["message"]
    (bin_ / "ssh").write_bytes(b"\x00 no program")
    assert "ssh-keygen-unknown" in clone.doctor()


def test_shared_hooks_need_a_python(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.installed()
    shared = Path(__file__).parent.parent.parent / "hooks"
    clone.builder.git("config", "core.hooksPath", str(shared))
    assert clone.doctor() == {}
    program(tmp_path / "bin", "python3", "echo version 3.9")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    assert "python-missing" in clone.doctor()


def test_a_policy_that_is_missing(clone: Clone) -> None:
    clone.installed()
    clone.builder.checkout("main")
    (clone.path / "rollback-guard.toml").unlink()
    clone.builder.commit("Drop the policy")
    clone.builder.git("push", "-q", "--no-verify", "origin", "main", check=False)
    clone.builder.git("update-ref", "refs/remotes/origin/main", "main")
    assert clone.doctor()["policy-missing"]["remedy"] == "guard init"
    clone.builder.write_file("rollback-guard.toml", POLICY)
    assert clone.doctor()["policy-missing"]["remedy"].startswith("commit rollback-guard.toml")


@pytest.mark.parametrize(
    ("text", "said"), [("version = 2\n", "production: is missing"), ("version = \n[x\n", "is no TOML")]
)
def test_a_policy_that_is_broken(clone: Clone, text: str, said: str) -> None:
    clone.installed()
    clone.builder.checkout("main")
    clone.builder.write_file("rollback-guard.toml", text)
    clone.builder.commit("Break the policy")
    clone.builder.git("update-ref", "refs/remotes/origin/main", "main")
    found = clone.doctor()["policy-broken"]
    assert said in found["message"]
    assert found["remedy"] == "git show refs/remotes/origin/main:rollback-guard.toml"


def test_another_production_branch_without_a_policy(clone: Clone) -> None:
    clone.installed()
    clone.builder.checkout("main")
    bare = clone.builder.git("commit-tree", "-m", "x", clone.builder.git("mktree", stdin=b""))
    clone.builder.git("branch", "live", bare)
    clone.builder.write_file("rollback-guard.toml", POLICY.replace('["main"]', '["main", "live", "none-yet"]'))
    clone.builder.commit("Two of them")
    clone.builder.git("update-ref", "refs/remotes/origin/main", "main")
    assert "production branch live holds no policy" in clone.doctor()["policy-missing"]["message"]


def test_a_policy_that_asks_for_signatures_makes_ssh_necessary(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.installed()
    clone.builder.checkout("main")
    clone.builder.write_file("rollback-guard.toml", POLICY.replace("[release]", "[release]\nsigned = true"))
    clone.builder.commit("Sign")
    clone.builder.git("update-ref", "refs/remotes/origin/main", "main")
    program(tmp_path / "bin", "ssh", "echo OpenSSH_7.4p1 >&2")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    assert clone.doctor()["ssh-keygen-old"]["severity"] == "error"


def test_an_empty_repository(tmp_path: Path, clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    RepositoryBuilder(tmp_path / "empty")
    monkeypatch.chdir(tmp_path / "empty")
    found = clone.doctor()
    assert "no commit yet" in found["policy-missing"]["message"]
    assert "server-none" in found


def test_no_repository(tmp_path: Path, clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert clone.guard("doctor") == 2


def test_a_server(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clone.server.path)
    found = clone.doctor()
    assert found["hook-missing"]["remedy"] == "guard install --server"
    assert found["server-unnamed"]["severity"] == "warning"
    assert clone.guard("install", "--server", "--name", "github.com/acme/shop") == 0
    assert clone.doctor() == {}
    clone.server.git("config", "receive.fsckObjects", "false")
    assert clone.doctor()["objects-unchecked"]["severity"] == "warning"
    clone.server.git("config", "receive.fsckObjects", "true")
    (clone.server.path / "hooks" / "pre-receive").chmod(0o644)
    assert clone.doctor()["hook-not-executable"]["remedy"] == "guard install --server"


def test_remotes_that_cannot_be_looked_at(clone: Clone) -> None:
    clone.installed()
    clone.builder.git("remote", "set-url", "origin", "https://jane:secret@github.com/acme/shop.git")
    clone.builder.git("remote", "add", "gone", "/not/there")
    clone.capsys.readouterr()
    assert main(["doctor"]) == 0
    out = clone.capsys.readouterr().out
    assert "secret" not in out
    assert "whether origin (github.com/acme/shop) enforces the policy cannot be seen from here; no workflow" in out
    assert "whether gone (/not/there)" in out


def test_a_workflow_that_runs_the_gate(clone: Clone) -> None:
    clone.installed()
    clone.builder.git("remote", "set-url", "origin", "git@github.com:acme/shop.git")
    clone.builder.checkout("main")
    clone.builder.write_file(".github/workflows/a.yml", "on: push\n")
    clone.builder.write_file(".github/workflows/big.yml", "x" * (1 << 20) + "x")
    clone.builder.write_file(".github/workflows/gate.yml", "- run: guard check --into main\n")
    clone.builder.commit("Workflow")
    clone.builder.git("update-ref", "refs/remotes/origin/main", "main")
    found = clone.doctor()["server-unseen"]
    assert found["severity"] == "note"
    assert ".github/workflows/gate.yml runs the gate there" in found["message"]


@pytest.mark.parametrize("suffix", ["", "without .git"])
def test_a_server_at_a_file_url(clone: Clone, suffix: str) -> None:
    clone.installed()
    path = str(clone.server.path).removesuffix(".git") if suffix else str(clone.server.path)
    clone.builder.git("remote", "set-url", "origin", f"file://{path}")
    assert clone.doctor() == {}
    (clone.server.path / "hooks" / "pre-receive").unlink()
    unguarded = clone.doctor()["server-unguarded"]
    assert unguarded["remedy"] == f"guard install --server --repository '{clone.server.path}'"


def test_a_remote_that_is_no_repository(clone: Clone, tmp_path: Path) -> None:
    clone.installed()
    (tmp_path / "repo" / "plain").mkdir()
    clone.builder.git("remote", "set-url", "origin", str(tmp_path / "repo" / "plain"))
    assert list(clone.doctor()) == ["server-unseen"]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///srv/a%20b.git", "/srv/a b.git"),
        ("/srv/shop.git", "/srv/shop.git"),
        ("../shop.git", "/top/shop.git"),
        ("./a:b", "/top/repo/a:b"),
        ("git@github.com:acme/shop", None),
        ("https://github.com/acme/shop", None),
        ("ext::sh -c x", None),
    ],
)
def test_which_remotes_are_on_this_machine(url: str, path: str | None) -> None:
    assert local_path(url, "/top/repo") == path


def test_nobody_is_configured(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.installed()
    for part in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{part}_NAME")
        monkeypatch.delenv(f"GIT_{part}_EMAIL")
    monkeypatch.delenv("EMAIL", raising=False)
    assert "git config user.name" in clone.doctor()["identity-missing"]["remedy"]


def test_somebody_whom_the_policy_does_not_know(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.installed()
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "eve@elsewhere.example")
    found = clone.doctor()["identity-unknown"]
    assert found["severity"] == "warning"
    assert "Jane Doe <eve@elsewhere.example>" in found["message"]


def test_which_branch_is_asked(clone: Clone) -> None:
    def asked() -> str | None:
        repository = open_repository(str(clone.path), os.environ)
        return default_branch(repository, read_surroundings(repository))

    assert asked() == "refs/remotes/origin/main"
    clone.builder.git("config", "init.defaultBranch", "release/1.4")
    assert asked() == "refs/heads/release/1.4"
    clone.builder.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    assert asked() == "refs/remotes/origin/main"


def test_looking_changes_nothing(clone: Clone) -> None:
    clone.installed()
    before = subprocess.run(["find", str(clone.path.parent), "-newermt", "@0"], capture_output=True, check=True).stdout
    collect_installation(open_repository(str(clone.path), os.environ), os.environ)
    after = subprocess.run(["find", str(clone.path.parent), "-newermt", "@0"], capture_output=True, check=True).stdout
    assert after == before


def test_versions_are_judged_by_value() -> None:
    healthy_one = Installation(
        bare=True,
        tools=Tools(git=(2, 50), ssh=(9, 0)),
        folder=Folder(path="/h", default="/h"),
        stages=(),
        policy=PolicySeen(branch="HEAD", path="rollback-guard.toml"),
    )
    assert diagnose(healthy_one) == ()
    for tools, finding in (
        (Tools(git=(2, 30), ssh=(9, 0)), "git-too-old"),
        (Tools(git=(2, 31), ssh=(9, 0)), "git-old"),
        (Tools(git=(2, 39), ssh=(8, 1)), "ssh-keygen-old"),
        (Tools(git=(2, 39), ssh=None), "ssh-keygen-missing"),
    ):
        (found,) = diagnose(healthy_one._replace(tools=tools))
        assert found.id == finding


def test_every_finding_is_documented() -> None:
    root = Path(__file__).parent.parent.parent
    source = "".join(path.read_text() for path in (root / "rollback_guard" / "report").glob("doctor_*.py"))
    table = (root / "docs" / "install.md").read_text().partition("| id | severity |")[2]
    rows = [row.split("|")[1] for row in table.splitlines()[2:]]
    documented = {name.strip() for row in rows for name in row.split(",")}
    assert documented == set(re.findall(r'\bid="([a-z-]+)"', source))


def test_findings_that_one_command_mends_stand_above_it() -> None:
    first = Diagnosis(id="a", severity="error", message="first", remedy="mend it")
    alone = Diagnosis(id="b", severity="error", message="alone")
    more = (Diagnosis(id="c", severity="error", message="other", remedy="look"), alone._replace(message="too"))
    last = Diagnosis(id="d", severity="warning", message="last", remedy="mend it")
    assert render_text((first, alone, *more, last), {"guard": "1"}).split("\n") == [
        "4 problems, 1 warning",
        "error: first  [a]",
        "warning: last  [d]",
        "  → mend it",
        "error: alone  [b]",
        "error: other  [c]",
        "  → look",
        "error: too  [b]",
        "versions: guard 1",
    ]


def test_what_strangers_named_cannot_steer_the_terminal() -> None:
    found = Installation(
        bare=False,
        tools=Tools(git=(2, 50), ssh=(9, 0)),
        folder=Folder(path="/h", default="/h"),
        stages=(StageSeen(stage="pre-push", path="/h/\x1b[2J", owner="other"),),
        policy=PolicySeen(branch="refs/heads/main", path="rollback-guard.toml", knows_identity=True),
        identity="Jane <jane@acme.example>",
        remotes=(RemoteSeen(name="o\x1b]0;x\x07", address="h/p", gate="absent"),),
    )
    diagnoses = diagnose(found)
    assert not healthy(diagnoses)
    text = render_text(diagnoses, {"guard": "1"})
    assert "\x1b" not in text
    assert text.startswith("2 problems, 0 warnings\n")


def test_a_finding_that_nothing_can_be_done_about_here() -> None:
    shown = render_text((Diagnosis(id="seen", severity="note", message="only to know"),), {"guard": "1"})
    assert shown.splitlines()[1:] == ["note: only to know  [seen]", "versions: guard 1"]


def test_partial_clone_whose_remote_is_out_of_reach(tmp_path: Path) -> None:
    """What can be looked at without the missing objects is looked at."""
    repo = shop(tmp_path / "origin")
    repo.git("config", "uploadpack.allowFilter", "true")
    url = f"file://{repo.path}"
    run_git(tmp_path, "clone", "-q", "--no-checkout", "--filter=tree:0", url, "partial")
    clone = tmp_path / "partial"
    run_git(clone, "remote", "set-url", "origin", f"file://{tmp_path}/nowhere")
    said = guard(clone, "doctor", "--format", "json")
    assert said.code == 1
    found = {one["id"]: one for one in said.json["findings"]}
    assert {"objects-missing", "partial-clone", "hook-missing"} <= set(found)
    assert found["objects-missing"]["remedy"].startswith("git fetch --refetch --no-filter")
    for command in (("check",), ("audit", "main"), ("release", "list"), ("revert", "--plan")):
        said = guard(clone, *command)
        assert said.code == 4, command
        assert "git fetch --refetch --no-filter" in said.err
        assert "fsck" not in said.err
