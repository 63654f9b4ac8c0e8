"""docs/walkthrough.md: every block of it runs, in one shell, and says what the page says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.architecture import ROOT
from tests.support.pages import guard_on_path


def test_the_walk_through_runs_as_it_is_written(tmp_path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    page = (ROOT / "docs/walkthrough.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    folder = tmp_path / "empty"
    folder.mkdir()
    env = guard_on_path(tmp_path / "bin")
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        env.pop(name, None)
    # What the page on formats says of verifying by hand is tried on what this session recorded.
    formats = (ROOT / "docs/evidence-format.md").read_text(encoding="utf-8")
    blocks += re.findall(r"^```sh\n(.*?)^```", formats, re.MULTILINE | re.DOTALL)
    script = "set -e\n" + "".join(f"echo '== {number}'\n{block}" for number, block in enumerate(blocks))
    done = subprocess.run(["sh", "-c", script], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    said = [part.partition("\n")[2] for part in done.stdout.split("== ")[1:]]
    assert len(said) == len(blocks) == 9
    assert "refused: 1" in said[3]
    assert "guard sign qa --into main" in said[3]
    assert "ALLOWED" in said[4]
    assert "Reviewed-by: Omar Haddad <omar@acme.example>\nQA-by: Quinn Lee <quinn@acme.example>" in said[5]
    assert "ALLOWED" in said[6]
    assert "refused" in said[7]
    assert "RG306" in done.stderr
    assert 'Good "rollback-guard.sign-off.qa" signature for quinn' in said[8]
