"""What pre-commit and prek are offered, and that it is what the hooks and the starting files name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rollback_guard.entry.hook_migrations import ONLY
from rollback_guard.policy.starter import render_pre_commit_entries
from rollback_guard.report.doctor_hooks import HOOK_IDS
from tests.support.requirements import require

MANIFEST = Path(__file__).parent.parent / ".pre-commit-hooks.yaml"


def hooks() -> dict[str, dict[str, str]]:
    """The manifest's entries by id: it is plain enough to be read as lines."""
    found: dict[str, dict[str, str]] = {}
    for block in re.split(r"^- ", MANIFEST.read_text(), flags=re.M)[1:]:
        fields = dict(re.findall(r"^ *([a-z_]+): (.*)$", block, flags=re.M))
        found[fields["id"]] = fields
    return found


@pytest.mark.parametrize("tool", ["pre-commit", "prek"])
def test_the_manifest_is_valid(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{sys.prefix}/bin", prepend=":")
    program = require(tool, install="pip install pre-commit prek")
    done = subprocess.run([program, "validate-manifest", str(MANIFEST)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_ids_of_the_design_are_there() -> None:
    assert {name: fields["stages"] for name, fields in hooks().items()} == {
        "guard-branch": "[pre-commit, pre-merge-commit]",
        "guard-prepare-message": "[prepare-commit-msg]",
        "guard-message": "[commit-msg]",
        "guard-push": "[pre-push]",
        "guard-policy": "[pre-commit]",
        "guard-migrations": "[pre-commit]",
    }


def test_every_hook_runs_once_and_in_our_own_environment() -> None:
    for name, fields in hooks().items():
        assert fields["language"] == "python"
        assert fields["require_serial"] == "true"
        assert fields["minimum_pre_commit_version"] == '"3.2.0"'
        assert fields["entry"].startswith("guard-hook ")
        if name in ("guard-branch", "guard-push"):
            assert (fields["always_run"], fields["pass_filenames"]) == ("true", "false")


def test_the_policy_hook_looks_at_policy_files_only() -> None:
    pattern = re.compile(hooks()["guard-policy"]["files"])
    assert pattern.search("rollback-guard.toml")
    assert pattern.search("pyproject.toml")
    assert not pattern.search("sub/rollback-guard.toml")
    assert not pattern.search("rollback-guard-toml")


def test_the_migrations_hook_looks_at_every_framework_and_at_what_is_deleted() -> None:
    fields = hooks()["guard-migrations"]
    pattern = re.compile(fields["files"])
    for path in (
        "migrations/versions/1a2b_add_total.py",
        "shop/migrations/0002_total.py",
        "db/migrate/20261101120000_add_total.rb",
        "src/main/resources/db/migration/V2__total.sql",
        "db/changelog/db.changelog-master.xml",
        "db/changelog/changes.yaml",
        "db/changelog/changes.yml",
        "db/changelog/changes.json",
        "prisma/migrations/20261101120000_total/migration.sql",
        "db/000001_total.up.cql",
        "db/migrations/00001_total.go",
        "src/main/java/db/migration/V3__Total.java",
        "conf/flyway.conf",
    ):
        assert pattern.search(path), path
    assert not pattern.search("README.md")
    assert fields["always_run"].startswith("true")  # pre-commit names no deleted files
    assert "pass_filenames" not in fields
    assert fields["types"].startswith("[]")  # a link to a migration is none of a file
    assert fields["entry"].split()[2:] == [ONLY]


def test_every_stage_that_doctor_knows_has_its_hook() -> None:
    for stage, name in HOOK_IDS.items():
        assert stage in hooks()[name]["stages"]


def test_a_starting_configuration_lists_every_hook() -> None:
    assert set(re.findall(r"id: (\S+)", render_pre_commit_entries("1"))) == set(hooks())
