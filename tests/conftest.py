"""Every test gets a home, a Git configuration and an identity of its own; a test cannot reach the machine's."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

MEMORY = "/dev/shm"
ROOM = 2 << 30  # bytes; what is there at one time is far less, since what a test that passed has made is removed


def pytest_configure() -> None:
    """Repositories are made in memory, where the machine has a folder for that and nobody named another one.

    The tests make and throw away a million small files, which costs a disk a fifth of all their time.
    """
    if os.environ.keys() & {"TMPDIR", "PYTEST_DEBUG_TEMPROOT"} or not os.access(MEMORY, os.W_OK):
        return
    about = os.statvfs(MEMORY)
    if not about.f_flag & os.ST_NOEXEC and about.f_bavail * about.f_frsize >= ROOM:  # hooks are programs
        os.environ["PYTEST_DEBUG_TEMPROOT"] = MEMORY


def pytest_collection_finish() -> None:
    """What collecting made lives to the end: Python's collector of garbage need not look at it ever again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Empty homes, one after the other. pytest would look through all that it made before it made each."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def isolated_environment(
    homes: Iterator[Path], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No setting of the machine's user or system reaches a test, and none of a test reaches another."""
    home = next(homes)
    home.mkdir()
    for name in list(os.environ):
        if name.startswith(("GIT_", "GITHEAD_", "PRE_COMMIT", "XDG_", "GITHUB_", "ROLLBACK_GUARD")):
            monkeypatch.delenv(name)
    if request.node.get_closest_marker("measured") is None:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "CACHE", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Jane Doe")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "jane@acme.example")
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Jane Doe")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "jane@acme.example")
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def path_of_repo(tmp_path: Path) -> Path:
    """An empty folder for a repository."""
    folder = tmp_path / "repo"
    folder.mkdir()
    return folder
