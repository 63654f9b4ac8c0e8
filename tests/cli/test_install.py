"""`guard install` on real repositories: what it writes, says, refuses, and that git then runs the gate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rollback_guard.entry.cli.main import main
from tests.support.builder import RepositoryBuilder, shop
from tests.support.requirements import require

LOCAL = """\
repos:
  - repo: local
    hooks:
      - {id: fine, name: fine, entry: "true", language: system, always_run: true, stages: [pre-push]}
"""


@pytest.fixture
def repo(path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> RepositoryBuilder:
    builder = shop(path_of_repo)
    monkeypatch.chdir(path_of_repo)
    return builder


@pytest.fixture
def server(tmp_path: Path, repo: RepositoryBuilder) -> RepositoryBuilder:
    builder = RepositoryBuilder(tmp_path / "server.git", bare=True)
    repo.git("remote", "add", "origin", str(builder.path))
    return builder


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(list(args))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def git(path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *args], cwd=path, capture_output=True, text=True, check=False)


def answer(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    code, out, _ = run(capsys, *args, "--format", "json")
    assert code == 0
    value: dict[str, Any] = json.loads(out)
    return value


def test_an_installed_hook_judges_a_commit(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "install")
    assert code == 0
    assert out.startswith("done: hooks in ")
    repo.checkout("main")
    repo.write_file("app.py", "price = 3\n")
    done = git(repo.path, "commit", "-qam", "Straight onto production")
    assert done.returncode != 0
    assert "RG101" in done.stderr


def test_an_installed_hook_lets_work_on_a_route_pass(
    repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "install")
    repo.write_file("app.py", "price = 3\n")
    done = git(repo.path, "commit", "-qam", "Work")
    assert done.returncode == 0, done.stderr


def test_a_push_of_a_rewound_branch_is_refused_with_another_hook_kept(
    repo: RepositoryBuilder, server: RepositoryBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.git("push", "-q", "origin", "main", "release/1.4")
    hook = repo.path / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ncat > seen\n")
    hook.chmod(0o755)
    run(capsys, "install")
    done = git(repo.path, "push", "origin", ":main")
    assert done.returncode != 0
    assert "RG104" in done.stderr
    assert not (repo.path / "seen").exists()
    done = git(repo.path, "push", "origin", "release/1.4:refs/heads/release/1.5")
    assert done.returncode == 0, done.stderr
    assert "refs/heads/release/1.5" in (repo.path / "seen").read_text()


def test_the_server_judges_what_it_receives(
    repo: RepositoryBuilder, server: RepositoryBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.git("push", "-q", "origin", "main", "release/1.4")
    code, out, _ = run(
        capsys, "install", "--server", "--repository", str(server.path), "--name", "https://github.com/acme/shop.git"
    )
    assert code == 0
    assert "pre-receive         written" in out
    assert "receive.denyDeletes true" in out
    assert server.git("config", "rollback-guard.repository") == "github.com/acme/shop"
    repo.checkout("main")
    repo.commit("Straight onto production", app_dot_py="price = 9\n")
    done = git(repo.path, "push", "origin", "main")
    assert done.returncode != 0
    assert "RG101" in done.stderr
    assert git(repo.path, "push", "origin", "--delete", "main").returncode != 0
    assert git(repo.path, "push", "origin", "release/1.4:refs/heads/topic").returncode == 0


def test_a_server_is_left_as_it_was_by_uninstalling(
    server: RepositoryBuilder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def everything() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in server.path.rglob("*") if path.is_file()}

    hook = server.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    before = everything()
    monkeypatch.chdir(server.path)
    value = answer(capsys, "install", "--server", "--name", "github.com/acme/shop")
    assert value["hooks"][0]["moved"]["to"].endswith("pre-receive.guarded")
    assert everything() != before
    assert run(capsys, "install", "--server", "--uninstall")[0] == 0
    assert everything() == before
    assert run(capsys, "install", "--server", "--uninstall")[0] == 0
    assert everything() == before


@pytest.mark.parametrize("before", ["", "false", "0"])
def test_git_checks_what_a_guarded_server_receives(
    server: RepositoryBuilder, capsys: pytest.CaptureFixture[str], before: str
) -> None:
    """On by installing, also where it was off; as it was by uninstalling."""
    if before:
        server.git("config", "receive.fsckObjects", before)
    where = ("--server", "--repository", str(server.path))
    assert any("would be switched on" in note for note in answer(capsys, "install", "--dry-run", *where)["notes"])
    assert server.git("config", "receive.fsckObjects", check=False) == before
    assert any("fsckObjects was switched on" in note for note in answer(capsys, "install", *where)["notes"])
    assert server.git("config", "receive.fsckObjects") == "true"
    assert not any("fsckObjects" in note for note in answer(capsys, "install", *where)["notes"])
    assert run(capsys, "install", "--uninstall", *where)[0] == 0
    assert server.git("config", "receive.fsckObjects", check=False) == before
    assert "rollback-guard" not in server.git("config", "--local", "--list")


def test_what_an_administrator_chose_stays(server: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--server", "--repository", str(server.path))
    server.git("config", "transfer.fsckObjects", "yes")
    run(capsys, "install", *where)
    assert server.git("config", "receive.fsckObjects", check=False) == ""
    assert run(capsys, "install", "--uninstall", *where)[0] == 0
    server.git("config", "transfer.fsckObjects", "false")
    run(capsys, "install", *where)
    server.git("config", "receive.fsckObjects", "false")  # off again, afterwards and on purpose
    run(capsys, "install", *where)
    assert server.git("config", "receive.fsckObjects") == "false"
    run(capsys, "install", "--uninstall", *where)
    assert server.git("config", "receive.fsckObjects") == "false"


def test_a_server_that_has_no_name_is_told(server: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    for setting in ("denyDeletes", "denyNonFastForwards", "fsckObjects"):
        server.git("config", f"receive.{setting}", "true")
    value = answer(capsys, "install", "--server", "--repository", str(server.path))
    (note,) = value["notes"]
    assert "RG103" in note


def test_json_says_what_was_done(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    value = answer(capsys, "install")
    assert value["format"] == "rollback-guard/install/1"
    assert value["folder"] == str(repo.path / ".git" / "hooks")
    assert [hook["stage"] for hook in value["hooks"]] == [
        "pre-commit",
        "pre-merge-commit",
        "prepare-commit-msg",
        "commit-msg",
        "pre-push",
    ]
    assert {hook["action"] for hook in value["hooks"]} == {"written"}
    assert {hook["action"] for hook in answer(capsys, "install")["hooks"]} == {"unchanged"}
    assert run(capsys, "install")[1].startswith("nothing to do")
    assert {hook["action"] for hook in answer(capsys, "install", "--uninstall")["hooks"]} == {"removed"}


def fetched(repo: RepositoryBuilder, remote: str = "origin") -> list[str]:
    return repo.git("config", "--get-all", f"remote.{remote}.fetch", check=False).splitlines()


BRANCHES = "+refs/heads/*:refs/remotes/origin/*"
EVIDENCE = "+refs/rollback-guard/evidence*:refs/rollback-guard/remotes/origin/evidence*"


def test_git_fetch_brings_evidence_along(
    repo: RepositoryBuilder, server: RepositoryBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    config = (repo.path / ".git" / "config").read_bytes()
    value = answer(capsys, "install", "--dry-run")
    assert value["refspecs"] == [{"remote": "origin", "action": "added", "value": EVIDENCE}]
    assert (repo.path / ".git" / "config").read_bytes() == config
    code, out, _ = run(capsys, "install")
    assert code == 0
    assert "  fetch of origin     brings recorded evidence along\n" in out
    assert fetched(repo) == [BRANCHES, EVIDENCE]
    repo.git("fetch", "-q", "origin")  # a server without evidence is no error
    server.git("fetch", "-q", str(repo.path), "HEAD:refs/rollback-guard/evidence")
    repo.git("fetch", "-q", "--all")
    assert repo.head("refs/rollback-guard/remotes/origin/evidence") == repo.head()
    assert run(capsys, "install")[1].startswith("nothing to do")
    assert fetched(repo) == [BRANCHES, EVIDENCE]
    assert answer(capsys, "install", "--uninstall")["refspecs"] == [
        {"remote": "origin", "action": "removed", "value": EVIDENCE}
    ]
    assert (repo.path / ".git" / "config").read_bytes() == config
    assert repo.head("refs/rollback-guard/remotes/origin/evidence") == repo.head()


def test_a_remote_that_was_added_or_renamed_later(
    repo: RepositoryBuilder, server: RepositoryBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "install")
    repo.git("remote", "add", "fork/two", str(server.path))
    repo.git("remote", "rename", "origin", "upstream")
    _, out, _ = run(capsys, "install")
    assert out.startswith("done: ")
    assert f"  fetch of upstream   no longer asks for {EVIDENCE}\n" in out
    assert fetched(repo, "upstream")[1:] == [EVIDENCE.replace("origin", "upstream")]
    assert fetched(repo, "fork/two")[1:] == [EVIDENCE.replace("origin", "fork/two")]
    repo.git("fetch", "-q", "--all")


def test_remotes_that_are_left_alone(
    repo: RepositoryBuilder, server: RepositoryBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that fetches nothing by configuration, one whose name no ref may bear, one that has no address."""
    repo.git("config", "remote.plain.url", str(server.path))
    repo.git("config", "remote.two words.url", str(server.path))
    repo.git("config", "remote.two words.fetch", "+refs/heads/*:refs/remotes/words/*")
    repo.git("config", "remote.homeless.fetch", "+refs/heads/*:refs/remotes/homeless/*")
    assert [one["remote"] for one in answer(capsys, "install")["refspecs"]] == ["origin"]
    repo.git("fetch", "-q", "two words")


def test_a_refspec_of_somebody_s_own_configuration_stays(
    repo: RepositoryBuilder,
    server: RepositoryBuilder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "gitconfig").write_text(f'[remote "origin"]\n\tfetch = {EVIDENCE}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    assert answer(capsys, "install")["refspecs"] == []
    assert run(capsys, "install", "--uninstall")[0] == 0
    assert EVIDENCE in fetched(repo)


def test_a_dry_run_touches_nothing(
    repo: RepositoryBuilder, server: RepositoryBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(os.listdir(repo.path / ".git" / "hooks"))
    code, out, _ = run(capsys, "install", "--dry-run")
    assert (code, out.split(":")[0]) == (0, "would be done")
    assert sorted(os.listdir(repo.path / ".git" / "hooks")) == before
    args = ("install", "--server", "--dry-run", "--repository", str(server.path), "--name", "h/p")
    assert run(capsys, *args)[0] == 0
    assert server.git("config", "rollback-guard.repository", check=False) == ""


def test_text_says_where_other_hooks_went(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    hooks = repo.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-push").write_text("#!/bin/sh\n")
    (hooks / "commit-msg").write_text("# ID: 138fd403232d2ddd5efb44317e38bf03\n")
    _, out, _ = run(capsys, "install")
    assert "is now pre-push.guarded and runs after ours" in out
    assert "as commit-msg.legacy, which pre-commit runs" in out


def test_shared_hooks_are_kept(repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    shared = Path(__file__).parent.parent.parent / "hooks"
    repo.git("config", "core.hooksPath", str(shared))
    before = (shared / "pre-push").read_bytes()
    _, out, _ = run(capsys, "install")
    assert out.startswith("nothing to do: ")
    assert "pre-push            kept: the shared hook runs here already" in out
    assert (shared / "pre-push").read_bytes() == before
    repo.checkout("main")
    repo.write_file("app.py", "price = 3\n")
    done = git(repo.path, "commit", "-qam", "Straight onto production")
    assert done.returncode != 0
    assert "RG101" in done.stderr


def test_hooks_in_the_work_tree_are_not_for_committing(
    repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.git("config", "core.hooksPath", "scripts/hooks")
    _, out, _ = run(capsys, "install")
    assert "scripts/hooks lies in the work tree: do not commit these hooks" in out


def test_hooks_of_every_repository_are_not_touched(
    repo: RepositoryBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gitconfig").write_text(f"[core]\n\thooksPath = {tmp_path}/all\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    code, _, err = run(capsys, "install")
    assert code == 1
    assert "every repository (global" in err
    assert not (tmp_path / "all").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["install", "--name", "github.com/acme/shop"], "--name is for --server"),
        (["install", "--server", "--name", "shop"], "not the name of a repository"),
        (["install", "--repository", "/not/there"], "does not exist"),
    ],
)
def test_a_wrong_call_is_said(
    repo: RepositoryBuilder, capsys: pytest.CaptureFixture[str], args: list[str], said: str
) -> None:
    code, _, err = run(capsys, *args)
    assert code == 2
    assert said in err
    assert "→" in err


def test_a_bare_repository_wants_server(server: RepositoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "install", "--repository", str(server.path))
    assert code == 2
    assert "→ guard install --server" in err


@pytest.mark.parametrize("tool", ["pre-commit", "prek"])
@pytest.mark.parametrize("order", ["before", "after"])
def test_beside_pre_commit_every_ref_of_a_push_is_judged(
    repo: RepositoryBuilder,
    server: RepositoryBuilder,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tool: str,
    order: str,
) -> None:
    monkeypatch.setenv("PATH", os.path.join(sys.prefix, "bin"), prepend=os.pathsep)
    program = require(tool, install="pip install pre-commit prek")
    repo.git("push", "-q", "origin", "main")
    repo.commit("Configure", **{"_dot_pre-commit-config_dot_yaml": LOCAL})
    if order == "before":
        run(capsys, "install")
    subprocess.run([program, "install", "-t", "pre-push"], cwd=repo.path, capture_output=True, check=True)
    if order == "after":
        run(capsys, "install")
    done = git(repo.path, "push", "--atomic", "origin", "release/1.4", ":main")
    assert done.returncode != 0
    assert "RG104" in done.stderr + done.stdout
    assert server.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    done = git(repo.path, "push", "origin", "release/1.4")
    assert done.returncode == 0, done.stderr
