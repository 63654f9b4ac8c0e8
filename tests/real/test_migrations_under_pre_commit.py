"""The hook of migrations as pre-commit and prek run it: deletions, links, what users leave out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.architecture import ROOT
from tests.support.builder import RepositoryBuilder
from tests.support.requirements import require

HOOK = f"env PYTHONPATH={ROOT} {sys.executable} -c 'from rollback_guard.entry.hook import run; run()'"
(MANIFEST,) = (ROOT / ".pre-commit-hooks.yaml").read_text().split("- id: guard-migrations\n")[1:]
# The hook as the manifest has it, but from this checkout instead of an environment of its own.
FIELDS = [line.strip() for line in MANIFEST.splitlines() if not re.match(" *(entry|language|minimum_pre.*):", line)]
OWN = [f"entry: {HOOK} migrations --only", "language: system"]


@pytest.fixture(params=["pre-commit", "prek"])
def repo(request: pytest.FixtureRequest, path_of_repo: Path, monkeypatch: pytest.MonkeyPatch) -> RepositoryBuilder:
    """A repository with the hook, and one migration in production."""
    monkeypatch.setenv("PATH", f"{sys.prefix}/bin", prepend=":")
    program = require(request.param, install="pip install pre-commit prek")
    repo = RepositoryBuilder(path_of_repo)
    repo.write_file("db/V1__orders.sql", "CREATE TABLE orders (id int);\n")
    repo.write_file("tests/V1__orders.sql", "CREATE TABLE orders (id int);\n")
    configure(repo, "")
    repo.commit("Orders")
    subprocess.run([program, "install"], cwd=repo.path, check=True, capture_output=True)
    repo.branch("change/next")
    return repo


def configure(repo: RepositoryBuilder, more: str) -> None:
    fields = [*OWN, *FIELDS, *([more] if more else [])]
    hook = "".join(f"    {field}\n" for field in fields)
    repo.write_file(".pre-commit-config.yaml", f"repos:\n- repo: local\n  hooks:\n  - id: guard-migrations\n{hook}")


def commit(repo: RepositoryBuilder) -> subprocess.CompletedProcess[str]:
    repo.git("add", "-A")
    command = ["git", "commit", "-m", "Next"]
    return subprocess.run(command, cwd=repo.path, env=os.environ, capture_output=True, text=True, check=False)


def test_an_added_one(repo: RepositoryBuilder) -> None:
    repo.write_file("db/V2__less.sql", "DROP TABLE orders;\n")
    done = commit(repo)
    assert done.returncode == 1
    assert "db/V2__less.sql: has no way back" in done.stdout + done.stderr
    repo.write_file("db/V2__less.sql", "-- guard: irreversible because it was empty\nDROP TABLE orders;\n")
    done = commit(repo)
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_that_is_deleted_by_itself(repo: RepositoryBuilder) -> None:
    (repo.path / "db/V1__orders.sql").unlink()
    done = commit(repo)
    assert done.returncode == 1
    assert "was deleted after it may have run" in done.stdout + done.stderr


def test_a_link(repo: RepositoryBuilder) -> None:
    (repo.path / "db/V2__less.sql").symlink_to("../drop")
    done = commit(repo)
    assert done.returncode == 1
    assert "symbolic link" in done.stdout + done.stderr


def test_what_users_leave_out(repo: RepositoryBuilder) -> None:
    configure(repo, "exclude: ^tests/")
    repo.write_file("tests/V2__less.sql", "DROP TABLE orders;\n")
    done = commit(repo)
    assert done.returncode == 0, done.stdout + done.stderr
    repo.write_file("db/V2__less.sql", "DROP TABLE orders;\n")
    assert commit(repo).returncode == 1


def test_a_commit_of_something_else(repo: RepositoryBuilder) -> None:
    repo.write(readme="x")
    assert commit(repo).returncode == 0
