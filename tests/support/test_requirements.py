"""A missing part is never silent: it skips with the command that installs it, and fails where all is required."""

from __future__ import annotations

import sys

import pytest

from tests.support.requirements import require, require_newer_git


def test_a_program_that_is_here_is_found() -> None:
    assert require("git", install="apt-get install git").endswith("/git")


def test_a_missing_program_skips_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GUARD_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed here: apt-get install it"):
        require("no-such-program", install="apt-get install it")


def test_where_all_is_required_a_missing_program_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="apt-get install it"):
        require("no-such-program", install="apt-get install it")


def test_the_newer_git_is_newer_and_runs_its_own_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    found = require_newer_git()
    for name, value in found.env.items():
        monkeypatch.setenv(name, value)
    from tests.support.installed import run

    assert run(found.program, "version").startswith("git version 2.50")
    assert run(found.program, "--exec-path").startswith(sys.prefix)
